"""Somebody with a machine's secret says that its journal holds nothing below some line. A line, or
a HELLO, of the machine that still holds one disproves it: nothing that is not stored is
acknowledged to the machine that has it."""

import asyncio
from uuid import UUID, uuid4

import msgspec
import pytest

from coinslot.channels import messages as wire
from coinslot.db.migrate import MIGRATIONS
from coinslot.oversight import cases
from tests.sales.by_hand import Rows
from tests.sales.stage import Stage

FAR = 5001


async def greets(stage: Stage, unacked_from: int | None) -> int:
    """How far SYNC says that the journal is known."""
    hello = wire.Hello(
        journal_id="j1", boot_id="b1", mono_ms=1000, last_seq=0, unacked_from=unacked_from,
        capabilities=wire.Capabilities(journal=True, sensor=True),
    )  # fmt: skip
    (sync,) = await stage.hear(hello)
    assert isinstance(sync, wire.Sync)
    return sync.through


async def line(stage: Stage, number: int, unit: UUID | None = None) -> int:
    """How far it is acknowledged to who sent it."""
    told = wire.Progress(unit_id=unit or uuid4(), journal_id="j1", event_seq=number)
    (evack,) = await stage.hear(told)
    assert isinstance(evack, wire.Evack)
    return evack.through


async def result(stage: Stage, number: int) -> int:
    (evack,) = await stage.result(event_seq=number)
    assert isinstance(evack, wire.Evack)
    return evack.through


async def accepted(stage: Stage) -> UUID:
    unit = await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    return unit


async def skipped(stage: Stage) -> int:
    return int(await stage.value("SELECT skipped FROM device_journals"))


async def called(stage: Stage) -> list[tuple[str, str]]:
    await stage.sweep()
    return [(case.kind, case.subject) for case in await cases.listed(stage.context)]


async def test_a_line_that_a_thief_said_was_gone_is_stored_before_it_is_acknowledged(
    stage: Stage,
) -> None:
    await greets(stage, 1)
    await accepted(stage)
    assert await greets(stage, FAR) == FAR - 1, "it may be a database that was restored"
    assert await skipped(stage) == FAR - 1
    (evack,) = await stage.started(event_seq=1)
    assert evack.through == 1, "the machine must keep its line 2, which is not here"
    assert await skipped(stage) == 0
    assert await result(stage, 2) == 2
    assert await stage.value("SELECT basis FROM fulfillments") == "vended"
    assert await called(stage) == [("machine_contradicts", "M01")]
    assert (await stage.audit()).ok


async def test_a_line_sent_again_is_acknowledged_no_further_than_is_stored(stage: Stage) -> None:
    await greets(stage, 1)
    await accepted(stage)
    await stage.started(event_seq=1)  # whose EVACK was lost
    await greets(stage, FAR)
    (evack,) = await stage.started(event_seq=1)
    assert evack.through == 1


async def test_lines_that_were_stored_past_a_gap_are_acknowledged_when_the_gap_is_filled(
    stage: Stage,
) -> None:
    await greets(stage, 1)
    assert await line(stage, 2) == 0
    await greets(stage, FAR)
    assert await line(stage, 2) == 0
    assert await line(stage, 1) == 2


async def test_a_hello_that_still_holds_a_line_disproves_the_jump_before_any_line_comes(
    stage: Stage,
) -> None:
    await greets(stage, 1)
    await accepted(stage)
    assert await greets(stage, 4) == 3  # and with them the machine's lines 1 to 3 were lost
    assert await greets(stage, 1) == 0
    assert await result(stage, 4) == 0, "sent out of order: 1 to 3 stay in the machine"
    assert [await line(stage, 1), await line(stage, 2), await line(stage, 3)] == [1, 2, 4]


@pytest.mark.parametrize("again", [2, 5])
async def test_whoever_jumps_again_is_set_back_again_and_a_person_is_called_once_a_day(
    stage: Stage, again: int
) -> None:
    await greets(stage, 1)
    for number in range(1, again + 1):
        await greets(stage, number * FAR)
        assert await line(stage, number) == number
    assert await called(stage) == [("machine_contradicts", "M01")]
    (case,) = await cases.listed(stage.context)
    stage.later(3600)
    await greets(stage, FAR)
    await line(stage, again + 1)
    await stage.sweep()
    assert [one.id for one in await cases.listed(stage.context)] == [case.id]


async def test_lines_after_a_jump_do_not_hide_where_it_began(stage: Stage) -> None:
    await greets(stage, 1)
    assert await line(stage, 1) == 1
    await greets(stage, FAR)
    assert await line(stage, FAR) == FAR, "the thief's own"
    await greets(stage, 2 * FAR)
    assert await line(stage, 2) == 2


async def test_a_machine_that_outlived_its_database_is_acknowledged_and_nobody_is_called(
    stage: Stage,
) -> None:
    """Its lines 2 to 7 were stored by a database that is gone: it has deleted them."""
    await greets(stage, 1)
    assert await line(stage, 1) == 1
    for _ in range(2):
        assert await greets(stage, 8) == 7
    unit = uuid4()
    for _ in range(2):
        assert await line(stage, 8, unit) == 8
    assert await greets(stage, None) == 8, "it holds nothing, which disproves nothing"
    assert await greets(stage, 9) == 8
    assert await skipped(stage) == 6
    assert await called(stage) == []
    assert (await stage.audit()).ok


async def test_two_connections_at_once_acknowledge_nothing_that_is_not_stored(
    stage: Stage,
) -> None:
    await greets(stage, 1)
    for number in range(1, 9):
        _, through, _ = await asyncio.gather(
            greets(stage, number + FAR), line(stage, number), greets(stage, number + 3)
        )
        kept = await stage.value("SELECT count(*) FROM device_events")
        assert through <= kept == number
        assert await line(stage, number) == number
    assert (await stage.audit()).ok


async def test_a_true_result_under_a_number_that_a_thief_used_up_stays_until_the_unit_is_settled(
    stage: Stage,
) -> None:
    await greets(stage, 1)
    unit = await accepted(stage)
    assert await line(stage, 2) == 0  # the thief's
    await stage.started(event_seq=1)
    assert await result(stage, 2) == 1, "the machine has the only word of its unit"
    assert await stage.value("SELECT settlement FROM fulfillments") is None
    for _ in range(2):  # in doubt, and then asked
        stage.later(45)
        await stage.sweep("fulfillments")
    query = next(one for one in reversed(stage.line.sent) if one["type"] == "QUERY")
    answer = {
        "unit_id": str(unit), "seq": stage.offered()["seq"], "journal_id": "j1",
        "nonce": query["nonce"], "state": "VENDED", "evidence": {"drop": "yes"},
    }  # fmt: skip
    await stage.hear(msgspec.convert({"type": "STATUS", **answer}, wire.Status))
    assert await stage.value("SELECT settlement FROM fulfillments") == "fulfilled"
    assert await result(stage, 2) == 2, "and now it may go"
    assert ("machine_contradicts", "M01") in await called(stage)


@pytest.mark.parametrize(
    ("kept", "through", "skipped", "jump"),
    [
        ((1, 2, 8, 9), 9, 5, (2, 7)), ((1, 2), 9, 7, (2, 9)), ((), 4, 4, (0, 4)),
        ((1, 4, 9), 9, 6, (1, 8)), ((1, 2, 3), 3, 0, (None, None)), ((1, 2), 2, 1, (None, None)),
    ],
)  # fmt: skip
async def test_a_jump_of_before_reaches_from_the_first_line_that_is_missing_to_the_last(
    rows: Rows, kept: tuple[int, ...], through: int, skipped: int, jump: tuple[int | None, ...]
) -> None:
    whole = (MIGRATIONS / "0186_jumps_of_journals.sql").read_text(encoding="utf-8")
    journal = {"outlet_id": "M01", "journal_id": "j"}
    await rows.put("device_journals", **journal, through=through, skipped=skipped)
    await rows.put("device_journals", outlet_id="M02", journal_id="j", through=3)
    for number in kept:
        await rows.put("device_events", **journal, event_seq=number)
    await rows.conn.execute(whole[whole.index("UPDATE device_journals j") :])
    found = await rows.conn.fetch(
        "SELECT jumped_from, jumped_to FROM device_journals ORDER BY outlet_id"
    )
    assert [tuple(row) for row in found] == [jump, (None, None)]
