"""Coupons, stamps and points: they shrink what is paid, to the last minor unit; the last one is
used once; and what goes back takes its share with it."""

import asyncio
import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from coinslot.counter import menu, offer_management, offers, ordering, staff
from coinslot.counter.basket import BasketError, Wish
from coinslot.counter.menu import NewStore, Store
from coinslot.counter.offer_management import CouponError, NewCoupon
from coinslot.counter.offers import Offer, OfferError, Program
from coinslot.counter.ordering import Order
from coinslot.orders import order_refunds
from coinslot.orders.order_refunds import OrderRefund
from coinslot.payments.ways_to_pay import Form, offer
from tests.counter.stage import MENU, Counter

LATTE, CAKE, TEA = Wish(sku="latte"), Wish(sku="cake"), Wish(sku="tea")
CARD = "a-browser-of-somebody"
STAMPS = Program(kind="stamps", currency="EUR", earn_minor=300, reward_points=3, reward_minor=200)
POINTS = Program(kind="points", currency="EUR", earn_minor=100, reward_points=10, reward_minor=500)


async def coupon(counter: Counter, code: str = "SPRING", **given: Any) -> None:
    stage = counter.stage
    usual: dict[str, Any] = {"begins_at": stage.clock.now(), "currency": "EUR"}
    if "off_minor" not in given:
        usual["percent_bp"] = 1000
    new = NewCoupon(code=code, **usual | given)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await offer_management.make_coupon(conn, stage.merchant, new, "asha")


async def collects(counter: Counter, program: Program = STAMPS) -> None:
    stage = counter.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await offer_management.set_program(conn, stage.merchant, program)
    await offers.begin_card(stage.context, await counter.store(), CARD)


async def points(counter: Counter) -> int:
    return int(await counter.stage.value(
        "SELECT coalesce(sum(points), 0)::bigint FROM loyalty_entries"
    ))  # fmt: skip


async def sums(counter: Counter, order: UUID) -> tuple[int, int]:
    """What is paid for the pieces, and the tax that is included in it."""
    (row,) = await counter.stage.rows(
        "SELECT sum(amount_minor)::bigint AS paid, sum(tax_minor)::bigint AS tax FROM fulfillments"
        " WHERE order_id = $1", order,
    )  # fmt: skip
    return row["paid"], row["tax"]


async def goodwill(counter: Counter, order: UUID, amount: int) -> None:
    wanted = OrderRefund(
        order=order, key=f"g{random.getrandbits(64)}", by="asha", reason="cold", amount=amount
    )
    await order_refunds.refund(counter.stage.context, counter.stage.merchant, wanted)


async def refused(counter: Counter, code: str, *wishes: Wish, **offer: Any) -> OfferError:
    with pytest.raises(OfferError) as caught:
        await counter.place(*wishes, offer=Offer(**offer))
    assert caught.value.code == code
    return caught.value


async def test_without_any_there_is_nothing_to_use_and_nothing_is_collected(
    counter: Counter,
) -> None:
    await refused(counter, "unknown", LATTE, coupon="SPRING")
    await refused(counter, "points", LATTE, card=CARD, reward=True)
    await counter.complete(await counter.ready(LATTE, offer=Offer(card=CARD)))
    assert await points(counter) == 0


async def test_a_coupon_comes_off_the_pieces_and_pieces_taxes_and_receipt_still_sum(
    counter: Counter,
) -> None:
    await coupon(counter)
    order = await counter.paid(
        Wish(sku="latte", quantity=2), CAKE, tip=70, offer=Offer(coupon=" spring ")
    )
    paid, tax = await sums(counter, order)
    assert paid == 1120 - 112
    assert (await counter.view(order)).money.minor == paid + 70
    rows = await counter.stage.rows(
        "SELECT l.sku, sum(f.amount_minor)::bigint AS paid, sum(f.tax_minor)::bigint AS tax"
        " FROM fulfillments f JOIN order_lines l ON l.id = f.line_id GROUP BY 1 ORDER BY 1"
    )
    assert [(row["sku"], row["paid"], row["tax"]) for row in rows] == [
        ("cake", 378, 25), ("latte", 630, 101),
    ]  # fmt: skip
    assert tax == 126


@pytest.mark.parametrize("seed", range(4))
async def test_any_discount_on_any_basket_sums_exactly_with_its_taxes(
    counter: Counter, seed: int
) -> None:
    chance = random.Random(seed)
    await coupon(counter, off_minor=chance.randint(1, 700))
    wishes = [Wish(sku=sku, quantity=chance.randint(1, 3)) for sku in ("latte", "tea", "bowl")]
    token = await counter.place(*wishes, offer=Offer(coupon="SPRING"))
    off = await counter.stage.value("SELECT off_minor FROM order_offers")
    whole = sum({"latte": 350, "tea": 250, "bowl": 980}[w.sku] * w.quantity for w in wishes)
    assert (await counter.order(token)).money.minor == whole - off
    rows = await counter.stage.rows("SELECT * FROM order_lines")
    for rate, skus in ((1900, ("latte", "tea")), (700, ("bowl",))):
        paid = sum(sum(row["unit_minor"]) for row in rows if row["sku"] in skus)
        tax = sum(sum(row["tax_minor"]) for row in rows if row["sku"] in skus)
        assert tax == (2 * paid * rate + 10_000 + rate) // (2 * (10_000 + rate)), "once for a rate"


async def test_a_coupon_says_why_it_takes_nothing_off(counter: Counter) -> None:
    await coupon(counter, "LATER", begins_at=counter.stage.clock.now() + timedelta(days=1))
    await coupon(counter, "OVER", ends_at=counter.stage.clock.now() + timedelta(seconds=1))
    await coupon(counter, "LARGE", least_minor=1000)
    counter.stage.later(2)
    await refused(counter, "not_yet", LATTE, coupon="LATER")
    await refused(counter, "over", LATTE, coupon="OVER")
    assert (await refused(counter, "least", LATTE, coupon="LARGE")).least == 1000
    await refused(counter, "unknown", LATTE, coupon="'; --")


async def test_a_coupon_that_pays_for_all_of_it_is_refused_before_anything_is_reserved(
    counter: Counter,
) -> None:
    await coupon(counter, off_minor=5000)
    with pytest.raises(BasketError, match="nothing_to_pay"):
        await counter.place(CAKE, offer=Offer(coupon="SPRING"))
    assert await counter.left("cake") == 3


async def test_of_many_who_use_the_last_of_a_coupon_at_once_one_does(counter: Counter) -> None:
    await coupon(counter, uses=2)
    answers = await asyncio.gather(
        *(counter.place(LATTE, offer=Offer(coupon="SPRING")) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, str) for answer in answers) == 2
    others = [answer for answer in answers if not isinstance(answer, str)]
    assert {getattr(one, "code", one) for one in others} == {"used_up"}


async def second_store(counter: Counter) -> Store:
    """Another counter of the same merchant."""
    stage = counter.stage
    new = NewStore(
        code="S02", merchant=stage.merchant, slug="second", name="Second", currency="EUR",
        gateway_account=stage.account.id,
    )  # fmt: skip
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await menu.add_store(conn, new, stage.clock.now())
        await menu.write_menu(conn, stage.context, stage.merchant, "S02", MENU)
    await offer(stage.context, stage.merchant, "S02", [(stage.account.id, Form.LINK)])
    found = await menu.store_of(stage.context, "second")
    assert found is not None
    return found


async def at_both(counter: Counter, other: Store, brought: Offer) -> int:
    """How many of two orders at once, at two stores, are placed: each store works by itself."""

    async def there(number: int) -> str:
        wanted = Order(
            wishes=(LATTE,), shown=None, offer=brought, browser=f"b{number}", network=f"n{number}"
        )
        return await ordering.place(counter.stage.context, other, wanted)

    answers = await asyncio.gather(
        counter.place(LATTE, offer=brought), there(1), return_exceptions=True
    )  # fmt: skip
    assert all(isinstance(answer, str | OfferError) for answer in answers), answers
    return sum(isinstance(answer, str) for answer in answers)


async def test_the_last_of_a_coupon_is_used_once_though_two_stores_take_it(
    counter: Counter,
) -> None:
    other = await second_store(counter)
    for number in range(3):
        await coupon(counter, f"LAST{number}", uses=1)
        assert await at_both(counter, other, Offer(coupon=f"LAST{number}")) == 1


async def test_a_reward_is_used_once_though_two_stores_take_it(counter: Counter) -> None:
    other = await second_store(counter)
    await three_stamps(counter)
    assert await at_both(counter, other, Offer(card=CARD, reward=True)) == 1
    assert await points(counter) == 0


async def test_a_coupon_of_an_order_that_nobody_pays_or_that_goes_back_may_be_used_again(
    counter: Counter,
) -> None:
    await coupon(counter, uses=1)
    await counter.place(LATTE, offer=Offer(coupon="SPRING"))
    await refused(counter, "used_up", LATTE, coupon="SPRING")
    counter.stage.later(901)
    await counter.stage.sweep()
    order = await counter.paid(LATTE, offer=Offer(coupon="SPRING"))
    await staff.reject(counter.stage.context, counter.who, order, "No milk")
    await counter.paid(LATTE, offer=Offer(coupon="SPRING"))


async def test_a_coupon_of_which_a_part_was_handed_over_stays_used(counter: Counter) -> None:
    await coupon(counter, uses=1)
    order = await counter.paid(LATTE, TEA, offer=Offer(coupon="SPRING"))
    units = await counter.stage.rows("SELECT id FROM fulfillments WHERE order_id = $1", order)
    await staff.reject(counter.stage.context, counter.who, order, "None", [units[0]["id"]])
    await staff.accept(counter.stage.context, counter.who, order)
    await staff.ready(counter.stage.context, counter.who, order)
    await counter.complete(order)
    await refused(counter, "used_up", Wish(sku="bowl"), coupon="SPRING")


async def test_an_order_is_a_stamp_once_it_is_handed_over_and_not_before(counter: Counter) -> None:
    await collects(counter)
    order = await counter.ready(LATTE, offer=Offer(card=CARD))
    assert await points(counter) == 0
    await counter.complete(order)
    assert await points(counter) == 1
    await counter.complete(await counter.ready(TEA, offer=Offer(card=CARD)))
    assert await points(counter) == 1, "2.50 is less than a stamp"


async def test_points_are_of_what_is_kept_and_goodwill_takes_its_share_with_it(
    counter: Counter,
) -> None:
    await collects(counter, POINTS)
    order = await counter.ready(Wish(sku="bowl"), offer=Offer(card=CARD))
    await counter.complete(order)
    assert await points(counter) == 9
    await goodwill(counter, order, 100)
    assert await points(counter) == 8
    await goodwill(counter, order, 880)
    assert await points(counter) == 0
    rows = await counter.stage.rows("SELECT points FROM loyalty_entries ORDER BY id")
    assert [row["points"] for row in rows] == [9, -1, -8]


@pytest.mark.parametrize("seed", range(3))
async def test_any_split_of_goodwill_leaves_the_same_points_as_one_sum(
    counter: Counter, seed: int
) -> None:
    chance, given = random.Random(seed), 0
    await collects(counter, POINTS)
    order = await counter.ready(Wish(sku="bowl"), offer=Offer(card=CARD))
    await counter.complete(order)
    for _ in range(4):
        amount = chance.randint(1, 240)
        given += amount
        await goodwill(counter, order, amount)
        assert await points(counter) == (980 - given) // 100


async def three_stamps(counter: Counter) -> None:
    await collects(counter)
    for _ in range(3):
        await counter.complete(await counter.ready(LATTE, offer=Offer(card=CARD)))
    assert await points(counter) == 3


async def test_a_reward_is_taken_off_and_gone_from_the_card_at_once(counter: Counter) -> None:
    await three_stamps(counter)
    order = await counter.paid(LATTE, offer=Offer(card=CARD, reward=True))
    assert (await counter.view(order)).money.minor == 150
    assert await points(counter) == 0
    await refused(counter, "points", LATTE, card=CARD, reward=True)


async def test_a_reward_that_is_used_by_many_at_once_counts_once(counter: Counter) -> None:
    await three_stamps(counter)
    answers = await asyncio.gather(
        *(counter.place(LATTE, offer=Offer(card=CARD, reward=True)) for _ in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, str) for answer in answers) == 1
    assert await points(counter) == 0


async def test_a_reward_of_an_order_that_goes_back_or_is_not_paid_returns_to_its_card(
    counter: Counter,
) -> None:
    await three_stamps(counter)
    await counter.place(LATTE, offer=Offer(card=CARD, reward=True))
    counter.stage.later(901)
    await counter.stage.sweep()
    assert await points(counter) == 3
    order = await counter.paid(LATTE, offer=Offer(card=CARD, reward=True))
    await staff.reject(counter.stage.context, counter.who, order, "No milk")
    assert await points(counter) == 3


async def test_a_reward_of_which_a_part_goes_back_returns_its_share(counter: Counter) -> None:
    await collects(counter, POINTS)
    for _ in range(2):
        await counter.complete(await counter.ready(Wish(sku="bowl"), offer=Offer(card=CARD)))
    assert await points(counter) == 18
    order = await counter.paid(Wish(sku="latte", quantity=2), offer=Offer(card=CARD, reward=True))
    assert await points(counter) == 8
    units = await counter.stage.rows("SELECT id FROM fulfillments WHERE order_id = $1", order)
    await staff.reject(counter.stage.context, counter.who, order, "None", [units[0]["id"]])
    assert await points(counter) == 13, "half of the discount, half of the ten points"
    await staff.reject(counter.stage.context, counter.who, order, "None", [units[1]["id"]])
    assert await points(counter) == 18


async def test_another_card_and_another_merchant_have_nothing_of_it(counter: Counter) -> None:
    await three_stamps(counter)
    await refused(counter, "points", LATTE, card="another-browser", reward=True)


async def test_a_card_that_is_begun_twice_is_one_card(counter: Counter) -> None:
    await collects(counter)
    await offers.begin_card(counter.stage.context, await counter.store(), CARD)
    assert await counter.stage.value("SELECT count(*) FROM loyalty_cards") == 1


async def test_points_can_only_be_appended(counter: Counter) -> None:
    await three_stamps(counter)
    stage = counter.stage
    for sql in ("UPDATE loyalty_entries SET points = 9", "DELETE FROM loyalty_entries"):
        with pytest.raises(Exception, match="permission denied"):
            async with stage.context.db.as_merchant(stage.merchant) as conn:
                await conn.execute(sql)


async def test_a_code_is_one_live_coupon_and_takes_off_one_way(counter: Counter) -> None:
    await coupon(counter)
    for given in ({}, {"percent_bp": None}, {"off_minor": 5, "percent_bp": 5}):
        with pytest.raises(CouponError):
            await coupon(counter, **given)
    with pytest.raises(CouponError):
        await coupon(counter, "no!")
