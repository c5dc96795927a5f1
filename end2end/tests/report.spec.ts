// What one looks at and what one sends: the bars under a runbook's verdict, and the report of the incident in one tap.
import { readFileSync } from 'node:fs';
import { expect, openSession, preset, test } from './harness';

test('under a verdict without AI stand the figures it rests on, as bars, and they stand after a reload', async ({ page, console }) => {
  await openSession(page, console);
  await preset(page, 'Triage').click();
  const bars = page.locator('.rows .meters');
  await expect(bars).toBeVisible({ timeout: 40_000 });
  await expect(page.locator('.finished')).toBeVisible();
  for (const name of ['Load', 'Memory', '/']) {
    const bar = bars.locator('.meter', { has: page.getByText(name, { exact: true }) });
    const percent = Number((await bar.locator('strong').innerText()).replace(' %', ''));
    // The picture ends where its figure does.
    await expect(bar.locator('rect')).toHaveAttribute('width', String(Math.min(percent, 100)));
    await expect(bar.locator('.meter-words')).toHaveText(name === 'Load' ? /^\d+\.\d on \d+ CPUs?$/ : /^\S+( \S+)? of \S+ \S+$/);
  }
  // They stand under what was said of them, and nothing sticks out to the side.
  const [said, drawn] = [await page.locator('.rows .prose').last().boundingBox(), await bars.boundingBox()];
  expect(drawn!.y).toBeGreaterThanOrEqual(said!.y + said!.height);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  const before = await bars.innerHTML();
  await page.reload();
  await expect(bars).toBeVisible();
  expect(await bars.innerHTML()).toBe(before);
});

test('one tap takes the incident out as a report that can be sent', async ({ page, console }) => {
  const session = await openSession(page, console);
  await console.turns(session, '!echo the disk is full; echo API_KEY=sk-live-0123456789abcdef');
  await console.api('POST', '/api/pve/cycle', { session_id: session });
  await page.goto(`${console.base}/s/${session}#vm`);
  const link = page.locator('#report');
  await link.scrollIntoViewIfNeeded();
  const box = (await link.boundingBox())!;
  expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(44);
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  expect(download.suggestedFilename()).toMatch(/^incident-\d{4}-\d\d-\d\d-this-machine-[0-9a-f]{8}\.md$/);
  const report = readFileSync(await download.path(), 'utf8');
  for (const part of ['# this machine: !echo the disk', '- **Who:** script', '## Timeline', '## Power actions', 'cycle, by script', '## State now']) {
    expect(report).toContain(part);
  }
  expect(report).toContain('API_KEY=[redacted:');
  expect(report).not.toContain('0123456789abcdef');
});
