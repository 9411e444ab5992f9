"""What a counter decides by one condition or one comparison, which no test had seen when it was
wrong: credit notes, coupons and stamps, zones, hours, and what a basket costs."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.counter import delivery, messages, staff
from coinslot.counter.basket import Choice, Option, Priced, Wish, lines_of, tip_of
from coinslot.counter.delivery import Delivery, DeliveryError, NewZone, Shape
from coinslot.counter.hours import Hours, SpecialDay, WeekInterval
from coinslot.counter.offers import Offer, Program
from coinslot.counter.pickup import OpeningHours
from coinslot.gateways.base import DisputeStage, PaymentFact, RefundFact, RefundStage
from coinslot.kit.money import Money
from coinslot.notices.base import Report, Stage
from tests.counter.stage import Counter
from tests.counter.telling import reach, row_of, service
from tests.counter.test_credit_notes import notes, reject, well
from tests.counter.test_delivery import HERE, ROUND, delivers, refused, to
from tests.counter.test_hours import BERLIN, daily, local
from tests.counter.test_offers import CARD, collects, coupon, points
from tests.counter.test_offers import refused as offer_refused
from tests.counter.test_pickup import opens, slots
from tests.sales.test_disputes import dispute

LATTE, TEA, CAKE = Wish(sku="latte"), Wish(sku="tea"), Wish(sku="cake")


# Credit notes: 3.50 and 2.50 at 19 %, 4.20 at 7 %.


async def paid_by(counter: Counter, order: UUID) -> PaymentFact:
    reference = await counter.stage.value(
        "SELECT gateway_payment_id FROM captures WHERE order_id = $1", order
    )
    return counter.stage.books.payments[reference]


async def did_not_arrive(counter: Counter) -> None:
    """The last refund fails at the gateway after it had succeeded, and another one is made."""
    stage = counter.stage
    key, made = list(stage.books.refunds.items())[-1]
    failed = replace(made, stage=RefundStage.FAILED)
    stage.books.refunds[key] = failed
    paid = stage.books.payments[made.gateway_payment_id]
    stage.books.payments[made.gateway_payment_id] = replace(paid, refunded=None)
    await stage.webhook(failed, event="refund.failed")
    await stage.sweep()


async def test_a_void_note_leaves_the_tax_of_its_piece_to_its_successor(counter: Counter) -> None:
    order = await counter.preparing(TEA, CAKE)
    await reject(counter, order, "tea")
    await did_not_arrive(counter)
    assert await notes(counter) == [(1, 250, {"1900": 40}), (2, 250, {"1900": 40})]


async def test_a_void_note_makes_no_other_the_last_of_the_money(counter: Counter) -> None:
    order = await counter.preparing(LATTE, TEA)
    await reject(counter, order, "latte")
    await did_not_arrive(counter)
    assert await notes(counter) == [(1, 350, {"1900": 56}), (2, 350, {"1900": 56})]


async def test_what_goes_back_of_no_piece_has_its_share_of_the_tax_that_is_left(
    counter: Counter,
) -> None:
    """100 of the 350 that are left, in the gateway's own dashboard."""
    order = await counter.preparing(LATTE, CAKE)
    await reject(counter, order, "cake")
    await staff.ready(counter.stage.context, counter.who, order)
    await counter.complete(order)
    await given_back_there(counter, order, 100)
    assert await notes(counter) == [(1, 420, {"700": 27}), (2, 100, {"1900": 16})]
    assert await well(counter)


async def given_back_there(counter: Counter, order: UUID, minor: int) -> None:
    stage, paid = counter.stage, await paid_by(counter, order)
    made = RefundFact(
        gateway_refund_id="there", gateway_payment_id=paid.gateway_payment_id,
        money=Money(minor, paid.money.currency), stage=RefundStage.PROCESSED, at=stage.clock.now(),
    )  # fmt: skip
    stage.books.refunds["there"] = made
    await stage.webhook(made, event="refund.processed")


async def test_what_the_gateway_gave_back_in_place_of_ours_has_one_note(counter: Counter) -> None:
    order = await counter.preparing(TEA)
    await staff.reject(counter.stage.context, counter.who, order, "None left")
    await given_back_there(counter, order, 250)
    await counter.stage.sweep()
    rows = await counter.stage.rows("SELECT origin, state FROM refunds ORDER BY origin")
    assert [tuple(row.values()) for row in rows] == [
        ("gateway", "succeeded"), ("ours", "succeeded"),
    ]  # fmt: skip
    assert await notes(counter) == [(1, 250, {"1900": 40})]
    assert await well(counter)


async def test_what_the_gateway_gave_back_in_place_of_a_piece_has_the_tax_of_that_piece(
    counter: Counter,
) -> None:
    order = await counter.preparing(LATTE, CAKE)
    cake = await counter.stage.value(
        "SELECT f.id FROM fulfillments f JOIN order_lines l ON l.id = f.line_id WHERE sku = 'cake'"
    )
    await staff.reject(counter.stage.context, counter.who, order, "None left", [cake])
    await given_back_there(counter, order, 420)
    await counter.stage.sweep()
    assert await notes(counter) == [(1, 420, {"700": 27})]
    assert await well(counter)


async def test_what_a_bank_took_is_no_credit_of_the_merchants(counter: Counter) -> None:
    order = await counter.ready(TEA)
    await counter.complete(order)
    lost = dispute(await paid_by(counter, order), DisputeStage.LOST)
    await counter.stage.webhook(lost, event="dispute.lost")
    (row,) = await counter.stage.rows("SELECT reason, state FROM refunds")
    assert tuple(row.values()) == ("disputed", "succeeded")
    assert await notes(counter) == []


async def test_a_note_is_of_the_year_that_it_is_where_its_merchant_is(counter: Counter) -> None:
    stage = counter.stage
    await stage.rows("UPDATE merchants SET zone = 'Asia/Kolkata' RETURNING 1")
    new_year = datetime(2026, 12, 31, 18, 30, tzinfo=UTC)  # in India
    for seconds, wish in ((-60, TEA), (60, CAKE)):
        moment = new_year + timedelta(seconds=seconds)
        stage.later((moment - stage.clock.now()).total_seconds())
        await reject(counter, await counter.paid(wish), wish.sku)
    rows = await stage.rows("SELECT year, number FROM counter_credit_notes ORDER BY at")
    assert [tuple(row.values()) for row in rows] == [(2026, 1), (2027, 1)]


# Coupons and stamps.


async def test_a_coupon_is_not_free_again_while_a_piece_of_its_order_is_open(
    counter: Counter,
) -> None:
    await coupon(counter, uses=1)
    order = await counter.preparing(LATTE, CAKE, offer=Offer(coupon="SPRING"))
    await reject(counter, order, "cake")
    await offer_refused(counter, "used_up", TEA, coupon="SPRING")
    await reject(counter, order, "latte")
    await counter.place(TEA, offer=Offer(coupon="SPRING"))


@pytest.mark.parametrize(("earn_minor", "stamps"), [(350, 1), (351, 0)])
async def test_an_order_of_just_the_sum_of_a_stamp_is_one(
    counter: Counter, earn_minor: int, stamps: int
) -> None:
    program = Program(
        kind="stamps", currency="EUR", earn_minor=earn_minor, reward_points=9, reward_minor=100
    )
    await collects(counter, program)
    await counter.complete(await counter.ready(LATTE, offer=Offer(card=CARD)))
    assert await points(counter) == stamps


# Zones.


async def _zone(counter: Counter, name: str) -> UUID:
    found: UUID = await counter.stage.value(
        "SELECT id FROM delivery_zones WHERE name = $1 AND ended_at IS NULL", name
    )
    return found


async def test_a_zone_that_is_named_takes_an_order_of_just_its_least_sum(counter: Counter) -> None:
    await delivers(
        counter, NewZone(name="Just", shape=ROUND, fee=100, least=350),
        NewZone(name="More", shape=ROUND, fee=50, least=351),
    )  # fmt: skip
    just, more = await _zone(counter, "Just"), await _zone(counter, "More")
    await counter.place(LATTE, deliver=Delivery(address="1 Mill Road", zone=just))
    with pytest.raises(DeliveryError) as caught:
        await counter.place(LATTE, deliver=Delivery(address="1 Mill Road", zone=more))
    assert (caught.value.code, caught.value.least) == ("least", 351)


async def test_who_orders_too_little_is_told_the_lowest_of_the_sums_that_are_enough(
    counter: Counter,
) -> None:
    await delivers(
        counter, NewZone(name="Dear", shape=ROUND, fee=100, least=2000),
        NewZone(name="Near", shape=ROUND, fee=300, least=900),
    )  # fmt: skip
    assert (await refused(counter, "least")).least == 900


async def test_a_zone_of_postcodes_that_is_named_takes_no_address_of_another_one(
    counter: Counter,
) -> None:
    codes = Shape(postcodes=("SW1A 1AA", "411001"))
    await delivers(counter, NewZone(name="Codes", shape=codes, fee=100))
    zone = await _zone(counter, "Codes")
    for address in ("1 Mill Road, sw1a1aa", "Pune 411001"):
        await counter.place(LATTE, deliver=Delivery(address=address, zone=zone))
    for address in ("1 Mill Road", "Pune 411002", "SW1A 1AB"):
        with pytest.raises(DeliveryError) as caught:
            await counter.place(LATTE, deliver=Delivery(address=address, zone=zone))
        assert caught.value.code == "postcode"
    # By a point nobody is in it, by the address they are.
    await counter.place(LATTE, deliver=to(HERE, "SW1A 1AA"))
    await refused(counter, "outside", address="SW1A 1AB")


async def test_a_zone_that_is_written_again_as_it_was_stays_and_one_that_changed_does_not(
    counter: Counter,
) -> None:
    town, quay = (
        NewZone(name="Town", shape=ROUND, fee=100), NewZone(name="Quay", shape=ROUND, fee=200),
    )  # fmt: skip
    await delivers(counter, town, quay)
    before = {name: await _zone(counter, name) for name in ("Town", "Quay")}
    await delivers(counter, town, NewZone(name="Quay", shape=ROUND, fee=201))
    assert await _zone(counter, "Town") == before["Town"]
    assert await _zone(counter, "Quay") != before["Quay"]
    await counter.place(LATTE, deliver=Delivery(address="1 Mill Road", zone=before["Town"]))
    with pytest.raises(DeliveryError):
        await counter.place(LATTE, deliver=Delivery(address="1 Mill Road", zone=before["Quay"]))
    stage = counter.stage
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        assert len(await delivery.zones(conn, "S01")) == 2


# Hours.


def test_an_opening_in_which_nothing_can_be_made_is_not_the_next_one() -> None:
    week = (
        WeekInterval(day=4, opens=8 * 60, closes=8 * 60 + 20),
        WeekInterval(day=4, opens=12 * 60, closes=12 * 60 + 30),
    )
    hours = Hours(zone=BERLIN, week=week, lead=timedelta(minutes=30))
    friday = local("2026-05-01 07:00")
    assert hours.opens_next(friday) == local("2026-05-01 12:00")
    assert hours.takes(local("2026-05-01 12:00"))
    assert not hours.takes(local("2026-05-01 08:00"))


def test_the_first_slot_is_the_one_that_an_order_of_now_is_just_ready_for() -> None:
    hours = Hours(
        zone=BERLIN, week=daily((8, 10)), lead=timedelta(minutes=20),
        slot=timedelta(minutes=30), days_ahead=0,
    )  # fmt: skip
    now = local("2026-05-01 08:10")
    assert hours.slots(now)[0] == local("2026-05-01 08:30")
    assert hours.slots(now + timedelta(seconds=1))[0] == local("2026-05-01 09:00")


def test_a_special_day_takes_nothing_from_the_night_that_began_before_it() -> None:
    hours = Hours(zone=BERLIN, week=daily((18, 2)), special=(SpecialDay(date=date(2026, 12, 25)),))
    assert hours.opened(local("2026-12-25 01:59")), "it began on the day before"
    assert not hours.opened(local("2026-12-25 02:00"))
    assert not hours.opened(local("2026-12-25 19:00"))
    assert not hours.opened(local("2026-12-26 01:00")), "the closed day began no night"


async def test_an_order_for_a_slot_that_is_near_is_begun_at_once_and_not_before_it_is_placed(
    counter: Counter,
) -> None:
    await opens(counter, OpeningHours(days_ahead=1, lead_min=20, slot_min=30))
    first = (await slots(counter))[0]
    stage = counter.stage
    stage.later((first - timedelta(minutes=20) - stage.clock.now()).total_seconds())
    now = stage.clock.now()
    await counter.place(CAKE, wanted_at=first)
    (row,) = await stage.rows("SELECT begin_at, wanted_at FROM counter_orders")
    assert (row["begin_at"], row["wanted_at"]) == (now, first)


async def test_an_order_for_later_that_is_taken_back_has_its_time_from_when_it_is_to_be_begun(
    counter: Counter,
) -> None:
    await opens(counter, OpeningHours(days_ahead=1, lead_min=20))
    wanted = (await slots(counter))[16]
    order = await counter.paid(CAKE, wanted_at=wanted)
    stage = counter.stage
    await staff.accept(stage.context, counter.who, order)
    await staff.undo(stage.context, counter.who, order, staff.Status.PLACED)
    left = wanted - timedelta(minutes=20) - stage.clock.now()
    stage.later(left.total_seconds() + stage.context.windows.at("counter", {}).dispatch_s - 1)
    await stage.sweep()
    assert await counter.ends(order) == [("to_accept", None, None)]
    stage.later(1)
    await stage.sweep()
    assert await counter.ends(order) == [("not_picked_up", "never_sent", "not_accepted")]


async def test_of_two_calls_to_one_phone_that_are_in_doubt_none_is_taken_for_the_other(
    counter: Counter,
) -> None:
    """A service tells calls apart by ids alone, and nobody knows whose this one is."""
    service(counter)
    context = counter.stage.context
    calls = []
    for _ in range(2):
        order = await counter.ready(contact=reach())
        calls.append(await row_of(counter, order, "call", "ready"))
    await counter.stage.rows(
        "UPDATE counter_messages SET stage = 'unconfirmed', begun_at = $1, why = 'no answer'"
        " WHERE form = 'call' RETURNING 1", counter.stage.clock.now(),
    )  # fmt: skip
    found = (Report(reference="CA1", stage=Stage.SENT),)
    row: Any = calls[0]
    assert await messages._nobodys(context, row, found) == []
    await counter.stage.rows(
        "UPDATE counter_messages SET ended_at = $1, due_at = NULL WHERE id = $2 RETURNING 1",
        counter.stage.clock.now(), calls[1]["id"],
    )  # fmt: skip
    assert await messages._nobodys(context, row, found) == list(found)
    await counter.stage.rows(
        "UPDATE counter_messages SET reference = 'CA1', stage = 'sent' WHERE id = $1 RETURNING 1",
        calls[1]["id"],
    )
    assert await messages._nobodys(context, row, found) == [], "it is the other one's"


async def test_nobody_is_called_for_an_order_for_later_before_it_is_to_be_begun(
    counter: Counter,
) -> None:
    await opens(counter, OpeningHours(days_ahead=1, lead_min=20))
    wanted = (await slots(counter))[16]
    order = await counter.paid(CAKE, wanted_at=wanted)
    (alarm,) = await counter.stage.rows(
        "SELECT since, due_at FROM counter_alarms WHERE id = $1", order
    )
    begins = wanted - timedelta(minutes=20)
    assert (alarm["since"], alarm["due_at"]) == (begins, begins)


# What a basket costs.

SIZE = Option(
    id="size", name="Size", max=3, free=1,
    choices=(
        Choice(id="small", name="Small", price=-40), Choice(id="nuts", name="Nuts", price=60),
        Choice(id="cream", name="Cream", price=45),
    ),
)  # fmt: skip
CUP = Priced(sku="cup", name="Cup", price=300, tax_bp=0, options=(SIZE,), available=True)


def cost(*choices: str, price: int = 300) -> int:
    menu = {"cup": replace(CUP, price=price)}
    (line,) = lines_of(menu, [Wish(sku="cup", choices=choices)])
    return line.unit


def test_a_choice_that_makes_an_item_cheaper_does_so_and_takes_no_free_place() -> None:
    assert cost("small") == 260
    assert cost("cream") == 300
    assert cost("small", "cream") == 260
    assert cost("small", "cream", "nuts") == 320
    assert cost("small", price=30) == 0, "never less than nothing"


@pytest.mark.parametrize(("price", "percent", "tip"), [(350, 10, 35), (345, 10, 35), (344, 10, 34)])
def test_a_tip_of_so_many_per_cent_is_rounded_half_up(price: int, percent: int, tip: int) -> None:
    plain = Priced(sku="cup", name="Cup", price=price, tax_bp=0, options=(), available=True)
    assert tip_of(lines_of({"cup": plain}, [Wish(sku="cup")]), percent) == tip
