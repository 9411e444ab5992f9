"""Machines and drinks by the table: what each line would change is shown first, and nothing else is
done afterwards. The vendor is asked about each."""

import asyncio
import csv
import hashlib
import re
from collections.abc import Sequence
from enum import StrEnum
from io import StringIO
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from coinslot.catalog.products import Product, ProductChange, add_product, edit_product
from coinslot.channels.tmetr import Drink, Heartbeat, Size
from coinslot.coffee import store
from coinslot.coffee.flow import COFFEE
from coinslot.coffee.management import MachineLine, machines
from coinslot.coffee.vendors import OpenVendors, Vendor, is_recent
from coinslot.context import Context, Windows
from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money

MOST_MACHINES, MOST_DRINKS = 200, 100  # of one table: each is asked for
_ASKING_S: Final = 20  # however slow the vendor is; who was not asked by then counts as not heard
_AT_ONCE: Final = 4
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_DEVICE: Final = re.compile(r"[^/\x00-\x1f\x7f]{1,255}")
_DRINK: Final = re.compile(r"\S{1,255}")
_NAME_CHARS: Final = 100


class Change(StrEnum):
    """What an import does with a line."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    BAD = "bad"  # it is left out


class Bad(StrEnum):
    """Why a line is left out. Each has a text in the console."""

    CODE = "code"
    DEVICE = "device"
    NAME = "name"
    TWICE = "twice"  # the code or the device stands in the table before
    TAKEN = "taken"  # by another machine
    NO_PRICE = "no_price"
    UNNAMED = "unnamed"


class TooManyLinesError(Exception):
    """Nothing of the table was read."""

    def __init__(self, lines: int, most: int) -> None:
        super().__init__(f"{lines} lines, and {most} at most")
        self.lines, self.most = lines, most


class Planned(Struct, frozen=True, kw_only=True):
    """One line of a table of machines, and what becomes of it. `was`: the machine as it is, where
    it changes."""

    code: str
    device: str
    name: str
    place: str
    change: Change
    bad: Bad | None = None
    was: MachineLine | None = None
    heard: bool = False  # by the vendor, just now


class DrinkLine(Struct, frozen=True, kw_only=True):
    """A drink as its vendor has it now, at one machine; `prices` by size, None where none. `was`:
    the name that its product has."""

    drink: str
    name: str
    prices: Sequence[Money | None]
    change: Change
    bad: Bad | None = None
    was: str = ""


def digest(lines: Sequence[Planned] | Sequence[DrinkLine]) -> str:
    """Of what would change: what is done afterwards has the same one, or it is shown again."""
    named = [replace(one, heard=False) if isinstance(one, Planned) else one for one in lines]
    told = msgspec.json.encode(named, enc_hook=str)
    return hashlib.sha256(told).hexdigest()[:32]


def _lines(table: str, heading: Sequence[str], most: int) -> list[list[str]]:
    """The cells of a table, without its heading. A semicolon parts them too, where no comma does:
    so do spreadsheets of half the world. Raises TooManyLinesError."""
    text = table.lstrip("\ufeff")
    first = next((line for line in text.splitlines() if line.strip()), "")
    between = ";" if ";" in first and "," not in first else "\t" if "\t" in first else ","
    found = [
        [cell.strip() for cell in line]
        for line in csv.reader(StringIO(text), delimiter=between)
        if any(cell.strip() for cell in line)
    ]
    if found and [cell.lower() for cell in found[0][: len(heading)]] == list(heading):
        found = found[1:]
    if len(found) > most:
        raise TooManyLinesError(len(found), most)
    return found


class _Asking:
    """Questions to one vendor, a few at a time, and none after a while."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._end = asyncio.get_running_loop().time() + _ASKING_S

    async def heard(self, context: Context, device: str, windows: Windows) -> bool:
        async with self._places:
            if asyncio.get_running_loop().time() >= self._end:
                return False
            beat = await self.vendor.last_heartbeat(device)
        return isinstance(beat, Heartbeat) and is_recent(context, beat.at, windows.span("heard_s"))

    async def drink(self, device: str, drink: str) -> list[Drink | None]:
        """By size."""
        found = []
        for size in Size:
            async with self._places:
                if asyncio.get_running_loop().time() >= self._end:
                    return [None] * len(Size)
                told = await self.vendor.drink(device, drink, size)
            found.append(told if isinstance(told, Drink) else None)
        return found


async def plan(
    context: Context, vendors: OpenVendors, merchant: UUID, account: UUID, table: str
) -> list[Planned]:
    """A table of machines, `code,device,name,place` a line, against what there is; nothing is
    changed. Raises TooManyLinesError."""
    lines = _lines(table, ("code", "device"), MOST_MACHINES)
    known = {one.code: one for one in await machines(context, merchant)}
    async with context.db.as_merchant(merchant) as conn:
        others = await conn.fetch(store.OUTLETS_OF_OTHER_KINDS, COFFEE.name)
        rows = await conn.fetch(store.WINDOWS_OF_MACHINES)
    own = {row["outlet_id"]: row["windows"] for row in rows}
    found = _planned(lines, known, {row["id"] for row in others})
    asking = _Asking(await vendors.by_id(context.db, context.vault, account))

    async def asked(one: Planned) -> Planned:
        if one.change is Change.BAD:
            return one
        windows = context.windows.at(COFFEE.name, own.get(one.code, own[None]))
        return replace(one, heard=await asking.heard(context, one.device, windows))

    return list(await asyncio.gather(*map(asked, found)))


def bad_machine(code: str, device: str, name: str) -> Bad | None:
    """What is wrong with a machine by itself."""
    if not _CODE.fullmatch(code):
        return Bad.CODE
    if not _DEVICE.fullmatch(device):
        return Bad.DEVICE
    return None if 0 < len(name) <= _NAME_CHARS and name.isprintable() else Bad.NAME


def _planned(
    lines: Sequence[Sequence[str]], known: dict[str, MachineLine], others: set[str]
) -> list[Planned]:
    found: list[Planned] = []
    owner = {one.device: one.code for one in known.values()}
    codes, devices = set[str](), set[str]()
    for line in lines:
        code, device, name, place = (*line, "", "", "", "")[:4]
        bad, there = bad_machine(code, device, name), known.get(code)
        if bad is None and len(place) > _NAME_CHARS:
            bad = Bad.NAME
        if bad is None and (code in codes or device in devices):
            bad = Bad.TWICE
        if bad is None and (code in others or owner.get(device, code) != code):
            bad = Bad.TAKEN
        codes.add(code)
        devices.add(device)
        change = Change.NEW
        if bad is not None:
            change = Change.BAD
        elif there is not None:
            same = (there.device, there.name, there.place) == (device, name, place)
            change = Change.SAME if same else Change.CHANGED
        found.append(
            Planned(
                code=code, device=device, name=name, place=place, change=change, bad=bad,
                was=there if change is Change.CHANGED else None,
            )
        )  # fmt: skip
    return found


async def drinks(
    context: Context, vendors: OpenVendors, merchant: UUID, machine: str, table: str
) -> list[DrinkLine]:
    """Ask the vendor for these drinks, `id` or `id,name` a line, as one machine sells them, and
    compare with the products that the merchant has. A name in the table counts before the
    vendor's. Raises TooManyLinesError."""
    lines = _lines(table, ("drink",), MOST_DRINKS)
    named = {line[0]: (*line, "")[1] for line in reversed(lines)}
    ids = list(dict.fromkeys(line[0] for line in lines))
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.MACHINE, machine)
        rows = await conn.fetch(store.PRODUCTS_NAMED, ids)
    if row is None:
        return []
    asking = _Asking(await vendors.by_id(context.db, context.vault, row["account_id"]))
    known = {one["sku"]: one["name"] for one in rows}

    async def asked(drink: str) -> DrinkLine:
        told = await asking.drink(row["device"], drink) if _DRINK.fullmatch(drink) else []
        names = [one.name for one in told if one is not None and one.name]
        name = (named[drink] or next(iter(names), ""))[:_NAME_CHARS]
        line = DrinkLine(
            drink=drink, name=name, prices=[one.price if one else None for one in told],
            change=Change.NEW, was=known.get(drink, ""),
        )  # fmt: skip
        if not any(line.prices):
            return replace(line, change=Change.BAD, bad=Bad.NO_PRICE)
        if not name:
            return replace(line, change=Change.BAD, bad=Bad.UNNAMED)
        if drink not in known:
            return line
        return replace(line, change=Change.SAME if known[drink] == name else Change.CHANGED)

    return list(await asyncio.gather(*map(asked, ids)))


async def keep_drinks(
    conn: Connection, context: Context, merchant: UUID, lines: Sequence[DrinkLine]
) -> None:
    """As products, with what they cost in each size. What is left out is left out."""
    now = context.now()
    for one in lines:
        price = next((price for price in one.prices if price is not None), None)
        if price is None or one.change is Change.BAD:
            continue
        product = Product(id=uuid7(now), sku=one.drink, name=one.name, price=price)
        await add_product(conn, merchant, product)
        if one.change is Change.CHANGED:
            await edit_product(conn, merchant, one.drink, ProductChange(name=one.name))
        minors = [price.minor if price else None for price in one.prices]
        await conn.execute(store.KEEP_DRINK, merchant, one.drink, *minors, now)
