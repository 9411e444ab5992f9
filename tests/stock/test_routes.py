"""Routes, and what to bring on one: par less what will be there."""

from datetime import date, timedelta

import pytest

from coinslot.fleet.config import Editor
from coinslot.stock.routes import (
    DayError,
    PickLine,
    RouteError,
    UnknownRouteError,
    drop_route,
    pick_list,
    put_route,
    routes,
)
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import START, Stage
from tests.stock.test_visits import boris

TODAY = START.date()


async def line(stage: Stage, on: date | None = None) -> PickLine:
    return (await pick_list(stage.context, stage.merchant, None, on)).stops[0].lines[0]


async def set_slot(stage: Stage, change: str) -> None:
    await stage.rows(f"UPDATE slots SET {change} RETURNING slot")


async def learned(stage: Stage, a_day: float) -> None:
    await stage.rows(
        "INSERT INTO slot_demand (outlet_id, slot, merchant_id, product_id, sales, days, held,"
        " through) SELECT outlet_id, slot, merchant_id, product_id, $1, 10, 0, 0 FROM slots"
        " RETURNING slot", a_day * 10,
    )  # fmt: skip


async def test_a_slot_lacks_what_it_holds_less_than_its_par(stage: Stage) -> None:
    await set_slot(stage, "par = 12")
    assert (await line(stage)).bring == 2
    await set_slot(stage, "par = 8")
    assert (await line(stage)).bring == 0, "it is fuller than its par"


async def test_what_is_promised_is_brought_too(stage: Stage) -> None:
    await set_slot(stage, "par = 10")
    await stage.sell()
    found = await line(stage)
    assert (found.left, found.bring) == (9, 1)


async def test_what_will_be_sold_until_the_visit_is_brought_too(stage: Stage) -> None:
    await set_slot(stage, "par = 10")
    await learned(stage, 2.0)
    assert (await line(stage)).bring == 0
    thursday = await line(stage, TODAY + timedelta(days=3))
    assert (thursday.will_sell, thursday.bring) == (6.0, 6)
    assert (await line(stage, TODAY + timedelta(days=30))).bring == 10, "no more than are missing"


async def test_no_more_is_brought_than_fits(stage: Stage) -> None:
    await set_slot(stage, "par = 20, capacity = 14")
    assert (await line(stage)).bring == 4


async def test_a_day_that_is_over_or_too_far_away_is_refused(stage: Stage) -> None:
    for days in (-2, 62):
        with pytest.raises(DayError):
            await line(stage, TODAY + timedelta(days=days))


async def test_a_route_keeps_its_order_and_sums_what_to_pack(stage: Stage) -> None:
    await stage.rows(
        'INSERT INTO outlets SELECT (jsonb_populate_record(o, \'{"id": "M02"}\')).*'
        " FROM outlets o RETURNING id"
    )
    await stage.rows(
        'INSERT INTO slots SELECT (jsonb_populate_record(s, \'{"outlet_id": "M02"}\')).*'
        " FROM slots s RETURNING slot"
    )
    await set_slot(stage, "par = 13")
    await put_route(stage.context, boris(stage), "North", ["M02", "M01"])
    found = await pick_list(stage.context, stage.merchant, "North")
    assert [stop.code for stop in found.stops] == ["M02", "M01"]
    assert ([one.bring for one in found.products], found.bring, found.on) == ([6], 6, TODAY)
    await put_route(stage.context, boris(stage), "North", ["M01"])
    found = await pick_list(stage.context, stage.merchant, "North")
    assert [stop.code for stop in found.stops] == ["M01"]
    (route,) = await routes(stage.context, stage.merchant)
    assert (route.name, route.machines) == ("North", ("M01",))


async def test_a_route_has_only_machines_of_its_merchant_each_once(stage: Stage) -> None:
    hers = await chandras_machine(stage)
    for machines in (["M01", "M01"], ["M99"], [hers.outlet]):
        with pytest.raises(RouteError):
            await put_route(stage.context, boris(stage), "North", machines)
    assert await routes(stage.context, stage.merchant) == []


async def test_chandra_sees_and_drops_no_route_of_ashas(stage: Stage) -> None:
    await put_route(stage.context, boris(stage), "North", ["M01"])
    chandra = (await chandras_machine(stage)).merchant_id
    assert await routes(stage.context, chandra) == []
    with pytest.raises(UnknownRouteError):
        await pick_list(stage.context, chandra, "North")
    with pytest.raises(UnknownRouteError):
        await drop_route(stage.context, Editor(chandra, "chandra"), "North")
    await drop_route(stage.context, boris(stage), "North")
    with pytest.raises(UnknownRouteError):
        await drop_route(stage.context, boris(stage), "North")
    assert await routes(stage.context, stage.merchant) == []
    await put_route(stage.context, boris(stage), "North", ["M01"])
    assert len(await routes(stage.context, stage.merchant)) == 1, "its name is free again"
