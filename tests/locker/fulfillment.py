"""How a piece in a locker is driven: a door is reserved, its code shown, staff asked to look."""

import secrets
from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol
from uuid import UUID

import asyncpg

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.orders import fulfillment
from coinslot.orders.fulfillment import CUSTOMER, Fulfillment, Testimony
from coinslot.orders.page_views import Story
from coinslot.states.transition import transition
from coinslot.states.unit_flow import UnitFlow
from tests.locker.flow import LOCKER

_FREE_DOOR = """
SELECT d.door FROM unnest($2::text[]) AS d (door) WHERE NOT EXISTS
    (SELECT FROM locker_units l WHERE l.outlet_id = $1 AND l.door = d.door AND l.open) LIMIT 1
"""
_SHOWN = """
SELECT l.code FROM locker_units l JOIN fulfillments f USING (id)
WHERE f.id = ANY ($1) AND f.state = 'shown' LIMIT 1
"""
_WITHOUT_A_NAME = """
SELECT f.id, f.settlement FROM fulfillments f JOIN locker_units l USING (id)
WHERE f.basis = 'staff_looked' AND l.said_by IS NULL
"""


class Panel(Protocol):
    """The lights on the locker, and the screen of its staff. To be told twice changes nothing."""

    async def light(self, door: str) -> None: ...

    async def dim(self, door: str) -> None: ...

    async def ask_staff(self, door: str) -> None: ...


class Locker(Fulfillment):
    """A locker of two doors."""

    flow: ClassVar[UnitFlow] = LOCKER
    checks: ClassVar[Mapping[str, str]] = {"what_staff_said_has_a_name": _WITHOUT_A_NAME}
    texts: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "en": {"queued": "Paid. Waiting for a free door", "working": "Your door is open"},
        "hi": {"queued": "भुगतान हो गया। खाली दरवाज़े का इंतज़ार है", "working": "आपका दरवाज़ा खुला है"},
        "ru": {"queued": "Оплачено. Ждём свободную дверцу", "working": "Ваша дверца открыта"},
    }

    doors = ("D1", "D2")

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    async def start(self, context: Context, unit: asyncpg.Record) -> None:
        """Reserve a free door; while there is none, the piece waits."""
        try:
            async with context.db.as_merchant(unit["merchant_id"]) as conn:
                held = await fulfillment.lock(conn, unit)
                if held is None:
                    return
                door = await conn.fetchval(_FREE_DOOR, unit["outlet_id"], self.doors)
                if door is None:
                    await fulfillment.put_off(conn, held, context.after("offer_s"))
                    return
                await transition(
                    conn, LOCKER, unit["id"], "RESERVE", context.now(), door=door,
                    code=f"{secrets.randbelow(10_000):04}",
                    due_at=min(context.after("offer_s"), held["dispatch_by"]),
                )  # fmt: skip
        except asyncpg.UniqueViolationError:
            return  # another process was first; the unique index decides
        await self._panel.light(door)

    async def show_code(self, context: Context, unit: asyncpg.Record) -> str | None:
        """The customer stands before the locker. The code of the door, whoever asks how often;
        None when it is too late, or too early. The page calls this."""
        now = context.now()
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            held = await fulfillment.lock(conn, unit)
            if held is None or now >= fulfillment.last_moment(held):
                return None
            if held["state"] == "reserved":
                end = now + fulfillment.windows_at(context, held).span("in_doubt_s")
                await transition(
                    conn, LOCKER, unit["id"], "SHOW", now,
                    due_at=min(context.after("run_s"), end), hard_deadline=end,
                )  # fmt: skip
            code: str | None = await conn.fetchval(_SHOWN, [unit["id"]])
        return code

    async def remind(self, context: Context, unit: asyncpg.Record) -> None:
        """A process may have died before it told the panel: the panel is told again. Where a code
        was shown, and nobody said what came of it, staff is asked to look."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            held = await fulfillment.lock(conn, unit)
            if held is None:
                return
            soon = context.after("query_s")
            if held["state"] == "shown":
                await transition(
                    conn, LOCKER, unit["id"], "SILENCE", context.now(),
                    due_at=min(soon, held["hard_deadline"]),
                )  # fmt: skip
            else:
                await fulfillment.put_off(conn, held, soon)
            door = await _door(conn, unit["id"])
        if held["state"] == "reserved":
            await self._panel.light(door)
        else:
            await self._panel.ask_staff(door)

    async def prove(self, context: Context, unit: asyncpg.Record, said: Testimony) -> None:
        """What staff saw settles it. A customer's word makes staff look."""
        if said.by == CUSTOMER:
            if unit["sent_at"] is not None:
                await self.remind(context, unit)
            return
        event = "TAKEN" if said.came else "NOT_TAKEN"
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            await transition(
                conn, LOCKER, unit["id"], event, context.now(), basis="staff_looked",
                said_by=said.by,
            )  # fmt: skip
        context.wakes.wake("refunds", "fulfillments")

    async def withdraw(self, context: Context, unit: asyncpg.Record) -> None:
        """Its door is lit for nobody."""
        async with context.db.as_merchant(unit["merchant_id"]) as conn:
            door = await _door(conn, unit["id"])
        await self._panel.dim(door)

    async def story(
        self, context: Context, conn: Connection, units: Sequence[asyncpg.Record]
    ) -> Story:
        """With the code, once it may be seen."""
        known = await super().story(context, conn, units)
        code = await conn.fetchval(_SHOWN, [unit["id"] for unit in units])
        return Story(progress=known.progress, code=code)


async def _door(conn: Connection, unit: UUID) -> str:
    door: str = await conn.fetchval("SELECT door FROM locker_units WHERE id = $1", unit)
    return door
