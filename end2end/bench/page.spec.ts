// What DESIGN.md promises of a first load and of typing, in figures: medians of five.
import type { Browser, BrowserContextOptions } from '@playwright/test';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { audit } from '../tests/audit';
import { bearer, expect, hydrated, test, type Console } from '../tests/harness';
import { CPU_SLOWDOWN, load, lookAt, type Load } from './load';
import { median, rendered, type Row } from './table';

const TIMES = 5;
const MESSAGES = 5_000;
const TYPED = 'what did you find out about the disk, and since when is it full';

async function times<T>(measure: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let time = 0; time < TIMES; time += 1) all.push(await measure());
  return all;
}

const middle = (loads: Load[], figure: keyof Load): number => median(loads.map((each) => each[figure]));

// The same page and style without a program, from a bare server: what a browser needs for that many bytes.
async function bare(console: Console, where: string): Promise<{ base: string; end: () => void }> {
  const asked = { 'accept-encoding': 'gzip', accept: 'text/html' };
  const html = (await console.raw(where, { accept: 'text/html' })).body.toString();
  const style = /href="(\/pkg\/[^"]+\.css)"/.exec(html)![1]!;
  const page = gzipSync(html.replace(/<script type="module".*?<\/script>|<link rel="(modulepreload|preload|manifest)"[^>]*>/gs, ''));
  const css = (await console.raw(style, { 'accept-encoding': 'gzip' })).body;
  expect((await console.raw(where, asked)).headers['content-encoding']).toBe('gzip');
  const server = http.createServer((request, response) => {
    const is = (type: string) => response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' });
    if (request.url === '/') is('text/html; charset=utf-8').end(page);
    else if (request.url === style) is('text/css').end(css);
    else response.writeHead(404).end();
  });
  await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, end: () => server.close() };
}

// How many bytes of a page and of its files come over https, where browsers ask for brotli.
async function brotli(console: Console, where: string): Promise<{ page: number; program: number; all: number }> {
  const weight = async (path: string) => (await console.raw(path, { 'accept-encoding': 'br', accept: 'text/html' })).body.length;
  const html = (await console.raw(where, { accept: 'text/html' })).body.toString();
  const names = [...new Set(html.match(/\/pkg\/[^"'\s]+/g))];
  const sum = async (paths: string[]) => (await Promise.all(paths.map(weight))).reduce((all, one) => all + one, 0);
  const page = await sum([where, ...names.filter((name) => name.endsWith('.css'))]);
  const program = await sum(names.filter((name) => /\/breakglass\.[^/]*\.(js|wasm)$/.test(name)));
  return { page, program, all: (await weight(where)) + (await sum(names)) };
}

// The longest time from a key to the next picture, as a browser counts it, on a slow phone.
async function typing(browser: Browser, options: BrowserContextOptions, address: string): Promise<number> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(address);
  await hydrated(page);
  await lookAt(page);
  const devtools = await context.newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
  await page.evaluate(() => {
    const longest = { ms: 0, keys: 0 };
    Object.assign(window, { longest });
    const take = (list: PerformanceObserverEntryList) => {
      for (const { name, duration } of list.getEntries()) {
        if (name === 'keydown') longest.keys += 1;
        longest.ms = Math.max(longest.ms, duration);
      }
    };
    // 16 ms is the shortest that browsers tell of.
    new PerformanceObserver(take).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
  });
  await page.getByRole('textbox', { name: 'Prompt' }).click();
  // As fast as a thumb is: keys that are all pressed at once wait for one another.
  await page.keyboard.type(TYPED, { delay: 80 });
  const { ms } = await page.evaluate(
    () => new Promise<{ ms: number }>((told) => requestAnimationFrame(() => setTimeout(() => told((window as any).longest), 100))),
  );
  await context.close();
  return ms;
}

test('page', async ({ console, browser, launchOptions, viewport, hasTouch, isMobile, deviceScaleFactor }) => {
  const options = { viewport, hasTouch, isMobile, deviceScaleFactor, extraHTTPHeaders: bearer };
  const id = await console.open();
  expect(await console.api('POST', `/api/session/${id}/prompt`, { preset: 'triage' })).toEqual({ status: 'started' });
  await console.idle(id);
  const where = `/s/${id}`;
  const loads = await times(() => load(browser, options, console.base + where));
  const other = await bare(console, where);
  const bares = await times(() => load(browser, { ...options, extraHTTPHeaders: {} }, other.base));
  other.end();
  const points = await times(async () => (await audit(console.base + where, ['performance'], launchOptions))[0]!.points);

  const { page, program, all } = await brotli(console, where);

  const long = await console.open();
  await console.kill();
  // A turn has two messages and four entries.
  console.fill(long, MESSAGES * 2);
  await console.revive();
  const short = await console.open();
  const inp = await times(() => typing(browser, options, `${console.base}/s/${long}`));
  const inpShort = await times(() => typing(browser, options, `${console.base}/s/${short}`));

  const kilo = (figure: keyof Load) => middle(loads, figure) / 1000;
  const rows: Row[] = [
    { figure: 'first paint', ours: middle(loads, 'paint'), unit: 'ms', baseline: middle(bares, 'paint'), atMost: 1200 },
    { figure: 'largest paint', ours: middle(loads, 'largest'), unit: 'ms', baseline: middle(bares, 'largest') },
    { figure: 'hydrated', ours: middle(loads, 'hydrated'), unit: 'ms', atMost: 2800 },
    { figure: 'layout shift', ours: middle(loads, 'shift'), unit: '', atMost: 0.1 },
    { figure: 'HTML, as it came', ours: kilo('html'), unit: 'kB' },
    { figure: 'CSS, as it came', ours: kilo('css'), unit: 'kB' },
    { figure: 'wasm and scripts, as they came', ours: kilo('program'), unit: 'kB' },
    { figure: 'all, as it came', ours: kilo('total'), unit: 'kB' },
    { figure: 'HTML and CSS, brotli', ours: page / 1000, unit: 'kB', atMost: 25 },
    { figure: 'wasm and glue, brotli', ours: program / 1000, unit: 'kB', atMost: 110 },
    { figure: 'all, brotli', ours: all / 1000, unit: 'kB', atMost: 140 },
    { figure: `typing in ${MESSAGES} messages`, ours: median(inp), unit: 'ms', baseline: median(inpShort), atMost: 200 },
    { figure: 'Lighthouse: performance', ours: median(points), unit: 'points', atLeast: 95 },
  ];
  process.stdout.write(
    rendered('page', rows, [
      'A session with a finished Triage, over 400 ms and 400 kbit/s with the CPU ÷ 4 at 390×844; medians of five.',
      'The baseline of a paint is the same HTML and CSS without a program from a bare server; that of typing is an empty session.',
      'What came is compressed by gzip, with the headers: browsers ask for brotli over https only, for which the budgets are.',
    ]),
  );
});
