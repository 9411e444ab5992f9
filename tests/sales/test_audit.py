"""The auditor sees each broken invariant by its name, and nothing else: one break, one red check.

The breaks are made as the superuser with triggers off, in the test's own database.
"""

from datetime import timedelta

import msgspec
import pytest

from coinslot.channels import messages as wire
from coinslot.db.pool import Database, RawConnection, connect
from coinslot.oversight.audit import CHECKS, ROWS_SHOWN, Report, audit, last_sign_of_life
from coinslot.oversight.audit_guards import GUARDS
from tests.conftest import DatabaseUrls
from tests.kept_database import KeptDatabase
from tests.sales.breaks import BREAKS, TALES, Break, Tale, accepted, jammed, silent, sold
from tests.sales.stage import START, Stage, set_stage


@pytest.fixture
async def scene(database: Database, urls: DatabaseUrls, kept_database: KeptDatabase) -> Stage:
    """A stage whose books are to be spoiled: nothing closes them at the end."""
    made = await set_stage(database)
    return await made.lent_by(kept_database, urls.owner)


def notices(report: Report) -> dict[str, int]:
    return {notice.name: len(notice.rows) for notice in report.notices if notice.rows}


@pytest.mark.parametrize("tale", TALES, ids=lambda tale: tale.__name__)
async def test_an_honest_sale_is_well(scene: Stage, tale: Tale) -> None:
    await tale(scene)
    assert not (await scene.audit()).red


@pytest.mark.parametrize("broken", BREAKS, ids=lambda b: f"{b.name}-{b.tale.__name__}")
async def test_a_broken_invariant_turns_its_own_check_red(
    scene: Stage, hand: RawConnection, broken: Break
) -> None:
    await broken.tale(scene)
    if broken.guard:
        await hand.execute(broken.guard)
    await hand.execute(broken.sql)
    report = await scene.audit()
    assert report.red == broken.red, [c for c in report.checks if not c.ok]
    assert not report.ok
    assert {check.name for check in await scene.wrong()} == broken.red - set(GUARDS)


def test_every_check_is_broken_by_a_test() -> None:
    assert {broken.name for broken in BREAKS} == set(CHECKS)


async def test_an_answer_to_our_nonce_is_a_basis(scene: Stage) -> None:
    await accepted(scene)
    scene.later(15)
    await scene.sweep()
    query = next(m for m in reversed(scene.line.sent) if m["type"] == "QUERY")
    said = {"state": "VENDED", "evidence": {"drop": "yes"}}
    status = {key: query[key] for key in ("unit_id", "seq", "journal_id", "nonce")} | said
    await scene.hear(msgspec.convert({"type": "STATUS", **status}, wire.Status))
    assert await scene.value("SELECT basis FROM fulfillments") == "vended"
    assert not (await scene.audit()).red


async def test_a_policy_and_a_jam_are_told_and_do_not_fail(scene: Stage) -> None:
    await silent(scene)
    report = await scene.audit()
    assert report.ok
    assert notices(report) == {"settled_by_policy": 1}


async def test_a_drop_after_the_refund_is_told_as_an_open_discrepancy(scene: Stage) -> None:
    await jammed(scene)
    await scene.result("VENDED", event_seq=3)
    report = await scene.audit()
    assert report.ok
    assert notices(report)["open_discrepancies"] == 1


async def test_a_counter_that_jumps_tells_of_a_drop_nobody_paid_for(scene: Stage) -> None:
    await sold(scene)
    await scene.sell()
    await scene.accept()
    await scene.started(event_seq=3)
    counted = {"drop": "yes", "counter_before": 9, "counter_after": 10}
    await scene.result(event_seq=4, evidence=counted)
    report = await scene.audit()
    (drops,) = [notice for notice in report.notices if notice.name == "drops_nobody_paid_for"]
    assert report.ok
    assert [(row["counted_from"], row["counted_to"], row["unpaid"]) for row in drops.rows] == [
        (8, 10, 1)
    ]


async def test_what_is_late_by_less_than_the_grace_is_in_work(scene: Stage) -> None:
    await scene.sell()
    conn = await connect(scene.owner_url)
    soon = await audit(conn, START + timedelta(seconds=100))
    later = await audit(conn, START + timedelta(seconds=300))
    strict = await audit(conn, START + timedelta(seconds=100), grace=timedelta(seconds=10))
    await conn.close()
    assert soon.ok
    assert later.red == strict.red == {"nothing_is_overdue"}


async def test_a_stopped_installation_is_judged_at_its_last_sign_of_life(scene: Stage) -> None:
    await sold(scene)
    conn = await connect(scene.owner_url)
    alive = await last_sign_of_life(conn)
    await conn.close()
    assert alive == scene.clock.now()


async def test_the_report_is_bounded_and_readable_as_json(
    scene: Stage, hand: RawConnection
) -> None:
    await sold(scene)
    await hand.execute(
        "INSERT INTO ledger (txn, merchant_id, capture_id, account, currency, amount, why, at)"
        " SELECT gen_random_uuid(), merchant_id, capture_id, 'sales', currency, i, 'x', at"
        " FROM ledger, generate_series(1, 50) AS i WHERE account = 'gateway'"
    )
    report = (await scene.audit()).to_json()
    said = msgspec.json.decode(msgspec.json.encode(report))
    unbalanced = next(c for c in said["checks"] if c["name"] == "every_ledger_movement_balances")
    assert said["ok"] is unbalanced["ok"] is False
    assert len(unbalanced["rows"]) == ROWS_SHOWN
    assert isinstance(unbalanced["rows"][0]["rest"], int)
