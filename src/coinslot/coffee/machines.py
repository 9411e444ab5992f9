"""Coffee machines: an outlet without counted stock, and what its vendor calls it."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.channels.tmetr.build import CURRENCY
from coinslot.coffee import store
from coinslot.coffee.flow import COFFEE
from coinslot.db.pool import Connection
from coinslot.outlets.machines import Outlet, OutletTakenError, add_outlet
from coinslot.payments import ways_to_pay
from coinslot.payments.ways_to_pay import Form


class DeviceTakenError(Exception):
    """Another machine of the installation is this device."""


class NewMachine(Struct, frozen=True, kw_only=True):
    """A coffee machine as it is set up. `device` is its id at the vendor, in its screen's code."""

    code: str
    merchant_id: UUID
    account_id: UUID  # at the vendor
    device: str
    name: str
    place: str = ""
    gateway_account: UUID
    contact: str = ""
    zone: str | None = None


async def add_machine(conn: Connection, new: NewMachine, now: datetime) -> bool:
    """Add it; one of this merchant's with this code keeps its name. Whether it is new. Raises
    OutletTakenError, DeviceTakenError, UnknownZoneError, and CheckViolationError for a device that
    no address can name."""
    outlet = Outlet(
        code=new.code, merchant_id=new.merchant_id, name=new.name, place=new.place,
        kind=COFFEE.name, channel="tmetr", dialect="simple", currency=CURRENCY,
        account_id=new.gateway_account, contact=new.contact, zone=new.zone,
    )  # fmt: skip
    is_new = await add_outlet(conn, outlet, [], now)
    kind = await conn.fetchval("SELECT kind FROM outlets WHERE id = $1", new.code)
    if kind != COFFEE.name:
        raise OutletTakenError(f"{new.code} is no coffee machine")
    try:
        await conn.execute(
            store.SAVE_MACHINE, new.code, new.merchant_id, new.account_id, new.device
        )
    except asyncpg.UniqueViolationError as error:
        raise DeviceTakenError(f"{new.device} is another machine already") from error
    return is_new


class MachineFields(Struct, frozen=True, kw_only=True):
    """What of a machine may be changed. Its code stays: it stands on it, and in every record."""

    account_id: UUID  # at the vendor
    device: str
    name: str
    place: str = ""
    contact: str = ""


def version_of(fields: MachineFields) -> str:
    """Of what a form has shown: it changes when one of them does."""
    return hashlib.sha256(msgspec.json.encode(fields)).hexdigest()[:32]


class StaleMachineError(Exception):
    """Somebody has changed the machine since it was looked at."""


async def lock_machine(conn: Connection, code: str) -> MachineFields | None:
    """As it is now; nobody else changes it until the transaction ends."""
    row = await conn.fetchrow(store.LOCK_MACHINE, code)
    return None if row is None else MachineFields(**dict(row))


async def change_machine(
    conn: Connection, merchant: UUID, code: str, wanted: MachineFields
) -> None:
    """What was paid before and is not commanded yet stays with the device at which it was ordered.
    Raises DeviceTakenError, and CheckViolationError for a device that no address can name."""
    await conn.execute(store.CHANGE_MACHINE, code, wanted.name, wanted.place, wanted.contact)
    try:
        await conn.execute(store.SAVE_MACHINE, code, merchant, wanted.account_id, wanted.device)
    except asyncpg.UniqueViolationError as error:
        raise DeviceTakenError(f"{wanted.device} is another machine already") from error


async def pay_at(conn: Connection, merchant: UUID, code: str, accounts: Sequence[UUID]) -> None:
    """Its customers may pay by a link at each of these, which take roubles so."""
    await ways_to_pay.keep(conn, merchant, code, [(one, Form.LINK) for one in accounts])
