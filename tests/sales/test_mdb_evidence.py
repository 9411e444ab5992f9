"""Beside another controller (class G1): its word that a vend failed gives the money back, and only
there. A machine that runs its own motors cannot use it."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from coinslot.channels import messages as wire
from coinslot.channels.messages import Drop, Evidence, Outcome, Vmc
from coinslot.orders.outlet_pages import outlet
from coinslot.vending.evidence import Conclusion, ReportedOutcome, conclude
from tests.sales.stage import Stage

FAILED: dict[str, Any] = {"failure_code": "VEND_FAILURE", "evidence": {"vmc": "failure"}}
UNSURE = Conclusion("UNSURE", None, "VEND_FAILURE")
BACK = Conclusion("NOT_VENDED", "vmc_failure", "VEND_FAILURE")


async def going(stage: Stage, *, mdb: bool) -> wire.Go:
    await stage.hello(mdb=mdb)
    await stage.sell()
    await stage.sweep("fulfillments")
    (go,) = await stage.accept()
    assert isinstance(go, wire.Go)
    return go


async def settled(stage: Stage) -> tuple[Any, ...]:
    (row,) = await stage.rows("SELECT state, settlement, basis FROM fulfillments")
    return tuple(row.values())


@pytest.mark.parametrize(
    ("outcome", "seen", "mdb", "proves"),
    [
        ("FAILED", Evidence(vmc=Vmc.FAILURE), True, BACK),
        ("FAILED", Evidence(vmc=Vmc.FAILURE), False, UNSURE),
        ("FAILED", Evidence(vmc=Vmc.SUCCESS), True, UNSURE),
        ("FAILED", Evidence(), True, UNSURE),
        ("INTERRUPTED", Evidence(vmc=Vmc.FAILURE), True, UNSURE),
        ("FAILED", Evidence(vmc=Vmc.FAILURE, drop=Drop.YES), True,
         Conclusion("VENDED", "drop_evidence", "VEND_FAILURE")),
        ("VENDED", Evidence(vmc=Vmc.SUCCESS), True, Conclusion("VENDED", "vended", None)),
    ],
)  # fmt: skip
def test_a_controllers_word_counts_of_its_own_class_alone(
    outcome: str, seen: Evidence, mdb: bool, proves: Conclusion
) -> None:
    word = ReportedOutcome(Outcome(outcome), "A1", "VEND_FAILURE", seen)
    assert conclude(word, "A1", mdb=mdb) == proves


async def test_a_vend_that_the_controller_calls_failed_gives_the_money_back(stage: Stage) -> None:
    await going(stage, mdb=True)
    await stage.started()
    await stage.result("FAILED", event_seq=2, **FAILED)
    await stage.sweep()
    assert await settled(stage) == ("failed", "refund_due", "vmc_failure")
    assert stage.refunded() == 4000
    assert await stage.value("SELECT count(*) FROM exposures") == 0


async def test_a_machine_with_motors_of_its_own_cannot_use_a_controllers_word(
    stage: Stage,
) -> None:
    await going(stage, mdb=False)
    await stage.started()
    await stage.result("FAILED", event_seq=2, **FAILED)
    assert (await settled(stage))[:2] == ("in_doubt", None)
    await stage.sweep()
    assert await settled(stage) == ("failed", "refund_due", "policy")
    assert await stage.value("SELECT count(*) FROM exposures") == 1


async def test_a_class_that_is_claimed_after_the_offer_changes_nothing_of_its_unit(
    stage: Stage,
) -> None:
    await going(stage, mdb=False)
    await stage.started()
    await stage.hello(mdb=True)
    await stage.result("FAILED", event_seq=2, **FAILED)
    assert (await settled(stage))[:2] == ("in_doubt", None)


async def test_an_answer_to_a_question_brings_the_controllers_word_as_well(stage: Stage) -> None:
    await going(stage, mdb=True)
    stage.later(70)
    await stage.sweep("fulfillments")
    query = next(m for m in reversed(stage.line.sent) if m["type"] == "QUERY")
    said = {**query, "type": "STATUS", "state": "FAILED", "evidence": {"vmc": "failure"}}
    await stage.hear(msgspec.convert(said, wire.Status))
    assert await settled(stage) == ("failed", "refund_due", "vmc_failure")


@pytest.mark.parametrize(("mdb", "lease_s"), [(True, 60), (False, 10)])
async def test_the_lease_of_a_machine_with_a_controller_is_the_time_to_choose(
    stage: Stage, mdb: bool, lease_s: int
) -> None:
    go = await going(stage, mdb=mdb)
    assert stage.offered()["lease_ms"] == lease_s * 1000
    assert go.not_after == 2000 + lease_s * 1000
    lease_end, sent = (
        await stage.rows("SELECT v.lease_end, f.sent_at FROM vend_units v"
                         " JOIN fulfillments f ON f.id = v.id")
    )[0].values()  # fmt: skip
    assert lease_end - sent == timedelta(seconds=lease_s) * 1.01 + timedelta(seconds=1)


@pytest.mark.parametrize(("mdb", "shown"), [(True, "G1"), (False, "G3")])
async def test_the_class_is_what_the_last_hello_said(stage: Stage, mdb: bool, shown: str) -> None:
    await stage.hello(mdb=not mdb)
    await stage.hello(mdb=mdb)
    found = await outlet(stage.context, "M01")
    assert found is not None
    assert found.guarantee == shown


async def test_what_other_machines_say_is_stored_as_before(stage: Stage) -> None:
    await going(stage, mdb=False)
    await stage.result()
    message = await stage.value("SELECT message FROM device_events")
    assert "vmc" not in str(message)
