// The price on the button of an item follows what is chosen, by the rules of counter/basket.py:
// of an option so many choices are free, the cheapest first, and one that makes the item cheaper
// takes none of their places. The basket is priced by the server, whatever stands here.

const form = document.querySelector("form.item"), button = form.querySelector(".pay");
const { price, ones, currency, locale, say } = button.dataset;
const money = new Intl.NumberFormat(locale, { style: "currency", currency });
const sum = (prices) => prices.reduce((total, one) => total + one, 0);

function show() {
  let unit = Number(price);
  for (const option of form.querySelectorAll("fieldset")) {
    const chosen = [...option.querySelectorAll("input:checked")].map((one) => +one.dataset.price);
    const costs = chosen.filter((one) => one >= 0).sort((a, b) => a - b);
    unit += sum(costs.slice(Number(option.dataset.free))) + sum(chosen.filter((one) => one < 0));
  }
  const total = Math.max(unit, 0) * Number(form.elements.quantity.value);
  button.textContent = say.replace("{price}", () => money.format(total / Number(ones)));
}

form.addEventListener("input", show);
addEventListener("pageshow", show);  // a browser that goes back keeps what was chosen
show();
