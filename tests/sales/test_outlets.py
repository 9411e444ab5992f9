"""Machines and what belongs to them, as they are written and read: each its own."""

from typing import Any

import pytest
from msgspec.structs import replace

from coinslot.kit.ids import uuid7
from coinslot.outlets import machines
from coinslot.outlets.machines import (
    Outlet,
    OutletTakenError,
    Slot,
    UnknownOutletError,
    UnknownSlotError,
    add_outlet,
)
from coinslot.payments import provision
from coinslot.states.unit_flow import UnknownKindError
from tests.sales.neighbours import a_second_machine, chandras_machine
from tests.sales.stage import Stage


async def outlet(stage: Stage, **more: Any) -> Outlet:
    made = Outlet(
        code="M07", merchant_id=stage.merchant, name="Hall", place="Pune", kind="vending",
        channel="mqtt", dialect="leased", currency="INR", account_id=stage.account.id,
        contact="call", zone="Asia/Kolkata",
    )  # fmt: skip
    return replace(made, **more)


async def add(stage: Stage, made: Outlet, *slots: Slot) -> bool:
    async with stage.context.db.as_merchant(made.merchant_id) as conn:
        return await add_outlet(conn, made, list(slots), stage.clock.now())


async def cola(stage: Stage, **more: Any) -> Slot:
    product = await stage.value("SELECT id FROM products WHERE sku = 'cola'")
    return Slot(**{"slot": "B2", "product_id": product, "price_minor": 4100, "stock": 3,
                   "par": 9, **more})  # fmt: skip


async def test_a_machine_is_written_as_it_was_given_and_offers_its_code(stage: Stage) -> None:
    """`add_outlet`, to each column."""
    assert await add(stage, await outlet(stage), await cola(stage))
    (row,) = await stage.rows("SELECT * FROM outlets WHERE id = 'M07'")
    told = ("name", "place", "kind", "channel", "dialect", "currency", "contact", "zone")
    assert [row[name] for name in told] == [
        "Hall", "Pune", "vending", "mqtt", "leased", "INR", "call", "Asia/Kolkata",
    ]  # fmt: skip
    assert (row["account_id"], row["created_at"]) == (stage.account.id, stage.clock.now())
    (slot,) = await stage.rows("SELECT * FROM slots WHERE outlet_id = 'M07'")
    assert (slot["slot"], slot["price_minor"], slot["stock"], slot["par"]) == ("B2", 4100, 3, 9)
    (way,) = await stage.rows("SELECT * FROM ways_to_pay WHERE outlet_id = 'M07'")
    assert (way["account_id"], way["way"], way["place"]) == (stage.account.id, "code", 1)


async def test_added_again_it_stays_as_it_is_with_the_slots_that_are_new(stage: Stage) -> None:
    made = await outlet(stage)
    assert await add(stage, made, await cola(stage))
    more = await cola(stage, slot="B3")
    assert not await add(stage, replace(made, name="Else"), await cola(stage, stock=9), more)
    (row,) = await stage.rows("SELECT name FROM outlets WHERE id = 'M07'")
    assert row["name"] == "Hall"
    slots = await stage.rows("SELECT slot, stock FROM slots WHERE outlet_id = 'M07' ORDER BY 1")
    assert [(slot["slot"], slot["stock"]) for slot in slots] == [("B2", 3), ("B3", 3)]
    assert len(await stage.rows("SELECT FROM ways_to_pay WHERE outlet_id = 'M07'")) == 1


async def test_a_code_that_another_merchant_has_and_a_kind_that_nobody_knows_are_refused(
    stage: Stage,
) -> None:
    await chandras_machine(stage)
    with pytest.raises(OutletTakenError):
        await add(stage, await outlet(stage, code="C01"), await cola(stage))
    with pytest.raises(UnknownKindError):
        await add(stage, await outlet(stage, kind="unheard of"))
    assert await stage.rows("SELECT FROM slots WHERE outlet_id = 'C01'") == []
    assert await stage.rows("SELECT FROM outlets WHERE id = 'M07'") == []


async def test_each_login_of_a_channel_is_told_in_the_order_of_machines_and_keys(
    stage: Stage,
) -> None:
    await a_second_machine(stage)
    await add(stage, await outlet(stage, channel="socketio"))
    now, context = stage.clock.now(), stage.context
    async with context.db.as_merchant(stage.merchant) as conn:
        await machines.next_secret(conn, context.vault, "M01", now)
        await machines.issue_device(conn, context.vault, stage.merchant, "M07", now)
        assert await machines.next_secret(conn, context.vault, "M09", now) is None
    logins = await machines.device_logins(context.db, "mqtt")
    assert [(one.outlet, one.login) for one in logins] == [
        ("M01", "M01"), ("M01", "M01.2"), ("M02", "M02"),
    ]  # fmt: skip
    hashes = await stage.rows("SELECT broker_hash, next_hash FROM devices WHERE outlet_id = 'M01'")
    assert [one.broker_hash for one in logins[:2]] == [
        hashes[0]["broker_hash"], hashes[0]["next_hash"],
    ]  # fmt: skip
    assert [one.login for one in await machines.device_logins(context.db, "socketio")] == ["M07"]
    versions = await machines.device_versions(context.db, ["M01", "M02", "M09"])
    assert versions.keys() == {"M01", "M02"}
    await provision.decommission(context, "M01")
    assert [one.outlet for one in await machines.device_logins(context.db, "mqtt")] == ["M02"]
    assert (await machines.device_versions(context.db, ["M01", "M02"])).keys() == {"M02"}


async def test_a_new_secret_takes_the_place_of_the_old_one_when_it_is_first_shown(
    stage: Stage,
) -> None:
    context, now = stage.context, stage.clock.now()
    async with context.db.as_merchant(stage.merchant) as conn:
        first = await machines.next_secret(conn, context.vault, "M01", now)
        second = await machines.next_secret(conn, context.vault, "M01", now)
    assert first is not None
    assert second is not None
    assert (first.key_id, second.key_id) == (2, 3)
    assert await machines.is_device(context.db, "M01", first.secret) is None
    assert await machines.is_device(context.db, "M01", stage.secret) == stage.merchant
    assert await machines.is_device(context.db, "M01", stage.secret + "x" * 60) is None
    assert await machines.is_device(context.db, "M02", stage.secret) is None
    assert await machines.is_device(context.db, "M01", second.secret) == stage.merchant
    assert await machines.is_device(context.db, "M01", stage.secret) is None
    (row,) = await stage.rows("SELECT * FROM devices")
    assert (row["key_id"], row["next_key_id"], row["next_hash"], row["next_secret"]) == (
        3, None, None, None,
    )  # fmt: skip
    async with context.db.as_merchant(stage.merchant) as conn:
        third = await machines.replace_secret(conn, context.vault, stage.merchant, "M01", now)
    assert third.key_id == 3
    assert await machines.is_device(context.db, "M01", second.secret) is None
    assert await machines.is_device(context.db, "M01", third.secret) == stage.merchant


async def test_a_slot_is_filled_up_by_itself_or_with_all_of_its_machine(stage: Stage) -> None:
    await a_second_machine(stage)
    await add(stage, await outlet(stage), await cola(stage), await cola(stage, slot="B1"))
    broken = (
        "UPDATE slots SET stock = 0, failures_in_row = 2, out_of_sale_at = now(),"
        " withheld_at = CASE slot WHEN 'B1' THEN now() END RETURNING slot"
    )
    told = "SELECT stock, failures_in_row, out_of_sale_at FROM slots WHERE outlet_id = $1"
    await stage.rows(broken)
    db = stage.context.db
    assert await machines.refill(db, "M07", "B2", 6) == ["B2"]
    rows = await stage.rows(f"{told} ORDER BY slot", "M07")
    assert [(row["stock"], row["failures_in_row"]) for row in rows] == [(0, 2), (6, 0)]
    assert await machines.refill(db, "M07", None, 7, stage.merchant) == ["B1", "B2"]
    rows = await stage.rows(f"{told} ORDER BY slot", "M07")
    assert [row["out_of_sale_at"] is None for row in rows] == [False, True]
    assert [row["stock"] for row in rows] == [7, 7]
    for other in ("M01", "M02"):
        (row,) = await stage.rows(told, other)
        assert (row["stock"], row["failures_in_row"]) == (0, 2)
    with pytest.raises(UnknownSlotError):
        await machines.refill(db, "M07", "Z9", 1)
    with pytest.raises(UnknownOutletError):
        await machines.refill(db, "M99", None, 1)
    stranger = uuid7(stage.clock.now())
    with pytest.raises(UnknownSlotError):
        await machines.refill(db, "M07", "B2", 1, stranger)
    await stage.rows("UPDATE slots SET stock = 10 RETURNING slot")


async def test_machines_without_a_zone_are_named_in_order(stage: Stage) -> None:
    await add(stage, await outlet(stage, code="M08", zone=None))
    await add(stage, await outlet(stage))
    await stage.rows("UPDATE merchants SET zone = NULL RETURNING id")
    assert await machines.without_zone(stage.context.db) == ["M01", "M08"]
    await stage.rows("UPDATE outlets SET decommissioned_at = now() WHERE id = 'M08' RETURNING id")
    assert await machines.without_zone(stage.context.db) == ["M01"]
    await stage.rows("UPDATE merchants SET zone = 'Asia/Kolkata' RETURNING id")
    assert await machines.without_zone(stage.context.db) == []
    assert await machines.owner_of(stage.context.db, "M01") == stage.merchant
    with pytest.raises(UnknownOutletError):
        await machines.owner_of(stage.context.db, "M99")
