// Keys: Enter sends, `/` goes to the field, `?` shows the keys, Escape closes or stops.
import { find } from './page.js';
import { close, openSettings } from './sheet.js';

/** How long after something was closed Escape still means that, in milliseconds: it is pressed twice in a hurry. */
const SAME_ESCAPE = 1000;

let closedAt = -SAME_ESCAPE;

/** Folds the confirmation that is open, and says whether one was. */
function fold() {
  const details = find('[data-hold][open]');
  if (!details) return false;
  details.open = false;
  details.querySelector('summary').focus();
  return true;
}

/**
 * Escape closes what is open. Where nothing is, it stops the turn, unless it may have been meant for something else: a draft
 * that stands in the field, a decision that waits, what it closed a moment ago.
 * @param {KeyboardEvent} event
 */
function escape(event) {
  if (close() || fold()) {
    event.preventDefault();
    closedAt = event.timeStamp;
  } else if (!event.repeat && !find('#prompt')?.value && !find('.waiting > *') && event.timeStamp - closedAt > SAME_ESCAPE) {
    find('.stop:enabled')?.click();
  }
}

document.addEventListener('keydown', (event) => {
  const at = /** @type {Element} */ (event.target);
  // Enter that ends a word of an input method is no Enter.
  if (event.isComposing || event.defaultPrevented) return;
  if (event.key === 'Escape') return escape(event);
  if (event.key === 'Enter' && !event.shiftKey && at.id === 'prompt') {
    event.preventDefault();
    find('.send')?.click();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || at.closest('textarea, select, input:not([type=checkbox], [type=radio])')) return;
  if (event.key === '?') openSettings();
  else if (event.key === '/' && !find('dialog[open]')) find('#prompt')?.focus();
  else return;
  event.preventDefault();
});

// The app's shortcut to a preset shows where it is, and runs nothing: what runs is tapped.
const preset = new URLSearchParams(location.search).get('preset');
if (preset) {
  history.replaceState(null, '', location.pathname + location.hash);
  const chip = find(`[name=preset][value="${CSS.escape(preset)}"]`);
  chip?.scrollIntoView({ inline: 'center', block: 'nearest' });
  chip?.focus();
  chip?.setAttribute('data-meant', '');
}
