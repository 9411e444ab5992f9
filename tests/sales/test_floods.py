"""A machine that says too much: what is kept of it is bounded, what is acknowledged is not."""

from uuid import uuid4

import pytest

from coinslot.channels import messages as wire
from coinslot.oversight import cases
from coinslot.vending import machine_messages
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage

ROWS = """
SELECT (SELECT count(*) FROM device_events) AS lines, (SELECT count(*) FROM events) AS events,
    (SELECT count(*) FROM device_journals) AS journals, (SELECT count(*) FROM cases) AS cases
"""


async def rows(stage: Stage) -> dict[str, int]:
    (found,) = await stage.rows(ROWS)
    return found


async def progress(stage: Stage, number: int, journal: str = "j1") -> int:
    """Of a unit that nobody knows; how far it is acknowledged."""
    told = wire.Progress(unit_id=uuid4(), journal_id=journal, event_seq=number)
    (evack,) = await stage.hear(told)
    assert isinstance(evack, wire.Evack)
    return evack.through


async def test_invented_units_are_kept_so_many_acknowledged_all_and_noted_once(
    stage: Stage,
) -> None:
    await stage.hello()
    for number in range(1, 131):
        assert await progress(stage, number) == number, "an honest journal never fills up with it"
    assert await stage.value("SELECT count(*) FROM device_events") == 100
    await stage.sweep()
    before = await rows(stage)
    for number in range(131, 180):
        await progress(stage, number)
    await stage.sweep()
    assert await rows(stage) == before
    (case,) = await cases.listed(stage.context)
    assert (case.kind, case.subject, case.owner) == ("machine_floods", "M01", "operator")
    report = await stage.audit()
    assert report.ok
    [told] = [n for n in report.notices if n.name == "journals_with_lines_refused"]
    assert [(row["strange"], row["refused"]) for row in told.rows] == [(100, 79)]


async def test_a_machine_that_floods_still_sells(stage: Stage) -> None:
    await stage.hello()
    for number in range(1, 120):
        await progress(stage, number)
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    (evack,) = await stage.started(event_seq=120)
    assert evack.through == 120
    (evack,) = await stage.result(event_seq=121)
    assert evack.through == 121
    assert await stage.value("SELECT basis FROM fulfillments") == "vended"


async def test_a_line_without_room_is_acknowledged_only_after_those_before_it(
    stage: Stage,
) -> None:
    await stage.hello()
    for number in range(1, 101):
        await progress(stage, number)
    assert await progress(stage, 103) == 100
    assert await progress(stage, 102) == 100
    assert await progress(stage, 101) == 101
    assert await progress(stage, 102) == 102
    assert await progress(stage, 103) == 103


async def test_one_unit_of_its_own_has_room_for_so_many_lines_and_its_result(
    stage: Stage,
) -> None:
    await stage.hello()
    unit = await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    for number in range(1, 60):
        told = wire.Progress(unit_id=unit, journal_id="j1", event_seq=number)
        (evack,) = await stage.hear(told)
        assert evack.through == number
    assert await stage.value("SELECT count(*) FROM device_events") == 32
    (evack,) = await stage.result(event_seq=60)
    assert evack.through == 60
    assert await stage.value("SELECT basis FROM fulfillments") == "vended"


async def test_a_result_that_is_not_kept_is_not_believed(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    for number in range(1, 41):
        await stage.result("FAILED", drop="yes", slot="B7", event_seq=number)
    assert await stage.value("SELECT count(*) FROM device_events") == 32
    await stage.result("VENDED", event_seq=41)
    assert await stage.value("SELECT settlement FROM fulfillments") is None


async def test_a_number_of_the_journal_is_one_line_for_ever(stage: Stage) -> None:
    """The auditor judges by what is kept: a word that it cannot find settles nothing."""
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    await stage.started(event_seq=1)
    (evack,) = await stage.result(event_seq=1)
    assert evack.through == 0, "not acknowledged either, while its unit is open"
    assert await stage.value("SELECT state FROM fulfillments") == "started"
    await stage.result(event_seq=2)
    assert await stage.value("SELECT basis FROM fulfillments") == "vended"


async def test_another_machines_unit_is_a_strange_one(stage: Stage) -> None:
    await stage.hello()
    unit = await stage.sell()
    await stage.sweep("fulfillments")
    other = await a_second_machine(stage)
    for number in range(1, 110):
        told = wire.Progress(unit_id=unit, journal_id="j9", event_seq=number)
        await machine_messages.receive(stage.context, other, told, stage.context.now())
    assert await stage.value("SELECT count(*) FROM device_events") == 100


async def test_new_journals_are_so_many_a_day(stage: Stage) -> None:
    for number in range(40):
        await stage.hello(journal=f"j{number}")
        await progress(stage, 1, journal=f"k{number}")
    assert await stage.value("SELECT count(*) FROM device_journals") == 20
    stage.later(86400)
    await stage.hello(journal="tomorrow")
    assert await stage.value("SELECT count(*) FROM device_journals") == 21


async def test_a_journal_that_accepts_a_unit_is_kept_whatever_came_before(stage: Stage) -> None:
    for number in range(40):
        await stage.hello(journal=f"j{number}")
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept(journal="new")
    (evack,) = await stage.result(journal_id="new", event_seq=1)
    assert evack.through == 1
    assert await stage.value("SELECT basis FROM fulfillments") == "vended"


@pytest.mark.parametrize("code", [wire.Refusal.BUSY, wire.Refusal.SLOT_FAULT])
async def test_what_changes_nothing_is_written_once(stage: Stage, code: wire.Refusal) -> None:
    await stage.hello()
    unit = await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    stage.later(12)
    seq = stage.offered()["seq"]

    async def say() -> None:
        await stage.hear(wire.Reject(unit_id=unit, seq=seq, journal_id="j1", code=code))
        (go,) = await stage.accept()
        assert isinstance(go, wire.Go), "and GO is sent again all the same"
        await stage.hello()

    await say()
    before = await rows(stage)
    for _ in range(20):
        await say()
    assert await rows(stage) == before


async def test_greetings_without_end_are_answered_with_one_question_for_a_while(
    stage: Stage,
) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    stage.later(12)
    asked = set()
    for _ in range(10):
        (sync,) = await stage.hello(boot="b2")
        asked |= {query.nonce for query in sync.queries}
    assert len(asked) == 1
    stage.later(6)
    (sync,) = await stage.hello(boot="b2")
    assert sync.queries[0].nonce not in asked
