// The console's island. Where a page has regions with data-live, a stream says when something
// changed; the page is fetched again then, and regions whose version differs are shown. Forms are
// sent in the background, so that an answer that is lost can be asked for again with the same key;
// passkeys. Without it every page works by plain forms and reloads.

const LOOK_MS = 5000, WAIT_MS = 1000, WAIT_MAX_MS = 60000;
const main = () => document.getElementById("main");
const said = (text) => { document.getElementById("said").textContent = text; };

async function page(url, options) {
  const answer = await fetch(url, options);
  const type = answer.headers.get("content-type") ?? "";
  if (!type.startsWith("text/html")) throw new Error(type);
  // The style of that answer has another nonce than this page: it would be refused aloud.
  const text = (await answer.text()).replace(/<style[^]*?<\/style>/, "");
  return [answer, new DOMParser().parseFromString(text, "text/html")];
}

async function look() {
  const [answer, fresh] = await page(location.href).catch(() => [null]);
  if (!answer?.ok) return false;
  put(fresh);
  return true;
}

// Regions that changed. One in which somebody types waits until they are done.
const waiting = new Map();

function put(fresh) {
  for (const now of fresh.querySelectorAll("[data-live]")) {
    const region = document.getElementById(now.id);
    waiting.delete(now.id);
    if (!region || now.dataset.live === region.dataset.live) continue;
    const within = region.contains(document.activeElement) && document.activeElement;
    if (within && within.matches("input, textarea, select")) {
      waiting.set(now.id, now);
      continue;
    }
    const open = [...region.querySelectorAll("details[open]")].map((one) => one.id);
    region.replaceWith(document.adoptNode(now));
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (within && within.id) document.getElementById(within.id)?.focus();
    if (now.dataset.says) said(now.dataset.says);
  }
}

document.addEventListener("focusout", () => setTimeout(() => {
  const held = document.createElement("div");
  held.append(...waiting.values());
  if (waiting.size) put(held);
}));

function strip(text, place) {
  said(text);
  const line = document.querySelector(".notice.away") ?? document.createElement("p");
  line.className = "notice bad away";
  line.textContent = text;
  place === main() ? place.prepend(line) : place.before(line);
}

function show(answer, fresh) {
  if (!fresh.getElementById("main") || !fresh.querySelector("body." + document.body.className)) {
    location.assign(answer.url);
    return;
  }
  // A browser that has a focus already complains of one that comes with new content.
  const place = fresh.querySelector("[autofocus]");
  if (place) { place.removeAttribute("autofocus"); place.dataset.focus = ""; }
  for (const part of ["main", ".top", ".tabs"]) {
    const now = fresh.querySelector(part), old = document.querySelector(part);
    if (now && old) old.replaceWith(document.adoptNode(now));
  }
  document.title = fresh.title;
  if (answer.redirected) history.pushState({ ours: true }, "", answer.url);
  const first = main().querySelector("[role=alert], [role=status]") ??
    main().querySelector("[data-focus]") ?? main().querySelector("h1");
  if (first && !first.matches("input, button, textarea")) first.tabIndex = -1;
  first?.focus();
  scrollTo(0, 0);
  begin();
}

document.addEventListener("submit", async (event) => {
  const form = event.target, button = event.submitter;
  // A form with a file, or one that changes the page's style, is sent as a browser sends it.
  const plain = form.enctype === "multipart/form-data";
  if (form.method !== "post" || plain || form.closest(".gate, .leave")) return;
  event.preventDefault();
  if (form.dataset.sent) return;
  form.dataset.sent = "1";
  button?.setAttribute("aria-busy", "true");
  const body = new URLSearchParams(new FormData(form, button));
  try {
    show(...(await page(form.action, { method: "POST", body })));
  } catch {
    strip(main().dataset.offline, form);
    delete form.dataset.sent;
    button?.removeAttribute("aria-busy");
  }
});

async function create(button) {
  const asked = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(button.dataset.create));
  const made = await navigator.credentials.create({ publicKey: asked }).catch(() => null);
  if (!made) return;
  button.form.elements.passkey.value = JSON.stringify(made.toJSON());
  button.form.requestSubmit();
}

async function passkey(button) {
  const asked = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(button.dataset.passkey));
  const shown = await navigator.credentials.get({ publicKey: asked }).catch(() => null);
  if (!shown) return;
  button.form.elements.passkey.value = JSON.stringify(shown.toJSON());
  button.form.noValidate = true;
  button.form.requestSubmit();
}

function begin() {
  follow();
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest" });
  const zone = document.querySelector("[data-zone]");
  if (zone) {
    zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;
    const usual = { Kolkata: "INR", Calcutta: "INR", Moscow: "RUB" }[zone.value.split("/")[1]];
    zone.form.elements.currency.value = usual ?? (/^Am/.test(zone.value) ? "USD" : "EUR");
  }
  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
  }
  for (const button of document.querySelectorAll("[data-create]")) {
    button.hidden = !window.PublicKeyCredential?.parseCreationOptionsFromJSON;
    button.onclick = () => create(button);
  }
  for (const button of document.querySelectorAll("[data-passkey]")) {
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) continue;
    button.hidden = false;
    button.onclick = () => passkey(button);
  }
}

document.addEventListener("click", async (event) => {
  const from = event.target.dataset?.copy;
  if (!from) return;
  await navigator.clipboard.writeText(document.getElementById(from).textContent);
  said(event.target.dataset.says);
  event.target.textContent = event.target.dataset.says;
});

let stream, again, wait = WAIT_MS;

function follow() {
  stream?.close();
  clearTimeout(again);
  if (document.hidden || !document.querySelector("[data-live]")) return;
  // A page that names a stream of its own is sent its regions by it.
  const own = document.querySelector("[data-stream]")?.dataset.stream;
  const at = new URL(own ?? "/console/live", location.href);
  at.searchParams.set("seen", main().dataset.version);
  stream = new EventSource(at);
  stream.onopen = () => { wait = WAIT_MS; };
  stream.addEventListener("here", () => document.dispatchEvent(new Event("heard")));
  stream.addEventListener("parts", ({ data }) => {
    const end = data.indexOf("\n");
    main().dataset.version = data.slice(0, end);
    put(new DOMParser().parseFromString(data.slice(end), "text/html"));
    document.dispatchEvent(new Event("heard"));
  });
  stream.onmessage = async (event) => {
    if (await look()) main().dataset.version = event.data;
    else stream.onerror();
  };
  stream.addEventListener("over", () => {
    stream.close();
    strip(main().dataset.over, main());
  });
  stream.onerror = () => {
    stream.close();
    again = setTimeout(follow, wait * (1 + Math.random()));
    wait = Math.min(2 * wait, WAIT_MAX_MS);
  };
}

// A region with data-look is looked at all the time: something is happening there.
function lookAgain() {
  const wanted = [...document.querySelectorAll("[data-look]")].map((one) => +one.dataset.look);
  const due = wanted.length && !document.hidden;
  setTimeout(async () => { if (due) await look(); lookAgain(); }, Math.min(LOOK_MS, ...wanted));
}

document.addEventListener("look", look);
addEventListener("popstate", () => location.reload());
lookAgain();
document.addEventListener("visibilitychange", follow);
navigator.serviceWorker?.register("/console/worker.js", { scope: "/console" });
begin();
