// What an agent and its commands wrote, as it is read: Markdown, the colours of a terminal, many tools in one line; and what
// one does with it: copy, show all, ask again.
import type { Locator, Page } from '@playwright/test';
import { agentTest, expect, field, hydrated, openSession, script, send, sessionOf, test, unfold } from './harness';

const draft = (page: Page): Locator => page.locator('.draft');
const words = (page: Page): Locator => page.locator('.bubble.agent.prose:not(.draft)');
const output = (page: Page): Locator => page.locator('.tool .output').last();
const button = (place: Locator, name: string): Locator => place.getByRole('button', { name, exact: true });
// What holds an output and its buttons.
const sample = (page: Page): Locator => page.locator('.sample', { has: page.locator('.output') }).last();
const clipboard = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText());

test('an output has its colours, is copied without them, and is shown whole', async ({ page, context, console }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openSession(page, console);
  const lines = Array.from({ length: 120 }, (_, place) => `${place + 1}\n`).join('');
  await send(page, `!printf '10 %%\\r99 %%\\r\\033[31mred\\033[0m plain \\033[42mok\\033[0m \\033]0;title\\007<b>\\n'; seq 1 120`);
  await expect(page.locator('.finished')).toHaveCount(1);
  await page.locator('.tool summary').click();
  await expect(output(page)).toHaveText(`red plain ok <b>\n${lines}`, { useInnerText: true });

  const colour = (selector: string, name: 'color' | 'backgroundColor') =>
    output(page).locator(selector).evaluate((element, name) => getComputedStyle(element)[name], name);
  for (const [scheme, red, green, ground] of [
    ['dark', 'rgb(255, 154, 143)', 'rgb(131, 214, 172)', 'rgb(6, 9, 12)'],
    ['light', 'rgb(150, 28, 22)', 'rgb(15, 92, 54)', 'rgb(230, 234, 238)'],
  ] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    expect(await colour('.ink-1', 'color')).toBe(red);
    expect(await colour('.ink-2', 'backgroundColor')).toBe(green);
    expect(await colour('.ink-2', 'color')).toBe(ground);
  }

  const height = async () => (await output(page).boundingBox())!.height;
  expect(await height()).toBeLessThanOrEqual(page.viewportSize()!.height * 0.46 + 1);
  await button(sample(page), 'Show all').click();
  await expect.poll(height).toBeGreaterThan(page.viewportSize()!.height);
  await button(sample(page), 'Show all').click();
  await expect.poll(height).toBeLessThan(page.viewportSize()!.height * 0.47);

  await button(sample(page), 'Copy').click();
  await expect(sample(page).getByRole('status')).toHaveText('Copied');
  expect(await clipboard(page)).toBe(`red plain ok <b>\n${lines}`);
  await expect(sample(page).getByRole('status')).toHaveCount(0);
});

test('where the browser copies nothing, the text is selected', async ({ page, console }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  await openSession(page, console);
  await send(page, '!echo by hand');
  await expect(page.locator('.finished')).toHaveCount(1);
  await page.locator('.tool summary').click();
  await button(sample(page), 'Copy').click();
  await expect(sample(page).getByRole('status')).toHaveText('Selected');
  expect(await page.evaluate(() => getSelection()!.toString().trim())).toBe('by hand');
});

test('a prompt is copied, and asked again by who sends it', async ({ page, context, console }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const id = await openSession(page, console);
  await send(page, '!echo <one> & "two"');
  await expect(page.locator('.finished')).toHaveCount(1);
  const prompt = page.locator('.row.prompt');
  await button(prompt, 'Copy').click();
  await expect(prompt.getByRole('status')).toHaveText('Copied');
  expect(await clipboard(page)).toBe('!echo <one> & "two"');
  const before = (await console.entries(id)).length;
  await button(prompt, 'Ask again').click();
  await expect(field(page)).toHaveValue('!echo <one> & "two"');
  await expect(field(page)).toBeFocused();
  expect((await console.entries(id)).length).toBe(before);
});

const RICH = `## What was wrong

The disk of **devvm** was full, see [the runbook](https://example.org/run?a=1&b=2) or https://example.org/.
Not [this](javascript:alert(1)) and not <img src=x onerror=alert(1)>.

| Mount | Used | What stands there and how it came to be so large in one night | Free |
|---|---:|---|---:|
| \`/var/log/journal/with/a/long/path\` | 100 % | journal | 0 |
| \`/\` | 12 % | root | 800 MiB |

1. I looked.
   - once
2. I ran this:
   \`\`\`sh
   journalctl --vacuum-size=200M
   \`\`\`

> Nothing else was ~~lost~~ *touched*.`;

agentTest('a rich answer is what it says, a wide table scrolls in its own box, and links open safely', async ({ page, context, console }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openSession(page, console);
  await send(page, script([{ text: RICH }]));
  await expect(page.locator('.finished')).toHaveCount(1);
  const answer = words(page);
  await expect(answer.locator('h2')).toHaveText('What was wrong');
  await expect(answer.locator('ol > li')).toHaveCount(2);
  await expect(answer.locator('ol ul > li')).toHaveText('once');
  await expect(answer.locator('blockquote em')).toHaveText('touched');
  await expect(answer.locator('img')).toHaveCount(0);
  const links = await answer.locator('a').evaluateAll((links) => links.map((link) => [link.getAttribute('href'), link.getAttribute('target'), link.getAttribute('rel')]));
  expect(links).toEqual([
    ['https://example.org/run?a=1&b=2', '_blank', 'noopener noreferrer'],
    ['https://example.org/', '_blank', 'noopener noreferrer'],
  ]);
  await expect(answer).toContainText('[this](javascript:alert(1))');
  await button(answer, 'Copy').click();
  await expect(answer.getByRole('status')).toHaveText('Copied');
  expect(await clipboard(page)).toBe('journalctl --vacuum-size=200M');

  const own = page.viewportSize()!;
  await page.setViewportSize({ width: 320, height: own.height });
  const table = answer.locator('.table');
  expect(await table.evaluate((box) => box.scrollWidth - box.clientWidth)).toBeGreaterThan(40);
  await table.evaluate((box) => (box.scrollLeft = 1000));
  expect(await table.evaluate((box) => box.scrollLeft)).toBeGreaterThan(40);
  expect(await page.evaluate(() => document.scrollingElement!.scrollWidth)).toBeLessThanOrEqual(320);
  expect(await page.locator('#transcript').evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
  await page.setViewportSize(own);
});

agentTest('what stands of an answer stays where it is while the rest is written', async ({ page, console, provider }) => {
  await openSession(page, console);
  const pieces = [
    '## Found\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- one\n- two\n\n',
    { hold: 'first' },
    'Now **it gro',
    { hold: 'second' },
    'ws** and\n\n```sh\nls',
    { hold: 'third' },
    ' -l\n```\n\nand ends.',
  ];
  await send(page, script([{ text: pieces }]));
  await provider.held('first');
  await expect(draft(page).locator('ul')).toContainText('two');
  const standing = await draft(page).locator('h2, .table, ul').elementHandles();
  // Where each stands below the prompt.
  const places = async () => {
    const prompt = (await page.locator('.row.prompt').boundingBox())!.y;
    return page.locator('.bubble.agent').locator('h2, .table, ul').evaluateAll((all, prompt) => all.map((one) => Math.round(one.getBoundingClientRect().y - prompt)), prompt);
  };
  const before = await places();
  expect(before).toHaveLength(3);

  await provider.release('first');
  await provider.held('second');
  await expect(draft(page).locator('strong')).toHaveText('it gro');
  expect(await places()).toEqual(before);
  await provider.release('second');
  await provider.held('third');
  await expect(draft(page).locator('pre')).toHaveText('ls');
  expect(await places()).toEqual(before);
  // They are not only in the same place: they are the same elements.
  for (const one of standing) expect(await one.evaluate((element) => element.isConnected)).toBe(true);
  await provider.release('third');
  await expect(page.locator('.finished')).toHaveCount(1);
  await expect(words(page).locator('pre')).toHaveText('ls -l');
  await expect(words(page)).toContainText('and ends.');
});

agentTest('tools that follow one another are one line when their turn is over, which opens', async ({ page, console, provider }) => {
  const id = await openSession(page, console);
  const tools = [{ bash: 'echo first' }, { bash: 'echo second' }, { bash: 'echo third' }];
  await send(page, `Look. ${script(tools, [{ text: ['Well', { hold: 'end' }, '.'] }])}`);
  await provider.held('end');
  const head = page.locator('.tools > details > summary');
  const tool = (text: string) => page.locator('.tool', { hasText: `echo ${text}` });
  await expect(head).toContainText(/3 commands.*\d m?s/);
  await expect(tool('second')).toBeVisible();
  await provider.release('end');
  await expect(page.locator('.finished')).toHaveCount(1);
  await expect(tool('second')).toBeHidden();
  await unfold(page);
  await tool('second').locator('summary').click();
  await expect(tool('second').locator('.output')).toHaveText('second');
  // A page that is loaded anew has it folded, and what somebody opened stays open while more comes.
  await page.reload();
  await hydrated(page);
  await expect(head).toBeVisible();
  await expect(tool('second')).toBeHidden();
  await unfold(page);
  await tool('third').locator('summary').click();

  const failing = [{ bash: 'true' }, { bash: 'exit 3' }, { bash: 'true' }];
  await send(page, `Again. ${script(failing, [{ text: 'Not well.' }])}`);
  await expect(page.locator('.finished')).toHaveCount(2);
  await expect(head.last()).toContainText('1 failed');
  await expect(page.locator('.tool[data-state=failed]')).toBeVisible();
  await expect(tool('third').locator('.output')).toBeVisible();
  expect((await console.entries(id)).filter(({ kind }) => kind === 'tool')).toHaveLength(6);
  expect(sessionOf(page)).toBe(id);
});
