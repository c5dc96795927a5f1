// The list of sessions, which has no script at all: found, opened, put away, brought back, handed on.
import { expect, signIn, test } from './harness';

test('sessions are found by what was said in them, opened, put away and brought back', async ({ page, console }) => {
  await signIn(page, console);
  const disk = await console.open();
  await console.turns(disk, '!echo the disk is full of cabbages');
  const mail = await console.open();
  await console.turns(mail, 'the mail is slow <b>today</b>');

  await page.getByRole('link', { name: 'All sessions' }).click();
  await expect(page).toHaveURL(`${console.base}/sessions`);
  const sessions = page.locator('.session');
  await expect(sessions.locator('strong')).toHaveText(['the mail is slow <b>today</b>', '!echo the disk is full of cabbages']);
  await expect(sessions.first()).toContainText('idle');
  await expect(page.getByText('PRACTICE', { exact: true })).toBeVisible();

  // By an output as well as by a prompt; and the search stays in its field.
  await page.getByRole('searchbox').fill('CABBAGES');
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await expect(sessions).toHaveCount(1);
  await expect(page.getByRole('searchbox')).toHaveValue('CABBAGES');

  await page.getByRole('button', { name: /^Archive: !echo the disk/ }).click();
  await expect(page).toHaveURL(/\/sessions\?q=/);
  await expect(page.locator('.nothing')).toContainText('No open session has “CABBAGES” in it');
  await page.getByRole('button', { name: 'Search the archive' }).click();
  await expect(page.getByRole('heading', { name: 'Archived sessions' })).toBeVisible();
  await expect(sessions).toHaveCount(1);
  await page.getByRole('button', { name: /^Bring back/ }).click();
  await expect(page.locator('.nothing')).toContainText('No archived session');
  await page.getByRole('link', { name: 'Open sessions' }).click();
  await expect(sessions).toHaveCount(2);

  const exported = await page.request.get(console.base + (await page.getByRole('link', { name: /^Report: !echo the disk/ }).getAttribute('href')));
  expect(exported.headers()['content-disposition']).toContain('attachment');
  expect(await exported.text()).toContain('cabbages');

  await page.getByRole('link', { name: /the disk is full of cabbages/ }).first().click();
  await expect(page).toHaveURL(`${console.base}/s/${disk}`);
  await expect(page.locator('.operator')).toHaveText('!echo the disk is full of cabbages');
});

test('the list of sessions has no program, fits a phone, and all of it can be tapped', async ({ page, console }) => {
  await signIn(page, console);
  const id = await console.open();
  await console.turns(id, `!echo ${'a-very-long-word-without-any-space-'.repeat(8)}`);
  const html = (await console.raw('/sessions', { accept: 'text/html' })).body.toString();
  expect(html).not.toContain('type="module"');
  expect(html).not.toContain('.wasm');
  for (const width of [320, 390, 768]) {
    await page.setViewportSize({ width, height: 844 });
    await page.goto(`${console.base}/sessions`);
    expect(await page.locator('html').evaluate((root) => root.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    for (const each of await page.locator('a[href]:visible, button:visible, input:visible').all()) {
      const { width, height } = (await each.boundingBox())!;
      expect(Math.min(width, height), await each.evaluate((element) => element.outerHTML.slice(0, 100))).toBeGreaterThanOrEqual(43.99);
    }
  }
});
