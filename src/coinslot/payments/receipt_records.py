"""Fiscal receipts as people see them: lists with a filter, one of them, those of an order. Where
one went is shown in full to whoever may act on it, and masked to all others."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.gateways.receipts import ReceiptLine
from coinslot.gateways.registering import TakesReceipts
from coinslot.kit.money import Money
from coinslot.payments import receipt_store as store
from coinslot.payments.receipts import ReceiptBody

STATES: Final = ("due", "sent", "registered", "refused", "overdue", "void")
KINDS: Final = ("payment", "refund", "closing")
_CHUNK: Final = 500


class ReceiptFilter(Struct, frozen=True, kw_only=True):
    """Which receipts. `wanting`: those that are cases. `text`: an order's number, or the gateway's
    id of the payment or refund."""

    state: str = ""
    kind: str = ""
    text: str = ""
    wanting: bool = False


class ReceiptRow(Struct, frozen=True, kw_only=True):
    """A line of the list."""

    id: UUID
    kind: str
    state: str
    money: Money
    created_at: datetime
    ended_at: datetime | None
    order: UUID | None
    number: str
    payment: str  # the gateway's id of it
    gateway: str
    account: str
    contact: str
    failure: str
    fiscal: Mapping[str, str]
    correctable: bool  # it is refused or late


class ReceiptRecord(ReceiptRow, frozen=True, kw_only=True):
    """One receipt, whole."""

    lines: tuple[ReceiptLine, ...]
    currency: str
    tax_system: str | None
    refund: str  # the gateway's id of it
    sent_at: datetime | None
    replaces: UUID | None
    replaced_by: UUID | None
    moved: bool  # its money did
    sendable: bool  # its gateway takes a receipt by itself


def masked(contact: str | None) -> str:
    """Enough to recognise one's own: i•••@example.com, +7•••4567."""
    if not contact:
        return ""
    name, at, host = contact.partition("@")
    return f"{name[:1]}•••@{host}" if at else f"{contact[:2]}•••{contact[-4:]}"


async def listed(
    context: Context, merchant: UUID, wanted: ReceiptFilter, before: UUID | None, limit: int
) -> list[ReceiptRow]:
    """The newest first, those before `before`. Addresses are masked."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.LISTED, *_values(wanted), before, limit)
    return [ReceiptRow(**_row(row, masked(row["contact"]))) for row in rows]


async def counted(context: Context, merchant: UUID) -> Mapping[str, int]:
    """How many are in each state."""
    async with context.db.as_merchant(merchant) as conn:
        return {row["state"]: row["count"] for row in await conn.fetch(store.COUNTED)}


async def chunks(
    context: Context, merchant: UUID, wanted: ReceiptFilter
) -> AsyncIterator[Sequence[ReceiptRow]]:
    """All of them."""
    before: UUID | None = None
    while found := await listed(context, merchant, wanted, before, _CHUNK):
        yield found
        before = found[-1].id


async def of_order(context: Context, merchant: UUID, order: UUID) -> list[ReceiptRow]:
    """The oldest first."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.OF_ORDER, order)
    return [ReceiptRow(**_row(row, masked(row["contact"]))) for row in rows]


async def one(
    context: Context, merchant: UUID, receipt: UUID, *, in_full: bool
) -> ReceiptRecord | None:
    """`in_full`: with where it went."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.ONE, receipt)
    if row is None:
        return None
    account = await context.accounts.by_id(row["account_id"])
    body = msgspec.convert(row["body"], ReceiptBody)
    return ReceiptRecord(
        **_row(row, row["contact"] or "" if in_full else masked(row["contact"])),
        lines=body.lines, tax_system=body.tax_system, currency=row["currency"],
        refund=row["gateway_refund_id"] or "", sent_at=row["sent_at"], replaces=row["replaces"],
        replaced_by=row["replaced_by"], sendable=isinstance(account.driver, TakesReceipts),
        moved=row["moved"],
    )  # fmt: skip


def _values(wanted: ReceiptFilter) -> tuple[list[str], str | None, str | None]:
    states = ["refused", "overdue"] if wanted.wanting else [wanted.state] if wanted.state else []
    return states, wanted.kind or None, wanted.text or None


def _row(row: asyncpg.Record, contact: str) -> dict[str, Any]:
    return {
        "id": row["id"], "kind": row["kind"], "state": row["state"],
        "money": Money(row["amount_minor"], row["currency"]), "created_at": row["created_at"],
        "ended_at": row["ended_at"], "order": row["order_id"], "number": row["number"] or "",
        "payment": row["gateway_payment_id"] or "", "gateway": row["gateway"],
        "account": row["slug"], "contact": contact, "failure": row["failure"] or "",
        "fiscal": row["fiscal"] or {}, "correctable": row["state"] in ("refused", "overdue"),
    }  # fmt: skip
