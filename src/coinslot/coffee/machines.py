"""Coffee machines: an outlet without counted stock, and what its vendor calls it."""

from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.channels.tmetr.build import CURRENCY
from coinslot.coffee import store
from coinslot.coffee.flow import COFFEE
from coinslot.db.pool import Connection
from coinslot.outlets.machines import Outlet, add_outlet


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
    try:
        await conn.execute(
            store.SAVE_MACHINE, new.code, new.merchant_id, new.account_id, new.device
        )
    except asyncpg.UniqueViolationError as error:
        raise DeviceTakenError(f"{new.device} is another machine already") from error
    return is_new


async def change_machine(conn: Connection, changed: NewMachine) -> None:
    """Another name or place for a machine of this merchant's; its code, and how its customers pay,
    stay."""
    await conn.execute(
        "UPDATE outlets SET name = $3, place = $4 WHERE id = $1 AND merchant_id = $2",
        changed.code, changed.merchant_id, changed.name, changed.place,
    )  # fmt: skip
