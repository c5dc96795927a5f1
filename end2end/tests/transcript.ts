// What a page shows of its session and of the link to it, and what the console has of it.
import type { Page } from '@playwright/test';
import { expect, hydrated, lamp, type Console } from './harness';

export const linkBar = (page: Page) => page.locator('.link-bar[data-link]');
export const pending = (page: Page) => page.locator('.pending');

// What a person reads in the transcript, row by row.
export async function rows(page: Page): Promise<string[]> {
  return page.locator('.rows > .row').evaluateAll((rows) => rows.map((row) => row.textContent ?? ''));
}

// What a page that was just opened shows of the session.
export async function afresh(page: Page, console: Console, id: string): Promise<string[]> {
  const other = await page.context().newPage();
  await other.goto(`${console.base}/s/${id}`);
  await hydrated(other);
  await expect(lamp(other)).toHaveText(id.slice(0, 8));
  const shown = await rows(other);
  await other.close();
  return shown;
}

// How many prompts are on record.
export async function users(console: Console, id: string): Promise<number> {
  return (await console.entries(id)).filter((entry) => entry.kind === 'user').length;
}
