// The settings that a browser has to be asked for: the ground's colour at once, notifications, the app on the home screen.
import { find, keep, kept, root } from './page.js';

/** @param {string} theme */
function setTheme(theme) {
  const auto = theme === 'auto';
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = `breakglass_theme=${theme}; Path=/; SameSite=Strict; Max-Age=${auto ? 0 : 31536000}${secure}`;
  if (auto) delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const scheme of ['dark', 'light']) {
    const media = auto ? `(prefers-color-scheme: ${scheme})` : theme === scheme ? 'all' : 'not all';
    find(`#ground-${scheme}`).setAttribute('media', media);
  }
  find('meta[name=color-scheme]').content = auto ? 'dark light' : theme;
  for (const button of document.querySelectorAll('[name=theme]')) {
    button.setAttribute('aria-pressed', String(button.getAttribute('value') === theme));
  }
}

find('#theme')?.addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  if (event.submitter) setTheme(/** @type {HTMLButtonElement} */ (event.submitter).value);
});

const tellSwitch = find('#tell');

/** Shows whether this device tells; a browser that was told no has to be told otherwise by its own settings. */
function showTell() {
  const permission = self.Notification?.permission;
  find('#tell-row').hidden = !permission || !navigator.serviceWorker;
  find('#tell-denied').hidden = permission !== 'denied';
  tellSwitch.disabled = permission === 'denied';
  tellSwitch.checked = permission === 'granted' && !!kept('tell');
}

if (tellSwitch) {
  showTell();
  tellSwitch.addEventListener('change', async () => {
    const granted = tellSwitch.checked && (await Notification.requestPermission()) === 'granted';
    keep('tell', granted ? 'yes' : '');
    showTell();
  });
}

/** @type {any} */
let offer;
const install = find('#install');

function showInstall() {
  // Only there it is false: a browser on an iPhone, which installs by hand alone.
  const byHand = /** @type {any} */ (navigator).standalone === false;
  install.hidden = !!kept('no-install') || !(offer || byHand);
  find('#install-now').hidden = !offer;
  find('#install-by-hand').hidden = !!offer;
}

if (install) {
  showInstall();
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    offer = event;
    showInstall();
  });
  addEventListener('appinstalled', () => {
    offer = undefined;
    showInstall();
  });
  find('#install-now').addEventListener('click', () => {
    offer?.prompt();
    offer = undefined;
    showInstall();
  });
  find('#install-never').addEventListener('click', () => {
    keep('no-install', 'yes');
    showInstall();
  });
}
