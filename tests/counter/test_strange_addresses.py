"""Baskets that no page of ours made are refused, and are no fault of ours."""

import pytest

from tests.counter.test_pages import Phone, added, fields
from tests.counter.test_pages import phone as phone
from tests.counter.test_pages import web as web

LONG = "9" * 4400


@pytest.mark.parametrize(
    "query",
    [
        f"sku=latte&quantity={LONG}", f"tip={LONG}", "sku=latte&quantity=%C2%B2",
        "line=latte~1~~a%00b", "sku=latte&note=a%00b", "sku=%00",
    ],
)  # fmt: skip
async def test_a_basket_in_an_address_that_cannot_be_is_refused(phone: Phone, query: str) -> None:
    answer = await phone.get(f"/s/corner/basket?{query}")
    assert answer.status_code < 500, answer.text[-300:]


async def test_a_note_with_a_zero_character_places_no_order(phone: Phone) -> None:
    sent = fields(await added(phone, "tea"))
    lines = [f"{line}a\0b" for line in sent["line"]]
    answer = await phone.post("/s/corner", data={**sent, "line": lines})
    assert answer.status_code == 400


async def test_an_address_of_no_counter_says_so_and_one_below_a_counter_leads_to_its_menu(
    phone: Phone,
) -> None:
    for path in ("/s/nobody", "/s/nobody/basket", "/s/nobody/orders"):
        page = await phone.get(path, headers={"accept": "text/html"})
        assert page.status_code == 404
        assert "There is no counter here" in page.text
        assert "You have not been charged." in page.text
        assert 'href="/s/' not in page.text
    for path in ("/s/corner/nothing", "/s/corner/nothing/at/all"):
        page = await phone.get(f"{path}?lang=ru", headers={"accept": "text/html"})
        assert page.status_code == 404
        assert 'href="/s/corner?lang=ru">К меню' in page.text
