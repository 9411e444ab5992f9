"""Up from the machines: what each message proves about a unit, and what it does not.

Every message is committed before it is answered; the answers are returned, to be sent afterwards.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

import asyncpg
import msgspec
import structlog

from coinslot.channels import messages as wire
from coinslot.channels.messages import Drop, Outcome, Up
from coinslot.db.pool import Connection
from coinslot.sales import dispatch, store
from coinslot.sales.fulfillment_flow import FULFILLMENT
from coinslot.sales.move import move
from coinslot.sales.shop import Shop

log = structlog.get_logger(__name__)

# The server may use a lease's end only with the device clock's drift and the way there added.
_DRIFT, _WAY = 1.01, timedelta(seconds=1)


class Machine(msgspec.Struct, frozen=True):
    """The authenticated sender: never taken from the message itself."""

    outlet: str
    merchant_id: UUID


async def hear(shop: Shop, machine: Machine, up: Up, at: datetime) -> list[wire.Down]:
    """One message up: store it, move what it proves, and return what to answer."""
    async with shop.db.as_merchant(machine.merchant_id) as conn:
        match up:
            case wire.Hello():
                downs = await _greet(shop, conn, machine, up, at)
            case wire.Accept():
                downs = await _accepted(shop, conn, machine, up, at)
            case wire.Reject():
                downs = await _rejected(shop, conn, machine, up)
            case wire.Started() | wire.Progress() | wire.Result():
                downs = await _journaled(shop, conn, machine, up, at)
            case wire.Status():
                downs = await _answered(shop, conn, machine, up, at)
            case wire.Health():
                downs = []
            case other:
                assert_never(other)
    shop.wakes.ring("refunds", "fulfillments")
    if not isinstance(up, wire.Accept | wire.Started | wire.Progress):
        await dispatch.offer_next(shop, machine.merchant_id, machine.outlet)
    return downs


async def beats(shop: Shop, heard: Mapping[str, datetime]) -> None:
    """Machines that are alive, in one statement; what waits for them goes out."""
    async with shop.db.door() as conn:
        await conn.execute(store.BEATS, list(heard), list(heard.values()))
        waiting = await conn.fetch(store.WAITING, list(heard))
    for row in waiting:
        await dispatch.offer_next(shop, row["merchant_id"], row["outlet_id"])


async def hear_done(shop: Shop, machine: Machine, done: wire.MachineDone, at: datetime) -> None:
    """The simple dialect's answer: its word is all there is, so FAILED is settled as declared."""
    try:
        order_id = UUID(done.order_id)
    except ValueError:
        log.warning("done_for_unknown_order", outlet=machine.outlet)
        return
    async with shop.db.as_merchant(machine.merchant_id) as conn:
        unit_id = await conn.fetchval(store.UNIT_OF_ORDER, machine.outlet, order_id)
        if unit_id is None:
            log.warning("done_for_unknown_order", outlet=machine.outlet, order=done.order_id)
            return
        failed = done.status is wire.DoneStatus.FAILED
        await move(
            conn, FULFILLMENT, unit_id, "NOT_VENDED" if failed else "VENDED", at,
            basis="declared", failure_code=done.failure_code,
        )  # fmt: skip
    shop.wakes.ring("refunds")
    await dispatch.offer_next(shop, machine.merchant_id, machine.outlet)


async def _greet(
    shop: Shop, conn: Connection, machine: Machine, up: wire.Hello, at: datetime
) -> list[wire.Down]:
    """After a start or a reconnect: whose journal it is, how far it is kept, what is still open."""
    await conn.execute(
        store.RAISE_SEQ, machine.outlet, up.last_seq + 1, up.journal_id, up.boot_id,
        up.capabilities.sensor, up.firmware, at,
    )  # fmt: skip
    kept = (up.unacked_from or 1) - 1
    through = await conn.fetchval(
        store.MEET_JOURNAL, machine.outlet, up.journal_id, machine.merchant_id, kept, at
    )
    queries = []
    for row in await conn.fetch(store.OPEN_UNITS_TO_ASK, machine.outlet):
        unit = await _unit(conn, machine, row["id"])
        # An unsolicited HELLO proves nothing: it is asked, bound to a nonce, once its lease is over.
        if unit is not None and unit["settlement"] is None and at >= unit["lease_end"]:
            queries.append(await dispatch.ask(shop, conn, unit))
    return [wire.Sync(through=through, server_time=at, config_version=1, queries=queries)]


async def _accepted(
    shop: Shop, conn: Connection, machine: Machine, up: wire.Accept, at: datetime
) -> list[wire.Down]:
    unit = await _unit(conn, machine, up.unit_id)
    if unit is None or unit["seq"] != up.seq:
        return []
    if unit["state"] in ("going", "started", "in_doubt"):
        await move(conn, FULFILLMENT, unit["id"], "ACCEPT", at)
        # The same ACCEPT came again, so GO may be lost; only the very same GO goes out again.
        return [_go_again(unit)] if unit["state"] == "going" and _same(unit, up) else []
    if unit["state"] != "offered" or at >= unit["dispatch_by"]:
        return []
    lease = wire.Lease(
        unit_id=unit["id"],
        seq=up.seq,
        slot=unit["slot"],
        boot_id=up.boot_id,
        not_after=up.mono_ms + shop.windows.lease_ms,
    )
    go = wire.signed_go(await _secret(shop, conn, unit["outlet_id"]), lease)
    lease_end = at + timedelta(milliseconds=shop.windows.lease_ms) * _DRIFT + _WAY
    hard = max(lease_end + shop.windows.span("run_s"), at + shop.windows.span("in_doubt_s"))
    await move(
        conn, FULFILLMENT, unit["id"], "ACCEPT", at,
        accept=msgspec.to_builtins(up), journal_id=up.journal_id, boot_id=up.boot_id, go_at=at,
        go_message=wire.to_wire(go), lease_end=lease_end, hard_deadline=hard, due_at=lease_end,
    )  # fmt: skip
    return [go]


def _same(unit: asyncpg.Record, up: wire.Accept) -> bool:
    return bool(msgspec.convert(unit["accept"], wire.Accept) == up)


def _go_again(unit: asyncpg.Record) -> wire.Go:
    return msgspec.convert(unit["go_message"], wire.Go)


async def _rejected(
    shop: Shop, conn: Connection, machine: Machine, up: wire.Reject
) -> list[wire.Down]:
    """Before GO a refusal proves that nothing falls. After it, it proves nothing."""
    now = shop.now()
    unit = await _unit(conn, machine, up.unit_id)
    if unit is None or unit["seq"] != up.seq:
        return []
    if up.code in wire.TRANSIENT_REFUSALS or up.code is wire.Refusal.STALE_SEQ:
        await move(
            conn, FULFILLMENT, unit["id"], "BUSY", now,
            **_put_off(shop, unit, now) if unit["state"] == "offered" else {},
        )  # fmt: skip
        return []
    await move(
        conn, FULFILLMENT, unit["id"], "REJECT", now,
        **{"basis": "rejected", "failure_code": up.code.value}
        if unit["state"] == "offered" else {},
    )  # fmt: skip
    return []


def _put_off(shop: Shop, unit: asyncpg.Record, now: datetime) -> Mapping[str, object]:
    return {"seq": None, "offers": 0, "due_at": min(shop.after("offer_s"), max(unit["dispatch_by"], now))}


async def _journaled(
    shop: Shop,
    conn: Connection,
    machine: Machine,
    up: wire.Started | wire.Progress | wire.Result,
    at: datetime,
) -> list[wire.Down]:
    """What the machine's journal holds: kept first, believed if it is the journal that accepted."""
    await _keep(conn, machine, up, at)
    unit = await _unit(conn, machine, up.unit_id)
    if unit is not None and await _is_own_journal(conn, unit, up.journal_id, at):
        match up:
            case wire.Started():
                if unit["state"] == "going":
                    await move(
                        conn, FULFILLMENT, unit["id"], "STARTED", at,
                        started_at=at, due_at=min(
                            at + shop.windows.span("run_s"), unit["hard_deadline"]),
                    )  # fmt: skip
            case wire.Result():
                await _judge(conn, unit, _Word.of_result(up), at)
            case wire.Progress():
                pass
    return [wire.Evack(journal_id=up.journal_id, through=await _commit(conn, machine, up))]


async def _answered(
    shop: Shop, conn: Connection, machine: Machine, up: wire.Status, at: datetime
) -> list[wire.Down]:
    """The answer to a query, or a state said again. Only our nonce makes it count as an answer."""
    unit = await _unit(conn, machine, up.unit_id)
    if unit is None or not await _is_own_journal(conn, unit, up.journal_id, at):
        return []
    asked = up.nonce is not None and up.nonce == unit["nonce"]
    if up.state is wire.UnitState.STARTED and unit["state"] == "going":
        await move(
            conn, FULFILLMENT, unit["id"], "STARTED", at,
            started_at=at, due_at=min(at + shop.windows.span("run_s"), unit["hard_deadline"]),
        )  # fmt: skip
    elif asked and up.state in _ENDS:
        await _judge(conn, unit, _Word.of_status(up), at)
    return []


_ENDS = frozenset(
    {
        wire.UnitState.VENDED,
        wire.UnitState.FAILED,
        wire.UnitState.INTERRUPTED,
        wire.UnitState.TOMBSTONED,
    }
)


class _Word(msgspec.Struct, frozen=True):
    """An outcome with its evidence, from a RESULT or a STATUS."""

    outcome: Outcome
    slot: str
    failure_code: str | None
    evidence: wire.Evidence

    @classmethod
    def of_result(cls, up: wire.Result) -> "_Word":
        return cls(up.outcome, up.slot, up.failure_code, up.evidence)

    @classmethod
    def of_status(cls, up: wire.Status) -> "_Word":
        return cls(Outcome(up.state.value), "", None, up.evidence or wire.Evidence())


async def _judge(conn: Connection, unit: asyncpg.Record, word: _Word, at: datetime) -> None:
    event, basis, code = judge(word, str(unit["slot"]))
    extra: dict[str, object] = {"failure_code": code}
    if event == "UNSURE":
        extra["due_at"] = min(at, unit["hard_deadline"])
        extra["hard_deadline"] = extra["due_at"]  # no more can be learned: policy settles it now
    else:
        extra["basis"] = basis
    if event == "VENDED" and unit["settlement"] is not None:
        extra = {}
    await move(conn, FULFILLMENT, unit["id"], event, at, **extra)


def judge(word: _Word, slot: str) -> tuple[str, str, str | None]:
    """Event, basis and failure code: what this outcome with this evidence proves.

    FAILED counts only from a tested sensor that saw no drop, or when the motor never ran."""
    seen = word.evidence
    if word.slot and word.slot != slot:
        return "UNSURE", "", "WRONG_SLOT"  # something fell, but not what was paid for
    match word.outcome:
        case Outcome.TOMBSTONED:
            return "NOT_VENDED", "tombstone", word.failure_code
        case Outcome.VENDED:
            return "VENDED", "vended", None
        case Outcome.FAILED | Outcome.INTERRUPTED if seen.drop is Drop.YES:
            return "VENDED", "drop_evidence", word.failure_code
        case Outcome.FAILED | Outcome.INTERRUPTED if seen.drop is Drop.NO and seen.sensor_tested:
            return "NOT_VENDED", "no_drop", word.failure_code or "INTERRUPTED"
        case Outcome.FAILED if _never_powered(seen):
            return "NOT_VENDED", "no_drop", word.failure_code
        case Outcome.FAILED | Outcome.INTERRUPTED:
            return "UNSURE", "", word.failure_code or "INTERRUPTED"
        case other:
            assert_never(other)


def _never_powered(seen: wire.Evidence) -> bool:
    """The motor stands where it stood and the counter did not count."""
    return (
        seen.home is True
        and seen.counter_before is not None
        and seen.counter_before == seen.counter_after
        and seen.drop is Drop.NO
    )


async def _unit(conn: Connection, machine: Machine, unit_id: UUID) -> asyncpg.Record | None:
    """The unit, locked, if it is this very machine's: another one's word about it is not heard."""
    return await conn.fetchrow(store.LOCK_UNIT, unit_id, machine.outlet)


async def _is_own_journal(
    conn: Connection, unit: asyncpg.Record, journal_id: str, at: datetime
) -> bool:
    """A replaced or wiped controller is not the one that accepted: its word settles nothing."""
    if unit["journal_id"] == journal_id:
        return True
    await conn.execute(
        store.TELL, unit["merchant_id"], "fulfillment", unit["id"], "STRANGE_JOURNAL",
        {"journal_id": journal_id}, at,
    )  # fmt: skip
    return False


async def _secret(shop: Shop, conn: Connection, outlet: str) -> str:
    sealed = await conn.fetchval("SELECT secret FROM devices WHERE outlet_id = $1", outlet)
    return shop.vault.open(sealed, f"device:{outlet}").decode()


async def _keep(
    conn: Connection,
    machine: Machine,
    up: wire.Started | wire.Progress | wire.Result,
    at: datetime,
) -> None:
    await conn.execute(
        store.KEEP_DEVICE_EVENT, machine.outlet, up.journal_id, up.event_seq, machine.merchant_id,
        up.unit_id, msgspec.to_builtins(up), at,
    )  # fmt: skip
    await conn.fetchval(
        store.MEET_JOURNAL, machine.outlet, up.journal_id, machine.merchant_id, 0, at
    )


async def _commit(
    conn: Connection, machine: Machine, up: wire.Started | wire.Progress | wire.Result
) -> int:
    """How far the journal is kept without a gap, this message included."""
    through: int = await conn.fetchval(
        "SELECT through FROM device_journals WHERE outlet_id = $1 AND journal_id = $2",
        machine.outlet,
        up.journal_id,
    )
    reached = through
    for row in await conn.fetch(
        store.NEXT_DEVICE_EVENTS, machine.outlet, up.journal_id, through
    ):
        if row["event_seq"] != reached + 1:
            break
        reached += 1
    if reached > through:
        await conn.execute(store.COMMIT_JOURNAL, machine.outlet, up.journal_id, reached)
    return reached
