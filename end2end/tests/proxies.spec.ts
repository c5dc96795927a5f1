// Behind what stands between a phone and its console in the wild: proxies that hold a stream back, cut it off, answer in the
// console's place or ask for a sign-in.
import type { Page } from '@playwright/test';
import { expect, field, forgiveLostRequests, hydrated, lamp, openSession, send, sendButton, test, type Console } from './harness';
import { Proxy } from './proxy';
import { afresh, linkBar, pending, rows, users } from './transcript';

// The page behind a proxy, signed in at the console itself: cookies know no ports.
async function behind(page: Page, console: Console, id: string): Promise<Proxy> {
  const proxy = await Proxy.before(console.base);
  await page.goto(`${proxy.base}/s/${id}`);
  await hydrated(page);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  return proxy;
}

test('behind a proxy that holds the stream back the page looks by itself, says so, and comes back', async ({ page, console, errors, isMobile }) => {
  const id = await openSession(page, console);
  const proxy = await behind(page, console, id);
  proxy.becomes('buffers');
  await expect(lamp(page)).toHaveText('held back', { timeout: 15_000 });
  await expect(linkBar(page)).toContainText('A proxy holds the stream back');
  await expect(linkBar(page)).toContainText('every 3 s');

  await send(page, '!echo through the proxy');
  await expect(page.locator('.finished')).toHaveCount(1, { timeout: 15_000 });
  await console.turns(id, '!echo by somebody else');
  await expect(page.locator('.finished')).toHaveCount(2, { timeout: 15_000 });
  await expect(pending(page)).toHaveCount(0);
  await expect(lamp(page)).toHaveText('held back');
  // A verb's output comes too.
  if (isMobile) await page.getByRole('link', { name: 'VM controls' }).click();
  await page.getByRole('button', { name: /^Status/ }).click();
  await expect(page.getByRole('region', { name: 'Last run' })).toHaveAttribute('data-state', 'ended', { timeout: 15_000 });
  if (isMobile) await page.goBack();

  proxy.becomes('honest');
  await linkBar(page).getByRole('button', { name: 'Reconnect' }).click();
  await expect(lamp(page)).toHaveText(id.slice(0, 8), { timeout: 15_000 });
  await expect(linkBar(page)).toHaveCount(0);
  proxy.end();
  forgiveLostRequests(errors);
});

test('behind a proxy that cuts every stream off nothing is lost and nothing doubled', async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  const proxy = await behind(page, console, id);
  proxy.becomes('cuts');
  await console.turns(id, '!seq 1 50', '!echo two', '!echo three');
  await expect(page.locator('.finished')).toHaveCount(3, { timeout: 50_000 });
  expect(proxy.streams).toBeGreaterThan(3);
  expect(await rows(page)).toEqual(await afresh(page, console, id));
  proxy.end();
  forgiveLostRequests(errors);
});

test('behind a proxy that answers 502 the page says that the console does not answer, and comes back', async ({ page, console, errors }) => {
  const id = await openSession(page, console);
  const proxy = await behind(page, console, id);
  proxy.becomes('502');
  await expect(lamp(page)).toHaveText('no answer');
  await expect(linkBar(page)).toContainText('VM controls need it too');
  await send(page, '!echo meanwhile');
  await expect(pending(page)).toContainText('No answer yet');
  proxy.becomes('honest');
  await expect(page.locator('.finished')).toHaveCount(1, { timeout: 20_000 });
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  expect(await users(console, id)).toBe(1);
  proxy.end();
  forgiveLostRequests(errors);
});

for (const mode of ['302', 'login'] as const) {
  test(`behind a proxy whose sign-in is over (${mode}) the page says so and keeps what was typed`, async ({ page, console, errors }) => {
    const id = await openSession(page, console);
    const proxy = await behind(page, console, id);
    proxy.becomes(mode);
    await expect(lamp(page)).toHaveText('signed out');
    await field(page).fill('!echo kept');
    await sendButton(page).click();
    await expect(field(page)).toHaveValue('!echo kept');
    await expect(pending(page)).toHaveCount(0);
    const way = linkBar(page).getByRole('link', { name: 'Sign in again' });
    expect(await way.getAttribute('href')).toBe(`/s/${id}`);

    // The sign-in is renewed on the way that the link goes, which leaves this page.
    proxy.becomes('honest');
    await way.click();
    await hydrated(page);
    await expect(lamp(page)).toHaveText(id.slice(0, 8));
    await expect(field(page)).toHaveValue('!echo kept');
    await sendButton(page).click();
    await expect(page.locator('.finished')).toHaveCount(1);
    expect(await users(console, id)).toBe(1);
    proxy.end();
    forgiveLostRequests(errors);
  });
}

test.describe('with a heartbeat a second', () => {
  test.use({ settings: ['--sse-keepalive-seconds', '1'] });

  test('a stream that is silent for longer than its heartbeats are apart is not believed', async ({ page, console, errors }) => {
    const id = await openSession(page, console);
    const proxy = await behind(page, console, id);
    // From here on the stream is open and says nothing: a half-dead connection.
    const asked = page.waitForRequest(/\/stream\?/, { timeout: 15_000 });
    await console.turns(id, '!true');
    await expect(page.locator('.finished')).toHaveCount(1);
    proxy.fallSilent();
    await asked;
    await expect(lamp(page)).toHaveText(id.slice(0, 8));
    await console.turns(id, '!echo heard again');
    await expect(page.locator('.finished')).toHaveCount(2);
    proxy.end();
    forgiveLostRequests(errors);
  });
});
