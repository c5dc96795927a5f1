// The list of sessions beside the console, where there is room for it: fetched when it is seen, and again when a turn began
// or ended.
import { find, isSeen } from './page.js';
import { onTurn } from './turn.js';

const wide = matchMedia('(min-width: 1280px)');
const list = find('#side-list');
const search = find('#side input[type=search]');
let asked = 0;

async function fetchList() {
  if (!wide.matches || !isSeen()) return;
  const mine = ++asked;
  const query = new URLSearchParams({ session: find('#composer [name=session]').value, q: search.value });
  const answer = await fetch(`/part/sessions?${query}`).catch(() => undefined);
  // A login page may stand in its place.
  const html = answer?.ok && answer.headers.has('x-breakglass-part') && (await answer.text());
  if (!html || mine !== asked) return;
  const at = document.activeElement;
  const here = list.contains(at) && at?.getAttribute('href');
  list.innerHTML = html;
  for (const time of list.querySelectorAll('time')) {
    const format = /** @type {const} */ ({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false });
    time.textContent = new Date(Number(time.dataset.created)).toLocaleString(undefined, format);
  }
  if (here) list.querySelector(`[href="${here}"]`)?.focus();
}

if (list) {
  let typed = 0;
  search.addEventListener('input', () => {
    clearTimeout(typed);
    typed = setTimeout(fetchList, 200);
  });
  onTurn(() => void fetchList());
  wide.addEventListener('change', fetchList);
  document.addEventListener('visibilitychange', fetchList);
  fetchList();
}
