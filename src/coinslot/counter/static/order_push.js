// A notice on this phone when the order is ready: asks the browser, subscribes, tells the server.

const place = document.getElementById("push");
const can = "PushManager" in window && "serviceWorker" in navigator && "Notification" in window;

async function subscribe() {
  if (await Notification.requestPermission() !== "granted") throw new Error("denied");
  const worker = await navigator.serviceWorker.register("/o/worker.js", { scope: "/o/" });
  await navigator.serviceWorker.ready;
  const made = await worker.pushManager.subscribe({
    userVisibleOnly: true, applicationServerKey: place.dataset.key,
  });
  const body = new URLSearchParams({ subscription: JSON.stringify(made) });
  const answer = await fetch(place.dataset.to, { method: "POST", body });
  if (!answer.ok) throw new Error(answer.status);
}

if (can && Notification.permission !== "denied") {
  place.hidden = false;
  place.querySelector("button").addEventListener("click", async () => {
    try {
      await subscribe();
      place.textContent = place.dataset.done;
    } catch {
      place.textContent = place.dataset.denied;
    }
  });
}
