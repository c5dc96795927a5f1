// What the lamp says of a turn, told to those who want to know.
import { find } from './page.js';

/** @typedef {{ busy: boolean, ended: boolean, back: boolean }} News */

/** Where the link is well. */
const WELL = /^(attached|working|stopping)$/;

const lamp = find('.lamp');
/** @type {((news: News) => void)[]} */
const watchers = [];
let state = lamp?.dataset.state;
let busy = false;
/** True while the link is lost, also on the way back. */
let away = false;

/** True while a turn runs, as far as is known. */
export const isBusy = () => busy;

/**
 * Tells of each change: whether a turn runs now, whether one has just ended, whether the link has just come back.
 * @param {(news: News) => void} watcher
 */
export const onTurn = (watcher) => watchers.push(watcher);

function look() {
  if (state === lamp.dataset.state) return;
  state = lamp.dataset.state;
  if (!WELL.test(state)) {
    // A link that is lost says nothing of the turn.
    away ||= state !== 'connecting';
    return;
  }
  const wasBusy = busy;
  const back = away;
  busy = state !== 'attached';
  away = false;
  for (const watcher of watchers) watcher({ busy, ended: wasBusy && !busy, back });
}

if (lamp) new MutationObserver(look).observe(lamp, { attributeFilter: ['data-state'] });
