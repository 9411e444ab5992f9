"""A counter's store and its menu: what customers are offered now, and how its merchant writes
it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from coinslot.catalog.products import Product, ProductChange, add_product, edit_product
from coinslot.context import Context, Windows
from coinslot.counter import store
from coinslot.counter.basket import Option, Priced
from coinslot.counter.contacts import prefixes
from coinslot.counter.flow import COUNTER
from coinslot.counter.hours import Hours, SpecialDay, WeekInterval, served
from coinslot.counter.pickup import Kitchen
from coinslot.counter.store import KEPT
from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.orders import outlet_pages
from coinslot.orders.page_views import OutletView
from coinslot.outlets.machines import Outlet, add_outlet
from coinslot.pictures.pictures import PictureView, view_of

_FAR: Final = timedelta(days=366)  # nothing is ordered for later than that


class SlugTakenError(Exception):
    """Another store of the installation has this address."""


class NoStoreError(LookupError):
    """This outlet is no counter."""


class UnknownItemError(LookupError):
    """The menu has no such item."""


class MenuItem(Struct, frozen=True, kw_only=True):
    """One item of a menu, as customers are offered it. Amounts in minor units."""

    id: UUID
    product: UUID
    sku: str
    name: str
    names: Mapping[str, str]
    description: str
    descriptions: Mapping[str, str]
    section: str
    place: int
    price: int
    cost: int
    tax_bp: int
    left: int | None
    sold_out: bool
    allergens: tuple[str, ...]
    options: tuple[Option, ...]
    picture: PictureView | None
    hours: tuple[WeekInterval, ...] = ()
    served: bool = True  # its hours allow it then
    prep_min: int
    station: str = ""

    @property
    def available(self) -> bool:
        return not self.sold_out and self.left != 0 and self.served

    def priced(self) -> Priced:
        return Priced(
            sku=self.sku, name=self.name, price=self.price, tax_bp=self.tax_bp,
            options=self.options, available=self.available, left=self.left,
        )  # fmt: skip

    def name_in(self, language: str) -> str:
        return self.names.get(language) or self.name

    def description_in(self, language: str) -> str:
        return self.descriptions.get(language) or self.description


class Store(Struct, frozen=True, kw_only=True):
    """A counter, and whether it takes orders now."""

    slug: str
    merchant: UUID
    outlet: OutletView
    tax_added: bool
    tips: tuple[int, ...]
    paused: bool
    hours: Hours
    slot_work_min: int | None
    origins: tuple[str, ...] = ()  # websites whose pages may order here
    now: datetime  # when it was read
    keeps: bool  # the money of what is ready and not fetched
    phones: tuple[str, ...] = ()  # prefixes of those that it calls and writes to
    windows: Windows = Windows()  # that its orders have

    @property
    def open(self) -> bool:
        """For orders that are wanted as soon as it can be."""
        return self.works and self.hours.takes(self.now)

    @property
    def works(self) -> bool:
        return self.outlet.ready and not self.paused

    @property
    def may_order(self) -> bool:
        """Now or for later."""
        return self.open or (self.works and bool(self.hours.slots(self.now)))

    @property
    def kitchen(self) -> Kitchen:
        return Kitchen(
            outlet=self.outlet.code, hours=self.hours, room=self.slot_work_min, now=self.now
        )


class NewStore(Struct, frozen=True, kw_only=True):
    """A counter as it is set up."""

    code: str
    merchant: UUID
    slug: str
    name: str
    place: str = ""
    currency: str
    gateway_account: UUID
    contact: str = ""
    zone: str | None = None
    tax_added: bool | None = None  # None: as it is; of a new one, no
    keeps: bool | None = None  # the money of what is ready and not fetched; None: the same


class WantedItem(Struct, frozen=True, kw_only=True):
    """An item as the merchant writes it."""

    sku: str
    name: str
    price: int
    section: str = ""
    description: str = ""
    cost: int = 0
    tax_bp: int = 0
    stock: int | None = None
    allergens: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    station: str = ""
    prep_min: int = 0
    hours: tuple[WeekInterval, ...] = ()


async def store_of(context: Context, slug: str) -> Store | None:
    """The store at this address, or None."""
    async with context.db.system_transaction() as conn:
        known = await conn.fetchrow(store.STORE_OWNER, slug)
    if known is None:
        return None
    view = await outlet_pages.outlet(context, known["outlet_id"])
    async with context.db.as_merchant(known["merchant_id"]) as conn:
        row = await conn.fetchrow(store.STORE, known["outlet_id"])
    if view is None or row is None:
        return None
    return Store(
        slug=slug, merchant=known["merchant_id"], outlet=view, tax_added=row["tax_added"],
        tips=tuple(row["tips"]), paused=is_paused(row, context.now()),
        hours=hours_of(row, view.zone), slot_work_min=row["slot_work_min"], now=context.now(),
        origins=tuple(row["origins"]),
        keeps=row["no_show"] == KEPT, phones=prefixes(row["phone_prefixes"], view.currency),
        windows=context.windows.at(COUNTER.name, row["windows"]),
    )  # fmt: skip


def hours_of(row: asyncpg.Record, zone: str | None) -> Hours:
    """Of a row of `counter_stores`. Without a zone of its own or its merchant's it is in UTC."""
    return Hours(
        zone=ZoneInfo(zone or "UTC"),
        week=msgspec.convert(row["hours"], tuple[WeekInterval, ...]),
        special=msgspec.convert(row["special_days"], tuple[SpecialDay, ...]),
        lead=timedelta(minutes=row["lead_min"]), slot=timedelta(minutes=row["slot_min"]),
        days_ahead=row["days_ahead"],
    )  # fmt: skip


async def may_call(context: Context, origin: str) -> bool:
    """Whether any store lets the pages of this website order."""
    async with context.db.system_transaction() as conn:
        return bool(await conn.fetchval(store.MAY_CALL, origin))


async def menu(conn: Connection, outlet: str) -> list[MenuItem]:
    """In the merchant's order."""
    return [_item(row) for row in await conn.fetch(store.MENU, outlet)]


async def menu_at(conn: Connection, at: Store, wanted: datetime | None = None) -> list[MenuItem]:
    """What is there at this time; None: now. So it is for one that is far away: it is no slot, and
    in another zone the calendar may not have it."""
    moment = at.now if wanted is None or abs(wanted - at.now) > _FAR else wanted
    return [
        replace(item, served=served(item.hours, moment, at.hours.zone))
        for item in await menu(conn, at.outlet.code)
    ]


async def add_store(conn: Connection, new: NewStore, now: datetime) -> bool:
    """Add it; one of this merchant's with this code keeps its name. Whether it is new. Raises
    OutletTakenError, SlugTakenError, UnknownZoneError."""
    outlet = Outlet(
        code=new.code, merchant_id=new.merchant, name=new.name, place=new.place,
        kind=COUNTER.name, channel="counter", dialect="simple", currency=new.currency,
        account_id=new.gateway_account, contact=new.contact, zone=new.zone,
    )  # fmt: skip
    is_new = await add_outlet(conn, outlet, [], now)
    try:
        await conn.execute(
            store.ADD_STORE, new.code, new.merchant, new.slug, new.tax_added, now,
            None if new.keeps is None else KEPT if new.keeps else "refund",
        )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise SlugTakenError(f"the address {new.slug} is another store's") from error
    return is_new


async def currency_of(conn: Connection, outlet: str) -> str:
    """Of its prices. Raises NoStoreError."""
    found: str | None = await conn.fetchval(store.CURRENCY, outlet)
    if found is None:
        raise NoStoreError(f"{outlet} is no counter")
    return found


class Live(Struct, frozen=True, kw_only=True):
    """What is left of an item and of its choices now."""

    stock: int | None
    choices: Mapping[str, int]  # of those that have a stock of their own
    shared: Mapping[str, int] = {}  # of stocks that choices share, where it is to be written
    out: frozenset[str] = frozenset()  # choices that there are none of, whatever was counted

    @classmethod
    def of(cls, item: WantedItem) -> Self:
        """As it is written."""
        choices = [choice for option in item.options for choice in option.choices]
        return cls(
            stock=item.stock,
            choices={c.id: c.left for c in choices if c.left is not None and not c.stock},
            shared={c.stock: c.left for c in choices if c.left is not None and c.stock},
            out=frozenset(c.id for c in choices if not c.available),
        )  # fmt: skip


async def write_menu(  # noqa: PLR0913  whose menu, and what is written of it
    conn: Connection, context: Context, merchant: UUID, outlet: str, items: Sequence[WantedItem],
    *, stock: bool = False, others: bool = False,
) -> int:  # fmt: skip
    """The menu is these items from now on; with `others`, beside those that are there. Orders that
    were placed keep their names and prices. What is left of an item that is there stays as it is,
    unless its `stock` is written too, and which of its choices are out. Raises NoStoreError."""
    await currency_of(conn, outlet)
    live = await hold(conn, outlet)
    first = await conn.fetchval(store.NEXT_PLACE, outlet) if others else 0
    kept = []
    for place, item in enumerate(items, first):
        known = live.get(item.sku)
        if known is not None and stock:
            known = replace(Live.of(item), out=known.out)
        kept.append(
            await save_item(conn, context, merchant, outlet, item, known or Live.of(item), place)
        )
    if not others:
        await conn.execute(store.RETIRE_OTHERS, outlet, kept, context.now())
    return len(kept)


async def hold(conn: Connection, outlet: str) -> dict[str, Live]:
    """What is left of everything on its menu, by sku, until the transaction ends."""
    rows = await conn.fetch(store.HOLD_ITEMS, outlet)
    return {
        row["sku"]: Live(
            stock=row["stock"], choices=row["option_stock"], out=frozenset(row["choices_out"])
        )
        for row in rows if row["retired_at"] is None
    }  # fmt: skip


async def save_item(  # noqa: PLR0913  of which store, which item, with what is left of it, where
    conn: Connection, context: Context, merchant: UUID, outlet: str, item: WantedItem, live: Live,
    place: int,
) -> UUID:  # fmt: skip
    """Its row, new or as it is from now on. Choices that it has no more are no longer counted."""
    now, currency = context.now(), await currency_of(conn, outlet)
    product = Product(
        id=uuid7(now), sku=item.sku, name=item.name, price=Money(item.price or 1, currency),
        cost_minor=item.cost,
    )  # fmt: skip
    product_id = await add_product(conn, merchant, product)
    await edit_product(
        conn, merchant, item.sku, ProductChange(name=item.name, cost_minor=item.cost)
    )
    await conn.execute(store.DESCRIBE, product_id, item.description)
    choices = [choice for option in item.options for choice in option.choices]
    there = {choice.id for choice in choices if not choice.stock}
    for choice in sorted((c for c in choices if c.stock), key=lambda c: c.stock):
        await conn.execute(
            store.SAVE_SHARED, uuid7(now), merchant, outlet, choice.stock,
            live.shared.get(choice.stock, choice.left), choice.stock in live.shared,
        )  # fmt: skip
    saved: UUID = await conn.fetchval(
        store.SAVE_ITEM, uuid7(now), merchant, outlet, product_id, item.section, place,
        item.price, item.tax_bp, live.stock,
        {choice: left for choice, left in live.choices.items() if choice in there},
        list(item.allergens), msgspec.to_builtins(tuple(map(_uncounted, item.options))),
        item.station, item.prep_min, msgspec.to_builtins(item.hours),
        sorted(live.out.intersection(choice.id for choice in choices)),
    )  # fmt: skip
    return saved


def _uncounted(option: Option) -> Option:
    """What is left of its choices, and which are out, has columns of its own."""
    return replace(
        option, choices=tuple(replace(c, left=None, available=True) for c in option.choices)
    )


def counted(
    options: Sequence[Option],
    left: Mapping[str, int],
    shared: Mapping[str, int | None],
    out: Collection[str],
) -> tuple[Option, ...]:
    """With what is left of their choices, and which are out."""
    return tuple(
        replace(
            option,
            choices=tuple(
                replace(
                    c,
                    left=shared.get(c.stock) if c.stock else left.get(c.id),
                    available=c.id not in out,
                )
                for c in option.choices
            ),
        )
        for option in options
    )


async def sold_out(conn: Connection, outlet: str, item: UUID, now: datetime) -> None:
    """Nothing of an item, or of a stock that choices share, is left, whatever was counted. Raises
    UnknownItemError."""
    for statement in (store.SOLD_OUT, store.SHARED_SOLD_OUT):
        if await conn.fetchval(statement, outlet, item, now):
            break
    else:
        raise UnknownItemError(str(item))
    await conn.execute(store.BOARD_CHANGED, outlet)


async def back_on_sale(
    conn: Connection, outlet: str, item: UUID, stock: int | None, *, keep: bool = False
) -> None:
    """There is so much of an item, or of a stock that choices share, again, or it is not counted;
    `keep`: so much as there was. Raises UnknownItemError."""
    for statement in (store.BACK_ON_SALE, store.SHARED_BACK):
        if await conn.fetchval(statement, outlet, item, stock, keep):
            break
    else:
        raise UnknownItemError(str(item))
    await conn.execute(store.BOARD_CHANGED, outlet)


async def choice_out(conn: Connection, outlet: str, item: UUID, choice: str) -> None:
    """There is none of this choice of an item, whatever was counted, until somebody says that it
    is there again. Raises UnknownItemError."""
    if not await conn.fetchval(store.CHOICE_OUT, outlet, item, choice):
        raise UnknownItemError(str(item))
    await conn.execute(store.BOARD_CHANGED, outlet)


async def choice_back(
    conn: Connection, outlet: str, item: UUID, choice: str, left: int | None
) -> None:
    """There is so much of a choice again, or it is not counted. Raises UnknownItemError."""
    if not await conn.fetchval(store.CHOICE_BACK, outlet, item, choice, left):
        raise UnknownItemError(str(item))
    await conn.execute(store.BOARD_CHANGED, outlet)


def is_paused(row: asyncpg.Record, now: datetime) -> bool:
    """Whether a store takes no orders for now. A pause may have an end."""
    until = row["paused_until"]
    return row["paused_at"] is not None and (until is None or now < until)


async def pause(
    conn: Connection, outlet: str, at: datetime | None, until: datetime | None = None
) -> None:
    """The store takes no orders, until then or until somebody says so; or does again. Raises
    UnknownItemError."""
    if not await conn.fetchval(store.PAUSE, outlet, at, until):
        raise UnknownItemError(outlet)


def _item(row: asyncpg.Record) -> MenuItem:
    return MenuItem(
        id=row["id"], product=row["product_id"], sku=row["sku"], name=row["name"],
        names=row["names"], description=row["description"], descriptions=row["descriptions"],
        section=row["section"], place=row["place"], price=row["price_minor"],
        cost=row["cost_minor"], tax_bp=row["tax_bp"], left=row["stock"],
        sold_out=row["sold_out_at"] is not None, allergens=tuple(row["allergens"]),
        options=counted(
            msgspec.convert(row["options"], tuple[Option, ...]), row["option_stock"],
            row["shared"] or {}, row["choices_out"],
        ), picture=view_of(row),
        hours=msgspec.convert(row["hours"], tuple[WeekInterval, ...]), prep_min=row["prep_min"],
        station=row["station"],
    )  # fmt: skip
