"""An order as the people of its merchant see it: its units, what is left of each, and what went or
goes back."""

from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.orders import store
from coinslot.orders.order_refunds import OrderRefundView, of_order


class FoundOrder(Struct, frozen=True, kw_only=True):
    """Whose order it is, and enough to tell it from another of the same number."""

    id: UUID
    merchant: UUID
    number: str
    outlet: str
    state: str
    placed_at: datetime


class UnitRecord(Struct, frozen=True, kw_only=True):
    """One unit. Amounts are minor units of the order's currency: `left` can still be given back,
    `waiting` is asked for and waits until the unit is settled."""

    id: UUID
    line: UUID
    name: str
    amount: int
    state: str
    settlement: str | None  # "fulfilled" or "refund_due"
    basis: str | None
    is_sent: bool
    left: int
    waiting: int


class ExtraRecord(Struct, frozen=True, kw_only=True):
    """A tip, a delivery fee or added tax, in minor units; `left` can still be given back."""

    kind: str
    amount: int
    settlement: str | None
    basis: str | None
    left: int


class RefundRecord(Struct, frozen=True, kw_only=True):
    """Money that goes back, whoever made it: `origin` is "ours", or "gateway" when it was made
    there without us. `state` is a word of the refund's table of moves."""

    id: UUID
    amount: int
    state: str
    origin: str
    reason: str
    failure: str | None
    gateway_refund_id: str | None
    at: datetime


class OrderRecord(Struct, frozen=True, kw_only=True):
    """The whole order. `left` is what of it can still be given back; `made` are the refunds that
    persons made, with name and reason."""

    id: UUID
    token: str  # of its customer's page
    number: str
    outlet: str
    state: str
    amount: int
    currency: str
    left: int
    placed_at: datetime
    paid_at: datetime | None
    ended_at: datetime | None
    gateway_payment_id: str | None
    gateway_receipt: str | None
    units: tuple[UnitRecord, ...]
    extras: tuple[ExtraRecord, ...]
    refunds: tuple[RefundRecord, ...]
    made: tuple[OrderRefundView, ...]


async def find(context: Context, text: str) -> list[FoundOrder]:
    """By its id, the end of its link, or the number that the customer reads out, newest first:
    numbers come again."""
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(store.FIND_ORDER, text.strip().rpartition("/")[2])
    return [
        FoundOrder(
            id=row["id"], merchant=row["merchant_id"], number=row["number"],
            outlet=row["outlet_id"], state=row["state"], placed_at=row["placed_at"],
        )
        for row in rows
    ]  # fmt: skip


async def order(context: Context, merchant: UUID, order_id: UUID) -> OrderRecord | None:
    """None when the merchant has no such order."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.ORDER_RECORD, order_id)
        if row is None:
            return None
        units = [_unit(unit) for unit in await conn.fetch(store.UNIT_RECORDS, order_id)]
        extras = [_extra(extra) for extra in await conn.fetch(store.EXTRAS_LEFT, order_id)]
        refunds = await conn.fetch(store.ORDER_REFUNDS, order_id)
        made = await of_order(conn, order_id)
    return OrderRecord(
        id=row["id"], token=row["token"], number=row["number"], outlet=row["outlet_id"],
        state=row["state"], amount=row["amount_minor"], currency=row["currency"],
        left=sum(unit.left for unit in units) + sum(extra.left for extra in extras),
        placed_at=row["placed_at"],
        paid_at=row["paid_at"], ended_at=row["ended_at"],
        gateway_payment_id=row["gateway_payment_id"], gateway_receipt=row["receipt_url"],
        units=tuple(units), extras=tuple(extras),
        refunds=tuple(_refund(refund) for refund in refunds), made=made,
    )  # fmt: skip


def _unit(row: asyncpg.Record) -> UnitRecord:
    return UnitRecord(
        id=row["id"], line=row["line_id"], name=row["name"], amount=row["amount_minor"],
        state=row["state"],
        settlement=row["settlement"], basis=row["basis"], is_sent=row["sent_at"] is not None,
        left=row["left_minor"], waiting=row["waiting_minor"],
    )  # fmt: skip


def _extra(row: asyncpg.Record) -> ExtraRecord:
    return ExtraRecord(
        kind=row["kind"], amount=row["amount_minor"], settlement=row["settlement"],
        basis=row["basis"], left=row["left_minor"],
    )  # fmt: skip


def _refund(row: asyncpg.Record) -> RefundRecord:
    return RefundRecord(
        id=row["id"], amount=row["amount_minor"], state=row["state"], origin=row["origin"],
        reason=row["asked_reason"] or row["reason"], failure=row["failure"],
        gateway_refund_id=row["gateway_refund_id"], at=row["ended_at"] or row["created_at"],
    )  # fmt: skip
