// Runs: elapsed while they run, the evidence apart from what was done, and the history of all of them for everybody.
import type { Page } from '@playwright/test';
import { expect, forgiveLostRequests, hydrated, openSession, showPictures, test, verb } from './harness';

const shown = (page: Page) => page.locator('#run .run');
const history = (page: Page) => page.locator('#runs .run-link');

async function openSheet(page: Page, isMobile: boolean): Promise<void> {
  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
}

test('a cycle counts while it runs, and then has its evidence folded apart, with the capture to download', async ({
  page,
  console,
  isMobile,
}) => {
  await openSession(page, console);
  await showPictures(page);
  await openSheet(page, isMobile);
  await verb(page, 'Cycle').click();
  await page.getByRole('button', { name: /^Cycle .* now$/ }).click();
  await expect(shown(page)).toHaveAttribute('data-state', 'running');
  await expect(shown(page)).toBeInViewport();
  await expect(shown(page).locator('.run-words')).toHaveText(/^running · \d+ s$/);
  const first = await shown(page).locator('.run-words').innerText();
  await expect(shown(page).locator('.run-words')).not.toHaveText(first);
  await expect(shown(page).locator('.run-output .output')).toContainText('forensics first');

  await expect(shown(page)).toHaveAttribute('data-state', 'ended', { timeout: 30_000 });
  const evidence = shown(page).locator('.evidence');
  await expect(evidence.locator('.output')).toBeHidden();
  await evidence.locator('summary').click();
  await expect(evidence.locator('.output')).toContainText('MemTotal');
  await expect(evidence.getByRole('link', { name: 'Download the capture' })).toHaveAttribute('href', /^\/api\/pve\/captures\/[^/]+-cycle\.\w+$/);
  const output = shown(page).locator('.run-output .output');
  await expect(output).toContainText('cycle: done: VM 102 is running');
  await expect(output).not.toContainText('MemTotal');
});

test('a picture of the screen stands in the evidence', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  await showPictures(page);
  await page.route('**/part/run/*', async (route) => {
    const response = await route.fetch();
    const html = (await response.text()).replace(/<a [^>]*class="screenshot".*?<\/a>/s, '');
    const picture = '<img loading="lazy" src="/api/pve/captures/x/screenshot" alt="What stood on the VM\'s screen">';
    await route.fulfill({ response, body: html.replace('</summary>', `</summary><a class="screenshot" href="#">${picture}</a>`) });
  });
  await openSheet(page, isMobile);
  await page.getByRole('button', { name: /^Forensics/ }).click();
  await expect(shown(page)).toHaveAttribute('data-state', 'ended', { timeout: 30_000 });
  await shown(page).locator('.evidence summary').click();
  const picture = page.getByRole('img', { name: "What stood on the VM's screen" });
  await expect(picture).toBeInViewport();
  await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(1);
});

test('the history has what anybody ran, and leads to each run', async ({ page, console, isMobile }) => {
  await openSession(page, console);
  await openSheet(page, isMobile);
  await expect(page.locator('#runs')).toContainText('Nothing was run yet');
  await page.getByRole('button', { name: /^Status/ }).click();
  await expect(history(page)).toHaveCount(1);
  await expect(history(page)).toContainText(/Status done · .*operator · \d\d:\d\d/);

  // A script's, in no session: no entry tells of it.
  await console.api('POST', '/api/pve/forensics');
  await page.getByRole('link', { name: 'Look again' }).click();
  await expect(history(page)).toHaveCount(2);
  await expect(history(page).first()).toContainText(/Forensics done · .*script · /);

  await history(page).first().click();
  await expect(shown(page).locator('.run-head')).toContainText('Forensics');
  await expect(shown(page)).toBeInViewport();
  await history(page).last().click();
  await expect(page.getByRole('region', { name: 'Earlier run' }).locator('.run-head')).toContainText('Status');
  // The same by its address.
  const href = await history(page).first().getAttribute('href');
  await page.goto(new URL(href!, page.url()).href);
  await hydrated(page);
  await expect(shown(page).locator('.run-head')).toContainText('Forensics');
});

test('two pages see the same history and either sees the run of the other', async ({ page, context, console, isMobile }) => {
  const id = await openSession(page, console);
  const other = await context.newPage();
  await other.goto(`${console.base}/s/${id}#vm`);
  await hydrated(other);
  await openSheet(page, isMobile);
  await page.getByRole('button', { name: /^Status/ }).click();
  await expect(history(other)).toHaveCount(1);
  await expect(history(other)).toContainText('Status done');
  await other.close();
});

test('a run that the console does not know any more is said to be unknown', { tag: '@any-size' }, async ({ page, console, isMobile, errors }) => {
  await openSession(page, console);
  await openSheet(page, isMobile);
  await page.getByRole('button', { name: /^Status/ }).click();
  await expect(shown(page)).toHaveAttribute('data-state', 'ended');
  await page.route('**/part/run/*', (route) => route.fulfill({ status: 404, json: { detail: 'there is no run x', code: 'unknown_run' } }));
  await history(page).first().click();
  await expect(shown(page)).toHaveAttribute('data-state', 'unknown');
  await expect(shown(page).locator('.run-words')).toContainText('there is no run x: check with status');
  forgiveLostRequests(errors);
});

test('a run whose stream breaks off is followed to its end all the same', { tag: '@any-size' }, async ({ page, console, isMobile, errors }) => {
  await openSession(page, console);
  let cut = 0;
  await page.route('**/api/pve/runs/*/stream', async (route) => {
    cut += 1;
    if (cut === 1) await route.abort();
    else await route.continue();
  });
  await openSheet(page, isMobile);
  await verb(page, 'Cycle').click();
  await page.getByRole('button', { name: /^Cycle .* now$/ }).click();
  await expect(shown(page)).toHaveAttribute('data-state', 'ended', { timeout: 30_000 });
  await expect(shown(page).locator('.run-output .output')).toContainText('cycle: done: VM 102 is running');
  expect(await console.runs()).toHaveLength(1);
  forgiveLostRequests(errors);
});
