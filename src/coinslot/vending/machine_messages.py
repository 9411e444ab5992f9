"""Messages from the machines: what each proves about a unit, and what it does not. An ACCEPT is
answered with the signed GO. Every message is committed before it is answered; the answers are
returned, to be sent afterwards."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import assert_never
from uuid import UUID

import asyncpg
import msgspec
import structlog

from coinslot.channels import messages as wire
from coinslot.channels.messages import Up
from coinslot.context import Context
from coinslot.db.pool import Connection, again
from coinslot.orders.fulfillment import windows_at
from coinslot.outlets.machines import USE_NEXT
from coinslot.states.transition import transition
from coinslot.vending import dispatch, journal, stops, store
from coinslot.vending.evidence import ENDS, ReportedOutcome, conclude
from coinslot.vending.flow import VENDING
from coinslot.vending.journal import Journaled
from coinslot.vending.journal import Machine as Machine
from coinslot.vending.plain_messages import HeardMessages, receive_plain, signed

log = structlog.get_logger(__name__)

# After these the next deadline is that of the unit's lease or run; nothing is due at once.
_ON_ITS_WAY = (wire.Hello, wire.Accept, wire.Started, wire.Progress, wire.Health)

# What is said about a unit that is settled already, as its slot's stock takes it.
_LATE_WORDS = {"VENDED": "fell", "NOT_VENDED": "did_not"}


async def receive(
    context: Context,
    machine: Machine,
    up: Up,
    at: datetime,
    heard: HeardMessages | None = None,
) -> list[wire.Down]:
    """One message of a machine: store it, make the moves that it proves, and return the answers.
    With `heard` those of many machines share a commit."""
    plain = await receive_plain(context, machine, up, at, heard)
    if plain is not None:
        if not isinstance(up, _ON_ITS_WAY) and not _has_vended(up):
            context.wakes.wake("refunds", "fulfillments")
        if plain.waiting:
            await dispatch.offer_next(context, machine.merchant_id, machine.outlet)
        return plain.downs
    downs = await again(partial(_receive_in_transaction, context, machine, up, at))
    if not isinstance(up, _ON_ITS_WAY) and not _has_vended(up):
        context.wakes.wake("refunds", "fulfillments")
    if _may_be_idle(up):
        await _offer_what_waits(context, [machine.outlet])
    return downs


async def _receive_in_transaction(
    context: Context, machine: Machine, up: Up, at: datetime
) -> list[wire.Down]:
    """In one transaction."""
    async with context.db.as_merchant(machine.merchant_id) as conn:
        match up:
            case wire.Hello():
                downs = await _answer_hello(context, conn, machine, up, at)
            case wire.Accept():
                downs = await _accepted(context, conn, machine, up, at)
            case wire.Reject():
                downs = await _rejected(context, conn, machine, up)
            case wire.Started() | wire.Progress() | wire.Result():
                downs = await _journaled(context, conn, machine, up, at)
            case wire.Status():
                downs = await _receive_status(context, conn, machine, up, at)
            case wire.Health():
                downs = []
            case other:
                assert_never(other)
    return downs


def _has_vended(up: Up) -> bool:
    """Then nothing is owed. What else ended with it is due, and is found at the sweeper's pace."""
    return isinstance(up, wire.Result) and up.outcome is wire.Outcome.VENDED


def _may_be_idle(up: Up) -> bool:
    """A running or busy machine is not offered more: its next heartbeat or its unit's deadline does
    that."""
    if isinstance(up, wire.Reject):
        return not _is_passing(up)
    return not isinstance(up, wire.Accept | wire.Started | wire.Progress)


async def record_heartbeats(context: Context, heard: Mapping[str, datetime]) -> None:
    """Machines that are online, in one statement; offer what waits for them."""
    async with context.db.system_connection() as conn:
        await conn.execute(store.RECORD_HEARTBEATS, list(heard), list(heard.values()))
    await _offer_what_waits(context, list(heard))


async def _offer_what_waits(context: Context, outlets: list[str]) -> None:
    """Mostly nothing does, and one statement says so."""
    async with context.db.system_connection() as conn:
        waiting = await conn.fetch(store.WAITING, outlets)
    for row in waiting:
        await dispatch.offer_next(context, row["merchant_id"], row["outlet_id"])


async def receive_done(
    context: Context, machine: Machine, done: wire.MachineDone, at: datetime
) -> None:
    """The report of the simple dialect: there is no evidence, so FAILED is settled as declared."""
    try:
        order_id = UUID(done.order_id)
    except ValueError:
        log.warning("done_for_unknown_order", outlet=machine.outlet)
        return
    if not await again(partial(_done, context, machine, order_id, done, at)):
        log.warning("done_for_unknown_order", outlet=machine.outlet, order=done.order_id)
        return
    context.wakes.wake("refunds")
    await dispatch.offer_next(context, machine.merchant_id, machine.outlet)


async def _done(
    context: Context, machine: Machine, order_id: UUID, done: wire.MachineDone, at: datetime
) -> bool:
    """In one transaction; returns whether the machine was commanded to dispense for this order."""
    async with context.db.as_merchant(machine.merchant_id) as conn:
        unit_id = await conn.fetchval(store.UNIT_OF_ORDER, machine.outlet, order_id)
        if unit_id is None:
            return False
        failed = done.status is wire.DoneStatus.FAILED
        await transition(
            conn, VENDING, unit_id, "NOT_VENDED" if failed else "VENDED", at,
            basis="declared", failure_code=done.failure_code,
        )  # fmt: skip
    return True


async def _answer_hello(
    context: Context, conn: Connection, machine: Machine, up: wire.Hello, at: datetime
) -> list[wire.Down]:
    """After a start or a reconnect: which journal it has, how far it is stored, which units are
    open."""
    if up.key_id is not None:  # behind a broker nothing else says which secret it logged in with
        await conn.execute(USE_NEXT, machine.outlet, None, up.key_id)
    version = await conn.fetchval(
        store.RAISE_SEQ, machine.outlet, up.last_seq, up.journal_id, up.boot_id,
        up.capabilities.sensor, up.firmware, at, up.config_version, up.hardware, up.build,
        up.capabilities.mdb, up.capabilities.journal_formats,
    )  # fmt: skip
    through = await conn.fetchval(
        store.MEET_JOURNAL, machine.merchant_id, machine.outlet, up.journal_id,
        None if up.unacked_from is None else up.unacked_from - 1, at,
    )  # fmt: skip
    queries = []
    for row in await conn.fetch(store.OPEN_UNITS_TO_ASK, machine.outlet):
        unit = await _unit(conn, machine, row["id"])
        # HELLO itself proves nothing: the unit is asked about, with a nonce, after its lease.
        if unit is not None and unit["settlement"] is None and at >= unit["lease_end"]:
            queries.append(await dispatch.ask(context, conn, unit))
    await conn.execute(store.ANSWERED, machine.outlet, at)
    return [
        wire.Sync(
            through=through or 0, server_time=at, config_version=version or 1, queries=queries
        )
    ]


async def _accepted(
    context: Context, conn: Connection, machine: Machine, up: wire.Accept, at: datetime
) -> list[wire.Down]:
    unit = await _unit(conn, machine, up.unit_id)
    if unit is None or unit["seq"] != up.seq:
        return []
    if unit["state"] in ("going", "started", "in_doubt"):
        await transition(conn, VENDING, unit["id"], "ACCEPT", at)
        # The same ACCEPT came again, so GO may be lost; only the very same GO goes out again.
        return [_go_again(unit)] if unit["state"] == "going" and _same(unit, up) else []
    if unit["state"] != "offered" or at >= unit["dispatch_by"] or unit["decommissioned_at"]:
        return []
    if await stops.turned_away(context, conn, unit):
        return []  # the lock fell after the offer: without GO nothing drops
    go, moved = signed(context, machine, unit, up, at)
    await transition(conn, VENDING, unit["id"], "ACCEPT", at, **moved)
    await stops.answered(conn, unit, at)
    return [go]


def _same(unit: asyncpg.Record, up: wire.Accept) -> bool:
    return bool(msgspec.convert(unit["accept"], wire.Accept) == up)


def _go_again(unit: asyncpg.Record) -> wire.Go:
    return msgspec.convert(unit["go_message"], wire.Go)


async def _rejected(
    context: Context, conn: Connection, machine: Machine, up: wire.Reject
) -> list[wire.Down]:
    """Before GO a refusal proves that nothing drops. After it, it proves nothing."""
    now = context.now()
    unit = await _unit(conn, machine, up.unit_id)
    if unit is None or unit["seq"] != up.seq:
        return []
    if _is_passing(up):
        await transition(
            conn, VENDING, unit["id"], "BUSY", now,
            **_put_off(context, unit, now) if unit["state"] == "offered" else {},
        )  # fmt: skip
        await stops.answered(conn, unit, context.now())
        return []
    await transition(
        conn, VENDING, unit["id"], "REJECT", now,
        **{"basis": "rejected", "failure_code": up.code.value}
        if unit["state"] == "offered" else {},
    )  # fmt: skip
    await stops.answered(conn, unit, context.now())
    if up.code is wire.Refusal.TEMP_LOCK:
        until = now + context.windows.span("temp_lock_s")
        await conn.execute(store.TOO_WARM, machine.outlet, now, until)
    return []


def _is_passing(up: wire.Reject) -> bool:
    """Refusals after which the unit is offered again, under a new seq."""
    return up.code in wire.TRANSIENT_REFUSALS or up.code is wire.Refusal.STALE_SEQ


def _put_off(context: Context, unit: asyncpg.Record, now: datetime) -> Mapping[str, object]:
    due = dispatch.offer_due(context, unit, now)
    return {"seq": None, "offers": 0, "due_at": due}


async def _journaled(
    context: Context,
    conn: Connection,
    machine: Machine,
    up: Journaled,
    at: datetime,
) -> list[wire.Down]:
    """A line of the machine's journal: stored first, believed if it is the journal that
    accepted."""
    kept = await journal.store_line(conn, machine, up, at)
    unit = await _unit(conn, machine, up.unit_id) if kept.stands else None
    if unit is not None and await _is_own_journal(conn, unit, up.journal_id, at):
        match up:
            case wire.Started():
                if unit["state"] == "going":
                    await transition(
                        conn, VENDING, unit["id"], "STARTED", at,
                        started_at=at, due_at=min(
                            at + windows_at(context, unit).span("run_s"), unit["hard_deadline"]),
                    )  # fmt: skip
            case wire.Result():
                await _apply_outcome(conn, unit, ReportedOutcome.of_result(up), at)
            case wire.Progress():
                pass
    return [wire.Evack(journal_id=up.journal_id, through=kept.through)]


async def _receive_status(
    context: Context, conn: Connection, machine: Machine, up: wire.Status, at: datetime
) -> list[wire.Down]:
    """The answer to a query, or a state sent again. Only our nonce makes it count as an answer."""
    unit = await _unit(conn, machine, up.unit_id)
    if unit is None or not await _is_own_journal(conn, unit, up.journal_id, at):
        return []
    asked = up.nonce is not None and up.nonce == unit["nonce"]
    if up.state is wire.UnitState.STARTED and unit["state"] == "going":
        await transition(
            conn, VENDING, unit["id"], "STARTED", at,
            started_at=at,
            due_at=min(at + windows_at(context, unit).span("run_s"), unit["hard_deadline"]),
        )  # fmt: skip
    elif asked and up.state in ENDS:
        said = msgspec.to_builtins(up)  # no journal line: the auditor finds the evidence here
        if await conn.fetchrow(store.KEEP_ANSWER, unit["merchant_id"], unit["id"], said, at):
            await _apply_outcome(conn, unit, ReportedOutcome.of_status(up), at)
    return []


async def _apply_outcome(
    conn: Connection, unit: asyncpg.Record, word: ReportedOutcome, at: datetime
) -> None:
    event, basis, code = conclude(word, str(unit["slot"]), mdb=unit["mdb"])
    if unit["settlement"] is not None and event in _LATE_WORDS:
        await conn.execute(store.NOTE_VEND, unit["id"], _LATE_WORDS[event], at)
    extra: dict[str, object] = {}  # a settled unit keeps its basis; only the move is recorded
    if event == "UNSURE" and unit["settlement"] is None:
        end = min(at, unit["hard_deadline"])  # no more can be learned: policy settles it now
        extra = {"failure_code": code, "due_at": end, "hard_deadline": end}
    elif unit["settlement"] is None:
        extra = {"failure_code": code, "basis": basis}
    await transition(conn, VENDING, unit["id"], event, at, **extra)


async def _unit(conn: Connection, machine: Machine, unit_id: UUID) -> asyncpg.Record | None:
    """The unit, locked, if it belongs to this machine; reports of other machines about it are
    ignored."""
    return await conn.fetchrow(store.LOCK_UNIT, unit_id, machine.outlet)


async def _is_own_journal(
    conn: Connection, unit: asyncpg.Record, journal_id: str, at: datetime
) -> bool:
    """A replaced or wiped controller is not the one that accepted: its report settles nothing."""
    if unit["journal_id"] == journal_id:
        return True
    await conn.execute(store.NOTE_STRANGE_JOURNAL, unit["merchant_id"], unit["id"], journal_id, at)
    return False
