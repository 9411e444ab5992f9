"""The calls of a merchant's server: each counts once, however often it is sent."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context, leases
from coinslot.db.pool import Connection
from coinslot.gateways.base import Declined, PaymentFact, Unclear
from coinslot.gateways.collecting import Closed, Collects, Pending
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Account
from coinslot.payments import api_views, attempts, authorizations, idempotency, store
from coinslot.payments.attempts import Begun, PaymentRequest
from coinslot.payments.authorizations import HoldAction
from coinslot.payments.idempotency import Answer, IdempotentCall, Resumed
from coinslot.people.merchant_settings import RefundLimit
from coinslot.states.payment_flow import PAYMENT
from coinslot.states.transition import transition

_DONE = {HoldAction.TAKE: "succeeded", HoldAction.LET_GO: "canceled"}
_NOT_DONE = {HoldAction.TAKE: "not_captured", HoldAction.LET_GO: "not_canceled"}
_FALLBACKS = 4  # gateways tried in one call, one after the other, each after a certain no


class UnknownError(Exception):
    """No such payment or refund of this merchant."""


class RuledOutError(Exception):
    """Understood, but against a business rule. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class AboveLimitError(RuledOutError):
    """With what was given back before, more than whoever asks may without more proof."""

    def __init__(self) -> None:
        super().__init__("refund_above_limit", "That is above the merchant's limit for refunds.")


class RefundRequest(Struct, frozen=True, kw_only=True):
    """A refund; without an amount, all that is left. `limit`: the most that may go back of the
    payment, in sum; None: all of it."""

    amount: int | None = None
    reason: str | None = None
    limit: RefundLimit | None = None


async def create(context: Context, key: IdempotentCall, ask: PaymentRequest) -> Answer:
    """A payment, made once. Raises KeyReusedError, KeyBusyError, NoGatewayError, NotTakenError,
    UnknownGatewayError."""
    async with context.db.as_merchant(key.merchant) as conn:
        claimed = await idempotency.begin(conn, context, key)
        if isinstance(claimed, Answer):
            return claimed
        objection = await attempts.objection(conn, context, ask)
        if objection is not None:
            raise objection
        made = await attempts.write(conn, context, key.merchant, ask)
        body = await api_views.payment(conn, made)
        return await idempotency.finish(conn, context, key, _answer(201, body), made)


async def confirm(
    context: Context, key: IdempotentCall, payment_id: UUID, method: str | None
) -> Answer:
    """Collect it: in this call, or with a next action, or still processing when it returns.

    Raises UnknownError, NoGatewayError, GatewayUnavailableError, KeyReusedError, KeyBusyError."""
    begun, going_on = None, None
    async with context.db.as_merchant(key.merchant) as conn:
        payment = await _payment(conn, key, payment_id)
        claimed = await idempotency.begin(conn, context, key)
        if isinstance(claimed, Answer):
            return claimed
        wanted = _Wanted(payment, await attempts.accounts(conn, context), method)
        if isinstance(claimed, Resumed) and claimed.subject is not None:
            going_on = claimed.subject
        else:
            begun = await _begin(conn, context, wanted)
            if begun is not None:
                await idempotency.name(conn, key, begun.row["id"])
    sent = None if going_on is None else await _resume(context, key, going_on)
    while True:
        if begun is not None:
            await attempts.send_begun(context, begun)
            sent = begun.row
        async with context.db.as_merchant(key.merchant) as conn:
            body = await api_views.payment(conn, payment_id)
            begun = None if sent is None else await _begin_next(conn, context, wanted, sent)
            if begun is None:
                return await idempotency.finish(conn, context, key, _answer(200, body))
            await idempotency.name(conn, key, begun.row["id"])


class _Wanted(Struct, frozen=True):
    """A payment that is to be collected, at one of these accounts. `tried`: those of this call."""

    payment: asyncpg.Record
    accounts: list[Account]
    method: str | None
    tried: list[UUID] = []


async def _begin(conn: Connection, context: Context, wanted: _Wanted) -> Begun | None:
    """The first attempt of a call. None: another is under way, or the payment has ended."""
    payment = wanted.payment
    if payment["state"] == "canceled":
        raise RuledOutError("not_confirmable", "A payment that was called off cannot be confirmed.")
    routed = attempts.route(context, wanted.accounts, payment, ())
    if isinstance(routed, Account):
        return await attempts.begin(conn, context, payment, routed, wanted.method)
    if payment["state"] in attempts.CONFIRMABLE:
        if isinstance(routed, attempts.NoneAvailable):
            raise attempts.GatewayUnavailableError(routed.retry_after_s)
        raise attempts.NoGatewayError(attempts.no_gateway(dict(payment)))
    return None


async def _begin_next(
    conn: Connection, context: Context, wanted: _Wanted, sent: asyncpg.Record
) -> Begun | None:
    """An attempt at the next gateway, where the one that was sent certainly did not charge. A
    payment method belongs to one gateway, so no other is tried with it."""
    wanted.tried.append(sent["account_id"])
    if wanted.method is not None or len(wanted.tried) >= _FALLBACKS:
        return None
    if await conn.fetchval("SELECT state FROM attempts WHERE id = $1", sent["id"]) != "failed":
        return None
    routed = attempts.route(context, wanted.accounts, wanted.payment, wanted.tried)
    if not isinstance(routed, Account):
        return None
    try:
        return await attempts.begin(conn, context, wanted.payment, routed, None)
    except attempts.GatewayUnavailableError:
        return None  # its one try was taken by another payment meanwhile


async def _resume(context: Context, key: IdempotentCall, attempt: UUID) -> asyncpg.Record | None:
    """Drive what an earlier call began and died with. None: a worker holds it, whose answer is this
    one's, or it was sent and answered."""
    async with context.db.as_merchant(key.merchant) as conn:
        row = await conn.fetchrow("SELECT * FROM attempts WHERE id = $1", attempt)
    if row is None or row["state"] != "started":
        return None
    async with leases.taken(context, "attempts", attempt) as mine:
        if mine is None:
            return None
        await attempts.drive(*mine)
    return row


async def cancel(context: Context, key: IdempotentCall, payment_id: UUID) -> Answer:
    """Cancel it; held money is voided.

    Raises UnknownError, RuledOutError, KeyReusedError, KeyBusyError."""
    async with context.db.as_merchant(key.merchant) as conn:
        payment = await _payment(conn, key, payment_id)
        claimed = await idempotency.begin(conn, context, key)
        if isinstance(claimed, Answer):
            return claimed
        attempt = await conn.fetchrow(store.OPEN_ATTEMPT, payment_id)
    refusal = None
    if isinstance(claimed, Resumed) and claimed.subject is not None:
        return await _drive_wish(context, key, payment_id, claimed.subject, HoldAction.LET_GO)
    if attempt is not None and _waits(attempt) and payment["state"] != "authorized":
        refusal = await _stop(context, attempt, shown=payment["state"] == "requires_action")
    async with context.db.as_merchant(key.merchant) as conn:
        asked = await authorizations.ask(conn, context, payment_id, HoldAction.LET_GO)
        if asked is not None:
            await idempotency.name(conn, key, asked)
    if asked is not None:
        return await _drive_wish(context, key, payment_id, asked, HoldAction.LET_GO)
    async with context.db.as_merchant(key.merchant) as conn:
        state = await conn.fetchval(store.LOCK_PAYMENT_STATE, payment_id)
        if refusal is None and state in ("processing", "succeeded", "authorized"):
            refusal = f"A payment that is {state} cannot be called off."
        if refusal is None:
            await transition(conn, PAYMENT, payment_id, "CANCEL", context.now())
            body = await api_views.payment(conn, payment_id)
            return await idempotency.finish(conn, context, key, _answer(200, body))
        await idempotency.release(conn, context, key)  # asked again, it may be possible
    raise RuledOutError("not_canceled", refusal)


def _waits(attempt: asyncpg.Record) -> bool:
    """Something was made at the gateway, and nothing else is asked of it now."""
    return attempt["reference"] is not None and attempt["wish"] is None


async def _stop(context: Context, attempt: asyncpg.Record, *, shown: bool) -> str | None:
    """The payer can no longer pay, or has paid; else why not. What was shown to the payer did not
    fail: it is cancelled."""
    account = await context.accounts.by_id(attempt["account_id"])
    assert isinstance(account.driver, Collects)
    answer = await account.driver.cancel(attempt["reference"])
    match answer:
        case Declined(reason=reason) | Unclear(reason=reason):
            return f"The gateway did not call it off: {reason}"
        case Closed(reference=reference, reason=reason):
            await attempts.record_outcome(
                context, attempt, "CLOSED", payment="CANCEL" if shown else "", reference=reference,
                failure=reason[:500],
            )  # fmt: skip
            return None
        case PaymentFact() | Pending():
            await attempts.settle(context, account, attempt, answer)
            return None


async def capture(
    context: Context, key: IdempotentCall, payment_id: UUID, amount: int | None
) -> Answer:
    """Capture held money, or a part of it: the rest is released.

    Raises UnknownError, RuledOutError, KeyReusedError, KeyBusyError."""
    async with context.db.as_merchant(key.merchant) as conn:
        payment = await _payment(conn, key, payment_id)
        minor = payment["amount_minor"] if amount is None else amount
        claimed = await idempotency.begin(conn, context, key)
        if isinstance(claimed, Answer):
            return claimed
        asked = claimed.subject if isinstance(claimed, Resumed) else None
        if asked is None:
            if minor > payment["amount_minor"]:
                raise RuledOutError("capture_exceeds_payment", "That much is not held.")
            asked = await authorizations.ask(conn, context, payment_id, HoldAction.TAKE, minor)
            if asked is None:
                state = await conn.fetchval(store.LOCK_PAYMENT_STATE, payment_id)
                raise RuledOutError(
                    "not_captured", f"Of a payment that is {state} nothing can be captured."
                )
            await idempotency.name(conn, key, asked)
    return await _drive_wish(context, key, payment_id, asked, HoldAction.TAKE)


async def _drive_wish(
    context: Context, key: IdempotentCall, payment_id: UUID, attempt: UUID, wish: HoldAction
) -> Answer:
    """Ask the gateway for what was recorded; still processing where it gave no clear answer."""
    async with context.db.as_merchant(key.merchant) as conn:
        row = await conn.fetchrow("SELECT * FROM attempts WHERE id = $1", attempt)
    if row is not None and row["wish"] == wish:
        async with leases.taken(context, "attempts", attempt) as mine:
            if mine is not None:
                await authorizations.drive(*mine)
    async with context.db.as_merchant(key.merchant) as conn:
        body = await api_views.payment(conn, payment_id)
        assert body is not None
        if body.status in ("processing", _DONE[wish]):
            return await idempotency.finish(conn, context, key, _answer(200, body))
        await idempotency.release(conn, context, key)  # asked again, it may be possible
    why = body.attempts[-1].failure or f"the payment is {body.status}"
    raise RuledOutError(_NOT_DONE[wish], f"The gateway did not do it: {why}")


async def request_refund(
    context: Context, key: IdempotentCall, payment_id: UUID, back: RefundRequest
) -> Answer:
    """A refund, reserved under the capture's lock and driven until it is proved.

    Raises UnknownError, RuledOutError (AboveLimitError), KeyReusedError, KeyBusyError."""
    async with context.db.as_merchant(key.merchant) as conn:
        payment = await _payment(conn, key, payment_id)
        claimed = await idempotency.begin(conn, context, key)
        if isinstance(claimed, Answer):
            return claimed
        made = await conn.fetchval(
            store.ASK_REFUND, payment_id, back.amount, back.reason, context.now()
        )
        if made is None:
            left = await conn.fetchval(store.LEFT_TO_REFUND, payment_id)
            raise RuledOutError(
                "refund_exceeds_payment", f"That much is not left to give back: {left or 0} is."
            )
        if back.limit is not None:  # the capture is locked: two at once count each other
            given = Money(await conn.fetchval(store.GIVEN_OF_PAYMENT, payment_id),
                          payment["currency"])  # fmt: skip
            if not back.limit.allows(given):
                raise AboveLimitError
        await idempotency.name(conn, key, made)
        body = await api_views.refund(conn, made)
        answer = await idempotency.finish(conn, context, key, _answer(201, body))
    context.wakes.wake("refunds")
    return answer


async def payment(context: Context, merchant: UUID, payment_id: UUID) -> api_views.PaymentStatement:
    """Raises UnknownError."""
    async with context.db.as_merchant(merchant) as conn:
        found = await api_views.payment(conn, payment_id)
    if found is None:
        raise UnknownError("There is no such payment.")
    return found


async def payments(
    context: Context, merchant: UUID, wanted: api_views.ListQuery
) -> list[api_views.PaymentStatement]:
    """One page, newest first."""
    async with context.db.as_merchant(merchant) as conn:
        return await api_views.payments(conn, wanted)


async def refunds(
    context: Context, merchant: UUID, payment: UUID
) -> list[api_views.RefundStatement]:
    """Of a payment, oldest first."""
    async with context.db.as_merchant(merchant) as conn:
        return await api_views.refunds(conn, payment)


async def refund(context: Context, merchant: UUID, refund_id: UUID) -> api_views.RefundStatement:
    """Raises UnknownError."""
    async with context.db.as_merchant(merchant) as conn:
        found = await api_views.refund(conn, refund_id)
    if found is None:
        raise UnknownError("There is no such refund.")
    return found


async def _payment(conn: Connection, key: IdempotentCall, payment_id: UUID) -> asyncpg.Record:
    """A test key reads no live payment, and a live key no other. Raises UnknownError."""
    row = await conn.fetchrow(
        "SELECT * FROM payments WHERE id = $1 AND source = 'api' AND live = $2",
        payment_id,
        key.live,
    )
    if row is None:
        raise UnknownError("There is no such payment.")
    return row


def _answer(status: int, body: Any) -> Answer:
    return Answer(status=status, body=msgspec.to_builtins(body))
