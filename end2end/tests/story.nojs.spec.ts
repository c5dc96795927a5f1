// The same story with JavaScript off: every tap is a form or a link, and the page looks again by itself.
import type { Page } from '@playwright/test';
import {
  bearer,
  expect as expectAtOnce,
  field,
  forgiveLostRequests,
  preset,
  send,
  sendButton,
  showPictures,
  signIn,
  stopButton,
  test,
  toast,
  unfold,
  verb,
  type Console,
} from './harness';

// The page looks again every few seconds.
const expect = expectAtOnce.configure({ timeout: 20_000 });

const refresh = (page: Page) => page.locator('meta[http-equiv="refresh"]');

async function openSession(page: Page, console: Console): Promise<string> {
  await showPictures(page);
  await signIn(page, console);
  const id = await console.open();
  await page.goto(`${console.base}/s/${id}`);
  return id;
}

// Triage's first command waits until its test has seen what there is to see while it runs.
test.describe('with a target that takes its time', () => {
  test.use({ hangs: ['uptime'] });

  test('Triage is a form: the page looks again by itself until there is a verdict, and then rests', async ({ page, console }) => {
    await signIn(page, console);
    await expect(refresh(page)).toHaveCount(0);
    const posted = page.waitForResponse((response) => response.request().method() === 'POST');
    await preset(page, 'Triage').click();
    expect((await posted).status()).toBe(303);

    await expect(page).toHaveURL(/\/s\/[0-9a-f-]{36}$/);
    await expect(page.locator('.operator')).toHaveText('Triage');
    await expect(page.locator('.tool[data-state=running]')).toHaveCount(1);
    await expect(refresh(page)).toHaveCount(1);
    await expect(stopButton(page)).toBeVisible();
    await expect(sendButton(page)).toHaveCount(0);
    await expect(preset(page, 'Triage')).toBeDisabled();
    await expect(page.getByRole('button', { name: 'New session' })).toBeDisabled();

    console.release();
    // Nothing is pressed.
    await expect(page.locator('.finished')).toBeVisible({ timeout: 20_000 });
    await expect(refresh(page)).toHaveCount(0);
    await expect(sendButton(page)).toBeVisible();
    await expect(page.locator('.row:has(+ .figures-row) .prose')).toBeVisible();
    await unfold(page);
    const memory = page.locator('.tool', { hasText: 'Memory and swap' });
    await memory.locator('summary').click();
    await expect(memory.locator('.output')).toContainText('MemTotal');
    expect((await console.sessions()).length).toBe(1);
  });
});

test('nothing claims to be connecting, and a turn that runs says so', async ({ page, console }) => {
  await openSession(page, console);
  await expect(page.getByText('connecting')).toBeHidden();
  await send(page, '!sleep 19');
  await expect(page.locator('.now')).toContainText('working');
  await stopButton(page).click();
  await expect(page.locator('.now')).toHaveCount(0);
});

test('Stop ends a long command', async ({ page, console }) => {
  const id = await openSession(page, console);
  await send(page, '!for i in $(seq 1 30); do echo line $i; sleep 1; done');
  await expect(page.locator('.tool[data-state=running]')).toHaveCount(1);
  await stopButton(page).click();
  await expect(page.locator('.note.stopped')).toHaveText(/Stopped by operator/);
  await expect(sendButton(page)).toBeVisible();
  await expect(refresh(page)).toHaveCount(0);
  await page.locator('.tool summary').click();
  await expect(page.locator('.tool .output')).toContainText('line 1');
  expect((await console.entries(id)).at(-1)?.kind).toBe('turn_end');
});

test('a command and words are answered', async ({ page, console }) => {
  await openSession(page, console);
  await send(page, '!echo on the target');
  await expect(page.locator('.finished')).toHaveCount(1);
  await send(page, 'please repair it');
  await expect(page.locator('.finished')).toHaveCount(2);
  await expect(page.locator('.row .prose').last()).toContainText('!systemctl --failed');
  await expect(field(page)).toHaveValue('');
});

test('an empty prompt says what is wrong', async ({ page, console }) => {
  const id = await openSession(page, console);
  await sendButton(page).click();
  await expect(toast(page)).toContainText('prompt');
  await expect(toast(page)).toBeInViewport({ ratio: 1 });
  await expect(page).toHaveURL(new RegExp(`/s/${id}`));
  expect(await console.entries(id)).toEqual([]);
});

test('what was typed is still there after a preset was tapped', async ({ page, console }) => {
  await openSession(page, console);
  await field(page).fill('for later\n<b>& "more"');
  await preset(page, 'Memory').click();
  await expect(page.locator('.finished')).toHaveCount(1);
  await expect(field(page)).toHaveValue('for later\n<b>& "more"');
  await expect(page.locator('.operator')).toHaveText(['Memory']);
  // It goes when it is sent, and does not come back.
  await sendButton(page).click();
  await expect(page.locator('.finished')).toHaveCount(2);
  await expect(field(page)).toHaveValue('');
});

test('a double tap is one prompt', async ({ page, console }) => {
  const id = await openSession(page, console);
  await field(page).fill('!echo once');
  await sendButton(page).dblclick();
  await expect(page.locator('.finished')).toHaveCount(1);
  await expect(page.locator('.row.prompt')).toHaveCount(1);
  expect((await console.entries(id)).filter((entry) => entry.kind === 'user')).toHaveLength(1);
});

test.describe('with a short limit', () => {
  test.use({ settings: ['--prompt-max-bytes', '40'] });

  test('a prompt that is too long says so and is still there', async ({ page, console }) => {
    const id = await openSession(page, console);
    const long = 'x'.repeat(41);
    await send(page, long);
    await expect(toast(page)).toContainText('40');
    await expect(field(page)).toHaveValue(long);
    // A reload keeps it too.
    await page.reload();
    await expect(field(page)).toHaveValue(long);
    await send(page, '!true');
    await expect(page.locator('.finished')).toHaveCount(1);
    await expect(field(page)).toHaveValue('');
    await expect(toast(page)).toHaveCount(0);
    expect((await console.entries(id)).filter((entry) => entry.kind === 'user')).toHaveLength(1);
  });
});

test('New session opens an empty one', async ({ page, console }) => {
  const id = await openSession(page, console);
  await send(page, '!true');
  await expect(page.locator('.finished')).toHaveCount(1);
  await page.getByRole('button', { name: 'New session' }).click();
  await expect(page.locator('.empty')).toBeVisible();
  await expect(page).not.toHaveURL(new RegExp(id));
});

test('a prompt to a session that is gone opens a new one', async ({ page, context, console, errors }) => {
  await context.setExtraHTTPHeaders(bearer);
  const gone = await console.open();
  await page.goto(`${console.base}/s/${gone}`);
  await console.kill();
  console.wipe();
  await console.revive();
  await send(page, '!echo to a new session');
  await expect(page.locator('.operator')).toHaveText('!echo to a new session');
  await expect(page).not.toHaveURL(new RegExp(gone));
  expect(await console.sessions()).toHaveLength(1);
  forgiveLostRequests(errors);
});

test('the VM sheet is a link: status, then a cycle that asks first, with forensics and its result', async ({ page, console }) => {
  await openSession(page, console);
  const sheet = page.getByRole('complementary', { name: 'VM controls' });
  await expect(sheet).toBeHidden();
  await page.getByRole('link', { name: 'VM controls' }).click();
  await expect(sheet).toBeInViewport();
  await sheet.getByRole('link', { name: 'Close' }).click();
  await expect(sheet).toBeHidden();
  await page.getByRole('link', { name: 'VM controls' }).click();

  await sheet.getByRole('button', { name: /^Status/ }).click();
  const run = page.getByRole('region', { name: 'Last run' });
  await expect(run.locator('.run-head')).toContainText('done · exit code 0');
  await expect(run.locator('.output')).toContainText('qmpstatus: running');
  await expect(sheet).toBeInViewport();
  await expect(refresh(page)).toHaveCount(0);

  const target = await sheet.locator('.target').innerText();
  const now = sheet.getByRole('button', { name: `Cycle ${target} now` });
  await expect(now).toBeHidden();
  await verb(page, 'Cycle').click();
  await expect(sheet.getByText(`This stops ${target} and starts it again`)).toBeVisible();
  expect(await console.runs()).toHaveLength(1);
  const posted = page.waitForResponse((response) => response.request().method() === 'POST');
  await now.click();
  expect((await posted).status()).toBe(303);
  await expect(run).toHaveAttribute('data-state', 'running');
  await expect(refresh(page)).toHaveCount(1);

  // Nothing is pressed.
  await expect(run).toHaveAttribute('data-state', 'ended');
  await expect(sheet).toBeInViewport();
  for (const words of ['cycle: VM 102 is stopped', 'cycle: done: VM 102 is running']) {
    await expect(run.locator('.run-output .output')).toContainText(words);
  }
  await expect(run.locator('.evidence .output')).toContainText('== QEMU monitor ==');
  await expect(run.locator('.run-head')).toContainText('done · exit code 0');
  await expect(refresh(page)).toHaveCount(0);
  await sheet.getByRole('link', { name: 'Close' }).click();
  await expect(page.locator('.run-row')).toHaveCount(2);
  await expect(page.locator('.run-row').last()).toContainText('cycle done · operator');
  expect(await console.runs()).toMatchObject([{ verb: 'cycle' }, { verb: 'status' }]);
});

test('a double tap on a confirmation is one run', async ({ page, console }) => {
  await openSession(page, console);
  await page.getByRole('link', { name: 'VM controls' }).click();
  await verb(page, 'Cycle').click();
  await page.getByRole('button', { name: /^Cycle .* now$/ }).dblclick();
  await expect(page.getByRole('region', { name: 'Last run' })).toHaveAttribute('data-state', 'ended');
  await expect(toast(page)).toHaveCount(0);
  expect(await console.runs()).toHaveLength(1);
});

test('Show earlier shows what is older, as it was, and there is a way back to now', async ({ page, console }) => {
  await signIn(page, console);
  const id = await console.open();
  await console.turns(id, ...Array.from({ length: 46 }, (_, place) => `!echo turn ${place}`));
  await page.goto(`${console.base}/s/${id}`);
  await expect(page.locator('.operator').last()).toHaveText('!echo turn 45');
  await expect(page.locator('.operator').first()).not.toHaveText('!echo turn 0');
  await page.getByRole('link', { name: 'Show earlier' }).click();
  await expect(page.locator('.operator').first()).toHaveText('!echo turn 0');
  // No turn runs now, wherever the older page was cut.
  await expect(refresh(page)).toHaveCount(0);
  await expect(sendButton(page)).toBeVisible();
  await expect(page.locator('.tool[data-state=running]')).toHaveCount(0);
  await page.goBack();
  await expect(page.locator('.operator').last()).toHaveText('!echo turn 45');
});
