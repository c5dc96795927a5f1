// With an agent: the real Claude Code CLI does the turns, and a scripted provider says what it wants. Gates in the
// scripts hold an answer until the page has shown what came before it.
import type { Locator, Page } from '@playwright/test';
import {
  agentTest as test,
  apiKey,
  expect,
  field,
  hydrated,
  lamp,
  openSession,
  preset,
  processes,
  script,
  send,
  sendButton,
  sessionOf,
  signIn,
  stopButton,
} from './harness';

// What the page shows of an agent, each in one place.
const draft = (page: Page): Locator => page.locator('.bubble.agent.draft');
const words = (page: Page): Locator => page.locator('.bubble.agent.prose:not(.draft)');
const tool = (page: Page, label: string): Locator => page.locator('.tool', { hasText: label });
const output = (tool: Locator): Locator => tool.locator('.output');
const finished = (page: Page): Locator => page.locator('.note.finished', { hasText: /^Finished in / });
const stopped = (page: Page): Locator => page.locator('.note.stopped');
const stopping = (page: Page): Locator => page.locator('.composer').getByRole('button', { name: 'Stopping' });
// The card by which the agent asks for permission, or asks its own questions.
const permission = (page: Page): Locator => page.getByRole('form', { name: 'The agent wants to run' });
const question = (page: Page): Locator => page.getByRole('form', { name: 'The agent asks' });
const command = (card: Locator): Locator => card.locator('.command');
const allowOnce = (card: Locator): Locator => card.getByRole('button', { name: 'Allow once' });
const deny = (card: Locator): Locator => card.getByRole('button', { name: 'Deny' });
const why = (card: Locator): Locator => card.getByRole('textbox');
const option = (card: Locator, name: string): Locator => card.getByRole('radio', { name }).or(card.getByRole('checkbox', { name }));
const answer = (card: Locator): Locator => card.getByRole('button', { name: 'Answer' });
// What became of it: a row of the transcript says who decided what, and the card is gone.
const decision = (page: Page): Locator =>
  page.locator('.tool-label', { hasText: /^(Allowed|Denied|Answered|Skipped|Withdrawn)/ });

// Its text to the letter, line ends included.
const reads = (card: Locator, text: string) => expect.poll(() => command(card).innerText()).toBe(text);

test('a tap on Triage shows the agent at work: its words as they come, its command and output, its report', async ({
  page,
  console,
  provider,
}) => {
  await provider.answerOthers(
    [
      { text: ['I look at ', { hold: 'first' }, 'the load first.', { hold: 'second' }] },
      { bash: 'echo load 0.42 of 2 CPUs', description: 'Look at the load' },
    ],
    [{ text: ['**Found** nothing: {{last_tool_result}}', { hold: 'third' }] }],
  );
  await signIn(page, console);
  await hydrated(page);
  await preset(page, 'Triage').click();

  await provider.held('first');
  await expect(draft(page)).toHaveText('I look at');
  await expect(stopButton(page)).toBeVisible();
  await expect(lamp(page)).toHaveText('working');
  await provider.release('first');
  await provider.held('second');
  await expect(draft(page)).toHaveText('I look at the load first.');
  await provider.release('second');

  await provider.held('third');
  await expect(words(page)).toHaveText(['I look at the load first.']);
  await expect(draft(page)).toContainText('load 0.42 of 2 CPUs');
  const look = tool(page, 'Look at the load');
  await expect(look).toHaveAttribute('data-state', 'ended');
  await look.locator('summary').click();
  await expect(command(look)).toHaveText('echo load 0.42 of 2 CPUs');
  await expect(output(look)).toHaveText('load 0.42 of 2 CPUs');
  await provider.release('third');

  await expect(finished(page)).toHaveCount(1);
  await expect(words(page)).toHaveText(['I look at the load first.', 'Found nothing: load 0.42 of 2 CPUs']);
  await expect(words(page).last().locator('strong')).toHaveText('Found');
  await expect(draft(page)).toHaveCount(0);
  await expect(sendButton(page)).toBeVisible();

  const kinds = (await console.entries(sessionOf(page))).map((entry) => entry.kind);
  const story = ['user', 'text', 'tool', 'tool_result', 'text', 'result', 'turn_end'];
  expect(kinds.filter((kind) => story.includes(kind))).toEqual(story);
  const requests = await provider.requests();
  expect(requests).toMatchObject([{ api_key: apiKey }, { api_key: apiKey, last_tool_result: 'load 0.42 of 2 CPUs' }]);
});

test('a page that is loaded anew in the middle of a sentence shows what was written so far, and then the rest', async ({
  page,
  console,
  provider,
}) => {
  await openSession(page, console);
  await send(page, script([{ text: ['Before ', { hold: 'reloaded' }, 'and after.'] }]));
  await provider.held('reloaded');
  await expect(draft(page)).toHaveText('Before');
  await page.reload();
  await hydrated(page);
  await expect(draft(page)).toHaveText('Before');
  await provider.release('reloaded');
  await expect(finished(page)).toHaveCount(1);
  await expect(words(page)).toHaveText(['Before and after.']);
  await expect(draft(page)).toHaveCount(0);
});

test('the agent goes on while the page is away, and the page that comes back has missed nothing', async ({
  page,
  console,
  provider,
}) => {
  const id = await openSession(page, console);
  await send(page, script([{ text: ['Before ', { hold: 'away' }, 'and after.'] }]));
  await provider.held('away');
  await expect(draft(page)).toHaveText('Before');
  await page.goto('about:blank');
  await provider.release('away');
  await console.idle(id);
  await page.goto(`${console.base}/s/${id}`);
  await expect(words(page)).toHaveText(['Before and after.']);
  await expect(finished(page)).toHaveCount(1);
  await hydrated(page);
  await expect(words(page)).toHaveCount(1);
});

test('Stop ends a command that would run for ten minutes, and the next prompt is answered', async ({
  page,
  context,
  console,
  provider,
}) => {
  const id = await openSession(page, console);
  // Its name in the list of processes is this test's own.
  const marker = `marker_${id.slice(0, 8)}`;
  await send(page, `Wait. ${script([{ bash: `sleep 600; echo ${marker}`, description: 'Wait for long' }])}`);
  await expect(tool(page, 'Wait for long')).toHaveAttribute('data-state', 'running');
  await expect.poll(() => processes(marker)).not.toBe('');

  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await context.route('**/do/stop', async (route) => {
    await held;
    await route.continue();
  });
  await stopButton(page).click();
  await expect(stopping(page)).toBeDisabled();
  await expect(lamp(page)).toHaveText('stopping');
  release();

  await expect(stopped(page)).toHaveText(/Stopped by operator/);
  await expect(tool(page, 'Wait for long')).toHaveAttribute('data-state', 'failed');
  await expect(sendButton(page)).toBeVisible();
  await expect.poll(() => processes(marker)).toBe('');
  // What the console looks at afterwards comes when it comes.
  const kinds = (await console.entries(id)).map((entry) => entry.kind).filter((kind) => kind !== 'check');
  expect(kinds.slice(-2)).toEqual(['cancelled', 'turn_end']);

  await send(page, 'Are you there?');
  await expect(words(page).last()).toHaveText('OK.');
  await expect(finished(page)).toHaveCount(1);
  // It is the same conversation: the model is told what was asked before.
  expect((await provider.requests()).at(-1)).toMatchObject({ last_text: 'Are you there?' });
  expect((await provider.requests()).at(-1)!.messages).toBeGreaterThan(2);
});

test('Stop in the middle of a sentence keeps what was written', async ({ page, console, provider }) => {
  await openSession(page, console);
  await send(page, script([{ text: ['Half of a ', { hold: 'never' }, 'sentence'] }]));
  await provider.held('never');
  await expect(draft(page)).toHaveText('Half of a');
  await stopButton(page).click();
  await expect(stopped(page)).toHaveText(/Stopped by operator/);
  await expect(draft(page)).toHaveCount(0);
  await expect(words(page)).toHaveText(['Half of a']);
  await expect.poll(async () => (await provider.requests())[0]?.client_gone).toBe(true);
});

test.describe('who is asked before the agent acts', () => {
  test.use({ leave: 'ask' });

  // What the agent wants to run. It changes something, so that no rule of the CLI's own lets it pass.
  const wanted = "touch 'a file' && echo made\nrm -f 'a file'";
  const asks = [{ text: 'I want to make a file.' }, { bash: wanted, description: 'Make a file' }];
  const reports = [{ text: 'It said: {{last_tool_result}}' }];

  test('sees the exact command, and lets it run once', async ({ page, console }) => {
    const id = await openSession(page, console);
    await send(page, script(asks, reports));
    const card = permission(page);
    await reads(card, wanted);
    await expect(allowOnce(card)).toBeInViewport({ ratio: 1 });
    await expect(deny(card)).toBeInViewport({ ratio: 1 });
    await expect(stopButton(page)).toBeVisible();
    // The title says it to who looks elsewhere; and Escape decides nothing.
    await expect(page).toHaveTitle(/^● decide — /);
    await page.keyboard.press('Escape');
    expect((await console.entries(id)).some((entry) => entry.kind === 'tool_result')).toBe(false);

    await allowOnce(card).click();
    await expect(finished(page)).toHaveCount(1);
    await expect(page).not.toHaveTitle(/decide/);
    await expect(decision(page)).toContainText(/allowed once.*operator/i);
    await expect(allowOnce(card)).toHaveCount(0);
    await expect(tool(page, 'Make a file')).toHaveAttribute('data-state', 'ended');
    await expect(words(page).last()).toHaveText('It said: made');
  });

  test('denies it with a word, which the agent reads', async ({ page, console, provider }) => {
    await openSession(page, console);
    await send(page, script(asks, reports));
    const card = permission(page);
    await why(card).fill('Not on this disk');
    await deny(card).click();
    await expect(finished(page)).toHaveCount(1);
    await expect(decision(page)).toContainText(/denied.*operator/i);
    await expect(decision(page)).toContainText('Not on this disk');
    await expect(tool(page, 'Make a file')).toHaveAttribute('data-state', 'failed');
    await expect(words(page).last()).toContainText('Not on this disk');
    expect((await provider.requests()).at(-1)!.last_tool_result).toContain('Not on this disk');
  });

  test('finds the question again after a reload, and can stop instead of deciding', async ({ page, console }) => {
    await openSession(page, console);
    await send(page, script(asks, reports));
    await expect(allowOnce(permission(page))).toBeVisible();
    await page.reload();
    await hydrated(page);
    const card = permission(page);
    await reads(card, wanted);
    await stopButton(page).click();
    await expect(stopped(page)).toHaveText(/Stopped by operator/);
    await expect(allowOnce(card)).toHaveCount(0);
    await expect(deny(card)).toHaveCount(0);
  });

  test('sees on the other page whose answer counts', async ({ page, context, console }) => {
    const id = await openSession(page, console);
    const other = await context.newPage();
    await other.goto(`${console.base}/s/${id}`);
    await hydrated(other);
    await send(page, script(asks, reports));
    await reads(permission(other), wanted);
    await reads(permission(page), wanted);

    await allowOnce(permission(other)).click();
    for (const seen of [page, other]) {
      await expect(decision(seen)).toContainText(/allowed once.*operator/i);
      await expect(allowOnce(permission(seen))).toHaveCount(0);
      await expect(finished(seen)).toHaveCount(1);
    }
    const decisions = (await console.entries(id)).filter((entry) => entry.kind === 'decision');
    expect(decisions).toMatchObject([{ decision: 'allow_once', by: 'operator' }]);
  });
});

test("the agent's questions are answered by a tap on an option", async ({ page, console, provider }) => {
  const id = await openSession(page, console);
  const questions = [
    {
      question: 'Which of the two shall go?',
      header: 'Which',
      multiSelect: false,
      options: [
        { label: 'The old images', description: '14 GB, can be pulled again' },
        { label: 'The journal', description: '3 GB, gone for good' },
      ],
    },
    {
      question: 'What else may be restarted?',
      header: 'Restart',
      multiSelect: true,
      options: [
        { label: 'docker', description: 'all containers stop for a moment' },
        { label: 'nginx', description: 'no request is lost' },
        { label: 'postgres', description: 'ten seconds without a database' },
      ],
    },
  ];
  const asks = [{ tool: 'AskUserQuestion', input: { questions } }];
  await send(page, script(asks, [{ text: 'You said: {{last_tool_result}}' }]));

  const card = question(page);
  for (const { question, options } of questions) {
    await expect(card).toContainText(question);
    for (const { label, description } of options) {
      await expect(option(card, label)).toBeVisible();
      await expect(card).toContainText(description);
    }
  }
  await option(card, 'The journal').check();
  await option(card, 'docker').check();
  await option(card, 'nginx').check();
  await answer(card).click();

  await expect(finished(page)).toHaveCount(1);
  await expect(decision(page)).toContainText('The journal');
  await expect(decision(page)).toContainText('operator');
  await expect(answer(card)).toHaveCount(0);
  const told = (await provider.requests()).at(-1)!.last_tool_result!;
  for (const chosen of ['The journal', 'docker', 'nginx']) expect(told).toContain(chosen);
  for (const left of ['The old images', 'postgres']) expect(told).not.toContain(left);
  expect((await console.entries(id)).filter((entry) => entry.kind === 'decision')).toHaveLength(1);
});

test('what is typed while the agent works is told to it with the next result', async ({ page, console, provider }) => {
  await openSession(page, console);
  await send(
    page,
    script(
      [{ text: ['I will look.', { hold: 'typed' }] }, { bash: 'echo enough', description: 'Look' }],
      [{ text: 'I have seen {{last_tool_result}}.' }],
    ),
  );
  await provider.held('typed');
  await send(page, 'Leave the database alone');
  await expect(page.locator('.operator')).toHaveCount(2);
  await expect(field(page)).toHaveValue('');
  await provider.release('typed');
  await expect(finished(page)).toHaveCount(1);
  await expect(words(page)).toHaveText(['I will look.', 'I have seen enough.']);
  expect((await provider.requests()).at(-1)).toMatchObject({ last_text: 'Leave the database alone' });
});
