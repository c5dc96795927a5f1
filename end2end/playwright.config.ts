// The browser tests' settings. There is no `webServer` here: each spec starts its own server on a free port, so that no
// test meets what another one left behind.
import { defineConfig } from '@playwright/test';
import { existsSync } from 'node:fs';

const debian = '/usr/bin/chromium';
// `undefined` means Playwright's own browser, as `npx playwright install chromium` fetches it.
const executablePath = process.env.CHROMIUM ?? (existsSync(debian) ? debian : undefined);

const phone = { width: 390, height: 844 };
// Specs for the page without JavaScript end in `.nojs.spec.ts`.
const withoutJavaScript = '**/*.nojs.spec.ts';
// All others run at both sizes, but for those whose subject is what is said on the wire and kept on both sides of it: a
// window's size has no say in that, and each of them holds a server, a page and a while. They run where it is hardest, on the
// phone. A single test of that kind in another spec has the tag instead.
const onAnySize = ['agent', 'link', 'lossless', 'offline', 'proxies'].map((name) => `**/${name}.spec.ts`);
const tagged = /@any-size/;

export default defineConfig({
  testDir: 'tests',
  timeout: 60_000,
  // An agent's CLI takes seconds to start where both cores are busy.
  expect: { timeout: 10_000 },
  // The reference machine has two cores, and each worker has a server and a browser of its own.
  workers: 2,
  // A test that passes at the second try has found something: it fails.
  retries: 0,
  forbidOnly: !!process.env.CI,
  reporter: 'list',
  use: {
    trace: 'retain-on-failure',
    // One that answers for the network would take requests away from the tests that watch them; its own test allows it.
    serviceWorkers: 'block',
    launchOptions: {
      executablePath,
      // The sandbox needs privileges that containers lack; the rest keeps the browser off the network and off the GPU.
      args: [
        '--no-sandbox',
        '--disable-dev-shm-usage',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    {
      name: 'phone',
      testIgnore: withoutJavaScript,
      use: { viewport: phone, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
    },
    {
      name: 'desktop',
      testIgnore: [withoutJavaScript, ...onAnySize],
      grepInvert: tagged,
      use: { viewport: { width: 1280, height: 800 } },
    },
    {
      name: 'phone-no-js',
      testMatch: withoutJavaScript,
      use: { viewport: phone, hasTouch: true, isMobile: true, deviceScaleFactor: 2, javaScriptEnabled: false },
    },
    // The main story once more, in browsers that are driven by WebDriver: Playwright is only the runner there.
    { name: 'firefox', testDir: 'other-browsers' },
    { name: 'webkit', testDir: 'other-browsers' },
  ],
});
