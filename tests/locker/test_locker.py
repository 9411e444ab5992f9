"""A second way of selling, in the tests alone: money is taken for it, handed over and given
back, and knows no machine."""

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.app.kinds import KINDS
from coinslot.app.schema import sql_functions
from coinslot.context import Windows
from coinslot.db.migrate import migrate
from coinslot.db.pool import Database, connect
from coinslot.events.announce import Announcer
from coinslot.events.mirror.rows import Rows
from coinslot.gateways.base import RefundFact, RefundStage
from coinslot.kit.clock import SettableClock
from coinslot.kit.money import Money
from coinslot.orders import checkout, fulfillment, outlet_pages
from coinslot.orders.checkout import OrderRequest, WayTap
from coinslot.orders.fulfillment import registered
from coinslot.orders.page_views import NotNowError, Progress, WhyNot
from coinslot.outlets.machines import Outlet, add_outlet
from coinslot.pages.texts import LANGUAGES, words_of_kinds
from coinslot.states.unit_flow import Declared, UnitFlow, UnknownKindError
from tests.conftest import TEST_PASSWORD, DatabaseUrls
from tests.locker.fulfillment import Locker
from tests.locker.stage import HERE, Lockers, PanelAwayError, Told, lockers, set_lockers
from tests.sales.test_around_a_commit import dies
from tests.sales.test_page_orders import pay, placed

__all__ = ["lockers"]


async def test_a_piece_that_staff_saw_taken_completes_its_order(lockers: Lockers) -> None:
    unit = await lockers.sell()
    assert lockers.panel.told == [("light", "D1")]
    assert await lockers.show_code(unit)
    await lockers.staff_says(unit, came=True)
    assert await lockers.state(unit) == ("taken", "fulfilled", "staff_looked")
    assert (await lockers.order())["state"] == "completed"
    assert await lockers.stage.value("SELECT stock FROM slots WHERE outlet_id = 'L01'") == 9
    assert lockers.stage.refunded() == 0


async def test_a_piece_that_staff_found_in_its_door_is_given_back(lockers: Lockers) -> None:
    unit = await lockers.sell()
    await lockers.show_code(unit)
    await lockers.staff_says(unit, came=False)
    await lockers.stage.sweep()
    assert await lockers.state(unit) == ("returned", "refund_due", "staff_looked")
    assert (await lockers.order())["state"] == "failed"
    assert lockers.stage.refunded() == 4000
    assert await lockers.stage.value("SELECT stock FROM slots WHERE outlet_id = 'L01'") == 10


async def test_of_two_pieces_one_is_handed_over_and_one_goes_back(lockers: Lockers) -> None:
    token = await two_paid(lockers)
    one, two = [row["id"] for row in await lockers.stage.rows("SELECT id FROM fulfillments")]
    assert {await lockers.door(one), await lockers.door(two)} == {"D1", "D2"}
    await lockers.show_code(one)
    await lockers.staff_says(one, came=True)
    assert (await lockers.order())["state"] == "paid"
    lockers.stage.later(121)
    await lockers.stage.sweep()
    assert (await lockers.order())["state"] == "completed"
    assert lockers.stage.refunded() == 4000
    view = await outlet_pages.order(lockers.stage.context, token)
    assert view is not None
    assert {unit.settlement for unit in view.units} == {"fulfilled", "refund_due"}


async def two_paid(lockers: Lockers) -> str:
    """A page's order of two pieces, paid and behind their doors; its link."""
    stage = lockers.stage
    token = await checkout.place(stage.context, OrderRequest(outlet="L01", slot="A1", key="tap"))
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "INSERT INTO order_lines (id, merchant_id, order_id, product_id, slot, sku, name,"
            " quantity, price_minor, cost_minor) SELECT gen_random_uuid(), merchant_id, order_id,"
            " product_id, slot, sku, name, quantity, price_minor, cost_minor FROM order_lines"
        )
        await conn.execute("UPDATE orders SET amount_minor = 8000")
    await checkout.pay(stage.context, WayTap(order=token))
    await stage.webhook(await pay(stage, token, 8000))
    await stage.sweep()
    return token


# Time.


async def test_a_piece_without_a_free_door_waits_for_one(lockers: Lockers) -> None:
    first, _, third = [await lockers.sell() for _ in range(3)]
    assert await lockers.state(third) == ("waiting", None, None)
    await lockers.show_code(first)
    await lockers.staff_says(first, came=True)
    lockers.stage.later(6)
    await lockers.stage.sweep()
    assert await lockers.door(third) == "D1"


async def test_a_piece_that_never_had_a_door_goes_back_at_the_end_of_its_time(
    lockers: Lockers,
) -> None:
    unit = [await lockers.sell() for _ in range(3)][2]
    lockers.panel.told.clear()
    lockers.stage.later(121)
    await lockers.stage.sweep()
    assert await lockers.state(unit) == ("returned", "refund_due", "never_sent")
    assert sorted(lockers.panel.told) == [("dim", "D1"), ("dim", "D2")], "of the other two"


async def test_a_door_whose_code_nobody_asked_for_goes_dark_and_the_money_goes_back(
    lockers: Lockers,
) -> None:
    unit = await lockers.sell()
    lockers.stage.later(121)
    await lockers.stage.sweep()
    assert await lockers.state(unit) == ("returned", "refund_due", "never_sent")
    assert lockers.panel.told[-1] == ("dim", "D1")
    assert await lockers.show_code(unit) is None
    assert lockers.stage.refunded() == 4000


async def test_silence_after_the_code_is_doubt_and_ends_by_policy(lockers: Lockers) -> None:
    unit = await lockers.sell()
    await lockers.show_code(unit)
    lockers.stage.later(31)
    await lockers.stage.sweep()
    assert await lockers.state(unit) == ("doubted", None, None)
    assert ("ask", "D1") in lockers.panel.told
    lockers.stage.later(600)
    await lockers.stage.sweep()
    assert await lockers.state(unit) == ("returned", "refund_due", "policy")
    assert await lockers.stage.value("SELECT amount_minor FROM exposures") == 4000
    assert lockers.stage.refunded() == 4000


async def test_a_customer_who_says_that_nothing_came_has_staff_look_and_proves_nothing(
    lockers: Lockers,
) -> None:
    unit = await lockers.sell()
    token = (await lockers.order())["token"]
    await fulfillment.nothing_came(lockers.stage.context, token)
    assert await lockers.state(unit) == ("reserved", None, None)
    lockers.stage.later(4)
    await lockers.show_code(unit)
    await fulfillment.nothing_came(lockers.stage.context, token)
    assert await lockers.state(unit) == ("doubted", None, None)
    assert lockers.panel.told[-1] == ("ask", "D1")


async def test_what_staff_says_against_a_settlement_moves_no_money_and_is_kept(
    lockers: Lockers,
) -> None:
    gone, kept = [await lockers.sell() for _ in range(2)]
    for unit in (gone, kept):
        await lockers.show_code(unit)
        await lockers.staff_says(unit, came=unit == gone)
    await lockers.stage.sweep()
    for unit in (gone, kept):
        await lockers.staff_says(unit, came=unit != gone)
    await lockers.stage.sweep()
    assert lockers.stage.refunded() == 4000
    kinds = await lockers.stage.rows("SELECT kind FROM discrepancies ORDER BY kind")
    assert [row["kind"] for row in kinds] == ["dropped_after_refund", "no_drop_after_fulfilled"]


class LockerWindows(Windows, frozen=True, kw_only=True):
    """A locker's customers come on foot."""

    locker_dispatch_s: float = 900


async def test_its_kind_has_windows_of_its_own_and_a_machine_keeps_everybodys(
    lockers: Lockers,
) -> None:
    stage = lockers.stage
    stage.context.windows = LockerWindows()
    unit = await lockers.sell()
    token = await placed(stage)
    await stage.webhook(await pay(stage, token), event="payment.captured.2")
    stage.later(121)
    await stage.sweep()
    assert await stage.value("SELECT basis FROM fulfillments WHERE kind = 'vending'") is not None
    assert await lockers.state(unit) == ("reserved", None, None)
    stage.later(900)
    await stage.sweep()
    assert await lockers.state(unit) == ("returned", "refund_due", "never_sent")


# Money that goes back by another way.


async def given_back_there(lockers: Lockers) -> None:
    """In the gateway's own dashboard."""
    (payment,) = lockers.stage.books.payments
    fact = RefundFact(
        gateway_refund_id="there", gateway_payment_id=payment, money=Money(4000, "INR"),
        stage=RefundStage.PROCESSED, at=lockers.stage.clock.now(),
    )  # fmt: skip
    lockers.stage.books.refunds["there"] = fact
    await lockers.stage.webhook(fact, event="refund.processed")


async def test_money_that_went_back_before_the_code_was_shown_withdraws_the_piece(
    lockers: Lockers,
) -> None:
    unit = await lockers.sell()
    await given_back_there(lockers)
    assert await lockers.state(unit) == ("returned", "refund_due", "never_sent")
    assert await lockers.show_code(unit) is None
    await lockers.stage.sweep()
    assert lockers.panel.told == [("light", "D1"), ("dim", "D1")]
    assert lockers.stage.refunded() == 4000


async def test_a_panel_that_was_away_is_told_of_a_withdrawn_piece_until_it_hears(
    lockers: Lockers,
) -> None:
    unit = await lockers.sell()
    await given_back_there(lockers)
    lockers.panel.away = True
    with pytest.raises(PanelAwayError):
        await fulfillment.drive(lockers.stage.context, await lockers.row(unit))
    assert (await lockers.row(unit))["due_at"] is not None
    lockers.panel.away = False
    await lockers.stage.sweep()
    assert lockers.panel.told[-1] == ("dim", "D1")
    assert (await lockers.row(unit))["due_at"] is None


async def test_money_that_went_back_after_the_code_was_shown_withdraws_nothing(
    lockers: Lockers,
) -> None:
    unit = await lockers.sell()
    await lockers.show_code(unit)
    await given_back_there(lockers)
    assert (await lockers.state(unit))[0] == "shown"
    await lockers.staff_says(unit, came=False)
    await lockers.stage.sweep()
    assert lockers.stage.refunded() == 4000, "not twice"


# Processes that die, and that race.


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
async def test_a_process_that_dies_at_the_reservation_leaves_it_to_the_next(
    lockers: Lockers, point: str
) -> None:
    unit = await lockers.paid()
    row = await lockers.row(unit)
    await dies(lockers.stage, point, lockers.locker.start(lockers.stage.context, row))
    assert lockers.panel.told == []
    lockers.stage.later(6)
    await lockers.stage.sweep()
    assert lockers.panel.told == [("light", "D1")]
    assert (await lockers.state(unit))[0] == "reserved"


@pytest.mark.parametrize(("point", "sent"), [("before_commit", False), ("after_commit", True)])
async def test_a_code_counts_as_shown_from_its_commit_on(
    lockers: Lockers, point: str, sent: bool
) -> None:
    unit = await lockers.sell()
    row = await lockers.row(unit)
    await dies(lockers.stage, point, lockers.locker.show_code(lockers.stage.context, row))
    assert ((await lockers.row(unit))["sent_at"] is not None) == sent
    lockers.stage.later(121)
    await lockers.stage.sweep()
    state = await lockers.state(unit)
    assert state == (("doubted", None, None) if sent else ("returned", "refund_due", "never_sent"))


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
async def test_what_staff_said_is_kept_whole_or_not_at_all(lockers: Lockers, point: str) -> None:
    unit = await lockers.sell()
    await lockers.show_code(unit)
    await dies(lockers.stage, point, lockers.staff_says(unit, came=False))
    await lockers.staff_says(unit, came=False)
    await lockers.stage.sweep()
    assert await lockers.state(unit) == ("returned", "refund_due", "staff_looked")
    assert lockers.stage.refunded() == 4000


async def test_two_processes_reserve_each_door_once(lockers: Lockers) -> None:
    units = [await lockers.paid() for _ in range(2)]
    rows = [await lockers.row(unit) for unit in units]
    await asyncio.gather(*(lockers.locker.start(lockers.stage.context, row) for row in rows * 2))
    lockers.stage.later(6)
    await lockers.stage.sweep()
    assert {await lockers.door(unit) for unit in units} == {"D1", "D2"}


async def test_a_code_and_the_end_of_its_time_at_once_are_goods_or_money(lockers: Lockers) -> None:
    unit = await lockers.sell()
    row = await lockers.row(unit)
    late = copy.copy(lockers.stage.context)
    late.clock = SettableClock(row["dispatch_by"])
    code, _ = await asyncio.gather(
        lockers.locker.show_code(lockers.stage.context, row), fulfillment.drive(late, row)
    )
    settlement = (await lockers.row(unit))["settlement"]
    assert settlement == ("refund_due" if code is None else None)


# What others see.


async def test_a_merchant_is_told_what_became_of_each_piece(lockers: Lockers) -> None:
    for came in (True, False):
        unit = await lockers.sell()
        await lockers.show_code(unit)
        await lockers.staff_says(unit, came=came)
    await lockers.stage.sweep()
    announcer = Announcer(lockers.stage.context)
    while (batch := await announcer.cursor.next_batch()) is not None:
        await announcer.announce(batch)
    told = await lockers.stage.rows(
        "SELECT type, data FROM public_events WHERE type LIKE 'fulfillment.%' ORDER BY seq"
    )
    assert [(row["type"], row["data"]["status"]) for row in told] == [
        ("fulfillment.handed_over", "handed_over"), ("fulfillment.failed", "failed"),
    ]  # fmt: skip
    assert {row["data"]["outlet"] for row in told} == {"L01"}


async def test_the_mirror_shows_it_in_its_own_words(lockers: Lockers) -> None:
    rows = Rows(lockers.stage.context.db, lockers.stage.clock, timedelta(seconds=20))

    async def shown() -> tuple[str, bool, str]:
        nodes: dict[str, Any] = {}
        async for more in rows.everything():
            nodes |= {path.partition("/")[0]: node for path, node in more.items()}
        order, payment = nodes["orders"], nodes["paymentEvents"]
        return order["status"], order["dispatchPending"], payment["dispatch"]

    unit = await lockers.sell()
    assert await shown() == ("PAID", True, "PENDING")
    await lockers.show_code(unit)
    assert await shown() == ("PAID", False, "SENT")
    await lockers.staff_says(unit, came=True)
    assert await shown() == ("COMPLETED", False, "SUCCESS")


async def test_its_page_tells_how_far_it_is_and_the_code_once_it_may_be_seen(
    lockers: Lockers,
) -> None:
    unit = await lockers.paid()

    async def seen() -> tuple[Progress, str | None]:
        view = await outlet_pages.order(lockers.stage.context, (await lockers.order())["token"])
        assert view is not None
        assert view.kind == "locker"
        return view.progress, view.code

    assert await seen() == (Progress.QUEUED, None)
    await lockers.stage.sweep()
    assert await seen() == (Progress.SENDING, None)
    code = await lockers.show_code(unit)
    assert await seen() == (Progress.WORKING, code)
    lockers.stage.later(31)
    await lockers.stage.sweep()
    assert await seen() == (Progress.CHECKING, None)


async def test_its_outlet_sells_without_a_machine_that_is_online(lockers: Lockers) -> None:
    view = await outlet_pages.outlet(lockers.stage.context, "L01")
    assert view is not None
    assert (view.kind, view.ready) == ("locker", True)


async def test_its_own_checks_are_audited(lockers: Lockers) -> None:
    unit = await lockers.sell()
    await lockers.show_code(unit)
    await lockers.staff_says(unit, came=True)
    owner = await connect(lockers.stage.owner_url)
    try:
        await owner.execute("UPDATE locker_units SET said_by = NULL")
        assert (await lockers.stage.audit()).red == {"what_staff_said_has_a_name"}
        await owner.execute("UPDATE locker_units SET said_by = 'Boris'")
    finally:
        await owner.close()


def test_its_texts_stand_in_place_of_the_shared_ones_in_every_language() -> None:
    words = words_of_kinds({"locker": Locker.texts})
    for code, shared in LANGUAGES.items():
        own = words["locker", code]
        assert own.queued == Locker.texts[code]["queued"] != shared.queued
        assert own.refunded == shared.refunded


# What is not whole is refused.


def test_a_text_in_one_language_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="locker: its texts differ"):
        words_of_kinds({"locker": {"en": {"queued": "Wait"}}})


def test_a_text_that_no_page_has_is_refused() -> None:
    texts = {code: {"fanfare": "Ta-da"} for code in LANGUAGES}
    with pytest.raises(TypeError, match="fanfare"):
        words_of_kinds({"locker": texts})


def test_two_handlers_for_one_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="two handlers for one kind"):
        registered(Locker(Told()), Locker(Told()))


def test_a_kind_that_names_a_function_which_no_file_has_is_refused_before_it_sells() -> None:
    with pytest.raises(LookupError, match="locker: no SQL file has the function locker_queued"):
        sql_functions(registered(*KINDS.values(), Locker(Told())))


@pytest.mark.parametrize(
    "wrong", [{"doubt": "lost"}, {"unsent": ("shown",)}, {"unsent": ("waiting", "asleep")}]
)
def test_a_kind_that_declares_states_which_its_table_does_not_have_is_refused(
    wrong: dict[str, Any],
) -> None:
    flow = Locker.flow
    declared: Declared = replace(flow.declared, **wrong)
    with pytest.raises(ValueError, match="locker: it declares states"):
        UnitFlow("locker", flow.initial, flow.rows, declared)


async def test_an_outlet_of_a_kind_without_a_table_is_refused(
    database: Database, urls: DatabaseUrls
) -> None:
    made = await set_lockers(database, urls)
    outlet = Outlet(
        code="X01", merchant_id=made.stage.merchant, name="", place="", kind="kiosk",
        channel="panel", dialect="simple", currency="INR", account_id=made.stage.account.id,
    )  # fmt: skip
    async with database.as_merchant(made.stage.merchant) as conn:
        with pytest.raises(UnknownKindError, match="X01: no way of selling is called kiosk"):
            await add_outlet(conn, outlet, [], made.stage.clock.now())


@asynccontextmanager
async def without_the_room(lockers: Lockers, urls: DatabaseUrls) -> AsyncIterator[None]:
    """An older program is installed meanwhile."""
    known = lockers.stage.context.kinds
    lockers.stage.context.kinds = KINDS
    await migrate(urls.owner, TEST_PASSWORD, TEST_PASSWORD, sql_functions())
    yield
    lockers.stage.context.kinds = known
    functions = sql_functions(known, [HERE / "locker.sql"])
    await migrate(urls.owner, TEST_PASSWORD, TEST_PASSWORD, functions)


async def test_a_program_without_the_kind_takes_no_order_at_its_outlets(
    lockers: Lockers, urls: DatabaseUrls
) -> None:
    wish = OrderRequest(outlet="L01", slot="A1", key="tap")
    async with without_the_room(lockers, urls):
        view = await outlet_pages.outlet(lockers.stage.context, "L01")
        assert view is not None
        assert view.why_not is WhyNot.OUT_OF_SERVICE
        with pytest.raises(NotNowError):
            await checkout.place(lockers.stage.context, wish)
    assert await checkout.place(lockers.stage.context, wish)


async def test_money_that_comes_for_a_kind_which_is_gone_goes_back(
    lockers: Lockers, urls: DatabaseUrls
) -> None:
    """Through the printed code, and for an order that was placed before."""
    stage = lockers.stage
    token = await checkout.place(stage.context, OrderRequest(outlet="L01", slot="A1", key="tap"))
    await checkout.pay(stage.context, WayTap(order=token))
    async with without_the_room(lockers, urls):
        await stage.webhook(await stage.pay())
        await stage.webhook(await pay(stage, token), event="payment.captured.2")
        await stage.sweep()
    reasons = await stage.rows("SELECT reason FROM captures")
    assert [row["reason"] for row in reasons] == ["not_sold_here"] * 2
    assert await stage.value("SELECT count(*) FROM fulfillments") == 0
    assert stage.refunded() == 8000


async def test_a_process_without_the_handler_leaves_the_piece_to_one_that_has_it(
    lockers: Lockers,
) -> None:
    unit = await lockers.paid()
    lockers.stage.context.kinds = KINDS
    with pytest.raises(UnknownKindError, match="no way of selling is called locker"):
        await fulfillment.drive(lockers.stage.context, await lockers.row(unit))
    await lockers.stage.sweep("fulfillments")
    assert await lockers.state(unit) == ("waiting", None, None)
    view = await outlet_pages.order(lockers.stage.context, (await lockers.order())["token"])
    assert view is not None
    assert view.progress is Progress.QUEUED
    lockers.stage.context.kinds = registered(*KINDS.values(), lockers.locker)
    async with lockers.stage.context.db.as_merchant(lockers.stage.merchant) as conn:
        await conn.execute("UPDATE fulfillments SET leased_until = NULL")  # the lease ended
    await lockers.stage.sweep("fulfillments")
    assert (await lockers.state(unit))[0] == "reserved"


async def test_a_machine_beside_it_sells_as_ever(lockers: Lockers) -> None:
    stage = lockers.stage
    piece = await lockers.sell()
    token = await placed(stage)
    await stage.webhook(await pay(stage, token), event="payment.captured.2")
    await stage.sweep()
    await stage.accept()
    await stage.result()
    assert await stage.value("SELECT state FROM fulfillments WHERE kind = 'vending'") == "vended"
    assert await lockers.state(piece) == ("reserved", None, None)
