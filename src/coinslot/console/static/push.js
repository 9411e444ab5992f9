// Notices on this device: asks the browser, subscribes, and tells the server where to.

const can = () => "PushManager" in window && "serviceWorker" in navigator;

function reveal() {
  if (!can()) return;
  for (const button of document.querySelectorAll("[data-push]")) button.hidden = false;
}

function refuse(button) {
  const line = document.createElement("p");
  line.className = "notice bad";
  line.setAttribute("role", "alert");
  line.textContent = button.dataset.denied;
  button.replaceWith(line);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-push]");
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  try {
    if (await Notification.requestPermission() !== "granted") throw new Error("denied");
    const worker = await navigator.serviceWorker.ready;
    const made = await worker.pushManager.subscribe({
      userVisibleOnly: true, applicationServerKey: button.dataset.push,
    });
    const body = new URLSearchParams({
      form_token: button.dataset.token, subscription: JSON.stringify(made),
    });
    const answer = await fetch("/console/notices/browsers", { method: "POST", body });
    if (!answer.ok) throw new Error(answer.status);
    location.assign(answer.url);
  } catch {
    refuse(button);
  }
});

new MutationObserver(reveal).observe(document.body, { childList: true });
reveal();
