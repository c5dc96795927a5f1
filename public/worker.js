// The service worker. It keeps what is the same for everybody: the app's own files, whose names are hashes of their content,
// the icons, and the page that is shown where there is no way to the console. No page behind the sign-in is ever kept.
const KEPT = 'breakglass-1';
const OFFLINE = ['/offline.html', '/offline.js', '/favicon.svg', '/icon-192.png'];
// Of how many builds files are kept: style, glue and program each.
const FILES = 6;

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(OFFLINE)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(old());
});

async function file(request) {
  const kept = await caches.open(KEPT);
  const found = await kept.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok && answer.type === 'basic') {
    await kept.put(request, answer.clone());
    const files = (await kept.keys()).filter(({ url }) => url.includes('/pkg/'));
    for (const older of files.slice(0, -FILES)) await kept.delete(older);
  }
  return answer;
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate') {
    event.respondWith(fetch(request).catch(async () => (await caches.match('/offline.html')) ?? Response.error()));
  } else if (pathname.startsWith('/pkg/') || OFFLINE.includes(pathname)) {
    event.respondWith(file(request));
  }
});
