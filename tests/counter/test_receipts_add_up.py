"""Whoever adds up a receipt gets what was paid: the lines at the menu's prices, what a coupon took
off them, and the extras. On the order's page, in the mail and on paper."""

import re
from uuid import UUID

from coinslot.counter import reprints, staff
from coinslot.counter.basket import Wish
from coinslot.counter.offers import Offer
from coinslot.notices.base import Form
from coinslot.notices.mock import Mock
from tests.counter.stage import Counter
from tests.counter.telling import EMAIL, reach, service, swept, texts
from tests.counter.test_offers import CAKE, coupon
from tests.counter.test_pages import Phone, phone, web  # noqa: F401
from tests.counter.test_printing import with_printer, words_on

TWO = Wish(sku="latte", quantity=2)


async def with_a_coupon(counter: Counter) -> UUID:
    """Two lattes and a cake, 11.20, of which a tenth is taken off, and a tip of 1.00."""
    await coupon(counter)
    offer = Offer(coupon="SPRING")
    return await counter.paid(TWO, CAKE, tip=100, offer=offer, contact=reach(email=EMAIL))


async def test_the_page_of_an_order_has_lines_discount_and_extras_that_add_up(
    counter: Counter,
    phone: Phone,  # noqa: F811
) -> None:
    view = await counter.view(await with_a_coupon(counter))
    assert [(line.name, line.quantity, line.money.minor) for line in view.lines] == [
        ("Latte", 2, 700), ("Carrot cake", 1, 420),
    ]  # fmt: skip
    assert view.discount is not None
    lines = sum(line.money.minor for line in view.lines)
    extras = sum(extra.money.minor for extra in view.extras)
    assert lines - view.discount.minor + extras == view.money.minor == 1120 - 112 + 100
    for language, word in (("en", "Discount"), ("hi", "छूट"), ("ru", "Скидка")):
        page = (await phone.get(f"/o/{view.token}?lang={language}")).text.replace(",", ".")
        assert f"<dt>{word}</dt>" in page
        assert re.search(r"Latte</bdi></dt><dd class=.sum.>[^<]*7\.00", page)
        assert re.search(r"<dd class=.sum.>−[^<]*1\.12", page)


async def test_without_a_coupon_no_page_speaks_of_a_discount(
    counter: Counter,
    phone: Phone,  # noqa: F811
) -> None:
    view = await counter.view(await counter.paid(TWO))
    assert view.discount is None
    assert "Discount" not in (await phone.get(f"/o/{view.token}")).text


async def test_the_mail_says_what_a_coupon_took_off(counter: Counter) -> None:
    sent: Mock = service(counter)
    await with_a_coupon(counter)
    await swept(counter)
    (mail,) = texts(sent, Form.EMAIL)
    for said in ("2 × Latte  €7.00", "1 × Carrot cake  €4.20", "Discount  -€1.12", "Tip  €1.00",
                 "Paid: €11.08"):  # fmt: skip
        assert said in mail, mail


async def test_paper_says_what_a_coupon_took_off(counter: Counter) -> None:
    await with_printer(counter, "K1", "star")
    order = await with_a_coupon(counter)
    await reprints.again(counter.stage.context, counter.who, order, "receipt")
    [words] = await words_on(counter, "receipt")
    assert [word for word in words if "€" in word][:5] == [
        "2 × Latte €7.00", "1 × Carrot cake €4.20", "Discount -€1.12", "Tip €1.00", "Total €11.08",
    ]  # fmt: skip


async def test_a_credit_note_on_the_customers_page_names_what_went_back(
    counter: Counter,
    phone: Phone,  # noqa: F811
) -> None:
    order = await counter.preparing(Wish(sku="tea"), Wish(sku="cake"), tip=100)
    await staff.reject(counter.stage.context, counter.who, order, "Closed")
    await counter.stage.sweep()
    page = (await phone.get(f"/o/{(await counter.view(order)).token}?lang=en")).text
    named = re.findall(r"<dt>[^<:]+: <bdi>([^<]+)</bdi></dt>", page)
    assert sorted(named) == ["Carrot cake", "Tea", "Tip"]
