"""Machines as their merchant sees them: which there are, can they sell now, and what went wrong."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.fleet import store
from coinslot.kit.money import Money
from coinslot.orders.outlet_pages import class_of
from coinslot.outlets.machines import UnknownOutletError

State = Literal["online", "offline", "never_heard", "out_of_service"]


class MachineLine(Struct, frozen=True, kw_only=True):
    """One machine in a list."""

    code: str
    name: str
    place: str
    kind: str
    channel: str
    dialect: str
    currency: str
    state: State
    last_heard_at: datetime | None
    slots: int
    sold_out: int  # slots with nothing in them
    out_of_sale: int  # slots that failed twice, or that a person took out
    stock: int
    par: int
    open_units: int  # paid, and neither handed over nor given back yet


class CodeLine(Struct, frozen=True, kw_only=True):
    """The printed code of a slot."""

    takes: Money
    stage: str  # wanted (not made at the gateway yet) or open
    qr_code_id: str | None


class SlotLine(Struct, frozen=True, kw_only=True):
    """One slot as it is now."""

    slot: str
    sku: str
    product: str
    price: Money
    stock: int
    par: int
    promised: int  # of the stock: paid, and not settled yet
    failures_in_row: int
    out_of_sale_at: datetime | None
    withheld: bool  # a person took it out of sale
    withheld_whole: bool = False  # with its whole machine
    code: CodeLine | None


class Fault(Struct, frozen=True, kw_only=True):
    """A unit that was not handed over, or of which nobody knows yet."""

    unit: UUID
    order: UUID
    slot: str | None
    product: str
    state: str
    basis: str | None
    failure_code: str | None
    money: Money
    queued_at: datetime
    settled_at: datetime | None


class MachineStatus(Struct, frozen=True, kw_only=True):
    """Everything about one machine that says whether it can sell now."""

    machine: MachineLine
    config_version: int
    applied_version: int  # of the configuration that is sold
    device_version: int | None  # of the one that the machine says it has
    windows: dict[str, float]  # of its own, in seconds; see `machines windows` for the others
    firmware: str | None
    journal_id: str | None
    boot_id: str | None
    has_sensor: bool
    guarantee: str  # "G0" to "G3"
    slots: list[SlotLine]
    faults: list[Fault]


class WantedMachines(Struct, frozen=True, kw_only=True):
    """A page of a merchant's machines; `after` is the last code of the page before."""

    after: str | None = None
    limit: int = 100
    with_out_of_service: bool = False
    failing: bool = False  # those alone that are not heard, or have a slot that sells nothing


async def listed(context: Context, merchant: UUID, wanted: WantedMachines) -> list[MachineLine]:
    """By their code."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(
            store.FAILING_MACHINES if wanted.failing else store.MACHINES, merchant, wanted.after,
            wanted.limit, _heard_since(context), None, wanted.with_out_of_service,
        )  # fmt: skip
    return [_machine(row) for row in rows]


async def status(context: Context, merchant: UUID, machine: str) -> MachineStatus:
    """Its state, its slots and its newest faults. Raises UnknownOutletError."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(
            store.MACHINES, merchant, None, 1, _heard_since(context), machine, True
        )
        if row is None:
            raise UnknownOutletError(f"no machine has the code {machine}")
        device = await conn.fetchrow(store.DEVICE, machine)
        slots = await conn.fetch(store.SLOTS, machine)
        found = await faults(conn, machine)
    assert device is not None
    return MachineStatus(
        machine=_machine(row), slots=[_slot(slot, row["currency"]) for slot in slots],
        faults=found, has_sensor=bool(device["has_sensor"]),
        guarantee=class_of(device).value,
        windows=device["windows"],
        **{f: device[f] for f in (
            "config_version", "applied_version", "device_version", "firmware", "journal_id",
            "boot_id",
        )},
    )  # fmt: skip


class Sale(Struct, frozen=True, kw_only=True):
    """An order at a machine. `source`: printed_qr, page, or test_vend."""

    order: UUID
    number: str
    state: str
    source: str
    placed_at: datetime
    product: str
    money: Money


async def sales(context: Context, merchant: UUID, machine: str, limit: int = 20) -> list[Sale]:
    """The newest orders at a machine, tests among them."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.SALES, machine, limit)
    return [
        Sale(
            money=Money(row["amount_minor"], row["currency"]),
            **_without(row, "amount_minor", "currency"),
        )
        for row in rows
    ]


async def faults(
    conn: Connection, machine: str, after: UUID | None = None, limit: int = 20
) -> list[Fault]:
    """The newest first; `after` is the unit that ends the page before."""
    rows = await conn.fetch(store.FAULTS, machine, after, limit)
    return [
        Fault(
            money=Money(row["amount_minor"], row["currency"]),
            **_without(row, "amount_minor", "currency"),
        )
        for row in rows
    ]


def _heard_since(context: Context) -> datetime:
    return context.now() - context.windows.span("online_s")


def _machine(row: asyncpg.Record) -> MachineLine:
    return MachineLine(**dict(row))


def _slot(row: asyncpg.Record, currency: str) -> SlotLine:
    code = None
    if row["code_minor"] is not None:
        code = CodeLine(
            takes=Money(row["code_minor"], currency), stage=row["code_stage"],
            qr_code_id=row["qr_code_id"],
        )  # fmt: skip
    rest = _without(row, "name", "price_minor", "code_minor", "code_stage", "qr_code_id")
    price = Money(row["price_minor"], currency)
    return SlotLine(product=row["name"], price=price, code=code, **rest)


def _without(row: asyncpg.Record, *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
