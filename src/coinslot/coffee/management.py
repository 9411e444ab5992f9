"""What the people who run coffee machines see and do: machines with their accounts, orders with
their statuses, rules, and what only a person can decide."""

import asyncio
import csv
import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from io import StringIO
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.channels.tmetr import Drink, Heartbeat, Size
from coinslot.channels.tmetr.build import CURRENCY
from coinslot.coffee import store
from coinslot.coffee.flow import COFFEE
from coinslot.coffee.rules import Rules, rules_of
from coinslot.coffee.statuses import Status
from coinslot.coffee.vendors import OpenVendors, is_recent
from coinslot.context import Context
from coinslot.gateways.collecting import Collects
from coinslot.kit.money import Money
from coinslot.payments.ways_to_pay import Form, offer

MOST_LINES: Final = 200  # of one import: each machine is asked for
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_DEVICE: Final = re.compile(r"[^/\x00-\x1f]{1,255}")


class MachineLine(Struct, frozen=True, kw_only=True):
    """One coffee machine."""

    code: str
    name: str
    place: str
    device: str
    account: str  # at the vendor
    heard_at: datetime | None = None
    out_of_service: bool = False


class OrderLine(Struct, frozen=True, kw_only=True):
    """One coffee order. `denied_at`: its customer says that nothing came. `open`: it is not
    settled, and a person may decide."""

    id: UUID
    number: str
    machine: str
    device: str
    machine_order: str
    drink: str
    size: str
    money: Money
    status: Status
    placed_at: datetime
    basis: str | None = None
    told: str = ""
    denied_at: datetime | None = None
    open: bool = False


class Choices(Struct, frozen=True, kw_only=True):
    """What a new machine may be set up with: by name and id."""

    vendors: Sequence[tuple[UUID, str]]
    gateways: Sequence[tuple[UUID, str]]


class Asked(Struct, frozen=True, kw_only=True):
    """What is looked for: a word of an order or a machine, and one status."""

    text: str = ""
    status: Status | None = None
    before: UUID | None = None
    limit: int = 50


async def machines(context: Context, merchant: UUID, text: str = "") -> list[MachineLine]:
    """Those whose code, device, name or place has the text in it."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.MACHINES, text)
    return [MachineLine(**dict(row)) for row in rows]


async def orders(context: Context, merchant: UUID, asked: Asked) -> list[OrderLine]:
    """The newest first."""
    status = None if asked.status is None else asked.status.value
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.ORDERS, asked.text, status, asked.before, asked.limit)
    return [_line(dict(row)) for row in rows]


async def to_decide(context: Context, merchant: UUID) -> list[OrderLine]:
    """What waits for a person, the oldest first."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.TO_DECIDE)
    return [_line(dict(row)) for row in rows]


def _line(row: dict[str, object]) -> OrderLine:
    money = Money(int(str(row.pop("amount_minor"))), str(row.pop("currency")))
    status = Status(str(row.pop("status")))
    return OrderLine(money=money, status=status, **row)  # type: ignore[arg-type]


async def choices(context: Context, merchant: UUID) -> Choices:
    async with context.db.as_merchant(merchant) as conn:
        vendors = await conn.fetch(store.ACCOUNTS)
        rows = await conn.fetch("SELECT id FROM gateway_accounts ORDER BY created_at, id")
    accounts = [await context.accounts.by_id(row["id"]) for row in rows]
    return Choices(
        vendors=[(row["id"], row["slug"]) for row in vendors],
        gateways=[
            (one.id, f"{one.driver.title} ({one.slug})")
            for one in accounts
            if isinstance(one.driver, Collects) and CURRENCY in one.driver.currencies
        ],
    )


async def offer_all(context: Context, merchant: UUID, code: str) -> None:
    """The machine's customers may pay at every account that takes roubles by a link."""
    found = await choices(context, merchant)
    await offer(context, merchant, code, [(account, Form.LINK) for account, _ in found.gateways])


async def rules(context: Context, merchant: UUID) -> Rules:
    async with context.db.as_merchant(merchant) as conn:
        return await rules_of(conn, merchant)


class Change(StrEnum):
    """What an import does with a line."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    BAD = "bad"  # it is left out


class Planned(Struct, frozen=True, kw_only=True):
    """One line of a table of machines, and what becomes of it."""

    code: str
    device: str
    name: str
    place: str
    change: Change
    heard: bool = False  # by the vendor, just now


async def plan(
    context: Context, vendors: OpenVendors, merchant: UUID, account: UUID, table: str
) -> list[Planned]:
    """A table of machines, `code,device,name,place` a line, against what there is. The vendor is
    asked for each; nothing is changed."""
    known = {one.code: one for one in await machines(context, merchant)}
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.WINDOWS_OF_MACHINES)
    own = {row["outlet_id"]: row["windows"] for row in rows}
    lines = [line for line in csv.reader(StringIO(table)) if any(cell.strip() for cell in line)]
    if lines and [cell.strip().lower() for cell in lines[0][:2]] == ["code", "device"]:
        lines = lines[1:]
    found = [_planned([cell.strip() for cell in line], known) for line in lines[:MOST_LINES]]
    vendor = await vendors.by_id(context.db, context.vault, account)
    places = asyncio.Semaphore(4)

    async def asked(one: Planned) -> Planned:
        if one.change is Change.BAD:
            return one
        async with places:
            beat = await vendor.last_heartbeat(one.device)
        windows = context.windows.at(COFFEE.name, own.get(one.code, own[None]))
        heard = isinstance(beat, Heartbeat) and is_recent(context, beat.at, windows.span("heard_s"))
        return Planned(
            code=one.code, device=one.device, name=one.name, place=one.place, change=one.change,
            heard=heard,
        )  # fmt: skip

    return list(await asyncio.gather(*map(asked, found)))


def _planned(line: list[str], known: dict[str, MachineLine]) -> Planned:
    code, device, name, place = (*line, "", "", "", "")[:4]
    there = known.get(code)
    if not (_CODE.fullmatch(code) and _DEVICE.fullmatch(device) and name):
        change = Change.BAD
    elif there is None:
        change = Change.NEW
    else:
        same = (there.device, there.name, there.place) == (device, name, place)
        change = Change.SAME if same else Change.CHANGED
    return Planned(code=code, device=device, name=name, place=place, change=change)


class DrinkLine(Struct, frozen=True, kw_only=True):
    """A drink as its vendor has it now, at one machine; `prices` by size, None where none."""

    drink: str
    name: str
    prices: Sequence[Money | None]
    change: Change


async def drinks(
    context: Context, vendors: OpenVendors, merchant: UUID, machine: str, ids: Sequence[str]
) -> list[DrinkLine]:
    """Ask the vendor for these drinks, and compare with the products that the merchant has."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.MACHINE, machine)
        rows = await conn.fetch("SELECT sku, name FROM products WHERE sku = ANY ($1)", list(ids))
    if row is None:
        return []
    vendor = await vendors.by_id(context.db, context.vault, row["account_id"])
    known = {one["sku"]: one["name"] for one in rows}
    found = []
    for drink in list(dict.fromkeys(ids))[:MOST_LINES]:
        told = [await vendor.drink(row["device"], drink, size) for size in Size]
        name = next((one.name for one in told if isinstance(one, Drink) and one.name), "")
        prices = [one.price if isinstance(one, Drink) else None for one in told]
        if not any(prices) or not name:
            change = Change.BAD
        elif drink not in known:
            change = Change.NEW
        else:
            change = Change.SAME if known[drink] == name else Change.CHANGED
        found.append(DrinkLine(drink=drink, name=name, prices=prices, change=change))
    return found
