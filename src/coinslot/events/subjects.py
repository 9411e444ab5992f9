"""What an event shows: its subject as the API shows it, in the state that the event brought."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct, convert
from msgspec.structs import replace

from coinslot.db.pool import Connection
from coinslot.events.log import Entry
from coinslot.payments import api_views
from coinslot.payments.api_views import PaymentStatement

_ORDER = """
SELECT o.id, o.number, o.outlet_id, o.amount_minor, o.currency, o.placed_at, o.paid_at,
    (SELECT coalesce(sum(f.amount_minor), 0)::bigint FROM fulfillments f
     WHERE f.order_id = o.id AND f.settlement = 'refund_due')
    + (SELECT coalesce(sum(x.amount_minor), 0)::bigint FROM order_extras x
       WHERE x.order_id = o.id AND x.settlement = 'refund_due') AS given_back,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('slot', l.slot, 'sku', l.sku, 'name', l.name,
        'quantity', l.quantity, 'price', l.price_minor) ORDER BY l.id), '[]')
        FROM order_lines l WHERE l.order_id = o.id) AS items,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', x.kind, 'amount', x.amount_minor)
        ORDER BY x.id), '[]') FROM order_extras x WHERE x.order_id = o.id) AS extras
FROM orders o WHERE o.id = ANY ($1::uuid[])
"""
_UNIT = """
SELECT f.id, f.order_id, f.outlet_id, l.slot, f.amount_minor, f.currency, f.basis, f.failure_code
FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
WHERE f.id = ANY ($1::uuid[])
"""
_REFUND = """
SELECT r.*, c.order_id, p.id AS payment_id, n.id AS replaced_by,
    coalesce(r.gateway_refund_id, o.gateway_refund_id) AS known_there_as
FROM refunds r JOIN captures c ON c.id = r.capture_id
LEFT JOIN payments p ON p.id = c.payment_id AND p.source = 'api'
LEFT JOIN refunds n ON n.replaces = r.id LEFT JOIN refunds o ON o.id = r.covered_by
WHERE r.id = ANY ($1::uuid[])
"""
_DISPUTE = """
SELECT d.*, c.order_id, p.id AS payment_id FROM disputes d JOIN captures c ON c.id = d.capture_id
LEFT JOIN payments p ON p.id = c.payment_id AND p.source = 'api'
WHERE d.id = ANY ($1::uuid[])
"""


class ItemStatement(Struct, frozen=True, kw_only=True):
    """What an order is for."""

    slot: str
    sku: str
    name: str
    quantity: int
    price: int


class ExtraStatement(Struct, frozen=True, kw_only=True):
    """What an order costs beside its items: `tip`, `delivery_fee` or `added_tax`."""

    kind: str
    amount: int


class OrderStatement(Struct, frozen=True, kw_only=True):
    """An order at a machine."""

    id: UUID
    number: str
    outlet: str
    amount: int
    currency: str
    status: str
    placed_at: datetime
    paid_at: datetime | None
    given_back: int  # of the amount, for what was not handed over; known when the order has ended
    items: list[ItemStatement]
    extras: list[ExtraStatement]


class UnitStatement(Struct, frozen=True, kw_only=True):
    """One unit of an order: what became of it. `basis` says how that is known."""

    id: UUID
    order: UUID
    outlet: str
    slot: str
    amount: int
    currency: str
    status: str
    basis: str | None
    failure: str | None


class MoneyBackStatement(Struct, frozen=True, kw_only=True):
    """A refund of a payment, of an order, or of money that matched neither."""

    id: UUID
    payment: UUID | None
    order: UUID | None
    amount: int
    currency: str
    status: str
    reason: str | None
    failure: str | None
    gateway_refund_id: str | None
    replaced_by: UUID | None
    created_at: datetime


class DisputeStatement(Struct, frozen=True, kw_only=True):
    """Money that a payer's bank claims back. A lost one is a refund, too."""

    id: UUID
    payment: UUID | None
    order: UUID | None
    amount: int
    currency: str
    status: str
    reason: str
    gateway_dispute_id: str
    opened_at: datetime


Statement = (
    PaymentStatement | OrderStatement | UnitStatement | MoneyBackStatement | DisputeStatement
)


class Subject(Struct, frozen=True):
    """What is shown, and the line within which events keep their order: the payment or the
    order."""

    shown: Statement
    line: UUID


async def subjects(conn: Connection, told: Sequence[tuple[Entry, str]]) -> list[Subject | None]:
    """Of each entry with the state that it brought, in as many statements as there are sorts. None
    when a merchant's server was never shown this: the payment of an order at a machine."""
    wanted: dict[str, set[UUID]] = {}
    for entry, _ in told:
        wanted.setdefault(entry.machine, set()).add(entry.subject_id)
    found: dict[tuple[str, UUID], Any] = {}
    for machine, ids in wanted.items():
        if machine == "payment":
            rows: Any = await api_views.payments_named(conn, list(ids))
        elif machine in _READ:
            rows = await conn.fetch(_READ[machine], list(ids))
        else:
            continue
        for row in rows:
            found[machine, row.id if machine == "payment" else row["id"]] = row
    return [
        _SHOWN[entry.machine](row, status)
        if (row := found.get((entry.machine, entry.subject_id))) is not None
        else None
        for entry, status in told
    ]


async def subject(conn: Connection, entry: Entry, status: str) -> Subject | None:
    """Of one entry."""
    return (await subjects(conn, [(entry, status)]))[0]


def _payment(found: PaymentStatement, status: str) -> Subject:
    return Subject(replace(found, status=status), found.id)


def _refund(row: asyncpg.Record, status: str) -> Subject:
    shown = MoneyBackStatement(
        id=row["id"], payment=row["payment_id"], order=row["order_id"], amount=row["amount_minor"],
        currency=row["currency"], status=status, reason=row["asked_reason"] or row["reason"],
        failure=row["failure"], gateway_refund_id=row["known_there_as"],
        replaced_by=row["replaced_by"], created_at=row["created_at"],
    )  # fmt: skip
    return Subject(shown, row["payment_id"] or row["order_id"] or row["capture_id"])


def _dispute(row: asyncpg.Record, status: str) -> Subject:
    shown = DisputeStatement(
        id=row["id"], payment=row["payment_id"], order=row["order_id"], amount=row["amount_minor"],
        currency=row["currency"], status=status, reason=row["reason"],
        gateway_dispute_id=row["gateway_dispute_id"], opened_at=row["opened_at"],
    )  # fmt: skip
    return Subject(shown, row["payment_id"] or row["order_id"] or row["capture_id"])


def _order(row: asyncpg.Record, status: str) -> Subject:
    shown = OrderStatement(
        id=row["id"], number=row["number"], outlet=row["outlet_id"], amount=row["amount_minor"],
        currency=row["currency"], status=status, placed_at=row["placed_at"],
        paid_at=row["paid_at"],
        given_back=row["given_back"] if status in ("completed", "failed") else 0,
        items=convert(row["items"], list[ItemStatement]),
        extras=convert(row["extras"], list[ExtraStatement]),
    )  # fmt: skip
    return Subject(shown, row["id"])


def _unit(row: asyncpg.Record, status: str) -> Subject:
    shown = UnitStatement(
        id=row["id"], order=row["order_id"], outlet=row["outlet_id"], slot=row["slot"],
        amount=row["amount_minor"], currency=row["currency"], status=status, basis=row["basis"],
        failure=row["failure_code"],
    )  # fmt: skip
    return Subject(shown, row["order_id"])


_READ: Mapping[str, str] = {
    "refund": _REFUND, "dispute": _DISPUTE, "order": _ORDER, "fulfillment": _UNIT,
}  # fmt: skip
_SHOWN: Mapping[str, Callable[[Any, str], Subject]] = {
    "payment": _payment, "refund": _refund, "dispute": _dispute, "order": _order,
    "fulfillment": _unit,
}  # fmt: skip
