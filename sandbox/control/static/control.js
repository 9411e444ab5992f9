// Keeps the control page alive: puts in the parts that the feed sends, and sends what is switched.

const said = document.getElementById("said");
const lines = document.getElementById("lines");
const weather = document.getElementById("weather");
const away = document.getElementById("away");
const DROP_MS = 1300;

async function send(path, body) {
  const options = { method: "POST", headers: { "content-type": "application/json" } };
  const answer = await fetch(path, { ...options, body: JSON.stringify(body) }).catch(() => null);
  if (!answer) return null; // away, which the feed tells
  const told = await answer.json();
  if (!answer.ok) said.textContent = told.error;
  return answer.ok ? told : null;
}

function put(part) {
  const old = document.getElementById(part.id);
  if (!old) return;
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const before = old.querySelector("svg[data-drops]")?.dataset.drops;
  old.innerHTML = part.html;
  if (focused) document.getElementById(focused)?.focus();
  const drawing = old.querySelector("svg[data-drops]");
  if (drawing && before !== undefined && Number(drawing.dataset.drops) > Number(before)) {
    fall(part.id, drawing);
  } else if (drawing && falling.has(part.id)) {
    carryOn(part.id, drawing);
  }
}

// A machine is painted anew while its can still falls: the new picture goes on where it was.
const falling = new Map();

function fall(id, drawing) {
  falling.set(id, performance.now());
  drawing.classList.add("drop");
  said.textContent = drawing.getAttribute("aria-label");
  setTimeout(() => {
    falling.delete(id);
    document.querySelector(`#${CSS.escape(id)} svg`)?.classList.remove("drop");
  }, DROP_MS);
}

function carryOn(id, drawing) {
  drawing.classList.add("drop");
  const gone = performance.now() - falling.get(id);
  for (const animation of drawing.getAnimations({ subtree: true })) animation.currentTime = gone;
}

function showFaults(outlet, faults) {
  const form = document.querySelector(`form[data-outlet="${CSS.escape(outlet)}"]`);
  for (const box of form?.querySelectorAll("input") ?? []) box.checked = faults[box.name];
  if (form) form.elements.power_cut_at.value = faults.power_cut_at ?? "";
}

function showSky(sky) {
  for (const input of weather.querySelectorAll("input")) {
    const [part, name] = input.name.split(".");
    if (input === document.activeElement && input.type === "range") continue;
    if (input.type === "checkbox") input.checked = sky[part][name];
    else input.value = sky[part][name];
    tell(input);
  }
  const shares = { ...sky.webhooks, ...sky.api };
  const values = Object.entries(shares).filter(([name]) => !name.endsWith("_ms"));
  const worst = Math.max(...values.map(([, value]) => Number(value)), shares.latency_ms / 3000);
  weather.classList.toggle("rain", worst > 0 && worst < 0.5);
  weather.classList.toggle("storm", worst >= 0.5);
}

function tell(input) {
  const output = input.parentElement.querySelector("output");
  if (!output) return;
  const isTime = input.name.endsWith("_ms");
  output.value = isTime ? `${input.value} ms` : `${Math.round(input.value * 1e2)}%`;
}

function listen() {
  const feed = new EventSource("/events");
  feed.addEventListener("part", (event) => {
    const part = JSON.parse(event.data);
    if (part.html !== undefined) put(part);
    for (const drawing of part.drawings ?? []) put(drawing);
    if (part.faults) showFaults(part.id.replace("drawing-", ""), part.faults);
    if (part.sky) showSky(part.sky);
  });
  feed.addEventListener("line", (event) => {
    const line = JSON.parse(event.data);
    const item = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = line.at;
    item.className = line.tone;
    item.dataset.kind = line.kind;
    item.append(time, " ", line.text);
    lines.prepend(item);
    const same = lines.querySelectorAll(`[data-kind="${line.kind}"]`);
    for (let n = same.length; n > Number(line.kept); n--) same[n - 1].remove();
  });
  feed.addEventListener("open", () => { away.hidden = true; });
  feed.addEventListener("error", () => { away.hidden = false; });
  addEventListener("pagehide", () => feed.close(), { once: true });
}

document.addEventListener("submit", async (event) => {
  const { choose, answer } = event.target.dataset;
  if (choose || answer) event.preventDefault();
  if (choose) {
    const { drink, size } = event.target.elements;
    const wanted = { device: choose, drink: drink.value, size: size.value };
    const shown = await send("/tmetr/screen", wanted);
    if (shown) said.textContent = "The screen shows the code.";
  }
  if (answer) await send("/twilio/answer", { reference: answer, ends: event.submitter.value });
  const code = event.target.dataset.pay;
  if (!code) return;
  event.preventDefault();
  const button = event.target.querySelector("button");
  if (button.ariaDisabled) return;
  button.ariaDisabled = "true";
  const paid = await send("/razorpay/scan", { qr_code_id: code });
  if (paid) said.textContent = `Paid: ${paid.reference}`;
  button.removeAttribute("aria-disabled");
});

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-outlet]");
  if (form) {
    const { name, type, checked, value } = event.target;
    const wanted = type === "checkbox" ? checked : value || null;
    send(`/machines/${form.dataset.outlet}/fault`, { [name]: wanted });
  } else if (event.target.closest("form[data-device]")) {
    const { name, type, checked, value } = event.target;
    const device = encodeURIComponent(event.target.form.dataset.device);
    const wanted = type === "checkbox" ? checked : value || null;
    send(`/tmetr/devices/${device}/fault`, { [name]: wanted });
  } else if (event.target.closest("form[data-printer]")) {
    const { name, checked, form: ofPrinter } = event.target;
    send(`/printers/${encodeURIComponent(ofPrinter.dataset.printer)}/fault`, { [name]: checked });
  } else if (weather.contains(event.target)) {
    const [part, name] = event.target.name.split(".");
    const isBox = event.target.type === "checkbox";
    const wanted = isBox ? event.target.checked : Number(event.target.value);
    send("/weather", { [part]: { [name]: wanted } }).then((sky) => sky && showSky(sky));
  }
});

weather.addEventListener("input", (event) => tell(event.target));

document.addEventListener("click", (event) => {
  const form = event.target.closest("form[data-outlet]");
  if (form && event.target.name === "refill") {
    send(`/machines/${form.dataset.outlet}/fault`, { refill: true });
  }
  if (event.target.name === "fair") {
    const webhooks = { lose: 0, repeat: 0, reorder: 0, forge: 0, hold: false };
    const calls = { latency_ms: 0, error_5xx: 0, drop_response: 0, refund_fails_later: 0 };
    send("/weather", { webhooks, api: calls }).then((sky) => sky && showSky(sky));
  }
});

if (matchMedia("(max-width: 760px)").matches) {
  for (const faults of document.querySelectorAll(".faults details")) faults.open = false;
}
listen();
