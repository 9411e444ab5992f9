// The board behind a counter: it plays a sound, keeps the screen awake, says when it cannot, counts
// the minutes, and tells the server that it is there. console.js keeps the page itself new.

const HERE_MS = 8000, SOUND_MS = 4000, LOOK_MS = 20000, CLOCK_MS = 5000;
const QUIET_MS = 15000, LATE_MS = 25000;
const bar = () => document.getElementById("shift");
const cards = () => [...document.querySelectorAll("[data-order]")];

// A tablet's own clock may be wrong: minutes are counted by the server's.
const ahead = Date.now() - Date.parse(document.querySelector("[data-now]")?.dataset.now ?? Date());

let audio, lock, began = false, heardAt = Date.now(), lookedAt = heardAt, wasAway = false,
  touchedAt = 0;
// What was there when the page opened plays none, until its time asks for that again.
const repeats = new Map(cards().map((card) => [card.dataset.order, card.dataset.repeated]));
let known = new Set(repeats.keys());
const sounding = new Set(), touched = new Set(), cancelled = new Set();
let clockWas = -1;

// Sound is on only while the clock of the audio moves: a locked phone stops it without a word.
function isOn() {
  return began && audio?.state === "running";
}

async function wake() {
  if (!began) return;
  audio ??= new AudioContext();
  if (audio.state !== "running") await audio.resume().catch(() => {});
  if (document.hidden || (lock && !lock.released)) return;
  lock = await navigator.wakeLock?.request("screen").catch(() => null);
}

function tone(at, hz, seconds, shape) {
  const note = audio.createOscillator(), loud = audio.createGain();
  note.type = shape;
  note.frequency.value = hz;
  loud.gain.setValueAtTime(0.0001, audio.currentTime + at);
  loud.gain.exponentialRampToValueAtTime(0.9, audio.currentTime + at + 0.02);
  loud.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + at + seconds);
  note.connect(loud).connect(audio.destination);
  note.start(audio.currentTime + at);
  note.stop(audio.currentTime + at + seconds);
}

function play(what) {
  bar()?.setAttribute("data-played", `${what} ${Date.now()}`);
  if (!isOn()) return;
  if (what === "cancelled") [523, 392, 262].forEach((hz, n) => tone(n * 0.3, hz, 0.28, "sine"));
  else [784, 1047, 784, 1047].forEach((hz, n) => tone(n * 0.18, hz, 0.16, "triangle"));
}

// Sounds for what is new until somebody accepts it; what an order's time asks for again, too.
function compare() {
  const now = new Map(cards().map((card) => [card.dataset.order, card.dataset]));
  for (const [order, { stage, repeated }] of now) {
    if (stage !== "PLACED") sounding.delete(order);
    else if (!known.has(order) || repeated !== repeats.get(order)) sounding.add(order);
    repeats.set(order, repeated);
  }
  for (const order of sounding) if (!now.has(order)) sounding.delete(order);
  for (const line of document.querySelectorAll("[data-ended=CANCELLED]")) {
    const order = line.dataset.was;
    if (known.has(order) && !now.has(order) && !cancelled.has(order)) {
      cancelled.add(order);
      play("cancelled");
    }
  }
  const kitchen = bar()?.hasAttribute("data-kitchen"); // there whatever is accepted is new
  const fresh = [...(kitchen ? now.keys() : sounding)].some((order) => !known.has(order));
  known = new Set([...known, ...now.keys()]);
  if (!fresh || !began) return;
  play("new");
  here();
}

// Whoever works at the board just now has a moment before it sounds again.
function sound() {
  if (sounding.size && began && Date.now() - touchedAt > QUIET_MS) play("new");
}

function write(where, text) {
  if (where.textContent !== text) where.textContent = text;
}

function minutes() {
  for (const card of cards()) {
    const { since, slow, late } = card.dataset, tag = card.querySelector("[data-minutes]");
    if (!tag) continue;
    const past = Math.max(0, Math.floor((Date.now() - ahead - Date.parse(since)) / 60000));
    write(tag, tag.dataset.minutes.replace("{minutes}", past));
    const is = past >= +late ? "late" : past >= +slow ? "slow" : "";
    card.classList.toggle("late", is === "late");
    card.classList.toggle("slow", is === "slow");
    tag.className = `tag ${{ late: "bad", slow: "warn" }[is] ?? "good"}`;
  }
}

// Without the network the board goes on showing what it knows, says so, and offers no step.
function away(is) {
  if (is !== wasAway) {
    wasAway = is;
    if (!is) lookNow();
  }
  const line = document.getElementById("away");
  if (line) {
    line.hidden = !is;
    const at = new Date(heardAt);
    write(line.querySelector("time"), at.toLocaleTimeString([], { timeStyle: "short" }));
  }
  for (const form of document.querySelectorAll("#main form")) form.inert = is;
}

async function here() {
  const token = document.querySelector("#main [name=form_token]")?.value;
  if (!token) return;
  const shift = began && !document.hidden && !bar()?.hasAttribute("data-kitchen") ? 1 : "";
  const body = new URLSearchParams({ form_token: token, shift });
  for (const card of cards()) body.append("shown", card.dataset.order);
  for (const order of touched) body.append("touched", order);
  try {
    const answer = await fetch("/console/board/here", { method: "POST", body });
    if (answer.status >= 500) throw new Error(answer.status);
    heardAt = Date.now();
    if (answer.ok) touched.clear();
    away(false);
    if (heardAt - lookedAt > LOOK_MS) lookNow(); // a proxy may hold the stream back
  } catch {
    away(!navigator.onLine || Date.now() - heardAt > LATE_MS);
  }
}

function lookNow() {
  lookedAt = Date.now();
  document.dispatchEvent(new Event("look"));
}

function show() {
  const one = bar();
  if (!one) return;
  const is = !began ? "before" : isOn() ? "on" : "off";
  if (one.dataset.is !== is) one.dataset.is = is;
  if (wasAway) away(true);
  minutes();
}

function touch(event) {
  if (event.target.closest?.("[data-shift]")) {
    began = true;
    wake().then(() => { play("new"); here(); show(); });
  }
  touchedAt = Date.now();
  if (began) for (const card of cards()) touched.add(card.dataset.order);
  wake().then(show);
}

// Six digits are sent by themselves; a scanner types into the first field there is.
function typed(field) {
  if (/^\d{6}$/.test(field.value)) field.form.requestSubmit(field.form.querySelector("button.go"));
}

document.addEventListener("pointerdown", (event) => {
  touch(event);
  if (event.target.closest?.("[data-digit]")) event.preventDefault(); // the field keeps its focus
}, true);
document.addEventListener("focusin", ({ target }) => {
  if (target.name === "code" && matchMedia("(pointer: coarse)").matches) target.inputMode = "none";
});
document.addEventListener("click", (event) => {
  const key = event.target.closest?.("[data-digit]");
  if (!key) return;
  const field = key.closest("form").elements.code;
  field.value = key.dataset.digit ? field.value + key.dataset.digit : field.value.slice(0, -1);
  typed(field);
});
document.addEventListener("input", (event) => {
  if (event.target.name === "code") typed(event.target);
});
document.addEventListener("keydown", (event) => {
  touch(event);
  const writes = event.target.closest?.("input, textarea, select");
  const held = event.ctrlKey || event.metaKey || event.altKey;
  if (writes || held || !/^[0-9]$/.test(event.key)) return;
  document.querySelector("[name=code]")?.focus();
}, true);
// What the numbers are is said until somebody has tapped one at this tablet.
const KNOWS = "knows-ticks";

function knows(now) {
  try {
    if (now) localStorage.setItem(KNOWS, "1");
    if (localStorage.getItem(KNOWS)) document.documentElement.classList.add(KNOWS);
  } catch {
    // a browser that keeps nothing goes on saying it
  }
}

document.addEventListener("click", ({ target }) => { if (target.closest?.(".tick")) knows(true); });
document.addEventListener("heard", () => { lookedAt = Date.now(); });
document.addEventListener("visibilitychange", () => wake().then(show));
addEventListener("online", here);
addEventListener("offline", () => away(true));
new MutationObserver(() => { compare(); show(); }).observe(document.body, {
  childList: true, subtree: true,
});

knows(false);
setInterval(here, HERE_MS);
setInterval(() => { wake().then(show); sound(); }, SOUND_MS);
setInterval(() => {
  if (isOn() && audio.currentTime === clockWas) audio.suspend().then(() => audio.resume());
  clockWas = audio?.currentTime ?? -1;
  show();
}, CLOCK_MS);
compare();
show();
here();
