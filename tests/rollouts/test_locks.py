"""Rows of roll-outs are locked in the order of ARCHITECTURE.md, and read under their lock."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import asyncpg
import pytest

from coinslot.db.pool import RawConnection
from coinslot.kit.faults import no_fault
from coinslot.rollouts import rollouts, store, updates, waves
from tests.rollouts.fleet import Fleet
from tests.sales.test_lock_order import ORDER, UndoneError, held, stopped, undone_at

Verb = Callable[[Fleet, str], Awaitable[object]]


async def _row(fleet: Fleet, table: str) -> asyncpg.Record:
    async with fleet.stage.context.db.as_merchant(fleet.stage.merchant) as conn:
        row = await conn.fetchrow(f"SELECT * FROM {table}")
    assert row is not None
    return row


async def _drive_wave(fleet: Fleet, code: str) -> None:
    await waves.drive(fleet.stage.context, await _row(fleet, "rollouts"))


async def _drive_machine(fleet: Fleet, code: str) -> None:
    await updates.drive(fleet.stage.context, await _row(fleet, "machine_updates"))


async def _greet(fleet: Fleet, code: str) -> None:
    await _row(fleet, "rollouts")
    await updates.greeted(fleet.stage.context, fleet.sender(fleet.machines[code]))


async def _abort(fleet: Fleet, code: str) -> None:
    await _row(fleet, "rollouts")
    await rollouts.abort(fleet.stage.context, fleet.editor, fleet.rollout)


# Each verb, the tables of which it locks rows, in a roll-out whose machine has verified the image.
VERBS: dict[str, tuple[Verb, set[str]]] = {
    "a wave goes on": (_drive_wave, {"rollouts"}),
    "a machine is given GO": (_drive_machine, {"devices", "machine_updates", "outlet_stops"}),
    "a machine greets": (_greet, {"devices", "machine_updates", "outlet_stops"}),
    "a person aborts": (_abort, {"rollouts", "machine_updates"}),
}


async def _verified(fleet: Fleet) -> str:
    (code,) = await fleet.add(1)
    machine = fleet.machines[code]
    await fleet.roll_out(await fleet.upload())
    machine.hold_offers = True
    unit = await fleet.sell(code)  # so that no GO is given
    await fleet.settle()
    machine.hold_offers = False
    assert await fleet.state_of(code) == "verified"
    await _settled(fleet, unit)
    await fleet.stage.rows(  # of an update before
        "INSERT INTO outlet_stops (outlet_id, why, merchant_id, since, until)"
        " VALUES ($1, 'update', $2, $3, $3) RETURNING 1",
        code, fleet.stage.merchant, fleet.stage.clock.now(),
    )  # fmt: skip
    return code


async def _settled(fleet: Fleet, unit: UUID) -> None:
    """The unit that was in the way is over, and nobody has looked since."""
    fleet.stage.clock.advance(fleet.stage.context.windows.span("dispatch_s") * 2)
    await fleet.beat()
    await fleet.stage.sweep("fulfillments")
    assert await fleet.unit_state(unit) == "failed"


@pytest.mark.parametrize("name", VERBS)
async def test_a_verb_locks_rows_in_the_written_order(
    fleet: Fleet, holder: RawConnection, looker: RawConnection, name: str
) -> None:
    verb, tables = VERBS[name]
    code = await _verified(fleet)
    stood: set[str] = set()
    wrong: list[str] = []
    for table in ("devices", "rollouts", "machine_updates", "outlet_stops"):
        only = f"WHERE outlet_id = '{code}'" if table == "devices" else ""
        await holder.execute(f"BEGIN; SELECT FROM {table} {only} FOR NO KEY UPDATE")
        fleet.stage.context.db.reached = undone_at(2)  # the first only reads the row
        work = asyncio.ensure_future(verb(fleet, code))
        pid = await stopped(looker, work)
        if pid is not None:
            stood.add(table)
            mine = await held(looker, ("", ""))
            later = [each for each in mine if ORDER.index(each) > ORDER.index(table)]
            wrong += [f"{each} before {table}" for each in later]
            await looker.execute("SELECT pg_cancel_backend($1)", pid)
            with pytest.raises(asyncpg.QueryCanceledError):
                await work
        else:
            with suppress(UndoneError):
                await work
        fleet.stage.context.db.reached = no_fault
        await holder.execute("ROLLBACK")
    assert wrong == []
    assert stood == tables


LOCKS = {
    "rollouts by LOCK_ROLLOUT": (store.LOCK_ROLLOUT, "rollouts"),
    "devices by LOCK_DEVICE": (store.LOCK_DEVICE, "devices"),
    "machine_updates by LOCK_UPDATE": (store.LOCK_UPDATE, "machine_updates"),
    "machine_updates by WITHDRAWN": (store.WITHDRAWN, "machine_updates"),
    "rollouts by transition_rollout": (
        "SELECT transition_rollout($1, 'x', '{}', now())", "rollouts",
    ),
    "machine_updates by transition_machine_update": (
        "SELECT transition_machine_update($1, 'x', '{}', now())", "machine_updates",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOCKS)
async def test_a_statement_that_locks_waits_for_its_row(
    fleet: Fleet, holder: RawConnection, looker: RawConnection, name: str
) -> None:
    statement, table = LOCKS[name]
    code = await _verified(fleet)
    update = (await _row(fleet, "machine_updates"))["id"]
    key = code if table == "devices" else fleet.rollout if "rollout" in name else update
    if "WITHDRAWN" in name:
        key = fleet.rollout
    elif table == "machine_updates":
        key = update
    values = (key, fleet.stage.merchant) if "$2" in statement else (key,)
    await holder.execute(f"BEGIN; SELECT FROM {table} FOR NO KEY UPDATE")
    async with fleet.stage.context.db.as_merchant(fleet.stage.merchant) as conn:
        await conn.execute("SAVEPOINT here")
        work = asyncio.ensure_future(conn.execute(statement, *values))
        pid = await stopped(looker, work)
        assert pid is not None, f"{name} holds nothing"
        await looker.execute("SELECT pg_cancel_backend($1)", pid)
        with pytest.raises(asyncpg.QueryCanceledError):
            await work
        await conn.execute("ROLLBACK TO here")
    await holder.execute("ROLLBACK")
