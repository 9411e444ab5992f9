"""What staff do about paper: they look at what did not come out, and print a ticket, a receipt or a
credit note once more, which is then a copy."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.context import Context
from coinslot.counter import store
from coinslot.counter.printing import Stage, stage_of
from coinslot.counter.staff import CounterError, Staff, Why
from coinslot.people.audit_log import Act, record

_SHOWN: Final = 20


class Problem(Struct, frozen=True, kw_only=True):
    """A job that somebody has to look at."""

    id: UUID
    kind: str
    number: str
    printer: str
    stage: Stage
    problem: str
    at: datetime


_PROBLEMS = """
SELECT j.*, p.name AS printer, coalesce(o.number, w.number) AS number FROM counter_prints j
JOIN counter_printers p ON p.id = j.printer_id LEFT JOIN orders o ON o.id = j.order_id
LEFT JOIN counter_walk_ins w ON w.id = j.walk_in_id
WHERE ($1::text[] IS NULL OR j.outlet_id = ANY ($1)) AND j.created_at > $2
    AND j.printed_at IS NULL AND j.said_by IS NULL
    AND (j.doubted_at IS NOT NULL OR j.failed_at IS NOT NULL)
ORDER BY j.created_at, j.id LIMIT $3
"""
_NOTE = """
SELECT n.refund_id FROM counter_credit_notes n JOIN orders o ON o.id = n.order_id
WHERE n.order_id = $1 AND number_of_year(n.year, n.number) = $2
    AND ($3::text[] IS NULL OR o.outlet_id = ANY ($3))
"""
_HAS_PRINTER = """
SELECT EXISTS (SELECT FROM counter_printers WHERE retired_at IS NULL
    AND ($1::text[] IS NULL OR outlet_id = ANY ($1)))
"""
_SETTLE = """
UPDATE counter_prints SET said_by = $3 WHERE id = $1 AND due_at IS NULL AND said_by IS NULL
    AND ($2::text[] IS NULL OR outlet_id = ANY ($2)) RETURNING order_id
"""
_AGAIN = """
INSERT INTO counter_prints (id, merchant_id, outlet_id, printer_id, order_id, kind, copy, units,
    token, created_at, due_at)
SELECT uuid7($2), p.merchant_id, p.outlet_id, p.id, $1, $3,
    (SELECT coalesce(max(j.copy) + 1, $4) FROM counter_prints j
        WHERE j.printer_id = p.id AND j.order_id = $1 AND j.kind = $3),
    array_agg(f.id ORDER BY f.id), left(replace(gen_random_uuid()::text, '-', ''), 24), $2, $2
FROM fulfillments f JOIN counter_lines l ON l.line_id = f.line_id
JOIN counter_items i ON i.id = l.item_id
JOIN counter_printers p ON p.outlet_id = f.outlet_id AND p.retired_at IS NULL
    AND ($3 = 'receipt' OR (p.tickets AND (p.stations = '{}' OR i.station = ANY (p.stations))))
WHERE f.order_id = $1 AND ($3 = 'receipt' OR f.settlement IS DISTINCT FROM 'refund_due')
    AND ($3 <> 'receipt' OR p.id = (SELECT r.id FROM counter_printers r
        WHERE r.outlet_id = f.outlet_id AND r.retired_at IS NULL ORDER BY r.tickets, r.id LIMIT 1))
GROUP BY p.id
ON CONFLICT (printer_id, order_id, kind, copy) WHERE kind IN ('ticket', 'receipt')
    DO UPDATE SET copy = EXCLUDED.copy RETURNING id
"""
_CREDIT = """
INSERT INTO counter_prints (id, merchant_id, outlet_id, printer_id, order_id, credit_refund, kind,
    copy, units, token, created_at, due_at)
SELECT uuid7($2), p.merchant_id, p.outlet_id, p.id, n.order_id, n.refund_id, 'credit',
    (SELECT coalesce(max(j.copy) + 1, 0) FROM counter_prints j
        WHERE j.printer_id = p.id AND j.credit_refund = n.refund_id),
    array_remove(ARRAY[n.unit_id], NULL), left(replace(gen_random_uuid()::text, '-', ''), 24),
    $2, $2
FROM counter_credit_notes n JOIN orders o ON o.id = n.order_id
CROSS JOIN LATERAL (SELECT r.* FROM counter_printers r WHERE r.outlet_id = o.outlet_id
    AND r.retired_at IS NULL ORDER BY r.tickets, r.id LIMIT 1) p
WHERE n.refund_id = $1
ON CONFLICT (printer_id, credit_refund, copy) WHERE kind = 'credit'
    DO UPDATE SET copy = EXCLUDED.copy RETURNING id
"""
# What was cancelled is said once more to whoever has it on paper.
_CANCELLED_AGAIN = """
INSERT INTO counter_prints (id, merchant_id, outlet_id, printer_id, order_id, walk_in_id, kind,
    copy, units, token, created_at, due_at)
SELECT uuid7($2), j.merchant_id, j.outlet_id, j.printer_id, j.order_id, j.walk_in_id, j.kind,
    (SELECT max(k.copy) + 1 FROM counter_prints k WHERE k.printer_id = j.printer_id
        AND k.kind = j.kind AND k.order_id IS NOT DISTINCT FROM j.order_id
        AND k.walk_in_id IS NOT DISTINCT FROM j.walk_in_id), j.units,
    left(replace(gen_random_uuid()::text, '-', ''), 24), $2, $2
FROM counter_prints j WHERE j.id = $1 ON CONFLICT DO NOTHING
"""
_JOB_AT = """
SELECT j.order_id, j.walk_in_id, j.credit_refund, j.kind, p.retired_at IS NULL AS has_printer
FROM counter_prints j JOIN counter_printers p ON p.id = j.printer_id
WHERE j.id = $1 AND j.due_at IS NULL AND ($2::text[] IS NULL OR j.outlet_id = ANY ($2))
"""
_AGAIN_WALK_IN = """
INSERT INTO counter_prints (id, merchant_id, outlet_id, printer_id, walk_in_id, kind, copy, token,
    created_at, due_at)
SELECT uuid7($2), p.merchant_id, p.outlet_id, p.id, w.id, 'ticket',
    (SELECT coalesce(max(j.copy) + 1, 0) FROM counter_prints j
        WHERE j.printer_id = p.id AND j.walk_in_id = w.id AND j.kind = 'ticket'),
    left(replace(gen_random_uuid()::text, '-', ''), 24), $2, $2
FROM counter_walk_ins w JOIN counter_printers p ON p.outlet_id = w.outlet_id
    AND p.retired_at IS NULL AND p.tickets AND (p.stations = '{}' OR EXISTS (
        SELECT FROM jsonb_array_elements(w.lines) line WHERE line->>'station' = ANY (p.stations)))
WHERE w.id = $1 AND ($3::text[] IS NULL OR w.outlet_id = ANY ($3)) AND w.cancelled_at IS NULL
    AND w.handed_at IS NULL
RETURNING id
"""
_HOLD_WALK_IN = """
SELECT true FROM counter_walk_ins WHERE id = $1 AND ($2::text[] IS NULL OR outlet_id = ANY ($2))
    AND cancelled_at IS NULL AND handed_at IS NULL FOR NO KEY UPDATE
"""


async def problems(context: Context, who: Staff) -> list[Problem]:
    """What did not come out, or may not have, and nobody has looked at."""
    since = context.now() - context.windows.span("print_shown_s")
    async with context.db.as_merchant(who.merchant) as conn:
        rows = await conn.fetch(_PROBLEMS, who.outlets, since, _SHOWN)
    return [
        Problem(
            id=row["id"], kind=row["kind"], number=row["number"] or "",
            printer=row["printer"], stage=stage_of(row), problem=row["problem"],
            at=row["created_at"],
        )
        for row in rows
    ]  # fmt: skip


async def has_printer(context: Context, who: Staff) -> bool:
    """Whether these staff can print."""
    async with context.db.as_merchant(who.merchant) as conn:
        return bool(await conn.fetchval(_HAS_PRINTER, who.outlets))


async def settle(context: Context, who: Staff, job: UUID) -> None:
    """Somebody looked at the paper. Raises CounterError."""
    async with context.db.as_merchant(who.merchant) as conn:
        if await conn.fetchrow(_SETTLE, job, who.outlets, who.login) is None:
            raise CounterError(Why.UNKNOWN)
        act = Act(action="print.looked_at", merchant=who.merchant, subject=str(job))
        await record(conn, who.actor, act, context.now())


async def again(context: Context, who: Staff, order: UUID, kind: str = "ticket") -> Sequence[UUID]:
    """Print it once more, marked as a copy; or a receipt, whose first one is none. Raises
    CounterError."""
    now = context.now()
    async with context.db.as_merchant(who.merchant) as conn:
        if await conn.fetchrow(store.ORDER_AT, order, who.outlets) is None:
            raise CounterError(Why.UNKNOWN)
        first = 0 if kind == "receipt" else 1
        made = await conn.fetch(_AGAIN, order, now, kind, first)
        if not made:
            raise CounterError(Why.NO_PRINTER)
        act = Act(action=f"print.{kind}", merchant=who.merchant, subject=str(order))
        await record(conn, who.actor, act, now)
    context.wakes.wake("counter_prints")
    return [row["id"] for row in made]


async def walk_in_again(context: Context, who: Staff, walk_in: UUID) -> None:
    """Print what staff entered once more, marked as a copy; what no printer had is none. Of two
    taps at once the second waits. Raises CounterError."""
    now = context.now()
    async with context.db.as_merchant(who.merchant) as conn:
        if not await conn.fetchval(_HOLD_WALK_IN, walk_in, who.outlets):
            raise CounterError(Why.OVER)
        if not await conn.fetch(_AGAIN_WALK_IN, walk_in, now, who.outlets):
            raise CounterError(Why.NO_PRINTER)
        act = Act(action="print.ticket", merchant=who.merchant, subject=str(walk_in))
        await record(conn, who.actor, act, now)
    context.wakes.wake("counter_prints")


async def credit(context: Context, who: Staff, order: UUID, number: str) -> None:
    """Print a credit note by its number; whatever follows the first is a copy. Raises
    CounterError."""
    async with context.db.as_merchant(who.merchant) as conn:
        refund = await conn.fetchval(_NOTE, order, number, who.outlets)
    if refund is None:
        raise CounterError(Why.UNKNOWN)
    await _credit(context, who, order, refund)


async def repeat(context: Context, who: Staff, job: UUID) -> None:
    """Print once more what did not come out: the same kind of paper, about the same. Raises
    CounterError."""
    async with context.db.as_merchant(who.merchant) as conn:
        row = await conn.fetchrow(_JOB_AT, job, who.outlets)
    if row is None or row["kind"] == "test":
        raise CounterError(Why.UNKNOWN)
    if row["kind"] == "credit":
        await _credit(context, who, row["order_id"], row["credit_refund"])
    elif row["kind"] == "cancelled":
        if not row["has_printer"]:
            raise CounterError(Why.NO_PRINTER)
        await _cancelled_again(context, who, job)
    elif row["walk_in_id"] is not None:
        await walk_in_again(context, who, row["walk_in_id"])
    else:
        await again(context, who, row["order_id"], row["kind"])


async def _credit(context: Context, who: Staff, order: UUID, refund: UUID) -> None:
    now = context.now()
    async with context.db.as_merchant(who.merchant) as conn:
        if not await conn.fetch(_CREDIT, refund, now):
            raise CounterError(Why.NO_PRINTER)
        act = Act(action="print.credit", merchant=who.merchant, subject=str(order))
        await record(conn, who.actor, act, now)
    context.wakes.wake("counter_prints")


async def _cancelled_again(context: Context, who: Staff, job: UUID) -> None:
    """Of two taps at once one prints."""
    now = context.now()
    async with context.db.as_merchant(who.merchant) as conn:
        await conn.execute(_CANCELLED_AGAIN, job, now)
        act = Act(action="print.cancelled", merchant=who.merchant, subject=str(job))
        await record(conn, who.actor, act, now)
    context.wakes.wake("counter_prints")
