"""Where an outlet stands: its times, its merchant's days, and whose orders a search finds."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from coinslot.fleet import config
from coinslot.fleet.config import ConfigChange, ConfigError, Editor
from coinslot.kit.clock import UnknownZoneError, zone_named
from coinslot.kit.ids import uuid7
from coinslot.merchants.merchants import move_merchant
from coinslot.orders import outlet_pages
from coinslot.outlets.machines import without_zone
from coinslot.oversight import nightly
from coinslot.vending.journal import Machine
from tests.sales.neighbours import a_second_machine, chandras_machine
from tests.sales.nightly import nightly_gateway
from tests.sales.stage import Stage

Neighbour = Callable[[Stage], Awaitable[Machine]]


@pytest.mark.parametrize("name", ["Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "UTC"])
def test_a_zone_of_the_list_is_known(name: str) -> None:
    assert zone_named(name) == ZoneInfo(name)


@pytest.mark.parametrize(
    "name", ["", "India", "asia/kolkata", "Asia", "+05:30", "../Asia/Kolkata", "localtime"]
)
def test_another_name_is_no_zone(name: str) -> None:
    with pytest.raises(UnknownZoneError):
        zone_named(name)


async def moved(stage: Stage, outlet: str, zone: str) -> None:
    editor = Editor(stage.merchant, "asha")
    await config.change(stage.context, editor, outlet, ConfigChange(zone=zone))


async def test_an_outlet_shows_its_own_zone_else_its_merchants(stage: Stage) -> None:
    async def shown() -> str | None:
        view = await outlet_pages.outlet(stage.context, "M01")
        assert view is not None
        return view.zone

    assert await shown() is None
    await move_merchant(stage.context.db, stage.merchant, "Asia/Kolkata")
    assert await shown() == "Asia/Kolkata"
    await moved(stage, "M01", "America/St_Johns")
    assert await shown() == "America/St_Johns"
    with pytest.raises(ConfigError):
        await moved(stage, "M01", "Asia/Nowhere")
    assert await shown() == "America/St_Johns"


async def test_outlets_of_which_nobody_said_where_they_stand_are_named(stage: Stage) -> None:
    await a_second_machine(stage)
    assert await without_zone(stage.context.db) == ["M01", "M02"]
    await moved(stage, "M02", "Asia/Kolkata")
    assert await without_zone(stage.context.db) == ["M01"]
    await move_merchant(stage.context.db, stage.merchant, "Asia/Kolkata")
    assert await without_zone(stage.context.db) == []


async def test_an_order_shows_the_zone_of_its_outlet(stage: Stage) -> None:
    await move_merchant(stage.context.db, stage.merchant, "Asia/Kolkata")
    await stage.sell()
    order = await outlet_pages.order(stage.context, await stage.value("SELECT token FROM orders"))
    assert order is not None
    assert order.zone == "Asia/Kolkata"


@pytest.mark.parametrize("other", [a_second_machine, chandras_machine])
async def test_an_order_of_another_outlet_is_never_found(stage: Stage, other: Neighbour) -> None:
    await stage.sell()
    now = stage.clock.now()
    machine = await other(stage)
    async with stage.context.db.as_merchant(machine.merchant_id) as conn:
        await conn.execute(
            "INSERT INTO orders (id, merchant_id, outlet_id, state, token, number, source,"
            " amount_minor, currency, placed_at, paid_at, due_at)"
            " VALUES ($1, $2, $3, 'placed', 'theirs', '1', 'page', 4000, 'INR',"
            " $4::timestamptz, $4, $4::timestamptz + interval '1 day')",
            uuid7(now), machine.merchant_id, machine.outlet, now,
        )  # fmt: skip
        await conn.execute(
            "INSERT INTO order_lines (id, merchant_id, order_id, product_id, slot, sku, name,"
            " quantity, price_minor, cost_minor) SELECT o.id, o.merchant_id, o.id, p.id, 'A1',"
            " p.sku, p.name, 1, o.amount_minor, 0 FROM orders o JOIN products p"
            " ON p.merchant_id = o.merchant_id WHERE o.token = 'theirs' LIMIT 1"
        )
    mine = await stage.value("SELECT token FROM orders WHERE outlet_id = 'M01'")
    assert [
        order.token for order in await outlet_pages.find(stage.context, "M01", 4000, [now])
    ] == [mine]


async def test_a_search_finds_what_was_paid_in_or_next_to_one_of_the_minutes(stage: Stage) -> None:
    await stage.sell()
    paid = stage.clock.now()

    async def found(*minutes: datetime, minor: int = 4000) -> int:
        return len(await outlet_pages.find(stage.context, "M01", minor, minutes))

    micro = timedelta(microseconds=1)
    assert await found(paid) == 1
    assert await found(paid - timedelta(hours=1), paid) == 1  # an hour that came twice
    assert await found(paid, minor=4001) == 0
    assert await found() == 0
    for edge, inward in ((timedelta(minutes=1), -micro), (timedelta(minutes=-2), micro)):
        assert await found(paid + edge) == 1
        assert await found(paid + edge + inward) == 1
        assert await found(paid + edge - inward) == 0


@pytest.mark.parametrize(
    ("zone", "day", "begun", "hours"),
    [
        ("UTC", "2026-11-21", "2026-11-21T00:00", 24),
        ("Asia/Kolkata", "2026-11-21", "2026-11-20T18:30", 24),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00", 25),
        ("America/St_Johns", "2026-03-08", "2026-03-08T03:30", 23),
        ("America/St_Johns", "2026-11-01", "2026-11-01T02:30", 25),
        ("Pacific/Apia", "2026-11-21", "2026-11-20T11:00", 24),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00", 23),  # it has no midnight
    ],
)
def test_a_day_is_its_zones_from_midnight_to_midnight(
    zone: str, day: str, begun: str, hours: int
) -> None:
    night = nightly.Night(UUID(int=1), date.fromisoformat(day), ZoneInfo(zone))
    start, end = night.bounds()
    assert start == datetime.fromisoformat(begun).replace(tzinfo=UTC)
    assert end - start == timedelta(hours=hours)


async def test_a_day_is_compared_when_it_is_over_where_the_merchant_is(stage: Stage) -> None:
    """It is noon in UTC, and 17:30 in India, on the day when the account was made."""
    nightly_gateway(stage)
    await move_merchant(stage.context.db, stage.merchant, "Asia/Kolkata")
    stage.later(9 * 3600 + 29 * 60)  # 02:59 in India: the day is over, its wait is not
    assert await nightly.due(stage.context) == 0
    stage.later(60)
    assert await nightly.due(stage.context) == 1
    (row,) = await stage.rows("SELECT day::text, through FROM reconciliations")
    assert row == {"day": "2026-11-21", "through": datetime(2026, 11, 21, 18, 30, tzinfo=UTC)}


async def test_the_first_day_is_that_on_which_the_account_was_made_there(stage: Stage) -> None:
    """It is noon in UTC on the 21st, and two in the morning of the 22nd on Kiritimati."""
    nightly_gateway(stage)
    await move_merchant(stage.context.db, stage.merchant, "Pacific/Kiritimati")
    stage.later(2 * 3600)
    assert await nightly.due(stage.context) == 0, "the 21st was over before there was an account"
    stage.later(23 * 3600 + 60)
    assert await nightly.due(stage.context) == 1
    days = await stage.rows("SELECT day::text FROM reconciliations")
    assert days == [{"day": "2026-11-22"}]


async def test_no_hour_is_left_out_where_a_merchant_moves_to_another_zone(stage: Stage) -> None:
    """From Kolkata to Honolulu: its day begins fifteen hours and a half after the other ended."""
    gateway = nightly_gateway(stage)
    await move_merchant(stage.context.db, stage.merchant, "Asia/Kolkata")
    stage.later(10 * 3600)
    assert await nightly.due(stage.context) == 1
    await move_merchant(stage.context.db, stage.merchant, "Pacific/Honolulu")
    unheard = await stage.pay()  # 22:00 in UTC: in neither zone's day, and no webhook told of it
    assert stage.clock.now() < datetime(2026, 11, 22, 10, tzinfo=UTC)
    stage.later(40 * 3600)
    assert await nightly.due(stage.context) == 1
    assert unheard.gateway_payment_id in gateway.books.payments
    assert await stage.value("SELECT count(*) FROM captures") == 1
