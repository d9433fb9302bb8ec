/*! Rekindle’s notifications, for the service worker of a store’s pages; docs/on-site.md says how. MIT licence. */
self.addEventListener('push', (event) => {
  let message = null;
  try {
    message = event.data.json();
  } catch {
    // It is not ours: the store’s worker may send some of its own.
  }
  if (!message?.tag || !message.url) return;
  const { title, text, url, language, direction, tag } = message;
  event.waitUntil(self.registration.showNotification(title, { body: text, lang: language, dir: direction, tag, data: { rekindle: url } }));
});

self.addEventListener('notificationclick', (event) => {
  const url = event.notification.data?.rekindle;
  // One of the store’s own.
  if (!url) return;
  event.notification.close();
  event.waitUntil(self.clients.openWindow(url));
});
