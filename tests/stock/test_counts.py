"""Counts of stock that machines send: whatever is lost, repeated, late or out of order, what a slot
holds is the last count less what left it since, and no unit is subtracted twice."""

from typing import Any

import msgspec
import pytest

from coinslot.channels import messages as wire
from coinslot.channels.reports import Inventory, read_report
from coinslot.outlets.machines import refill
from coinslot.stock.counts import take_inventory
from coinslot.vending.machine_messages import Machine
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage


def inventory(count: int, seq: int, event_seq: int, **more: Any) -> Inventory:
    """What M01 says of its slot A1, as it comes over the wire."""
    said = {
        "journal_id": "j1", "inventory_seq": seq, "event_seq": event_seq, "cause": "count",
        "slots": [{"slot": "A1", "count": count}], **more,
    }  # fmt: skip
    read = read_report("inventory", msgspec.json.encode(said))
    assert isinstance(read, Inventory)
    return read


async def counted(stage: Stage, count: int, seq: int, event_seq: int, **more: Any) -> int:
    machine = Machine("M01", stage.merchant)
    sent = inventory(count, seq, event_seq, **more)
    await take_inventory(stage.context, machine, sent, stage.context.now())
    return await stock(stage)


async def stock(stage: Stage) -> int:
    return int(await stage.value("SELECT stock FROM slots WHERE slot = 'A1'"))


async def begun(stage: Stage, event_seq: int, journal: str = "j1") -> wire.Result:
    """A can is paid and its run has begun; the result that the machine has to tell."""
    stage.later(1)
    unit = await stage.sell()
    await stage.sweep()
    await stage.accept(journal=journal)
    await stage.hear(wire.Started(unit_id=unit, journal_id=journal, event_seq=event_seq))
    return wire.Result(
        unit_id=unit, journal_id=journal, event_seq=event_seq + 1, slot="A1",
        outcome=wire.Outcome.VENDED, evidence=wire.Evidence(drop=wire.Drop.YES, sensor_tested=True),
    )  # fmt: skip


async def sold(stage: Stage, event_seq: int, journal: str = "j1") -> wire.Result:
    """Lines `event_seq` and the next are those of a can that fell."""
    result = await begun(stage, event_seq, journal)
    await stage.hear(result)
    return result


async def test_a_count_is_what_the_slot_holds_and_later_vends_are_subtracted(
    stage: Stage,
) -> None:
    await stage.hello()
    assert await counted(stage, 7, seq=1, event_seq=0) == 7
    await sold(stage, 1)
    assert await stock(stage) == 6
    await sold(stage, 3)
    assert await stock(stage) == 5


async def test_what_a_count_includes_is_not_subtracted_again(stage: Stage) -> None:
    await stage.hello()
    await sold(stage, 1)
    assert await counted(stage, 9, seq=1, event_seq=2) == 9
    await sold(stage, 3)
    assert await counted(stage, 8, seq=2, event_seq=4) == 8


async def test_a_count_that_overtakes_the_result_that_it_includes_subtracts_it_once(
    stage: Stage,
) -> None:
    await stage.hello()
    result = await begun(stage, 1)
    assert await counted(stage, 9, seq=1, event_seq=2) == 9
    await stage.hear(result)
    assert await stock(stage) == 9


async def test_a_count_that_comes_late_has_the_vends_after_its_line_subtracted(
    stage: Stage,
) -> None:
    await stage.hello()
    await sold(stage, 1)
    await sold(stage, 3)
    assert await counted(stage, 9, seq=1, event_seq=2) == 8


async def test_a_count_that_comes_twice_or_behind_a_newer_one_changes_nothing(
    stage: Stage,
) -> None:
    await stage.hello()
    await counted(stage, 10, seq=1, event_seq=0)
    await sold(stage, 1)
    assert await counted(stage, 9, seq=2, event_seq=2) == 9
    assert await counted(stage, 9, seq=2, event_seq=2) == 9
    assert await counted(stage, 4, seq=2, event_seq=2) == 9, "the same number is the same count"
    assert await counted(stage, 10, seq=1, event_seq=0) == 9
    await sold(stage, 3)
    assert await counted(stage, 9, seq=2, event_seq=2) == 8


async def test_a_count_that_is_lost_leaves_what_the_vends_say(stage: Stage) -> None:
    await stage.hello()
    await counted(stage, 10, seq=1, event_seq=0)
    await sold(stage, 1)
    await sold(stage, 3)
    assert await stock(stage) == 8
    await sold(stage, 5)
    assert await counted(stage, 7, seq=5, event_seq=6) == 7


async def test_a_result_that_comes_again_after_the_count_is_subtracted_once(stage: Stage) -> None:
    await stage.hello()
    result = await sold(stage, 1)
    await stage.hear(result)
    assert await stock(stage) == 9
    await counted(stage, 9, seq=1, event_seq=2)
    await stage.hear(result)
    assert await stock(stage) == 9


async def test_a_new_controller_counts_anew_and_the_old_one_counts_no_more(stage: Stage) -> None:
    await stage.hello()
    await counted(stage, 10, seq=40, event_seq=0)
    await sold(stage, 1)
    await stage.hello(journal="j2", boot="b2")
    assert await counted(stage, 9, seq=1, event_seq=0, journal_id="j2") == 9
    assert await counted(stage, 3, seq=41, event_seq=2) == 9, "a controller that is out"
    await sold(stage, 1, journal="j2")
    assert await stock(stage) == 8
    assert await counted(stage, 8, seq=2, event_seq=2, journal_id="j2") == 8


async def test_vends_of_a_new_controller_are_subtracted_from_the_count_of_the_old(
    stage: Stage,
) -> None:
    await stage.hello()
    await counted(stage, 9, seq=1, event_seq=0)
    await stage.hello(journal="j2", boot="b2")
    await sold(stage, 1, journal="j2")
    assert await stock(stage) == 8


async def test_a_controller_that_is_put_back_counts_on_from_its_own_numbers(stage: Stage) -> None:
    await stage.hello()
    await counted(stage, 10, seq=5, event_seq=0)
    await stage.hello(journal="j2", boot="b2")
    await sold(stage, 1, journal="j2")
    await counted(stage, 9, seq=1, event_seq=2, journal_id="j2")
    await stage.hello(journal="j1", boot="b3")
    assert await stock(stage) == 9
    assert await counted(stage, 4, seq=5, event_seq=0) == 9
    assert await counted(stage, 8, seq=6, event_seq=0) == 8


async def test_what_did_not_drop_stays_and_what_may_have_dropped_counts_as_gone(
    stage: Stage,
) -> None:
    await stage.hello()
    await counted(stage, 10, seq=1, event_seq=0)
    result = await begun(stage, 1)
    jam = msgspec.structs.replace(
        result, outcome=wire.Outcome.FAILED, failure_code="JAM",
        evidence=wire.Evidence(drop=wire.Drop.NO, sensor_tested=True),
    )  # fmt: skip
    await stage.hear(jam)
    assert await stock(stage) == 10
    await begun(stage, 3)
    assert await stock(stage) == 10, "it is promised, and not gone"
    stage.later(700)
    await stage.sweep()
    assert await stock(stage) == 9
    await stage.hello(boot="b2")
    assert await counted(stage, 10, seq=2, event_seq=4) == 10, "the machine saw that none fell"


async def test_what_falls_after_its_money_went_back_has_left_the_slot(stage: Stage) -> None:
    await stage.hello()
    await counted(stage, 10, seq=1, event_seq=0)
    stage.later(1)
    unit = await stage.sell()
    await stage.sweep()
    await stage.accept()
    stage.later(700)
    await stage.sweep()
    assert await stock(stage) == 10, "no word that it ever began"
    evidence = wire.Evidence(drop=wire.Drop.YES, sensor_tested=True)
    late = wire.Result(
        unit_id=unit, journal_id="j1", event_seq=2, slot="A1", outcome=wire.Outcome.VENDED,
        evidence=evidence,
    )  # fmt: skip
    await stage.hear(late)
    assert await stock(stage) == 9


async def test_late_evidence_that_nothing_fell_puts_it_back_into_the_slot(stage: Stage) -> None:
    await stage.hello()
    await counted(stage, 10, seq=1, event_seq=0)
    result = await begun(stage, 1)
    stage.later(700)
    await stage.sweep()
    assert await stock(stage) == 9
    none = wire.Evidence(drop=wire.Drop.NO, sensor_tested=True)
    await stage.hear(
        msgspec.structs.replace(result, outcome=wire.Outcome.INTERRUPTED, evidence=none)
    )
    assert await stock(stage) == 10


async def test_who_has_a_machines_secret_moves_no_old_vend_behind_later_counts(
    stage: Stage,
) -> None:
    """A line that takes a past drop back, under a number far ahead, is a case for a person; the
    stock is what the machine counts."""
    await stage.hello()
    result = await sold(stage, 1)
    none = wire.Evidence(drop=wire.Drop.NO, sensor_tested=True)
    await stage.hear(
        msgspec.structs.replace(
            result, event_seq=5000, outcome=wire.Outcome.FAILED, evidence=none
        )
    )  # fmt: skip
    assert await stock(stage) == 9
    assert await counted(stage, 9, seq=1, event_seq=2) == 9
    assert await counted(stage, 9, seq=2, event_seq=2) == 9


async def test_what_falls_out_of_a_wrong_slot_is_taken_from_that_one(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, stock)"
            " SELECT merchant_id, outlet_id, 'A2', product_id, price_minor, 5 FROM slots"
        )
    await stage.hello()
    result = await begun(stage, 1)
    await stage.hear(msgspec.structs.replace(result, slot="A2"))
    await stage.sweep()
    assert await stock(stage) == 10
    assert await stage.value("SELECT stock FROM slots WHERE slot = 'A2'") == 4


async def test_a_count_of_a_person_includes_what_was_known_to_have_left(stage: Stage) -> None:
    await stage.hello()
    await sold(stage, 1)
    await refill(stage.context.db, "M01", None, 20)
    assert await stock(stage) == 20
    await sold(stage, 3)
    assert await stock(stage) == 19
    assert await counted(stage, 19, seq=1, event_seq=4) == 19


async def test_a_count_that_was_made_before_a_refill_and_comes_after_it_holds_until_the_next(
    stage: Stage,
) -> None:
    """The server cannot tell them apart; the machine's next count mends it."""
    await stage.hello()
    await sold(stage, 1)
    await refill(stage.context.db, "M01", None, 20)
    assert await counted(stage, 10, seq=1, event_seq=0) == 9, "the vend after its line is not lost"
    assert await counted(stage, 20, seq=2, event_seq=2, cause="refill") == 20


async def test_slots_that_the_count_does_not_name_and_that_the_machine_has_not_stay(
    stage: Stage,
) -> None:
    await stage.hello()
    assert await counted(stage, 0, seq=1, event_seq=0, slots=[{"slot": "Z9", "count": 3}]) == 10
    assert await counted(stage, 0, seq=2, event_seq=0, slots=[]) == 10


@pytest.mark.parametrize("journal", ["j9", "j1"])
async def test_a_machine_that_never_said_hello_is_not_believed(stage: Stage, journal: str) -> None:
    assert await counted(stage, 3, seq=1, event_seq=0, journal_id=journal) == 10


async def test_a_line_that_no_machine_can_have_reached_is_not_believed(stage: Stage) -> None:
    """Else every later vend would count as included, and an empty slot as full."""
    await stage.hello()
    assert await counted(stage, 10, seq=1, event_seq=2**62) == 10
    await sold(stage, 1)
    assert await stock(stage) == 9


async def test_a_difference_that_vends_do_not_explain_is_kept(stage: Stage) -> None:
    await stage.hello()
    await counted(stage, 10, seq=1, event_seq=0)
    await sold(stage, 1)
    await counted(stage, 9, seq=2, event_seq=2)
    told = "SELECT slot, cause, expected, counted FROM stock_differences"
    assert await stage.rows(told) == []
    await counted(stage, 7, seq=3, event_seq=2)
    assert await stage.rows(told) == [
        {"slot": "A1", "cause": "count", "expected": 9, "counted": 7}
    ]  # fmt: skip


async def test_chandra_is_never_counted_by_ashas_machine(stage: Stage) -> None:
    """The machine's merchant is the transaction's: another's slots are not there."""
    other = await chandras_machine(stage)
    machine = Machine(other.outlet, stage.merchant)
    await take_inventory(stage.context, machine, inventory(1, 1, 0), stage.context.now())
    async with stage.context.db.as_merchant(other.merchant_id) as conn:
        assert await conn.fetchval("SELECT min(stock) FROM slots") == 10
