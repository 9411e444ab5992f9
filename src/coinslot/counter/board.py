"""The orders of a counter as its staff see them: no code, and no link to the customer's page."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.counter import codes, store
from coinslot.counter.basket import Choice, Option
from coinslot.counter.menu import MenuItem, counted, is_paused, menu
from coinslot.counter.staff import CounterError, Staff, Status, Why, status_of
from coinslot.db.pool import Database
from coinslot.kit.money import Money

_SHOWN_AFTER: Final = timedelta(hours=2)  # of what is over
_SHOWN_AT_MOST: Final = timedelta(days=31)


class Piece(Struct, frozen=True, kw_only=True):
    """One piece of a line. `ended`: why its money went back."""

    id: UUID
    state: str
    ticked: bool
    ended: str | None
    reason: str | None


class BoardLine(Struct, frozen=True, kw_only=True):
    """One line of an order, with its pieces."""

    item: UUID
    name: str
    choices: tuple[str, ...]
    chosen: tuple[Choice, ...]  # the same, as they were when the order was placed
    note: str
    price: Money
    station: str
    pieces: tuple[Piece, ...]

    @property
    def wanted(self) -> tuple[Piece, ...]:
        return tuple(piece for piece in self.pieces if piece.state != "not_picked_up")


class BoardOrder(Struct, frozen=True, kw_only=True):
    """One order. `since`: when it got this status; `until`: when its money goes back by itself;
    `seen`: somebody touched a board that showed it; `repeated`: when boards were to sound again."""

    id: UUID
    number: str
    slug: str
    outlet: str
    outlet_name: str
    status: Status
    name: str
    spot: str  # its table
    address: str  # that it is delivered to
    driver: str  # the secret of its driver's page
    left_at: datetime | None  # when its driver did
    here_at: datetime | None  # when its customer said that they wait, and where
    here_note: str
    here_by: str | None  # "near" by the phone's position, "said"; None: it is not asked
    zone: str | None  # in which its times are shown
    wanted_at: datetime | None  # None: as soon as it can be
    total: Money
    paid_at: datetime
    since: datetime
    until: datetime | None
    seen: bool
    repeated: str | None
    ended_at: datetime | None
    locked: bool
    tries_left: int
    code_until: datetime
    lines: tuple[BoardLine, ...]


class BoardStore(Struct, frozen=True, kw_only=True):
    """One counter."""

    outlet: str
    slug: str
    name: str
    currency: str
    paused: bool
    until: datetime | None  # when its pause ends by itself
    wall: str  # the secret of the screen on its wall


class StoreMenu(Struct, frozen=True, kw_only=True):
    """What is on the menu of one, for whoever enters an order."""

    outlet: str
    name: str
    currency: str
    items: tuple[MenuItem, ...]


class BoardItem(Struct, frozen=True, kw_only=True):
    """What a board says of an item, or of a stock that choices share: whether there is any.
    `choices`: of the item, but for those that take from a shared stock."""

    id: UUID
    name: str
    left: int | None
    sold_out: bool
    choices: tuple[Choice, ...] = ()

    @property
    def available(self) -> bool:
        return not self.sold_out and self.left != 0


async def orders(
    context: Context,
    who: Staff,
    statuses: Sequence[Status] = tuple(Status),
    ended_since: datetime | None = None,
) -> list[BoardOrder]:
    """What is to be done, and what ended lately, or since then (a month at most), oldest first."""
    since = context.now() - _SHOWN_AFTER
    if ended_since is not None:
        since = max(ended_since, context.now() - _SHOWN_AT_MOST)
    async with context.db.as_merchant(who.merchant) as conn:
        rows = await conn.fetch(store.ON_BOARD, who.outlets, since, context.now())
        units = _by_order(await conn.fetch(store.BOARD_UNITS, [row["id"] for row in rows]))
        lives = await codes.lives(conn, context, [row["outlet_id"] for row in rows])
    found = [_order(row, units.get(row["id"], ()), lives) for row in rows]
    return [order for order in found if order.status in statuses]


async def order(context: Context, who: Staff, wanted: UUID) -> BoardOrder:
    """One of them. Raises CounterError."""
    async with context.db.as_merchant(who.merchant) as conn:
        row = await conn.fetchrow(store.BOARD_ORDER, wanted, who.outlets)
        units = await conn.fetch(store.BOARD_UNITS, [wanted])
        lives = await codes.lives(conn, context, [] if row is None else [row["outlet_id"]])
    if row is None:
        raise CounterError(Why.UNKNOWN)
    if not units:
        raise CounterError(Why.NOT_PAID)
    return _order(row, units, lives)


async def has_counter(db: Database, merchant: UUID) -> bool:
    """Whether this merchant has one."""
    async with db.as_merchant(merchant) as conn:
        return bool(await conn.fetchval(store.HAS_COUNTER))


async def stores(context: Context, who: Staff) -> list[BoardStore]:
    """The counters of these staff."""
    async with context.db.as_merchant(who.merchant) as conn:
        rows = await conn.fetch(store.STORES)
    return [
        BoardStore(
            outlet=row["outlet_id"], slug=row["slug"], name=row["name"],
            paused=is_paused(row, context.now()), currency=row["currency"],
            until=row["paused_until"], wall=row["wall"],
        )
        for row in rows
        if who.outlets is None or row["outlet_id"] in who.outlets
    ]  # fmt: skip


async def items(context: Context, who: Staff) -> dict[str, list[BoardItem]]:
    """What is on their menus and what choices share, by outlet: no more than a board shows."""
    found: dict[str, list[BoardItem]] = {}
    async with context.db.as_merchant(who.merchant) as conn:
        for row in await conn.fetch(store.BOARD_ITEMS, who.outlets):
            item = BoardItem(
                id=row["id"], name=row["name"], left=row["stock"], sold_out=row["sold_out"],
                choices=tuple(_own_choices(row)),
            )  # fmt: skip
            found.setdefault(row["outlet_id"], []).append(item)
        for row in await conn.fetch(store.SHARED, who.outlets):
            shared = BoardItem(
                id=row["id"], name=row["name"], left=row["stock"], sold_out=row["sold_out"]
            )
            found.setdefault(row["outlet_id"], []).append(shared)
    return found


def _own_choices(row: asyncpg.Record) -> Iterator[Choice]:
    options = msgspec.convert(row["options"], tuple[Option, ...])
    for option in counted(options, row["option_stock"], {}, row["choices_out"]):
        yield from (choice for choice in option.choices if not choice.stock)


async def stations(context: Context, who: Staff) -> list[str]:
    """Those that make something of what is on their menus."""
    async with context.db.as_merchant(who.merchant) as conn:
        return [row["station"] for row in await conn.fetch(store.STATIONS, who.outlets)]


async def store_menu(context: Context, who: Staff, outlet: str) -> StoreMenu | None:
    """None: these staff have no such counter."""
    for at in await stores(context, who):
        if at.outlet == outlet:
            async with context.db.as_merchant(who.merchant) as conn:
                items_ = tuple(await menu(conn, outlet))
            return StoreMenu(outlet=outlet, name=at.name, currency=at.currency, items=items_)
    return None


def at_station(order: BoardOrder, station: str) -> tuple[BoardLine, ...]:
    """What this station makes of it; without a name, all that is to be handed over."""
    return tuple(line for line in order.lines if line.wanted and station in ("", line.station))


def _by_order(units: Sequence[asyncpg.Record]) -> dict[UUID, list[asyncpg.Record]]:
    found: dict[UUID, list[asyncpg.Record]] = {}
    for unit in units:
        found.setdefault(unit["order_id"], []).append(unit)
    return found


def _order(
    row: asyncpg.Record, units: Sequence[asyncpg.Record], lives: Mapping[str, timedelta]
) -> BoardOrder:
    open_ = [unit for unit in units if unit["settlement"] is None]
    by_line = sorted(units, key=lambda unit: (unit["line_id"], unit["id"]))
    status = status_of([unit["state"] for unit in units])
    since = {"PREPARING": "accepted_at", "READY": "ready_at"}.get(status.value)
    times = [unit[since] for unit in open_ if since and unit[since] is not None]
    return BoardOrder(
        id=row["id"], number=row["number"], slug=row["slug"], outlet=row["outlet_id"],
        outlet_name=row["outlet_name"], status=status, name=row["name"],
        spot=row["spot"], address=row["address"] or "",
        driver=row["driver_token"] or "", left_at=row["left_at"], here_at=row["here_at"],
        here_note=row["here_note"], here_by=row["here_by"], zone=row["zone"],
        wanted_at=row["wanted_at"],
        total=Money(row["amount_minor"], row["currency"]), paid_at=row["paid_at"],
        since=row["ended_at"] or max(times, default=row["begin_at"] or row["paid_at"]),
        until=min((unit["dispatch_by"] for unit in open_), default=None),
        seen=row["seen_at"] is not None,
        repeated=None if row["repeated_at"] is None else row["repeated_at"].isoformat(),
        ended_at=row["ended_at"], tries_left=max(codes.TRIES - row["tries"], 0),
        locked=row["tries"] >= codes.TRIES or row["wrong"] >= codes.WRONG,
        code_until=row["code_from"] + lives[row["outlet_id"]],
        lines=tuple(
            _line(list(group), row["currency"])
            for _, group in groupby(by_line, key=lambda unit: unit["line_id"])
        ),
    )  # fmt: skip


def _line(units: Sequence[asyncpg.Record], currency: str) -> BoardLine:
    first = units[0]
    chosen = msgspec.convert(first["options"], tuple[Choice, ...])
    return BoardLine(
        item=first["item_id"], name=first["name"].partition(" (")[0] if chosen else first["name"],
        choices=tuple(choice.name for choice in chosen), chosen=chosen, note=first["note"],
        price=Money(first["price_minor"], currency), station=first["station"],
        pieces=tuple(
            Piece(
                id=unit["id"], state=unit["state"], ticked=unit["ticked_at"] is not None,
                ended=unit["ended"], reason=unit["reason"],
            )
            for unit in units
        ),
    )  # fmt: skip
