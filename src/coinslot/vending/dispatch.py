"""Messages to the machines: the offer of the oldest unit to an idle machine, the one command of the
simple dialect, and queries.

An offer and a command are committed before they are sent, and count as sent from then on."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from coinslot.channels import messages as wire
from coinslot.channels.base import Sending
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.orders import fulfillment
from coinslot.orders.fulfillment import Unit, windows_at
from coinslot.states.transition import transition
from coinslot.vending import store
from coinslot.vending.flow import VENDING

Wire = Mapping[str, object]


async def offer_next(context: Context, merchant_id: UUID, outlet: str) -> bool:
    """Offer the oldest queued unit if the machine is idle and online; returns whether it was
    offered."""
    now = context.now()
    try:
        async with context.db.as_merchant(merchant_id) as conn:
            heard_since = now - context.windows.span("online_s")
            while True:
                unit = await conn.fetchrow(store.NEXT_UNIT, outlet, heard_since, now)
                if unit is None or not context.line.reaches(outlet, unit["channel"]):
                    return False
                if not unit["gone"]:
                    break
                await _give_back(context, conn, unit)
            down = await _begin(context, conn, unit)
    except asyncpg.UniqueViolationError:
        return False  # another process was first; the unique index decides
    await context.line.send(outlet, unit["channel"], down)
    return True


async def send_begun(context: Context, merchant_id: UUID, said: Mapping[str, Any]) -> None:
    """Send the OFFER that was committed with its payment. A machine that is not connected here gets
    it from the process that it is connected to: the unit is queued again, and was provably not
    sent."""
    unit = {**said, "id": UUID(said["id"])}
    sending = Sending.UNREACHABLE
    if context.line.reaches(unit["outlet_id"], unit["channel"]):
        sending = await context.line.send(unit["outlet_id"], unit["channel"], offer(context, unit))
    if sending is Sending.SENT:
        return
    async with context.db.as_merchant(merchant_id) as conn:
        held = await conn.fetchrow(store.LOCK_UNIT, unit["id"], unit["outlet_id"])
        if held is None or (held["state"], held["seq"]) != ("offered", unit["seq"]):
            return
        await transition(
            conn, VENDING, unit["id"], "SILENCE", context.now(),
            seq=None, offers=0, due_at=context.now(),
        )  # fmt: skip
    context.wakes.wake("fulfillments")


async def _give_back(context: Context, conn: Connection, unit: asyncpg.Record) -> None:
    """What was bought is not in its slot any more, and another thing must not be sold for it."""
    await transition(
        conn, VENDING, unit["id"], "WITHDRAWN", context.now(), basis="never_sent",
        failure_code="PLANOGRAM",
    )  # fmt: skip
    context.wakes.wake("refunds")


async def _begin(context: Context, conn: Connection, unit: asyncpg.Record) -> Wire:
    now = context.now()
    if unit["dialect"] == "simple":
        windows = windows_at(context, unit)
        until = now + windows.span("in_doubt_s")
        await transition(
            conn, VENDING, unit["id"], "COMMAND", now,
            offered_at=now, hard_deadline=until,
            due_at=min(until, now + windows.span("run_s")),
        )  # fmt: skip
        return command(unit)
    given = await conn.fetchrow(
        store.OFFER_UNIT, unit["outlet_id"], unit["id"], offer_due(context, unit, now), now
    )
    assert given is not None
    return offer(context, {**unit, **given})


def lease_ms(context: Context, unit: Unit) -> int:
    """A machine starts at once; beside another controller the customer chooses first."""
    return int(context.windows.choose_s * 1000) if unit["mdb"] else context.windows.lease_ms


def offer_due(context: Context, unit: Unit, now: datetime) -> datetime:
    """When silence ends the offer: never past the dispatch window, for GO is not out yet."""
    by: datetime = max(unit["dispatch_by"], now)
    return min(now + windows_at(context, unit).span("offer_s"), by)


def offer(context: Context, unit: Unit) -> Wire:
    """The OFFER for a unit's row joined with its line and outlet."""
    return wire.to_wire(
        wire.Offer(
            unit_id=unit["id"],
            seq=unit["seq"],
            slot=str(unit["slot"]),
            sku=str(unit["sku"]),
            amount_minor=unit["amount_minor"],
            price_version=unit["price_version"],
            planogram_version=unit["planogram_version"],
            lease_ms=lease_ms(context, unit),
        )
    )


def command(unit: Unit) -> Wire:
    """The one command of the simple dialect."""
    return wire.to_wire(
        wire.Dispense(
            order_id=str(unit["order_id"]),
            unit_id=unit["id"],
            machine_id=str(unit["outlet_id"]),
            slot=str(unit["slot"]),
            amount=unit["amount_minor"],
            currency=str(unit["currency"]),
        )
    )


def query(unit: Unit, nonce: str) -> wire.Query:
    """A question bound to a nonce, for a unit whose GO is committed."""
    return wire.Query(
        unit_id=unit["id"],
        seq=unit["seq"],
        journal_id=str(unit["journal_id"]),
        nonce=nonce,
    )


async def ask(context: Context, conn: Connection, unit: asyncpg.Record) -> wire.Query:
    """Commit a new nonce for a unit and return the query; the caller sends it afterwards.

    Repeated at once, for a machine that sends HELLO without end or for a page, it is the same
    query."""
    now = context.now()
    if unit["asked_at"] is not None and now - unit["asked_at"] < context.windows.span("query_s"):
        if unit["due_at"] <= now:
            due = min(unit["asked_at"] + context.windows.span("query_s"), unit["hard_deadline"])
            await fulfillment.put_off(conn, unit, due)
        return query(unit, str(unit["nonce"]))
    nonce = secrets.token_hex(8)
    await transition(
        conn, VENDING, unit["id"], "SILENCE", now, nonce=nonce, asked_at=now,
        queries=unit["queries"] + 1, due_at=_next_question(context, unit, now),
    )  # fmt: skip
    return query(unit, nonce)


def _next_question(context: Context, unit: asyncpg.Record, now: datetime) -> datetime:
    """Every query_s while the machine may be running, then twelve times as rarely."""
    pace = context.windows.query_s * (1 if unit["state"] != "in_doubt" else 12)
    end: datetime = unit["hard_deadline"]
    return min(now + timedelta(seconds=pace), end)
