// The settings: the ground, notifications, the app on the home screen; and what the title says to who looks elsewhere.
import type { Page } from '@playwright/test';
import { expect, hydrated, lamp, openSession, preset, test } from './harness';

test.use({ serviceWorkers: 'allow', hangs: ['uptime'] });

const open = (page: Page) => page.getByRole('link', { name: 'breakglass: settings' }).click();
const tell = (page: Page) => page.getByRole('checkbox', { name: /^Notify me/ });

async function setVisible(page: Page, state: 'visible' | 'hidden'): Promise<void> {
  await page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}

test('a chosen ground stands at once and after a reload, in the colours of who prefers it', async ({ page, console }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await openSession(page, console);
  const look = () =>
    page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      const bars = [...document.querySelectorAll<HTMLMetaElement>('meta[name=theme-color]')].filter(({ media }) => matchMedia(media).matches);
      return [style.backgroundColor, style.color, style.colorScheme, ...bars.map(({ content }) => content)];
    });
  const preferred = await look();
  expect(preferred.at(-1)).toBe('#f3f5f7');
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await look();
  expect(dark.at(-1)).toBe('#0b0f14');
  await open(page);
  await page.getByRole('button', { name: 'Light' }).click();
  await expect(page.getByRole('button', { name: 'Light' })).toHaveAttribute('aria-pressed', 'true');
  expect(await look()).toEqual(preferred);
  // The server says it, so it is there before any script.
  const html = await (await page.request.get(page.url())).text();
  expect(html).toMatch(/<html[^>]* data-theme="light"/);
  await page.reload();
  await hydrated(page);
  expect(await look()).toEqual(preferred);
  await expect(page.getByRole('button', { name: 'Light' })).toHaveAttribute('aria-pressed', 'true');
  await page.getByRole('button', { name: 'As the device' }).click();
  expect(await look()).toEqual(dark);
  await page.reload();
  expect(await look()).toEqual(dark);
});

test('a turn that ends while nobody looks is in the title and, where it was asked for, in a notification', async ({ page, context, console, isMobile }) => {
  test.skip(isMobile, 'a browser without a window shows notifications at one size as at the other');
  await context.grantPermissions(['notifications'], { origin: console.base });
  const id = await openSession(page, console);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await open(page);
  await tell(page).check();
  await expect(tell(page)).toBeChecked();
  await page.keyboard.press('Escape');
  await preset(page, 'Triage').click();
  await expect(lamp(page)).toHaveText('working');
  await setVisible(page, 'hidden');
  console.release();
  await console.idle(id);
  await expect(page).toHaveTitle(/^○ ended — /);
  const told = () =>
    page.evaluate(async () => {
      const all = await (await navigator.serviceWorker.ready).getNotifications();
      return all.map(({ body, data }) => ({ body, data }));
    });
  await expect.poll(told).toEqual([{ body: 'The turn has ended.', data: `${console.base}/s/${id}` }]);
  await setVisible(page, 'visible');
  await expect(page).not.toHaveTitle(/ended/);
  await expect.poll(told).toEqual([]);
});

test('a turn that ends in sight changes no title', async ({ page, console }) => {
  const id = await openSession(page, console);
  await preset(page, 'Triage').click();
  await expect(lamp(page)).toHaveText('working');
  console.release();
  await console.idle(id);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await expect(page).not.toHaveTitle(/ended/);
});

test('an install is offered where the browser has one, until it is declined for good', async ({ page, console }) => {
  await openSession(page, console);
  // What a browser says once it finds that this is an app. It does so by itself only with a person at it.
  const offered = () => page.evaluate(() => dispatchEvent(Object.assign(new Event('beforeinstallprompt'), { prompt: () => document.body.setAttribute('data-prompted', '') })));
  const install = page.getByRole('button', { name: 'Install', exact: true });
  await open(page);
  await expect(install).toBeHidden();
  await offered();
  await install.click();
  await expect(page.locator('body[data-prompted]')).toBeAttached();
  await offered();
  await page.getByRole('button', { name: 'Do not offer this again' }).click();
  await expect(install).toBeHidden();
  await page.reload();
  await hydrated(page);
  await offered();
  await expect(install).toBeHidden();
});
