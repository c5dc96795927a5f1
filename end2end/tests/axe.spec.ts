// No rule of axe is broken on any screen or in any state, in the dark or by daylight.
import AxeBuilder from '@axe-core/playwright';
import { expect } from './harness';
import { settled, walks } from './states';

walks((page) => async (state) => {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await settled(page);
    const { violations, passes } = await new AxeBuilder({ page }).analyze();
    const broken = violations.map(({ id, help, nodes }) => ({
      rule: `${id}: ${help}`,
      where: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`),
    }));
    expect.soft(broken, `${state}, ${colorScheme}`).toEqual([]);
    expect(passes.length, `${state}, ${colorScheme}: what was looked at`).toBeGreaterThan(5);
  }
});
