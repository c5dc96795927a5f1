// What a person can do: from the link in the terminal to a verdict, a Stop and a power cycle.
import {
  expect,
  field,
  holdProgram,
  hydrated,
  lamp,
  openSession,
  preset,
  processes,
  send,
  sendButton,
  sessionOf,
  signIn,
  stopButton,
  test,
  unfold,
  verb,
} from './harness';

const presets = ['Triage', 'Memory', 'Disk', 'Services', 'QEMU wedged?'];
const verbs = ['status', 'forensics', 'start', 'stop', 'reset', 'cycle'];

test('the link from the terminal signs one person in, once', { tag: '@any-size' }, async ({ page, console, browser }) => {
  await signIn(page, console);
  await expect(page).toHaveURL(`${console.base}/`);

  const stranger = await browser.newContext();
  const theirs = await stranger.newPage();
  await theirs.goto(console.signInLink);
  await theirs.getByRole('button', { name: 'Sign in' }).click();
  await expect(theirs.getByRole('alert')).toContainText('code');
  await expect(theirs.locator('#composer')).toHaveCount(0);
  await stranger.close();
});

test('who is not signed in gets the way to a code and nothing else', { tag: '@any-size' }, async ({ page, console, errors }) => {
  const answer = await page.goto(console.base);
  expect(answer?.status()).toBe(401);
  await expect(page.getByText('breakglass sign-in-link').first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Triage' })).toHaveCount(0);
  // The browser itself remarks on the 401 that this page is.
  expect(errors.splice(0)).toEqual([expect.stringContaining('401')]);
});

test('presets, composer and VM controls are in the first paint, before the program arrives', async ({
  page,
  context,
  console,
  isMobile,
}) => {
  const release = await holdProgram(context);
  await signIn(page, console);

  const html = await (await page.request.get(console.base)).text();
  for (const name of presets) expect(html).toMatch(new RegExp(`<button[^>]* name="preset"[^>]*>.*?${name.replace('?', '\\?')}`));
  for (const verb of verbs) expect(html).toContain(`name="verb" value="${verb}"`);

  await expect(page.locator('html[data-hydrated]')).toHaveCount(0);
  for (const name of presets) await expect(preset(page, name)).toBeInViewport({ ratio: 1 });
  await expect(field(page)).toBeInViewport({ ratio: 1 });
  await expect(sendButton(page)).toBeInViewport({ ratio: 1 });
  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
  for (const name of ['Status', 'Forensics']) await expect(page.locator('#vm').getByRole('button', { name })).toBeVisible();
  await expect(verb(page, 'Cycle')).toBeInViewport({ ratio: 1 });

  release();
  await hydrated(page);
});

test.describe('with a target that takes its time', () => {
  test.use({ hangs: ['uptime'] });

  test('a tap on Triage shows command by command what is found out, and ends in a verdict', async ({ page, console }) => {
    await signIn(page, console);
    await hydrated(page);
    await expect(lamp(page)).toHaveText('ready');
    await expect(page.getByRole('heading', { name: /^What is wrong with/ })).toBeVisible();

    await preset(page, 'Triage').click();
    await expect(stopButton(page)).toBeVisible();
    await expect(sendButton(page)).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'New session' })).toBeDisabled();
    for (const name of presets) await expect(preset(page, name)).toBeDisabled();
    await expect(lamp(page)).toHaveText('working');
    // The first command is not done: the others are not there yet.
    await expect(page.locator('.tool[data-state=running]')).toHaveCount(1);
    await expect(page.locator('.tool')).toHaveCount(1);
    console.release();

    await expect(page.locator('.finished')).toBeVisible();
    const id = sessionOf(page);
    await expect(lamp(page)).toHaveText(id.slice(0, 8));
    await expect(sendButton(page)).toBeVisible();
    await expect(stopButton(page)).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'New session' })).toBeEnabled();
    await expect(preset(page, 'Triage')).toBeEnabled();

    const tools = (await console.entries(id)).filter((entry) => entry.kind === 'tool');
    expect(tools.length).toBeGreaterThan(3);
    await expect(page.locator('.tool[data-state=ended], .tool[data-state=failed]')).toHaveCount(tools.length);
    // The verdict names the target, whatever it found.
    const target = await page.locator('#vm .target').innerText();
    await expect(page.locator('.row:has(+ .figures-row) .prose p').first()).toContainText(target);

    await unfold(page);
    const memory = page.locator('.tool', { hasText: 'Memory and swap' });
    await expect(memory.locator('.output')).toBeHidden();
    await memory.locator('summary').click();
    await expect(memory.locator('.command')).toContainText('/proc/meminfo');
    await expect(memory.locator('.output')).toContainText('MemTotal');
    await memory.locator('summary').click();
    await expect(memory.locator('.output')).toBeHidden();
  });

  test('a preset goes on while the page is away', { tag: '@any-size' }, async ({ page, console }) => {
    const id = await openSession(page, console);
    await preset(page, 'Triage').click();
    await expect(page.locator('.tool[data-state=running]')).toHaveCount(1);
    await page.goto('about:blank');
    console.release();
    await console.idle(id);
    await page.goto(`${console.base}/`);
    await expect(page).toHaveURL(`${console.base}/`);
    await expect(page.locator('.finished')).toBeVisible();
    await hydrated(page);
    await expect(lamp(page)).toHaveText(id.slice(0, 8));
  });
});

test('each preset ends in a verdict', { tag: '@any-size' }, async ({ page, console }) => {
  await openSession(page, console);
  for (const [place, name] of presets.entries()) {
    await preset(page, name).click();
    await expect(page.locator('.finished')).toHaveCount(place + 1, { timeout: 30_000 });
    await expect(preset(page, name)).toBeEnabled();
  }
  await expect(page.locator('.note.error')).toHaveCount(0);
});

test('a reload in the middle of a turn loses nothing, and Stop stops it', { tag: '@any-size' }, async ({ page, console }) => {
  const id = await openSession(page, console);
  // Its name in the list of processes is this test's own.
  const marker = `marker_${id.slice(0, 8)}`;
  await send(page, `!for i in $(seq 1 30); do echo line $i; sleep 1; done; echo ${marker}`);
  await expect(page.locator('.tool[data-state=running]')).toHaveCount(1);
  await expect(page.locator('.now')).toContainText(/working · \d+ s/);
  expect(processes(marker)).not.toBe('');

  await page.reload();
  await hydrated(page);
  await expect(page.locator('.row.prompt')).toHaveCount(1);
  await expect(page.locator('.operator')).toContainText('seq 1 30');
  await expect(page.locator('.tool[data-state=running]')).toHaveCount(1);
  await expect(lamp(page)).toHaveText('working');
  await expect(page.locator('.now')).toContainText(/working · \d+ s/);

  await stopButton(page).click();
  await expect(page.locator('.note.stopped')).toHaveText(/Stopped by operator/);
  await expect(page.locator('.tool[data-state=running]')).toHaveCount(0);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await expect(sendButton(page)).toBeVisible();
  await expect(page.locator('.now')).toHaveCount(0);
  await expect.poll(() => processes(marker)).toBe('');
  await page.locator('.tool summary').click();
  await expect(page.locator('.tool .output')).toContainText('line 1');
  expect((await console.entries(id)).map((entry) => entry.kind)).toEqual(
    expect.arrayContaining(['user', 'tool', 'tool_result', 'cancelled', 'turn_end']),
  );
});

test('New session begins an empty one and leaves the old one on record', { tag: '@any-size' }, async ({ page, console }) => {
  const id = await openSession(page, console);
  await send(page, '!echo of the first session');
  await expect(page.locator('.finished')).toBeVisible();
  await page.getByRole('button', { name: 'New session' }).click();
  await expect(page).not.toHaveURL(new RegExp(id));
  await expect(page.locator('.empty')).toBeVisible();
  await hydrated(page);
  expect(sessionOf(page)).not.toBe(id);
  await page.goto(`${console.base}/s/${id}`);
  await expect(page.locator('.operator')).toHaveText('!echo of the first session');
});

test('the VM controls are a sheet on the phone and a column on a desktop', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  const sheet = page.getByRole('complementary', { name: 'VM controls' });
  const button = page.getByRole('link', { name: 'VM controls' });
  if (!isMobile) {
    await expect(button).toBeHidden();
    await expect(sheet).toBeInViewport({ ratio: 1 });
    await expect(sheet.getByRole('link', { name: 'Close' })).toBeHidden();
    const [column, console_] = [await sheet.boundingBox(), await page.locator('#console').boundingBox()];
    expect(column!.x).toBeGreaterThanOrEqual(console_!.x + console_!.width);
    return;
  }
  await expect(sheet).toBeHidden();
  const ways: [string, () => Promise<unknown>][] = [
    ['close', () => sheet.getByRole('link', { name: 'Close' }).click()],
    ['the backdrop', () => page.touchscreen.tap(195, 40)],
    ['the grip', () => sheet.locator('.grip').click()],
    ['Back', () => page.goBack()],
    ['Escape', () => page.keyboard.press('Escape')],
  ];
  for (const [way, close] of ways) {
    await button.click();
    await expect(sheet, `before ${way}`).toBeInViewport();
    await expect(sheet.getByRole('button', { name: 'Status' }), `before ${way}`).toBeInViewport({ ratio: 1 });
    await close();
    await expect(sheet, `after ${way}`).toBeHidden();
  }
  // Each part folds away and comes back.
  await button.click();
  await sheet.getByText('Inspect', { exact: true }).click();
  await expect(sheet.getByRole('button', { name: 'Status' })).toBeHidden();
  await sheet.getByText('Inspect', { exact: true }).click();
  await expect(sheet.getByRole('button', { name: 'Status' })).toBeVisible();
});

test('status shows what the hypervisor says and its exit code', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
  await page.getByRole('button', { name: /^Status/ }).click();
  const run = page.getByRole('region', { name: 'Last run' });
  await expect(run.locator('.run-head')).toContainText('done · exit code 0');
  await expect(run.locator('.output')).toContainText('qmpstatus: running');
  await expect(run).toBeInViewport();
  await run.getByText('Output', { exact: true }).click();
  await expect(run.locator('.output')).toBeHidden();
  expect(await console.runs()).toMatchObject([{ verb: 'status', outcome: 'done', exit_code: 0 }]);
});

test('a cycle asks first in its own words, then shows forensics and its result, and stands in the transcript', async ({
  page,
  console,
  isMobile,
}) => {
  const id = await openSession(page, console);
  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
  const sheet = page.locator('#vm');
  const target = await sheet.locator('.target').innerText();
  const confirmation = sheet.locator('.confirm', { hasText: `Cycle ${target} now` }).locator('.confirmation');
  const now = sheet.getByRole('button', { name: `Cycle ${target} now` });
  await expect(now).toBeHidden();

  await verb(page, 'Cycle').click();
  await expect(confirmation).toContainText(`This stops ${target} and starts it again`);
  await expect(confirmation).toContainText('What is in its memory is lost');
  await expect(confirmation).toContainText('Forensics are captured first');
  await expect(now).toBeInViewport({ ratio: 1 });
  // Another verb's confirmation takes its place: there are never two to mistake for one another.
  await verb(page, 'Reset').click();
  await expect(now).toBeHidden();
  await expect(sheet.getByRole('button', { name: `Reset ${target} now` })).toBeVisible();
  await verb(page, 'Cycle').click();
  await expect(now).toBeVisible();
  expect(await console.runs()).toEqual([]);

  await now.click();
  const run = page.getByRole('region', { name: 'Last run' });
  await expect(run).toHaveAttribute('data-state', 'running');
  await expect(now).toBeHidden();
  await expect(run.locator('.run-head')).toContainText(/done · exit code 0/, { timeout: 20_000 });
  const output = run.locator('.run-output .output');
  for (const words of ['forensics first', 'cycle: VM 102 is stopped', 'cycle: done: VM 102 is running']) {
    await expect(output).toContainText(words);
  }
  for (const words of ['== about ==', '== QEMU monitor ==', 'MemTotal']) {
    await expect(run.locator('.evidence .output')).toContainText(words);
  }
  const limit = page.viewportSize()!.height * 0.46;
  expect((await output.boundingBox())!.height).toBeLessThanOrEqual(limit);

  if (isMobile) await page.goBack();
  await expect(page.locator('.run-row')).toContainText(/cycle done · operator/);
  await expect(page.locator('.run-row')).toHaveAttribute('data-state', 'ended');
  expect(await console.runs()).toMatchObject([{ verb: 'cycle', outcome: 'done', exit_code: 0 }]);
  const recorded = (await console.entries(id)).filter((entry) => entry.kind === 'verb');
  expect(recorded).toMatchObject([{ outcome: null }, { outcome: 'done' }]);

  await page.reload();
  await expect(page.locator('.run-row')).toHaveCount(1);
});

test('a confirmation comes into sight by itself, also below the last run', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  await console.api('POST', '/api/pve/forensics');
  await page.reload();
  await hydrated(page);
  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
  await expect(page.getByRole('region', { name: 'Last run' })).toBeVisible();
  await verb(page, 'Cycle').click();
  await expect(page.getByRole('button', { name: /^Cycle .* now$/ })).toBeInViewport({ ratio: 1 });
});

test('a run that is under way when the page is opened goes on to its end there', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  const running = console.api('POST', '/api/pve/cycle');
  await expect.poll(async () => (await console.runs()).length).toBe(1);
  await page.reload();
  await hydrated(page);
  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
  const run = page.getByRole('region', { name: 'Last run' });
  await expect(run).toHaveAttribute('data-state', 'ended', { timeout: 20_000 });
  const output = await run.locator('.run-output .output').innerText();
  // From its beginning, and nothing of it twice.
  expect(output.match(/cycle: VM 102, forensics first/g)).toHaveLength(1);
  expect(output.match(/cycle: done: VM 102 is running/g)).toHaveLength(1);
  expect(await running).toMatchObject({ outcome: 'done', exit_code: 0 });
});
