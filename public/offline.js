// The page where there is no way to the console: shows what this device kept of the session, how old it is, and goes back as
// soon as the console answers. All that was kept is text, and is shown as text.
const theme = /breakglass_theme=(dark|light)/.exec(document.cookie)?.[1];
if (theme) document.documentElement.dataset.theme = theme;

const session = /^\/s\/([0-9a-f-]{36})$/.exec(location.pathname)?.[1];
const byId = (id) => document.getElementById(id);

const DOWN = 'The console does not answer: it is down, or there is no way to it from this network. The page comes back by itself when it answers.';
const OFFLINE = 'This device has no network. The page comes back by itself when there is one.';

function kept() {
  const all = Object.keys(localStorage).filter((name) => name.startsWith('breakglass:kept:'));
  const mine = all.find((name) => name === `breakglass:kept:${session}`);
  if (session && !mine) return undefined;
  const parts = (mine ? [mine] : all).map((name) => [name.slice(16), localStorage.getItem(name).split('\u001e')]);
  return parts.sort(([, one], [, other]) => Number(other[0]) - Number(one[0]))[0];
}

function ago(millis) {
  const minutes = Math.round(millis / 60_000);
  if (minutes < 2) return `${Math.round(millis / 1000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function show() {
  const found = kept();
  if (!found) return;
  const [id, [at, vm, ...rows]] = found;
  const time = new Date(Number(at)).toLocaleString();
  byId('age').textContent = `What this device saw last, ${ago(Date.now() - at)} ago (${time}). It may have changed since.`;
  byId('age').hidden = false;
  byId('vm').textContent = vm;
  byId('vm').hidden = !vm;
  const draft = localStorage.getItem(`breakglass:draft:${id}`);
  byId('draft').textContent = `Not sent yet: ${draft}`;
  byId('draft').hidden = !draft;
  const unsent = Object.keys(localStorage).filter((name) => name.startsWith(`breakglass:out:${id}:`)).length;
  byId('unsent').textContent = unsent === 1 ? 'One prompt was not answered. It is sent when the console is back.' : `${unsent} prompts were not answered. They are sent when the console is back.`;
  byId('unsent').hidden = !unsent;
  byId('rows').replaceChildren(
    ...rows.filter(Boolean).map((row) => {
      const [look, text] = row.split('\u001f');
      const item = document.createElement('li');
      item.className = look;
      item.textContent = text;
      return item;
    }),
  );
}

async function look() {
  try {
    if ((await fetch('/health', { cache: 'no-store' })).ok) location.reload();
  } catch {
    const lamp = navigator.onLine ? 'no answer' : 'no network';
    if (byId('lamp').textContent === lamp) return;
    byId('lamp').textContent = lamp;
    byId('lamp').parentElement.dataset.state = navigator.onLine ? 'down' : 'offline';
    byId('why').textContent = navigator.onLine ? DOWN : OFFLINE;
  }
}

show();
byId('again').addEventListener('click', () => location.reload());
addEventListener('online', look);
setInterval(look, 3_000);
look();
