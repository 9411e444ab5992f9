// "I am here" with a position: the browser is asked at the tap and never before. Whatever it says,
// and however long it says nothing, the form goes: without a position it is the customer's word.

const WAIT_MS = 20000;
let busy = false;

function send(form, coords) {
  const fields = new FormData(form), copy = document.createElement("form");
  // The order's page may have replaced the form meanwhile: a copy is sent.
  copy.method = "post";
  copy.action = form.action;
  copy.hidden = true;
  if (coords) {
    fields.set("lat", coords.latitude.toFixed(6));
    fields.set("lng", coords.longitude.toFixed(6));
    fields.set("accuracy", Math.ceil(coords.accuracy));
  }
  for (const [name, value] of fields) {
    const field = document.createElement("input");
    field.name = name;
    field.value = value;
    copy.append(field);
  }
  document.body.append(copy);
  copy.submit();
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-where]");
  if (!form || !("geolocation" in navigator)) return;
  event.preventDefault();
  if (busy) return;
  busy = true;
  let sent = false;
  const once = (coords) => { if (!sent) { sent = true; send(form, coords); } };
  const button = form.querySelector("button");
  button.setAttribute("aria-busy", "true");
  button.textContent = form.dataset.where;
  setTimeout(once, WAIT_MS);  // somebody leaves the browser's question open
  navigator.geolocation.getCurrentPosition(({ coords }) => once(coords), () => once(), {
    enableHighAccuracy: true, timeout: 15000, maximumAge: 10000,
  });
});
addEventListener("pageshow", () => { busy = false; });
