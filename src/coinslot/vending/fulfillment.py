"""How a unit of a machine is driven while it is not settled: offered again, asked about, put in
doubt. docs/vend-protocol.md explains each step."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final, assert_never
from uuid import UUID

import asyncpg

from coinslot.channels import messages as wire
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.orders import fulfillment
from coinslot.orders.fulfillment import Fulfillment, Testimony, windows_at
from coinslot.orders.page_views import Progress, Story, WhyNot
from coinslot.states.transition import transition
from coinslot.states.unit_flow import UnitFlow
from coinslot.vending import dispatch, stops, store
from coinslot.vending.dispatch import Wire
from coinslot.vending.flow import VENDING
from coinslot.vending.slot_checks import SLOT_CHECKS

# Why a machine sells nothing for now, as customers are told.
_STOPPED: Final[Mapping[str, WhyNot]] = {
    "food_lock": WhyNot.TOO_WARM, "no_temperature": WhyNot.TOO_WARM, "no_answer": WhyNot.OFFLINE,
}  # fmt: skip


class Vending(Fulfillment):
    """Machines with a handshake, a lease and a journal, and those with one command."""

    flow: ClassVar[UnitFlow] = VENDING
    windows: ClassVar[frozenset[str]] = Fulfillment.windows | {"offer_s", "run_s"}
    checks: ClassVar[Mapping[str, str]] = SLOT_CHECKS

    async def start(self, context: Context, unit: asyncpg.Record) -> None:
        """Offer the oldest unit of its machine. One that is offline or busy is offered its units
        when it connects, at its heartbeat and when it is idle again."""
        if await dispatch.offer_next(context, unit["merchant_id"], unit["outlet_id"]):
            return
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            if await stops.returns_money(conn, unit["outlet_id"], context.now()):
                held = await conn.fetchrow(store.LOCK_UNIT, unit["id"], unit["outlet_id"])
                if held is not None and await stops.turned_away(context, conn, held):
                    context.wakes.wake("refunds", "fulfillments")
                    return
            channel = await conn.fetchval(
                store.ONLINE_BY, unit["outlet_id"],
                context.now() - context.windows.span("online_s"),
            )  # fmt: skip
            elsewhere = channel is not None and not context.line.reaches(unit["outlet_id"], channel)
            due = _soon(context) if elsewhere else context.after("offer_s")
            await fulfillment.put_off(conn, unit, due)

    async def send_begun(
        self, context: Context, merchant_id: UUID, said: Mapping[str, Any]
    ) -> None:
        await dispatch.send_begun(context, merchant_id, said)

    async def remind(self, context: Context, unit: asyncpg.Record) -> None:
        """Offer it again, ask its machine, or name the doubt."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            held = await conn.fetchrow(store.LOCK_UNIT, unit["id"], unit["outlet_id"])
            if held is None or held["settlement"] is not None or held["state"] != unit["state"]:
                return
            down = await _remind(context, conn, held)
        if down is not None:
            await context.line.send(unit["outlet_id"], held["channel"], down)
        context.wakes.wake("refunds", "fulfillments")

    async def prove(self, context: Context, unit: asyncpg.Record, said: Testimony) -> None:
        """A person's word proves nothing about a machine: it is asked, when its lease is over."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            early = await conn.fetchval(store.ASKED_TOO_EARLY, unit["id"], context.now())
        if not early:
            await fulfillment.drive(context, unit)

    def why_not(self, context: Context, outlet: asyncpg.Record) -> WhyNot:
        if outlet["stopped"] is not None:
            return _STOPPED.get(outlet["stopped"], WhyNot.OUT_OF_SERVICE)
        seen = outlet["last_seen_at"]
        online = seen is not None and context.now() - seen <= context.windows.span("online_s")
        return WhyNot.READY if online else WhyNot.OFFLINE

    async def story(
        self, context: Context, conn: Connection, units: Sequence[asyncpg.Record]
    ) -> Story:
        offered_at = await conn.fetchval(store.OFFERED_AT, [unit["id"] for unit in units])
        known = (await super().story(context, conn, units)).progress
        if known is Progress.QUEUED and offered_at is not None:
            known = Progress.SENDING  # a machine that is busy for a moment is asked again
        return Story(progress=known, begun_at=offered_at)


async def _remind(context: Context, conn: Connection, unit: asyncpg.Record) -> Wire | None:
    """What to send after the commit."""
    now = context.now()
    match unit["state"]:
        case "offered" if unit["decommissioned_at"] is not None:
            await transition(conn, VENDING, unit["id"], "DEADLINE", now, basis="never_sent")
        case "offered" if await stops.turned_away(context, conn, unit):
            return None
        case "offered" if unit["offers"] < context.windows.offers:
            if not context.line.reaches(unit["outlet_id"], unit["channel"]):
                await _leave(context, conn, unit)
                return None
            await transition(
                conn, VENDING, unit["id"], "OFFER", now,
                offers=unit["offers"] + 1, due_at=dispatch.offer_due(context, unit, now),
            )  # fmt: skip
            await stops.unanswered(context, conn, unit)
            return dispatch.offer(context, unit)
        case "offered":
            await transition(
                conn, VENDING, unit["id"], "SILENCE", now,
                seq=None, offers=0, due_at=dispatch.offer_due(context, unit, now),
            )  # fmt: skip
            await stops.unanswered(context, conn, unit)
        case "going" | "started" | "in_doubt":
            return await _chase(context, conn, unit)
        case other:
            assert_never(other)
    return None


async def _chase(context: Context, conn: Connection, unit: asyncpg.Record) -> Wire | None:
    """GO is sent: only evidence settles the unit, then policy. A machine with a journal is
    queried."""
    now = context.now()
    asks = unit["dialect"] == "leased"
    quiet_since = (unit["lease_end"] or unit["sent_at"]) + windows_at(context, unit).span("run_s")
    if unit["state"] != "in_doubt" and now >= quiet_since:
        await transition(
            conn, VENDING, unit["id"], "DEADLINE", now,
            due_at=min(context.after("query_s"), unit["hard_deadline"]) if asks
            else unit["hard_deadline"],
        )  # fmt: skip
        return None
    if not asks:
        due = unit["hard_deadline"] if unit["state"] == "in_doubt" else quiet_since
        await fulfillment.put_off(conn, unit, due)
        return None
    if not context.line.reaches(unit["outlet_id"], unit["channel"]):
        await _leave(context, conn, unit)
        return None
    return wire.to_wire(await dispatch.ask(context, conn, unit))


async def _leave(context: Context, conn: Connection, unit: asyncpg.Record) -> None:
    """The machine is connected to another process, or to none: none of its few offers and queries
    is used up here. A machine that is offline everywhere is left alone for a while: its HELLO is
    answered with the query at once."""
    heard_since = context.now() - context.windows.span("online_s")
    doubted = unit["state"] == "in_doubt"
    if await conn.fetchval(store.ONLINE_BY, unit["outlet_id"], heard_since) is None:
        due = context.now() + context.windows.span("query_s") * (12 if doubted else 1)
    else:
        due = context.after("query_s") if doubted else _soon(context)
    await fulfillment.put_off(conn, unit, due)


def _soon(context: Context) -> datetime:
    """In a moment, with chance: of two processes not always the same one is first."""
    return context.now() + context.windows.span("query_s") * random.uniform(0.05, 0.2)
