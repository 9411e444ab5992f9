"""A machine that contradicts itself moves no money: whatever is told of a settled unit, goods or
refund stay what they were, and what was told against them is kept, flagged and a person's."""

from typing import Any

import pytest

from coinslot.oversight import cases
from coinslot.oversight.cases import CaseError, Person
from tests import write_evidence
from tests.sales.contradictions import (
    ASHA,
    CONTROLLED,
    CONTROLLER_TOLD,
    DONE,
    LEASED,
    NO,
    SIMPLE,
    TOLD,
    YES,
    Scene,
    Settled,
    Told,
    decommissioned,
    noted,
)
from tests.sales.stage import Stage

_MONEY = """
SELECT u.settlement, u.basis, u.state, c.fulfilled, c.refund_due, c.open, c.surplus,
    (SELECT count(*) FROM refunds r WHERE r.capture_id = c.id) AS refunds,
    (SELECT count(*) FROM ledger l WHERE l.capture_id = c.id) AS lines,
    (SELECT count(*) FROM corrections k WHERE k.fulfillment_id = u.id) AS corrections,
    (SELECT count(*) FROM exposures x WHERE x.fulfillment_id = u.id) AS exposures
FROM fulfillments u JOIN captures c ON c.id = u.capture_id WHERE u.id = $1
"""
_SIZE = """
SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM device_events)
    + (SELECT count(*) FROM discrepancies) + (SELECT count(*) FROM cases)
    + (SELECT count(*) FROM strays) + (SELECT count(*) FROM device_journals)
"""


async def money(scene: Scene) -> dict[str, Any]:
    (row,) = await scene.stage.rows(_MONEY, scene.unit)
    return row


async def told_against(scene: Scene) -> list[str]:
    rows = await scene.stage.rows(
        "SELECT kind FROM discrepancies WHERE fulfillment_id = $1 ORDER BY kind", scene.unit
    )
    return [row["kind"] for row in rows]


async def open_cases(scene: Scene) -> list[str]:
    await cases.update(scene.stage.context)
    found = await cases.listed(scene.stage.context)
    return [case.kind for case in found if case.data.get("unit") == str(scene.unit)]


async def assert_pair(scene: Scene, settled: Settled, told: Told) -> None:
    pair = f"{settled.name}, then {told.name}"
    await settled.act(scene)
    await scene.stage.sweep()
    before, earlier = await money(scene), await told_against(scene)
    assert (before["settlement"], before["basis"]) == (settled.as_, settled.basis), pair
    await told.act(scene)
    await scene.stage.sweep()
    assert await money(scene) == before, pair
    wanted = noted(settled, told)
    assert await told_against(scene) == (earlier or ([wanted] if wanted else [])), pair
    assert await open_cases(scene) == ([wanted] if wanted and not earlier else []), pair


async def assert_column(scene: Scene, settled: Settled, told: tuple[Told, ...]) -> None:
    """One unit for each thing that is told, and the audit names each that was told against."""
    for each in told:
        await assert_pair(scene, settled, each)
    report = await scene.stage.audit()
    assert report.ok, [check for check in report.checks if not check.ok]
    against = await scene.stage.value("SELECT count(*) FROM discrepancies WHERE closed_at IS NULL")
    named = {n.name: n.rows for n in report.notices}
    assert len(named["open_discrepancies"]) == min(against, 20)
    if settled.as_ == "fulfilled":
        assert [row["open"] for row in named["machines_that_contradict_themselves"]] == [against]


@pytest.mark.parametrize("settled", LEASED, ids=lambda settled: settled.name)
async def test_whatever_is_told_of_a_settled_unit_moves_no_money(
    stage: Stage, settled: Settled
) -> None:
    await assert_column(Scene(stage, "leased"), settled, TOLD)


@pytest.mark.parametrize("settled", CONTROLLED, ids=lambda settled: settled.name)
async def test_whatever_another_controller_says_of_a_settled_unit_moves_no_money(
    stage: Stage, settled: Settled
) -> None:
    await assert_column(Scene(stage, "leased"), settled, CONTROLLER_TOLD)


@pytest.mark.parametrize("settled", SIMPLE, ids=lambda settled: settled.name)
async def test_whatever_the_simple_dialect_says_of_a_settled_unit_moves_no_money(
    simple_stage: Stage, settled: Settled
) -> None:
    await assert_column(Scene(simple_stage, "simple"), settled, DONE)


@pytest.mark.parametrize("settled", LEASED[:1] + LEASED[5:8], ids=lambda settled: settled.name)
@pytest.mark.parametrize("told", TOLD[:1] + TOLD[5:6], ids=lambda told: told.name)
async def test_a_machine_out_of_service_moves_no_money_either(
    stage: Stage, settled: Settled, told: Told
) -> None:
    async def after(scene: Scene) -> None:
        await decommissioned(scene)
        await told.act(scene)

    await assert_pair(Scene(stage, "leased"), settled, told._replace(act=after))


async def test_years_later_one_stolen_secret_refunds_none_of_the_past_sales(stage: Stage) -> None:
    scene, sold = Scene(stage, "leased"), []
    for _ in range(3):
        await scene.go()
        await scene.result("VENDED", YES)
        sold.append(scene.unit)
    stage.later(3 * 365 * 86400)
    for scene.unit in sold:
        await scene.result("FAILED", NO)
    await stage.sweep()
    assert stage.refunded() == 0
    assert await stage.value("SELECT sum(fulfilled) FROM captures") == 12000
    assert await stage.value("SELECT count(*) FROM cases WHERE closed_at IS NULL") == 3


async def test_a_simple_machine_that_changes_its_word_again_and_again_fills_nothing(
    simple_stage: Stage,
) -> None:
    scene = Scene(simple_stage, "simple")
    await scene.go()

    async def flip() -> None:
        await scene.done("SUCCESS")
        await scene.done("FAILED")

    for _ in range(2):
        await flip()
    before = await simple_stage.value(_SIZE)
    for _ in range(50):
        await flip()
    assert await simple_stage.value(_SIZE) == before


async def test_a_machine_that_changes_its_word_again_and_again_fills_nothing(
    stage: Stage,
) -> None:
    scene = Scene(stage, "leased")
    await scene.asked()

    async def flip() -> None:
        for outcome, evidence in (("VENDED", YES), ("FAILED", NO)):
            await scene.result(outcome, evidence)
            await scene.status(outcome, evidence=evidence)
            await scene.status(outcome, evidence=evidence, journal_id=f"j{scene.seq}")

    for _ in range(20):
        await flip()
    before = await stage.value(_SIZE)
    for _ in range(40):
        await flip()
    assert await stage.value(_SIZE) == before


async def contradicted(scene: Scene) -> int:
    """A sale that its machine took back; the number of its case."""
    await scene.go()
    await scene.result("VENDED", YES)
    await scene.result("FAILED", NO)
    await scene.stage.sweep()
    (case,) = await cases.listed(scene.stage.context)
    assert (case.kind, case.owner, case.amount) == (cases.CONTRADICTED, "merchant", 4000)
    return case.id


async def test_a_person_who_believes_the_later_word_gives_the_money_back_by_name(
    stage: Stage,
) -> None:
    case = await contradicted(Scene(stage, "leased"))
    await cases.refund(stage.context, case, ASHA)
    await stage.sweep()
    assert stage.refunded() == 4000
    (made,) = await stage.rows("SELECT made_by, note, why FROM corrections")
    assert made == {"made_by": ASHA.by, "note": ASHA.note, "why": cases.CONTRADICTED}
    (row,) = await stage.rows("SELECT settlement, basis FROM fulfillments")
    assert row == {"settlement": "fulfilled", "basis": "vended"}
    (closed,) = await cases.listed(stage.context, closed=True)
    assert (closed.how, closed.closed_by) == ("refunded", ASHA.by)
    with pytest.raises(CaseError, match="no open case"):
        await cases.refund(stage.context, case, ASHA)


async def test_a_person_who_believes_the_first_word_leaves_the_sale_as_it_is(stage: Stage) -> None:
    scene = Scene(stage, "leased")
    case = await contradicted(scene)
    await cases.leave(stage.context, case, ASHA)
    await scene.result("FAILED", NO)
    await stage.sweep()
    assert stage.refunded() == 0
    assert await cases.listed(stage.context) == [], "told once more, it is no news"


async def test_two_people_who_end_one_case_give_the_money_back_once(stage: Stage) -> None:
    case = await contradicted(Scene(stage, "leased"))
    await cases.refund(stage.context, case, ASHA)
    with pytest.raises(CaseError):
        await cases.leave(stage.context, case, Person("boris", "the first word counts"))
    await stage.sweep()
    assert stage.refunded() == 4000


async def test_only_a_contradiction_ends_with_a_refund(stage: Stage) -> None:
    scene = Scene(stage, "leased")
    await scene.go()
    await scene.result("FAILED", NO)
    await scene.result("VENDED", YES)
    await stage.sweep()
    (case,) = await cases.listed(stage.context)
    assert case.kind == "dropped_after_refund"
    with pytest.raises(CaseError, match="closed by hand"):
        await cases.refund(stage.context, case.id, ASHA)


def test_the_page_of_evidence_is_what_the_tests_hold() -> None:
    assert write_evidence.PAGE.read_text(encoding="utf-8") == write_evidence.page(), (
        "run `python -m tests.write_evidence`"
    )
