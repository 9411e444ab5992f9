"""A machine's own counter against our ledger: a difference calls a person, and nothing that is
under way, in doubt, or begun anew is one."""

from typing import Any
from uuid import UUID

from coinslot.channels import messages as wire
from coinslot.channels.reports import HealthReport
from coinslot.telemetry import counters, readings
from coinslot.telemetry.readings import Heard
from tests.sales.neighbours import a_second_machine, chandras_machine
from tests.sales.stage import Stage

QUIET = 301


async def says(stage: Stage, sales: int | None, machine: str = "M01") -> None:
    said = HealthReport(rssi=-50, counters={} if sales is None else {"sales": sales})
    await readings.keep(stage.context, {machine: Heard.of(said, stage.context.now())})


async def at_rest(stage: Stage, sales: int) -> list[str]:
    """All was settled for a while, the machine says its counter, and we look."""
    stage.later(QUIET)
    await says(stage, sales)
    return list(await counters.check(stage.context))


async def sold(stage: Stage, event_seq: int, drop: str = "yes", **more: Any) -> UUID:
    stage.later(1)
    await stage.hello()  # it is heard
    unit = await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    await stage.started(event_seq)
    await stage.result(event_seq=event_seq + 1, drop=drop, **more)
    return unit


async def cases_of(stage: Stage) -> list[dict[str, Any]]:
    await stage.sweep()
    return await stage.rows(
        "SELECT subject, data FROM cases WHERE kind = 'counter_differs' AND closed_at IS NULL"
    )


async def test_a_counter_that_grew_by_what_was_sold_is_no_difference(stage: Stage) -> None:
    await stage.hello()
    assert await at_rest(stage, 100) == []
    await sold(stage, 1)
    await sold(stage, 3)
    assert await at_rest(stage, 102) == []
    assert await cases_of(stage) == []


async def test_a_drop_that_nobody_paid_for_is_one_case_with_both_numbers_and_moves_no_money(
    stage: Stage,
) -> None:
    await stage.hello()
    await at_rest(stage, 100)
    await sold(stage, 1)
    before = await stage.rows("SELECT settlement, basis FROM fulfillments")
    assert await at_rest(stage, 103) == ["M01"]
    (case,) = await cases_of(stage)
    assert case["subject"] == "M01"
    assert {name: case["data"][name] for name in ("counted", "ours", "unsure")} == {
        "counted": 3, "ours": 1, "unsure": 0,
    }  # fmt: skip
    assert await at_rest(stage, 103) == [], "it is told once"
    await sold(stage, 3)
    assert await at_rest(stage, 104) == [], "and stays the same while both grow by the same"
    assert len(await cases_of(stage)) == 1
    assert await stage.rows("SELECT settlement, basis FROM fulfillments LIMIT 1") == before
    assert stage.refunded() == 0


async def test_a_vend_that_the_machine_did_not_count_is_a_difference(stage: Stage) -> None:
    await stage.hello()
    await at_rest(stage, 100)
    await sold(stage, 1)
    assert await at_rest(stage, 100) == ["M01"]


async def test_a_run_that_ended_in_doubt_explains_one_more_or_none(stage: Stage) -> None:
    await stage.hello()
    for n, counted in enumerate((100, 101, 101)):
        if n:
            await sold(stage, 2 * n - 1, "unknown", outcome="INTERRUPTED")
            stage.later(900)
            await stage.sweep()
        assert await at_rest(stage, counted) == []
    assert await at_rest(stage, 103) == ["M01"]


async def test_nothing_is_compared_while_a_unit_is_under_way(stage: Stage) -> None:
    await stage.hello()
    await at_rest(stage, 100)
    stage.later(1)
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    await stage.started()
    stage.later(QUIET)
    await says(stage, 101)
    assert await counters.check(stage.context) == [], "it fell, and its result is on the way"
    await stage.result()
    assert await counters.check(stage.context) == [], "it has just been settled"
    assert await at_rest(stage, 101) == []


async def test_a_counter_that_was_told_before_the_last_vend_is_not_compared(stage: Stage) -> None:
    await stage.hello()
    await at_rest(stage, 100)
    await sold(stage, 1)
    stage.later(QUIET)
    await says(stage, None)
    assert await counters.check(stage.context) == []
    assert await at_rest(stage, 101) == []


async def test_another_journal_or_a_counter_that_went_back_begins_anew(stage: Stage) -> None:
    await stage.hello()
    await at_rest(stage, 100)
    assert await at_rest(stage, 7) == []
    assert await at_rest(stage, 9) == ["M01"]
    await stage.hello(journal="j2", boot="b2")
    assert await at_rest(stage, 50) == []
    assert await cases_of(stage) == []
    assert await at_rest(stage, 51) == ["M01"]


async def test_a_late_word_of_the_machine_ends_the_difference(stage: Stage) -> None:
    await stage.hello()
    await at_rest(stage, 100)
    unit = await sold(stage, 1, "no", outcome="FAILED")
    assert await at_rest(stage, 101) == ["M01"]
    assert len(await cases_of(stage)) == 1
    await stage.hear(
        wire.Result(
            unit_id=unit, journal_id="j1", event_seq=3, slot="A1", outcome=wire.Outcome.VENDED,
            evidence=wire.Evidence(drop=wire.Drop.YES, sensor_tested=True),
        )
    )  # fmt: skip
    assert await at_rest(stage, 101) == []
    assert await cases_of(stage) == []


async def test_a_controller_that_takes_coins_too_and_a_counter_of_nothing_are_not_compared(
    stage: Stage,
) -> None:
    await stage.hello()
    assert await at_rest(stage, 0) == []
    await sold(stage, 1)
    assert await at_rest(stage, 0) == [], "there may be no counter behind it"
    await stage.hello(mdb=True)
    await at_rest(stage, 100)
    assert await at_rest(stage, 130) == []


async def test_each_machine_is_compared_with_its_own_vends(stage: Stage) -> None:
    await a_second_machine(stage)
    await stage.hello()
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE devices SET journal_id = 'j9' WHERE outlet_id = 'M02'")
    await says(stage, 5, "M02")
    await at_rest(stage, 100)
    await sold(stage, 1)
    stage.later(QUIET)
    await says(stage, 6, "M02")
    await says(stage, 101)
    assert await counters.check(stage.context) == ["M02"]


async def test_a_merchant_reads_both_numbers_since_they_agreed_and_no_other_merchant_does(
    stage: Stage,
) -> None:
    async def read(merchant: UUID | None = None) -> tuple[int, int, int, bool] | None:
        found = await counters.read(stage.context, merchant or stage.merchant, "M01")
        if found is None:
            return None
        return found.machine_vends, found.our_vends, found.unsure, found.agrees

    await stage.hello()
    assert await read() is None
    await at_rest(stage, 100)
    assert await read() == (0, 0, 0, True)
    await sold(stage, 1)
    assert await read() == (0, 1, 0, False), "it fell, and the machine has not told it yet"
    assert await at_rest(stage, 103) == ["M01"]
    assert await read() == (3, 1, 0, False)
    assert await read((await chandras_machine(stage)).merchant_id) is None
    await stage.hello(journal="j2", boot="b2")
    assert await read() is None, "another journal begins anew"
