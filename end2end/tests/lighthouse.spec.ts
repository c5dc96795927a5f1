// What Lighthouse's mobile preset says of a session with a finished Triage, where that depends on the page alone. How many
// points its speed gets depends on what else the machine does: `cargo xtask bench page` says it.
import { audit } from './audit';
import { expect, test } from './harness';

test('Lighthouse finds nothing to mend', { tag: '@any-size' }, async ({ console, launchOptions }) => {
  // It waits until nothing more comes, and loads the page more than once.
  test.setTimeout(180_000);
  const id = await console.open();
  expect(await console.api('POST', `/api/session/${id}/prompt`, { preset: 'triage' })).toEqual({ status: 'started' });
  await console.idle(id);
  const scores = await audit(`${console.base}/s/${id}`, ['accessibility', 'best-practices'], launchOptions);
  expect(scores).toEqual([{ points: 100, lost: [] }, { points: 100, lost: [] }]);
});
