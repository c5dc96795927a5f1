// Stands between a browser and the console and hears what goes wrong in a page, in every browser alike: it hands everything
// on as it comes, and puts one script of its own before all others, which tells of errors, of what is written to the
// browser's console, and of violations of the content security policy.
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export type Told = { kind: 'page' | 'error' | 'console' | 'violation'; words: string };

const SCRIPT = `
const tell = (kind, words) => navigator.sendBeacon('/witness', JSON.stringify({ kind, words: String(words).slice(0, 500) }));
addEventListener('error', (event) => tell('error', event.message ?? event.target.outerHTML), true);
addEventListener('unhandledrejection', (event) => tell('error', event.reason));
document.addEventListener('securitypolicyviolation', (event) => tell('violation', [event.violatedDirective, event.blockedURI, event.sample].join(' ')));
for (const level of ['error', 'warn']) {
  const own = console[level];
  console[level] = (...words) => { tell('console', words.join(' ')); own.apply(console, words); };
}
tell('page', location.pathname);
`;

export class Witness {
  private constructor(
    private readonly server: http.Server,
    // What was told, in the order of its arrival.
    readonly told: Told[],
  ) {}

  static async before(console: string): Promise<Witness> {
    const told: Told[] = [];
    const server = http.createServer((request, response) => {
      if (request.url === '/witness.js') return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(SCRIPT);
      if (request.url === '/witness') return void hear(request, response, told);
      handOn(new URL(console), request, response);
    });
    await new Promise<void>((listens) => server.listen(0, '127.0.0.1', listens));
    return new Witness(server, told);
  }

  get base(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  // All that went wrong.
  get trouble(): Told[] {
    return this.told.filter(({ kind }) => kind !== 'page');
  }

  end(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

async function hear(request: http.IncomingMessage, response: http.ServerResponse, told: Told[]): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  told.push(JSON.parse(Buffer.concat(pieces).toString()));
  response.writeHead(204).end();
}

function handOn({ hostname, port }: URL, request: http.IncomingMessage, response: http.ServerResponse): void {
  const { method, url, headers } = request;
  const isPage = headers.accept?.includes('text/html');
  // What is to be changed must be readable.
  if (isPage) delete headers['accept-encoding'];
  const onward = http.request({ hostname, port, method, path: url, headers }, async (answer) => {
    if (!isPage || !answer.headers['content-type']?.startsWith('text/html')) {
      response.writeHead(answer.statusCode!, answer.headers);
      return void answer.pipe(response);
    }
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece);
    const html = Buffer.concat(pieces).toString().replace('<head>', '<head><script src="/witness.js"></script>');
    delete answer.headers['content-length'];
    response.writeHead(answer.statusCode!, answer.headers).end(html);
  });
  onward.on('error', () => response.destroy());
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}
