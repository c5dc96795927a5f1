// Which answer a request gets. A prompt chooses its own: it holds `SCRIPT {"steps": […]}`, with any text before and
// after it, and the n-th request of its turn gets the n-th step. The conversation itself says how far a turn has come,
// so a resumed conversation goes on where it was, and many sessions can run at once.
//
// A step is a list of blocks, or an object:
//
//     {"blocks": […], "stop_reason"?, "delay_ms"?, "usage"?, "headers"?}      an answer
//     {"status": 429, "type": "rate_limit_error", "message": "…", "headers"?}  an HTTP error
//     {"stall": "headers" | "start" | "middle"}                                held until the client goes
//     {"drop": "middle"}                                                       the connection closes in mid-stream
//     {"error": "middle"}                                                      an `error` event in mid-stream
//
// The last four fail: with `"times": N` so often, after which the next step answers, else always. Those that fail in
// the middle may have `blocks` too: the client gets all of them, but the last one is never finished. (When a connection
// closes, the CLI tells only what it had read until then: a hold at the end of the last block lets a test see to that.)
//
// A block is one of
//
//     {"text": "…"}  {"thinking": "…"}    a list in place of the words: its pieces are sent one by one, and a
//                                         {"hold": "NAME"} among them waits for its gate
//     {"bash": "COMMAND", …}              what else is there is further input
//     {"tool": "NAME", "input": {…}}
//     {"hold": "NAME"}                    waits between two blocks
//
// `{{last_tool_result}}` in a text is replaced by the newest tool result of the request: what the model would see.
// A turn that is past its last step, and a prompt without a script, get the text `OK.`

const OK = [{ text: 'OK.' }];

export class Scripts {
  #default = { steps: [OK] };
  // How often each failing step has failed, in each turn of each conversation.
  #failures = new Map();

  setDefault(script) {
    this.#default = checked(script);
    return {};
  }

  forget() {
    this.#default = { steps: [OK] };
    this.#failures.clear();
  }

  // The step that answers these messages of that conversation.
  step(messages, session) {
    const { script, answered, earlier } = this.#turn(messages);
    const turn = JSON.stringify([session, earlier, script]);
    let before = 0;
    for (const [place, step] of script.steps.entries()) {
      if (!fails(step)) {
        if (before === answered) return Array.isArray(step) ? { blocks: step } : step;
        before += 1;
        // A failure leaves no message behind, so it counts only for what is asked at its own place.
      } else if (before === answered && this.#failsAgain(`${place} of ${turn}`, step)) {
        return step;
      }
    }
    return { blocks: OK };
  }

  #failsAgain(key, { times = Infinity }) {
    const failed = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failed + 1);
    return failed < times;
  }

  // The running turn's script, how many answers the turn has had, and how many messages of the agent are older.
  #turn(messages) {
    let answered = 0;
    let script = this.#default;
    let place = messages.length - 1;
    for (; place >= 0; place -= 1) {
      // Neighbouring messages of the agent are one answer: the CLI may keep each block as a message of its own.
      if (messages[place].role === 'assistant' && messages[place + 1]?.role !== 'assistant') answered += 1;
      const said = words(messages[place]);
      // A prompt whose turn left no answer behind stands in one message with the next prompt, which counts; what was
      // said during a turn all counts.
      const counts = messages[place].role === 'user' ? said.slice(-1) : said;
      const found = counts.map(scriptIn).findLast((script) => script);
      if (found) script = found;
      if (found || (said.length > 0 && opensTurn(messages, place))) break;
    }
    const earlier = messages.slice(0, Math.max(place, 0)).filter(({ role }) => role === 'assistant').length;
    return { script, answered, earlier };
  }
}

// Whether the user's words at `place` begin a turn. Those that were sent into a running one do not: the agent has just
// used a tool and will go on.
function opensTurn(messages, place) {
  if (texts(messages[place]).some((text) => text.startsWith('[Request interrupted'))) return true;
  const before = messages.slice(0, place).findLast(({ role }) => role === 'assistant');
  return !blocks(before).some(({ type }) => type === 'tool_use');
}

function fails(step) {
  return ['status', 'stall', 'drop', 'error'].some((way) => way in step);
}

// The last script in a text. One inside another's strings (the prompt for a sub-agent) is not looked for.
export function scriptIn(text) {
  const opening = /SCRIPT\s*(?=\{)/g;
  let last;
  while (opening.exec(text)) {
    const end = endOfObject(text, opening.lastIndex);
    try {
      last = checked(JSON.parse(text.slice(opening.lastIndex, end)));
    } catch (error) {
      // The test shall see why its script did nothing.
      last = { steps: [[{ text: `the scripted provider cannot read this script: ${error.message}` }]] };
    }
    opening.lastIndex = end;
  }
  return last;
}

function checked(script) {
  if (!Array.isArray(script?.steps)) throw new Error('it has no list `steps`');
  return script;
}

// Where the JSON object ends that begins at `start`.
function endOfObject(text, start) {
  // A string with its escapes, or a brace.
  const parts = /"(?:[^"\\]|\\.)*"|[{}]/gs;
  parts.lastIndex = start;
  let depth = 0;
  for (let part; (part = parts.exec(text)); ) {
    if (part[0] === '{') depth += 1;
    if (part[0] === '}') depth -= 1;
    if (depth === 0) return parts.lastIndex;
  }
  return text.length;
}

function blocks(message) {
  const content = message?.content ?? [];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function texts(message) {
  return blocks(message)
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text);
}

// What the user said in a message, without what the CLI adds on its own.
function words(message) {
  if (message.role === 'user') return texts(message).filter((text) => !OF_THE_CLI.test(text));
  if (message.role !== 'system') return [];
  // What was said during a turn comes in a message of the system, each in a frame of its own.
  return texts(message).flatMap((text) => [...text.matchAll(SAID_MEANWHILE)].map(([, said]) => said));
}

const OF_THE_CLI = /^\s*(<system-reminder>|Output token limit hit\.)/;
const SAID_MEANWHILE =
  /(?<=^|\n\n)The user sent a new message while you were working:\n([^]*?)(?=\n\nThis is how Claude |$)/g;

// The newest words of the user; empty when there are none.
export function lastText(messages) {
  return messages.flatMap(words).at(-1) ?? '';
}

// The newest tool result as text, or null.
export function lastToolResult(messages) {
  const result = messages.flatMap(blocks).findLast(({ type }) => type === 'tool_result');
  return result ? texts(result).join('\n') : null;
}
