"""A machine's own counts against our ledger, by slot: between two of its files, what it counted and
what we know to have left it. The first file of a machine is where counting begins."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid7
from coinslot.kit.money import EXPONENTS
from coinslot.outlets.machines import UnknownOutletError
from coinslot.people.audit_log import Act, Actor, record
from coinslot.telemetry import dex, store
from coinslot.telemetry.dex import Counts, DexFile, DexSlot


class SlotDifference(Struct, frozen=True, kw_only=True):
    """One slot: what the machine counted since its file before, and what we sold there. None: it
    counted none, or its counts went back. `unsure`: units that may have fallen and went back as
    money, which explain as many more."""

    slot: str
    machine_vends: int | None
    our_vends: int
    unsure: int
    machine_minor: int | None
    our_minor: int

    differs: bool = False
    price_differs: bool = False  # as many, but for another sum: it has other prices than we


class Comparison(Struct, frozen=True, kw_only=True):
    """A file of a machine. `since` None: its first one, with which nothing is compared yet."""

    id: UUID
    machine: str
    read_at: datetime
    since: datetime | None
    currency: str
    serial: str
    warnings: Sequence[str]
    slots: Sequence[SlotDifference]

    @property
    def differing(self) -> int:
        return sum(slot.differs or slot.price_differs for slot in self.slots)


class Reader(Struct, frozen=True, kw_only=True):
    """Who brought a file."""

    merchant: UUID
    actor: Actor


async def take(context: Context, machine: str, raw: bytes, reader: Reader) -> Comparison:
    """Keep a file and compare it. The same file again is the comparison that it was. Raises
    DexError and UnknownOutletError."""
    file = dex.read(raw)
    now, digest = context.now(), sha256(raw).digest()
    async with context.db.as_merchant(reader.merchant) as conn:
        await _known(conn, machine)
        row = await conn.fetchrow(
            store.KEEP_AUDIT, uuid7(now), machine, reader.merchant, now, digest,
            msgspec.to_builtins(file),
        )  # fmt: skip
        if row is not None:
            act = Act(
                action="machine.counts_read", merchant=reader.merchant, subject=machine,
                after={"slots": len(file.slots), "serial": file.serial},
            )  # fmt: skip
            await record(conn, reader.actor, act, now)
        else:
            row = await conn.fetchrow(store.AUDIT_OF_DIGEST, machine, digest)
        assert row is not None
        return await _compared(conn, row)


async def newest(
    context: Context, merchant: UUID, machine: str, limit: int = 10
) -> Sequence[Comparison]:
    """Its last files, the newest first. Raises UnknownOutletError."""
    async with context.db.as_merchant(merchant) as conn:
        await _known(conn, machine)
        rows = await conn.fetch(store.AUDITS, machine, limit)
        return [await _compared(conn, row) for row in rows]


async def written(context: Context, merchant: UUID, machine: str) -> bytes:
    """What we know to have left a machine, as a file of its own would say it. Raises
    UnknownOutletError."""
    async with context.db.as_merchant(merchant) as conn:
        outlet = await _known(conn, machine)
        rows = await conn.fetch(store.SOLD_BY_SLOT, machine, None, context.now())
        prices = await conn.fetch(store.PRICES, machine)
    sold = {row["slot"]: row for row in rows}
    price = {row["slot"]: row["price_minor"] for row in prices}
    slots = [
        DexSlot(slot=slot, price=price.get(slot), counts=_counts(sold.get(slot)))
        for slot in sorted({*sold, *price})
        if dex.MOST_SLOTS
    ]
    whole = Counts(count=sum(row["vends"] for row in rows), value=sum(row["minor"] for row in rows))
    currency = outlet["currency"].strip()
    return dex.write(
        DexFile(
            serial=machine, model="COINSLOT", decimals=EXPONENTS[currency], currency=currency,
            total=whole, cashless=whole, slots=slots,
        )
    )  # fmt: skip


def _counts(row: asyncpg.Record | None) -> Counts:
    return Counts() if row is None else Counts(count=row["vends"], value=row["minor"])


async def _known(conn: Connection, machine: str) -> asyncpg.Record:
    row = await conn.fetchrow("SELECT id, currency::text FROM outlets WHERE id = $1", machine)
    if row is None:
        raise UnknownOutletError(f"no machine has the code {machine}")
    return row


async def _compared(conn: Connection, row: asyncpg.Record) -> Comparison:
    outlet = await _known(conn, row["outlet_id"])
    currency = outlet["currency"].strip()
    file = msgspec.convert(row["found"], DexFile)
    before = await conn.fetchrow(store.AUDIT_BEFORE, row["outlet_id"], row["id"])
    slots: Sequence[SlotDifference] = ()
    if before is not None:
        sold = await conn.fetch(
            store.SOLD_BY_SLOT, row["outlet_id"], before["read_at"], row["read_at"]
        )
        earlier = msgspec.convert(before["found"], DexFile)
        slots = _differences(earlier, file, {one["slot"]: one for one in sold}, currency)
    return Comparison(
        id=row["id"], machine=row["outlet_id"], read_at=row["read_at"],
        since=None if before is None else before["read_at"], currency=currency,
        serial=file.serial, warnings=file.warnings, slots=slots,
    )  # fmt: skip


def _differences(
    before: DexFile, after: DexFile, sold: Mapping[str, Any], currency: str
) -> Sequence[SlotDifference]:
    was = {slot.slot: slot.counts for slot in before.slots}
    counts = {slot.slot: slot.counts for slot in after.slots}
    digits = 0 if after.decimals is None else EXPONENTS[currency] - after.decimals
    found = []
    for slot in sorted({*counts, *sold}):
        ours, now, then = sold.get(slot), counts.get(slot), was.get(slot)
        grew = now is not None and then is not None and now.count >= then.count
        vends = now.count - then.count if grew and now and then else None
        value = now.value - then.value if grew and now and then else None
        minor = None if value is None or value < 0 else _scaled(value, digits)
        our_vends, our_minor = (ours["vends"], ours["minor"]) if ours else (0, 0)
        unsure = ours["unsure"] if ours else 0
        found.append(
            SlotDifference(
                slot=slot, machine_vends=vends, our_vends=our_vends, unsure=unsure,
                machine_minor=minor, our_minor=our_minor,
                differs=vends is not None and not our_vends <= vends <= our_vends + unsure,
                price_differs=vends == our_vends and minor not in (None, our_minor),
            )
        )  # fmt: skip
    return found


def _scaled(value: int, digits: int) -> int | None:
    """In minor units; None where the file has more digits than the currency and they say more."""
    if digits >= 0:
        return int(value * 10**digits)
    whole, rest = divmod(value, 10**-digits)
    return None if rest else whole
