// Every screen and state that the page can be in, reached as a person reaches it. Whoever has something to say of all of
// them (axe, the measuring tests, the screenshots) walks through them and looks.
import type { BrowserContext, Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import {
  agentTest,
  expect,
  field,
  forgiveLostRequests,
  hydrated,
  lamp,
  linkDown,
  openSession,
  preset,
  script,
  send,
  signIn,
  test,
  unfold,
  verb,
  type Console,
  type Provider,
} from './harness';
import { Proxy } from './proxy';
import { Sshd } from './sshd';

// Called in each state, with its name.
export type Look = (state: string) => Promise<void>;

// What the walks get of a test's fixtures.
type Given = { page: Page; console: Console };
type Troubled = Given & { errors: string[] };

// Brings to its end what moves. What moves for as long as it lasts, such as a spinner, goes on. (To wait for it would be for
// ever where it is in something folded.)
export async function settled(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const moving of document.getAnimations()) {
      if (moving.effect?.getComputedTiming().iterations !== Infinity) moving.finish();
    }
  });
}

export async function openVm(page: Page): Promise<void> {
  const button = page.locator('.vm-button');
  if (await button.isVisible()) await button.click();
  await settled(page);
}

const lastRun = (page: Page) => page.getByRole('region', { name: 'Last run' });
const finished = (page: Page) => page.locator('.finished');

// A session from its beginning to the confirmations. The console must hang at `uptime`, so that a turn can be looked at.
export async function inEachState(page: Page, console: Console, look: Look): Promise<void> {
  await look('an empty session');
  await preset(page, 'Triage').click();
  await expect(page.locator('.tool[data-state=running]')).toHaveCount(1);
  await look('a turn that runs');
  console.release();
  await expect(finished(page)).toBeVisible();
  await send(page, `!printf '%0300d\\n' 7; exit 3`);
  await expect(finished(page)).toHaveCount(2);
  await send(page, 'words, and `code`, and ' + 'a-very-long-word-without-any-space-'.repeat(6));
  await expect(finished(page)).toHaveCount(3);
  await look('a verdict');
  await unfold(page);
  for (const summary of await page.locator('.tool summary').all()) await summary.click();
  await look('a verdict with opened outputs');
  await openVm(page);
  await page.getByRole('button', { name: /^Status/ }).click();
  await expect(lastRun(page)).toHaveAttribute('data-state', 'ended');
  await look('a run that is done');
  for (const name of ['Cycle', 'Start', 'Stop', 'Reset']) {
    await verb(page, name).click();
    await expect(page.getByRole('button', { name: new RegExp(`^${name} .* now$`) })).toBeVisible();
    await settled(page);
    await look(`the VM controls with the confirmation of ${name}`);
  }
}

async function signingIn({ page, console, errors }: Troubled, look: Look): Promise<void> {
  await page.goto(console.base);
  await look('sign in');
  await page.goto(console.signInLink);
  await look('sign in by the link from the terminal');
  await page.getByRole('textbox').fill('NO-SUCH-CODE');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await look('a code that is not believed');
  // The browser itself remarks on the 401 that this page is.
  errors.splice(0);
}

async function sessions({ page, console }: Given, look: Look): Promise<void> {
  await signIn(page, console);
  await page.goto(`${console.base}/sessions`);
  await look('no session yet');
  await console.turns(await console.open(), '!echo the disk is full of cabbages; exit 1');
  await console.turns(await console.open(), 'the mail is slow today, and nobody knows since when it is or what was changed');
  await console.turns(await console.open(), '!uptime');
  await page.reload();
  await look('the list of sessions');
  await page.getByRole('searchbox').fill('cabbages');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await expect(page.locator('.session')).toHaveCount(1);
  await look('a search among sessions');
  await page.getByRole('button', { name: /^Archive: / }).click();
  await expect(page.locator('.nothing')).toBeVisible();
  await look('a search that found nothing');
  await page.getByRole('button', { name: 'Search the archive' }).click();
  await expect(page.locator('.session')).toHaveCount(1);
  await look('the archive');
}

async function runs({ page, console, isMobile }: Given & { isMobile: boolean }, look: Look): Promise<void> {
  await openSession(page, console);
  await openVm(page);
  await look('the VM controls where nothing was run yet');
  await verb(page, 'Cycle').click();
  await page.getByRole('button', { name: /^Cycle .* now$/ }).click();
  await expect(lastRun(page)).toHaveAttribute('data-state', 'running');
  await look('a cycle under way');
  await expect(lastRun(page)).toHaveAttribute('data-state', 'ended', { timeout: 30_000 });
  await look('a cycle that is done');
  await lastRun(page).locator('.evidence summary').click();
  await settled(page);
  await look('the evidence of a cycle');
  await page.locator('#lock-form > summary').click();
  await page.getByRole('textbox', { name: 'Why' }).fill('ask grace first');
  await look('how to lock');
  await page.locator('#lock-form').getByRole('button', { name: /^Lock / }).click();
  await expect(page.locator('#strip')).toContainText('ask grace first');
  await page.locator('#strip').evaluate((strip) => strip.scrollIntoView());
  await look('a locked target');
  if (isMobile) await page.goBack();
  await look('a locked target, the controls closed');
}

// A mutation of which nobody knows what became, begun so long ago that the host knows nothing of it any more.
const FORGOTTEN = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("""INSERT INTO runs (id, target, verb, by, started, ended, outcome, detail)
              SELECT iif(id LIKE 'f%', 'e', 'f') || substr(id, 2), target, 'cycle', 'ada', started - 7500000, started - 7200000, 'unknown',
                     'the connection was lost and the hypervisor does not answer' FROM runs LIMIT 1""")
db.execute("DELETE FROM runs WHERE verb = 'status'")
db.commit()
`;

async function unknownRun({ page, console, errors }: Troubled, look: Look): Promise<void> {
  const id = await openSession(page, console);
  await console.api('POST', '/api/pve/status');
  await console.kill();
  execFileSync('python3', ['-c', FORGOTTEN, path.join(console.folder, 'breakglass.sqlite3')]);
  await console.revive();
  await page.goto(`${console.base}/s/${id}`);
  await hydrated(page);
  await expect(page.locator('#strip[data-unknown]')).toBeAttached();
  await look('a run of which nobody knows the end');
  await openVm(page);
  await look('the controls while nobody knows the end of a run');
  await verb(page, 'Cycle').click();
  await expect(page.getByRole('checkbox', { name: /Nobody knows/ })).toBeVisible();
  await look('a confirmation while nobody knows the end of a run');
  forgiveLostRequests(errors);
}

async function link({ page, context, console, errors }: Troubled & { context: BrowserContext }, look: Look): Promise<void> {
  const id = await openSession(page, console);
  await console.turns(id, '!echo before; exit 3');
  await expect(finished(page)).toHaveCount(1);
  await context.setOffline(true);
  await expect(lamp(page)).toHaveText('no network');
  await look('no network');
  await send(page, '!echo from the tunnel');
  await expect(page.locator('.pending')).toContainText('No answer yet');
  await look('a prompt that was not answered');
  await context.setOffline(false);
  await expect(finished(page)).toHaveCount(2, { timeout: 15_000 });

  const proxy = await Proxy.before(console.base);
  await page.goto(`${proxy.base}/s/${id}`);
  await hydrated(page);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  proxy.becomes('302');
  await expect(lamp(page)).toHaveText('signed out');
  await look('signed out');
  proxy.becomes('honest');
  await page.goto(`${proxy.base}/s/${id}`);
  await hydrated(page);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  proxy.becomes('buffers');
  await expect(lamp(page)).toHaveText('held back', { timeout: 15_000 });
  await look('a stream that is held back');
  proxy.end();

  await page.goto(`${console.base}/s/${id}`);
  await hydrated(page);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await console.terminate();
  await expect(lamp(page)).toHaveText('restarting');
  await look('a console that restarts');
  await console.revive();
  await expect(lamp(page)).toHaveText(id.slice(0, 8), { timeout: 20_000 });
  await console.kill();
  await expect(lamp(page)).toHaveText(linkDown);
  await look('a console that is gone');
  await page.getByRole('button', { name: 'New session' }).click();
  await expect(page.locator('.toast')).toBeVisible();
  await settled(page);
  await look('a toast');
  console.wipe();
  await console.revive();
  // The sign-in was wiped with the rest.
  await expect(lamp(page)).toHaveText(/session gone|signed out/, { timeout: 20_000 });
  await look('nothing left on the console');
  forgiveLostRequests(errors);
}

async function offline({ page, console, errors }: Troubled, look: Look): Promise<void> {
  const id = await openSession(page, console);
  await console.turns(id, '!echo the last thing that was seen');
  await expect(finished(page)).toHaveCount(1);
  await field(page).fill('and what I was about to say');
  await page.evaluate(() => navigator.serviceWorker.ready);
  const kept = () => page.evaluate((id) => localStorage.getItem(`breakglass:kept:${id}`) ?? '', id);
  await expect.poll(kept, { timeout: 15_000 }).toContain('Finished in');
  // Once more, so that the worker has seen the files go by.
  await page.reload();
  await hydrated(page);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await console.kill();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'There is no way to the console from here' })).toBeVisible();
  await expect(page.locator('#age')).toBeVisible();
  await look('the page without a console');
  forgiveLostRequests(errors);
}

async function hostKeys({ page, console, errors, sshd }: Troubled & { sshd: Sshd }, look: Look): Promise<void> {
  await openSession(page, console);
  await openVm(page);
  await page.getByRole('button', { name: /^Status/ }).click();
  await expect(lastRun(page)).not.toHaveAttribute('data-state', 'running');
  await look('a hypervisor that answers nonsense');
  await sshd.changeHostKey();
  await page.getByRole('button', { name: /^Status/ }).click();
  await page.getByRole('link', { name: 'Look again' }).click();
  await expect(page.locator('#key-hypervisor')).toBeVisible({ timeout: 20_000 });
  await page.locator('#strip').evaluate((strip) => strip.scrollIntoView());
  await look('a hypervisor with another host key');
  forgiveLostRequests(errors);
}

// What an agent writes when it has found something: all of the Markdown that a page must be able to show.
export const REPORT = `## What is wrong

**The disk is full**, and *that* is why \`postgres\` stopped at 03:12. See [the runbook](https://example.org/runbook).

1. \`/var/lib/docker\` holds 14 GB of old images
2. the journal holds 3 GB
   - it can be vacuumed
   - it is not rotated

| filesystem | used | free |
|---|---:|---:|
| \`/\` | 100 % | 0 |
| \`/var/lib/docker\` | 71 % | 9.3 GB |

\`\`\`sh
journalctl --vacuum-size=200M && docker image prune --all --force --filter "until=168h" # frees about 14 GB
\`\`\`

> Nothing was changed yet.

---

What I would do: prune the images, then start \`postgres\`.`;

async function agent({ page, console, provider }: Given & { provider: Provider }, look: Look): Promise<void> {
  await openSession(page, console);
  const ansi = String.raw`printf '\033[31mred\033[0m \033[1;32mgreen\033[0m\n'; seq 1 60; exit 4`;
  await send(
    page,
    script(
      [{ text: 'I look at the disks first.' }, { bash: 'df -h /', description: 'Look at the disks' }],
      [{ bash: ansi, description: 'Look at the colours' }],
      [{ text: [REPORT.slice(0, 120), { hold: 'half' }, REPORT.slice(120)] }],
    ),
  );
  await provider.held('half');
  await expect(page.locator('.draft')).toBeVisible();
  await look('the agent is writing');
  await provider.release('half');
  await expect(finished(page)).toHaveCount(1);
  await look('a report in Markdown');
  await unfold(page);
  for (const summary of await page.locator('.tool summary').all()) await summary.click();
  await settled(page);
  await look('the outputs behind a report');
}

async function askingAgent({ page, console }: Given, look: Look): Promise<void> {
  await openSession(page, console);
  await send(page, script([{ bash: "touch 'a file' && echo made\nrm -f 'a file'", description: 'Make a file' }], [{ text: 'Done.' }]));
  const card = page.getByRole('form', { name: 'The agent wants to run' });
  await expect(card).toBeVisible({ timeout: 30_000 });
  await look('the agent asks for a permission');
  await card.getByRole('textbox').fill('Not on this disk');
  await card.getByRole('button', { name: 'Deny' }).click();
  await expect(finished(page)).toHaveCount(1);
  await look('a permission that was denied');

  const questions = [
    {
      question: 'Which of the two shall go?',
      header: 'Which',
      multiSelect: false,
      options: [
        { label: 'The old images', description: '14 GB, can be pulled again' },
        { label: 'The journal', description: '3 GB, gone for good' },
      ],
    },
    {
      question: 'What else may be restarted?',
      header: 'Restart',
      multiSelect: true,
      options: [
        { label: 'docker', description: 'all containers stop for a moment' },
        { label: 'postgres', description: 'ten seconds without a database' },
      ],
    },
  ];
  await send(page, script([{ tool: 'AskUserQuestion', input: { questions } }]));
  await expect(page.getByRole('form', { name: 'The agent asks' })).toBeVisible();
  await look('the agent asks a question');
  await page.locator('.composer').getByRole('button', { name: 'Stop' }).click();
  await expect(page.locator('.note.stopped')).toBeVisible();
  await look('a turn that was stopped');
}

const sshTest = test.extend<{ sshd: Sshd }>({
  sshd: async ({ folder }, use) => {
    const sshd = await Sshd.start(path.join(folder, 'sshd'));
    await use(sshd);
    await sshd.end();
  },
  settings: async ({ sshd }, use) => use(sshd.settings),
});

// Defines one test for each walk, under its name. `looker` is what makes, of a page, who looks at it.
export function walks(looker: (page: Page) => Look): void {
  // Whoever looks takes a while, and there are many states.
  test.describe.configure({ timeout: 240_000 });
  test('signing in', ({ page, console, errors }) => signingIn({ page, console, errors }, looker(page)));
  test('the list of sessions', ({ page, console }) => sessions({ page, console }, looker(page)));
  test('runs', ({ page, console, isMobile }) => runs({ page, console, isMobile }, looker(page)));
  test('an unknown run', ({ page, console, errors }) => unknownRun({ page, console, errors }, looker(page)));
  test('the link', ({ page, context, console, errors }) => link({ page, context, console, errors }, looker(page)));
  sshTest('host keys', ({ page, console, errors, sshd }) => hostKeys({ page, console, errors, sshd }, looker(page)));
  test.describe(() => {
    // Triage's first command waits until it has been looked at while it runs.
    test.use({ hangs: ['uptime'] });
    test('a session', async ({ page, console }) => {
      await openSession(page, console);
      await inEachState(page, console, looker(page));
    });
  });
  test.describe(() => {
    test.use({ serviceWorkers: 'allow' });
    test('without a console', ({ page, console, errors }) => offline({ page, console, errors }, looker(page)));
  });
  agentTest('an agent', ({ page, console, provider }) => agent({ page, console, provider }, looker(page)));
  agentTest.describe(() => {
    agentTest.use({ leave: 'ask' });
    agentTest('an agent that asks', ({ page, console }) => askingAgent({ page, console }, looker(page)));
  });
}
