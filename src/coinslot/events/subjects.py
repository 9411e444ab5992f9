"""What an event shows: its subject as the API shows it, in the state that the event brought."""

from datetime import datetime
from uuid import UUID

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
FROM orders o WHERE o.id = $1
"""
_UNIT = """
SELECT f.id, f.order_id, f.outlet_id, l.slot, f.amount_minor, f.currency, f.basis, f.failure_code
FROM fulfillments f JOIN order_lines l ON l.id = f.line_id WHERE f.id = $1
"""
_REFUND = """
SELECT r.*, c.order_id, p.id AS payment_id, n.id AS replaced_by,
    coalesce(r.gateway_refund_id, o.gateway_refund_id) AS known_there_as
FROM refunds r JOIN captures c ON c.id = r.capture_id
LEFT JOIN payments p ON p.id = c.payment_id AND p.source = 'api'
LEFT JOIN refunds n ON n.replaces = r.id LEFT JOIN refunds o ON o.id = r.covered_by
WHERE r.id = $1
"""
_DISPUTE = """
SELECT d.*, c.order_id, p.id AS payment_id FROM disputes d JOIN captures c ON c.id = d.capture_id
LEFT JOIN payments p ON p.id = c.payment_id AND p.source = 'api' WHERE d.id = $1
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


async def subject(conn: Connection, entry: Entry, status: str) -> Subject | None:
    """None when a merchant's server was never shown this: the payment of an order at a machine."""
    match entry.machine:
        case "payment":
            return await _payment(conn, entry.subject_id, status)
        case "refund":
            return await _refund(conn, entry.subject_id, status)
        case "dispute":
            return await _dispute(conn, entry.subject_id, status)
        case "order":
            return await _order(conn, entry.subject_id, status)
        case "fulfillment":
            return await _unit(conn, entry.subject_id, status)
        case _:
            return None


async def _payment(conn: Connection, payment: UUID, status: str) -> Subject | None:
    found = await api_views.payment(conn, payment)
    return Subject(replace(found, status=status), payment) if found else None


async def _refund(conn: Connection, refund: UUID, status: str) -> Subject | None:
    row = await conn.fetchrow(_REFUND, refund)
    if row is None:
        return None
    shown = MoneyBackStatement(
        id=refund, payment=row["payment_id"], order=row["order_id"], amount=row["amount_minor"],
        currency=row["currency"], status=status, reason=row["asked_reason"] or row["reason"],
        failure=row["failure"], gateway_refund_id=row["known_there_as"],
        replaced_by=row["replaced_by"], created_at=row["created_at"],
    )  # fmt: skip
    return Subject(shown, row["payment_id"] or row["order_id"] or row["capture_id"])


async def _dispute(conn: Connection, dispute: UUID, status: str) -> Subject | None:
    row = await conn.fetchrow(_DISPUTE, dispute)
    if row is None:
        return None
    shown = DisputeStatement(
        id=dispute, payment=row["payment_id"], order=row["order_id"], amount=row["amount_minor"],
        currency=row["currency"], status=status, reason=row["reason"],
        gateway_dispute_id=row["gateway_dispute_id"], opened_at=row["opened_at"],
    )  # fmt: skip
    return Subject(shown, row["payment_id"] or row["order_id"] or row["capture_id"])


async def _order(conn: Connection, order: UUID, status: str) -> Subject | None:
    row = await conn.fetchrow(_ORDER, order)
    if row is None:
        return None
    shown = OrderStatement(
        id=order, number=row["number"], outlet=row["outlet_id"], amount=row["amount_minor"],
        currency=row["currency"], status=status, placed_at=row["placed_at"],
        paid_at=row["paid_at"],
        given_back=row["given_back"] if status in ("completed", "failed") else 0,
        items=convert(row["items"], list[ItemStatement]),
        extras=convert(row["extras"], list[ExtraStatement]),
    )  # fmt: skip
    return Subject(shown, order)


async def _unit(conn: Connection, unit: UUID, status: str) -> Subject | None:
    row = await conn.fetchrow(_UNIT, unit)
    if row is None:
        return None
    shown = UnitStatement(
        id=unit, order=row["order_id"], outlet=row["outlet_id"], slot=row["slot"],
        amount=row["amount_minor"], currency=row["currency"], status=status, basis=row["basis"],
        failure=row["failure_code"],
    )  # fmt: skip
    return Subject(shown, row["order_id"])
