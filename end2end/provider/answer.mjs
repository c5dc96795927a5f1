// How a step goes over the wire: as server-sent events, or as one JSON object where the client wants no stream.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { lastToolResult } from './script.mjs';

const HALF = [{ text: 'Half of a sentence' }];

// Answers a request by a step; the request's answer is complete, or its client gone, when this returns.
export async function answer(response, step, asked) {
  try {
    if (step.delay_ms) await delay(step.delay_ms, undefined, { signal: asked.gone });
    if (step.status) return refuse(response, step.status, step.type, step.message, step.headers);
    if (step.stall === 'headers') await never(asked.gone);
    const message = new Message(step, asked);
    await (asked.body.stream ? stream(response, step, message, asked) : whole(response, step, message, asked));
  } catch (error) {
    if (!asked.gone.aborted) throw error;
  }
}

// The answer that a step stands for, before it takes a form.
class Message {
  constructor(step, { body, inputTokens }) {
    const result = lastToolResult(body.messages) ?? '';
    const failing = step.stall || step.drop || step.error;
    this.blocks = (step.blocks ?? (failing ? HALF : [])).map((block) => made(block, result));
    const calls = this.blocks.some(({ type }) => type === 'tool_use');
    this.stop = step.stop_reason ?? (calls ? 'tool_use' : 'end_turn');
    this.usage = {
      input_tokens: inputTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      output_tokens: Math.ceil(JSON.stringify(this.blocks).length / 4),
      ...step.usage,
    };
    this.head = { id: named('msg'), type: 'message', role: 'assistant', model: body.model };
  }
}

// A block as the script has it → {type, pieces, …}; `pieces` are words and holds, in their order.
function made(block, result) {
  if (block.hold) return { type: 'hold', pieces: [block] };
  const words = block.text ?? block.thinking;
  if (words !== undefined) {
    const type = block.text === undefined ? 'thinking' : 'text';
    // Words that the script does not cut come in pieces all the same, as a model's do.
    const pieces = Array.isArray(words) ? words.map((piece) => filled(piece, result)) : cut(filled(words, result));
    return { type, pieces };
  }
  const { bash, tool, ...more } = block;
  const name = tool ?? 'Bash';
  const input = bash === undefined ? (block.input ?? {}) : { command: bash, ...more };
  return { type: 'tool_use', id: named('toolu'), name, input, pieces: cut(JSON.stringify(input)) };
}

function filled(piece, result) {
  return piece.hold ? piece : piece.replaceAll('{{last_tool_result}}', () => result);
}

// At most 32 pieces, none of which splits a character.
function cut(words) {
  const characters = [...words];
  const length = Math.max(12, Math.ceil(characters.length / 32));
  const starts = Array.from({ length: Math.ceil(characters.length / length) }, (_, place) => place * length);
  return starts.map((start) => characters.slice(start, start + length).join(''));
}

async function stream(response, step, message, { gates, gone }) {
  const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };
  response.writeHead(200, { ...headers, ...step.headers });
  response.flushHeaders();
  if (step.stall === 'start') await never(gone);
  const event = async (type, data) => {
    const room = response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
    if (!room) await once(response, 'drain', { signal: gone });
  };
  const begun = { content: [], stop_reason: null, stop_sequence: null, usage: { ...message.usage, output_tokens: 1 } };
  await event('message_start', { message: { ...message.head, ...begun } });
  await event('ping', {});
  const last = message.blocks.findLast(({ type }) => type !== 'hold');
  let index = 0;
  for (const block of message.blocks) {
    if (block.type === 'hold') {
      await gates.pass(block.pieces[0].hold, gone);
      continue;
    }
    await event('content_block_start', { index, content_block: opening(block) });
    for (const piece of block.pieces) {
      if (piece.hold) await gates.pass(piece.hold, gone);
      else await event('content_block_delta', { index, delta: delta(block.type, piece) });
    }
    if (block === last && (await broken(response, step, event, gone))) return;
    if (block.type === 'thinking') {
      await event('content_block_delta', { index, delta: { type: 'signature_delta', signature: SIGNATURE } });
    }
    await event('content_block_stop', { index });
    index += 1;
  }
  const { output_tokens } = message.usage;
  await event('message_delta', { delta: { stop_reason: message.stop, stop_sequence: null }, usage: { output_tokens } });
  await event('message_stop', {});
  response.end();
}

// Breaks the stream off if the step says so.
async function broken(response, step, event, gone) {
  if (step.stall) await never(gone);
  if (step.drop) {
    drop(response);
    return true;
  }
  if (step.error) {
    await event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
    response.end();
  }
  return Boolean(step.error);
}

// The same as one object. There is no middle here: what would break there breaks at once.
async function whole(response, step, message, { gates, gone }) {
  if (step.stall) await never(gone);
  if (step.drop) return drop(response);
  if (step.error) return refuse(response, 529, 'overloaded_error', 'Overloaded');
  for (const { hold } of message.blocks.flatMap(({ pieces }) => pieces)) if (hold) await gates.pass(hold, gone);
  const content = message.blocks.filter(({ type }) => type !== 'hold').map(finished);
  const end = { content, stop_reason: message.stop, stop_sequence: null, usage: message.usage };
  response.writeHead(200, { 'content-type': 'application/json', ...step.headers });
  response.end(JSON.stringify({ ...message.head, ...end }));
}

// Those who check signatures of thoughts are not here; the CLI only sends them back.
const SIGNATURE = 'c2NyaXB0ZWQ=';

function opening({ type, id, name }) {
  if (type === 'text') return { type, text: '' };
  if (type === 'thinking') return { type, thinking: '', signature: '' };
  return { type, id, name, input: {} };
}

function delta(type, piece) {
  if (type === 'text') return { type: 'text_delta', text: piece };
  if (type === 'thinking') return { type: 'thinking_delta', thinking: piece };
  return { type: 'input_json_delta', partial_json: piece };
}

function finished({ type, id, name, input, pieces }) {
  const words = pieces.filter((piece) => !piece.hold).join('');
  if (type === 'text') return { type, text: words };
  if (type === 'thinking') return { type, thinking: words, signature: SIGNATURE };
  return { type, id, name, input };
}

function refuse(response, status, type = 'api_error', message = 'scripted', headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ type: 'error', error: { type, message } }));
}

// Closes the connection with what was written on its way, and nothing after it: no last chunk, no goodbye.
function drop(response) {
  response.droppedByUs = true;
  response.socket.end();
}

// Ends only with the client.
async function never(gone) {
  await once(gone, 'abort');
  gone.throwIfAborted();
}

function named(kind) {
  return `${kind}_${randomUUID().replaceAll('-', '')}`;
}
