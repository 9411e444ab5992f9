"""An order from a page: checked before money is taken, reserved, and shown a code of its own."""

from datetime import timedelta
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.kit.ids import code, token, uuid7
from coinslot.sales import dispatch, look, show, store
from coinslot.sales.shop import Shop
from coinslot.sales.views import NotNowError, WhyNot


class Wish(Struct, frozen=True, kw_only=True):
    """What someone wants of an outlet. The key was minted with the page: it places once."""

    outlet: str
    slot: str
    key: str


async def place(shop: Shop, wish: Wish) -> str:
    """The token of the order, placed now or before with this key. Raises NotNowError."""
    async with shop.db.door() as conn:
        before = await conn.fetchval("SELECT token FROM orders WHERE client_key = $1", wish.key)
        merchant = await conn.fetchval(store.OUTLET_OWNER, wish.outlet)
    if before is not None:
        return str(before)
    view = await show.outlet(shop, wish.outlet)
    if view is None or merchant is None:
        raise NotNowError(WhyNot.OUT_OF_SERVICE)
    if not view.ready:
        raise NotNowError(view.why_not)
    try:
        async with shop.db.as_merchant(merchant) as conn:
            placed, qr = await _write(shop, conn, merchant, wish)
    except asyncpg.UniqueViolationError:
        return await place(shop, wish)  # the other tap of a double tap was first
    await look.drive_qr(shop, qr)
    return placed


async def _write(
    shop: Shop, conn: Connection, merchant: UUID, wish: Wish
) -> tuple[str, asyncpg.Record]:
    now = shop.now()
    slot = await conn.fetchrow(store.LOCK_SLOT, wish.outlet, wish.slot)
    if slot is None or slot["out_of_sale_at"] is not None or slot["account_id"] is None:
        raise NotNowError(WhyNot.OUT_OF_SERVICE)
    if await conn.fetchval(store.PROMISED, wish.outlet, wish.slot, now) >= slot["stock"]:
        raise NotNowError(WhyNot.SOLD_OUT)
    order_id, payment_id, qr_id = uuid7(now), uuid7(now), uuid7(now)
    expires = shop.after("order_s")
    link = token()
    await conn.execute(
        "INSERT INTO orders (id, merchant_id, outlet_id, state, token, number, source, client_key,"
        " amount_minor, currency, placed_at, expires_at, due_at)"
        " VALUES ($1, $2, $3, 'placed', $4, $5, 'page', $6, $7, $8, $9, $10, $10)",
        order_id, merchant, wish.outlet, link, code(4), wish.key, slot["price_minor"],
        slot["currency"], now, expires,
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO order_lines (id, merchant_id, order_id, product_id, slot, sku, name, quantity,"
        " price_minor, cost_minor) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)",
        uuid7(now), merchant, order_id, slot["product_id"], wish.slot, slot["sku"], slot["name"],
        slot["price_minor"], slot["cost_minor"],
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO payments (id, merchant_id, account_id, order_id, state, amount_minor,"
        " currency, created_at) VALUES ($1, $2, $3, $4, 'created', $5, $6, $7)",
        payment_id, merchant, slot["account_id"], order_id, slot["price_minor"], slot["currency"],
        now,
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO attempts (id, merchant_id, payment_id, account_id, state, started_at)"
        " VALUES ($1, $2, $3, $4, 'started', $5)",
        uuid7(now), merchant, payment_id, slot["account_id"], now,
    )  # fmt: skip
    # The row and its mark stand before the gateway is called; the sweeper drives it if we die.
    qr = await conn.fetchrow(
        "INSERT INTO qr_codes (id, merchant_id, account_id, outlet_id, slot, payment_id,"
        " amount_minor, currency, created_at, due_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *",
        qr_id, merchant, slot["account_id"], wish.outlet, wish.slot, payment_id,
        slot["price_minor"], slot["currency"], now, now + timedelta(seconds=10),
    )  # fmt: skip
    if qr is None:
        raise LookupError("the code's row was not written")
    return link, qr


async def ask_gateway(shop: Shop, order_token: str) -> None:
    """Look whether an order was paid, at most once in a few seconds however many pages ask: the
    others see what is known."""
    merchant = await _owner(shop, order_token)
    if merchant is None:
        return
    async with shop.db.as_merchant(merchant) as conn:
        qr = await conn.fetchrow(
            store.PAGE_ASKS_GATEWAY, order_token, shop.now(), shop.windows.span("page_ask_s")
        )
    if qr is not None:
        await look.drive_qr(shop, qr)


async def ask_machine(shop: Shop, order_token: str) -> None:
    """Nothing came out: ask the machine about every unit of the order that is not settled; as
    rarely as a gateway."""
    merchant = await _owner(shop, order_token)
    if merchant is None:
        return
    async with shop.db.as_merchant(merchant) as conn:
        units = await conn.fetch(
            store.PAGE_ASKS_MACHINE, order_token, shop.now(), shop.windows.span("page_ask_s")
        )
    for unit in units:
        await dispatch.drive(shop, unit)


async def _owner(shop: Shop, order_token: str) -> UUID | None:
    async with shop.db.door() as conn:
        merchant: UUID | None = await conn.fetchval(store.ORDER_OWNER, order_token)
    return merchant
