// The order of a menu, by dragging: a row is dropped before another one, or at the end of its
// section. The buttons beside each row do the same by keyboard and without this.
const form = () => document.getElementById("order");
let dragged = null;

const rows = () => document.querySelectorAll("[data-item]");
const under = (event) => event.target.closest("[data-item], [data-section]");

function mark(place) {
  for (const old of document.querySelectorAll(".drop")) old.classList.remove("drop");
  place?.classList.add("drop");
}

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-item]");
  if (dragged && form()) event.dataTransfer.effectAllowed = "move";
});

document.addEventListener("dragover", (event) => {
  const place = under(event);
  if (!dragged || !place) return;
  event.preventDefault();
  mark(place);
});

document.addEventListener("dragend", () => { mark(null); dragged = null; });

document.addEventListener("drop", (event) => {
  const place = under(event), order = form();
  if (!dragged || !place || !order) return;
  event.preventDefault();
  const before = place.dataset.item ?? "";
  if (before === dragged.dataset.item) return;
  order.elements.dragged.value = dragged.dataset.item;
  order.elements.before.value = before;
  order.elements.section.value = place.closest("[data-section]").dataset.section;
  order.requestSubmit();
});

function begin() {
  if (form()) for (const row of rows()) row.draggable = true;
}
new MutationObserver(begin).observe(document.body, { childList: true, subtree: true });
begin();
