// The worker of a machine's screen: a tablet that is switched on without a network shows the page
// that it had last, whose script says at once that there is no network. What the server answers is
// always preferred.
const KEPT = registration.scope;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

// The page and its script, as they are shown now: the first visit came before this worker.
addEventListener("message", (event) => {
  const wanted = event.data.keep;
  event.waitUntil((async () => {
    const cache = await caches.open(KEPT);
    await cache.addAll(wanted);
    const old = (await cache.keys()).filter((one) => !wanted.includes(one.url));
    await Promise.all(old.map((one) => cache.delete(one)));
  })().catch(() => {}));
});

async function answer(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await (await caches.open(KEPT)).match(request, { ignoreVary: true });
    if (kept) return kept;
    throw error;
  }
}

addEventListener("fetch", (event) => {
  const { method, mode, destination } = event.request;
  if (method !== "GET" || (mode !== "navigate" && destination !== "script")) return;
  event.respondWith(answer(event.request));
});
