// What lies over the page, the VM sheet and the settings, opens and closes by its address. What an address cannot do: a
// Close that leaves nothing behind for Back, a dialog that keeps the keyboard, a confirmation that comes into sight.
import { find } from './page.js';

const SETTINGS = '#settings';
/** Without script a recommended verb has an address of its own inside of the sheet. */
const SHEET = /^#(vm$|do-)/;
const side = matchMedia('(min-width: 900px)');
/** @type {HTMLDialogElement | null} */
const settings = find(SETTINGS);

/** @param {string} hash */
const lies = (hash) => hash === SETTINGS || (SHEET.test(hash) && !side.matches);

/** True while the page without it is the entry before this one in the history. */
let opened = false;

/** Closes what lies over the page, and says whether anything did. */
export function close() {
  if (!lies(location.hash)) return false;
  if (opened) history.back();
  else location.replace('#console');
  return true;
}

/** Opens the settings; from the sheet they take its place. */
export function openSettings() {
  if (lies(location.hash)) location.replace(SETTINGS);
  else location.hash = SETTINGS;
}

function sync() {
  if (!settings?.showModal) return;
  if (location.hash !== SETTINGS) settings.close();
  else if (!settings.open) settings.showModal();
}

addEventListener('hashchange', ({ oldURL }) => {
  opened = lies(location.hash) && (opened || !lies(new URL(oldURL).hash));
  sync();
});
// A browser closes a dialog by itself too: by its own Back, or when it is asked twice.
settings?.addEventListener('close', () => location.hash === SETTINGS && close());

/** @param {Element} element */
const intoSight = (element) => element.scrollIntoView({ block: 'end' });

document.addEventListener('click', (event) => {
  const at = /** @type {Element} */ (event.target);
  const verb = at.closest('a[data-opens]')?.getAttribute('data-opens');
  const fold = at.closest('details.confirm > summary')?.parentElement;
  if (at === settings || at.closest('#vm a[href="#console"], #settings a[href="#console"]')) {
    event.preventDefault();
    close();
  } else if (verb) {
    event.preventDefault();
    const details = find(`#confirm-${verb}`);
    if (details) {
      details.open = true;
      intoSight(details);
    }
    find(`#summary-${verb}, #run-${verb}`)?.focus();
  } else if (fold) {
    // It has opened by then.
    setTimeout(() => fold.hasAttribute('open') && intoSight(fold));
  }
});
sync();
