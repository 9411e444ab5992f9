"""What the API shows of payments: plain structs, and how they are read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.db.pool import Connection

_PAYMENT = """
SELECT p.*, coalesce(c.captured, 0) AS captured,
    coalesce(c.refund_due + c.goodwill + c.surplus, 0) AS refund_asked,
    coalesce((SELECT sum(amount_minor) FROM refunds r WHERE r.capture_id = c.id
        AND r.state = 'succeeded' AND (r.gateway_refund_id IS NOT NULL OR EXISTS (SELECT
            FROM events e WHERE e.subject_id = r.id AND e.event = 'PAID_BY_HAND'))
        ), 0)::bigint AS refunded,  -- one that was covered moved no money of its own
    ARRAY(SELECT r.id FROM refunds r JOIN captures k ON k.id = r.capture_id
        WHERE k.payment_id = p.id AND NOT is_told_as_ours(r) ORDER BY r.id) AS refund_ids
FROM payments p LEFT JOIN captures c ON c.payment_id = p.id AND c.reason IS NULL
WHERE p.source = 'api' AND p.id = ANY({which})
ORDER BY p.id DESC
"""
_ATTEMPTS = """
SELECT a.*, g.gateway FROM attempts a JOIN gateway_accounts g ON g.id = a.account_id
WHERE a.payment_id = ANY($1::uuid[]) ORDER BY a.payment_id, a.number
"""
_REFUNDS = """
SELECT r.*, c.payment_id, n.id AS replaced_by,
    coalesce(r.gateway_refund_id, o.gateway_refund_id) AS known_there_as
FROM refunds r JOIN captures c ON c.id = r.capture_id
JOIN payments p ON p.id = c.payment_id AND p.source = 'api'
LEFT JOIN refunds n ON n.replaces = r.id LEFT JOIN refunds o ON o.id = r.covered_by
"""
_REFUND = f"{_REFUNDS} WHERE r.id = $1"
_REFUNDS_OF = f"{_REFUNDS} WHERE c.payment_id = $1 AND NOT is_told_as_ours(r) ORDER BY r.id"
_NAMED = _PAYMENT.format(which="$1::uuid[]")
_LISTED = _PAYMENT.format(
    which="""ARRAY(
    SELECT id FROM payments WHERE source = 'api' AND ($1::uuid IS NULL OR id < $1)
        AND ($2::text IS NULL OR state = $2) AND ($3::text IS NULL OR reference = $3)
    ORDER BY id DESC LIMIT $4)"""
)


class Redirected(Struct, frozen=True, tag="redirect"):
    """The payer has to go there."""

    url: str


class Shown(Struct, frozen=True, tag="show_qr"):
    """The payer has to scan: `text` is what the code holds, `image_url` a picture of it."""

    text: str | None = None
    image_url: str | None = None


class AttemptStatement(Struct, frozen=True, kw_only=True):
    """One try at one gateway."""

    id: UUID
    gateway: str
    status: str
    gateway_reference: str | None
    gateway_payment_id: str | None
    failure: str | None
    started_at: datetime


class PaymentStatement(Struct, frozen=True, kw_only=True):
    """A payment as its merchant sees it. Amounts are in minor units. `live`: of a live key."""

    id: UUID
    live: bool
    amount: int
    currency: str
    status: str
    reference: str | None
    description: str
    metadata: dict[str, str]
    gateway: str | None
    next_action: Redirected | Shown | None
    capture_method: str
    amount_capturable: int
    amount_captured: int
    amount_refunded: int
    processing_deadline_at: datetime | None
    created_at: datetime
    attempts: list[AttemptStatement]
    refunds: list[UUID]


class RefundStatement(Struct, frozen=True, kw_only=True):
    """Money on its way back. `failed` names the refund that follows it in `replaced_by`."""

    id: UUID
    payment: UUID
    amount: int
    currency: str
    status: str
    reason: str | None
    failure: str | None
    gateway_refund_id: str | None
    replaced_by: UUID | None
    created_at: datetime


async def payment(conn: Connection, payment_id: UUID) -> PaymentStatement | None:
    """Within the merchant's transaction; None for another merchant's, or one that is not there."""
    found = await payments_named(conn, [payment_id])
    return found[0] if found else None


async def payments_named(conn: Connection, named: Sequence[UUID]) -> list[PaymentStatement]:
    """Those of them that are there, newest first."""
    return await _with_attempts(conn, await conn.fetch(_NAMED, named))


async def _with_attempts(conn: Connection, rows: list[asyncpg.Record]) -> list[PaymentStatement]:
    """One more statement, however many payments they are."""
    tries: dict[UUID, list[asyncpg.Record]] = {row["id"]: [] for row in rows}
    for attempt in await conn.fetch(_ATTEMPTS, list(tries)) if rows else ():
        tries[attempt["payment_id"]].append(attempt)
    return [_statement(row, tries[row["id"]]) for row in rows]


def _statement(row: asyncpg.Record, tries: list[asyncpg.Record]) -> PaymentStatement:
    return PaymentStatement(
        id=row["id"],
        live=row["live"],
        amount=row["amount_minor"],
        currency=row["currency"],
        status=row["state"],
        reference=row["reference"],
        description=row["description"],
        metadata=row["metadata"],
        gateway=tries[-1]["gateway"] if tries else row["gateway"],
        next_action=_action(row, tries),
        capture_method=row["capture_method"],
        amount_capturable=row["amount_minor"] if row["state"] == "authorized" else 0,
        amount_captured=row["captured"],
        amount_refunded=row["refunded"],
        processing_deadline_at=row["processing_deadline_at"],
        created_at=row["created_at"],
        attempts=[_attempt(found) for found in tries],
        refunds=row["refund_ids"],
    )


def _action(row: asyncpg.Record, tries: list[asyncpg.Record]) -> Redirected | Shown | None:
    said: dict[str, Any] | None = tries[-1]["action"] if tries else None
    if row["state"] != "requires_action" or said is None:
        return None
    if said["type"] == "redirect":
        return Redirected(said["url"])
    return Shown(said.get("text"), said.get("image_url"))


def _attempt(row: asyncpg.Record) -> AttemptStatement:
    return AttemptStatement(
        id=row["id"],
        gateway=row["gateway"],
        status=row["state"],
        gateway_reference=row["reference"],
        gateway_payment_id=row["gateway_payment_id"],
        failure=row["failure"],
        started_at=row["started_at"],
    )


class ListQuery(Struct, frozen=True, kw_only=True):
    """Which payments: `after` is the last one of the page before."""

    after: UUID | None = None
    status: str | None = None
    reference: str | None = None
    limit: int = 20


async def payments(conn: Connection, wanted: ListQuery) -> list[PaymentStatement]:
    """Newest first, in two statements for a page of any length."""
    rows = await conn.fetch(_LISTED, wanted.after, wanted.status, wanted.reference, wanted.limit)
    return await _with_attempts(conn, rows)


async def refund(conn: Connection, refund_id: UUID) -> RefundStatement | None:
    """Within the merchant's transaction."""
    row = await conn.fetchrow(_REFUND, refund_id)
    return None if row is None else _refund(row)


async def refunds(conn: Connection, payment_id: UUID) -> list[RefundStatement]:
    """All of a payment, oldest first."""
    return [_refund(row) for row in await conn.fetch(_REFUNDS_OF, payment_id)]


def _refund(row: asyncpg.Record) -> RefundStatement:
    return RefundStatement(
        id=row["id"],
        payment=row["payment_id"],
        amount=row["amount_minor"],
        currency=row["currency"],
        status=row["state"],
        reason=row["asked_reason"],
        failure=row["failure"],
        gateway_refund_id=row["known_there_as"],
        replaced_by=row["replaced_by"],
        created_at=row["created_at"],
    )
