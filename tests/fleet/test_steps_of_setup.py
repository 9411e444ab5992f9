"""The checklist of a new merchant, whole: which steps there are and which is next, and what each of
them leaves in the database, beside another merchant."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.fleet import setup
from coinslot.fleet.config import Editor
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.fleet.onboarding import OnboardError
from coinslot.fleet.planning import NewSlot, Problem
from coinslot.fleet.setup import Draft, Setup
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Accounts
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage

ACCOUNT = UUID(int=7)
NOTHING = Setup(
    slug="asha", name="", contact="", zone=None, currency=None, begun=False, put_away=False,
    draft=Draft(), practice_account=None, live_account=False, machine=None, order=None, sold=False,
    books_seen=False, real_machine=False, real_heard=False,
)  # fmt: skip
ALL = replace(
    NOTHING, name="Asha", currency="INR", practice_account=ACCOUNT, machine="P01", sold=True,
    books_seen=True, live_account=True, real_machine=True, real_heard=True,
)  # fmt: skip
STEPS = ("business", "practice", "machine", "products", "sell", "books", "gateway", "real")
SHORT = ("business", "practice", "gateway")


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        ({}, ()),
        ({"name": ""}, ("business",)),
        ({"currency": None}, ("business",)),
        ({"practice_account": None}, ("practice",)),
        ({"machine": None}, ("machine", "products")),
        ({"machine": None, "draft": Draft(code="P01")}, ("products",)),
        ({"sold": False}, ("sell",)),
        ({"books_seen": False}, ("books",)),
        ({"live_account": False}, ("gateway",)),
        ({"real_machine": False}, ("real",)),
        ({"real_heard": False}, ("real",)),
        ({"sold": False, "practice_account": None}, ("practice", "sell")),
        ({"without_machines": True, "draft": Draft(code="P01"), "sold": False}, ("sell",)),
    ],
)
def test_each_step_is_done_by_what_there_is(
    without: dict[str, Any], missing: tuple[str, ...]
) -> None:
    known = replace(ALL, **without)
    assert known.steps == tuple((name, name not in missing) for name in STEPS)
    assert known.following == (missing[0] if missing else "")
    assert known.done == 8 - len(missing)


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        (ALL, ()),
        (replace(ALL, practice_account=None), ()),
        (replace(ALL, live_account=False), ("gateway",)),
        (replace(ALL, live_account=False, practice_account=None), ("practice", "gateway")),
        (NOTHING, SHORT),
    ],
)
def test_who_sells_without_machines_is_led_to_none(known: Setup, missing: tuple[str, ...]) -> None:
    known = replace(known, without_machines=True, draft=Draft(name="no code yet"))
    assert known.steps == tuple((name, name not in missing) for name in SHORT)
    assert known.following == (missing[0] if missing else "")


@pytest.fixture
async def opened(stage: Stage) -> AsyncIterator[Stage]:
    """With real accounts."""
    before = stage.context.accounts
    accounts = Accounts(stage.context.db, stage.context.vault, stage.clock, timeout_s=2)
    stage.context.accounts = accounts
    yield stage
    stage.context.accounts = before
    await accounts.close()


async def known(stage: Stage, merchant: UUID | None = None) -> Setup:
    return await setup.progress(stage.context, merchant or stage.merchant)


async def notes(stage: Stage) -> list[tuple[Any, ...]]:
    return [
        tuple(row.values())
        for row in await stage.rows(
            "SELECT action, subject, merchant_id, after, at FROM audit_log ORDER BY seq"
        )
    ]


async def practising(stage: Stage, asha: Editor, folder: Path) -> UUID:
    """Its account, which is opened once and on record once."""
    said = await notes(stage)
    account = await setup.open_practice(stage.context, asha, folder)
    assert folder.is_dir()
    row = (await stage.rows("SELECT * FROM gateway_accounts WHERE id = $1", account))[0]
    assert {name: row[name] for name in ("merchant_id", "gateway", "slug", "created_at")} == {
        "merchant_id": stage.merchant, "gateway": "mock", "slug": "practice-asha",
        "created_at": stage.clock.now(),
    }  # fmt: skip
    (noted,) = [one for one in await notes(stage) if one not in said]
    assert noted == (
        "practice.begun", "practice-asha", stage.merchant, {}, stage.clock.now(),
    )  # fmt: skip
    stage.later(60)
    (folder / "practice-asha.json").unlink(missing_ok=True)
    folder.rmdir()
    assert await setup.open_practice(stage.context, asha, folder) == account
    assert not folder.exists()
    assert len(await notes(stage)) == len(said) + 1
    return account


async def test_a_machine_to_practise_with_is_set_up_step_by_step(
    opened: Stage, tmp_path: Path
) -> None:
    stage = opened
    chandra = (await chandras_machine(stage)).merchant_id
    asha = Editor(stage.merchant, "asha")
    before, hers = await known(stage), await known(stage, chandra)
    assert (hers.slug, hers.begun) == ("chandra", False)
    assert before == Setup(
        slug="asha", name="Asha", contact=before.contact, zone=before.zone,
        currency=before.currency, begun=False, put_away=False, draft=Draft(),
        practice_account=None, live_account=before.live_account, machine=None, order=None,
        sold=False, books_seen=False, real_machine=True, real_heard=before.real_heard,
    )  # fmt: skip

    account = await practising(stage, asha, tmp_path / "books" / "of practice")
    began = replace(before, begun=True, practice_account=account)
    assert await known(stage) == began

    draft = Draft(code="P01", name="Drawn", place="My desk")
    await setup.keep_draft(stage.context, asha, draft)
    assert await known(stage) == replace(began, draft=draft)

    slots = [NewSlot(slot="A1", sku="cola", price=Money(4000, "INR"), stock=5)]
    for _ in range(2):  # again it changes nothing
        await setup.set_up_machine(stage.context, asha, slots, DeviceAddresses())
        outlets = await stage.rows(
            "SELECT id, merchant_id, name, place, contact, channel, currency::text, account_id"
            " FROM outlets WHERE channel = 'practice'"
        )
        assert [tuple(one.values()) for one in outlets] == [
            ("P01", stage.merchant, "Drawn", "My desk", before.contact, "practice", "INR", account)
        ]
        ways = await stage.rows(
            "SELECT outlet_id, account_id, way, place FROM ways_to_pay WHERE outlet_id = 'P01'"
            " AND place IS NOT NULL"
        )
        assert [tuple(one.values()) for one in ways] == [("P01", account, "link", 1)]
        assert await known(stage) == replace(began, draft=draft, machine="P01")
    assert await known(stage, chandra) == hers


async def test_what_is_wrong_with_it_is_said_by_its_first(opened: Stage, tmp_path: Path) -> None:
    stage = opened
    asha = Editor(stage.merchant, "asha")
    await setup.open_practice(stage.context, asha, tmp_path)
    await setup.keep_draft(stage.context, asha, Draft(code="M01", name="Taken", place=""))
    slots = [NewSlot(slot="A1", sku="tea"), NewSlot(slot="A2", sku="lime")]
    with pytest.raises(OnboardError) as refused:
        await setup.set_up_machine(stage.context, asha, slots, DeviceAddresses())
    assert setup.said(refused.value) == refused.value.problems[0].message
    some = [Problem(machine=0, field=f, code="c", message=f) for f in ("first", "second")]
    assert setup.said(OnboardError(some)) == "first"
