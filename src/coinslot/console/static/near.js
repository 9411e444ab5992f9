// Machines near by: the browser is asked where it is when somebody presses the button.

function reveal() {
  if (!("geolocation" in navigator)) return;
  for (const button of document.querySelectorAll("[data-near]")) button.hidden = false;
}

function refuse(button) {
  const line = document.createElement("p");
  line.className = "notice bad";
  line.setAttribute("role", "alert");
  line.textContent = button.dataset.denied;
  button.replaceWith(line);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-near]");
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    const fields = button.form.elements;
    fields.lat.value = coords.latitude.toFixed(5);
    fields.lng.value = coords.longitude.toFixed(5);
    button.form.submit();
  }, () => refuse(button), { timeout: 15000, maximumAge: 60000 });
});

new MutationObserver(reveal).observe(document.body, { childList: true });
reveal();
