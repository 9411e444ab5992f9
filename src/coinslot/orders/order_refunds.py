"""Money of an order given back by a person, by unit or by amount, under the lock of the capture.

What was not sent is withdrawn. What was sent and is not settled makes the refund wait for its
settlement. What was handed over gives from what is left of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection, again
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.orders import store
from coinslot.payments.idempotency import KeyReusedError
from coinslot.payments.merchant_api import AboveLimitError, RuledOutError, UnknownError
from coinslot.payments.store import LOCK_CAPTURE
from coinslot.people.audit_log import COMMAND_LINE, Act, Actor, record
from coinslot.people.merchant_settings import RefundLimit
from coinslot.states.store import TELL


class MoreThanLeftError(RuledOutError):
    """More than is left, which is `left` minor units."""

    def __init__(self, left: int) -> None:
        super().__init__("refund_exceeds_order", f"That much is not left to give back: {left} is.")
        self.left = left


class Outcome(StrEnum):
    """What became of a part of a refund."""

    WAITING = "waiting"  # for the settlement of a unit that is sent, or in doubt
    WITHDRAWN = "withdrawn"  # it was not sent, and never will be
    TAKEN = "taken"  # from what it had earned
    WENT_BACK = "went_back"  # it was not handed over after all: the money went back without this


class OrderRefund(Struct, frozen=True, kw_only=True):
    """What a person asks for. Without `units`, `lines` (all units of each that have anything left)
    and `extras` (their kinds: 'tip', 'delivery_fee', 'added_tax') it is of the whole order; without
    `amount` (minor units) it is all that is left of them. An amount is taken from what was handed
    over or is being handed over, and withdraws nothing. `key` makes it count once. `limit`: the
    most that `by` may give back of this order, in sum; None: there is no limit for them, or they
    showed a factor again."""

    order: UUID
    key: str
    by: str
    reason: str
    units: tuple[UUID, ...] = ()
    lines: tuple[UUID, ...] = ()
    extras: tuple[str, ...] = ()
    amount: int | None = None
    limit: RefundLimit | None = None


class Left(Struct, frozen=True, kw_only=True):
    """A unit or an extra of the order, and what of its money can still be given back, in minor
    units. `extra` is its kind."""

    id: UUID
    left: int
    is_sent: bool
    is_settled: bool
    extra: str | None = None
    line: UUID | None = None


class Part(Struct, frozen=True):
    """So much of a unit or an extra, in this way."""

    of: Left
    amount: int
    outcome: Outcome


class PartView(Struct, frozen=True, kw_only=True):
    """A part as people see it. `money` is where its money is: 'waiting', 'covered' (the gateway had
    given it back by itself), or the state of the refund: 'pending', 'succeeded', 'owed'."""

    unit: UUID | None  # None: it is of the extra that `name` names
    name: str
    amount: int
    outcome: Outcome
    money: str


class OrderRefundView(Struct, frozen=True, kw_only=True):
    """A refund that a person made, as it stands now."""

    id: UUID
    order: UUID
    key: str
    by: str
    reason: str
    at: datetime
    amount: int
    currency: str
    parts: tuple[PartView, ...]

    @property
    def is_waiting(self) -> bool:
        return any(part.outcome is Outcome.WAITING for part in self.parts)


async def refund(
    context: Context, merchant: UUID, wanted: OrderRefund, who: Actor = COMMAND_LINE
) -> OrderRefundView:
    """Give money of an order back. The same key gives the same refund, as it stands now. The audit
    log has it, in the same transaction, as an act of `who`.

    Raises UnknownError (no such order, unit, line or extra of this merchant), KeyReusedError (the
    key was used for something else), RuledOutError with a code: 'incomplete' (no key, name or
    reason, or an amount below 1), 'not_paid', 'nothing_left', 'refund_exceeds_order'
    (MoreThanLeftError), 'refund_above_limit' (AboveLimitError), 'not_sent_yet' (the unit that has
    the amount was not sent: name it, and it is withdrawn)."""

    async def alone() -> OrderRefundView:
        async with context.db.as_merchant(merchant) as conn:
            return await refund_in(conn, context, wanted, who)

    made = await again(alone)
    context.wakes.wake("refunds", "fulfillments")
    return made


async def refund_in(
    conn: Connection, context: Context, wanted: OrderRefund, who: Actor
) -> OrderRefundView:
    """The same within the merchant's transaction, after which the caller wakes the sweeper."""
    if not (wanted.key.strip() and wanted.by.strip() and wanted.reason.strip()):
        raise RuledOutError("incomplete", "A refund needs a key, a name and a reason.")
    if wanted.amount is not None and wanted.amount <= 0:
        raise RuledOutError("incomplete", "The amount has to be more than nothing.")
    try:
        return await _refund(conn, context, wanted, who)
    except asyncpg.UniqueViolationError as error:
        raise KeyReusedError("this key was used for another refund") from error


async def of_order(conn: Connection, order: UUID) -> tuple[OrderRefundView, ...]:
    """Every refund that a person made of it, oldest first."""
    refunds = await conn.fetch(store.REFUNDS_OF_ORDER, order)
    parts = await conn.fetch(store.PARTS_OF_ORDER, order)
    return tuple(
        _view(row, [dict(part) for part in parts if part["order_refund_id"] == row["id"]])
        for row in refunds
    )


async def _refund(
    conn: Connection, context: Context, wanted: OrderRefund, who: Actor
) -> OrderRefundView:
    merchant = await conn.fetchval(store.HAS_ORDER, wanted.order)
    if merchant is None:
        raise UnknownError("There is no such order.")
    capture = await conn.fetchval(store.CAPTURE_OF_ORDER, wanted.order)
    if capture is None:
        raise RuledOutError("not_paid", "No money of this order is here to give back.")
    await conn.fetchrow(LOCK_CAPTURE, capture)
    before = await conn.fetchrow(store.REFUND_BY_KEY, wanted.key)
    if before is not None:
        if before["asked"] != _asked(wanted):
            raise KeyReusedError("this key was used for another refund")
        return await _read(conn, wanted.order, before["id"])
    units = await conn.fetch(store.LOCK_UNITS_LEFT, wanted.order)
    extras = await conn.fetch(store.EXTRAS_LEFT, wanted.order)
    whole = [_unit_left(row) for row in sorted(units, key=_as_placed)]
    whole += [_extra_left(row) for row in extras]
    parts = plan(whole, (*wanted.units, *of_lines(whole, wanted.lines), *wanted.extras),
                 wanted.amount)  # fmt: skip
    await _must_be_within(conn, wanted, sum(part.amount for part in parts))
    view = await _read(
        conn, wanted.order, await _write(conn, context, capture, wanted, parts)
    )  # fmt: skip
    act = Act(
        action="order.refunded", merchant=merchant, subject=str(wanted.order),
        after={"amount": view.amount, "currency": view.currency, "key": view.key},
        reason=view.reason,
    )  # fmt: skip
    await record(conn, who, act, context.now())
    return view


async def _must_be_within(conn: Connection, wanted: OrderRefund, amount: int) -> None:
    """Under the capture's lock, so that two refunds at once count each other. Raises
    AboveLimitError."""
    if wanted.limit is None:
        return
    row = await conn.fetchrow(store.GIVEN_BY, wanted.order, wanted.by)
    assert row is not None
    if not wanted.limit.allows(Money(row["given"] + amount, row["currency"])):
        raise AboveLimitError


def of_lines(whole: Sequence[Left], lines: Sequence[UUID]) -> list[UUID]:
    """The units of these lines that have anything left to give back. Raises UnknownError,
    RuledOutError."""
    found: list[UUID] = []
    for line in lines:
        units = [one for one in whole if one.line == line]
        if not units:
            raise UnknownError(f"There is no line {line} in this order.")
        left = [one.id for one in units if _has_something(one)]
        if not left:
            raise RuledOutError("nothing_left", f"Of {line} nothing is left to give back.")
        found += left
    return found


def plan(whole: Sequence[Left], named: Sequence[UUID | str], amount: int | None) -> list[Part]:
    """How much of which unit or extra, and in which way; extras are named by their kinds. Raises
    UnknownError, RuledOutError."""
    known = {one.extra or one.id: one for one in whole}
    if unknown := [name for name in named if name not in known]:
        raise UnknownError(f"There is no {unknown[0]} in this order.")
    chosen = [known[name] for name in dict.fromkeys(named)] or list(whole)
    if gone := [one for one in chosen if named and not _has_something(one)]:
        raise RuledOutError(
            "nothing_left", f"Of {gone[0].extra or gone[0].id} nothing is left to give back."
        )
    if amount is None:
        parts = [Part(one, one.left, _outcome(one)) for one in chosen if _has_something(one)]
    else:
        parts = _spread(chosen, amount)
    if not parts:
        raise RuledOutError("nothing_left", "Nothing of this order is left to give back.")
    return parts


def _has_something(one: Left) -> bool:
    """What costs nothing can still be withdrawn."""
    return one.left > 0 or _outcome(one) is Outcome.WITHDRAWN


def _spread(whole: Sequence[Left], amount: int) -> list[Part]:
    """An amount over what was handed over, then over what may be. Raises RuledOutError."""
    parts, rest = [], amount
    taking = [one for one in whole if _outcome(one) is not Outcome.WITHDRAWN]
    for one in sorted(taking, key=lambda one: not one.is_settled):
        taken = min(one.left, rest)
        if taken:
            parts.append(Part(one, taken, _outcome(one)))
        rest -= taken
    if rest == 0:
        return parts
    if sum(one.left for one in whole) >= amount:
        raise RuledOutError(
            "not_sent_yet", "Some of it was not sent yet: name the unit, and it is withdrawn."
        )
    raise MoreThanLeftError(amount - rest)


def _outcome(one: Left) -> Outcome:
    """An extra is never sent: until the order ends it is withdrawn at once."""
    if one.is_settled:
        return Outcome.TAKEN
    return Outcome.WAITING if one.is_sent else Outcome.WITHDRAWN


async def _write(
    conn: Connection, context: Context, capture: UUID, wanted: OrderRefund, parts: Sequence[Part]
) -> UUID:
    """Extras first: the last unit that is withdrawn ends the order, and its extras with it."""
    now = context.now()
    made: UUID = await conn.fetchval(
        store.MAKE_ORDER_REFUND, uuid7(now), wanted.order, wanted.key, _asked(wanted), wanted.by,
        wanted.reason, now,
    )  # fmt: skip
    for part in sorted(parts, key=lambda part: (part.of.extra is None, part.of.id)):
        await _write_part(conn, now, made, capture, part)
        if part.outcome is Outcome.WITHDRAWN and part.of.extra is None:
            await conn.execute(store.WITHDRAW_UNIT, part.of.id, now)
            await conn.execute(store.SAY_WHY_WITHDRAWN, part.of.id, wanted.reason)
    merchant = await conn.fetchval(store.HAS_ORDER, wanted.order)
    told = {**_asked(wanted), "order": str(wanted.order), "amount": sum(p.amount for p in parts)}
    await conn.execute(TELL, merchant, "order_refund", made, "ASKED", told, now)
    await conn.execute(store.CLOSE_REFUNDED_OUTSIDE, capture, wanted.by, now)
    return made


async def _write_part(
    conn: Connection, now: datetime, made: UUID, capture: UUID, part: Part
) -> None:
    """The part, and its money where an extra is withdrawn or something was earned."""
    waits = part.outcome is Outcome.WAITING
    is_unit = part.of.extra is None
    written = await conn.fetchval(
        store.MAKE_REFUND_PART, uuid7(now), made, capture, part.of.id if is_unit else None,
        None if is_unit else part.of.id, part.amount, None if waits else part.outcome.value,
        None if waits else now,
    )  # fmt: skip
    if part.outcome is Outcome.TAKEN:
        await conn.execute(store.TAKE_REFUND_PART, written, now)
    elif not is_unit:
        await conn.execute(store.WITHDRAW_EXTRA, part.of.id, now, written)


def _asked(wanted: OrderRefund) -> dict[str, Any]:
    """All that the same key may ask for again."""
    return {
        "units": sorted(str(unit) for unit in set(wanted.units)),
        "extras": sorted(set(wanted.extras)),
        "amount": wanted.amount,
        **({"lines": sorted(map(str, wanted.lines))} if wanted.lines else {}),
        "by": wanted.by,
        "reason": wanted.reason,
        "order": str(wanted.order),
    }


def _as_placed(row: asyncpg.Record) -> tuple[Any, ...]:
    """Lines in the order in which they were chosen, of each the dearest piece first: an amount
    takes the same pieces, and so the same tax, whatever ids they got at that moment."""
    return (row["line_id"], -row["amount_minor"], -row["tax_minor"], row["id"])


def _unit_left(row: asyncpg.Record) -> Left:
    return Left(
        id=row["id"],
        left=row["left_minor"],
        is_sent=row["sent_at"] is not None,
        is_settled=row["settlement"] is not None,
        line=row["line_id"],
    )


def _extra_left(row: asyncpg.Record) -> Left:
    return Left(
        id=row["id"],
        left=row["left_minor"],
        is_sent=False,
        is_settled=row["settlement"] is not None,
        extra=row["kind"],
    )


async def _read(conn: Connection, order: UUID, made: UUID) -> OrderRefundView:
    return next(view for view in await of_order(conn, order) if view.id == made)


def _view(row: asyncpg.Record, parts: Sequence[Mapping[str, Any]]) -> OrderRefundView:
    return OrderRefundView(
        id=row["id"], order=row["order_id"], key=row["key"], by=row["made_by"],
        reason=row["reason"], at=row["made_at"], currency=row["currency"],
        amount=sum(part["amount_minor"] for part in parts),
        parts=tuple(
            PartView(
                unit=part["fulfillment_id"], name=part["name"] or part["kind"],
                amount=part["amount_minor"],
                outcome=Outcome(part["outcome"] or Outcome.WAITING), money=part["money"],
            )
            for part in parts
        ),
    )  # fmt: skip
