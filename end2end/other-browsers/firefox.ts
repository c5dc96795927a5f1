// Debian's Firefox, by WebDriver BiDi, which it speaks itself.
import { existsSync } from 'node:fs';
import { launch } from 'puppeteer-core';
import { size, type Browser } from './browser';

const executablePath = process.env.FIREFOX ?? ['/usr/bin/firefox-esr', '/usr/bin/firefox'].find((file) => existsSync(file));

export async function firefox(): Promise<Browser> {
  if (!executablePath) throw new Error('there is no Firefox: install firefox-esr');
  const program = await launch({ browser: 'firefox', executablePath, headless: true, defaultViewport: size });
  const page = await program.newPage();
  const at = async (element: string) => {
    const found = (await page.evaluateHandle(element)).asElement();
    if (!found) throw new Error(`not in the page: ${element}`);
    return found;
  };
  return {
    go: async (to) => void (await page.goto(to)),
    reload: async () => void (await page.reload()),
    value: async <T>(expression: string) => (await page.evaluate(expression)) as T,
    press: async (element) => (await at(element)).click(),
    type: async (element, text) => (await at(element)).type(text),
    end: () => program.close(),
  };
}
