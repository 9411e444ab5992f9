"""Refill visits: what a person finds and leaves is what the slots hold, once, whatever the network
and the machine say meanwhile."""

import asyncio
from datetime import date
from typing import Any

import pytest

from coinslot.fleet.config import Editor
from coinslot.outlets.machines import UnknownOutletError, UnknownSlotError
from coinslot.stock.slots import Lot, lots_left, stock_of
from coinslot.stock.visits import NewVisit, SlotTwiceError, VisitLine, last_visits, visit
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage
from tests.stock.test_counts import begun, counted, sold, stock


def boris(stage: Stage) -> Editor:
    return Editor(stage.merchant, "boris")


async def filled(stage: Stage, after: int, before: int | None = None, **more: Any) -> Any:
    line = VisitLine(slot="A1", before=before, after=after, **more)
    return await visit(stage.context, boris(stage), "M01", NewVisit(slots=[line]))


async def differences(stage: Stage) -> list[tuple[str, int, int]]:
    rows = await stage.rows("SELECT cause, expected, counted FROM stock_differences ORDER BY id")
    return [(row["cause"], row["expected"], row["counted"]) for row in rows]


async def test_a_slot_holds_what_a_person_leaves_there(stage: Stage) -> None:
    await stage.hello()
    await sold(stage, 1)
    made = await filled(stage, after=20, before=9)
    assert (made.slots[0].expected, await stock(stage)) == (9, 20)
    assert await differences(stage) == [], "what was added is no difference"
    await sold(stage, 3)
    assert await stock(stage) == 19
    (kept,) = await last_visits(stage.context, stage.merchant, "M01", 5)
    assert kept == made
    noted = "SELECT subject FROM audit_log WHERE action = 'machine.refilled'"
    assert await stage.value(noted) == "M01"


async def test_what_is_missing_before_a_refill_is_kept_as_a_difference(stage: Stage) -> None:
    await filled(stage, after=20, before=7)
    assert await differences(stage) == [("visit", 10, 7)]


async def test_the_machines_own_count_after_a_visit_agrees_with_it(stage: Stage) -> None:
    await stage.hello()
    await sold(stage, 1)
    await filled(stage, after=20, before=9)
    assert await counted(stage, 20, seq=1, event_seq=2, cause="refill") == 20
    assert await differences(stage) == []


async def test_a_run_that_was_known_to_have_begun_is_in_the_count_of_a_visit(
    stage: Stage,
) -> None:
    """Its money went back by policy; whoever looks into the slot sees whether it fell."""
    await stage.hello()
    result = await begun(stage, 1)
    stage.later(700)
    await stage.sweep()
    await filled(stage, after=9, before=9)
    assert await stock(stage) == 9
    await stage.hear(result)
    assert await stock(stage) == 9


async def test_a_slot_that_failed_twice_sells_again_after_a_visit(stage: Stage) -> None:
    await stage.rows(
        "UPDATE slots SET failures_in_row = 2, out_of_sale_at = now(), stock = 0 RETURNING slot"
    )
    await filled(stage, after=10)
    (slot,) = await stage.rows("SELECT failures_in_row, out_of_sale_at, stock FROM slots")
    assert slot == {"failures_in_row": 0, "out_of_sale_at": None, "stock": 10}


async def test_a_slot_that_a_person_took_out_of_sale_stays_out(stage: Stage) -> None:
    await stage.rows("UPDATE slots SET withheld_at = $1, out_of_sale_at = $1 RETURNING slot",
                     stage.clock.now())  # fmt: skip
    await filled(stage, after=10)
    assert await stage.value("SELECT out_of_sale_at FROM slots") is not None


async def test_two_people_at_one_machine_leave_the_count_of_the_second(stage: Stage) -> None:
    await asyncio.gather(filled(stage, after=12), filled(stage, after=12))
    assert await stock(stage) == 12
    assert len(await last_visits(stage.context, stage.merchant, "M01", 5)) == 2


async def test_nothing_is_written_of_a_visit_with_a_wrong_slot(stage: Stage) -> None:
    for lines, error in (
        ([VisitLine(slot="A1", after=3), VisitLine(slot="Z9", after=3)], UnknownSlotError),
        ([VisitLine(slot="A1", after=3), VisitLine(slot="A1", after=4)], SlotTwiceError),
    ):
        with pytest.raises(error):
            await visit(stage.context, boris(stage), "M01", NewVisit(slots=lines))
    assert await stock(stage) == 10
    assert await last_visits(stage.context, stage.merchant, "M01", 5) == []


async def test_chandra_visits_no_machine_of_ashas(stage: Stage) -> None:
    hers = Editor((await chandras_machine(stage)).merchant_id, "chandra")
    wanted = NewVisit(slots=[VisitLine(slot="A1", after=0)])
    with pytest.raises(UnknownOutletError):
        await visit(stage.context, hers, "M01", wanted)
    assert await stock(stage) == 10


async def test_how_many_fit_is_said_at_a_visit_and_stays_until_it_is_said_anew(
    stage: Stage,
) -> None:
    for said, kept in ((None, None), (24, 24), (None, 24), (30, 30)):
        await filled(stage, after=10, capacity=said)
        found = await stock_of(stage.context, stage.merchant, "M01")
        assert found.slots[0].capacity == kept


async def test_what_expires_first_is_sold_first(stage: Stage) -> None:
    await stage.hello()
    await stage.rows("UPDATE slots SET stock = 0 RETURNING slot")
    soon, later = date(2026, 12, 1), date(2027, 1, 31)
    await filled(stage, after=2, before=0, expires_on=soon)
    await filled(stage, after=5, before=2, expires_on=later)

    async def lots() -> tuple[Lot, ...]:
        return (await stock_of(stage.context, stage.merchant, "M01")).slots[0].lots

    assert await lots() == (Lot(2, soon), Lot(3, later))
    await sold(stage, 1)
    assert await lots() == (Lot(1, soon), Lot(3, later))
    await sold(stage, 3)
    assert await lots() == (Lot(3, later),)


def test_pieces_of_before_there_were_lots_are_the_oldest() -> None:
    lot = {"pieces": 3, "expires_on": "2027-01-31"}
    assert lots_left([lot], 5) == (Lot(2, None), Lot(3, date(2027, 1, 31)))
    assert lots_left([lot], 0) == ()
    assert lots_left([], 0) == ()
