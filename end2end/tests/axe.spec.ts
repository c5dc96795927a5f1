// No rule of axe is broken on any screen or in any state, in the dark or by daylight.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect } from './harness';
import { settled, walks } from './states';

async function broken(page: Page, axe: AxeBuilder): Promise<unknown[]> {
  await settled(page);
  const { violations, passes } = await axe.analyze();
  // Rules that found nothing to look at would be kept by a white page.
  expect(passes.length).toBeGreaterThan(0);
  return violations.map(({ id, help, nodes }) => ({
    rule: `${id}: ${help}`,
    where: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`),
  }));
}

walks((page) => async (state) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  expect.soft(await broken(page, new AxeBuilder({ page })), `${state}, in the dark`).toEqual([]);
  // By daylight nothing but the colours is another.
  await page.emulateMedia({ colorScheme: 'light' });
  expect.soft(await broken(page, new AxeBuilder({ page }).withRules('color-contrast')), `${state}, by daylight`).toEqual([]);
});
