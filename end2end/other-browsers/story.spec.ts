// The main story in the browsers that are not Chromium: from the link in the terminal to a cycle, and nothing lost by a reload.
import { expect, test as base } from '@playwright/test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Console } from '../tests/harness';
import type { Browser } from './browser';
import { firefox } from './firefox';
import { webkit } from './webkit';
import { Witness } from './witness';

const programs = { firefox, webkit };

const test = base.extend<{ console: Console; witness: Witness; browserOf: Browser }>({
  console: async ({}, use) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'breakglass-'));
    const console = await Console.start(folder);
    await use(console);
    await console.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 100 });
  },
  witness: async ({ console }, use) => {
    const witness = await Witness.before(console.base);
    await use(witness);
    witness.end();
  },
  browserOf: async ({}, use, { project }) => {
    const browser = await programs[project.name as keyof typeof programs]();
    await use(browser);
    await browser.end();
  },
});

const one = (selector: string) => `document.querySelector(${JSON.stringify(selector)})`;
// The first of these whose name begins with the words.
const named = (selector: string, words: string) =>
  `[...document.querySelectorAll(${JSON.stringify(selector)})].find((each) => (each.ariaLabel ?? each.textContent.trim()).startsWith(${JSON.stringify(words)}))`;

test('sign in, follow, prompt, preset, status, cycle and reload', async ({ console, witness, browserOf: browser }) => {
  const see = (expression: string, timeout = 15_000) =>
    expect.poll(() => browser.value(expression).catch(() => undefined), { message: expression, timeout, intervals: [50] });
  const many = (selector: string) => `document.querySelectorAll(${JSON.stringify(selector)}).length`;
  const text = (selector: string) => `${one(selector)}?.textContent`;

  await browser.go(console.signInLink.replace(console.base, witness.base));
  await browser.press(named('button', 'Sign in'));
  await see(many('#composer')).toBe(1);

  const id = await console.open();
  await browser.go(`${witness.base}/s/${id}`);
  await see(many('html[data-hydrated]')).toBe(1);
  await see(text('.lamp-words')).toBe(id.slice(0, 8));

  // What others do arrives by itself.
  await browser.value('(window.same = true)');
  await console.turns(id, '!echo by somebody else');
  await see(many('.finished')).toBe(1);
  await see(text('.operator')).toBe('!echo by somebody else');

  await browser.type(one('#composer textarea'), '!echo typed here');
  await browser.press(named('.composer button', 'Send'));
  await see(many('.finished')).toBe(2);
  expect(await browser.value(one('#composer textarea') + '.value')).toBe('');

  await browser.press(named('button[name=preset]', 'Triage'));
  await see(many('.finished'), 40_000).toBe(3);
  await see(many('.tool[data-state=ended]')).toBeGreaterThan(3);

  await browser.press(one('.vm-button'));
  await see(`getComputedStyle(${one('#vm')}).visibility + ${one('#vm')}.checkVisibility()`).toBe('visibletrue');
  // What still moves is missed by a click.
  await see(`${one('#vm')}.getAnimations({ subtree: true }).length`).toBe(0);
  await browser.press(named('#vm button', 'Status'));
  await see(`${one('#run .run')}?.dataset.state`).toBe('ended');
  await see(text('#run .run')).toContain('qmpstatus: running');
  await browser.press(named('#vm .confirm > summary', 'Cycle'));
  await see(`${named('#vm button', 'Cycle')}?.checkVisibility()`).toBe(true);
  await browser.press(named('#vm button', 'Cycle'));
  await see(text('#run .run'), 30_000).toContain('cycle: done: VM 102 is running');
  expect(await browser.value('window.same'), 'all of it in one page').toBe(true);

  await browser.reload();
  await see(many('html[data-hydrated]')).toBe(1);
  await see(text('.lamp-words')).toBe(id.slice(0, 8));
  await see(many('.row.prompt')).toBe(3);
  await see(many('.run-row')).toBe(2);
  expect(await console.runs()).toMatchObject([{ verb: 'cycle', outcome: 'done' }, { verb: 'status', outcome: 'done' }]);

  await expect.poll(() => witness.told.filter(({ kind }) => kind === 'page').map(({ words }) => words)).toContain(`/s/${id}`);
  expect(witness.trouble).toEqual([]);
  // The browser holds to the policy, and the witness would have heard of it.
  await browser.value(`(() => {
    const script = document.createElement('script');
    script.textContent = "document.documentElement.dataset.taken = ''";
    document.body.append(script);
  })()`);
  await expect.poll(() => witness.trouble).toMatchObject([{ kind: 'violation', words: expect.stringContaining('script-src') }]);
  expect(await browser.value(many('html[data-taken]'))).toBe(0);
});
