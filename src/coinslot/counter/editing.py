"""A menu as its owner edits it: one item at a time, their order, another store's menu, and what a
table would change."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.counter import store
from coinslot.counter.basket import Option
from coinslot.counter.menu import (
    Live,
    MenuItem,
    UnknownItemError,
    WantedItem,
    currency_of,
    hold,
    menu,
    save_item,
    write_menu,
)
from coinslot.db.pool import Connection

_LONGEST: Final = 64


class CurrencyError(Exception):
    """The two stores have prices of different currencies."""


class Edited(Struct, frozen=True, kw_only=True):
    """An item as the form has it. `shown`: what was left of it when the form was made; what was
    sold since is not made undone."""

    item: WantedItem
    shown: Live


class Plan(Struct, frozen=True, kw_only=True):
    """What a table would change, by the names of items."""

    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]


async def item_of(conn: Connection, outlet: str, item: UUID) -> MenuItem:
    """Raises UnknownItemError."""
    for found in await menu(conn, outlet):
        if found.id == item:
            return found
    raise UnknownItemError(str(item))


async def add(
    conn: Connection, context: Context, merchant: UUID, outlet: str, new: WantedItem
) -> UUID:
    """At the end of its section; without a sku it gets one. Raises NoStoreError."""
    await currency_of(conn, outlet)
    await conn.execute(store.LOCK_STORE, outlet)
    place = await conn.fetchval(store.NEXT_PLACE, outlet)
    item = new if new.sku else replace(new, sku=await _free_sku(conn, new.name))
    return await save_item(conn, context, merchant, outlet, item, Live.of(item), place)


async def edit(
    conn: Connection, context: Context, merchant: UUID, outlet: str, edited: Edited
) -> None:
    """What is left of it is written only where the form says another number than it showed.
    Raises UnknownItemError."""
    live = (await hold(conn, outlet)).get(edited.item.sku)
    if live is None:
        raise UnknownItemError(edited.item.sku)
    place = next(i.place for i in await menu(conn, outlet) if i.sku == edited.item.sku)
    await save_item(conn, context, merchant, outlet, edited.item, _left(edited, live), place)


def _left(edited: Edited, live: Live) -> Live:
    typed, shown = Live.of(edited.item), edited.shown
    choices = dict(live.choices)
    for choice in {*typed.choices, *shown.choices}:
        if typed.choices.get(choice) != shown.choices.get(choice):
            choices.pop(choice, None)
            if choice in typed.choices:
                choices[choice] = typed.choices[choice]
    shared = {
        choice.stock: choice.left
        for option in edited.item.options for choice in option.choices
        if choice.stock and choice.left is not None and choice.left != shown.choices.get(choice.id)
    }  # fmt: skip
    stock = live.stock if typed.stock == shown.stock else typed.stock
    out = live.out - (shown.out - typed.out) | (typed.out - shown.out)
    return Live(stock=stock, choices=choices, shared=shared, out=out)


async def remove(conn: Connection, outlet: str, item: UUID, now: datetime) -> None:
    """It leaves the menu; orders of it go on. Raises UnknownItemError."""
    if not await conn.fetchval(store.RETIRE_ITEM, outlet, item, now):
        raise UnknownItemError(str(item))


async def move(
    conn: Connection, outlet: str, item: UUID, *, before: UUID | None, section: str
) -> None:
    """To a place in a section: before another item, or at its end. Raises UnknownItemError."""
    await conn.execute(store.LOCK_STORE, outlet)
    items = await menu(conn, outlet)
    moved = next((one for one in items if one.id == item), None)
    if moved is None:
        raise UnknownItemError(str(item))
    rest = [one for one in items if one.id != item]
    at = next((n for n, one in enumerate(rest) if one.id == before), None)
    if at is None:
        here = [n for n, one in enumerate(rest) if one.section == section]
        at = here[-1] + 1 if here else len(rest)
    await _arrange(conn, [*rest[:at], replace(moved, section=section), *rest[at:]])


async def step(conn: Connection, outlet: str, item: UUID, by: int) -> None:
    """One place up (-1) or down (1) within its section. Raises UnknownItemError."""
    await conn.execute(store.LOCK_STORE, outlet)
    items = await menu(conn, outlet)
    at = next((n for n, one in enumerate(items) if one.id == item), None)
    if at is None:
        raise UnknownItemError(str(item))
    to = at + by
    if 0 <= to < len(items) and items[to].section == items[at].section:
        items[at], items[to] = items[to], items[at]
        await _arrange(conn, items)


async def step_section(conn: Connection, outlet: str, section: str, by: int) -> None:
    """One place up or down among the sections."""
    await conn.execute(store.LOCK_STORE, outlet)
    items = await menu(conn, outlet)
    sections = list(dict.fromkeys(one.section for one in items))
    if section not in sections:
        return
    at = sections.index(section)
    to = at + by
    if 0 <= to < len(sections):
        sections[at], sections[to] = sections[to], sections[at]
        items.sort(key=lambda one: sections.index(one.section))
        await _arrange(conn, items)


async def rename_section(conn: Connection, outlet: str, section: str, name: str) -> None:
    """All its items are in that section from now on."""
    await conn.execute(store.LOCK_STORE, outlet)
    items = await menu(conn, outlet)
    await _arrange(conn, [replace(o, section=name) if o.section == section else o for o in items])


async def _arrange(conn: Connection, items: Sequence[MenuItem]) -> None:
    """Rows by their ids, as orders lock them."""
    places = sorted((item.id, place, item.section) for place, item in enumerate(items))
    await conn.executemany(store.PLACE_ITEM, places)


async def copy(conn: Connection, context: Context, merchant: UUID, source: str, target: str) -> int:
    """What one store offers is offered by another too, beside what that one has; what is left
    there stays. How many items. Raises NoStoreError, CurrencyError."""
    if await currency_of(conn, source) != await currency_of(conn, target):
        raise CurrencyError
    wanted = [replace(as_wanted(item), stock=None) for item in await menu(conn, source)]
    wanted = [replace(item, options=_uncounted(item.options)) for item in wanted]
    return await write_menu(conn, context, merchant, target, wanted, others=True)


def _uncounted(options: Sequence[Option]) -> tuple[Option, ...]:
    return tuple(
        replace(
            option, choices=tuple(replace(c, left=None, available=True) for c in option.choices)
        )
        for option in options
    )


async def plan(conn: Connection, outlet: str, items: Sequence[WantedItem]) -> Plan:
    """What these would change, but for what is left of each. Raises NoStoreError."""
    await currency_of(conn, outlet)
    there = {item.sku: item for item in await menu(conn, outlet)}
    wanted = {item.sku for item in items}
    return Plan(
        new=tuple(item.name for item in items if item.sku not in there),
        changed=tuple(
            item.name for item in items
            if item.sku in there and _bare(as_wanted(there[item.sku])) != _bare(item)
        ),
        gone=tuple(item.name for sku, item in there.items() if sku not in wanted),
    )  # fmt: skip


def as_wanted(item: MenuItem) -> WantedItem:
    """As it would be written again."""
    return WantedItem(
        sku=item.sku, name=item.name, price=item.price, section=item.section,
        description=item.description, cost=item.cost, tax_bp=item.tax_bp, stock=item.left,
        allergens=item.allergens, options=item.options, station=item.station,
        prep_min=item.prep_min, hours=item.hours,
    )  # fmt: skip


def _bare(item: WantedItem) -> WantedItem:
    return replace(item, stock=None, options=_uncounted(item.options))


async def _free_sku(conn: Connection, name: str) -> str:
    """Short, of plain letters, and not a product's of this merchant yet."""
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-")[: _LONGEST - 8] or "item"
    number, sku = 1, short
    while sku == "basket" or await conn.fetchval(store.SKU_TAKEN, sku):
        number += 1
        sku = f"{short}-{number}"
    return sku
