"""Credit notes of an order: what each refund corrects of its receipt."""

import re
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.counter.menu_file import by_rate
from coinslot.db.pool import Connection
from coinslot.kit.money import Money
from coinslot.orders.page_views import CreditView, TaxView

OF_ORDER: Final = """
SELECT number_of_year(n.year, n.number) AS number, n.amount_minor, n.taxes, n.at,
    n.void_at, o.currency::text, coalesce(l.name, x.kind, '') AS item,
    number_of_year(i.year, i.number) AS corrects
FROM counter_credit_notes n JOIN orders o ON o.id = n.order_id
    LEFT JOIN counter_invoices i ON i.order_id = n.order_id
    LEFT JOIN fulfillments f ON f.id = n.unit_id LEFT JOIN order_lines l ON l.id = f.line_id
    LEFT JOIN order_extras x ON x.id = n.extra_id
WHERE n.order_id = $1 ORDER BY n.year, n.number
"""

# What the people of a merchant look for in an order of a counter beside its money.
_FACTS: Final = """
SELECT c.name, coalesce(number_of_year(i.year, i.number), '') AS receipt
FROM counter_orders c LEFT JOIN counter_invoices i ON i.order_id = c.order_id
WHERE c.order_id = $1
"""
_NUMBERED: Final = """
SELECT order_id FROM counter_invoices WHERE year = $1 AND number = $2
UNION SELECT order_id FROM counter_credit_notes WHERE year = $1 AND number = $2
"""
_NUMBER: Final = re.compile(r"(\d{4})-(\d{1,9})")


class CounterFacts(Struct, frozen=True, kw_only=True):
    """Empty where there is none."""

    name: str = ""  # of the customer
    receipt: str = ""


async def facts_of(context: Context, merchant: UUID, order: UUID) -> CounterFacts:
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(_FACTS, order)
    return CounterFacts() if row is None else CounterFacts(**dict(row))


async def numbered(context: Context, merchant: UUID, text: str) -> list[UUID]:
    """The orders of a receipt and of a credit note with this number."""
    said = _NUMBER.fullmatch(text.strip())
    if said is None:
        return []
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(_NUMBERED, int(said[1]), int(said[2]))
    return [row["order_id"] for row in rows]


async def of_order(conn: Connection, order: UUID) -> tuple[CreditView, ...]:
    """In the order of their numbers."""
    return tuple(
        CreditView(
            number=row["number"], item=row["item"], corrects=row["corrects"] or "", at=row["at"],
            money=Money(row["amount_minor"], row["currency"]), void=row["void_at"] is not None,
            taxes=tuple(
                TaxView(percent=rate, money=Money(minor, row["currency"]))
                for rate, minor in by_rate(row["taxes"])
            ),
        )
        for row in await conn.fetch(OF_ORDER, order)
    )  # fmt: skip


async def of_merchant(context: Context, merchant: UUID, order: UUID) -> tuple[CreditView, ...]:
    """The same for the people of a merchant."""
    async with context.db.as_merchant(merchant) as conn:
        return await of_order(conn, order)
