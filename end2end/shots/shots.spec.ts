// A picture of every screen and state: FOLDER/<walk>/<number>-<state>-<phone or desktop>-<dark or light>.png
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from '../tests/harness';
import { settled, walks } from '../tests/states';

const folder = process.env.SHOTS;
const slug = (words: string) => words.toLowerCase().replace(/[^a-z0-9]+/g, '-');

walks((page) => {
  if (!folder) throw new Error('SHOTS does not say where the pictures go');
  const { title, project } = test.info();
  const into = path.join(folder, slug(title));
  mkdirSync(into, { recursive: true });
  let number = 0;
  return async (state) => {
    number += 1;
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      await settled(page);
      const name = `${String(number).padStart(2, '0')}-${slug(state)}-${project.name}-${colorScheme}.png`;
      await page.screenshot({ path: path.join(into, name), caret: 'initial' });
    }
  };
});
