"""What the mirror reads of the tables: which nodes an entry of the log concerns, and their present
state. It reads all merchants, with the system login."""

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.db.pool import Database
from coinslot.events.log import Entry
from coinslot.events.mirror import document as words
from coinslot.events.mirror.document import Nodes
from coinslot.kit.clock import Clock

PAGE = 500

_TOUCHED = """
WITH told AS (SELECT * FROM unnest($1::text[], $2::uuid[]) AS t (machine, id)),
paid AS (
    SELECT p.id, p.order_id FROM told JOIN payments p ON p.id = told.id AND machine = 'payment'
    UNION SELECT p.id, p.order_id FROM told JOIN attempts a ON a.id = told.id
        AND machine = 'attempt' JOIN payments p ON p.id = a.payment_id),
found AS (
    SELECT id AS order_id, NULL::uuid AS capture_id FROM told WHERE machine = 'order'
    UNION SELECT paid.order_id, c.id FROM paid LEFT JOIN captures c ON c.payment_id = paid.id
    UNION SELECT f.order_id, f.capture_id FROM told JOIN fulfillments f ON f.id = told.id
        AND machine = 'fulfillment'
    UNION SELECT NULL, r.capture_id FROM told JOIN refunds r ON r.id = told.id
        AND machine = 'refund'
    UNION SELECT NULL, id FROM told WHERE machine = 'capture')
SELECT o.id AS order_id, o.outlet_id, c.gateway_payment_id
FROM found LEFT JOIN captures c ON c.id = found.capture_id
LEFT JOIN orders o ON o.id = coalesce(found.order_id, c.order_id)
"""

_ORDERS = """
SELECT o.*, a.gateway, c.gateway_payment_id, coalesce(k.qr_code_id, q.qr_code_id) AS qr_code_id,
    u.waits, u.failure_code,
    greatest(o.placed_at, o.paid_at, o.ended_at, u.at, r.at) AS updated_at,
    o.version + coalesce(p.version, 0) + coalesce(u.version, 0) + coalesce(r.version, 0)
        AS seen_version
FROM orders o
LEFT JOIN payments p ON p.order_id = o.id
LEFT JOIN captures c ON c.order_id = o.id AND c.reason IS NULL
LEFT JOIN LATERAL (SELECT * FROM attempts t WHERE t.payment_id = p.id
    ORDER BY t.number DESC LIMIT 1) t ON true
LEFT JOIN gateway_accounts a ON a.id = coalesce(c.account_id, t.account_id)
LEFT JOIN qr_codes k ON k.id = c.qr_id
LEFT JOIN qr_codes q ON q.attempt_id = t.id
LEFT JOIN LATERAL (SELECT sum(f.version) AS version,
    bool_or(f.settlement IS NULL AND f.sent_at IS NULL) AS waits,
    max(greatest(f.queued_at, f.settled_at, (SELECT max(e.at) FROM events e
        WHERE e.subject_id = f.id AND e.state <> e.was))) AS at,
    min(coalesce(f.failure_code, upper(f.basis))) FILTER (WHERE f.settlement = 'refund_due')
        AS failure_code
    FROM fulfillments f WHERE f.order_id = o.id) u ON true
LEFT JOIN LATERAL (SELECT sum(f.version) AS version, max(greatest(f.created_at, f.ended_at)) AS at
    FROM captures b JOIN refunds f ON f.capture_id = b.id WHERE b.order_id = o.id) r ON true
WHERE {which}
"""

# The same payment may arrive at two accounts of one gateway: always the first counts.
_PAYMENTS = """
SELECT DISTINCT ON (c.gateway_payment_id) c.*, a.gateway,
    coalesce(o.outlet_id, q.outlet_id) AS outlet_id,
    (SELECT array_agg(coalesce(f.settlement,
            CASE WHEN f.sent_at IS NULL THEN 'waits' ELSE 'sent' END))
        FROM fulfillments f WHERE f.order_id = c.order_id AND f.capture_id = c.id) AS units,
    (SELECT array_agg(r.state) FROM refunds r WHERE r.capture_id = c.id) AS refunds
FROM captures c JOIN gateway_accounts a ON a.id = c.account_id
LEFT JOIN orders o ON o.id = c.order_id
LEFT JOIN qr_codes q ON q.id = c.qr_id
WHERE {which}
"""

_MACHINES = """
SELECT o.id, o.merchant_id, o.decommissioned_at, d.last_seen_at,
    q.gateway, q.qr_code_id, q.image_url, q.short_url, q.amount_minor,
    EXISTS (SELECT FROM fulfillments f WHERE f.outlet_id = o.id AND f.settlement IS NULL
        AND f.state <> begins_as(f.kind)) AS busy
FROM outlets o LEFT JOIN devices d ON d.outlet_id = o.id
LEFT JOIN LATERAL (SELECT a.gateway, q.qr_code_id, q.image_url, q.short_url, q.amount_minor
    FROM qr_codes q JOIN gateway_accounts a ON a.id = q.account_id
    WHERE q.outlet_id = o.id AND q.payment_id IS NULL AND q.retired_at IS NULL
    AND q.qr_code_id IS NOT NULL ORDER BY q.slot LIMIT 1) q ON true
WHERE {which}
"""

_CODES = """
SELECT qr_code_id, outlet_id, retired_at FROM qr_codes
WHERE outlet_id = ANY($1) AND payment_id IS NULL AND qr_code_id IS NOT NULL
ORDER BY retired_at IS NULL
"""

# Money without a match makes no move, so the log does not contain it.
_PARKED = """
SELECT gateway_payment_id FROM captures WHERE due_at IS NOT NULL AND open > 0 LIMIT 500
"""


class Touched(Struct, frozen=True):
    """Nodes that may have changed, by the ids of what they show."""

    orders: frozenset[UUID] = frozenset()
    payments: frozenset[str] = frozenset()
    machines: frozenset[str] = frozenset()

    def __or__(self, other: "Touched") -> "Touched":
        return Touched(
            self.orders | other.orders,
            self.payments | other.payments,
            self.machines | other.machines,
        )


class Rows:
    """The rows of the tables, as nodes."""

    def __init__(self, db: Database, clock: Clock, online: timedelta) -> None:
        """`online`: a machine unheard for longer is offline."""
        self._db = db
        self._clock = clock
        self._online = online

    async def touched(self, entries: Iterable[Entry]) -> Touched:
        subjects = {(entry.machine, entry.subject_id) for entry in entries}
        found = await self._fetch(_TOUCHED, [m for m, _ in subjects], [s for _, s in subjects])
        return Touched(
            frozenset(row["order_id"] for row in found if row["order_id"] is not None),
            frozenset(row["gateway_payment_id"] for row in found if row["gateway_payment_id"]),
            frozenset(row["outlet_id"] for row in found if row["outlet_id"] is not None),
        )

    async def nodes(self, touched: Touched) -> Nodes:
        """The present state of these."""
        nodes: Nodes = {}
        if touched.orders:
            of = await self._fetch(_ORDERS.format(which="o.id = ANY($1)"), list(touched.orders))
            nodes |= _all(words.order, of)
        if touched.payments:
            which = "c.gateway_payment_id = ANY($1) ORDER BY c.gateway_payment_id, c.id"
            of = await self._fetch(_PAYMENTS.format(which=which), list(touched.payments))
            nodes |= _all(words.payment, of)
        if touched.machines:
            of = await self._fetch(_MACHINES.format(which="o.id = ANY($1)"), list(touched.machines))
            nodes |= _all(self._machine, of)
        return nodes

    async def parked(self) -> Touched:
        """Payments that are not matched yet."""
        rows = await self._fetch(_PARKED)
        return Touched(payments=frozenset(row["gateway_payment_id"] for row in rows))

    async def machines(self) -> AsyncIterator[Nodes]:
        """Every machine with its printed codes, by pages."""
        which = "o.id > $1 ORDER BY o.id LIMIT $2"
        async for rows in self._pages(_MACHINES.format(which=which), "id", ""):
            codes = await self._fetch(_CODES, [row["id"] for row in rows])
            yield _all(self._machine, rows) | _all(words.code, codes)

    async def orders(self) -> AsyncIterator[Nodes]:
        """Every order, by pages."""
        which = "o.id > $1 ORDER BY o.id LIMIT $2"
        async for rows in self._pages(_ORDERS.format(which=which), "id", UUID(int=0)):
            yield _all(words.order, rows)

    async def payments(self) -> AsyncIterator[Nodes]:
        """Everything that a gateway captured, by pages."""
        which = "c.gateway_payment_id > $1 ORDER BY c.gateway_payment_id, c.id LIMIT $2"
        async for rows in self._pages(_PAYMENTS.format(which=which), "gateway_payment_id", ""):
            yield _all(words.payment, rows)

    async def everything(self) -> AsyncIterator[Nodes]:
        for pages in (self.machines(), self.payments(), self.orders()):
            async for nodes in pages:
                yield nodes

    def _machine(self, row: words.Row) -> Nodes:
        return words.machine(row, self._clock.now(), self._online)

    async def _pages(
        self, sql: str, name: str, first: object
    ) -> AsyncIterator[list[asyncpg.Record]]:
        last = first
        while rows := await self._fetch(sql, last, PAGE):
            yield rows
            last = rows[-1][name]

    async def _fetch(self, sql: str, *values: object) -> list[asyncpg.Record]:
        async with self._db.system_connection() as conn:
            return await conn.fetch(sql, *values)


def _all(told: Callable[[Any], Nodes], rows: Iterable[Any]) -> Nodes:
    nodes: Nodes = {}
    for row in rows:
        nodes |= told(row)
    return nodes
