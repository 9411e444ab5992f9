"""What staff and customers do with an order at a counter. Each works on all its pieces at once,
under the locks of its capture and its units: so it competes with every refund, and one is first."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.counter import codes, message_store, no_show, store
from coinslot.counter.basket import Choice, Option
from coinslot.counter.flow import COUNTER
from coinslot.db.pool import Connection
from coinslot.orders import fulfillment
from coinslot.people.audit_log import Act, Actor, record
from coinslot.people.sessions import SignedIn
from coinslot.states.transition import transition

_AFTER: Final = timedelta(seconds=60)  # its time is over, and the sweeper has to see that
_HOUR: Final = timedelta(hours=1)
_OVER: Final = "this order is over"


class Status(StrEnum):
    """Where an order stands for the people behind the counter."""

    PLACED = "PLACED"
    PREPARING = "PREPARING"
    READY = "READY"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"  # nothing was handed over: the money goes back


class Why(StrEnum):
    """Why something was not done with an order."""

    UNKNOWN = "no_such_order"
    NOT_PAID = "not_paid"
    NOT_ACCEPTED = "not_accepted"
    TOO_LATE = "too_late"
    OVER = "order_over"
    ACCEPTED = "already_accepted"
    WRONG_ORDER = "wrong_status"
    NO_REASON = "reason_missing"
    WRONG_CODE = "wrong_code"
    EXPIRED = "code_expired"
    LOCKED = "code_locked"
    CROWDED = "too_many_wrong_codes"
    NO_PRINTER = "no_printer"


class CounterError(Exception):
    """Nothing was done. `left`: how many tries a code still has; `was_before`: a wrong code was the
    right one until the order became ready."""

    def __init__(self, why: Why, left: int = 0, *, was_before: bool = False) -> None:
        super().__init__(why.value)
        self.why = why
        self.left = left
        self.was_before = was_before


class Staff(Struct, frozen=True, kw_only=True):
    """Who acts, for which merchant, and at which outlets; None: at all of them."""

    merchant: UUID
    login: str
    actor: Actor
    outlets: tuple[str, ...] | None = None


def staff_of(who: SignedIn) -> Staff:
    """Staff see their own outlets; others see all of their merchant's."""
    assert who.merchant is not None
    outlets = who.outlets if who.role == "staff" else None
    return Staff(merchant=who.merchant, login=who.login, actor=who.actor, outlets=outlets)


_STATUSES: Final = {
    "to_accept": Status.PLACED, "in_preparation": Status.PREPARING, "to_pick_up": Status.READY,
    "picked_up": Status.COMPLETED,
}  # fmt: skip


def status_of(states: Sequence[str]) -> Status:
    """Of an order whose units are in these states: the slowest of what is still to be handed
    over."""
    return next((status for state, status in _STATUSES.items() if state in states),
                Status.CANCELLED)  # fmt: skip


async def accept(context: Context, who: Staff, order: UUID) -> None:
    """Staff begin with it. Raises CounterError."""
    async with context.db.as_merchant(who.merchant) as conn:
        kept, units = await _held(conn, who, order)
        now = context.now()
        placed = [unit for unit in units if unit["state"] == "to_accept"]
        if not placed:
            return  # the other board was first, or a second tap
        if any(now >= fulfillment.last_moment(unit) for unit in placed):
            raise CounterError(Why.TOO_LATE)
        for unit in placed:
            by = _from(kept, now) + _window(context, unit, "prepare_s")
            await _move(conn, unit, "ACCEPTED", now, by, accepted_at=now)
        await conn.execute(store.PRINT_TICKETS, order, now)
        await record(conn, who.actor, _act(who, "order.accepted", order), now)
    context.wakes.wake("counter_prints")


async def ready(context: Context, who: Staff, order: UUID) -> None:
    """It waits for its customer, whose code has its full time from now on. Raises CounterError."""
    async with context.db.as_merchant(who.merchant) as conn:
        kept, units = await _held(conn, who, order)
        now = context.now()
        if any(unit["state"] == "to_accept" for unit in units):
            raise CounterError(Why.NOT_ACCEPTED)
        begun = [unit for unit in units if unit["state"] == "in_preparation"]
        if not begun:
            return
        _in_time(begun, now)
        for unit in begun:
            by = _from(kept, now) + no_show.pickup_span(context, unit, kept)
            await _move(conn, unit, "FINISHED", now, by, ready_at=now)
        await codes.renew(conn, context, kept, _from(kept, now))
        await conn.execute(
            message_store.TELL, order, "ready", f"ready.{kept['code_version'] + 1}", now
        )
        await record(conn, who.actor, _act(who, "order.ready", order), now)
    context.wakes.wake("counter_messages")


async def undo(context: Context, who: Staff, order: UUID, to: Status) -> None:
    """One step back, to PREPARING or PLACED. Raises CounterError."""
    was = {Status.PREPARING: "to_pick_up", Status.PLACED: "in_preparation"}.get(to)
    async with context.db.as_merchant(who.merchant) as conn:
        kept, units = await _held(conn, who, order)
        now = context.now()
        meant = [unit for unit in units if unit["state"] == was]
        if not meant:
            raise CounterError(Why.WRONG_ORDER)
        _in_time(meant, now)
        if any(now >= _steps_back_until(context, unit, kept) for unit in meant):
            raise CounterError(Why.TOO_LATE)
        for unit in meant:
            if to is Status.PREPARING:
                by = _from(kept, now) + _window(context, unit, "prepare_s")
                await _move(conn, unit, "UNDONE", now, by, ready_at=None)
            else:
                begins = max(now, kept["begin_at"] or now)
                by = begins + _window(context, unit, "dispatch_s")
                await _move(conn, unit, "UNDONE", now, by, accepted_at=None)
        if to is Status.PLACED:
            await conn.execute(store.ALARM_AGAIN, order, now)
            context.wakes.wake("counter_alarms")
        await record(conn, who.actor, _act(who, "order.undone", order), now)


class Missing(Struct, frozen=True, kw_only=True):
    """What there is not: pieces of an order, and choices, each by its item."""

    units: tuple[UUID, ...] = ()
    choices: frozenset[tuple[UUID, str]] = frozenset()


async def reject(
    context: Context, who: Staff, order: UUID, reason: str, units: Sequence[UUID] = ()
) -> None:
    """These pieces, of which there are none, or all that is left, are not handed over: their money
    goes back in the same transaction. The items of pieces that are named are sold out until
    somebody puts them back; what is rejected without a name is for sale again. Raises
    CounterError."""
    await reject_missing(context, who, order, reason, Missing(units=tuple(units)))


async def reject_missing(
    context: Context, who: Staff, order: UUID, reason: str, missing: Missing
) -> None:
    """The same where choices may be named as well. Of a choice, those of its pieces that are named
    are not handed over, or all where none is; their items stay on sale, and the choice is out until
    somebody says that it is there again, with the stock that it shares. Raises CounterError."""
    if not reason.strip():
        raise CounterError(Why.NO_REASON)
    async with context.db.as_merchant(who.merchant) as conn:
        _, held = await _held(conn, who, order)
        chosen = await conn.fetch(store.CHOICES_OF, [unit["id"] for unit in held])
        lacking = _lacking(chosen, missing)
        named = {unit["id"] for unit in held} & set(missing.units)
        everything = not (missing.units or missing.choices)
        meant = [u for u in held if everything or u["id"] in named or u["id"] in lacking.units]
        if not meant:
            raise CounterError(Why.UNKNOWN)
        now = context.now()
        for unit in meant:
            await transition(
                conn, COUNTER, unit["id"], "REJECTED", now, basis="rejected", ended="rejected",
                said_by=who.login, reason=reason.strip(),
            )  # fmt: skip
        ids = [unit["id"] for unit in meant]
        act = _act(who, "order.rejected", order, reason.strip(), ids)
        await record(conn, who.actor, act, now)
        if not everything:
            await conn.execute(store.HOLD_ITEMS_OF, ids)
            await _none_left(conn, who, order, sorted(named - lacking.having), now)
            await _none_of_choices(conn, who, order, lacking, now)
    context.wakes.wake("refunds", "fulfillments", "counter_messages", "counter_prints")


async def _none_left(
    conn: Connection, who: Staff, order: UUID, units: Sequence[UUID], now: datetime
) -> None:
    """Nobody buys the next one of what there is not, as it would be rejected too."""
    kept = await _known(conn, who, order)
    gone = [row["id"] for row in await conn.fetch(store.NONE_LEFT, units, now)]
    for item in sorted(gone):
        act = _sold_out(who, kept["outlet_id"], {"item": str(item), "stock": ""})
        await record(conn, who.actor, act, now)
    if gone:
        await conn.execute(store.BOARD_CHANGED, kept["outlet_id"])


class _Lacking(Struct, frozen=True, kw_only=True):
    """What of an order wants a choice that is out. `having`: all its pieces with one; `units`:
    those that are not handed over."""

    having: frozenset[UUID]
    units: frozenset[UUID]
    choices: tuple[tuple[UUID, str], ...]  # by item, of those that share no stock
    stocks: tuple[str, ...]


def _lacking(rows: Sequence[asyncpg.Record], missing: Missing) -> _Lacking:
    """By what each choice takes from: a stock by its name, or what its item has of it."""
    by_source: dict[str | tuple[UUID, str], set[UUID]] = {}
    out = set[str | tuple[UUID, str]]()
    for row in rows:
        offered = msgspec.convert(row["offered"], tuple[Option, ...])
        shared = {choice.id: choice.stock for option in offered for choice in option.choices}
        for choice in msgspec.convert(row["options"], tuple[Choice, ...]):
            source = shared.get(choice.id) or (row["item_id"], choice.id)
            by_source.setdefault(source, set()).add(row["id"])
            if (row["item_id"], choice.id) in missing.choices:
                out.add(source)
    having = {source: by_source[source] for source in out}
    units = [theirs & set(missing.units) or theirs for theirs in having.values()]
    return _Lacking(
        having=frozenset().union(*having.values()), units=frozenset().union(*units),
        choices=tuple(sorted(source for source in out if not isinstance(source, str))),
        stocks=tuple(sorted(source for source in out if isinstance(source, str))),
    )  # fmt: skip


async def _none_of_choices(
    conn: Connection, who: Staff, order: UUID, lacking: _Lacking, now: datetime
) -> None:
    """No item is sold with what there is not; it is sold without it."""
    outlet = (await _known(conn, who, order))["outlet_id"]
    for item, choice in lacking.choices:
        if await conn.fetchval(store.CHOICE_OUT, outlet, item, choice):
            after = {"item": str(item), "choice": choice, "stock": ""}
            await record(conn, who.actor, _sold_out(who, outlet, after), now)
    for row in await conn.fetch(store.SHARED_NONE_LEFT, outlet, lacking.stocks, now):
        after = {"item": str(row["id"]), "stock": ""}
        await record(conn, who.actor, _sold_out(who, outlet, after), now)
    if lacking.choices or lacking.stocks:
        await conn.execute(store.BOARD_CHANGED, outlet)


def _sold_out(who: Staff, outlet: str, after: Mapping[str, str]) -> Act:
    return Act(action="item.sold_out", merchant=who.merchant, subject=outlet, after=after)


async def cancel(context: Context, order_token: str) -> None:
    """The customer does not want it any more, which counts until somebody begins with it. Raises
    CounterError."""
    async with context.db.system_transaction() as conn:
        known = await conn.fetchrow(store.ORDER_OF_TOKEN, order_token)
    if known is None:
        raise CounterError(Why.UNKNOWN)
    async with context.db.as_merchant(known["merchant_id"]) as conn:
        units = await _lock(conn, known["order_id"])
        open_ = [unit for unit in units if unit["settlement"] is None]
        if not units:
            raise CounterError(Why.NOT_PAID)
        if not open_:
            return
        if any(unit["state"] != "to_accept" for unit in open_):
            raise CounterError(Why.ACCEPTED)
        for unit in open_:
            await transition(
                conn, COUNTER, unit["id"], "CANCELLED", context.now(), basis="never_sent",
                ended="cancelled",
            )  # fmt: skip
    context.wakes.wake("refunds", "fulfillments", "counter_messages", "counter_prints")


async def complete(context: Context, who: Staff, order: UUID, code: str) -> None:
    """Hand everything over that is left, against the code. The same code again finds it done.
    Raises CounterError."""
    kept = await _try(context, who, order)
    if not codes.matches(context.peppers, kept, code):
        async with context.db.as_merchant(who.merchant) as conn:
            tries = await conn.fetchval(store.NOTE_WRONG, order, context.now())
        raise CounterError(
            Why.WRONG_CODE, max(codes.TRIES - tries, 0),
            was_before=codes.was_before(context.vault, kept, code),
        )  # fmt: skip
    async with context.db.as_merchant(who.merchant) as conn:
        units, now = await _lock(conn, order), context.now()
        if await no_show.give_time(context, conn, units, kept):
            units = await _lock(conn, order)
        if await _hand_over(conn, units, now, basis="code"):
            await record(conn, who.actor, _act(who, "order.completed", order), now)
    context.wakes.wake("refunds", "fulfillments", "counter_messages")


async def vouch(context: Context, who: Staff, order: UUID, reason: str) -> None:
    """Hand over without the code: somebody of the merchant says why. It is listed as an exposure.
    Where the money had gone back before, that is a loss: nothing moves, and a person gets a case.
    Raises CounterError."""
    if not reason.strip():
        raise CounterError(Why.NO_REASON)
    async with context.db.as_merchant(who.merchant) as conn:
        kept = await _known(conn, who, order)
        units, now = await _lock(conn, order), context.now()
        if await no_show.give_time(context, conn, units, kept):
            units = await _lock(conn, order)
        if not units:
            raise CounterError(Why.NOT_PAID)
        if any(unit["settlement"] is None for unit in units):
            said = {"said_by": who.login, "reason": reason.strip(), "failure_code": "staff_word"}
            for unit in await _hand_over(conn, units, now, basis="staff_word", **said):
                await conn.execute(store.EXPOSE, unit["id"], now)
        else:
            for unit in units:
                await transition(conn, COUNTER, unit["id"], "HANDED_OVER", now)
        await record(conn, who.actor, _act(who, "order.vouched", order, reason.strip()), now)
    context.wakes.wake("refunds", "fulfillments", "counter_messages")


async def tick(context: Context, who: Staff, order: UUID, unit: UUID, *, done: bool) -> None:
    """One piece is made, or is not. It moves nothing. Raises CounterError."""
    async with context.db.as_merchant(who.merchant) as conn:
        kept, now = await _known(conn, who, order), context.now()
        changes = await conn.fetchval(store.TICK, order, unit, done, now)
        if changes is None:
            raise CounterError(Why.UNKNOWN)
        if not changes:
            return  # the other board was first
        await conn.execute(store.BOARD_CHANGED, kept["outlet_id"])
        action = "order.piece_made" if done else "order.piece_not_made"
        await record(conn, who.actor, _act(who, action, order, units=[unit]), now)


async def _known(conn: Connection, who: Staff, order: UUID) -> asyncpg.Record:
    """Raises CounterError for an order of another outlet than those of these staff."""
    kept = await conn.fetchrow(store.ORDER_AT, order, who.outlets)
    if kept is None:
        raise CounterError(Why.UNKNOWN)
    return kept


async def _held(
    conn: Connection, who: Staff, order: UUID
) -> tuple[asyncpg.Record, list[asyncpg.Record]]:
    """The row of its code, and its units that are not settled, locked. Raises CounterError."""
    await _known(conn, who, order)
    units = await _lock(conn, order)
    kept = await _known(conn, who, order)  # as it is now
    if not units:
        raise CounterError(Why.NOT_PAID)
    open_ = [unit for unit in units if unit["settlement"] is None]
    if not open_:
        raise CounterError(Why.OVER)
    return kept, open_


async def _lock(conn: Connection, order: UUID) -> list[asyncpg.Record]:
    await conn.fetchrow(store.HOLD_CAPTURE, order)
    return await conn.fetch(store.HOLD_UNITS, order)


async def _try(context: Context, who: Staff, order: UUID) -> asyncpg.Record:
    """Counts one try of its code, and commits that. The row that the code is compared with. Raises
    CounterError where it is not compared at all."""
    async with context.db.as_merchant(who.merchant) as conn:
        kept = await _known(conn, who, order)
        if kept["state"] in ("placed", "expired"):
            raise CounterError(Why.NOT_PAID)
        await conn.execute(store.LOCK_STORE, kept["outlet_id"])
        now = context.now()
        wrong = await conn.fetchval(store.WRONG_LATELY, kept["outlet_id"], now - _HOUR)
        if wrong >= codes.WRONG_AT_OUTLET:
            raise CounterError(Why.CROWDED)
        kept = await _code(conn, order)
        if codes.is_of_another_key(context, kept):
            # Its page shows the digits of the new key: those are the ones from now on.
            await codes.renew(conn, context, kept, kept["code_from"], tries=kept["tries"])
            kept = await _code(conn, order)
        lives = await codes.lives(conn, context, [kept["outlet_id"]])
        if kept["code_from"] + lives[kept["outlet_id"]] <= now:
            raise CounterError(Why.EXPIRED)
        counted = await conn.fetchval(
            store.COUNT_TRY, order, kept["code_version"], codes.TRIES, codes.WRONG
        )
        if counted is None:
            raise CounterError(Why.LOCKED)
        return kept


async def _code(conn: Connection, order: UUID) -> asyncpg.Record:
    row = await conn.fetchrow(store.CODE_OF, order)
    assert row is not None
    return row


async def _hand_over(
    conn: Connection, units: Sequence[asyncpg.Record], now: datetime, **said: object
) -> list[asyncpg.Record]:
    """All that is left of them, or nothing; which that was. Raises CounterError."""
    open_ = [unit for unit in units if unit["settlement"] is None]
    if not open_ and not any(unit["settlement"] == "fulfilled" for unit in units):
        raise CounterError(Why.OVER)
    if any(unit["state"] == "to_accept" for unit in open_):
        raise CounterError(Why.NOT_ACCEPTED)
    _in_time(open_, now)
    for unit in open_:
        due = unit["hard_deadline"]
        await transition(conn, COUNTER, unit["id"], "HANDING", now, due_at=due)
        await transition(conn, COUNTER, unit["id"], "HANDED_OVER", now, **said)
    return open_


def _in_time(units: Sequence[asyncpg.Record], now: datetime) -> None:
    """What is over for the sweeper is over for everybody. Raises CounterError."""
    if any(now >= fulfillment.last_moment(unit) for unit in units):
        raise CounterError(Why.TOO_LATE)


def _from(kept: asyncpg.Record, now: datetime) -> datetime:
    """Since when an order is waited for: not before the time that it is wanted at."""
    return max(now, kept["wanted_at"] or now)


def _steps_back_until(context: Context, unit: asyncpg.Record, kept: asyncpg.Record) -> datetime:
    """A step back gives its whole time again. So it is there for as long as an order takes at most
    that goes straight on: else two taps every few hours keep somebody's money for ever."""
    windows = fulfillment.windows_at(context, unit)
    whole = sum((windows.span(n) for n in ("dispatch_s", "prepare_s", "pickup_s")), timedelta())
    return _from(kept, unit["queued_at"]) + whole


def _window(context: Context, unit: asyncpg.Record, name: str) -> timedelta:
    return fulfillment.windows_at(context, unit).span(name)


async def _move(
    conn: Connection, unit: asyncpg.Record, event: str, now: datetime, by: datetime, **more: object
) -> None:
    """A step, after which its money goes back at `by`."""
    await transition(
        conn, COUNTER, unit["id"], event, now, due_at=by, hard_deadline=by + _AFTER, **more
    )
    await conn.execute(store.MOVE_DEADLINE, unit["id"], by)


def _act(who: Staff, action: str, order: UUID, reason: str = "", units: Sequence[UUID] = ()) -> Act:
    """Its line of the audit log."""
    after = {"units": [str(unit) for unit in units]} if units else None
    return Act(action=action, merchant=who.merchant, subject=str(order), reason=reason, after=after)
