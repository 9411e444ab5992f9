"""Lists of what money did, for a page and for an export alike: each is a statement, the columns
that it shows, and what its rows are ordered by. Newest first, by keys that grow with time."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.kit.ids import first_uuid7
from coinslot.oversight import store
from coinslot.oversight.day_sums import readable
from coinslot.oversight.money import MoneyFilter

Kind = Literal["text", "word", "time", "day", "money", "count", "order", "taxes"]
_NUMBER: Final = re.compile(r"[0-9]{1,18}")  # PostgreSQL's bigint holds each of them
_OF_YEAR: Final = re.compile(r"[0-9]{4}-[0-9]{1,10}")
_INTEGER_MAX: Final = 2**31 - 1
_CHUNK: Final = 1000  # rows that an export holds at once
_LATE: Final = timedelta(days=40)  # a refund ends at most so long after it was made


class Column(Struct, frozen=True):
    """`name` is the column of the row; its heading is the text `col_<name>`. Money is in the row's
    currency, and so are taxes, by their rate in basis points. `summed`: it has a total."""

    name: str
    kind: Kind = "text"
    summed: bool = False


class Listing(Struct, frozen=True, kw_only=True):
    """The rows are ordered by their `id`. `late`: a row may be older than the day of which it is
    listed by so much."""

    sql: str
    columns: tuple[Column, ...]
    late: timedelta = timedelta()
    booked: str = ""  # the total as the ledger has it for the same days, by currency


# $1, $2: the days. $3, $4: keys that bound them. $5: account, $6: machine, $7: product. $8: the key
# of the last row of the page before, $9: how many.
_ORDERS = """
SELECT o.id, o.placed_at, o.paid_at, o.number, o.outlet_id AS machine, o.state,
    (SELECT string_agg(n.quantity || ' ' || n.name, ', ' ORDER BY n.id) FROM order_lines n
        WHERE n.order_id = o.id) AS items,
    a.gateway || ' ' || a.slug AS account, c.gateway_payment_id, o.amount_minor AS amount,
    coalesce(b.captured, 0)::bigint AS captured, coalesce(b.goods, 0)::bigint AS goods,
    coalesce(b.given_back, 0)::bigint AS given_back, o.currency::text AS currency
FROM orders o LEFT JOIN captures c ON c.order_id = o.id AND c.reason IS NULL
    LEFT JOIN gateway_accounts a ON a.id = c.account_id
    LEFT JOIN LATERAL (SELECT
        sum(l.amount) FILTER (WHERE l.account = 'gateway' AND l.why = 'captured') AS captured,
        -sum(l.amount) FILTER (WHERE l.account = 'sales') AS goods,
        -sum(l.amount) FILTER (WHERE l.account = 'gateway'
            AND l.why NOT IN ('captured', 'fee', 'fee_corrected')) AS given_back
        FROM captures k JOIN ledger l ON l.capture_id = k.id WHERE k.order_id = o.id) b ON true
WHERE o.id >= $3 AND o.id < $4 AND o.placed_at >= $1 AND o.placed_at < $2
    AND o.source <> 'test_vend'
    AND ($5::uuid IS NULL OR c.account_id = $5) AND ($6::text IS NULL OR o.outlet_id = $6)
    AND ($7::text IS NULL OR EXISTS (SELECT FROM order_lines n WHERE n.order_id = o.id
        AND n.sku = $7))
    AND ($8::uuid IS NULL OR o.id < $8)
ORDER BY o.id DESC LIMIT $9
"""

# By when they were booked, so that their sum is the ledger's of the same days.
_PAYMENTS = """
SELECT c.id, c.seen_at AS booked_at, c.captured_at, a.gateway || ' ' || a.slug AS account,
    c.gateway_payment_id, o.id AS order_id, o.number, coalesce(o.outlet_id, q.outlet_id) AS machine,
    c.reason, c.captured, c.fee_minor AS fee, c.settlement AS payout, c.settled_at AS paid_out_at,
    c.currency::text AS currency
FROM captures c JOIN gateway_accounts a ON a.id = c.account_id
    LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN qr_codes q ON q.id = c.qr_id
WHERE c.id >= $3 AND c.id < $4 AND c.seen_at >= $1 AND c.seen_at < $2
    AND ($5::uuid IS NULL OR c.account_id = $5)
    AND ($6::text IS NULL OR coalesce(o.outlet_id, q.outlet_id) = $6)
    AND ($7::text IS NULL OR EXISTS (SELECT FROM order_lines n WHERE n.order_id = o.id
        AND n.sku = $7))
    AND ($8::uuid IS NULL OR c.id < $8)
ORDER BY c.id DESC LIMIT $9
"""
_PAYMENTS_BOOKED = """
SELECT m.currency, sum(m.captured)::bigint AS captured FROM money_of_days($1) m
WHERE ($2::uuid IS NULL OR m.account_id = $2) AND ($3::text IS NULL OR m.outlet_id = $3) GROUP BY 1
"""

# By when they ended; those that have not ended, by when they were made. `moved` is what left the
# gateway by this refund: nothing when what another one gave back covered it.
_REFUNDS = """
SELECT r.id, coalesce(r.ended_at, r.created_at) AS at, a.gateway || ' ' || a.slug AS account,
    r.gateway_refund_id, c.gateway_payment_id, o.id AS order_id, o.number,
    coalesce(o.outlet_id, q.outlet_id) AS machine, r.state AS refund, r.reason,
    r.amount_minor AS amount, CASE WHEN r.state = 'succeeded' AND NOT EXISTS (SELECT FROM events e
        WHERE e.subject_id = r.id AND e.machine = 'refund' AND e.event = 'COVERED'
            AND e.state IS NOT NULL) THEN r.amount_minor ELSE 0 END AS moved,
    r.currency::text AS currency
FROM refunds r JOIN captures c ON c.id = r.capture_id
    JOIN gateway_accounts a ON a.id = r.account_id LEFT JOIN orders o ON o.id = c.order_id
    LEFT JOIN qr_codes q ON q.id = c.qr_id
WHERE r.id >= $3 AND r.id < $4
    AND coalesce(r.ended_at, r.created_at) >= $1 AND coalesce(r.ended_at, r.created_at) < $2
    AND ($5::uuid IS NULL OR r.account_id = $5)
    AND ($6::text IS NULL OR coalesce(o.outlet_id, q.outlet_id) = $6)
    AND ($7::text IS NULL OR EXISTS (SELECT FROM order_lines n WHERE n.order_id = o.id
        AND n.sku = $7))
    AND ($8::uuid IS NULL OR r.id < $8)
ORDER BY r.id DESC LIMIT $9
"""
_REFUNDS_BOOKED = """
SELECT m.currency, sum(m.given_back)::bigint AS moved FROM money_of_days($1) m
WHERE ($2::uuid IS NULL OR m.account_id = $2) AND ($3::text IS NULL OR m.outlet_id = $3) GROUP BY 1
"""

# Lines of the ledger: a fee that is corrected later is a line of the later day.
_FEES = """
SELECT l.id, l.at, a.gateway || ' ' || a.slug AS account, c.gateway_payment_id, o.id AS order_id,
    o.number, coalesce(o.outlet_id, q.outlet_id) AS machine, l.why, l.amount AS fee,
    l.currency::text AS currency
FROM ledger l JOIN captures c ON c.id = l.capture_id JOIN gateway_accounts a ON a.id = c.account_id
    LEFT JOIN orders o ON o.id = c.order_id LEFT JOIN qr_codes q ON q.id = c.qr_id
WHERE l.account = 'fees' AND l.at >= $1 AND l.at < $2
    AND $3::uuid IS NOT NULL AND $4::uuid IS NOT NULL
    AND ($5::uuid IS NULL OR c.account_id = $5)
    AND ($6::text IS NULL OR coalesce(o.outlet_id, q.outlet_id) = $6)
    AND ($7::text IS NULL OR EXISTS (SELECT FROM order_lines n WHERE n.order_id = o.id
        AND n.sku = $7))
    AND ($8::bigint IS NULL OR l.id < $8)
ORDER BY l.id DESC LIMIT $9
"""
_FEES_BOOKED = """
SELECT m.currency, sum(m.fees)::bigint AS fee FROM money_of_days($1) m
WHERE ($2::uuid IS NULL OR m.account_id = $2) AND ($3::text IS NULL OR m.outlet_id = $3) GROUP BY 1
"""

# As the gateway says: which captures it paid out together, less what it kept.
_PAYOUTS = """
SELECT * FROM (
    SELECT max(c.settled_at)::text || ' ' || a.id || ' ' || coalesce(c.settlement, '') || ' '
            || c.currency AS id, max(c.settled_at) AS paid_out_at,
        a.gateway || ' ' || a.slug AS account, c.settlement AS payout, count(*) AS payments,
        sum(c.captured)::bigint AS captured, coalesce(sum(c.fee_minor), 0)::bigint AS fee,
        sum(c.captured - coalesce(c.fee_minor, 0))::bigint AS paid_out, c.currency::text AS currency
    FROM gateway_accounts a JOIN captures c ON c.account_id = a.id AND c.settled_at >= $1
        AND c.settled_at < $2 AND c.settled_at IS NOT NULL
    WHERE $3::uuid IS NOT NULL AND $4::uuid IS NOT NULL AND ($5::uuid IS NULL OR a.id = $5)
        AND ($6::text IS NULL OR EXISTS (SELECT FROM orders o WHERE o.id = c.order_id
            AND o.outlet_id = $6))
        AND ($7::text IS NULL OR EXISTS (SELECT FROM order_lines n WHERE n.order_id = c.order_id
            AND n.sku = $7))
    GROUP BY a.id, a.gateway, a.slug, c.settlement, c.currency
) p WHERE $8::text IS NULL OR p.id < $8 ORDER BY p.id DESC LIMIT $9
"""

_MACHINES = """
SELECT o.id, o.id AS machine, o.name, o.place, o.kind, d.last_seen_at AS last_heard_at,
    (SELECT coalesce(sum(s.stock), 0) FROM slots s WHERE s.outlet_id = o.id) AS stock,
    coalesce(u.sold, 0)::bigint AS sold, coalesce(u.failed, 0)::bigint AS failed,
    coalesce(m.captured, 0)::bigint AS captured, coalesce(m.given_back, 0)::bigint AS given_back,
    coalesce(m.goods, 0)::bigint AS goods, o.currency::text AS currency
FROM outlets o LEFT JOIN devices d ON d.outlet_id = o.id
    LEFT JOIN (SELECT outlet_id, currency, sum(captured) AS captured,
            sum(given_back) AS given_back, sum(goods) AS goods FROM money_of_days($10)
            WHERE $5::uuid IS NULL OR account_id = $5 GROUP BY 1, 2) m
        ON m.outlet_id = o.id AND m.currency = o.currency
    LEFT JOIN (SELECT outlet_id, currency, sum(sold) AS sold, sum(failed) AS failed
            FROM units_of_days($10) WHERE $7::text IS NULL OR sku = $7 GROUP BY 1, 2) u
        ON u.outlet_id = o.id AND u.currency = o.currency
WHERE $1::timestamptz < $2::timestamptz AND $3::uuid IS NOT NULL AND $4::uuid IS NOT NULL
    AND ($6::text IS NULL OR o.id = $6) AND ($8::text IS NULL OR o.id < $8)
ORDER BY o.id DESC LIMIT $9
"""

# By when they ended. What is not known is empty, and so is a profit that rests on it: `most` is the
# most that it can be, and `unknown` counts what is not known.
_PROFITS = """
SELECT p.order_id AS id, p.order_id, p.ended_at, p.number, p.outlet_id AS machine,
    (SELECT string_agg(n.quantity || ' ' || n.name, ', ' ORDER BY n.id) FROM order_lines n
        WHERE n.order_id = p.order_id) AS items,
    p.paid, p.tips, p.delivery, p.taxes, p.goodwill + p.outside AS back,
    CASE p.no_cost WHEN 0 THEN p.cost END AS cost, CASE p.no_fee WHEN 0 THEN p.fee END AS fee,
    CASE p.no_price WHEN 0 THEN p.messages END AS messages,
    CASE p.no_cost + p.no_fee + p.no_price WHEN 0 THEN p.paid + p.tips + p.delivery - p.goodwill
        - p.outside - p.taxes - p.cost - p.fee - p.messages END AS profit,
    p.paid + p.tips + p.delivery - p.goodwill - p.outside - p.taxes - p.cost - p.fee - p.messages
        AS most,
    p.no_cost + p.no_fee + p.no_price AS unknown, p.currency
FROM profit_between($1, $2) p
WHERE $3::uuid IS NOT NULL AND $4::uuid IS NOT NULL
    AND ($5::uuid IS NULL OR EXISTS (SELECT FROM captures c WHERE c.order_id = p.order_id
        AND c.account_id = $5))
    AND ($6::text IS NULL OR p.outlet_id = $6)
    AND ($7::text IS NULL OR EXISTS (SELECT FROM order_lines n WHERE n.order_id = p.order_id
        AND n.sku = $7))
    AND ($8::uuid IS NULL OR p.order_id < $8)
ORDER BY p.order_id DESC LIMIT $9
"""

# What counters sold, by the numbers of their receipts; and what refunds correct of it. Of a note
# that is void nothing went back.
_INVOICES = """
SELECT i.year || '-' || lpad(i.number::text, 10, '0') AS id,
    number_of_year(i.year, i.number) AS receipt, i.at, o.id AS order_id, o.number,
    o.outlet_id AS machine, o.amount_minor - t.tax AS net, t.tax, t.taxes,
    o.amount_minor AS amount, o.currency::text AS currency
FROM counter_invoices i JOIN orders o ON o.id = i.order_id
    CROSS JOIN LATERAL (SELECT coalesce(sum(x.tax), 0)::bigint AS tax,
        coalesce(jsonb_object_agg(x.bp::text, x.tax) FILTER (WHERE x.tax > 0), '{}') AS taxes
        FROM counter_taxes(o.id) x) t
WHERE i.at >= $1 AND i.at < $2 AND $3::uuid IS NOT NULL AND $4::uuid IS NOT NULL
    AND ($5::uuid IS NULL OR EXISTS (SELECT FROM captures c WHERE c.order_id = o.id
        AND c.reason IS NULL AND c.account_id = $5))
    AND ($6::text IS NULL OR o.outlet_id = $6)
    AND ($7::text IS NULL OR EXISTS (SELECT FROM order_lines n WHERE n.order_id = o.id
        AND n.sku = $7))
    AND ($8::text IS NULL OR (i.year, i.number)
        < (split_part($8, '-', 1)::integer, split_part($8, '-', 2)::integer))
ORDER BY i.year DESC, i.number DESC LIMIT $9
"""
_CREDITS = """
SELECT n.year || '-' || lpad(n.number::text, 10, '0') AS id,
    number_of_year(n.year, n.number) AS credit, n.at,
    number_of_year(i.year, i.number) AS receipt, n.order_id, o.number,
    o.outlet_id AS machine, CASE WHEN n.void_at IS NULL THEN 'valid' ELSE 'void' END AS note,
    l.name AS items, k.reason, coalesce(w.reason, u.reason) AS said, v.amount - v.tax AS net,
    v.tax, v.taxes, v.amount, o.currency::text AS currency
FROM counter_credit_notes n JOIN orders o ON o.id = n.order_id
    JOIN refunds r ON r.id = n.refund_id JOIN refunds k ON k.id = coalesce(r.in_place_of, r.id)
    LEFT JOIN counter_invoices i ON i.order_id = n.order_id
    LEFT JOIN fulfillments f ON f.id = n.unit_id LEFT JOIN order_lines l ON l.id = f.line_id
    LEFT JOIN counter_units u ON u.id = n.unit_id
    LEFT JOIN order_refund_parts p ON p.id = k.part_id
    LEFT JOIN order_refunds w ON w.id = p.order_refund_id
    CROSS JOIN LATERAL (SELECT CASE WHEN n.void_at IS NULL THEN n.amount_minor ELSE 0 END AS amount,
        CASE WHEN n.void_at IS NULL THEN n.taxes ELSE '{}' END AS taxes,
        CASE WHEN n.void_at IS NULL THEN (SELECT coalesce(sum(x.value::bigint), 0)::bigint
            FROM jsonb_each_text(n.taxes) x) ELSE 0 END AS tax) v
WHERE n.at >= $1 AND n.at < $2 AND $3::uuid IS NOT NULL AND $4::uuid IS NOT NULL
    AND ($5::uuid IS NULL OR r.account_id = $5) AND ($6::text IS NULL OR o.outlet_id = $6)
    AND ($7::text IS NULL OR l.sku = $7)
    AND ($8::text IS NULL OR (n.year, n.number)
        < (split_part($8, '-', 1)::integer, split_part($8, '-', 2)::integer))
ORDER BY n.year DESC, n.number DESC LIMIT $9
"""

_ACCOUNT, _MACHINE, _ORDER = Column("account"), Column("machine"), Column("number", "order")
_PAYMENT = Column("gateway_payment_id")


def _money(name: str, summed: bool = True) -> Column:
    return Column(name, "money", summed)


LISTINGS: Final[Mapping[str, Listing]] = {
    "orders": Listing(
        sql=_ORDERS,
        columns=(
            Column("placed_at", "time"), _ORDER, _MACHINE, Column("items"), Column("state", "word"),
            _money("amount"), _money("captured"), _money("goods"), _money("given_back"), _ACCOUNT,
            _PAYMENT, Column("paid_at", "time"),
        ),
    ),
    "payments": Listing(
        sql=_PAYMENTS, booked=_PAYMENTS_BOOKED,
        columns=(
            Column("booked_at", "time"), Column("captured_at", "time"), _ACCOUNT, _PAYMENT, _ORDER,
            _MACHINE, Column("reason", "word"), Column("payout"), Column("paid_out_at", "time"),
            _money("captured"), _money("fee"),
        ),
    ),
    "refunds": Listing(
        sql=_REFUNDS, booked=_REFUNDS_BOOKED, late=_LATE,
        columns=(
            Column("at", "time"), _ACCOUNT, Column("gateway_refund_id"), _PAYMENT, _ORDER, _MACHINE,
            Column("refund", "word"), Column("reason", "word"), _money("amount"), _money("moved"),
        ),
    ),
    "payouts": Listing(
        sql=_PAYOUTS,
        columns=(
            Column("paid_out_at", "time"), _ACCOUNT, Column("payout"),
            Column("payments", "count", True), _money("captured"), _money("fee"),
            _money("paid_out"),
        ),
    ),
    "fees": Listing(
        sql=_FEES, booked=_FEES_BOOKED,
        columns=(
            Column("at", "time"), _ACCOUNT, _PAYMENT, _ORDER, _MACHINE, Column("why", "word"),
            _money("fee"),
        ),
    ),
    "profits": Listing(
        sql=_PROFITS,
        columns=(
            Column("ended_at", "time"), _ORDER, _MACHINE, Column("items"), _money("paid"),
            _money("tips"), _money("delivery"), _money("taxes"), _money("back"), _money("cost"),
            _money("fee"), _money("messages"), _money("profit"),
            Column("unknown", "count", True),
        ),
    ),
    "invoices": Listing(
        sql=_INVOICES,
        columns=(
            Column("receipt"), Column("at", "time"), _ORDER, _money("amount"), _money("net"),
            _money("tax"), Column("taxes", "taxes"), _MACHINE,
        ),
    ),
    "credits": Listing(
        sql=_CREDITS,
        columns=(
            Column("credit"), Column("at", "time"), Column("receipt"), _ORDER, _money("amount"),
            _money("net"), _money("tax"), Column("taxes", "taxes"), Column("note", "word"),
            Column("items"), Column("reason", "word"), Column("said"), _MACHINE,
        ),
    ),
    "machines": Listing(
        sql=_MACHINES,
        columns=(
            _MACHINE, Column("name"), Column("place"), Column("kind", "word"),
            Column("last_heard_at", "time"), Column("stock", "count", True),
            Column("sold", "count", True), Column("failed", "count", True), _money("captured"),
            _money("goods"), _money("given_back"),
        ),
    ),
}  # fmt: skip


class Wanted(Struct, frozen=True):
    """Which list, of what."""

    name: str
    of: MoneyFilter

    @property
    def listing(self) -> Listing:
        return LISTINGS[self.name]


async def page(
    context: Context, merchant: UUID, wanted: Wanted, after: str, limit: int
) -> Sequence[asyncpg.Record]:
    """One page of a list; `after` is the key of the last row of the page before. Raises ValueError
    for a key that is none."""
    return await _read(context, merchant, wanted, _key(wanted.name, after), limit)


async def chunks(
    context: Context, merchant: UUID, wanted: Wanted
) -> AsyncIterator[Sequence[asyncpg.Record]]:
    """The whole list, so many rows at a time. No connection is held between two chunks: whoever
    reads slowly keeps nobody waiting."""
    key: Any = None
    while True:
        rows = await _read(context, merchant, wanted, key, _CHUNK)
        if rows:
            yield rows
        if len(rows) < _CHUNK:
            return
        key = rows[-1]["id"]


async def booked(context: Context, merchant: UUID, wanted: Wanted) -> Sequence[asyncpg.Record]:
    """What the ledger says of the same days, by currency; nothing where the list has no such sum,
    or is of one product only."""
    sql, of = wanted.listing.booked, wanted.of
    if not sql or of.sku is not None:
        return []
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        read = await readable(conn, of.days)
        if read.left_out:  # a part of the ledger would look like a difference
            return []
        return await conn.fetch(sql, read.rows, of.account, of.outlet)


async def _read(
    context: Context, merchant: UUID, wanted: Wanted, key: Any, limit: int
) -> Sequence[asyncpg.Record]:
    of, sql = wanted.of, wanted.listing.sql
    values: list[Any] = [
        of.begun, of.ended, first_uuid7(of.begun - wanted.listing.late), first_uuid7(of.ended),
        of.account, of.outlet, of.sku, key, limit,
    ]  # fmt: skip
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        if "$10" in sql:
            values.append((await readable(conn, of.days)).rows)
        return await conn.fetch(sql, *values)


def _key(name: str, text: str) -> Any:
    if not text:
        return None
    if name in ("payouts", "machines"):
        return text
    if name in ("invoices", "credits"):
        if not _OF_YEAR.fullmatch(text) or int(text[5:]) > _INTEGER_MAX:
            raise ValueError(f"{text[:40]!r} is no number of a year")
        return text
    if name != "fees":
        return UUID(text)
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no key of a line")
    return int(text)
