// A scripted stand-in for the model's provider: enough of the Anthropic Messages API for the real Claude Code CLI, on a
// free port of this machine's own. The Rust tests, the browser tests and the benchmark all use this one.
//
//     node provider.mjs        prints `provider on http://127.0.0.1:PORT`; ends when its stdin does, so that a test
//                              that dies leaves nothing behind
//
// What it answers stands in the prompt itself: `SCRIPT {"steps": […]}`, see provider/script.mjs. Control:
//
//     GET  /log            what was asked, in the order of arrival (see `noted` below)
//     POST /default        {"steps": […]}: the script for prompts that hold none
//     POST /release/NAME   opens a gate: what waits at it goes on, and what comes later passes
//     GET  /waiting        the names of the gates at which an answer is held now
//     POST /reset          as it was at the start: no log, no default, every gate shut; who waits goes on waiting
import http from 'node:http';
import { answer } from './provider/answer.mjs';
import { Gates } from './provider/gates.mjs';
import { lastText, lastToolResult, Scripts } from './provider/script.mjs';

const gates = new Gates();
const scripts = new Scripts();
let log = [];

// One line of the log. `at_ms` is the Unix time at which the request's head was here; `input_tokens` is our own
// estimate, a token for four bytes; `side` marks what is no turn of the agent (it offers no tools), such as the
// question for a title; `client_gone` stands there only when the client hung up before its answer was complete.
function noted(request, at, bytes, body) {
  const messages = body.messages ?? [];
  const system = typeof body.system === 'string' ? [body.system] : (body.system ?? []).map(({ text }) => text ?? '');
  return {
    at_ms: at,
    method: request.method,
    path: new URL(request.url, 'http://provider').pathname,
    model: body.model ?? null,
    api_key: request.headers['x-api-key'] ?? request.headers.authorization ?? null,
    session_id: request.headers['x-claude-code-session-id'] ?? null,
    stream: body.stream === true,
    tools: (body.tools ?? []).map(({ name }) => name),
    messages: messages.length,
    last_text: lastText(messages),
    last_tool_result: lastToolResult(messages),
    system_chars: system.join('').length,
    body_bytes: bytes.length,
    input_tokens: Math.ceil(bytes.length / 4),
    side: !body.tools?.length,
  };
}

const server = http.createServer(async (request, response) => {
  const at = performance.timeOrigin + performance.now();
  const pieces = [];
  try {
    for await (const piece of request) pieces.push(piece);
  } catch {
    // It hung up before it had asked anything.
    return;
  }
  const bytes = Buffer.concat(pieces);
  try {
    const body = bytes.length ? JSON.parse(bytes) : {};
    if (!control(request, response, body)) await api(noted(request, at, bytes, body), response, body);
  } catch (error) {
    // What a test sent is no JSON, or no script: it shall hear so, and the others go on.
    console.error(`provider: ${error.stack}`);
    if (response.headersSent) response.destroy();
    else json(response, 400, failure('invalid_request_error', `the scripted provider: ${error.message}`));
  }
});

// Whether the request was one of the test's own, and then it has been answered.
function control(request, response, body) {
  const [call, name] = [`${request.method} ${request.url.split('/')[1]}`, request.url.split('/')[2]];
  if (call === 'GET log') json(response, 200, log);
  else if (call === 'GET waiting') json(response, 200, gates.waiting());
  else if (call === 'POST release' && name) json(response, 200, gates.open(decodeURIComponent(name)));
  else if (call === 'POST default') json(response, 200, scripts.setDefault(body));
  else if (call === 'POST reset') {
    log = [];
    gates.shut();
    scripts.forget();
    json(response, 200, {});
  } else return false;
  return true;
}

async function api(entry, response, body) {
  log.push(entry);
  const gone = new AbortController();
  response.on('close', () => {
    if (response.writableFinished || response.droppedByUs) return;
    entry.client_gone = true;
    gone.abort();
  });
  const call = `${entry.method} ${entry.path}`;
  if (call === 'POST /v1/messages') {
    const step = entry.side ? titled : scripts.step(body.messages ?? [], entry.session_id);
    await answer(response, step, { body, inputTokens: entry.input_tokens, gates, gone: gone.signal });
  } else if (call === 'POST /v1/messages/count_tokens') json(response, 200, { input_tokens: entry.input_tokens });
  else if (call === 'GET /v1/models') json(response, 200, models);
  else if (call === 'HEAD /') response.end();
  else json(response, 404, failure('not_found_error', `the scripted provider has no ${call}`));
}

// What side requests get: a title where one was asked for, a short text in any case.
const titled = { blocks: [{ text: '{"title": "A scripted title"}' }] };

const models = {
  data: ['claude-opus-5-5', 'claude-sonnet-5-5'].map((id) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: '2026-01-01T00:00:00Z',
  })),
  has_more: false,
  first_id: 'claude-opus-5-5',
  last_id: 'claude-sonnet-5-5',
};

function failure(type, message) {
  return { type: 'error', error: { type, message } };
}

function json(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

// A connection that is kept for the next request is never closed from here: that could cross with the request.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`provider on http://127.0.0.1:${server.address().port}\n`);
});
for (const end of ['end', 'close', 'error']) process.stdin.on(end, () => process.exit(0));
process.stdin.resume();
