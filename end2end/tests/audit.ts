// Lighthouse, with its mobile preset, on a page of the console.
import { chromium, type LaunchOptions } from '@playwright/test';
import lighthouse from 'lighthouse';
import net, { type AddressInfo } from 'node:net';
import { bearer } from './harness';

export type Category = 'performance' | 'accessibility' | 'best-practices';
// Points of a hundred, and what cost the others.
export type Score = { points: number; lost: string[] };

export async function audit(url: string, categories: Category[], launchOptions: LaunchOptions): Promise<Score[]> {
  const port = await freePort();
  const browser = await chromium.launch({ ...launchOptions, args: [...launchOptions.args!, `--remote-debugging-port=${port}`] });
  const result = await lighthouse(url, { port, extraHeaders: bearer, onlyCategories: categories, logLevel: 'error' });
  await browser.close();
  const { lhr } = result!;
  if (lhr.runtimeError) throw new Error(`${url}: ${lhr.runtimeError.message}`);
  return categories.map((name) => {
    const { score, auditRefs } = lhr.categories[name]!;
    const audits = auditRefs.filter(({ weight }) => weight > 0).map(({ id }) => lhr.audits[id]!);
    const short = audits.filter((audit) => (audit.score ?? 1) < 1);
    return { points: Math.round((score ?? 0) * 100), lost: short.map(({ id, displayValue, title }) => `${id}: ${displayValue ?? title}`) };
  });
}

// One that is asked for any port says nowhere which one it took, so the browser is given a free one.
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
