// The console's worker: shows notices, and says "offline" in place of a page that cannot be loaded.
// It keeps nothing: money that was true an hour ago is not shown.

const OFFLINE = {
  en: ["You are offline", "The console needs the server, and shows nothing old.", "Try again"],
  hi: ["आप ऑफ़लाइन हैं", "कंसोल को सर्वर चाहिए, पुराना कुछ नहीं दिखाया जाता।", "फिर कोशिश करें"],
  ru: ["Нет связи", "Консоли нужен сервер: старое она не показывает.", "Попробовать снова"],
};

function offline() {
  const lang = (navigator.language || "en").split("-")[0];
  const [title, lead, again] = OFFLINE[lang] ?? OFFLINE.en;
  const text = `<!doctype html><html lang="${OFFLINE[lang] ? lang : "en"}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${title}</title>
<body style="font: 120%/1.5 system-ui, sans-serif; max-width: 30rem; margin: 15vh auto;
padding: 1rem"><main><h1>${title}</h1><p>${lead}</p><p><a href="" style="color: inherit;
display: inline-block; padding: .8rem 0">${again}</a></p></main></body></html>`;
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  return new Response(text, {
    status: 503,
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy },
  });
}

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("fetch", (event) => {
  const { mode, method } = event.request;
  if (mode !== "navigate" || method !== "GET") return;
  event.respondWith(fetch(event.request).catch(offline));
});

addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    return;
  }
  const { title, body, tag, url, lang } = told;
  event.waitUntil(registration.showNotification(title, {
    body, tag, lang, icon: "/console/icon-192.png", badge: "/console/icon-192.png", data: { url },
  }));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = event.notification.data;
  const own = new URL(url, location.origin);
  const to = own.origin === location.origin ? own.href : "/console";
  event.waitUntil(clients.openWindow(to));
});
