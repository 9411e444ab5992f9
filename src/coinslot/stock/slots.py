"""What lies in the slots of a machine: how many, of which lots, and when they will be gone."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.outlets.machines import UnknownOutletError
from coinslot.stock import store
from coinslot.stock.forecast import NO_WEEK, Demand, Weekdays, sold_out_on

_DIFFERENCES: Final = 10


class Recorder(Protocol):
    """Who does something, for which merchant, and how it is recorded."""

    @property
    def merchant(self) -> UUID: ...

    @property
    def name(self) -> str: ...

    async def note(
        self, conn: Connection, action: str, machine: str, after: Any, now: datetime
    ) -> None: ...


class Lot(Struct, frozen=True):
    """Pieces that were put in at once and lie there still."""

    pieces: int
    expires_on: date | None


class SlotStock(Struct, frozen=True, kw_only=True):
    """One slot. `stock` is what lies there, `promised` what of it is paid and not handed over."""

    slot: str
    sku: str
    product: str
    stock: int
    promised: int
    par: int
    capacity: int | None
    counted_at: datetime | None
    counted_by_machine: bool
    out_of_sale_at: datetime | None
    sold_a_day: float | None  # None: nothing is known yet
    empty_on: date | None  # more likely empty than not at the end of this day
    lots: tuple[Lot, ...]

    @property
    def left(self) -> int:
        return max(self.stock - self.promised, 0)


class Difference(Struct, frozen=True, kw_only=True):
    """A count that was not what vends explain."""

    slot: str
    cause: str
    expected: int
    counted: int
    at: datetime


class MachineStock(Struct, frozen=True, kw_only=True):
    """A machine with its slots, and what vends did not explain of late."""

    code: str
    name: str
    place: str
    slots: tuple[SlotStock, ...]
    differences: tuple[Difference, ...]


async def stock_of(context: Context, merchant: UUID, machine: str) -> MachineStock:
    """Raises UnknownOutletError."""
    async with context.db.as_merchant(merchant) as conn:
        row = await known(conn, merchant, machine)
        slots = await conn.fetch(store.SLOTS, [machine])
        odd = await conn.fetch(store.DIFFERENCES, machine, _DIFFERENCES)
    today = context.now().astimezone(context.zone_of(row["zone"])).date()
    return MachineStock(
        code=row["code"], name=row["name"], place=row["place"],
        slots=tuple(slot_stock(slot, today) for slot in slots),
        differences=tuple(Difference(**dict(one)) for one in odd),
    )  # fmt: skip


async def known(conn: Connection, merchant: UUID, machine: str) -> asyncpg.Record:
    """Raises UnknownOutletError."""
    row = await conn.fetchrow(store.MACHINE, machine, merchant)
    if row is None:
        raise UnknownOutletError(f"no outlet has the code {machine}")
    return row


def slot_stock(row: asyncpg.Record, today: date) -> SlotStock:
    demand, weekdays = demand_of(row)
    left = max(row["stock"] - row["promised"], 0)
    return SlotStock(
        slot=row["slot"], sku=row["sku"], product=row["product"], stock=row["stock"],
        promised=row["promised"], par=row["par"], capacity=row["capacity"],
        counted_at=row["counted_at"], counted_by_machine=row["by_machine"],
        out_of_sale_at=row["out_of_sale_at"],
        sold_a_day=None if demand is None else round(demand.a_day, 2),
        empty_on=None if demand is None else sold_out_on(demand, weekdays, left, today),
        lots=lots_left(row["lots"], row["stock"]),
    )  # fmt: skip


def demand_of(row: asyncpg.Record) -> tuple[Demand | None, Weekdays]:
    """What is believed of a slot's sales; None before the first day is over."""
    demand = None if row["sales"] is None else Demand(row["sales"], row["days"])
    sold, days = row["weekday_sold"], row["weekday_days"]
    return demand, Weekdays(tuple(sold or NO_WEEK), tuple(days or NO_WEEK))


def lots_left(newest_first: Sequence[dict[str, Any]], stock: int) -> tuple[Lot, ...]:
    """What is left of each, the oldest first: it is sold first, so what lies there is the newest.
    Pieces that lay there before lots were written down have no date."""
    found: list[Lot] = []
    for lot in newest_first:
        if stock <= 0:
            break
        there = min(lot["pieces"], stock)
        until = lot["expires_on"]
        found.append(Lot(there, None if until is None else date.fromisoformat(until)))
        stock -= there
    if stock > 0:
        found.append(Lot(stock, None))
    return tuple(reversed(found))
