// The service worker. It keeps what is the same for everybody: the app's own files, whose names are hashes of their content,
// the icons, and the page that is shown where there is no way to the console. No page behind the sign-in is ever kept.
//
// A newer one waits until a page lets it take over: a page of the same build does so at once, another one when its person
// taps Reload.

// The files of this worker's build, named when it is built.
const BUILD = ['BUILD'];
const OFFLINE = ['/offline.html', '/offline.js', '/favicon.svg', '/icon-192.png'];
const KEPT = 'breakglass-2';

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll([...BUILD, ...OFFLINE])));
});

self.addEventListener('message', ({ data }) => {
  if (data === 'take over') self.skipWaiting();
});

self.addEventListener('activate', (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
    const kept = await caches.open(KEPT);
    for (const request of await kept.keys()) {
      const { pathname } = new URL(request.url);
      if (![...BUILD, ...OFFLINE].includes(pathname)) await kept.delete(request);
    }
    await self.clients.claim();
  };
  event.waitUntil(old());
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (request.mode === 'navigate') {
    event.respondWith(fetch(request).catch(async () => (await caches.match('/offline.html')) ?? Response.error()));
  } else if (pathname.startsWith('/pkg/') || OFFLINE.includes(pathname)) {
    event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
  }
});

// A notification leads to its session: to the page that shows it, else to a new one.
self.addEventListener('notificationclick', (event) => {
  const { notification } = event;
  notification.close();
  const show = async () => {
    const pages = await self.clients.matchAll({ type: 'window' });
    const page = pages.find(({ url }) => url.split(/[?#]/)[0] === notification.data);
    return page ? page.focus() : self.clients.openWindow(notification.data);
  };
  event.waitUntil(show());
});
