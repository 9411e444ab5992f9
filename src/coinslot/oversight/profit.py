"""What orders earned: their price, tips and fees for delivery, less taxes, what was given back,
what the goods cost, the gateway's fee and the messages. Of what is not known it says how much."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.oversight import store
from coinslot.oversight.day_sums import as_rows
from coinslot.oversight.figures import sums_of
from coinslot.oversight.money import MoneyFilter

_SUMS: Final = (
    "pieces", "paid", "tips", "delivery", "taxes", "goodwill", "outside", "cost", "fee", "messages",
    "no_cost", "no_fee", "no_price",
)  # fmt: skip
_ITEM_SUMS: Final = ("pieces", "paid", "goodwill", "taxes", "cost", "no_cost")

# $1: days; account and outlet may each be NULL.
_OF_DAYS = (
    "WHERE ($2::uuid IS NULL OR $2 = ANY (k.accounts)) AND ($3::text IS NULL OR k.outlet_id = $3)"
)
_BY_DAY = f"""
SELECT k.day, k.currency, {sums_of(("orders", *_SUMS))}
FROM figures_of_days('profit', $1) k {_OF_DAYS} GROUP BY 1, 2 ORDER BY 1, 2
"""
_BY_ITEM = f"""
SELECT k.sku, max(k.name) AS name, k.currency, {sums_of(_ITEM_SUMS)}
FROM figures_of_days('profit_items', $1) k {_OF_DAYS} GROUP BY 1, 3 ORDER BY 5 DESC, 1, 3
"""

# Of the orders that have a product, as a whole, and of the product itself. $4: its SKU.
_BY_DAY_OF_PRODUCT = f"""
SELECT k.day, k.currency, {sums_of(("orders", *_SUMS))}
FROM figures_of_product('profit', $4, $1) k {_OF_DAYS} GROUP BY 1, 2 ORDER BY 1, 2
"""
_OF_ONE_PRODUCT = f"""
SELECT k.sku, max(k.name) AS name, k.currency, {sums_of(_ITEM_SUMS)}
FROM figures_of_days('profit_items', $1) k {_OF_DAYS} AND k.sku = $4
GROUP BY 1, 3 ORDER BY 5 DESC, 1, 3
"""
_OF_ORDER = """
SELECT p.* FROM orders o,
    LATERAL profit_between(o.ended_at, o.ended_at + interval '1 microsecond') p
WHERE o.id = $1 AND p.order_id = o.id
"""


class Profit(Struct, frozen=True, kw_only=True):
    """Sums in minor units. `paid` is for what was handed over, taxes and all. `no_cost`: pieces
    without a cost, `no_fee`: payments without a fee, `no_price`: messages without a price: what
    each of them took is not in the sums."""

    currency: str
    day: date | None = None
    orders: int = 1
    pieces: int
    paid: int
    tips: int
    delivery: int
    taxes: int
    goodwill: int
    outside: int
    cost: int
    fee: int
    messages: int
    no_cost: int
    no_fee: int
    no_price: int

    @property
    def earned(self) -> int:
        """Before anything that it took."""
        return self.paid + self.tips + self.delivery - self.given_back

    @property
    def given_back(self) -> int:
        return self.goodwill + self.outside

    @property
    def took(self) -> int:
        return self.taxes + self.cost + self.fee + self.messages

    @property
    def profit(self) -> int:
        """The most that it can be, where not all is known."""
        return self.earned - self.took

    @property
    def is_known(self) -> bool:
        return not (self.no_cost or self.no_fee or self.no_price)


class ItemProfit(Struct, frozen=True, kw_only=True):
    """Of one product: what its pieces brought, before the costs of whole orders."""

    sku: str
    name: str
    currency: str
    pieces: int
    paid: int
    goodwill: int
    taxes: int
    cost: int
    no_cost: int

    @property
    def margin(self) -> int:
        return self.paid - self.goodwill - self.taxes - self.cost


class ProfitReport(Struct, frozen=True, kw_only=True):
    """Days that had an order, the oldest first; items, the largest first; a total for each
    currency."""

    days: tuple[Profit, ...]
    items: tuple[ItemProfit, ...]
    totals: tuple[Profit, ...]


async def profit(context: Context, merchant: UUID, wanted: MoneyFilter) -> ProfitReport:
    """Of the orders that ended on these days, as all is known now: a fee that the gateway states
    later changes the day of its order."""
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        days, items = await _read(conn, wanted)
    return ProfitReport(
        days=tuple(days),
        items=tuple(ItemProfit(**dict(row)) for row in items),
        totals=tuple(
            total([day for day in days if day.currency == currency])
            for currency in sorted({day.currency for day in days})
        ),
    )  # fmt: skip


async def _read(
    conn: Connection, wanted: MoneyFilter
) -> tuple[list[Profit], Sequence[asyncpg.Record]]:
    values = (as_rows(wanted.days), wanted.account, wanted.outlet)
    if wanted.sku is None:
        found = await conn.fetch(_BY_DAY, *values)
        return [_profit(row) for row in found], await conn.fetch(_BY_ITEM, *values)
    found = await conn.fetch(_BY_DAY_OF_PRODUCT, *values, wanted.sku)
    items = await conn.fetch(_OF_ONE_PRODUCT, *values, wanted.sku)
    return [_profit(row) for row in found], items


async def of_order(context: Context, merchant: UUID, order: UUID) -> Profit | None:
    """None while it has not ended."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(_OF_ORDER, order)
    return None if row is None else _profit(row)


def total(of: Sequence[Profit]) -> Profit:
    """Of one currency."""
    sums = {name: sum(getattr(one, name) for one in of) for name in (*_SUMS, "orders")}
    return Profit(currency=of[0].currency, **sums)


def _profit(row: asyncpg.Record) -> Profit:
    found: Mapping[str, Any] = dict(row)
    more = {name: found[name] for name in ("day", "orders") if name in found}
    return Profit(currency=found["currency"], **{name: found[name] for name in _SUMS}, **more)
