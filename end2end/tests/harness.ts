// One console per test: the program itself, in practice mode, on a free port, with a record of its own. A page that
// throws, logs an error or breaks its content security policy fails its test, whatever the test looks at. `agentTest`
// gives the console an agent besides: the real Claude Code CLI, and a scripted provider behind it.
import { test as base, expect, type BrowserContext, type Locator, type Page } from '@playwright/test';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

const repository = path.resolve(import.meta.dirname, '../..');
const program = process.env.BREAKGLASS_UNDER_TEST ?? path.join(repository, 'target/debug/breakglass');
export const token = 'a-token-for-tests';
export const bearer = { authorization: `Bearer ${token}` };

// An entry as the API gives it: `kind` and `id`, and what its kind has.
export type Entry = { kind: string; id: number; [field: string]: unknown };

type Environment = Record<string, string>;

export class Console {
  private constructor(
    readonly base: string,
    readonly folder: string,
    private readonly settings: string[],
    private readonly environment: Environment,
    private child: ChildProcess,
    public signInLink: string,
  ) {}

  // `settings` are further flags of `breakglass serve`, and `environment` further variables.
  static async start(
    folder: string,
    settings: string[] = [],
    environment: Environment = {},
    listen = '127.0.0.1:0',
  ): Promise<Console> {
    const { child, base, link } = await serve(folder, settings, environment, listen);
    return new Console(base, folder, settings, environment, child, link);
  }

  // As the kernel does it when memory runs out: no goodbye.
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await ended;
    }
  }

  // As an administrator does it: it may say goodbye.
  async terminate(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }

  // Writes turns into a session's record until it has `entries` entries more. It must have been killed before.
  fill(session: string, entries: number): void {
    execFileSync('python3', ['-c', FILL, path.join(this.folder, 'breakglass.sqlite3'), session, String(entries)]);
  }

  // Starts it again at the same address, with the same record.
  async revive(): Promise<void> {
    const { child, link } = await serve(this.folder, this.settings, this.environment, new URL(this.base).host);
    this.child = child;
    this.signInLink = link;
  }

  // Lets the commands of the target go on that `hangs` named.
  release(): void {
    writeFileSync(path.join(this.folder, GO), '');
  }

  // Takes its record away, as when a machine was set up anew. It must have been killed before.
  wipe(): void {
    remove(this.folder);
    mkdirSync(this.folder);
  }

  async api(method: string, where: string, body?: unknown): Promise<any> {
    const answer = await fetch(this.base + where, {
      method,
      headers: bearer,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return answer.json();
  }

  // One answer as it stands on the wire: not followed, not decompressed.
  async raw(where: string, headers: Record<string, string> = {}): Promise<http.IncomingMessage & { body: Buffer }> {
    return new Promise((resolve, reject) => {
      const request = http.get(this.base + where, { headers: { ...bearer, ...headers } }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', reject);
        answer.on('end', () => resolve(Object.assign(answer, { body: Buffer.concat(pieces) })));
      });
      request.on('error', reject);
    });
  }

  async open(): Promise<string> {
    return (await this.api('POST', '/api/session')).session_id;
  }

  async sessions(): Promise<{ id: string; turn_active: boolean; last_event_id: number | null }[]> {
    return (await this.api('GET', '/api/session')).sessions;
  }

  // The newest 1000 entries of a session.
  async entries(session: string): Promise<Entry[]> {
    return (await this.api('GET', `/api/session/${session}/entries?limit=1000`)).entries;
  }

  async runs(): Promise<{ run_id: string; verb: string; outcome: string | null; exit_code: number | null }[]> {
    return (await this.api('GET', '/api/pve/runs')).runs;
  }

  // Carries turns through, one after the other, as a script would.
  async turns(session: string, ...prompts: string[]): Promise<void> {
    for (const prompt of prompts) {
      const answer = await this.api('POST', `/api/session/${session}/prompt`, { prompt });
      expect(answer).toEqual({ status: 'started' });
      await this.idle(session);
    }
  }

  // Waits until the session lets the next turn in.
  async idle(session: string): Promise<void> {
    const active = async () => (await this.sessions()).find(({ id }) => id === session)?.turn_active;
    await expect.poll(active, { timeout: 40_000, intervals: [20, 20, 50, 100] }).toBe(false);
  }
}

const GO = 'go';

// A PATH on which these commands of the target wait until the console's `release`.
function hanging(folder: string, commands: string[]): Environment {
  if (commands.length === 0) return {};
  const programs = path.join(folder, 'hanging');
  mkdirSync(programs);
  for (const command of commands) {
    const real = execFileSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).trim();
    const words = `#!/bin/sh\nuntil [ -e '${path.join(folder, GO)}' ]; do sleep 0.05; done\nexec ${real} "$@"\n`;
    writeFileSync(path.join(programs, command), words, { mode: 0o755 });
  }
  return { PATH: `${programs}:${process.env.PATH}` };
}

// Each turn has four entries: a prompt, words, its result and its end.
const FILL = `
import json, sqlite3, sys
db, session, count = sqlite3.connect(sys.argv[1]), sys.argv[2], int(sys.argv[3])
first = db.execute('SELECT coalesce(max(id) + 1, 0) FROM entries WHERE session = ?', [session]).fetchone()[0]
def turn(n):
    yield dict(kind='user', text=f'prompt {n}', by='script')
    yield dict(kind='text', text=f'What was found out in turn {n}. ' * (1 + n % 5))
    yield dict(kind='result', is_error=False, result='done', duration_ms=n)
    yield dict(kind='turn_end')
events = (event for n in range(count) for event in turn(n))
for id, event in zip(range(first, first + count), events):
    at = 1763618700000 + id
    row = [session, id, at, event['kind'], json.dumps(dict(id=id, at=at, **event))]
    db.execute('INSERT INTO entries (session, id, at, kind, json) VALUES (?, ?, ?, ?, ?)', row)
db.commit()
`;

async function serve(folder: string, settings: string[], environment: Environment, listen: string) {
  // Hosts that are reached by SSH are no practice.
  const practice = settings.includes('--ssh-config') ? [] : ['--practice'];
  const child = spawn(program, ['serve', ...practice, '--listen', listen, '--data-dir', folder, ...settings], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      API_BEARER_TOKEN: token,
      LEPTOS_SITE_ROOT: process.env.LEPTOS_SITE_ROOT ?? path.join(repository, 'target/site'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let base = '';
  for await (const line of readline.createInterface({ input: child.stdout! })) {
    base ||= /^listening on (.*)$/.exec(line)?.[1] ?? '';
    const link = /^sign in .*: (http.*)$/.exec(line)?.[1];
    if (link) {
      // What it may say later must not block it.
      child.stdout!.resume();
      return { child, base, link };
    }
  }
  throw new Error('the console ended before it printed a sign-in link');
}

// A request as the provider notes it; provider.mjs says what the fields mean.
export type Request = {
  path: string;
  model: string | null;
  api_key: string | null;
  session_id: string | null;
  tools: string[];
  messages: number;
  last_text: string;
  last_tool_result: string | null;
  side: boolean;
  client_gone?: true;
};

// The model's provider, scripted: what it answers stands in the prompt (see `script`).
export class Provider {
  private constructor(
    readonly base: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<Provider> {
    // Its stdin is a pipe: when this process is gone, whatever the reason, it ends too.
    const program = path.join(repository, 'end2end/provider.mjs');
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    for await (const line of readline.createInterface({ input: child.stdout! })) {
      const base = /^provider on (.*)$/.exec(line)?.[1];
      if (base) return new Provider(base, child);
    }
    throw new Error('the provider ended before it listened');
  }

  // The agent's own requests, in the order of their arrival: one for each step of a turn.
  async requests(): Promise<Request[]> {
    const all: Request[] = await (await fetch(`${this.base}/log`)).json();
    return all.filter((request) => request.path === '/v1/messages' && !request.side);
  }

  // Opens a gate, for what waits there and for all that comes later.
  async release(gate: string): Promise<void> {
    await this.post(`/release/${gate}`);
  }

  // Waits until an answer is held at a gate.
  async held(gate: string): Promise<void> {
    const waiting = async () => (await fetch(`${this.base}/waiting`)).json();
    await expect.poll(waiting, { timeout: 40_000, intervals: [20, 20, 50, 100] }).toContain(gate);
  }

  // Sets the script for prompts that hold none, such as a preset's.
  async answerOthers(...steps: unknown[]): Promise<void> {
    await this.post('/default', { steps });
  }

  end(): void {
    this.child.stdin!.end();
  }

  private async post(where: string, body: unknown = {}): Promise<void> {
    const answer = await fetch(this.base + where, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${where}: ${await answer.text()}`);
  }
}

// A prompt that makes the provider answer its turn by these steps; provider/script.mjs says what a step is.
export const script = (...steps: unknown[]): string => `SCRIPT ${JSON.stringify({ steps })}`;

// The processes on this machine whose command line holds these words.
export function processes(words: string): string {
  try {
    return execFileSync('pgrep', ['-f', words], { encoding: 'utf8' });
  } catch {
    // It exits with 1 when there are none.
    return '';
  }
}

function remove(folder: string): void {
  // What a killed console's host script or agent still writes there may come in between.
  rmSync(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 100 });
}

// Opens the link from the terminal and presses the button, as a person does.
export async function signIn(page: Page, console: Console): Promise<void> {
  await page.goto(console.signInLink);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.locator('#composer')).toBeVisible();
}

export async function hydrated(page: Page): Promise<void> {
  await expect(page.locator('html[data-hydrated]')).toBeAttached();
}

// Signs in and opens a new session's page, brought to life and attached.
export async function openSession(page: Page, console: Console): Promise<string> {
  await signIn(page, console);
  const id = await console.open();
  await page.goto(`${console.base}/s/${id}`);
  await hydrated(page);
  await expect(lamp(page)).toHaveText(id.slice(0, 8));
  return id;
}

// Holds the page's program back, as a bad network does, until the answer is called.
export async function holdProgram(context: BrowserContext): Promise<() => void> {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await context.route('**/pkg/*.wasm', async (route) => {
    await held;
    await route.continue();
  });
  return release;
}

export const lamp = (page: Page): Locator => page.locator('.lamp-words');
// What the lamp says while nobody answers: first that it tries again, then that nothing came of it.
export const linkDown = /^(reconnecting|no answer)$/;
export const field = (page: Page): Locator => page.getByRole('textbox', { name: 'Prompt' });
export const sendButton = (page: Page): Locator => page.locator('.composer').getByRole('button', { name: 'Send' });
export const stopButton = (page: Page): Locator => page.locator('.composer').getByRole('button', { name: 'Stop' });
export const toast = (page: Page): Locator => page.locator('.toast');
// The row of a verb that asks before it acts.
export const verb = (page: Page, name: string): Locator =>
  page.locator('#vm .confirm > summary').filter({ hasText: new RegExp(`^${name}`) });
export const preset = (page: Page, name: string): Locator =>
  page.getByRole('group', { name: 'Presets' }).getByRole('button', { name, exact: true });

export async function send(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await sendButton(page).click();
}

// Opens the lines into which the tools of a turn that is over were folded.
export async function unfold(page: Page): Promise<void> {
  const folded = page.locator('.tools > details:not([open]) > summary');
  while ((await folded.count()) > 0) await folded.first().click();
}

// The session whose page is open.
export const sessionOf = (page: Page): string => new URL(page.url()).pathname.replace('/s/', '');

// What a page must not do goes into `errors`.
export function watch(page: Page, errors: string[]): void {
  page.on('pageerror', (error) => errors.push(`pageerror: ${error}`));
  page.on('console', (message) => {
    // What the tests' own settings keep from running says so.
    if (message.text() === 'Service Worker registration blocked by Playwright') return;
    // A violation of the content security policy is reported here too.
    if (message.type() === 'error' || message.type() === 'warning') errors.push(`console: ${message.text()}`);
  });
}

// A picture of one grey point.
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==', 'base64');

// Gives a picture for every screenshot. Without script a browser fetches one as soon as it stands in the page.
export async function showPictures(page: Page): Promise<void> {
  await page.route('**/api/pve/captures/*/screenshot', (route) => route.fulfill({ contentType: 'image/png', body: PNG }));
}

// Takes out of the list what a browser itself says of requests that a test made fail.
export function forgiveLostRequests(errors: string[]): void {
  const provoked = /^console: Failed to load resource: (net::ERR_|the server responded with a status of (401|404|50[234]))/;
  const left = errors.filter((error) => !provoked.test(error));
  errors.splice(0, errors.length, ...left);
}

type Fixtures = {
  folder: string;
  settings: string[];
  environment: Environment;
  // Commands of the target that wait until the console's `release`, so that a turn is as slow as its test needs it.
  hangs: string[];
  console: Console;
  errors: string[];
};

export const test = base.extend<Fixtures>({
  settings: [[], { option: true }],
  environment: [{}, { option: true }],
  hangs: [[], { option: true }],
  folder: async ({}, use) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'breakglass-'));
    await use(folder);
    remove(folder);
  },
  console: async ({ folder, settings, environment, hangs }, use) => {
    const console = await Console.start(folder, settings, { ...environment, ...hanging(folder, hangs) });
    await use(console);
    await console.kill();
  },
  // It needs the console so that it is looked at before the console is killed.
  errors: [
    async ({ page, console: _, javaScriptEnabled }, use) => {
      const errors: string[] = [];
      watch(page, errors);
      await use(errors);
      // Without script the program is fetched beforehand and never used, on which the browser remarks.
      const unused = /^console: The resource .* was preloaded using link preload but not used/;
      if (!javaScriptEnabled) errors.splice(0, errors.length, ...errors.filter((error) => !unused.test(error)));
      expect(errors).toEqual([]);
    },
    { auto: true },
  ],
});

const claude = process.env.BREAKGLASS_CLAUDE_BIN ?? path.join(repository, 'end2end/node_modules/.bin/claude');

// The key that the console has for the provider: nothing else here may hold it.
export const apiKey = 'sk-ant-a-key-for-tests';

// `leave` says what the agent may do before it asks.
type AgentFixtures = { provider: Provider; leave: 'autonomous' | 'ask' };

export const agentTest = test.extend<AgentFixtures>({
  leave: ['autonomous', { option: true }],
  provider: async ({}, use) => {
    const provider = await Provider.start();
    await use(provider);
    provider.end();
  },
  settings: async ({ provider, leave }, use) => {
    const agent = ['--backend', 'claude', '--claude-bin', claude, '--permissions', leave];
    await use([...agent, '--agent-env', `ANTHROPIC_BASE_URL=${provider.base}`]);
  },
  // The CLI refuses to act without asking as root, unless it is told that it is in a box.
  environment: { ANTHROPIC_API_KEY: apiKey, IS_SANDBOX: '1' },
});

export { expect };
