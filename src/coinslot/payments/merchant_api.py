"""The calls of a merchant's server: each counts once, however often it is sent."""

from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context, leases
from coinslot.gateways.base import Declined, PaymentFact, Unclear
from coinslot.gateways.collecting import Closed, Collects, Pending
from coinslot.merchants.accounts import Account
from coinslot.payments import api_views, attempts, authorizations, idempotency, store
from coinslot.payments.attempts import PaymentRequest
from coinslot.payments.authorizations import HoldAction
from coinslot.payments.idempotency import Answer, IdempotentCall, Resumed
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


class RefundRequest(Struct, frozen=True, kw_only=True):
    """A refund; without an amount, all that is left."""

    amount: int | None = None
    reason: str | None = None


async def create(context: Context, key: IdempotentCall, ask: PaymentRequest) -> Answer:
    """A payment, made once. Raises KeyReusedError, KeyBusyError, NoGatewayError, NotTakenError,
    UnknownGatewayError."""
    objection = await attempts.objection(context, key.merchant, ask)
    async with context.db.as_merchant(key.merchant) as conn:
        claimed = await idempotency.begin(conn, context, key)
        if isinstance(claimed, Answer):
            return claimed
        if objection is not None:
            raise objection
        made = await attempts.write(conn, context, key.merchant, ask)
        await idempotency.name(conn, key, made)
        body = await api_views.payment(conn, made)
        return await idempotency.finish(conn, context, key, _answer(201, body))


async def confirm(
    context: Context, key: IdempotentCall, payment_id: UUID, method: str | None
) -> Answer:
    """Collect it: in this call, or with a next action, or still processing when it returns.

    Raises UnknownError, NoGatewayError, GatewayUnavailableError, KeyReusedError, KeyBusyError."""
    attempt = None
    payment = await _payment(context, key, payment_id)
    routed = await attempts.route(context, payment, ())
    async with context.db.as_merchant(key.merchant) as conn:
        claimed = await idempotency.begin(conn, context, key)
        if isinstance(claimed, Answer):
            return claimed
        if isinstance(claimed, Resumed) and claimed.subject is not None:
            attempt = claimed.subject
        else:
            if payment["state"] == "canceled":
                raise RuledOutError(
                    "not_confirmable", "A payment that was called off cannot be confirmed."
                )
            if isinstance(routed, Account):
                attempt = await attempts.begin(conn, context, payment, routed, method)
            elif payment["state"] in attempts.CONFIRMABLE:
                if isinstance(routed, attempts.NoneAvailable):
                    raise attempts.GatewayUnavailableError(routed.retry_after_s)
                raise attempts.NoGatewayError(attempts.no_gateway(dict(payment)))
            if attempt is not None:
                await idempotency.name(conn, key, attempt)
    if attempt is not None:
        await _drive(context, key, payment, attempt, method)
    async with context.db.as_merchant(key.merchant) as conn:
        body = await api_views.payment(conn, payment_id)
        return await idempotency.finish(conn, context, key, _answer(200, body))


async def _drive(
    context: Context,
    key: IdempotentCall,
    payment: asyncpg.Record,
    attempt: UUID,
    method: str | None,
) -> None:
    """This attempt, and the next gateway's when this one certainly did not charge. A payment method
    belongs to one gateway, so no other is tried with it."""
    tried: list[UUID] = []
    for _ in range(_FALLBACKS):
        async with context.db.as_merchant(key.merchant) as conn:
            row = await conn.fetchrow("SELECT * FROM attempts WHERE id = $1", attempt)
        if row is None or row["state"] != "started":
            return
        async with leases.taken(context, "attempts", attempt) as mine:
            if mine is None:
                return  # a worker holds it: its answer is this one's
            await attempts.drive(*mine)
        tried.append(row["account_id"])
        async with context.db.as_merchant(key.merchant) as conn:
            failed = await conn.fetchval(
                "SELECT state = 'failed' FROM attempts WHERE id = $1", attempt
            )
        routed = None
        if failed and method is None:
            routed = await attempts.route(context, payment, tried)
        if not isinstance(routed, Account):
            return
        try:
            async with context.db.as_merchant(key.merchant) as conn:
                following = await attempts.begin(conn, context, payment, routed, method)
                if following is None:
                    return
                attempt = following
                await idempotency.name(conn, key, attempt)
        except attempts.GatewayUnavailableError:
            return  # its one try was taken by another payment meanwhile


async def cancel(context: Context, key: IdempotentCall, payment_id: UUID) -> Answer:
    """Cancel it; held money is voided.

    Raises UnknownError, RuledOutError, KeyReusedError, KeyBusyError."""
    payment = await _payment(context, key, payment_id)
    async with context.db.as_merchant(key.merchant) as conn:
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
    payment = await _payment(context, key, payment_id)
    minor = payment["amount_minor"] if amount is None else amount
    async with context.db.as_merchant(key.merchant) as conn:
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

    Raises UnknownError, RuledOutError, KeyReusedError, KeyBusyError."""
    await _payment(context, key, payment_id)
    async with context.db.as_merchant(key.merchant) as conn:
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


async def _payment(context: Context, key: IdempotentCall, payment_id: UUID) -> asyncpg.Record:
    """A test key reads no live payment, and a live key no other. Raises UnknownError."""
    async with context.db.as_merchant(key.merchant) as conn:
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
