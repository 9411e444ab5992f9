"""Orders for a merchant's own programs: found, read, and refunded once for each key."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.db.pool import Connection, again
from coinslot.orders import order_records, order_refunds, store
from coinslot.orders.order_records import ExtraRecord, OrderRecord, UnitRecord
from coinslot.orders.order_refunds import OrderRefund, OrderRefundView
from coinslot.payments import idempotency
from coinslot.payments.idempotency import Answer, IdempotentCall
from coinslot.payments.merchant_api import UnknownError
from coinslot.people.audit_log import Actor


class Giver(Struct, frozen=True, kw_only=True):
    """Who calls. `live`: of which kind the key is, whose orders alone it reaches; None: a person,
    who reaches all."""

    merchant: UUID
    actor: Actor
    live: bool | None = None


class PartStatement(Struct, frozen=True, kw_only=True):
    """So much of a unit, or of the extra that `name` names."""

    unit: UUID | None
    name: str
    amount: int
    outcome: str
    money: str


class OrderRefundStatement(Struct, frozen=True, kw_only=True):
    """Money of an order that somebody gave back, as it stands now."""

    id: UUID
    order: UUID
    amount: int
    currency: str
    reason: str
    by: str
    created_at: datetime
    parts: list[PartStatement]


class UnitStatement(Struct, frozen=True, kw_only=True):
    """One unit of an order."""

    id: UUID
    line: UUID
    name: str
    amount: int
    status: str
    settlement: str | None
    amount_left: int
    amount_waiting: int


class ExtraStatement(Struct, frozen=True, kw_only=True):
    """A tip, a delivery fee or added tax."""

    kind: str
    amount: int
    settlement: str | None
    amount_left: int


class OrderStatement(Struct, frozen=True, kw_only=True):
    """An order with its units, and what of each can still be given back. Amounts are in minor
    units."""

    id: UUID
    number: str
    outlet: str
    status: str
    amount: int
    currency: str
    amount_left: int
    gateway_payment_id: str | None
    placed_at: datetime
    paid_at: datetime | None
    ended_at: datetime | None
    units: list[UnitStatement]
    extras: list[ExtraStatement]
    refunds: list[OrderRefundStatement]


async def one(context: Context, giver: Giver, order: UUID) -> OrderStatement:
    """Raises UnknownError."""
    found = await order_records.order(context, giver.merchant, order)
    if found is None:
        raise UnknownError("There is no such order.")
    await _must_be_of_its_kind(context, giver, order)
    return _statement(found)


async def refund_once(
    context: Context, giver: Giver, call: IdempotentCall, wanted: OrderRefund
) -> Answer:
    """Give money of an order back, once for the key of the call. The refund and the answer are one
    transaction.

    Raises what `order_refunds.refund` raises, and KeyBusyError."""
    await _must_be_of_its_kind(context, giver, wanted.order)
    keyed = replace(wanted, key=f"api-{idempotency.hash_of(*call.id[1:]).hex()[:40]}")

    async def alone() -> Answer:
        async with context.db.as_merchant(call.merchant) as conn:
            return await _refund(conn, context, call, keyed, giver.actor)

    answer = await again(alone)
    context.wakes.wake("refunds", "fulfillments")
    return answer


async def _refund(
    conn: Connection, context: Context, call: IdempotentCall, wanted: OrderRefund, who: Actor
) -> Answer:
    claimed = await idempotency.begin(conn, context, call)
    if isinstance(claimed, Answer):
        return claimed
    made = await order_refunds.refund_in(conn, context, wanted, who)
    body = msgspec.to_builtins(_refund_statement(made))
    return await idempotency.finish(conn, context, call, Answer(status=201, body=body), made.id)


async def _must_be_of_its_kind(context: Context, giver: Giver, order: UUID) -> None:
    """A test key moves no real money, and a live key no other: what an order was paid with is told
    by the account that has the money. Raises UnknownError."""
    if giver.live is None:
        return
    async with context.db.as_merchant(giver.merchant) as conn:
        account = await conn.fetchval(store.ACCOUNT_OF_ORDER, order)
    if account is None:
        return  # nothing was paid
    if (await context.accounts.by_id(account)).live not in (None, giver.live):
        raise UnknownError("There is no such order.")


def _statement(found: OrderRecord) -> OrderStatement:
    return OrderStatement(
        id=found.id, number=found.number, outlet=found.outlet, status=found.state,
        amount=found.amount, currency=found.currency, amount_left=found.left,
        gateway_payment_id=found.gateway_payment_id, placed_at=found.placed_at,
        paid_at=found.paid_at, ended_at=found.ended_at,
        units=[_unit(unit) for unit in found.units],
        extras=[_extra(extra) for extra in found.extras],
        refunds=[_refund_statement(made) for made in found.made],
    )  # fmt: skip


def _unit(unit: UnitRecord) -> UnitStatement:
    return UnitStatement(
        id=unit.id, line=unit.line, name=unit.name, amount=unit.amount, status=unit.state,
        settlement=unit.settlement, amount_left=unit.left, amount_waiting=unit.waiting,
    )  # fmt: skip


def _extra(extra: ExtraRecord) -> ExtraStatement:
    return ExtraStatement(
        kind=extra.kind, amount=extra.amount, settlement=extra.settlement, amount_left=extra.left
    )


def _refund_statement(made: OrderRefundView) -> OrderRefundStatement:
    return OrderRefundStatement(
        id=made.id, order=made.order, amount=made.amount, currency=made.currency,
        reason=made.reason, by=made.by, created_at=made.at,
        parts=[
            PartStatement(
                unit=part.unit, name=part.name, amount=part.amount, outcome=part.outcome.value,
                money=part.money,
            )
            for part in made.parts
        ],
    )  # fmt: skip
