"""Whether a customer is asked for an address is what the account says that is paid: one that has
fiscal receipts made needs it, and without one nobody is asked."""

from tests.coffee.stage import Cafe
from tests.coffee.test_pages import Phone, address, form, orders
from tests.coffee.test_pages import phone as phone
from tests.coffee.test_pages import web as web


async def test_where_no_account_makes_receipts_nobody_is_asked_for_an_address(
    cafe: Cafe, phone: Phone
) -> None:
    page = await phone.get(address(cafe))
    assert 'name="contact"' not in page.text
    assert "fiscal receipt" not in page.text
    where, fields = form(page, contact="ivan@example.com")
    assert (await phone.post(where, data=fields)).status_code == 303
    assert (await orders(cafe))[0]["receipt_contact"] is None, "what nobody asked for is not kept"


async def test_an_account_that_makes_receipts_needs_the_address_before_anything_is_placed(
    cafe: Cafe, phone: Phone
) -> None:
    cafe.makes_receipts()
    page = await phone.get(address(cafe))
    assert 'name="contact"' in page.text
    assert " required" in page.text
    where, fields = form(page)
    said = await phone.post(where, data=fields)
    assert (said.status_code, await orders(cafe)) == (422, [])
    assert "has to go to you" in said.text
    where, fields = form(said, contact="+7 916 123-45-67")
    assert (await phone.post(where, data=fields)).status_code == 303
    (order,) = await orders(cafe)
    assert order["receipt_contact"] == "+79161234567"
    (receipt,) = await cafe.stage.rows("SELECT * FROM receipts")
    assert (receipt["contact"], receipt["amount_minor"]) == ("+79161234567", 17_500)


async def test_a_way_that_the_page_did_not_offer_is_no_way_around_the_address(
    cafe: Cafe, phone: Phone
) -> None:
    cafe.makes_receipts()
    where, fields = form(await phone.get(address(cafe)), way="link-of-another-page")
    assert (await phone.post(where, data=fields)).status_code == 422
    assert await orders(cafe) == []


async def test_the_settings_are_asked_again_when_the_order_is_placed(
    cafe: Cafe, phone: Phone
) -> None:
    """The merchant filled them in while the page was open."""
    where, fields = form(await phone.get(address(cafe)))
    cafe.makes_receipts()
    assert (await phone.post(where, data=fields)).status_code == 422
    assert await orders(cafe) == []


async def test_a_code_that_is_bought_in_two_taps_asks_once(cafe: Cafe, phone: Phone) -> None:
    cafe.makes_receipts()
    where, fields = form(await phone.get(address(cafe)), contact="ivan@example.com")
    assert (await phone.post(where, data=fields)).status_code == 303
    again = await phone.post(where, data={**fields, "contact": ""})
    assert again.status_code == 303, "the order is there, and has its address"
    assert len(await orders(cafe)) == 1
