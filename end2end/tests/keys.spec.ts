// Keys, and what Back does: what lies over the page closes and leaves nothing behind, Escape stops nothing by mistake, and an
// app's shortcut shows a preset and runs nothing.
import type { Page } from '@playwright/test';
import { expect, field, hydrated, lamp, openSession, preset, signIn, stopButton, test } from './harness';

test.use({ hangs: ['uptime'] });

const settings = (page: Page) => page.getByRole('dialog', { name: 'Settings' });

test('/ goes to the text field, ? shows the keys, and in the field both are what they are', async ({ page, console }) => {
  await openSession(page, console);
  await page.keyboard.press('?');
  await expect(settings(page)).toBeVisible();
  // The dialog has the keyboard: what lies under it is out of reach.
  await page.keyboard.press('/');
  await expect(field(page)).not.toBeFocused();
  await page.keyboard.press('Escape');
  await expect(settings(page)).toBeHidden();
  await page.keyboard.press('/');
  await expect(field(page)).toBeFocused();
  await page.keyboard.type('/what?');
  await expect(field(page)).toHaveValue('/what?');
  await expect(settings(page)).toBeHidden();
});

test('Escape closes first, leaves a draft alone, and stops a turn only then', async ({ page, console }) => {
  const id = await openSession(page, console);
  const stops: string[] = [];
  page.on('request', (request) => request.url().endsWith('/do/stop') && stops.push(request.url()));
  await preset(page, 'Triage').click();
  await expect(stopButton(page)).toBeEnabled();
  await field(page).fill('half a thought');
  await page.keyboard.press('Escape');
  await field(page).fill('');
  await page.keyboard.press('?');
  // It only stops where it is pressed in a field, or nowhere, so this one closes.
  await field(page).blur();
  await page.keyboard.press('?');
  await expect(settings(page)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(settings(page)).toBeHidden();
  // Pressed once too often, it still means that.
  await page.keyboard.press('Escape');
  await field(page).fill('');
  await expect(lamp(page)).toHaveText('working');
  expect(stops).toEqual([]);
  await expect(async () => {
    await page.keyboard.press('Escape');
    expect(stops).toHaveLength(1);
  }).toPass();
  console.release();
  await console.idle(id);
  expect((await console.entries(id)).map(({ kind }) => kind)).toContain('cancelled');
});

test('what lies over the page is closed by Back, and closed otherwise it leaves nothing for Back', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  await page.goto(`${console.base}/sessions`);
  await page.goto(`${console.base}/`);
  await hydrated(page);
  const over: [string, RegExp][] = [['breakglass: settings', /#settings$/]];
  if (isMobile) over.push(['VM controls', /#vm$/]);
  for (const [name, address] of over) {
    const link = page.getByRole('link', { name, exact: true });
    await link.click();
    await expect(page).toHaveURL(address);
    await page.goBack();
    await expect(page).not.toHaveURL(address);
    await link.click();
    await page.getByRole('link', { name: /^Close/ }).click();
    await expect(page).not.toHaveURL(address);
  }
  await expect(settings(page)).toBeHidden();
  await page.goBack();
  await expect(page).toHaveURL(`${console.base}/sessions`);
});

test('an address with the settings in it opens them, and closing them leaves the page', async ({ page, console }) => {
  await signIn(page, console);
  await page.goto(`${console.base}/sessions`);
  await page.goto(`${console.base}/#settings`);
  await hydrated(page);
  await expect(settings(page)).toBeVisible();
  await page.getByRole('link', { name: 'Close the settings' }).click();
  await expect(settings(page)).toBeHidden();
  await expect(page).toHaveURL(`${console.base}/#console`);
});

test("the app's shortcut to a preset shows it and runs nothing", async ({ page, console }) => {
  await openSession(page, console);
  await page.goto(`${console.base}/?preset=triage`);
  await hydrated(page);
  await expect(preset(page, 'Triage')).toBeFocused();
  await expect(preset(page, 'Triage')).toHaveAttribute('data-meant', '');
  await expect(page).toHaveURL(`${console.base}/`);
  await page.reload();
  await hydrated(page);
  await expect(preset(page, 'Triage')).not.toBeFocused();
  expect(await console.sessions()).toMatchObject([{ turn_active: false, last_event_id: null }]);
});
