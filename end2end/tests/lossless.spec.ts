// Sessions that lose nothing: whatever becomes of the page, its network and its console. proxies.spec.ts has what stands in
// between.
import type { Page } from '@playwright/test';
import {
  agentTest,
  bearer,
  expect,
  field,
  forgiveLostRequests,
  hydrated,
  lamp,
  linkDown,
  openSession,
  script,
  send,
  signIn,
  test,
  watch,
  type Console,
} from './harness';
import { afresh, linkBar, pending, rows, users } from './transcript';

const scroller = (page: Page) => page.locator('#transcript');

test('a page that was frozen comes back by itself and has missed nothing', async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  await console.turns(id, '!echo before');
  await expect(page.locator('.finished')).toHaveCount(1);

  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
  await console.turns(id, '!echo one', '!echo two');
  // Its stream dies while it cannot notice.
  await console.kill();
  await console.revive();
  await console.turns(id, '!echo three');
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });

  await expect(page.locator('.finished')).toHaveCount(4, { timeout: 15_000 });
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await expect(linkBar(page)).toHaveCount(0);
  await expect.poll(() => rows(page)).toEqual(await afresh(page, console, id));
  forgiveLostRequests(errors);
});

test('a device without network says so, keeps what is sent, and catches up by itself', async ({ page, context, console, errors }) => {
  const id = await openSession(page, console);
  await context.setOffline(true);
  await expect(lamp(page)).toHaveText('no network');
  await expect(linkBar(page)).toContainText('This device has no network');
  await expect(linkBar(page).locator('.since')).toHaveText(/since \d\d:\d\d:\d\d · \d+ s/);

  await send(page, '!echo from the tunnel');
  await expect(pending(page)).toContainText('No answer yet');
  await field(page).fill('half a thou');
  await console.turns(id, '!echo by somebody else');

  await context.setOffline(false);
  await expect(page.locator('.finished')).toHaveCount(2, { timeout: 15_000 });
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await expect(pending(page)).toHaveCount(0);
  await expect(field(page)).toHaveValue('half a thou');
  expect(await users(console, id)).toBe(2);
  expect(await rows(page)).toEqual(await afresh(page, console, id));
  forgiveLostRequests(errors);
});

test('two tabs and another browser on one session show the same, whoever spoke', async ({ page, context, browser, console, errors }) => {
  const id = await openSession(page, console);
  const tab = await context.newPage();
  const stranger = await browser.newContext({ extraHTTPHeaders: bearer });
  const other = await stranger.newPage();
  for (const each of [tab, other]) {
    watch(each, errors);
    await each.goto(`${console.base}/s/${id}`);
    await hydrated(each);
    await expect(lamp(each)).toHaveText(id.slice(0, 8));
  }
  let turns = 0;
  for (const each of [page, tab, other, page]) {
    await send(each, `!echo number ${turns}`);
    turns += 1;
    for (const one of [page, tab, other]) await expect(one.locator('.finished')).toHaveCount(turns);
  }
  const shown = await rows(page);
  expect(await rows(tab)).toEqual(shown);
  expect(await rows(other)).toEqual(shown);
  for (const one of [page, tab, other]) await expect(pending(one)).toHaveCount(0);
  await stranger.close();
  await tab.close();
});

test('a prompt whose answer was lost is known after a reload, and ran once', async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  // It arrives, and neither its answer nor its entry comes back before the reload.
  await page.route(/\/do\/prompt/, async (route) => {
    await route.fetch();
    await route.abort('connectionreset');
  });
  await page.route(/\/stream|\/entries/, (route) => route.abort('connectionrefused'));
  await page.reload();
  await hydrated(page);
  await send(page, '!echo once only');
  await expect(pending(page)).toContainText('No answer yet');
  await field(page).fill('the next thought');
  await console.idle(id);

  await page.unrouteAll();
  await page.reload();
  await hydrated(page);
  await expect(page.locator('.row.prompt')).toHaveCount(1);
  await expect(pending(page)).toHaveCount(0);
  await expect(field(page)).toHaveValue('the next thought');
  expect(await users(console, id)).toBe(1);
  forgiveLostRequests(errors);
});

test('a prompt that never arrived is sent after the reload, once', async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  await page.route(/\/do\/prompt/, (route) => route.abort('connectionrefused'));
  await send(page, '!echo at last');
  await expect(pending(page)).toContainText('No answer yet');
  expect(await users(console, id)).toBe(0);

  await page.unrouteAll();
  await page.reload();
  await expect(page.locator('.finished')).toHaveCount(1, { timeout: 15_000 });
  await expect(pending(page)).toHaveCount(0);
  await expect(page.locator('.operator')).toHaveText('!echo at last');
  expect(await users(console, id)).toBe(1);
  forgiveLostRequests(errors);
});

test('a prompt that nobody expects any more asks before it is sent', async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  await page.clock.install();
  await page.route(/\/do\/prompt/, (route) => route.abort('connectionrefused'));
  await send(page, '!echo much too late');
  await expect(pending(page)).toContainText('No answer yet');
  await page.clock.setSystemTime(Date.now() + 20 * 60_000);
  await page.unrouteAll();
  await page.reload();
  await hydrated(page);
  await expect(pending(page)).toContainText('It may have arrived');
  expect(await users(console, id)).toBe(0);
  await pending(page).getByRole('button', { name: 'Send again' }).click();
  await expect(page.locator('.finished')).toHaveCount(1);
  await expect(pending(page)).toHaveCount(0);
  expect(await users(console, id)).toBe(1);
  forgiveLostRequests(errors);
});

agentTest('a reload in the middle of what the agent is writing loses none of it', async ({ page, console, provider }) => {
  const id = await openSession(page, console);
  await send(page, script([{ text: ['Half of it is here, ', { hold: 'rest' }, 'and that is all.'] }]));
  await provider.held('rest');
  await page.reload();
  await hydrated(page);
  await expect(lamp(page)).toHaveText('working');
  await expect(page.locator('.draft')).toContainText('Half of it is here');
  await provider.release('rest');
  await expect(page.locator('.finished')).toHaveCount(1);
  await expect(page.locator('.row .prose')).toHaveText('Half of it is here, and that is all.');
  await expect(page.locator('.row.prompt')).toHaveCount(1);
  await expect(page.locator('.draft')).toHaveCount(0);
  expect(await rows(page)).toEqual(await afresh(page, console, id));
});

test.describe('a session of 20,000 entries', () => {
  const ENTRIES = 20_000;

  test('is scrolled to its start and back in a page that stays small', async ({ page, console, errors }) => {
    test.setTimeout(180_000);
    await signIn(page, console);
    const id = await console.open();
    await console.kill();
    console.fill(id, ENTRIES);
    await console.revive();
    await page.goto(`${console.base}/s/${id}`);
    await hydrated(page);
    await expect(lamp(page)).toHaveText(id.slice(0, 8));

    let most = 0;
    const first = page.locator('.operator', { hasText: /^prompt 0$/ });
    const up = async () => {
      const mounted = await scroller(page).evaluate((element) => {
        element.scrollTop = -element.scrollHeight;
        return document.querySelectorAll('.rows > .row').length;
      });
      most = Math.max(most, mounted);
      return first.count();
    };
    await expect.poll(up, { timeout: 120_000, intervals: [50] }).toBe(1);
    expect(most).toBeLessThanOrEqual(800);
    await expect(page.getByRole('link', { name: 'Show earlier' })).toHaveCount(0);

    // What comes meanwhile is counted, and moves nobody.
    await first.evaluate((element) => element.scrollIntoView({ block: 'center' }));
    const before = (await first.boundingBox())!.y;
    await console.turns(id, '!echo far below');
    await expect(page.locator('.below')).toHaveText(/^\d+ new below$/);
    expect(Math.abs((await first.boundingBox())!.y - before)).toBeLessThan(2);

    // Down again, a part of the way by scrolling, then all of it by the button.
    const prompts = async () => Number((await page.locator('.operator').last().textContent())!.replace(/\D/g, ''));
    const from = await prompts();
    const down = async () => {
      await scroller(page).evaluate((element) => (element.scrollTop = 0));
      return prompts();
    };
    await expect.poll(down, { timeout: 60_000, intervals: [50] }).toBeGreaterThan(from + 400);
    await page.locator('.below').click();
    await expect(page.locator('.operator').last()).toHaveText('!echo far below');
    await expect(page.locator('.finished').last()).toBeInViewport();
    await expect(page.locator('.below')).toHaveCount(0);
    expect(await page.locator('.rows > .row').count()).toBeLessThanOrEqual(600);
    forgiveLostRequests(errors);
  });

  test('is caught up with in one go, and the page says how far it is', async ({ page, context, console, errors }) => {
    test.setTimeout(120_000);
    const id = await openSession(page, console);
    await console.turns(id, '!echo seen');
    await expect(page.locator('.finished')).toHaveCount(1);
    await context.setOffline(true);
    await console.kill();
    console.fill(id, ENTRIES);
    await console.revive();
    const seen: string[] = [];
    await page.exposeFunction('said', (words: string) => seen.push(words));
    await page.evaluate(() => {
      const lamp = document.querySelector('.bar')!;
      const tell = () => (window as any).said(lamp.querySelector('.lamp-words')!.textContent);
      new MutationObserver(tell).observe(lamp, { childList: true, subtree: true, characterData: true });
    });
    await context.setOffline(false);
    await expect(lamp(page)).toHaveText(id.slice(0, 8), { timeout: 60_000 });
    const behind = seen.map((words) => /^catching up (\d+)$/.exec(words)?.[1]).filter(Boolean).map(Number);
    expect(behind[0]).toBe(ENTRIES);
    expect(behind).toEqual([...behind].sort((one, other) => other - one));
    await expect(page.locator('.finished').last()).toBeInViewport();
    expect(await page.locator('.rows > .row').count()).toBeLessThanOrEqual(600);
    forgiveLostRequests(errors);
  });
});

test('a console that restarts says so, and the page is back by itself', async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  await console.terminate();
  await expect(lamp(page)).toHaveText('restarting');
  await expect(linkBar(page)).toContainText('The console restarts');
  await console.revive();
  await expect(lamp(page)).toHaveText(id.slice(0, 8), { timeout: 15_000 });
  await expect(linkBar(page)).toHaveCount(0);
  forgiveLostRequests(errors);
});

test('a session that is gone is said to be gone', async ({ page, context, console, errors }) => {
  await context.setExtraHTTPHeaders(bearer);
  const id = await console.open();
  await page.goto(`${console.base}/s/${id}`);
  await hydrated(page);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  await console.kill();
  console.wipe();
  await console.revive();
  await expect(lamp(page)).toHaveText('session gone', { timeout: 15_000 });
  await expect(linkBar(page).getByRole('link', { name: 'All sessions' })).toBeVisible();
  forgiveLostRequests(errors);
});

test('since when the link is down is counted', async ({ page, console, errors }) => {
  await openSession(page, console);
  await console.kill();
  await expect(lamp(page)).toHaveText(linkDown);
  const since = linkBar(page).locator('.since');
  await expect(since).toHaveText(/^since \d\d:\d\d:\d\d · [3-9] s$/, { timeout: 10_000 });
  forgiveLostRequests(errors);
});
