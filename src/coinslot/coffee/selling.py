"""The code on a machine's screen: what may be sold for it now, and the order that is placed for it.
Price and name are the vendor's, asked when they are shown and again when the order is placed."""

import asyncio
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.catalog.products import Product, add_product
from coinslot.channels.tmetr import (
    Drink,
    Heartbeat,
    MachineCode,
    NoPrice,
    Refused,
    Silent,
    Size,
    Unclear,
)
from coinslot.coffee import store
from coinslot.coffee.flow import COFFEE
from coinslot.coffee.vendors import AHEAD, OpenVendors, UnknownVendorError, is_recent
from coinslot.context import Context, Windows
from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.orders import checkout, outlet_pages, placing
from coinslot.orders.page_views import NotNowError, OrderView, OutletView, WayView
from coinslot.orders.placing import NewLine, NewOrder
from coinslot.payments import ways_to_pay

SIZES: Final = {Size.SMALL: "S", Size.MEDIUM: "M", Size.BIG: "L"}
_ABSENT: Final = frozenset({404})


class Why(StrEnum):
    """Why nothing is sold for a code. Each has a title and a sentence in `texts.py`."""

    UNKNOWN_MACHINE = "unknown_machine"
    CLOSED = "closed"
    TOO_OLD = "too_old"
    SILENT = "silent"
    NO_PRICE = "no_price"
    AWAY = "away"  # the vendor does not answer
    UNPAYABLE = "unpayable"
    BUSY = "busy"


class NotSoldError(Exception):
    """Nothing was placed, and nobody was charged."""

    def __init__(self, why: Why, outlet: OutletView | None = None) -> None:
        super().__init__(why.value)
        self.why = why
        self.outlet = outlet


class AlreadyOrderedError(Exception):
    """There is an order for this code. `ours`: this browser placed it."""

    def __init__(self, order: OrderView, *, ours: bool) -> None:
        super().__init__("there is an order for this code")
        self.order = order
        self.ours = ours


class PriceChangedError(Exception):
    """It costs something else than the page said."""


class NoContactError(Exception):
    """What is paid in this way has a fiscal receipt, and it goes to its customer."""


class CoffeeOffer(Struct, frozen=True, kw_only=True):
    """What can be ordered for a code now."""

    code: MachineCode
    outlet: OutletView
    merchant: UUID
    drink: str  # its name; empty where the vendor has none
    price: Money
    ways: tuple[WayView, ...]
    windows: Windows  # of the machine

    @property
    def asks_contact(self) -> bool:
        """Where no account has receipts made, nobody is asked for an address."""
        return any(way.receipts for way in self.ways)

    def needs_contact(self, name: str) -> bool:
        """Of one way to pay; of one that is not known, as of the first."""
        chosen = next((way for way in self.ways if way.name == name), self.ways[0])
        return chosen.receipts


class Wish(Struct, frozen=True, kw_only=True):
    """Who orders what the page offered, for this price."""

    browser: str
    network: str
    price_minor: int
    contact: str | None = None
    way: str = ""  # of those that the page offered


async def look(
    context: Context, vendors: OpenVendors, code: MachineCode, browser: str | None
) -> CoffeeOffer:
    """What a code offers. Nothing is made. Raises NotSoldError and AlreadyOrderedError."""
    machine = await _machine(context, code)
    await _refuse_known(context, machine, code, browser)
    outlet = await outlet_pages.outlet(context, machine["outlet_id"])
    if outlet is None or machine["decommissioned_at"] or machine["paused_at"]:
        raise NotSoldError(Why.CLOSED, outlet)
    windows = context.windows.at(COFFEE.name, machine["windows"])
    life = windows.span("order_s")
    if not -AHEAD <= context.now() - code.made_at < life:
        raise NotSoldError(Why.TOO_OLD, outlet)
    if not outlet.ready:
        raise NotSoldError(Why.UNPAYABLE, outlet)
    drink = await _ask(context, vendors, machine, code, outlet)
    offered = await ways_to_pay.offered(context, machine["merchant_id"], outlet.code, drink.price)
    if not offered:
        raise NotSoldError(Why.UNPAYABLE, outlet)
    name = drink.name or await _name(context, machine["merchant_id"], code.drink)
    ways = tuple(
        WayView(name=w.name, form=w.form.value, title=w.title, receipts=w.receipts) for w in offered
    )
    return CoffeeOffer(
        code=code, outlet=outlet, merchant=machine["merchant_id"], drink=name,
        price=drink.price, ways=ways, windows=windows,
    )  # fmt: skip


async def _name(context: Context, merchant: UUID, drink: str) -> str:
    """The merchant's own name for a drink of which the vendor has none."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.PRODUCTS_NAMED, [drink])
    return "" if row is None or row["name"] == drink else row["name"]


async def _machine(context: Context, code: MachineCode) -> asyncpg.Record:
    async with context.db.system_transaction() as conn:
        found = await conn.fetchrow(store.MACHINE_BY_DEVICE, code.device)
    if found is None:
        raise NotSoldError(Why.UNKNOWN_MACHINE)
    return found


async def _refuse_known(
    context: Context, machine: asyncpg.Record, code: MachineCode, browser: str | None
) -> None:
    async with context.db.as_merchant(machine["merchant_id"]) as conn:
        row = await conn.fetchrow(store.ORDER_OF_CODE, code.device, code.order)
    if row is None:
        return
    order = await outlet_pages.order(context, row["token"])
    assert order is not None
    owner, _ = checkout.digests(context, browser, None)
    raise AlreadyOrderedError(order, ours=owner is not None and owner == row["browser"])


async def _ask(
    context: Context, vendors: OpenVendors, machine: asyncpg.Record, code: MachineCode,
    outlet: OutletView,
) -> Drink:  # fmt: skip
    """Whether the machine is there, and what the drink costs. Raises NotSoldError."""
    windows = context.windows.at(COFFEE.name, machine["windows"])
    try:
        vendor = await vendors.by_id(context.db, context.vault, machine["account_id"])
    except UnknownVendorError:
        raise NotSoldError(Why.CLOSED, outlet) from None
    beat, drink = await asyncio.gather(
        vendor.last_heartbeat(code.device), vendor.drink(code.device, code.drink, code.size)
    )
    match beat:
        case Heartbeat(at=at):
            if not is_recent(context, at, windows.span("heard_s")):
                raise NotSoldError(Why.SILENT, outlet)
            await noted(context, machine, at)
        case Silent():
            raise NotSoldError(Why.SILENT, outlet)
        case Refused() | Unclear():
            raise NotSoldError(Why.AWAY, outlet)
    match drink:
        case Drink():
            return drink
        case NoPrice():
            raise NotSoldError(Why.NO_PRICE, outlet)
        case Refused(status=status) if status in _ABSENT:
            raise NotSoldError(Why.NO_PRICE, outlet)
        case _:
            raise NotSoldError(Why.AWAY, outlet)


async def noted(context: Context, machine: asyncpg.Record, at: datetime) -> None:
    """When it was last heard, for the people who run it."""
    async with context.db.as_merchant(machine["merchant_id"]) as conn:
        await conn.execute(store.HEARD, machine["outlet_id"], at)


async def place(context: Context, vendors: OpenVendors, code: MachineCode, wish: Wish) -> str:
    """The token of the one order for this code, which this browser placed now or before. Raises
    NotSoldError, PriceChangedError, NoContactError, and AlreadyOrderedError where another browser
    was first."""
    try:
        return await _place(context, vendors, code, wish)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "one_order_per_code":
            raise
    try:  # somebody was first, perhaps this browser
        return await _place(context, vendors, code, wish)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "one_order_per_code":
            raise
        # An order of the merchant whose device this was when the code was shown.
        raise NotSoldError(Why.TOO_OLD) from None


async def _place(context: Context, vendors: OpenVendors, code: MachineCode, wish: Wish) -> str:
    try:
        offer = await look(context, vendors, code, wish.browser)
        if offer.price.minor != wish.price_minor:
            raise PriceChangedError
        if wish.contact is None and offer.needs_contact(wish.way):
            raise NoContactError
        async with context.db.as_merchant(offer.merchant) as conn:
            return await _write(context, conn, offer, wish)
    except AlreadyOrderedError as known:
        if not known.ours:
            raise
        return known.order.token
    except NotNowError:
        raise NotSoldError(Why.BUSY) from None


async def _write(context: Context, conn: Connection, offer: CoffeeOffer, wish: Wish) -> str:
    code, now = offer.code, context.now()
    browser, network = checkout.digests(context, wish.browser, wish.network)
    await checkout.few_enough(context, conn, offer.outlet.code, browser, network)
    product = await add_product(
        conn, offer.merchant,
        Product(id=uuid7(now), sku=code.drink, name=offer.drink or code.drink, price=offer.price),
    )  # fmt: skip
    line = NewLine(
        product=product, slot=SIZES[code.size], sku=code.drink, name=offer.drink or code.drink,
        price=offer.price.minor, cost=0,
    )  # fmt: skip
    end = now + offer.windows.span("order_s")
    new = NewOrder(
        merchant=offer.merchant, outlet=offer.outlet.code, currency=offer.price.currency, key=None,
        expires_at=end, ends_by=end, lines=(line,), browser=browser, network=network,
        receipt_contact=wish.contact if offer.asks_contact else None,
    )  # fmt: skip
    placed = await placing.place(conn, context, new)
    sizes = [offer.price.minor if size is code.size else None for size in Size]
    await conn.execute(store.KEEP_DRINK, offer.merchant, code.drink, *sizes, now)
    await conn.execute(
        store.PLACE, placed.id, offer.merchant, offer.outlet.code, code.device, code.order,
        code.drink, int(code.size),
    )  # fmt: skip
    return placed.token
