"""Messages to the machines: offer the oldest unit of an idle machine, repeat, query, and stop in
time.

GO and offers are committed before they are sent, and count as sent from then on."""

import random
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

import asyncpg
import structlog

from coinslot.channels import messages as wire
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.orders.checkout import order_owner
from coinslot.states.transition import Transitioned, transition
from coinslot.vending import store
from coinslot.vending.flow import VENDING

log = structlog.get_logger(__name__)

Wire = Mapping[str, object]
Unit = asyncpg.Record | Mapping[str, Any]  # a fulfillment's row, or several rows merged


async def offer_next(context: Context, merchant_id: UUID, outlet: str) -> bool:
    """Offer the oldest queued unit if the machine is idle and online; returns whether it was
    offered."""
    now = context.now()
    try:
        async with context.db.as_merchant(merchant_id) as conn:
            heard_since = now - context.windows.span("online_s")
            unit = await conn.fetchrow(store.NEXT_UNIT, outlet, heard_since, now)
            if unit is None or not context.line.reaches(outlet, unit["channel"]):
                return False
            down = await _begin(context, conn, unit)
    except asyncpg.UniqueViolationError:
        return False  # another process was first; the unique index decides
    await context.line.send(outlet, unit["channel"], down)
    return True


async def _begin(context: Context, conn: Connection, unit: asyncpg.Record) -> Wire:
    now = context.now()
    if unit["dialect"] == "simple":
        until = now + context.windows.span("in_doubt_s")
        await transition(
            conn, VENDING, unit["id"], "COMMAND", now,
            sent_at=now, offered_at=now, hard_deadline=until,
            due_at=min(until, now + context.windows.span("run_s")),
        )  # fmt: skip
        return command(unit)
    seq = await conn.fetchval(
        store.OFFER_UNIT, unit["outlet_id"], unit["id"], _offer_due(context, unit, now), now
    )
    return offer(context, {**unit, "seq": seq})


def _offer_due(context: Context, unit: asyncpg.Record, now: datetime) -> datetime:
    """When silence ends the offer: never past the dispatch window, for GO is not out yet."""
    by: datetime = max(unit["dispatch_by"], now)
    return min(now + context.windows.span("offer_s"), by)


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
            lease_ms=context.windows.lease_ms,
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
            await conn.execute(store.PUT_OFF_UNIT, unit["id"], due)
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


async def drive(context: Context, row: asyncpg.Record) -> None:
    """A unit is due: offer, repeat, query, or apply its deadline."""
    merchant, outlet = row["merchant_id"], row["outlet_id"]
    if row["state"] == "queued" and context.now() < row["dispatch_by"]:
        if not await offer_next(context, merchant, outlet):
            await _wait_for_machine(context, row)
        return
    async with context.db.as_merchant(merchant) as conn:
        unit = await conn.fetchrow(store.LOCK_UNIT, row["id"], outlet)
        if unit is None or unit["settlement"] is not None or unit["state"] != row["state"]:
            return
        down = await _pass_time(context, conn, unit)
    if down is not None:
        await context.line.send(outlet, unit["channel"], down)
    context.wakes.wake("refunds", "fulfillments")


async def _wait_for_machine(context: Context, row: asyncpg.Record) -> None:
    """Queued units are offered on connect, on heartbeat and when the machine is idle; otherwise
    they wait."""
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        channel = await conn.fetchval(
            store.ONLINE_BY, row["outlet_id"], context.now() - context.windows.span("online_s")
        )
        elsewhere = channel is not None and not context.line.reaches(row["outlet_id"], channel)
        due = _soon(context) if elsewhere else context.after("offer_s")
        await conn.execute(store.PUT_OFF_QUEUED, row["id"], due)


async def _pass_time(context: Context, conn: Connection, unit: asyncpg.Record) -> Wire | None:
    now = context.now()
    match unit["state"]:
        case "queued":
            await _settle(conn, unit, "DEADLINE", "never_sent", now)
        case "offered" if now >= unit["dispatch_by"] or unit["decommissioned_at"] is not None:
            await _settle(conn, unit, "DEADLINE", "never_sent", now)
        case "offered" if unit["offers"] < context.windows.offers:
            if not context.line.reaches(unit["outlet_id"], unit["channel"]):
                await _leave(context, conn, unit, unit["dispatch_by"])
                return None
            await transition(
                conn, VENDING, unit["id"], "OFFER", now,
                offers=unit["offers"] + 1, due_at=_offer_due(context, unit, now),
            )  # fmt: skip
            return offer(context, unit)
        case "offered":
            await transition(
                conn, VENDING, unit["id"], "SILENCE", now,
                seq=None, offers=0, due_at=_offer_due(context, unit, now),
            )  # fmt: skip
        case "going" | "started" | "in_doubt":
            return await _chase(context, conn, unit)
        case other:
            assert_never(other)
    return None


async def _chase(context: Context, conn: Connection, unit: asyncpg.Record) -> Wire | None:
    """GO is sent: only evidence settles the unit, then policy. A machine with a journal is
    queried."""
    now = context.now()
    if unit["state"] == "in_doubt" and now >= unit["hard_deadline"]:
        await _settle(conn, unit, "DEADLINE", "policy", now)
        return None
    asks = unit["dialect"] == "leased"
    quiet_since = (unit["lease_end"] or unit["sent_at"]) + context.windows.span("run_s")
    if unit["state"] != "in_doubt" and (now >= quiet_since or now >= unit["hard_deadline"]):
        await transition(
            conn, VENDING, unit["id"], "DEADLINE", now,
            due_at=min(context.after("query_s"), unit["hard_deadline"]) if asks
            else unit["hard_deadline"],
        )  # fmt: skip
        return None
    if not asks:
        due = unit["hard_deadline"] if unit["state"] == "in_doubt" else quiet_since
        await conn.execute(store.PUT_OFF_UNIT, unit["id"], due)
        return None
    if not context.line.reaches(unit["outlet_id"], unit["channel"]):
        await _leave(context, conn, unit, unit["hard_deadline"])
        return None
    return wire.to_wire(await ask(context, conn, unit))


async def _leave(context: Context, conn: Connection, unit: asyncpg.Record, end: datetime) -> None:
    """The machine is connected to another process, or to none: none of its few offers and queries
    is used up here. A machine that is offline everywhere is left alone for a while: its HELLO is
    answered with the query at once."""
    heard_since = context.now() - context.windows.span("online_s")
    doubted = unit["state"] == "in_doubt"
    if await conn.fetchval(store.ONLINE_BY, unit["outlet_id"], heard_since) is None:
        due = context.now() + context.windows.span("query_s") * (12 if doubted else 1)
    else:
        due = context.after("query_s") if doubted else _soon(context)
    await conn.execute(store.PUT_OFF_UNIT, unit["id"], min(due, end))


def _soon(context: Context) -> datetime:
    """In a moment, with chance: of two processes not always the same one is first."""
    return context.now() + context.windows.span("query_s") * random.uniform(0.05, 0.2)


async def _settle(
    conn: Connection, unit: asyncpg.Record, event: str, basis: str, now: datetime
) -> Transitioned:
    return await transition(conn, VENDING, unit["id"], event, now, basis=basis)


async def ask_for_order(context: Context, order_token: str) -> None:
    """A customer says that nothing came out: query the machine about every unit of the order that
    is not settled, as rarely as a gateway is asked."""
    merchant = await order_owner(context, order_token)
    if merchant is None:
        return
    async with context.db.as_merchant(merchant) as conn:
        units = await conn.fetch(
            store.PAGE_ASKS_MACHINE, order_token, context.now(), context.windows.span("page_ask_s")
        )
    for unit in units:
        await drive(context, unit)
