// The settings without script: a box that its address opens, and a choice that the server keeps.
import { expect, signIn, test } from './harness';

test('the ground is chosen by a form, and the sign-in page and the list have it too', async ({ page, console }) => {
  await signIn(page, console);
  const id = await console.open();
  await page.goto(`${console.base}/s/${id}`);
  await page.getByRole('link', { name: 'Settings' }).click();
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  // What only a script could do is not offered.
  await expect(page.getByRole('checkbox')).toHaveCount(0);
  await page.getByRole('button', { name: 'Light' }).click();
  await expect(page).toHaveURL(`${console.base}/s/${id}#settings`);
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await expect(page.getByRole('button', { name: 'Light' })).toHaveAttribute('aria-pressed', 'true');
  await page.getByRole('link', { name: 'Close the settings' }).click();
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeHidden();
  for (const where of ['/sessions', '/sign-in']) {
    await page.goto(console.base + where);
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  }
});
