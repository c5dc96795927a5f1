// The strip, the history and the confirmations with JavaScript off: links and forms.
import type { Page } from '@playwright/test';
import { expect, showPictures, signIn, test, verb, type Console } from './harness';

async function openSheet(page: Page, console: Console): Promise<string> {
  await showPictures(page);
  await signIn(page, console);
  const id = await console.open();
  await page.goto(`${console.base}/s/${id}`);
  await page.locator('#glance').click();
  await expect(page.locator('#strip')).toBeInViewport({ ratio: 1 });
  return id;
}

test('the verdict in a line opens the sheet, and Look again is a link that comes back to it', async ({ page, console }) => {
  const id = await openSheet(page, console);
  const asked = page.waitForRequest((request) => request.url().includes(`/s/${id}?look=`));
  await page.getByRole('link', { name: 'Look again' }).click();
  await asked;
  await expect(page.locator('#strip')).toBeInViewport({ ratio: 1 });
  await expect(page).toHaveURL(/#vm$/);
});

test('the address of what is recommended opens the sheet at its confirmation', async ({ page, console }) => {
  const id = await openSheet(page, console);
  await page.goto(`${console.base}/s/${id}?look=x#do-cycle`);
  await expect(page.getByRole('button', { name: /^Cycle .* now$/ })).toBeInViewport({ ratio: 1 });
  await page.getByRole('link', { name: 'Close' }).click();
  await expect(page.getByRole('complementary', { name: 'VM controls' })).toBeHidden();
});

test('each run of the history is a link to it', async ({ page, console }) => {
  await openSheet(page, console);
  await console.api('POST', '/api/pve/status');
  await console.api('POST', '/api/pve/forensics');
  await page.getByRole('link', { name: 'Look again' }).click();
  await expect(page.locator('#runs .run-link')).toHaveCount(2);
  await page.locator('#runs .run-link').last().click();
  await expect(page.getByRole('region', { name: 'Earlier run' })).toBeVisible();
  await expect(page.locator('#run .run-head')).toContainText('Status');
  await expect(page.locator('#strip')).toBeInViewport();
});

test('evidence unfolds, and no override is asked for where all is known', async ({ page, console }) => {
  await openSheet(page, console);
  await page.getByRole('button', { name: /^Forensics/ }).click();
  const evidence = page.locator('.evidence');
  await expect(evidence).toBeVisible({ timeout: 20_000 });
  await evidence.locator('summary').click();
  await expect(evidence.locator('.output')).toContainText('MemTotal');
  await verb(page, 'Cycle').click();
  await expect(page.getByRole('button', { name: /^Cycle .* now$/ })).toBeVisible();
  await expect(page.locator('#do-cycle').getByText('Nobody knows what became')).toBeHidden();
});

test('a lock is a form', async ({ page, console }) => {
  await openSheet(page, console);
  await page.locator('#lock-form > summary').click();
  await page.getByRole('textbox', { name: 'Why' }).fill('ask grace first');
  const posted = page.waitForRequest('**/do/lock');
  await page.locator('#lock-form').getByRole('button', { name: /^Lock / }).click();
  const fields = Object.fromEntries(new URLSearchParams((await posted).postData()!));
  expect(fields).toMatchObject({ locked: 'true', why: 'ask grace first', key: expect.any(String) });
  await expect(page).toHaveURL(/#vm$/);
  await expect(page.locator('#strip')).toContainText('ask grace first');
  await page.getByRole('button', { name: 'Lift the lock' }).click();
  await expect(page.locator('#strip')).not.toContainText('ask grace first');
});
