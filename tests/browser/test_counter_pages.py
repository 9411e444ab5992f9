"""The menu of a counter as its customers see it: pictures beside their text, a button with the
right price, and a page that is left open."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from litestar import Litestar
from PIL import Image
from playwright.sync_api import Page, expect

from coinslot.counter import staff
from coinslot.counter.basket import Wish
from coinslot.events.webhooks.safe_http import SafeHttp
from coinslot.notices.base import Form
from coinslot.notices.webpush import WebPush
from coinslot.pictures import pictures
from coinslot.storage.folder import FolderStorage
from tests.browser.conftest import DESK, PageAt
from tests.browser.test_console import signed_in
from tests.browser.test_counter import PHONE, CounterServed, well_made
from tests.counter.stage import Counter, set_counter
from tests.counter.test_profit import goodwill
from tests.sales.stage import Stage

pytestmark = pytest.mark.browser
WIDE, TALL, SQUARE = (1600, 600), (500, 1500), (700, 700)
# What of a picture lies outside of its card, or over a word of it.
_COVERED = """cards => cards.flatMap(card => {
  const shot = card.querySelector("img.shot"), at = shot.getBoundingClientRect();
  const inside = card.getBoundingClientRect(), found = [];
  if (!shot.complete || !shot.naturalWidth) found.push("not loaded");
  if (at.left < inside.left || at.right > inside.right) found.push("beside its card");
  if (at.top < inside.top || at.bottom > inside.bottom) found.push("above or below its card");
  const words = document.createTreeWalker(card, NodeFilter.SHOW_TEXT);
  for (let word = words.nextNode(); word; word = words.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(word);
    for (const box of range.getClientRects())
      if (box.width && box.left < at.right && box.right > at.left
          && box.top < at.bottom && box.bottom > at.top) found.push(word.data.trim());
  }
  return found;
})"""


class PicturedServed(CounterServed):
    """With a storage of pictures."""

    def __init__(self, postgres: str, template: str, folder: Path) -> None:
        super().__init__(postgres, template)
        self._folder = folder

    def _app(self, stage: Stage) -> Litestar:
        stage.context.storage = FolderStorage(self._folder)
        return super()._app(stage)


@pytest.fixture(scope="module")
def served(
    postgres: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PicturedServed]:
    served = PicturedServed(postgres, template, tmp_path_factory.mktemp("pictures"))
    with served:
        yield served


@pytest.fixture(scope="module")
def shop(served: PicturedServed) -> Counter:
    made: Counter = served.tell(set_counter(served.staffed.stage))
    return made


def pusher(shop: Counter) -> WebPush:
    """Sends nothing: nobody subscribes."""
    key = ec.generate_private_key(ec.SECP256R1())
    return WebPush(key, "mailto:coins@shop.example", SafeHttp(timeout_s=5), shop.stage.clock)


async def pictured(shop: Counter, sku: str, size: tuple[int, int]) -> None:
    """The item gets a photo of this size."""
    stage, out = shop.stage, io.BytesIO()
    Image.new("RGB", size, "#8a5a3c").save(out, "JPEG")
    kept = await pictures.keep(
        stage.context.db, stage.context.storage, stage.merchant, out.getvalue(), stage.clock.now()
    )
    await stage.rows("UPDATE products SET picture = $2 WHERE sku = $1", sku, kept.digest)


def covered(page: Page, card: str) -> list[str]:
    page.wait_for_load_state("networkidle")
    found: list[str] = page.locator(card).evaluate_all(_COVERED)
    return found


def test_a_picture_of_any_shape_stands_beside_its_text_and_in_its_card(
    served: PicturedServed, shop: Counter, page_at: PageAt
) -> None:
    for sku, size in (("latte", WIDE), ("tea", TALL), ("cake", SQUARE)):
        served.tell(pictured(shop, sku, size))
    for screen in (PHONE, DESK):
        page = page_at(screen)
        page.goto(f"{served.url}/s/corner")
        assert page.locator(".dish img.shot").count() == 3
        assert covered(page, ".dish:has(img)") == []
        well_made(page)
        for sku in ("latte", "tea", "cake"):
            page.goto(f"{served.url}/s/corner/{sku}")
            assert covered(page, ".item:has(img)") == []
        well_made(page)


def test_a_page_left_open_at_its_end_shows_what_is_given_back_and_offers_no_notice(
    served: PicturedServed, shop: Counter, page_at: PageAt
) -> None:
    shop.stage.context.notifiers = {Form.PUSH: pusher(shop)}
    order = served.tell(shop.preparing(Wish(sku="tea")))
    page = page_at(PHONE)
    page.clock.install()  # the page at rest looks every quarter of a minute
    page.goto(f"{served.url}/o/{served.tell(shop.view(order)).token}")
    # As its script does on a phone; this browser has no notices.
    page.locator("#push").evaluate("offer => { offer.hidden = false; }")
    expect(page.get_by_role("button", name="Tell me on this phone")).to_be_visible()
    served.tell(staff.ready(shop.stage.context, shop.who, order))
    expect(page.get_by_text("It is new since your order became ready")).to_be_visible()
    expect(page.get_by_role("button", name="Tell me on this phone")).to_be_hidden()
    served.tell(shop.complete(order))
    expect(page.get_by_role("heading", name="Enjoy")).to_be_visible()
    served.tell(goodwill(shop, order, 100))
    page.clock.fast_forward(16_000)
    expect(page.get_by_role("heading", name="Credit note")).to_be_visible()
    well_made(page)


def test_the_button_of_an_item_follows_what_is_chosen_to_the_basket(
    served: PicturedServed, shop: Counter, page_at: PageAt
) -> None:
    """The same sum as the server's, written the same way, in each language."""
    page = page_at(PHONE)
    for lang in ("en", "hi", "ru"):
        page.goto(f"{served.url}/s/corner/latte?lang={lang}")
        button = page.locator("button.pay")
        texts = [button.inner_text()]
        for label in ("Oat", "Nuts", "Syrup", "Cream"):  # the cheapest topping is free
            page.get_by_label(label).check()
            texts.append(button.inner_text())
        page.locator("select").select_option("2")
        told = button.inner_text()
        assert len({*texts, told}) == 5, "the first topping costs nothing"
        well_made(page)
        button.click()
        total = page.locator(".lines .sum b").inner_text()
        assert told.replace("\u00a0", " ").find(total.replace("\u00a0", " ")) >= 0
    page.locator("button[name=more]").click()
    expect(page.locator(".lines")).to_contain_text("3 × Latte")
    well_made(page)


def test_the_numbers_of_pieces_are_explained_until_one_was_tapped(
    served: PicturedServed, shop: Counter, page_at: PageAt
) -> None:
    served.tell(shop.preparing(Wish(sku="tea", quantity=2)))
    desk = page_at(DESK)
    signed_in(served, desk)
    desk.goto(f"{served.url}/console/board")
    expect(desk.get_by_text("The numbers are pieces")).to_be_visible()
    well_made(desk)
    desk.get_by_role("button", name="Done: Tea").first.click()
    expect(desk.get_by_role("button", name="Not done: Tea")).to_be_visible()
    expect(desk.get_by_text("The numbers are pieces")).to_be_hidden()
    desk.reload()
    expect(desk.get_by_text("The numbers are pieces")).to_be_hidden()
