// Debian's WebKit, by the WebDriver protocol: WebKitWebDriver drives the MiniBrowser, which wants a display (Xvfb).
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { size, type Browser } from './browser';

// The protocol's own name for a reference to an element.
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

export async function webkit(): Promise<Browser> {
  const home = mkdtempSync(path.join(tmpdir(), 'breakglass-webkit-'));
  const display = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1280x1024x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await firstLine(display, display.stdio[3] as NodeJS.ReadableStream);
  // Nothing of the person's own is read or written, and nothing is drawn by a GPU.
  const env = { PATH: process.env.PATH, HOME: home, DISPLAY: `:${number}`, NO_AT_BRIDGE: '1', LIBGL_ALWAYS_SOFTWARE: '1' };
  const { driver, call } = await webDriver(env);
  const options = { binary: miniBrowser(), args: ['--automation', '--private'] };
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': options } };
  const { sessionId } = await call('POST', '/session', { capabilities });
  const at = `/session/${sessionId}`;
  await call('POST', `${at}/window/rect`, size);
  const value = (expression: string) => call('POST', `${at}/execute/sync`, { script: `return (${expression})`, args: [] });
  const found = async (element: string) => {
    const reference = await value(element);
    if (!reference) throw new Error(`not in the page: ${element}`);
    return `${at}/element/${reference[ELEMENT]}`;
  };
  return {
    go: (to) => call('POST', `${at}/url`, { url: to }),
    reload: () => call('POST', `${at}/refresh`, {}),
    value,
    press: async (element) => call('POST', `${await found(element)}/click`, {}),
    type: async (element, text) => call('POST', `${await found(element)}/value`, { text }),
    end: async () => {
      await call('DELETE', at);
      for (const child of [driver, display]) await ended(child);
      rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

type Call = (method: string, where: string, body?: unknown) => Promise<any>;

// A WebKitWebDriver on a port of its own. It chooses none itself, and another process can take one in between.
async function webDriver(env: NodeJS.ProcessEnv): Promise<{ driver: ChildProcess; call: Call }> {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const driver = spawn('WebKitWebDriver', [`--port=${port}`], { env, stdio: 'ignore' });
  const call: Call = async (method, where, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${where}`, { method, body: body && JSON.stringify(body) });
    const { value } = (await answer.json()) as { value: any };
    if (!answer.ok) throw new Error(`${method} ${where}: ${value.error}: ${value.message}`);
    return value;
  };
  while (driver.exitCode === null) {
    try {
      await call('GET', '/status');
      return { driver, call };
    } catch {
      await new Promise((later) => setTimeout(later, 20));
    }
  }
  throw new Error('WebKitWebDriver ended: install webkit2gtk-driver');
}

function miniBrowser(): string {
  const folders = readdirSync('/usr/lib').map((folder) => path.join('/usr/lib', folder));
  const programs = ['webkit2gtk-4.1', 'webkitgtk-6.0', 'webkit2gtk-4.0'].flatMap((version) =>
    folders.map((folder) => path.join(folder, version, 'MiniBrowser')),
  );
  const program = programs.find((file) => existsSync(file));
  if (!program) throw new Error('there is no MiniBrowser of WebKitGTK: install webkit2gtk-driver');
  return program;
}

async function firstLine(child: ChildProcess, from: NodeJS.ReadableStream): Promise<string> {
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const lines = readline.createInterface({ input: from });
  const line = new Promise<string>((resolve, reject) => {
    lines.once('line', resolve);
    child.once('exit', () => reject(new Error('the display ended before it began')));
  });
  return Promise.race([line, failed]);
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  if (child.kill()) await gone;
}
