// `cargo xtask shots`: the walks of tests/states.ts, with a camera. SHOTS is the folder that the pictures go to.
import settings from './playwright.config';

const [phone, desktop] = settings.projects!;

export default {
  ...settings,
  testDir: 'shots',
  // What is looked at are the pictures.
  use: { ...settings.use, trace: 'off' },
  globalTeardown: './shots/contact-sheet.ts',
  projects: [phone, desktop],
};
