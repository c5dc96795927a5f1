// The composer: nothing typed is lost, nothing sent is sent twice, and what went wrong is said.
import type { Page } from '@playwright/test';
import {
  bearer,
  expect,
  field,
  forgiveLostRequests,
  holdProgram,
  hydrated,
  lamp,
  openSession,
  preset,
  send,
  sendButton,
  sessionOf,
  signIn,
  stopButton,
  test,
  toast,
} from './harness';

const pending = (page: Page) => page.locator('.pending');

// Lets the next prompt through to the server and drops its answer, as a tunnel does.
async function dropNextAnswer(page: Page): Promise<void> {
  await page.route(
    '**/do/prompt',
    async (route) => {
      await route.fetch();
      await route.abort('connectionreset');
    },
    { times: 1 },
  );
}

test('what is typed before the program arrives stays and can be sent', { tag: '@any-size' }, async ({ page, context, console }) => {
  const release = await holdProgram(context);
  await signIn(page, console);
  await field(page).pressSequentially('!echo typed early');
  await expect(page.locator('html[data-hydrated]')).toHaveCount(0);

  release();
  await hydrated(page);
  await expect(field(page)).toHaveValue('!echo typed early');
  await sendButton(page).click();
  await expect(page.locator('.finished')).toBeVisible();
  await expect(page.locator('.operator')).toHaveText('!echo typed early');
  await expect(field(page)).toHaveValue('');
});

test('a prompt sent before the program arrives is carried out once', { tag: '@any-size' }, async ({ page, context, console }) => {
  const release = await holdProgram(context);
  await signIn(page, console);
  await send(page, '!echo sent early');
  await expect(page).toHaveURL(/\/s\//);
  await expect(page.locator('.operator')).toHaveText('!echo sent early');
  release();
  await hydrated(page);
  await expect(page.locator('.finished')).toBeVisible();
  await expect(field(page)).toHaveValue('');
  const entries = await console.entries(sessionOf(page));
  expect(entries.filter((entry) => entry.kind === 'user')).toHaveLength(1);
});

test('what a form had to say before the program arrived passes too', { tag: '@any-size' }, async ({ page, context, console }) => {
  const release = await holdProgram(context);
  await signIn(page, console);
  await sendButton(page).click();
  await expect(toast(page)).toContainText('prompt');
  release();
  await hydrated(page);
  await expect(toast(page)).toHaveCount(0, { timeout: 10_000 });
});

test('Enter sends, Shift+Enter makes a new line', async ({ page, console }) => {
  const id = await openSession(page, console);
  await field(page).fill('!echo one');
  const before = await field(page).boundingBox();
  await field(page).press('Shift+Enter');
  await field(page).pressSequentially('echo two');
  await expect(field(page)).toHaveValue('!echo one\necho two');
  expect((await field(page).boundingBox())!.height).toBeGreaterThan(before!.height);
  expect(await console.entries(id)).toEqual([]);

  await field(page).press('Enter');
  await expect(page.locator('.finished')).toBeVisible();
  await expect(field(page)).toHaveValue('');
  await page.locator('.tool summary').click();
  await expect(page.locator('.tool .output')).toHaveText('one\ntwo\n');
});

test('Enter in an empty field sends nothing', async ({ page, console }) => {
  const id = await openSession(page, console);
  await field(page).fill('  ');
  await field(page).press('Enter');
  // Were it sent, it would be sent before this one.
  await send(page, '!true');
  await expect(page.locator('.finished')).toBeVisible();
  expect((await console.entries(id)).filter((entry) => entry.kind === 'user')).toHaveLength(1);
  await expect(toast(page)).toHaveCount(0);
});

test('a phone does not zoom into the field and calls its Enter key Send', async ({ page, console }) => {
  await openSession(page, console);
  await expect(field(page)).toHaveAttribute('enterkeyhint', 'send');
  const size = await field(page).evaluate((element) => parseFloat(getComputedStyle(element).fontSize));
  expect(size).toBeGreaterThanOrEqual(16);
});

test('a long text keeps the composer and Send inside the window', async ({ page, console }) => {
  await openSession(page, console);
  await field(page).fill('a line\n'.repeat(100));
  await expect(sendButton(page)).toBeInViewport({ ratio: 1 });
  await expect(preset(page, 'Triage')).toBeInViewport({ ratio: 1 });
  await expect(field(page)).toBeInViewport({ ratio: 1 });
});

test('a line that begins with ! runs on the target, and its failure shows its exit code', async ({ page, console }) => {
  await openSession(page, console);
  await send(page, '!echo on the target; exit 3');
  const tool = page.locator('.tool');
  await expect(tool).toHaveAttribute('data-state', 'failed');
  await expect(tool.locator('.tool-facts')).toContainText('exit 3');
  await tool.locator('summary').click();
  await expect(tool.locator('.command')).toHaveText('echo on the target; exit 3');
  await expect(tool.locator('.output')).toContainText('on the target');
});

test('output and prompts are text, never markup', async ({ page, console }) => {
  await openSession(page, console);
  const hostile = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`;
  await send(page, `!cat <<'END'\n${hostile}\nEND`);
  await expect(page.locator('.finished')).toBeVisible();
  await page.locator('.tool summary').click();
  await expect(page.locator('.tool .output')).toHaveText(`${hostile}\n`);
  await page.reload();
  await hydrated(page);
  await expect(page.locator('.operator')).toContainText(hostile);
  await expect(page.locator('main img, main script')).toHaveCount(0);
  expect(await page.title()).not.toBe('taken');
});

test('words are answered with what can be done here', async ({ page, console }) => {
  await openSession(page, console);
  await send(page, 'please repair it');
  const answer = page.locator('.row .prose');
  await expect(answer).toContainText('Triage');
  await expect(answer).toContainText('!systemctl --failed');
  await expect(answer).toContainText('cycle');
  await expect(page.locator('.finished')).toBeVisible();
});

test('a prompt that could not be sent says so and is sent by itself, once, when the way is free again', { tag: '@any-size' }, async ({
  page,
  console,
  errors,
}) => {
  const id = await openSession(page, console);
  let free = false;
  await page.route('**/do/prompt', (route) => (free ? route.continue() : route.abort('connectionrefused')));
  await send(page, '!echo kept');
  await expect(pending(page)).toContainText('No answer yet');
  await expect(pending(page).locator('.bubble')).toHaveText('!echo kept');
  await expect(field(page)).toHaveValue('');
  expect(await console.entries(id)).toEqual([]);

  free = true;
  await expect(page.locator('.finished')).toBeVisible({ timeout: 10_000 });
  await expect(pending(page)).toHaveCount(0);
  expect((await console.entries(id)).filter((entry) => entry.kind === 'user')).toHaveLength(1);
  forgiveLostRequests(errors);
});

test('a prompt whose answer was lost happens once, and is known by its entry', { tag: '@any-size' }, async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  await dropNextAnswer(page);
  await send(page, '!echo once only');
  await expect(page.locator('.finished')).toHaveCount(1);
  await expect(pending(page)).toHaveCount(0);
  await expect(page.locator('.row.prompt')).toHaveCount(1);
  expect((await console.entries(id)).filter((entry) => entry.kind === 'user')).toHaveLength(1);
  forgiveLostRequests(errors);
});

test('what was taken back may have arrived: sent again as it stands, it runs once', { tag: '@any-size' }, async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  // The page hears of nothing, so that it cannot know by the entry.
  await page.route('**/do/prompt', async (route) => {
    await route.fetch();
    await route.abort('connectionreset');
  });
  await page.route(/\/stream/, (route) => route.abort('connectionrefused'));
  await page.route(/\/entries/, (route) => route.abort('connectionrefused'));
  await page.reload();
  await hydrated(page);
  await send(page, '!echo once only');
  await expect(pending(page)).toContainText('No answer yet');
  await pending(page).getByRole('button', { name: 'Take back' }).click();
  await expect(pending(page)).toHaveCount(0);
  await expect(field(page)).toHaveValue('!echo once only');
  await console.idle(id);

  await page.unroute('**/do/prompt');
  const again = page.waitForResponse('**/do/prompt');
  await sendButton(page).click();
  expect((await again).ok()).toBe(true);
  await page.unrouteAll();
  await expect(page.locator('.finished')).toHaveCount(1, { timeout: 20_000 });
  await expect(pending(page)).toHaveCount(0);
  expect((await console.entries(id)).filter((entry) => entry.kind === 'user')).toHaveLength(1);
  forgiveLostRequests(errors);
});

test('the same words can be sent twice on purpose', { tag: '@any-size' }, async ({ page, console }) => {
  const id = await openSession(page, console);
  for (const count of [1, 2]) {
    await send(page, '!echo again');
    await expect(page.locator('.finished')).toHaveCount(count);
    await expect(sendButton(page)).toBeEnabled();
  }
  expect((await console.entries(id)).filter((entry) => entry.kind === 'user')).toHaveLength(2);
});

test('a double tap is one tap', async ({ page, console }) => {
  const id = await openSession(page, console);
  await field(page).fill('!echo tapped twice');
  await sendButton(page).dblclick();
  await expect(page.locator('.finished')).toHaveCount(1);
  await preset(page, 'Memory').dblclick();
  await expect(page.locator('.finished')).toHaveCount(2);
  expect((await console.entries(id)).filter((entry) => entry.kind === 'user')).toHaveLength(2);
  await expect(toast(page)).toHaveCount(0);
});

test('a double tap on a confirmation is one run, and raises no alarm', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
  await page.locator('#vm .confirm > summary').filter({ hasText: /^Cycle/ }).click();
  await page.getByRole('button', { name: /^Cycle .* now$/ }).dblclick();
  const run = page.getByRole('region', { name: 'Last run' });
  await expect(run).toHaveAttribute('data-state', 'running');
  await expect(toast(page)).toHaveCount(0);
  await expect(run).toHaveAttribute('data-state', 'ended', { timeout: 20_000 });
  expect(await console.runs()).toMatchObject([{ verb: 'cycle', outcome: 'done' }]);
});

test.describe('while a turn runs', () => {
  test.use({ hangs: ['free'] });

  test('what is typed stays, and a preset leaves it alone', async ({ page, console }) => {
    await openSession(page, console);
    await field(page).fill('for later');
    await preset(page, 'Memory').click();
    await expect(stopButton(page)).toBeVisible();
    await field(page).press('End');
    await field(page).pressSequentially(', and more');
    await field(page).press('Enter');
    console.release();
    await expect(page.locator('.finished')).toHaveCount(1);
    await expect(field(page)).toHaveValue('for later, and more');
    await expect(page.locator('.row.prompt')).toHaveCount(1);
  });
});

test.describe('with a short limit', () => {
  test.use({ settings: ['--prompt-max-bytes', '40'] });

  test('a prompt that is too long says so and stays in the field', { tag: '@any-size' }, async ({ page, console, errors }) => {
    const id = await openSession(page, console);
    const long = 'x'.repeat(41);
    await send(page, long);
    await expect(toast(page)).toContainText('40');
    await expect(field(page)).toHaveValue(long);
    expect(await console.entries(id)).toEqual([]);
    await send(page, '!true');
    await expect(page.locator('.finished')).toBeVisible();
    forgiveLostRequests(errors);
  });
});

test('a prompt to a session that is gone opens a new one and is sent once', { tag: '@any-size' }, async ({ page, context, console, errors }) => {
  // Sign-ins are gone with the record too, so this operator comes with a token.
  await context.setExtraHTTPHeaders(bearer);
  const gone = await console.open();
  await page.goto(`${console.base}/s/${gone}`);
  await hydrated(page);
  await expect(lamp(page)).toHaveText(gone.slice(0, 8));
  await console.kill();
  console.wipe();
  await console.revive();

  await send(page, '!echo to a new session');
  await expect(page).not.toHaveURL(new RegExp(gone));
  await expect(page.locator('.finished')).toBeVisible();
  await expect(page.locator('.operator')).toHaveText('!echo to a new session');
  await hydrated(page);
  const sessions = await console.sessions();
  expect(sessions).toHaveLength(1);
  expect((await console.entries(sessions[0].id)).filter((entry) => entry.kind === 'user')).toHaveLength(1);
  forgiveLostRequests(errors);
});

test('who is signed out in between is told so and keeps what was typed', { tag: '@any-size' }, async ({ page, context, console, errors }) => {
  await openSession(page, console);
  await context.clearCookies();
  await send(page, '!echo kept');
  await expect(lamp(page)).toHaveText('signed out');
  await expect(page.locator('.link-bar').getByRole('link', { name: 'Sign in' })).toBeVisible();
  await expect(field(page)).toHaveValue('!echo kept');
  // The prompt, and the stream that was tried since.
  expect(errors.splice(0).filter((error) => !error.includes('401'))).toEqual([]);
});
