// Says only what went wrong: the table is all that this is about.
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';

export default class Quiet implements Reporter {
  onStdOut(text: string | Buffer): void {
    process.stdout.write(text);
  }

  onTestEnd({ title }: TestCase, { errors }: TestResult): void {
    for (const error of errors) process.stderr.write(`${title}: ${error.stack ?? error.message}\n`);
  }
}
