"""From a basket to an order that can be paid: priced by the database, its stock reserved, its code
made. All of it is one transaction."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.counter import contacts, delivery, offers, pickup, store
from coinslot.counter.basket import BasketError, Line, Sum, Wish, lines_of, shared_of, sum_of
from coinslot.counter.codes import code_of, digest_of
from coinslot.counter.contacts import Contact
from coinslot.counter.delivery import Delivery
from coinslot.counter.menu import MenuItem, Store, menu_at
from coinslot.counter.offers import Offer, OfferError
from coinslot.db.pool import Connection, again
from coinslot.orders import checkout, placing
from coinslot.orders.page_views import NotNowError
from coinslot.orders.placing import NewLine, NewOrder
from coinslot.orders.pricing import Discount
from coinslot.payments import ways_to_pay

_SLOT = "-"  # a counter has none


class ClosedError(Exception):
    """It takes no orders now."""


class TooManyUnpaidError(Exception):
    """There are unpaid orders enough from this browser or network."""


class PriceChangedError(Exception):
    """It costs something else than was shown."""

    def __init__(self, shown: int, lines: Sequence[Line], total: Sum) -> None:
        super().__init__("the price changed")
        self.shown = shown
        self.lines = tuple(lines)
        self.total = total


class Order(Struct, frozen=True, kw_only=True):
    """Who wants what. `shown`: what the page said that it costs, in minor units. `key` was made
    with the page, so it places one order."""

    wishes: tuple[Wish, ...]
    shown: int | None
    tip: int = 0
    name: str = ""
    contact: Contact = Contact()
    key: str | None = None
    wanted_at: datetime | None = None  # None: as soon as it can be
    spot: str = ""  # the table that it is brought to
    offer: Offer = Offer()
    deliver: Delivery | None = None  # None: it is picked up
    browser: str | None = None
    network: str | None = None


async def place(context: Context, at: Store, wanted: Order) -> str:
    """The token of the order, placed now or before with this key. Raises ClosedError, BasketError,
    ContactError, DeliveryError, OfferError, PriceChangedError, TooManyUnpaidError, NoSlotError,
    SlotFullError."""
    if wanted.key is not None:  # of this store: one of another place is another key
        wanted = replace(wanted, key=f"{at.outlet.code}:{wanted.key}")
    return await _place_once(context, at, wanted)


async def _place_once(context: Context, at: Store, wanted: Order) -> str:
    async with context.db.as_merchant(at.merchant) as conn:
        before = await conn.fetchval(store.BY_KEY, wanted.key)
    if before is not None:
        return str(before)
    if not (at.works if wanted.wanted_at else at.open):
        raise ClosedError
    wanted = replace(wanted, contact=contacts.checked(wanted.contact, at.phones))
    least = await ways_to_pay.least(context, at.merchant, at.outlet.code, at.outlet.currency)
    try:
        return await again(partial(_place, context, at, wanted, least))
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "orders_client_key_key":
            raise
        return await _place_once(context, at, wanted)  # the other tap of a double tap was first
    except NotNowError:
        raise TooManyUnpaidError from None


async def _place(context: Context, at: Store, wanted: Order, least: int) -> str:
    async with context.db.as_merchant(at.merchant) as conn:
        items = {item.sku: item for item in await menu_at(conn, at, wanted.wanted_at)}
        priced = {sku: item.priced() for sku, item in items.items()}
        lines = lines_of(priced, wanted.wishes)
        goods = sum(line.total for line in lines)
        seen = await offers.look(conn, context, at, wanted.offer, goods)
        total = sum_of(lines, tax_added=at.tax_added, tip=wanted.tip, off=seen.off)
        zone = None
        if wanted.deliver is not None:
            zone = await delivery.quote(conn, at, wanted.deliver, goods - seen.off)
            total = replace(total, delivery=zone.fee)
        if total.total < least:
            raise BasketError("too_little" if total.total else "nothing_to_pay", "")
        if wanted.shown is not None and wanted.shown != total.total:
            raise PriceChangedError(wanted.shown, lines, total)
        browser, network = checkout.digests(context, wanted.browser, wanted.network)
        await checkout.few_enough(context, conn, at.outlet.code, browser, network)
        work = sum(items[wish.sku].prep_min * wish.quantity for wish in wanted.wishes)
        taken = await pickup.take(conn, at.kitchen, work, wanted.wanted_at)
        taken_off = await reserve(conn, at.outlet.code, items, wanted.wishes)
        windows = at.windows
        new = NewOrder(
            merchant=at.merchant, outlet=at.outlet.code, currency=at.outlet.currency,
            key=wanted.key, expires_at=context.now() + windows.span("order_s"),
            ends_by=context.now() + 2 * windows.span("order_s"),
            lines=[_new_line(items[line.wish.sku], line, at) for line in lines],
            discounts=[Discount(seen.off)] if seen.off else (),
            extras=total.extras, browser=browser, network=network,
        )  # fmt: skip
        held = await offers.take(conn, context, at, wanted.offer, goods)
        if held.off != seen.off:
            raise OfferError("over")  # it was changed at this moment
        placed = await placing.place(conn, context, new)
        await _write_beside(conn, placed.id, at.merchant, [
            (items[line.wish.sku], line, taken_off[items[line.wish.sku].id]) for line in lines
        ])  # fmt: skip
        # What is brought to a door is the counter's to bring: nobody failed to fetch it, and its
        # money goes back, whatever holds for what is fetched.
        digest = digest_of(context.peppers, placed.id, 1, code_of(context.vault, placed.id, 1))
        await conn.execute(
            store.PLACE_ORDER, placed.id, at.merchant, at.outlet.code, wanted.name, digest,
            taken.wanted_at, taken.begin_at, taken.slot_at, work, wanted.spot,
            store.KEPT if at.keeps and zone is None else "refund", at.windows.pickup_s,
        )  # fmt: skip
        await contacts.keep(conn, context, at.merchant, placed.id, wanted.contact)
        await offers.keep(conn, context, at, placed.id, held)
        if wanted.deliver is not None and zone is not None:
            await delivery.keep(conn, at, placed.id, wanted.deliver, zone)
        return placed.token


async def reserve(
    conn: Connection, outlet: str, items: dict[str, MenuItem], wishes: Sequence[Wish]
) -> dict[UUID, asyncpg.Record]:
    """Takes items, choices and what choices share off the stock; by item, what of it is counted.
    Raises BasketError where somebody was first."""
    wanted, choices = Counter[UUID](), dict[UUID, Counter[str]]()
    for wish in wishes:
        item = items[wish.sku].id
        wanted[item] += wish.quantity
        of_item = choices.setdefault(item, Counter())
        for choice in wish.choices:
            of_item[choice] -= wish.quantity
    shared = shared_of({sku: item.options for sku, item in items.items()}, wishes)
    rows = await conn.fetch(
        store.RESERVE, outlet, list(wanted), list(wanted.values()),
        [dict(choices[item]) for item in wanted], list(shared), list(shared.values()),
    )  # fmt: skip
    missing = set(wanted) - {row["id"] for row in rows}
    if missing:
        sku = next(item.sku for item in items.values() if item.id in missing)
        raise BasketError("sold_out", sku)
    gone = set(shared) - set(rows[0]["shared"] if rows else ())
    for wish in wishes:
        if gone & shared_of({wish.sku: items[wish.sku].options}, [wish]).keys():
            raise BasketError("choice_sold_out", wish.sku)
    return {row["id"]: row for row in rows}


def _new_line(item: MenuItem, line: Line, at: Store) -> NewLine:
    return NewLine(
        product=item.product, slot=_SLOT, sku=item.sku, name=line.full_name, price=line.unit,
        cost=item.cost, quantity=line.wish.quantity, tax_bp=0 if at.tax_added else line.tax_bp,
    )  # fmt: skip


async def _write_beside(
    conn: Connection,
    order: UUID,
    merchant: UUID,
    lines: Sequence[tuple[MenuItem, Line, asyncpg.Record]],
) -> None:
    placed = await conn.fetch(store.PLACED_LINES, order)
    for row, (item, line, taken) in zip(placed, lines, strict=True):
        choices = [c for c in line.wish.choices if c in taken["counted_choices"]]
        portions = shared_of({item.sku: item.options}, [replace(line.wish, quantity=1)])
        shared = [taken["shared"][name] for name in portions.elements()]
        counted = [stock for stock in shared if stock is not None]
        await conn.execute(
            store.PLACE_LINE, row["id"], merchant, order, item.id,
            msgspec.to_builtins(line.chosen), line.wish.note,
            line.wish.quantity if taken["counted"] or choices or counted else 0,
            taken["counted"], choices, counted, line.tax_bp,
        )  # fmt: skip
