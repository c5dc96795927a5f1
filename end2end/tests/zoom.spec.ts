// Text at twice its size, as a person sets it in their browser.
import { expect, field, lamp, openSession, preset, sendButton, test } from './harness';
import config from '../playwright.config';

const { args, ...others } = config.use!.launchOptions!;
test.use({ launchOptions: { ...others, args: [...args!, '--blink-settings=defaultFontSize=32'] } });

test('text twice as large is not cut, lies on nothing else, and leaves the controls in the window', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize)).toBe('30px');
  await preset(page, 'Triage').click();
  await expect(page.locator('.finished')).toBeVisible();
  await expect(field(page)).toBeInViewport({ ratio: 1 });
  await expect(sendButton(page)).toBeInViewport({ ratio: 1 });
  const wrong = () =>
    page.evaluate(() => {
      const seen = [...document.querySelectorAll<HTMLElement>('button, a[href], summary, label, .headline, .finished, h2')].filter((element) =>
        element.checkVisibility({ visibilityProperty: true }),
      );
      const cut = seen.filter((element) => element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflow === 'visible' && getComputedStyle(element).display !== 'inline');
      const name = (element: Element) => element.outerHTML.slice(0, 100);
      const pressed = seen.filter((element) => element.matches('button, .vm-button, .mark, .quiet'));
      const over = pressed.flatMap((one, place) =>
        pressed.slice(place + 1).filter((other) => {
          const [a, b] = [one.getBoundingClientRect(), other.getBoundingClientRect()];
          return a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
        }).map((other) => `${name(one)} | ${name(other)}`),
      );
      return { cut: cut.map(name), over, sideways: document.documentElement.scrollWidth - innerWidth };
    });
  // The lamp and the verdict say what they say in whole words.
  for (const words of [lamp(page), page.locator('.glance-words')]) {
    if (await words.isVisible()) expect(await words.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
  }
  await expect(lamp(page)).toBeInViewport({ ratio: 1 });
  expect(await wrong(), 'the console').toEqual({ cut: [], over: [], sideways: 0 });
  if (isMobile) {
    await page.locator('.vm-button').click();
    await expect(page.locator('.sheet')).toBeInViewport();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    await page.goBack();
  }
  await page.getByRole('link', { name: 'breakglass: settings' }).click();
  await expect(page.getByRole('button', { name: 'Light' })).toBeInViewport();
});
