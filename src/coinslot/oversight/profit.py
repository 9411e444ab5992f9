"""What orders earned: their price, tips and fees for delivery, less taxes, what was given back,
what the goods cost, the gateway's fee and the messages. Of what is not known it says how much."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.oversight import store
from coinslot.oversight.day_sums import as_rows
from coinslot.oversight.money import MoneyFilter

_SUMS: Final = (
    "pieces", "paid", "tips", "delivery", "taxes", "goodwill", "outside", "cost", "fee", "messages",
    "no_cost", "no_fee", "no_price",
)  # fmt: skip

# $3: account, $4: outlet, $5: product; each may be NULL.
_OF_FILTER = """
FROM profit_between($1, $2) p
WHERE ($3::uuid IS NULL OR EXISTS (SELECT FROM captures c WHERE c.order_id = p.order_id
        AND c.account_id = $3))
    AND ($4::text IS NULL OR p.outlet_id = $4)
    AND ($5::text IS NULL OR EXISTS (SELECT FROM order_lines n WHERE n.order_id = p.order_id
        AND n.sku = $5))
"""
_BY_DAY = f"""
WITH found AS MATERIALIZED (SELECT p.* {_OF_FILTER})
SELECT w.day, f.currency, count(*) AS orders,
    {", ".join(f"sum(f.{name})::bigint AS {name}" for name in _SUMS)}
FROM found f JOIN jsonb_to_recordset($6) AS w (day date, begun timestamptz, ended timestamptz)
    ON f.ended_at >= w.begun AND f.ended_at < w.ended
GROUP BY 1, 2 ORDER BY 1, 2
"""
# Fees, messages and tips belong to orders, so an item has none of them.
_BY_ITEM = f"""
WITH found AS MATERIALIZED (SELECT p.order_id {_OF_FILTER})
SELECT l.sku, max(l.name) AS name, f.currency::text AS currency, count(*) AS pieces,
    sum(f.amount_minor)::bigint AS paid, sum(t.taken)::bigint AS goodwill,
    sum(tax_left(f.tax_minor, f.amount_minor, t.taken))::bigint AS taxes,
    sum(l.cost_minor)::bigint AS cost, count(*) FILTER (WHERE l.cost_minor = 0) AS no_cost
FROM found o JOIN fulfillments f ON f.order_id = o.order_id AND f.settlement = 'fulfilled'
    JOIN order_lines l ON l.id = f.line_id CROSS JOIN LATERAL (
        SELECT coalesce(sum(w.amount_minor), 0)::bigint AS taken FROM order_refund_parts w
        WHERE w.fulfillment_id = f.id AND w.outcome = 'taken') t
WHERE ($5::text IS NULL OR l.sku = $5)
    AND NOT EXISTS (SELECT FROM corrections k WHERE k.fulfillment_id = f.id)
GROUP BY l.sku, f.currency ORDER BY 5 DESC, 1, 3
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
    pieces: int = 0
    paid: int = 0
    tips: int = 0
    delivery: int = 0
    taxes: int = 0
    goodwill: int = 0
    outside: int = 0
    cost: int = 0
    fee: int = 0
    messages: int = 0
    no_cost: int = 0
    no_fee: int = 0
    no_price: int = 0

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
    values = (wanted.begun, wanted.ended, wanted.account, wanted.outlet, wanted.sku)
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        days = [_profit(row) for row in await conn.fetch(_BY_DAY, *values, as_rows(wanted.days))]
        items = await conn.fetch(_BY_ITEM, *values)
    return ProfitReport(
        days=tuple(days), items=tuple(ItemProfit(**dict(row)) for row in items),
        totals=tuple(
            total([day for day in days if day.currency == currency])
            for currency in sorted({day.currency for day in days})
        ),
    )  # fmt: skip


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
