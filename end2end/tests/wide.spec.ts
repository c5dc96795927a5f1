// Windows that are wide, low, or full of large text; and a keyboard that lies over the page.
import { expect, field, hydrated, lamp, openSession, preset, sendButton, test } from './harness';

test.use({ hangs: ['uptime'] });

test('beside a wide console stand its sessions: found, marked, up to date; a narrow one does not fetch them', async ({ page, console, isMobile }) => {
  const fetched: string[] = [];
  page.on('request', (request) => request.url().includes('/part/sessions') && fetched.push(request.url()));
  const other = await console.open();
  await console.turns(other, '!echo the disk is full of cabbages');
  const id = await openSession(page, console);
  const side = page.getByRole('navigation', { name: 'Sessions' });
  if (isMobile) {
    await expect(side).toBeHidden();
    expect(fetched).toEqual([]);
    return;
  }
  const sessions = side.getByRole('listitem');
  await expect(sessions).toHaveCount(2);
  await expect(side.locator('[aria-current=page]')).toHaveAttribute('href', `/s/${id}`);
  await preset(page, 'Triage').click();
  await expect(side.locator('[aria-current=page]')).toContainText('working');
  console.release();
  await console.idle(id);
  await expect(side.locator('[aria-current=page]')).not.toContainText('working');
  await expect(side.locator('[aria-current=page]')).toContainText('Triage');

  await side.getByRole('searchbox').fill('CABBAGES');
  await expect(sessions).toHaveCount(1);
  await sessions.getByRole('link').click();
  await expect(page).toHaveURL(`${console.base}/s/${other}`);
  await hydrated(page);
  await expect(side.locator('[aria-current=page]')).toContainText('cabbages');
  await side.getByRole('button', { name: 'New session' }).click();
  await expect(page).not.toHaveURL(`${console.base}/s/${other}`);
  await expect(sessions).toHaveCount(3);
});

test('nothing moves when the list of sessions comes', async ({ page, console, isMobile }) => {
  test.skip(isMobile, 'it does not come there');
  await openSession(page, console);
  await page.addInitScript(() => {
    const shifts: number[] = [];
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => shifts.push(...list.getEntries().map((entry) => (entry as unknown as { value: number }).value))).observe({ type: 'layout-shift', buffered: true });
  });
  await page.reload();
  await hydrated(page);
  await expect(page.locator('#side-list li')).toHaveCount(1);
  await expect(lamp(page)).not.toHaveText('connecting');
  expect(await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts.reduce((sum, shift) => sum + shift, 0))).toBeLessThan(0.02);
});

test('a low, wide phone has room for the transcript above its controls', async ({ page, console }) => {
  await page.setViewportSize({ width: 844, height: 390 });
  await openSession(page, console);
  for (const part of [preset(page, 'Triage'), field(page), sendButton(page), page.locator('.vm-button')]) await expect(part).toBeInViewport({ ratio: 1 });
  expect((await page.locator('.bar').boundingBox())!.height).toBeLessThan(64);
  expect((await page.locator('#transcript').boundingBox())!.height).toBeGreaterThan(150);
});

test('a keyboard that lies over the page does not cover the composer', async ({ page, console }) => {
  // A phone whose browser does not make the page smaller for its keyboard says so by this object alone.
  await page.addInitScript(() => {
    const seen = Object.assign(new EventTarget(), { height: innerHeight, scale: 1 });
    Object.defineProperty(window, 'visualViewport', { value: seen });
  });
  await openSession(page, console);
  const height = page.viewportSize()!.height;
  const keyboard = (covers: number) =>
    page.evaluate((height) => {
      Object.assign(visualViewport!, { height });
      visualViewport!.dispatchEvent(new Event('resize'));
    }, height - covers);
  const bottom = async () => {
    const box = (await field(page).boundingBox())!;
    return box.y + box.height;
  };
  await keyboard(336);
  await expect.poll(bottom).toBeLessThanOrEqual(height - 336);
  await keyboard(0);
  await expect.poll(bottom).toBeGreaterThan(height - 336);
});

test('a field is large enough that no phone zooms in when it is touched', async ({ page, console }) => {
  await openSession(page, console);
  const sizes = await page.locator('textarea, input:not([type=hidden], [type=checkbox])').evaluateAll((all) => all.map((each) => parseFloat(getComputedStyle(each).fontSize)));
  for (const size of sizes) expect(size).toBeGreaterThanOrEqual(16);
});
