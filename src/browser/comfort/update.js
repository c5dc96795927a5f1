// The service worker, and the offer of a new version: where the console has another build than this page, a bar says so. It
// is never in the way of a turn, and nothing is loaded anew before somebody taps it.
import { find, isSeen } from './page.js';
import { isBusy, onTurn } from './turn.js';

/** How old an answer may be before a page that is looked at again asks, in milliseconds. */
const OLD = 600_000;

const bar = find('#update');
const mine = [...document.querySelectorAll('[href^="/pkg/"], [src^="/pkg/"]')].map(
  (element) => element.getAttribute('href') ?? element.getAttribute('src') ?? '',
);
let stale = false;
let later = false;
let askedAt = Date.now();

function offerUpdate() {
  const shown = stale && !later && !isBusy();
  if (!shown === bar.hidden) return;
  // It stands above the controls and pushes the transcript up; so it covers nothing.
  if (shown) find('.controls').prepend(bar);
  bar.hidden = !shown;
}

/** Asks whether the console still has the files of this page: its worker names those that it has. */
async function ask() {
  askedAt = Date.now();
  try {
    const answer = await fetch('/worker.js', { cache: 'no-store' });
    const names = answer.ok ? await answer.text() : '';
    // Something else may answer in the console's place.
    if (names.includes('/pkg/')) stale = !mine.every((name) => names.includes(name));
  } catch {}
  offerUpdate();
}

/** A worker that waits takes over where this page is of its build; else Reload lets it. */
async function settle() {
  const waiting = (await navigator.serviceWorker.getRegistration())?.waiting;
  if (!waiting) return;
  await ask();
  if (!stale) waiting.postMessage('take over');
}

if (bar) {
  onTurn(({ back }) => (back ? ask() : offerUpdate()));
  document.addEventListener('visibilitychange', () => isSeen() && Date.now() - askedAt > OLD && ask());
  find('#update-later').addEventListener('click', () => {
    later = true;
    offerUpdate();
  });
  find('#update-now').addEventListener('click', async () => {
    (await navigator.serviceWorker?.getRegistration())?.waiting?.postMessage('take over');
    location.reload();
  });
  // What the page itself needs comes first.
  addEventListener('load', async () => {
    try {
      const worker = await navigator.serviceWorker?.register('/worker.js');
      worker?.addEventListener('updatefound', () => worker.installing?.addEventListener('statechange', settle));
      if (worker) settle();
    } catch {}
  });
}
