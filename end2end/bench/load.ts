// One first load of an address over slow 3G on a slow phone: when what is there, and what came over the wire.
import type { Browser, BrowserContextOptions, Page } from '@playwright/test';

const LATENCY_MS = 400;
const BYTES_PER_SECOND = 400_000 / 8;
export const CPU_SLOWDOWN = 4;

export type Load = {
  // Milliseconds since the navigation began; `hydrated` is not there for a page without a program.
  paint: number;
  largest: number;
  hydrated: number;
  shift: number;
  // Compressed, as they came, with what the protocol adds.
  html: number;
  css: number;
  program: number;
  total: number;
};

// Looks at the page as it is drawn. Where nobody looks, a browser without a window draws about once a second, and whatever is
// counted up to the next picture has that in it.
export async function lookAt(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  devtools.on('Page.screencastFrame', ({ sessionId }) => {
    // The last one may come when the page is gone.
    devtools.send('Page.screencastFrameAck', { sessionId }).catch(() => {});
  });
  await devtools.send('Page.startScreencast', { format: 'jpeg', quality: 1, maxWidth: 16, maxHeight: 16 });
}

// Gathers in the page, from its very beginning.
function gather(): void {
  const seen = { largest: 0, shift: 0, hydrated: 0 };
  Object.assign(window, { seen });
  const watch = (type: string, take: (entry: any) => void) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
  watch('largest-contentful-paint', (entry) => (seen.largest = entry.startTime));
  watch('layout-shift', (entry) => (seen.shift += entry.value));
  new MutationObserver(() => {
    if (document.documentElement?.hasAttribute('data-hydrated')) seen.hydrated ||= performance.now();
  }).observe(document, { subtree: true, attributes: true, childList: true });
}

export async function load(browser: Browser, options: BrowserContextOptions, address: string): Promise<Load> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: LATENCY_MS,
    downloadThroughput: BYTES_PER_SECOND,
    uploadThroughput: BYTES_PER_SECOND,
  });
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
  const kinds = new Map<string, string>();
  const bytes = { html: 0, css: 0, program: 0, total: 0 };
  devtools.on('Network.responseReceived', ({ requestId, response }) => kinds.set(requestId, response.mimeType));
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId) ?? '';
    bytes.total += encodedDataLength;
    if (kind === 'text/html' && bytes.html === 0) bytes.html = encodedDataLength;
    if (kind === 'text/css') bytes.css += encodedDataLength;
    if (/wasm|javascript/.test(kind)) bytes.program += encodedDataLength;
  });
  await page.addInitScript(gather);
  await lookAt(page);
  await page.goto(address, { timeout: 120_000 });
  if (await page.locator('script[type=module]').count()) await page.locator('html[data-hydrated]').waitFor({ state: 'attached', timeout: 120_000 });
  const seen = await page.evaluate(() => {
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    return { ...(window as any).seen, paint: paint!.startTime };
  });
  await context.close();
  return { ...seen, ...bytes };
}
