// The island on an order's page: it shows changes as they come, ticks, and asks the gateway when
// "paid" does not show. Without it the page reloads by itself.

const tale = document.getElementById("tale");
const said = document.getElementById("said");
const here = new URL(tale.dataset.here, location.href);
const POLL_MS = 3000, SILENCE_MS = 6000, ASK_AGAIN_MS = 10000;
const REST_MS = 15000; // a person may still give money back when all is over

let source = null, polling = 0, asking = 0, ahead = 0;

const article = () => tale.querySelector("article");
const over = () => article().hasAttribute("data-final");

function address(name) {
  const url = new URL(here);
  url.pathname += "/" + name;
  url.searchParams.set("seen", article().dataset.version);
  if (article().dataset.asked) url.searchParams.set("asked", article().dataset.asked);
  return url;
}

function show(html) {
  const before = tale.querySelector("h1").textContent;
  const held = tale.contains(document.activeElement) && document.activeElement.className;
  const was = over();
  tale.innerHTML = html;
  // A fragment comes without knowing when it will be read: only a new title is read aloud.
  const title = tale.querySelector("h1").textContent;
  if (title !== before) said.textContent = title;
  if (held) tale.querySelector("." + held.split(" ").join("."))?.focus();
  begin();
  if (over() !== was) listen();
}

function begin() {
  ahead = Number(article().dataset.now) - Date.now();
  tick();
  clearTimeout(asking);
  if (article().dataset.ask) asking = setTimeout(ask, Number(article().dataset.ask));
}

async function ask() {
  asking = setTimeout(ask, ASK_AGAIN_MS);
  const url = new URL(here);
  url.pathname += "/check";
  await fetch(url, { method: "POST", redirect: "manual" }).catch(() => {});
}

function listen() {
  stop();
  if (document.hidden) return;
  if (over()) return poll(REST_MS);
  const mine = source = new EventSource(address("live"));
  // Some proxies hold events back without a word: then look for changes instead.
  const silence = setTimeout(() => { if (source === mine) poll(); }, SILENCE_MS);
  source.addEventListener("here", () => clearTimeout(silence));
  source.addEventListener("order", (event) => show(event.data));
  source.onerror = () => { if (source?.readyState === EventSource.CLOSED) poll(); };
}

async function look() {
  const answer = await fetch(address("fragment")).catch(() => null);
  if (answer?.status === 200) show(await answer.text());
}

function poll(every = POLL_MS) {
  stop();
  polling = setInterval(look, every);
}

function stop() {
  source?.close();
  source = null;
  clearInterval(polling);
}

function tick() {
  const now = Date.now() + ahead;
  for (const clock of tale.querySelectorAll("[data-until]")) {
    const left = Math.max(0, Math.ceil((Number(clock.dataset.until) - now) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    clock.hidden = false;
    clock.closest("[data-ticks]")?.removeAttribute("hidden");
  }
  for (const later of tale.querySelectorAll("[data-after]")) {
    later.hidden = now < Number(later.dataset.after);
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    stop();
    clearTimeout(asking);
    return;
  }
  begin();
  listen();
  if (over()) look();
});
addEventListener("pagehide", stop);
setInterval(tick, 500);
begin();
listen();
