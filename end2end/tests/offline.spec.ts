// Where there is no way to the console: what this device kept is shown, with its age, and nothing else was kept.
import { expect, field, forgiveLostRequests, hydrated, lamp, openSession, test } from './harness';

test.use({ serviceWorkers: 'allow' });

test('a page that is opened while the console is down shows the last view and its age, and goes back by itself', async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  await console.turns(id, '!echo the last thing that was seen');
  await expect(page.locator('.finished')).toHaveCount(1);
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
  await expect(page.locator('.row').first()).toContainText('the last thing that was seen');
  await expect(page.locator('#age')).toHaveText(/saw last, \d+ s ago/);
  await expect(page.locator('#draft')).toContainText('and what I was about to say');
  await expect(page.locator('link[rel=stylesheet]')).toBeAttached();

  await console.revive();
  await expect(page.locator('html[data-hydrated]')).toBeAttached({ timeout: 15_000 });
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await expect(field(page)).toHaveValue('and what I was about to say');
  forgiveLostRequests(errors);
});

test('nothing from behind the sign-in is cached, and the last view can be switched off', async ({ page, console, isMobile, errors }) => {
  const id = await openSession(page, console);
  await console.turns(id, '!echo seen');
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await hydrated(page);
  const kept = () => page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith('breakglass:kept:')).length);
  await expect.poll(kept, { timeout: 15_000 }).toBe(1);
  const cached = await page.evaluate(async () => {
    const all = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
    return all.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(cached.filter((path) => !/^\/(pkg\/|offline\.(html|js)$|favicon\.svg$|icon-192\.png$)/.test(path))).toEqual([]);

  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
  await page.getByRole('checkbox', { name: /Keep the last view/ }).uncheck();
  expect(await kept()).toBe(0);
  await page.goto(`${console.base}/s/${id}`);
  await hydrated(page);
  await expect(page.locator('#keep-view')).not.toBeChecked();
  expect(await kept()).toBe(0);
  forgiveLostRequests(errors);
});
