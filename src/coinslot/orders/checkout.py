"""An order from a page: checked before money is taken, and given an attempt to pay it when its
customer says how. An unpaid order reserves nothing: the first payer gets the goods, and a
payer whose goods are gone gets the money back."""

from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context, Windows
from coinslot.db.pool import Connection
from coinslot.kit.money import Money
from coinslot.orders import outlet_pages, placing, store
from coinslot.orders.code_budget import MINUTE, Budget, Made, first_free
from coinslot.orders.page_views import NotNowError, OutletView, WhyNot
from coinslot.orders.placing import NewLine, NewOrder
from coinslot.orders.selling_rules import under
from coinslot.payments import ways_to_pay
from coinslot.payments.attempts import GatewayUnavailableError
from coinslot.payments.ways_to_pay import PageAttempt, Way


class OrderRequest(Struct, frozen=True, kw_only=True):
    """What someone wants from an outlet. The key was made with the page, so it places one order.
    `browser` and `network` are who wants it, as far as that is known."""

    outlet: str
    slot: str
    key: str
    browser: str | None = None
    network: str | None = None


async def place(context: Context, wish: OrderRequest) -> str:
    """The token of the order, placed now or before with this key. No gateway is asked, and nothing
    is reserved. Raises NotNowError."""
    async with context.db.system_transaction() as conn:
        before = await conn.fetchval(store.BY_PAGE_KEY, wish.outlet, wish.key, _key(wish))
        merchant = await conn.fetchval(store.OUTLET_OWNER, wish.outlet)
    if before is not None:
        return str(before)
    view = await outlet_pages.outlet(context, wish.outlet)
    if view is None or merchant is None:
        raise NotNowError(WhyNot.OUT_OF_SERVICE)
    if not view.ready:
        raise NotNowError(view.why_not)
    try:
        async with context.db.as_merchant(merchant) as conn:
            return await _write(context, conn, merchant, wish)
    except asyncpg.UniqueViolationError:
        return await place(context, wish)  # the other tap of a double tap was first


def _key(wish: OrderRequest) -> str:
    """Of its outlet: the same key at another outlet, or at another merchant's, is another one."""
    return f"{wish.outlet}:{wish.key}"


async def _write(context: Context, conn: Connection, merchant: UUID, wish: OrderRequest) -> str:
    windows = await _locked(context, conn, wish.outlet)
    slot = await conn.fetchrow(store.LOCK_SLOT, wish.outlet, wish.slot)
    if slot is None or slot["out_of_sale_at"] is not None:
        raise NotNowError(WhyNot.OUT_OF_SERVICE)
    if await conn.fetchval(store.PROMISED, wish.outlet, wish.slot) >= slot["stock"]:
        raise NotNowError(WhyNot.SOLD_OUT)
    price = Money(slot["price_minor"], slot["currency"])
    if outlet_pages.above_cap(context, slot, price):
        raise NotNowError(WhyNot.ABOVE_CAP)
    browser, network = digests(context, wish.browser, wish.network)
    await few_enough(context, conn, wish.outlet, browser, network)
    line = NewLine(
        product=slot["product_id"], slot=wish.slot, sku=slot["sku"], name=slot["name"],
        price=slot["price_minor"], cost=slot["cost_minor"],
    )  # fmt: skip
    new = NewOrder(
        merchant=merchant, outlet=wish.outlet, currency=slot["currency"], key=_key(wish),
        expires_at=context.now() + windows.span("order_s"), lines=(line,), browser=browser,
        network=network,
    )  # fmt: skip
    return (await placing.place(conn, context, new)).token


def digests(
    context: Context, browser: str | None, network: str | None
) -> tuple[str | None, str | None]:
    """What is stored of a browser and a network identifies neither."""
    digest = context.vault.digest
    return (
        None if browser is None else digest(browser, "browser"),
        None if network is None else digest(network, "network"),
    )


async def _locked(context: Context, conn: Connection, outlet: str) -> Windows:
    """Locks an outlet. The windows under which its merchant sells."""
    row = await conn.fetchrow(store.LOCK_OUTLET, outlet)
    return context.windows if row is None else under(context.windows, row["limits"])


async def few_enough(
    context: Context, conn: Connection, outlet: str, browser: str | None, network: str | None
) -> None:
    """A browser or network (digests) with too many unpaid orders has to pay first; counted under
    the lock of the outlet's row. Raises NotNowError."""
    open_ = await conn.fetchrow(
        store.UNPAID_ORDERS, outlet, browser, network, context.now(), context.windows.unpaid_s
    )
    if open_ is None:
        raise NotNowError(WhyNot.BUSY)
    windows = under(context.windows, open_["limits"])
    if open_["of_browser"] >= windows.browser_orders:
        raise NotNowError(WhyNot.BUSY)
    crowded = open_["of_network"] >= windows.network_orders
    if crowded and not await conn.fetchval(store.HAS_PAID, browser):
        raise NotNowError(WhyNot.BUSY)


class WayTap(Struct, frozen=True, kw_only=True):
    """A button of an order's page. `way` is its name, or "link" or "code" for the first of these,
    or empty for the first that works; the key was made with the page, so it begins one attempt."""

    order: str  # its token
    way: str = ""
    key: str | None = None


async def pay(context: Context, tap: WayTap) -> UUID | None:
    """The customer is about to pay: an attempt begins, once, as soon as the machine's budget
    allows; one begun before in another way is closed. None: there is nothing to pay any more, it
    was begun before, or the key has begun another order's. Raises NotNowError."""
    try:
        return await _pay(context, tap)
    except asyncpg.UniqueViolationError as error:
        if error.constraint_name != "attempts_page_key":
            raise
        return None  # no page of ours gives one key to two orders


async def _pay(context: Context, tap: WayTap) -> UUID | None:
    merchant = await order_owner(context, tap.order)
    outlet = await _ready(context, tap.order)
    if merchant is None or outlet is None:
        return None
    way = await _way(context, merchant, outlet, tap)
    async with context.db.as_merchant(merchant) as conn:
        order = await conn.fetchrow(store.ORDER_TO_PAY, tap.order, context.now())
        windows = await _locked(context, conn, outlet.code)  # under it attempts are counted
        if order is None or await conn.fetchval(
            store.BEGUN_BEFORE, order["id"], tap.key, way.form.value, way.account
        ):
            return None
        make_at = await _turn(context, conn, order, windows)
        wanted = PageAttempt(
            way=way, key=tap.key, make_at=make_at, description=order["name"],
            return_url=f"{context.public_url}/o/{tap.order}",
        )  # fmt: skip
        try:
            attempt = await ways_to_pay.begin(conn, context, order, wanted)
        except GatewayUnavailableError as error:
            raise NotNowError(WhyNot.GATEWAY_DOWN) from error
        end = make_at + windows.span("order_s")
        await conn.execute(store.LAST_TO_PAY, order["id"], end)
    context.wakes.wake("attempts", "qr_codes")  # what it replaces is closed
    if make_at <= context.now():
        await ways_to_pay.drive_now(context, merchant, attempt)
    return attempt


async def _way(context: Context, merchant: UUID, outlet: OutletView, tap: WayTap) -> Way:
    """Raises NotNowError when it does not work now."""
    view = await outlet_pages.order(context, tap.order)
    offered = () if view is None else await ways_to_pay.offered(
        context, merchant, outlet.code, view.money
    )  # fmt: skip
    found = next((way for way in offered if tap.way in ("", way.name, way.form)), None)
    if found is None:
        raise NotNowError(WhyNot.GATEWAY_DOWN)
    return found


async def _ready(context: Context, order_token: str) -> OutletView | None:
    """The outlet of an order that is not paid yet, if it can sell it now. Raises NotNowError."""
    view = await outlet_pages.order(context, order_token)
    if view is None or view.state != "placed":
        return None
    outlet = await outlet_pages.outlet(context, view.outlet_code)
    if outlet is None or not outlet.ready:
        raise NotNowError(outlet.why_not if outlet else WhyNot.OUT_OF_SERVICE)
    if outlet.counts_stock and not any(
        item.available for item in outlet.items if item.slot == view.slot
    ):
        raise NotNowError(WhyNot.SOLD_OUT)
    return outlet


async def _turn(
    context: Context, conn: Connection, order: asyncpg.Record, windows: Windows
) -> datetime:
    """When a gateway may be asked for its attempt. Raises NotNowError if that is too late."""
    now = context.now()
    budget = Budget(
        per_minute=windows.codes_per_minute,
        network_per_minute=windows.network_codes_per_minute,
        network_unpaid=windows.network_unpaid_codes,
        unpaid_for=windows.span("unpaid_s"),
    )
    since = now - max(budget.unpaid_for, MINUTE)
    rows = await conn.fetch(store.ATTEMPTS_OF_PAGES, order["outlet_id"], since)
    network = order["network"]
    if network is not None and await conn.fetchval(store.HAS_PAID, order["browser"]):
        network = None  # a customer known to pay, behind any address
    made = [Made(row["at"], row["network"], row["unpaid"]) for row in rows]
    at = first_free(budget, made, network, now)
    if at is None or at - now > windows.span("code_wait_s"):
        raise NotNowError(WhyNot.BUSY)
    return at


async def ask_gateway(context: Context, order_token: str) -> None:
    """Ask whether an order was paid, at most once in a few seconds however many pages ask: the
    others see what is known."""
    merchant = await order_owner(context, order_token)
    if merchant is None:
        return
    async with context.db.as_merchant(merchant) as conn:
        attempt = await conn.fetchval(
            store.PAGE_ASKS_GATEWAY, order_token, context.now(), context.windows.span("page_ask_s")
        )
    if attempt is not None:
        await ways_to_pay.drive_now(context, merchant, attempt)


async def order_owner(context: Context, order_token: str) -> UUID | None:
    async with context.db.system_transaction() as conn:
        merchant: UUID | None = await conn.fetchval(store.ORDER_OWNER, order_token)
    return merchant
