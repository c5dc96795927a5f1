// `cargo xtask bench page`: figures of the page on a phone. Nothing runs beside it, and nothing is recorded.
import settings from './playwright.config';

const [phone] = settings.projects!;

export default {
  ...settings,
  testDir: 'bench',
  workers: 1,
  timeout: 900_000,
  reporter: [['./bench/quiet.ts']],
  use: { ...settings.use, trace: 'off' },
  projects: [phone],
};
