// The status strip: in sight, looked at again while somebody looks, and never in the way of who does something.
import type { Page, Route } from '@playwright/test';
import { expect, field, forgiveLostRequests, hydrated, openSession, sendButton, test, verb } from './harness';

const glance = (page: Page) => page.locator('#glance');
const strip = (page: Page) => page.locator('#strip');

async function openSheet(page: Page): Promise<void> {
  if (await glance(page).isVisible()) await glance(page).click();
  await expect(strip(page)).toBeInViewport();
}

// The strip as the console gives it, with something changed in its HTML from now on.
async function change(page: Page, how: (html: string) => string): Promise<void> {
  await page.unroute('**/part/strip*');
  await page.route('**/part/strip*', async (route: Route) => {
    // One that is under way when the test ends comes to nothing.
    const response = await route.fetch().catch(() => undefined);
    if (response) await route.fulfill({ response, body: how(await response.text()) });
    else await route.abort().catch(() => {});
  });
}

const marked = (attribute: string) => (html: string) => html.replace('id="strip"', `id="strip" ${attribute}`);

async function lookAgain(page: Page): Promise<void> {
  const looked = page.waitForResponse('**/part/strip*');
  await page.getByRole('link', { name: 'Look again' }).click();
  await looked;
}

// When the strip was asked for, by the page's own clock.
async function noteLooks(page: Page): Promise<() => Promise<number[]>> {
  await page.addInitScript(() => {
    const looks: number[] = [];
    const fetch = window.fetch;
    Object.assign(window, {
      looks,
      fetch: (...call: Parameters<typeof fetch>) => {
        if (String(call[0]).includes('/part/strip')) looks.push(Date.now());
        return fetch(...call);
      },
    });
  });
  return () => page.evaluate(() => (window as unknown as { looks: number[] }).looks);
}

// Lets the page's clock run until there were so many looks, and gives how far they were apart.
async function gaps(page: Page, looks: () => Promise<number[]>, wanted: number): Promise<number[]> {
  const run = async () => {
    await page.clock.runFor(500);
    return (await looks()).length;
  };
  await expect.poll(run, { intervals: [20], timeout: 30_000 }).toBeGreaterThanOrEqual(wanted);
  const all = await looks();
  return all.slice(1).map((at, place) => at - all[place]);
}

async function setVisible(page: Page, state: 'visible' | 'hidden'): Promise<void> {
  await page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}

test('on a phone the verdict is a line that opens the sheet, on a desktop the strip is the top of the panel', async ({
  page,
  console,
  isMobile,
}) => {
  await openSession(page, console);
  if (isMobile) {
    await expect(glance(page)).toBeInViewport({ ratio: 1 });
    expect((await glance(page).boundingBox())!.height).toBeGreaterThanOrEqual(44);
    await expect(field(page)).toBeInViewport({ ratio: 1 });
    await expect(sendButton(page)).toBeInViewport({ ratio: 1 });
    await glance(page).click();
  } else {
    await expect(glance(page)).toBeHidden();
  }
  await expect(strip(page)).toBeInViewport({ ratio: 1 });
  await expect(strip(page).locator('.headline')).not.toBeEmpty();
  const above = (await strip(page).boundingBox())!;
  for (const other of ['#verbs', '#runs']) expect((await page.locator(other).boundingBox())!.y).toBeGreaterThan(above.y);
  if (isMobile) {
    await page.goBack();
    await expect(page.getByRole('complementary', { name: 'VM controls' })).toBeHidden();
  }
});

test('with the keyboard up the line makes room for the composer', async ({ page, console }) => {
  await openSession(page, console);
  const own = page.viewportSize()!;
  await page.setViewportSize({ width: 390, height: 420 });
  await expect(glance(page)).toBeHidden();
  await expect(field(page)).toBeInViewport({ ratio: 1 });
  await page.setViewportSize(own);
});

test('it looks again every 15 seconds while somebody looks, never otherwise, and at once when they come back', { tag: '@any-size' }, async ({
  page,
  console,
}) => {
  await page.clock.install();
  const looks = await noteLooks(page);
  await openSession(page, console);
  for (const gap of await gaps(page, looks, 3)) expect(gap).toBeGreaterThanOrEqual(15_000);
  await setVisible(page, 'hidden');
  await page.clock.runFor(1_000);
  const hidden = (await looks()).length;
  await page.clock.runFor(120_000);
  expect(await looks()).toHaveLength(hidden);
  await setVisible(page, 'visible');
  await page.clock.runFor(100);
  expect(await looks()).toHaveLength(hidden + 1);
});

test('while something is under way it looks every three seconds', { tag: '@any-size' }, async ({ page, console }) => {
  await page.clock.install();
  const looks = await noteLooks(page);
  await change(page, marked('data-moving'));
  await openSession(page, console);
  for (const gap of await gaps(page, looks, 4)) {
    expect(gap).toBeGreaterThanOrEqual(3_000);
    expect(gap).toBeLessThan(12_000);
  }
});

test('a look that comes to nothing marks the strip as old, says nothing else, and the next one mends it', { tag: '@any-size' }, async ({
  page,
  console,
  errors,
}) => {
  await openSession(page, console);
  await openSheet(page);
  await page.route('**/part/strip*', (route) => route.abort());
  await page.getByRole('link', { name: 'Look again' }).click();
  await expect(page.locator('#strip[data-old]')).toBeAttached();
  await expect(page.locator('#glance[data-old]')).toBeAttached();
  await expect(page.locator('.toast')).toHaveCount(0);
  await page.unroute('**/part/strip*');
  await lookAgain(page);
  await expect(page.locator('#strip[data-old]')).toHaveCount(0);
  forgiveLostRequests(errors);
});

test('ages are counted on between two looks', { tag: '@any-size' }, async ({ page, console }) => {
  await page.clock.install();
  await openSession(page, console);
  await openSheet(page);
  await change(page, (html) => html.replace('<dl class="looks">', '<dl class="looks"><div><dt>x</dt><dd class="aged"><time data-age="12000">12 s</time> ago</dd></div>'));
  await page.getByRole('link', { name: 'Look again' }).click();
  await page.clock.runFor(100);
  await expect(page.locator('.aged')).toHaveText('12 s ago');
  await page.unroute('**/part/strip*');
  await page.route('**/part/strip*', (route) => route.abort('aborted'));
  await page.clock.runFor(5_000);
  await expect(page.locator('.aged')).toHaveText(/^1[67] s ago$/);
  await page.unroute('**/part/strip*');
});

test('what somebody unfolds, folds or writes stays as it is when the parts are looked at again', async ({ page, console }) => {
  await openSession(page, console);
  await openSheet(page);
  await page.locator('#runs > summary').click();
  await expect(page.locator('#runs')).not.toHaveAttribute('open', '');
  const why = page.getByRole('textbox', { name: 'Why' });
  await page.locator('#lock-form > summary').click();
  await why.fill('the disk is being moved');

  // A run of somebody else changes the history, and a verdict the verbs.
  await change(page, (html) => html.replace(/data-verbs="[^"]*"/, 'data-verbs="of another kind"'));
  await console.api('POST', '/api/pve/status');
  await lookAgain(page);
  await expect(page.locator('#runs .run-link')).toHaveCount(1);
  await expect(page.locator('#runs')).not.toHaveAttribute('open', '');
  await expect(why).toHaveValue('the disk is being moved');
  await expect(page.getByRole('link', { name: 'Look again' })).toBeFocused();

  // What is no longer in the way is then made anew.
  const verbs = page.waitForResponse('**/part/verbs*');
  await page.locator('#lock-form > summary').click();
  await lookAgain(page);
  await verbs;
});

test('a lock is set with its reason, and the strip is looked at again', async ({ page, console }) => {
  await openSession(page, console);
  await openSheet(page);
  await page.locator('#lock-form > summary').click();
  await page.getByRole('textbox', { name: 'Why' }).fill('ask grace first');
  const [posted] = await Promise.all([
    page.waitForRequest('**/do/lock'),
    page.waitForResponse('**/part/strip*'),
    page.locator('#lock-form').getByRole('button', { name: /^Lock / }).click(),
  ]);
  const fields = new URLSearchParams(posted.postData()!);
  expect(Object.fromEntries(fields)).toMatchObject({ locked: 'true', why: 'ask grace first', key: expect.any(String) });
  await expect(page.locator('#strip')).toContainText('ask grace first');
  await expect(page.locator('#lock-form[open]')).toHaveCount(0);
  // It holds for everybody, and whoever meets it lifts it.
  expect((await console.api('POST', '/api/pve/cycle')).code).toBe('target_locked');
  await page.getByRole('button', { name: 'Lift the lock' }).click();
  await expect(page.locator('#strip')).not.toContainText('ask grace first');
});

test('what is recommended leads to its confirmation and does nothing by itself', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  const link = '<a id="recommended" class="recommended" href="#do-cycle" data-opens="cycle">Cycle…</a></section>';
  await change(page, (html) => html.replace('</section>', link));
  await openSheet(page);
  await lookAgain(page);
  await page.locator('#recommended').click();
  const now = page.getByRole('button', { name: /^Cycle .* now$/ });
  await expect(now).toBeInViewport({ ratio: 1 });
  await expect(verb(page, 'Cycle')).toBeFocused();
  expect(await console.runs()).toEqual([]);
  if (isMobile) {
    await page.goBack();
    await expect(page.getByRole('complementary', { name: 'VM controls' })).toBeHidden();
  }
});

test('an override is asked for only while nobody knows what became of the last action', { tag: '@any-size' }, async ({ page, console }) => {
  await openSession(page, console);
  await openSheet(page);
  await verb(page, 'Cycle').click();
  const override = page.locator('#confirm-cycle').getByRole('checkbox', { name: /Nobody knows/ });
  await expect(page.getByRole('button', { name: /^Cycle .* now$/ })).toBeVisible();
  await expect(override).toBeHidden();
  await change(page, marked('data-unknown'));
  await lookAgain(page);
  await expect(override).toBeVisible();
  await change(page, (html) => html);
  await lookAgain(page);
  await expect(override).toBeHidden();
});

test('all of it is worked by keys, and Escape closes the sheet', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  if (isMobile) {
    await glance(page).focus();
    await page.keyboard.press('Enter');
  }
  const cycle = verb(page, 'Cycle');
  const now = page.getByRole('button', { name: /^Cycle .* now$/ });
  await cycle.focus();
  await page.keyboard.press('Enter');
  await expect(now).toBeVisible();
  // A second Enter by mistake only folds it again.
  await expect(cycle).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(now).toBeHidden();
  await page.keyboard.press('Space');
  await page.keyboard.press('Tab');
  await expect(now).toBeFocused();
  const ring = await now.evaluate((button) => getComputedStyle(button).outlineStyle);
  expect(ring).not.toBe('none');
  expect(await console.runs()).toEqual([]);
  if (isMobile) {
    await page.keyboard.press('Escape');
    await expect(page.getByRole('complementary', { name: 'VM controls' })).toBeHidden();
  } else {
    await page.keyboard.press('Enter');
    await expect(page.getByRole('region', { name: 'Last run' })).toHaveAttribute('data-state', 'ended', { timeout: 20_000 });
    expect(await console.runs()).toHaveLength(1);
  }
});

test('a login page in the place of a part is not put into the page', { tag: '@any-size' }, async ({ page, console, errors }) => {
  await openSession(page, console);
  await openSheet(page);
  const login = '<div id="strip"><form action="https://login.example">Sign in here</form></div>';
  await page.route('**/part/strip*', (route) => route.fulfill({ contentType: 'text/html', body: login }));
  await page.getByRole('link', { name: 'Look again' }).click();
  await expect(page.locator('#strip[data-old]')).toBeAttached();
  await expect(page.getByText('Sign in here')).toHaveCount(0);
  await page.unroute('**/part/strip*');
  await page.reload();
  await hydrated(page);
  forgiveLostRequests(errors);
});
