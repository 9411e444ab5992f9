"""What the counter decides by one comparison, one window or one line: at the bound, and beside it;
who is woken, and what stands in the audit log. Each of these was wrong once and no test saw it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from coinslot.console.forms import Form as Fields
from coinslot.console.offers import _coupon
from coinslot.counter import (
    history,
    messages,
    no_show,
    offer_management,
    offers,
    printers,
    reprints,
    resending,
    staff,
    store,
    walk_ins,
    wall_screen,
    writing,
)
from coinslot.counter import message_limits as limits
from coinslot.counter.basket import BasketError, Wish
from coinslot.counter.callbacks import MessageCallbacks
from coinslot.counter.contacts import CONSENT, phone_digest
from coinslot.counter.delivery import DeliveryError, NewZone
from coinslot.counter.messages import _LISTED_BY, LOOKS_IN_DOUBT
from coinslot.counter.offers import Offer, OfferError, Program
from coinslot.counter.printers import NewPrinter
from coinslot.counter.staff import Status
from coinslot.counter.walk_ins import Step
from coinslot.kit.clock import SettableClock
from coinslot.notices.base import Cost, Form, Inbound, Report
from coinslot.notices.base import Stage as Came
from coinslot.notices.mock import Mock
from coinslot.orders import fulfillment
from tests.console.conftest import signed_in
from tests.counter.stage import Counter
from tests.counter.telling import PHONE, reach, row_of, service, swept, texts
from tests.counter.test_alarms import later
from tests.counter.test_alarms import watched as watched
from tests.counter.test_delivery import ROUND, delivers, to
from tests.counter.test_offers import CARD, collects, coupon, second_store
from tests.people.conftest import with_people

LATTE, TEA, CAKE = Wish(sku="latte"), Wish(sku="tea"), Wish(sku="cake")
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


def moved_to(clock: SettableClock, at: datetime) -> None:
    clock.advance(at - clock.now())


@pytest.fixture
def sent(counter: Counter) -> Mock:
    return service(counter)


# Messages: the windows of their caps, and what is too old to be told.


async def said(counter: Counter, **limits_: int) -> str | None:
    """What becomes of another customer's code, by these limits."""
    counter.stage.context.windows = replace(counter.stage.context.windows, **limits_)
    order = await counter.paid(contact=reach())
    await swept(counter)
    why: str | None = (await row_of(counter, order))["why"]
    return why


CAPS = (
    ("phone_messages", DAY, "too_many_phone"),
    ("network_messages", DAY, "too_many_network"),
    ("outlet_messages", timedelta(hours=1), "too_many_outlet"),
)


@pytest.mark.parametrize(("cap", "window", "why"), CAPS)
async def test_a_cap_counts_what_was_sent_in_its_window_and_no_longer(
    counter: Counter, sent: Mock, cap: str, window: timedelta, why: str
) -> None:
    clock: SettableClock = counter.stage.clock
    await counter.paid(contact=reach())
    await swept(counter)
    begun = (await counter.stage.rows("SELECT begun_at FROM counter_messages"))[0]["begun_at"]
    moved_to(clock, begun + window - timedelta(seconds=1))
    assert await said(counter, **{cap: 1}) == why
    moved_to(clock, begun + window)
    assert await said(counter, **{cap: 1}) is None


async def test_a_search_is_answered_while_its_code_opens_and_not_after(
    counter: Counter, sent: Mock
) -> None:
    await counter.paid(contact=reach())
    await swept(counter)
    before = len(texts(sent))
    for after, told in ((history.LIFE - timedelta(seconds=1), 1), (history.LIFE, 0)):
        await history.ask(counter.stage.context, await counter.store(), PHONE, f"n{told}")
        counter.stage.later(after.total_seconds())
        await swept(counter)
        assert len(texts(sent)) - before == told
        before = len(texts(sent))
    why = await counter.stage.value(
        "SELECT why FROM counter_messages WHERE purpose = 'history' AND stage = 'withheld'"
    )
    assert why == "too_late"


async def test_what_is_ready_a_second_time_is_told_once_with_the_code_that_counts(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.preparing(contact=reach())
    await swept(counter)
    context, before = counter.stage.context, len(texts(sent))
    await staff.ready(context, counter.who, order)
    await staff.undo(context, counter.who, order, Status.PREPARING)
    await staff.ready(context, counter.who, order)
    await swept(counter)
    assert len(texts(sent)) == before + 1, "the first one shows a code that opens nothing"
    assert await counter.code(order) in texts(sent)[-1]


async def test_a_message_that_could_not_be_sent_for_a_day_is_not_sent(
    counter: Counter, sent: Mock
) -> None:
    order = await counter.preparing(contact=reach())
    await staff.reject(counter.stage.context, counter.who, order, "No milk")
    created = (await row_of(counter, order, purpose="cancelled"))["created_at"]
    for after, why in ((DAY - MOMENT, None), (DAY, "too_late")):
        moved_to(counter.stage.clock, created + after)
        row = await row_of(counter, order, purpose="cancelled")
        async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
            facts = await writing.facts(conn, row)  # type: ignore[arg-type]
            found = await limits.refusal(conn, counter.stage.context, row, facts)  # type: ignore[arg-type]
        assert found == why


async def test_the_first_price_that_a_service_says_stays(counter: Counter, sent: Mock) -> None:
    order = await counter.paid(contact=reach())
    await swept(counter)
    row, context = await row_of(counter, order), counter.stage.context
    told = Report(reference=row["reference"], stage=Came.DELIVERED)
    for amount in ("0.07", "0.09", None):
        cost = None if amount is None else Cost(amount, "USD")
        await messages.reported(context, row, replace(told, cost=cost))  # type: ignore[arg-type]
        assert str((await row_of(counter, order))["price"]) == "0.07"


async def test_doubt_ends_after_so_many_looks_and_no_later(counter: Counter, sent: Mock) -> None:
    order = await counter.paid(contact=reach(phone="+4915100000003"))
    await swept(counter)
    row = await row_of(counter, order)
    await counter.stage.rows("UPDATE counter_messages SET tries = 2 RETURNING id")
    for looks in range(row["looks"], LOOKS_IN_DOUBT + 1):
        row = await row_of(counter, order)
        assert (row["looks"], row["ended_at"]) == (looks, None)
        counter.stage.later(3600)
        await swept(counter)
    assert (await row_of(counter, order))["ended_at"] is not None
    assert timedelta(seconds=30) < _LISTED_BY, "a call to the service ends before"


async def test_start_lets_calls_in_again(counter: Counter, sent: Mock) -> None:
    context = counter.stage.context
    digest = phone_digest(context.vault, PHONE)
    await limits.opt_out(context, limits.of_calls(digest), "pressed 9")
    assert await limits.opted_out(context, Form.CALL, digest)
    assert not await limits.opted_out(context, Form.SMS, digest)
    wish = Inbound(reference="SM1", sender=PHONE, text="start", opts_out=False)
    await MessageCallbacks(context)._inbound(wish)
    assert not await limits.opted_out(context, Form.CALL, digest)


# Offers: to the cent and to the moment.


async def off(counter: Counter, code: str, *wishes: Wish) -> int:
    order = await counter.id_of(await counter.place(*wishes, offer=Offer(coupon=code)))
    return int(
        await counter.stage.value("SELECT off_minor FROM order_offers WHERE order_id = $1", order)
    )


@pytest.mark.parametrize(("bp", "taken"), [(1000, 35), (333, 11), (1, 0), (9999, 349)])
async def test_per_cent_are_rounded_down_to_the_cent(counter: Counter, bp: int, taken: int) -> None:
    await coupon(counter, percent_bp=bp)
    assert await off(counter, "SPRING", LATTE) == taken


async def why_not(counter: Counter, code: str, *wishes: Wish) -> str | None:
    try:
        await counter.place(*wishes, offer=Offer(coupon=code))
    except OfferError as error:
        return error.code
    return None


async def test_a_coupon_holds_from_its_least_sum_on_and_until_right_before_its_end(
    counter: Counter,
) -> None:
    clock: SettableClock = counter.stage.clock
    ends = clock.now() + timedelta(hours=1)
    await coupon(counter, least_minor=350, ends_at=ends)
    assert await why_not(counter, "SPRING", TEA) == "least"
    assert await why_not(counter, "SPRING", LATTE) is None, "it comes to just that"
    shop = await counter.store()
    for at, there in ((ends - MOMENT, True), (ends, False)):
        moved_to(clock, at)
        assert await why_not(counter, "SPRING", LATTE) == (None if there else "over")
        async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
            assert await offers.has_coupons(conn, shop, at) is there


async def test_what_a_merchant_offers_in_another_currency_is_nothing_here(counter: Counter) -> None:
    stage = counter.stage
    await coupon(counter, "RUPEES", currency="INR", off_minor=100)
    rupees = Program(kind="stamps", currency="INR", earn_minor=1, reward_points=1, reward_minor=100)
    await collects(counter, rupees)
    assert await why_not(counter, "RUPEES", LATTE) == "unknown"
    shop = await counter.store()
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        assert not await offers.has_coupons(conn, shop, stage.clock.now())
        assert await offers.program_of(conn, shop) is None
        assert await offers.card_of(conn, stage.context, shop, CARD) is None


async def test_a_coupon_that_begins_later_is_not_asked_for_yet(counter: Counter) -> None:
    begins = counter.stage.clock.now() + DAY
    await coupon(counter, begins_at=begins)
    shop = await counter.store()
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        assert not await offers.has_coupons(conn, shop, begins - MOMENT)
        assert await offers.has_coupons(conn, shop, begins)


async def test_a_reward_takes_off_no_more_than_the_goods_cost(counter: Counter) -> None:
    much = Program(kind="stamps", currency="EUR", earn_minor=1, reward_points=1, reward_minor=9999)
    await collects(counter, much)
    await counter.complete(await counter.ready(LATTE, offer=Offer(card=CARD)))
    shop = await counter.store()
    async with counter.stage.context.db.as_merchant(counter.stage.merchant) as conn:
        seen = await offers.look(
            conn, counter.stage.context, shop, Offer(card=CARD, reward=True), 350
        )
    assert (seen.off, seen.points) == (350, 1)
    with pytest.raises(BasketError):  # all of it is nothing to pay
        await counter.place(LATTE, offer=Offer(card=CARD, reward=True))


async def test_what_is_collected_again_after_a_stop_is_collected(counter: Counter) -> None:
    stage = counter.stage
    await collects(counter)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await offer_management.stop_program(conn, stage.clock.now())
        assert await offer_management.program(conn) is None
    await collects(counter)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        assert await offer_management.program(conn) is not None


async def test_a_merchant_sees_good_coupons_first_and_what_each_took_off(counter: Counter) -> None:
    stage = counter.stage
    await coupon(counter, "OVER")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        over = await conn.fetchval("SELECT id FROM counter_coupons")
        await offer_management.end_coupon(conn, over, stage.clock.now())
    stage.later(1)
    await coupon(counter, "GOOD")
    await counter.paid(LATTE, offer=Offer(coupon="GOOD"))
    lost = await counter.paid(LATTE, offer=Offer(coupon="GOOD"))
    await staff.reject(stage.context, counter.who, lost, "No milk")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        found = await offer_management.coupons(conn)
    assert [(row["code"], row["used"], row["off"]) for row in found] == [
        ("GOOD", 1, 35), ("OVER", 0, 0),
    ]  # fmt: skip


def test_a_coupon_until_a_day_is_good_on_that_day_by_the_clocks_of_its_merchant() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    form = Fields((("code", "TEN"), ("currency", "EUR"), ("percent", "10"),
                   ("until", "2026-11-30")))  # fmt: skip
    made = _coupon(form, datetime(2026, 11, 1, tzinfo=ZoneInfo("UTC")), zone)
    assert made.ends_at == datetime(2026, 12, 1, 0, 0, tzinfo=zone)


async def test_the_least_sum_of_a_zone_is_of_the_goods_after_the_discount(
    counter: Counter,
) -> None:
    await delivers(counter, NewZone(name="Round", shape=ROUND, fee=100, least=350))
    await coupon(counter, off_minor=1)
    await counter.place(LATTE, deliver=to())
    with pytest.raises(DeliveryError) as caught:
        await counter.place(LATTE, deliver=to(), offer=Offer(coupon="SPRING"))
    assert (caught.value.code, caught.value.least) == ("least", 350)


# Orders for later, and the till.


async def test_the_time_to_fetch_an_order_runs_from_when_it_is_wanted(counter: Counter) -> None:
    order = await counter.ready()
    stage = counter.stage
    await counter.board_open()
    wanted = stage.clock.now() + timedelta(hours=3)
    await stage.rows(
        "UPDATE counter_orders SET wanted_at = $1, begin_at = $2 RETURNING order_id", wanted,
        stage.clock.now(),
    )  # fmt: skip
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        (unit,) = await conn.fetch(store.HOLD_UNITS, order)
        span = fulfillment.windows_at(stage.context, unit).span("pickup_s")
        kept = await no_show.order_row(conn, unit)
        for before, there in ((timedelta(seconds=31), True), (timedelta(0), False)):
            moved_to(stage.clock, wanted + span - before)
            end = await no_show.later_end(stage.context, conn, unit, kept)
            assert (end is not None) is there
            assert end in (None, wanted + span)


async def test_an_order_of_the_till_costs_its_tax_where_that_comes_on_top(counter: Counter) -> None:
    await counter.stage.rows("UPDATE counter_stores SET tax_added = true RETURNING outlet_id")
    context, who = counter.stage.context, counter.who
    await walk_ins.enter(context, who, "S01", [LATTE])
    (one,) = await walk_ins.listed(context, who)
    assert one.total.minor == 350 + 67, "19 per cent, half up"


async def test_each_counter_numbers_its_till_by_itself(counter: Counter) -> None:
    other = await second_store(counter)
    context, who = counter.stage.context, counter.who
    await walk_ins.enter(context, who, "S01", [LATTE])
    sku = await counter.stage.value(
        "SELECT sku FROM counter_items i JOIN products p ON p.id = product_id WHERE outlet_id = $1",
        other.outlet.code,
    )
    assert await walk_ins.enter(context, who, other.outlet.code, [Wish(sku=sku)]) == "W1"


async def test_boards_look_again_after_each_step_of_the_till(counter: Counter) -> None:
    context, who = counter.stage.context, counter.who
    seen = [await changes(counter)]
    await walk_ins.enter(context, who, "S01", [LATTE])
    seen.append(await changes(counter))
    (one,) = await walk_ins.listed(context, who)
    for step in (Step.READY, Step.BACK, Step.CANCELLED):
        await walk_ins.move(context, who, one.id, step)
        seen.append(await changes(counter))
    assert seen == sorted(set(seen)), "it changed each time"


async def changes(counter: Counter) -> int:
    return int(await counter.stage.value("SELECT board_changes FROM counter_stores"))


# Who is woken, and what is on record.

MESSAGES = {"counter_messages"}
MONEY = {"refunds", "fulfillments", "counter_messages"}
WATCHED = (*MONEY, "counter_prints", "counter_alarms", "notices")


@dataclass
class Till:
    """One counter with a printer, and what happened there since it was asked last."""

    counter: Counter
    printer: UUID

    def woken(self) -> set[str]:
        wakes = self.counter.stage.context.wakes
        found = {table for table in WATCHED if wakes.of(table).is_set()}
        for table in WATCHED:
            wakes.of(table).clear()
        return found

    async def noted(self) -> list[str]:
        rows = await self.counter.stage.rows("SELECT action FROM audit_log ORDER BY seq")
        return [row["action"] for row in rows]


@pytest.fixture
async def till(counter: Counter, sent: Mock) -> Till:
    context, who = counter.stage.context, counter.who
    await printers.add(
        context, who, NewPrinter(outlet="S01", name="Bar", kind="escpos", address="bar.shop:9100")
    )
    return Till(counter, await counter.stage.value("SELECT id FROM counter_printers"))


Act = Callable[[Till], Awaitable[object]]


async def _again(till: Till) -> None:
    counter = till.counter
    order = await counter.paid(contact=reach())
    counter.stage.later(61)
    till.woken()
    assert await resending.again(counter.stage.context, (await counter.view(order)).token)


async def _search(till: Till) -> None:
    stage = till.counter.stage
    await history.ask(stage.context, await till.counter.store(), PHONE, "n")


async def _test(till: Till) -> None:
    await printers.test(till.counter.stage.context, till.counter.who, till.printer)


async def _copy(till: Till) -> None:
    order = await till.counter.preparing()
    till.woken()
    await reprints.again(till.counter.stage.context, till.counter.who, order)


async def _receipt(till: Till) -> None:
    order = await till.counter.preparing()
    till.woken()
    await reprints.again(till.counter.stage.context, till.counter.who, order, "receipt")


async def _looked(till: Till) -> None:
    await till.counter.preparing()
    job = await till.counter.stage.value("SELECT id FROM counter_prints")
    await till.counter.stage.rows(
        "UPDATE counter_prints SET failed_at = created_at, due_at = NULL RETURNING id"
    )
    till.woken()
    await reprints.settle(till.counter.stage.context, till.counter.who, job)


async def _retire(till: Till) -> None:
    await printers.retire(till.counter.stage.context, till.counter.who, till.printer)


async def _phone(till: Till) -> None:
    await printers.call_there(till.counter.stage.context, till.counter.who, "S01", PHONE)


async def _ready(till: Till) -> None:
    order = await till.counter.preparing()
    till.woken()
    await staff.ready(till.counter.stage.context, till.counter.who, order)


async def _undone(till: Till) -> None:
    order = await till.counter.preparing()
    till.woken()
    await staff.undo(till.counter.stage.context, till.counter.who, order, Status.PLACED)


async def _rejected(till: Till) -> None:
    order = await till.counter.preparing()
    till.woken()
    await staff.reject(till.counter.stage.context, till.counter.who, order, "No milk")


async def _vouched(till: Till) -> None:
    order = await till.counter.ready()
    till.woken()
    await staff.vouch(till.counter.stage.context, till.counter.who, order, "She showed the mail")


async def _completed(till: Till) -> None:
    order = await till.counter.ready()
    till.woken()
    await till.counter.complete(order)


async def _entered(till: Till) -> None:
    await walk_ins.enter(till.counter.stage.context, till.counter.who, "S01", [LATTE])


async def _moved(till: Till) -> None:
    await _entered(till)
    (one,) = await walk_ins.listed(till.counter.stage.context, till.counter.who)
    await walk_ins.move(till.counter.stage.context, till.counter.who, one.id, Step.HANDED)


ACTS: dict[str, tuple[Act, set[str], str | None]] = {
    "a customer has the code sent again": (_again, MESSAGES, None),
    "a customer looks for orders": (_search, MESSAGES, None),
    "a printer is tried": (_test, {"counter_prints"}, "printer.tested"),
    "a ticket is printed again": (_copy, {"counter_prints"}, "print.ticket"),
    "a receipt is printed": (_receipt, {"counter_prints"}, "print.receipt"),
    "somebody looked at the paper": (_looked, set(), "print.looked_at"),
    "a printer is retired": (_retire, set(), "printer.retired"),
    "a phone is called from now on": (_phone, set(), "store.phone"),
    "an order is ready": (_ready, MESSAGES, "order.ready"),
    "an order is not begun": (_undone, {"counter_alarms"}, "order.undone"),
    "an order is rejected": (_rejected, MONEY, "order.rejected"),
    "somebody vouches for an order": (_vouched, MONEY, "order.vouched"),
    "an order is handed over": (_completed, MONEY, "order.completed"),
    "an order of the till": (_entered, set(), "walk_in.entered"),
    "a step of the till": (_moved, set(), "walk_in.handed"),
}


@pytest.mark.parametrize("name", ACTS)
async def test_what_waits_is_woken_at_once_and_what_people_do_is_on_record(
    till: Till, name: str
) -> None:
    act, wakes, action = ACTS[name]
    assert (await till.noted())[-1] == "printer.added"
    till.woken()
    await act(till)
    assert wakes <= till.woken()
    assert action is None or (await till.noted())[-1] == action


# The wall, the search, the alarm and the coupon's page.


async def test_a_full_wall_shows_who_waits_longest_and_who_is_ready_last(counter: Counter) -> None:
    stage, now = counter.stage, counter.stage.clock.now()
    for number in range(30):
        for letter, ready in (("M", None), ("R", now)):
            await stage.rows(
                "INSERT INTO counter_walk_ins (id, merchant_id, outlet_id, number, lines,"
                " total_minor, entered_by, entered_at, ready_at)"
                " VALUES (gen_random_uuid(), $1, 'S01', $2, '[]', 0, 'asha', $3, $4) RETURNING id",
                stage.merchant, f"{letter}{number}", now + timedelta(seconds=number), ready,
            )  # fmt: skip
    secret = await stage.value("SELECT wall FROM counter_stores")
    shown = await wall_screen.wall(stage.context, secret)
    assert shown is not None
    assert [one.number for one in shown.making] == [f"M{number}" for number in range(24)]
    assert [one.number for one in shown.ready] == [f"R{number}" for number in range(6, 30)]


async def test_a_phone_is_answered_three_times_an_hour_and_a_network_twenty_times(
    counter: Counter, sent: Mock
) -> None:
    await counter.paid(contact=reach())
    await swept(counter)
    shop, context = await counter.store(), counter.stage.context

    async def told(network: str) -> int:
        before = len(texts(sent))
        await history.ask(context, shop, PHONE, network)
        await swept(counter)
        return len(texts(sent)) - before

    context.windows = replace(context.windows, phone_messages=99, network_messages=99)
    assert [await told(f"n{number}") for number in range(4)] == [1, 1, 1, 0]
    counter.stage.later(3600)
    assert await told("n0") == 1, "an hour later the phone is answered again"
    for _ in range(19):
        await told("n0")
    with pytest.raises(history.TooOftenError):
        await told("n0")
    counter.stage.later(3600)
    await told("n0")


async def test_staff_are_told_of_an_alarm_by_the_clocks_of_their_merchant(
    watched: tuple[Counter, Mock],
) -> None:
    counter, notifier = watched
    stage = counter.stage
    await stage.rows("UPDATE merchants SET zone = 'Asia/Kolkata' RETURNING id")
    order = await counter.paid()
    by = await stage.value("SELECT min(dispatch_by) FROM fulfillments WHERE order_id = $1", order)
    stage.context.wakes.of("notices").clear()
    await later(counter, stage.context.windows.alarm_tell_s, with_board=True)
    assert stage.context.wakes.of("notices").is_set()
    (mail,) = [box.notice.text for box in notifier.sent if box.form is Form.EMAIL]
    assert f"{by.astimezone(ZoneInfo('Asia/Kolkata')):%H:%M}" in mail


async def test_what_an_admin_does_with_offers_is_on_record(counter: Counter) -> None:
    asha = await signed_in(await with_people(counter.stage), "asha")
    page = await asha.look("/console/offers")
    made = {"code": "TEN", "percent": "10", "off": "", "least": "", "uses": "", "until": ""}
    await asha.press(page, "/console/offers", made)
    page = await asha.look("/console/offers")
    coupon_id = await counter.stage.value("SELECT id FROM counter_coupons")
    await asha.press(page, f"/console/offers/{coupon_id}/end")
    card = {"kind": "stamps", "earn": "3.00", "count": "10", "reward": "3.50"}
    await asha.press(page, "/console/offers/card", card)
    page = await asha.look("/console/offers")
    await asha.press(page, "/console/offers/card", card | {"stop": "1"})
    rows = await counter.stage.rows("SELECT action, subject, after FROM audit_log ORDER BY seq")
    noted = [(row["action"], row["subject"], (row["after"] or {}).get("stopped")) for row in rows]
    assert noted[-4:] == [
        ("coupon.made", "TEN", None), ("coupon.ended", "TEN", None), ("card.set", "", False),
        ("card.set", "", True),
    ]  # fmt: skip


# Programs.


async def test_only_the_text_that_is_shown_now_is_agreed_to(counter: Counter, sent: Mock) -> None:
    """What somebody read a year ago is another text."""
    latte = await counter.stage.value(
        "SELECT i.id FROM counter_items i JOIN products p ON p.id = product_id WHERE sku = 'latte'"
    )
    body = {"storeSlug": "corner", "items": [{"menuItemId": str(latte)}], "customerPhone": PHONE}
    staffed = await with_people(counter.stage)
    async with staffed.client() as client:
        for version, status in ((CONSENT, 201), ("2025-01", 422), ("", 422)):
            answer = await client.post(
                "/api/checkout-session", json=body | {"consentVersion": version}
            )
            assert answer.status_code == status, answer.text
    assert await counter.stage.value("SELECT count(*) FROM counter_consents") == 1


async def test_no_cache_gives_a_listed_websites_answer_to_another(counter: Counter) -> None:
    staffed = await with_people(counter.stage)
    async with staffed.client() as client:
        for headers in ({}, {"origin": "https://else.example"}):
            answer = await client.get("/api/stores/corner/menu", headers=headers)
            assert "Origin" in answer.headers["vary"]
