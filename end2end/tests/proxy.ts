// What stands between a phone and its console in the wild, and does one of the things that they do.
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export type Mode =
  // Hands everything on as it comes.
  | 'honest'
  // Hands a stream's headers on, and its bytes when it has ended.
  | 'buffers'
  // Hands on what fits, and cuts the stream off in the middle of a line; each time somewhere else.
  | 'cuts'
  // Answers that nobody is there.
  | '502'
  // The sign-in is over: sends every request to a login at another site, or answers with a login page itself.
  | '302'
  | 'login';

export class Proxy {
  // How many streams were asked for.
  streams = 0;
  private mode: Mode = 'honest';
  private readonly open = new Set<http.IncomingMessage>();
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: http.Server,
    private readonly console: URL,
  ) {
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    server.on('request', (request, response) => this.answer(request, response));
  }

  static async before(base: string): Promise<Proxy> {
    const server = http.createServer();
    await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
    return new Proxy(server, new URL(base));
  }

  get base(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  // From now on it does this; what it had open is gone.
  becomes(mode: Mode): void {
    this.mode = mode;
    for (const socket of this.sockets) socket.destroy();
  }

  // What it has open stays open, and nothing comes of it any more.
  fallSilent(): void {
    for (const stream of this.open) stream.pause();
    this.open.clear();
  }

  end(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const html = { 'content-type': 'text/html; charset=utf-8' };
    if (this.mode === '502') return void response.writeHead(502, html).end('<h1>Bad gateway</h1>');
    if (this.mode === '302') return void response.writeHead(302, { location: 'http://login.invalid/?next=x' }).end();
    if (this.mode === 'login') return void response.writeHead(200, html).end('<h1>Sign in</h1><form></form>');
    const { hostname, port } = this.console;
    const { method, url: path, headers } = request;
    const onward = http.request({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      if (!answer.headers['content-type']?.startsWith('text/event-stream')) return void answer.pipe(response);
      this.streams += 1;
      this.open.add(answer);
      answer.on('error', () => response.destroy());
      if (this.mode === 'buffers') {
        response.flushHeaders();
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('end', () => response.end(Buffer.concat(pieces)));
        return;
      }
      // A prime, so that it is never at the same place of a frame; and more each time, so that it gets on.
      let left = this.mode === 'cuts' ? 97 * this.streams : Infinity;
      let cut = false;
      answer.on('data', (piece: Buffer) => {
        if (cut) return;
        response.write(piece.subarray(0, Math.max(left, 0)));
        left -= piece.length;
        cut = left <= 0;
        // A browser throws away what it has not read yet when a connection breaks, so it is given the time to.
        if (cut) setTimeout(() => response.destroy(), 150);
      });
      answer.on('end', () => response.end());
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }
}
