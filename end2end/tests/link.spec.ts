// The link between page and console: lost, found again, and the same transcript everywhere.
import type { Page } from '@playwright/test';
import {
  bearer,
  expect,
  forgiveLostRequests,
  hydrated,
  lamp,
  linkDown,
  openSession,
  send,
  sendButton,
  stopButton,
  test,
  watch,
  type Console,
} from './harness';
import { linkBar, rows } from './transcript';

// The link goes down, and the page's clock stands still, so that it does not try again by itself. The console is there.
async function loseTheLinkForGood(page: Page, console: Console): Promise<void> {
  await page.clock.pauseAt(Date.now() + 60_000);
  await console.kill();
  await expect(linkBar(page)).toBeVisible();
  await console.revive();
}

// A session that is many screens long.
async function longSession(console: Console, turns: number): Promise<string> {
  const id = await console.open();
  await console.turns(id, ...Array.from({ length: turns }, (_, place) => `!echo turn ${place}`));
  return id;
}

async function openPage(page: Page, console: Console, id: string): Promise<void> {
  await page.goto(`${console.base}/s/${id}`);
  await hydrated(page);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
}

test('a console that is killed in the middle of a turn comes back, says what happened, and doubles nothing', async ({
  page,
  console,
  errors,
  isMobile,
}) => {
  const id = await openSession(page, console);
  await send(page, '!echo before; sleep 19; echo after');
  await expect(page.locator('.tool[data-state=running]')).toHaveCount(1);

  await console.kill();
  await expect(lamp(page)).toHaveText(linkDown);
  await expect(linkBar(page)).toContainText('What runs on the target goes on');
  await expect(linkBar(page).getByRole('button', { name: 'Reconnect' })).toBeInViewport({ ratio: 1 });
  await expect(page.locator('#composer')).toBeVisible();

  await console.revive();
  // By itself: nothing is pressed.
  await expect(linkBar(page)).toHaveCount(0, { timeout: 20_000 });
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await expect(page.locator('.note.error')).toHaveCount(1);
  await expect(sendButton(page)).toBeVisible();
  await expect(stopButton(page)).toHaveCount(0);
  await expect(page.locator('.row.prompt')).toHaveCount(1);
  await expect(page.locator('.now')).toHaveCount(0);

  const entries = await console.entries(id);
  expect(entries.map((entry) => entry.id)).toEqual(entries.map((_, place) => place));
  expect(entries.filter((entry) => entry.kind === 'turn_end')).toHaveLength(1);
  expect(entries.at(-1)?.kind).toBe('turn_end');

  // The page that lived through it shows what a new one shows.
  const lived = await rows(page);
  await page.reload();
  await hydrated(page);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await expect.poll(() => rows(page)).toEqual(lived);

  // And it goes on.
  await send(page, '!echo and on');
  await expect(page.locator('.finished')).toHaveCount(1);
  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
  await page.getByRole('button', { name: /^Status/ }).click();
  await expect(page.getByRole('region', { name: 'Last run' })).toHaveAttribute('data-state', 'ended');
  forgiveLostRequests(errors);
});

test('a tool that the console died under is no longer shown as running', async ({ page, console, errors }) => {
  await openSession(page, console);
  await send(page, '!sleep 19');
  await expect(page.locator('.tool[data-state=running]')).toHaveCount(1);
  await console.kill();
  await expect(lamp(page)).toHaveText(linkDown);
  await console.revive();
  await expect(page.locator('.note.error')).toHaveCount(1, { timeout: 20_000 });
  await expect(page.locator('.tool[data-state=running]')).toHaveCount(0);
  forgiveLostRequests(errors);
});

test('Reconnect attaches at once', async ({ page, console, errors }) => {
  await page.clock.install();
  const id = await openSession(page, console);
  await loseTheLinkForGood(page, console);
  await console.turns(id, '!echo while the link was down');
  await expect(page.locator('.row.prompt')).toHaveCount(0);
  await linkBar(page).getByRole('button', { name: 'Reconnect' }).click();
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await expect(linkBar(page)).toHaveCount(0);
  await expect(page.locator('.row.prompt')).toHaveCount(1);
  await expect(page.locator('.finished')).toHaveCount(1);
  forgiveLostRequests(errors);
});

test('the VM controls work while the session cannot be followed', async ({ page, console, errors, isMobile }) => {
  await page.clock.install();
  await openSession(page, console);
  await loseTheLinkForGood(page, console);
  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
  await page.getByRole('button', { name: /^Status/ }).click();
  const run = page.getByRole('region', { name: 'Last run' });
  await expect(run).toHaveAttribute('data-state', 'ended');
  await expect(run.locator('.output')).toContainText('status: running');
  await expect(lamp(page)).toHaveText(linkDown);
  forgiveLostRequests(errors);
});

test('a prompt sent while the console is down is kept, and sent once when it is back', async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  await console.kill();
  await expect(lamp(page)).toHaveText(linkDown);
  await send(page, '!echo in a bad moment');
  await expect(page.locator('.pending')).toContainText('No answer yet');
  await console.revive();
  // By itself: nothing is pressed.
  await expect(linkBar(page)).toHaveCount(0, { timeout: 20_000 });
  await expect(page.locator('.finished')).toHaveCount(1);
  await expect(page.locator('.pending')).toHaveCount(0);
  expect((await console.entries(id)).filter((entry) => entry.kind === 'user')).toHaveLength(1);
  forgiveLostRequests(errors);
});

test('two pages on one session show the same, and either can stop what the other began', async ({
  page,
  context,
  console,
  errors,
}) => {
  const id = await openSession(page, console);
  const other = await context.newPage();
  watch(other, errors);
  await openPage(other, console, id);

  await send(page, '!echo from the first; sleep 19');
  await expect(other.locator('.operator')).toHaveText('!echo from the first; sleep 19');
  await expect(lamp(other)).toHaveText('working');
  await expect(page.locator('.now')).toContainText(/\d+ s/);
  await expect(other.locator('.now')).toContainText(/\d+ s/);
  await stopButton(other).click();
  await expect(page.locator('.note.stopped')).toBeVisible();
  await send(other, '!echo from the second');
  await expect(page.locator('.finished')).toHaveCount(1);
  await expect(other.locator('.finished')).toHaveCount(1);
  expect(await rows(page)).toEqual(await rows(other));
  await other.close();
});

test('a turn whose end was seen lets the next one in', async ({ console }) => {
  const id = await console.open();
  const answer = await fetch(`${console.base}/api/session/${id}/stream`, { headers: bearer });
  const prompt = () => console.api('POST', `/api/session/${id}/prompt`, { prompt: '!true' });
  expect(await prompt()).toEqual({ status: 'started' });
  let seen = '';
  let turns = 1;
  for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
    seen += piece;
    if (seen.split('"kind":"turn_end"').length <= turns) continue;
    if (turns === 20) break;
    expect(await prompt(), `after turn ${turns}`).toEqual({ status: 'started' });
    turns += 1;
  }
});

test('who is at the end stays at the end', async ({ page, console }) => {
  await openSession(page, console);
  const id = await longSession(console, 12);
  await openPage(page, console, id);
  const scroller = page.locator('#transcript');
  const end = page.locator('.finished').last();
  await expect(end).toBeInViewport({ ratio: 1 });

  // 64 px from the end still counts as at the end.
  await scroller.evaluate((element) => element.scrollTo(0, -60));
  await console.turns(id, '!echo one more');
  await expect(page.locator('.finished')).toHaveCount(13);
  await expect(end).toBeInViewport({ ratio: 1 });
  await expect.poll(() => scroller.evaluate((element) => element.scrollTop)).toBe(0);
});

test('who reads further up is not moved by what comes', async ({ page, console }) => {
  await openSession(page, console);
  const id = await longSession(console, 12);
  await openPage(page, console, id);
  const read = page.locator('.row.prompt', { hasText: '!echo turn 5' });
  await read.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const before = (await read.boundingBox())!.y;

  await console.turns(id, '!echo a', '!echo b', '!echo c', 'words, whose answer is long');
  await expect(page.locator('.finished')).toHaveCount(16);
  await expect.poll(async () => Math.abs((await read.boundingBox())!.y - before)).toBeLessThan(2);

  // What the reader sends shows them what comes of it.
  await send(page, '!echo d');
  await expect(page.locator('.operator').last()).toBeInViewport();
});

test('many entries at once do not move the reader either', async ({ page, context, console, errors }) => {
  await openSession(page, console);
  const id = await longSession(console, 12);
  await openPage(page, console, id);
  const read = page.locator('.row.prompt', { hasText: '!echo turn 5' });
  await read.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const before = (await read.boundingBox())!.y;

  // A link that was down brings all it missed in one piece.
  await context.setOffline(true);
  await page.evaluate(() => window.dispatchEvent(new Event('offline')));
  await console.turns(id, ...Array.from({ length: 10 }, (_, place) => `!echo missed ${place}`));
  await context.setOffline(false);
  await expect(page.locator('.finished')).toHaveCount(22, { timeout: 20_000 });
  await expect.poll(async () => Math.abs((await read.boundingBox())!.y - before)).toBeLessThan(8);
  // What was tried while there was no network.
  forgiveLostRequests(errors);
});

test('an opened output stays where it was tapped, and open while more comes', async ({ page, console }) => {
  await openSession(page, console);
  const id = await console.open();
  await console.turns(id, ...Array.from({ length: 8 }, () => '!seq 1 60'));
  await openPage(page, console, id);
  const tool = page.locator('.tool').last();
  const summary = tool.locator('summary');
  const before = (await summary.boundingBox())!.y;
  await summary.click();
  await expect(tool.locator('.output')).toBeVisible();
  // What was tapped is still under the thumb, with its output below it.
  await expect.poll(async () => Math.abs((await summary.boundingBox())!.y - before)).toBeLessThan(2);
  const opened = page.locator('.tool').nth(7);
  await console.turns(id, '!true');
  await expect(page.locator('.finished')).toHaveCount(9);
  await expect(opened.locator('.output')).toBeVisible();
});

test('what was opened while it ran is still open when it has ended', async ({ page, console }) => {
  await openSession(page, console);
  await send(page, '!sleep 2; echo the end');
  const tool = page.locator('.tool');
  await expect(tool).toHaveAttribute('data-state', 'running');
  await tool.locator('summary').click();
  await expect(tool.locator('.command')).toBeVisible();
  await expect(tool).toHaveAttribute('data-state', 'ended');
  await expect(tool.locator('.output')).toHaveText('the end\n');
  await expect(tool.locator('.output')).toBeVisible();
});

test('what is older comes as one scrolls up, down to the first entry, and leaves the reader where they are', async ({
  page,
  console,
}) => {
  await openSession(page, console);
  // Each turn makes five entries; a page has the newest 200.
  const id = await longSession(console, 46);
  const entries = await console.entries(id);
  expect(entries.length).toBeGreaterThan(200);
  await openPage(page, console, id);
  await expect(page.locator('.operator').first()).not.toHaveText('!echo turn 0');

  const earlier = page.getByRole('link', { name: 'Show earlier' });
  await expect(earlier).toBeAttached();
  const read = page.locator('.row.prompt', { hasText: '!echo turn 10' });
  // By itself, for who scrolls up.
  await read.evaluate((element) => element.scrollIntoView({ block: 'center' }));
  const before = (await read.boundingBox())!.y;
  await expect(page.locator('.operator').first()).toHaveText('!echo turn 0');
  await expect(earlier).toHaveCount(0);
  await expect.poll(async () => Math.abs((await read.boundingBox())!.y - before)).toBeLessThan(2);
  await expect(page.locator('.row.prompt')).toHaveCount(46);
  await expect(page.locator('.finished')).toHaveCount(46);
  // It still follows.
  await console.turns(id, '!echo turn 46');
  await expect(page.locator('.row.prompt')).toHaveCount(47);
});
