// A turn that ended, or one that waits for a person, is told to who looks elsewhere: in the page's title, on the app's icon
// and, where they asked for it, by a notification. And while one runs the screen stays on.
import { find, isSeen, kept } from './page.js';
import { isBusy, onTurn } from './turn.js';

const DECIDE = '● decide — ';
const ENDED = '○ ended — ';

const box = find('.waiting');
let waits = !!find('.waiting > *');
let ended = false;
/** @type {WakeLockSentinel | undefined} */
let awake;

const bare = () => document.title.replace(/^[●○] \w+ — /, '');

/** Says it in the title and on the icon. */
function mark() {
  const title = (waits ? DECIDE : ended ? ENDED : '') + bare();
  if (document.title !== title) document.title = title;
  if (!isSeen() && (waits || ended)) navigator.setAppBadge?.().catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
}

/** @param {string} body */
async function tell(body) {
  mark();
  if (isSeen() || !kept('tell') || self.Notification?.permission !== 'granted') return;
  const worker = await navigator.serviceWorker?.getRegistration();
  const data = location.origin + location.pathname;
  worker?.showNotification(bare(), { body, data, tag: data, icon: '/icon-192.png', badge: '/icon-maskable-192.png' });
}

async function stayAwake() {
  if (isBusy() && isSeen() && navigator.wakeLock) {
    // A battery that is nearly empty says no.
    if (!awake || awake.released) awake = await navigator.wakeLock.request('screen').catch(() => undefined);
  }
  if (!isBusy()) awake?.release();
}

onTurn(({ ended: now }) => {
  stayAwake();
  if (!now) return;
  ended = !isSeen();
  tell('The turn has ended.');
});

if (box)
  new MutationObserver(() => {
    const before = waits;
    waits = !!find('.waiting > *');
    if (waits && !before) tell('The agent waits for your decision.');
    else mark();
  }).observe(box, { childList: true });

document.addEventListener('visibilitychange', async () => {
  if (isSeen()) ended = false;
  mark();
  stayAwake();
  if (!isSeen()) return;
  const worker = await navigator.serviceWorker?.getRegistration();
  for (const told of (await worker?.getNotifications()) ?? []) told.close();
});
