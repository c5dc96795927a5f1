// A real sshd on a free port of this machine's own, with a key for whoever runs the tests: a target and a hypervisor that
// are reached as in earnest, and that can have another host key from one moment to the next.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

export class Sshd {
  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private child: ChildProcess,
  ) {}

  static async start(folder: string): Promise<Sshd> {
    mkdirSync(folder);
    const port = await freePort();
    const at = (name: string) => path.join(folder, name);
    makeKey(at('host_key'));
    makeKey(at('client_key'));
    // As root it wants a folder that only its service unit makes.
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
    const sshd = [
      `ListenAddress 127.0.0.1`, `Port ${port}`, `HostKey ${at('host_key')}`, `AuthorizedKeysFile ${at('client_key.pub')}`,
      'PidFile none', 'StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password', 'UseDNS no', 'PrintMotd no', 'PrintLastLog no',
    ];
    writeFileSync(at('sshd_config'), sshd.join('\n') + '\n');
    const ssh = [
      'Host devvm pve', '  HostName 127.0.0.1', `  Port ${port}`, `  User ${userInfo().username}`,
      `  IdentityFile ${at('client_key')}`, '  IdentitiesOnly yes', '  IdentityAgent none', '  BatchMode yes',
    ];
    writeFileSync(at('ssh_config'), ssh.join('\n') + '\n');
    return new Sshd(folder, port, await listen(folder));
  }

  // The console's settings by which both of its hosts are this one.
  get settings(): string[] {
    return ['--ssh-config', path.join(this.folder, 'ssh_config'), '--host-keys', 'pin'];
  }

  // Another host key, as a machine has that was installed anew.
  async changeHostKey(): Promise<void> {
    await this.end();
    for (const name of ['host_key', 'host_key.pub']) rmSync(path.join(this.folder, name));
    makeKey(path.join(this.folder, 'host_key'));
    this.child = await listen(this.folder);
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    await ended;
  }
}

async function listen(folder: string): Promise<ChildProcess> {
  const program = ['/usr/sbin/sshd', '/usr/bin/sshd', '/usr/local/sbin/sshd'].find((file) => existsSync(file));
  if (!program) throw new Error('these tests need sshd: install openssh-server');
  const child = spawn(program, ['-D', '-e', '-f', path.join(folder, 'sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said: string[] = [];
  for await (const line of readline.createInterface({ input: child.stderr! })) {
    said.push(line);
    if (!line.includes('Server listening on')) continue;
    child.stderr!.resume();
    return child;
  }
  throw new Error(`sshd did not start: ${said.join('\n')}`);
}

function makeKey(file: string): void {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', file]);
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
