// Where there is no way to the console: what this device kept is shown, with its age, and nothing else was kept. And a newer
// version of the app: offered, never forced, never in the middle of a turn.
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test as base, expect, field, forgiveLostRequests, hydrated, lamp, openSession, preset } from './harness';

// Each console serves a site of its own, which its test may build anew.
const test = base.extend<{ site: string }>({
  site: async ({ folder }, use) => {
    const site = `${folder}-site`;
    cpSync(process.env.LEPTOS_SITE_ROOT ?? path.resolve(import.meta.dirname, '../../target/site'), site, { recursive: true });
    await use(site);
    rmSync(site, { recursive: true });
  },
  environment: async ({ site }, use) => use({ LEPTOS_SITE_ROOT: site }),
});
test.use({ serviceWorkers: 'allow', hangs: ['uptime'] });

// What a build does whose style differs: another name for it, which the worker and `hash.txt` say.
function rebuild(site: string): string {
  const old = /css: (\w+)/.exec(readFileSync(`${site}/hash.txt`, 'utf8'))![1];
  const hash = old.split('').reverse().join('');
  for (const file of ['hash.txt', 'worker.js', 'offline.html']) {
    writeFileSync(`${site}/${file}`, readFileSync(`${site}/${file}`, 'utf8').replaceAll(old, hash));
    for (const kind of ['br', 'gz']) rmSync(`${site}/${file}.${kind}`, { force: true });
  }
  for (const kind of ['', '.br', '.gz']) renameSync(`${site}/pkg/breakglass.${old}.css${kind}`, `${site}/pkg/breakglass.${hash}.css${kind}`);
  return hash;
}

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

test('nothing from behind the sign-in is cached, and the last view can be switched off', async ({ page, console, errors }) => {
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

  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('checkbox', { name: /Keep the last view/ }).uncheck();
  expect(await kept()).toBe(0);
  await page.goto(`${console.base}/s/${id}`);
  await hydrated(page);
  await expect(page.locator('#keep-view')).not.toBeChecked();
  expect(await kept()).toBe(0);
  forgiveLostRequests(errors);
});

test('a newer version is offered once a turn is over, and is there after a tap on Reload', async ({ page, context, console, site, errors }) => {
  await openSession(page, console);
  await page.evaluate(() => navigator.serviceWorker.ready);
  const offer = page.locator('#update');
  await preset(page, 'Triage').click();
  await expect(lamp(page)).toHaveText('working');

  const hash = rebuild(site);
  const asked = page.waitForResponse('**/worker.js');
  await context.setOffline(true);
  await expect(lamp(page)).toHaveText('no network');
  await context.setOffline(false);
  await (await asked).finished();
  await expect(lamp(page)).toHaveText('working');
  await expect(offer).toBeHidden();
  console.release();
  await expect(offer).toBeVisible();
  await expect(offer).toContainText('A new version of the console is ready');

  // The names are read when a console starts.
  await console.kill();
  await console.revive();
  await offer.getByRole('button', { name: 'Reload' }).click();
  await hydrated(page);
  await expect(page.locator(`link[href*="${hash}.css"]`)).toBeAttached();
  await expect(offer).toBeHidden();
  // The worker of the same build takes over, and keeps what is of it and nothing older.
  const kept = () =>
    page.evaluate(async () => {
      const all = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
      return all.flat().map(({ url }) => new URL(url).pathname).filter((name) => name.endsWith('.css'));
    });
  await expect.poll(kept).toEqual([`/pkg/breakglass.${hash}.css`]);
  forgiveLostRequests(errors);
});

test('the page without a console comes in the chosen colours and says what is still possible', async ({ page, console, errors }) => {
  await openSession(page, console);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Light' }).click();
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await console.kill();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'There is no way to the console from here' })).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: 'The VM controls need the console' })).toBeVisible();
  expect(await ground()).toBe(light);
  forgiveLostRequests(errors);
});
