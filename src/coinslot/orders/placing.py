"""Writes an order: its lines with the sum of every piece, and its extras, in one transaction of the
caller's. What may be ordered now, and by whom, the caller has decided."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.kit.ids import code, token, uuid7
from coinslot.orders import store
from coinslot.orders.page_views import NotNowError, WhyNot
from coinslot.orders.pricing import Discount, Extra, Item, Priced, price
from coinslot.states.order_flow import ORDER
from coinslot.states.store import TELL
from coinslot.states.transition import transition


class NewLine(Struct, frozen=True, kw_only=True):
    """One product, so many pieces of it; amounts in minor units. Name and cost are kept as they
    are now."""

    product: UUID
    slot: str
    sku: str
    name: str
    price: int
    cost: int
    quantity: int = 1
    tax_bp: int = 0  # included in the price; 1800 is 18 %


class NewOrder(Struct, frozen=True, kw_only=True):
    """What is written. `key` was made with the page, so it places one order; `browser` and
    `network` are digests. It cannot be paid at `ends_by` or after, where that is set."""

    merchant: UUID
    outlet: str
    currency: str
    key: str | None
    expires_at: datetime
    lines: Sequence[NewLine]
    discounts: Sequence[Discount] = ()
    extras: Sequence[Extra] = ()
    browser: str | None = None
    network: str | None = None
    source: str = "page"  # or test_vend, which costs nothing
    receipt_contact: str | None = None  # where its fiscal receipt goes: user@host, or +79161234567
    ends_by: datetime | None = None


class Placed(Struct, frozen=True, kw_only=True):
    """Its link's end, and what it costs."""

    id: UUID
    token: str
    price: Priced


async def place(conn: Connection, context: Context, new: NewOrder) -> Placed:
    """An order of nothing asks for no payment: its units are queued at once, while there are as
    many. Raises PricingError, NotNowError when there are not, and UniqueViolationError where the
    key has placed an order before."""
    items = [
        Item(price=line.price, quantity=line.quantity, tax_bp=line.tax_bp) for line in new.lines
    ]
    priced = price(items, new.discounts, new.extras)
    now = context.now()
    placed = Placed(id=uuid7(now), token=token(), price=priced)
    await conn.execute(
        store.PLACE_ORDER, placed.id, new.merchant, new.outlet, placed.token, code(4), new.key,
        priced.total, new.currency, now,
        new.expires_at if priced.total else context.after("dispatch_s"), new.browser, new.network,
        new.source, new.receipt_contact, new.ends_by,
    )  # fmt: skip
    # In the order in which they were chosen: ids of one moment are random beyond it.
    ids = iter(sorted(uuid7(now) for _ in (*new.lines, *priced.extras)))
    for line, item in zip(new.lines, priced.items, strict=True):
        await conn.execute(
            store.PLACE_LINE, next(ids), new.merchant, placed.id, line.product, line.slot,
            line.sku, line.name, line.quantity, line.price, line.cost, item.units, item.taxes,
        )  # fmt: skip
    for extra in priced.extras:
        await conn.execute(
            store.PLACE_EXTRA, next(ids), new.merchant, placed.id, extra.kind.value, extra.amount
        )
    await conn.execute(TELL, new.merchant, "order", placed.id, "PLACED", {}, now)  # for readers
    if priced.total == 0:
        if await conn.fetchval(store.OTHERS_WERE_FIRST, placed.id):
            raise NotNowError(WhyNot.SOLD_OUT)
        there = await conn.fetchrow(store.OUTLET_WINDOWS, new.outlet)
        assert there is not None
        windows = context.windows.at(there["kind"], there["windows"])
        await transition(
            conn, ORDER, placed.id, "PAID", now, paid_at=now, due_at=None,
            dispatch_by=now + windows.span("dispatch_s"),
        )  # fmt: skip
    return placed


async def delivery_failed(context: Context, merchant: UUID, order: UUID) -> bool:
    """The delivery of an order failed: its fee goes back, whatever becomes of the goods. False:
    there is none that was paid, or it is settled already."""
    async with context.db.as_merchant(merchant) as conn:
        back: bool = await conn.fetchval(store.DELIVERY_FAILED, order, context.now())
    if back:
        context.wakes.wake("refunds")
    return back
