// Shows notices about orders, and opens their pages. It keeps nothing.

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    return;
  }
  const { title, body, tag, url, lang } = told;
  event.waitUntil(registration.showNotification(title, { body, tag, lang, data: { url } }));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const own = new URL(event.notification.data.url, location.origin);
  if (own.origin === location.origin) event.waitUntil(clients.openWindow(own.href));
});
