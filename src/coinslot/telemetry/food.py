"""The food lock: when a machine may not sell because of its temperature, and how a person who
looked ends that. The database follows the temperature (`sql/telemetry.sql`); docs/fleet.md says the
rule."""

from typing import Annotated, Final
from uuid import UUID

from msgspec import Meta, Struct

from coinslot.context import Context
from coinslot.outlets.machines import UnknownOutletError
from coinslot.people.audit_log import Act, Actor, record
from coinslot.telemetry import store

FOOD_LOCK: Final = "food_lock"  # of a device's configuration, and of a template's
Seconds = Annotated[float, Meta(ge=1, le=86400)]


class FoodRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one cooled machine, in degrees Celsius and seconds. The same bounds stand in
    this room's SQL, which reads a value outside of them as the default."""

    limit_c: Annotated[float, Meta(ge=-40, le=60)] = 5
    warm_s: Seconds = 900  # above the limit for so long: locked
    grace_s: Annotated[float, Meta(ge=0, le=86400)] = 1800  # after a door or a defrost, once
    silent_s: Seconds = 900  # no temperature for so long: no sale


class NotLockedError(Exception):
    """There is no lock to end."""


class Visit(Struct, frozen=True, kw_only=True):
    """Who opened a machine and looked, and what they say of it."""

    merchant: UUID
    actor: Actor
    note: str


async def unlock(context: Context, machine: str, visit: Visit) -> None:
    """A person looked at what is in the machine: it may sell again, and has the grace of a door
    that was opened. Where the sensor says nothing it sells nothing all the same.

    Raises UnknownOutletError and NotLockedError."""
    now = context.now()
    async with context.db.as_merchant(visit.merchant) as conn:
        if not await conn.fetchval("SELECT true FROM outlets WHERE id = $1", machine):
            raise UnknownOutletError(f"no machine has the code {machine}")
        await conn.execute(store.LOCK_HEALTH, machine)  # readings wait: it precedes the lock's row
        stopped = await conn.fetchval("SELECT food_stop($1, $2)", machine, now)
        was = await conn.fetchval(store.UNLOCK, machine, now)
        if was is None and stopped != "food_lock":
            raise NotLockedError(f"{machine} is not locked")
        await conn.execute(store.VISITED, machine, now)
        act = Act(
            action="machine.food_unlocked", merchant=visit.merchant, subject=machine,
            before=was or {"by": "server"}, reason=visit.note,
        )  # fmt: skip
        await record(conn, visit.actor, act, now)
