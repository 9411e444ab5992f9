"""Gateway webhooks and other facts of gateways: stored first, answered only after the commit.

Where the signature proves the content, the event is worked in the call that stores it. Otherwise it
is a hint: the gateway is asked. Facts found by asking take the same path."""

from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from coinslot.context import Context
from coinslot.gateways import marks
from coinslot.gateways.base import (
    Absent,
    Fact,
    Forged,
    Genuine,
    Hint,
    Mark,
    PaymentFact,
    PrintsQr,
    QrFact,
    Refunds,
    Taken,
    Unclear,
    Unreadable,
    Verdict,
)
from coinslot.merchants.accounts import Account
from coinslot.payments import store

log = structlog.get_logger(__name__)


class WebhookAnswer(Struct, frozen=True, kw_only=True):
    """The answer to a webhook."""

    status: int
    code: str
    message: str
    text: str | None = None  # the whole body, where the gateway insists on one


# Stored with every webhook beside those that the driver names; no credentials of ours.
_KEPT_HEADERS = ("content-type", "user-agent")
_HEADER_KEPT, _FORGERY_KEPT_BYTES = 1_024, 8_192


async def take_webhook(
    context: Context, account: Account, headers: Mapping[str, str], body: bytes
) -> WebhookAnswer:
    """Store one webhook and work it. When this returns, it is committed."""
    verdict = account.driver.read_webhook(headers, body)
    kept = (*_KEPT_HEADERS, *account.driver.kept_headers)
    said: dict[str, object] = {
        "account": account.id,
        "merchant": account.merchant_id,
        "headers": {name: headers[name][:_HEADER_KEPT] for name in kept if name in headers},
        "facts": [],
    }
    match verdict:
        case Genuine(delivery_id=delivery_id, event=event, facts=facts):
            said |= {"verdict": "genuine", "delivery_id": delivery_id, "event": event}
            said["facts"] = as_json(context, facts)
            _note_their_time(account, facts)
            body = body if verdict.kept is None else verdict.kept
            answer = _taken(account)
        case Hint(event=event, reference=reference):
            # Anyone in the gateway's networks can send these, and each costs calls. What a refused
            # one reported is sent again, or found by asking.
            if not context.hints.grants(account.id, context.now()):
                return WebhookAnswer(status=429, code="too_many", message="tell it again later")
            said |= {"verdict": "hint", "event": event, "reference": reference}
            said["delivery_id"] = verdict.delivery_id
            answer = _taken(account)
        case Forged(reason=reason):
            answer = WebhookAnswer(status=401, code="bad_signature", message=reason)
            # Anyone can send these: what is stored of them must not fill the disk.
            if not context.forgeries.grants(account.id, context.now()):
                return answer
            said |= {"verdict": "forged", "reason": reason}
            body = body[:_FORGERY_KEPT_BYTES]
        case Unreadable(delivery_id=delivery_id, event=event, reason=reason):
            # If refused, a gateway would send it again for days, and then send nothing any more.
            marked = verdict.mark is not None and marks.is_ours(verdict.mark, context.installation)
            said |= {"verdict": "unreadable", "delivery_id": delivery_id, "event": event}
            said |= {"reason": reason, "names": verdict.names, "marked": marked}
            answer = _taken(account)
    said["windows"] = context.for_sql(account)
    said["lines"] = context.line.channels()
    taken = await context.inbox.store(said, body, context.now(), _first_payment(verdict))
    if taken["outcome"] == "failed":
        log.error("webhook_work_failed", account=account.slug)
    elif taken["outcome"] == "unreadable_ours":
        log.error("webhook_not_read", account=account.slug, kind=said["event"])
    _go_on(context, account, taken)
    return answer


def _go_on(context: Context, account: Account, taken: Mapping[str, Any]) -> None:
    """What was begun in the webhook's transaction is sent now, and the gateway does not wait for
    it; whatever else it made due, a sweep works."""
    begun = taken["begun"]
    if begun is None:
        context.wakes.wake(*_WAKES.get(taken["outcome"], ()))
        return
    kind = context.kinds[begun["kind"]]
    sending = kind.send_begun(context, account.merchant_id, begun["said"])
    context.background.start(sending, "send what was paid for")


def _note_their_time(account: Account, facts: Iterable[Fact]) -> None:
    """The gateway's clock had reached this time when it sent the event."""
    for fact in facts:
        if account.there is not None and isinstance(fact, PaymentFact):
            account.there.record_event(fact.at)


def _first_payment(verdict: Verdict) -> str:
    facts = verdict.facts if isinstance(verdict, Genuine) else ()
    return next((f.gateway_payment_id for f in facts if not isinstance(f, QrFact)), "")


def _taken(account: Account) -> WebhookAnswer:
    reply = account.driver.webhook_reply
    return WebhookAnswer(status=200, code="taken", message="taken", text=reply)


_WAKES: Mapping[str, tuple[str, ...]] = {
    "paid": ("fulfillments",),
    "returned": ("refunds",),
    "refunded_outside": ("refunds",),
    "refund": ("refunds",),
    "dispute": ("refunds",),
    "receipt": (),
    "parked": (),
    "failed": (),
    "hint": ("inbox",),
    "noted": ("attempts",),
    "unreadable_ours": ("attempts", "qr_codes", "refunds"),
}


def as_json(context: Context, facts: Iterable[Fact]) -> list[object]:
    """Facts as the database reads them. Another installation's mark does not count as ours."""
    return [msgspec.to_builtins(_unmark(context, fact)) for fact in facts]


def _unmark(context: Context, fact: Fact) -> Fact:
    if fact.mark is not None and not marks.is_ours(fact.mark, context.installation):
        return msgspec.structs.replace(fact, mark=None)
    return fact


async def work_facts(
    context: Context, account: Account, facts: Iterable[Fact], by: str = "look"
) -> list[str]:
    """Work facts found by asking, each in a transaction of its own; returns the outcome of each.
    New ones are stored in the inbox like a webhook, with `by` as the event. They are true whichever
    worker found them, also one that has lost its lease meanwhile."""
    outcomes = []
    for fact in facts:
        if isinstance(fact, QrFact):
            continue
        outcome: str = await context.db.unfenced.call(
            store.WORK_FACT, account.merchant_id, account.id,
            msgspec.to_builtins(_unmark(context, fact)), by, context.for_sql(account),
            context.now(),
        )  # fmt: skip
        context.wakes.wake(*_WAKES.get(outcome, ()))
        outcomes.append(outcome)
    return outcomes


async def notice_sum(context: Context, account: Account, fact: PaymentFact) -> str:
    """For a gateway without a list of refunds: what its total says beyond the refunds we know.
    'unexplained': a refund of ours is under way, and may be in it."""
    async with context.db.unfenced.as_merchant(account.merchant_id) as conn:
        outcome: str = await conn.fetchval(
            store.NOTE_SUM, account.id, msgspec.to_builtins(fact), "look",
            context.for_sql(account), context.now(),
        )  # fmt: skip
    context.wakes.wake(*_WAKES.get(outcome, ()))
    return outcome


async def work_again(context: Context, row: asyncpg.Record) -> None:
    """A webhook that was stored and not worked: work it now, or put it off once more."""
    if row["verdict"] == "hint":
        await _work_hint(context, row)
        return
    if row["failure"] == "refund_of_unknown" and await _is_foreign(context, row):
        async with context.db.as_merchant(row["merchant_id"]) as conn:
            await conn.execute(store.INBOX_FOREIGN, row["id"], context.now())
        return
    account = await context.accounts.by_id(row["account_id"])
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        outcome = await conn.fetchval(
            store.WORK_INBOX, row["id"], context.for_sql(account), context.now()
        )
    context.wakes.wake(*_WAKES.get(outcome, ()))


async def _is_foreign(context: Context, row: asyncpg.Record) -> bool:
    """For a refund (or dispute) whose payment is unknown here: whether the gateway shows that the
    payment is not ours. A payment that is ours is accepted, and the refund is worked with it."""
    account = await context.accounts.by_id(row["account_id"])
    names = {fact["gateway_payment_id"] for fact in row["facts"] if "gateway_payment_id" in fact}
    foreign = bool(names)
    for name in names:
        payment = await account.driver.look(name)
        if not isinstance(payment, PaymentFact):
            return False
        fact = await _with_code(account, payment)
        if fact is None:
            return False
        known_as = (fact.gateway_payment_id, fact.gateway_order_id, fact.qr_code_id)
        if await is_ours(context, account, fact.mark, known_as):
            foreign = False
            if fact.taken is Taken.CAPTURED:
                await work_facts(context, account, (fact,))
    return foreign


async def _with_code(account: Account, payment: PaymentFact) -> PaymentFact | None:
    """The payment with the QR code that it came through, if any; None: the gateway does not say."""
    if not isinstance(account.driver, PrintsQr) or payment.qr_code_id is not None:
        return payment
    qr = await account.driver.qr_of_payment(payment.gateway_payment_id)
    match qr:
        case QrFact(qr_code_id=code, mark=mark):
            return msgspec.structs.replace(payment, qr_code_id=code, mark=mark or payment.mark)
        case Absent():
            return payment
        case Unclear():
            return None


async def is_ours(
    context: Context, account: Account, mark: Mark | None, names: Iterable[str | None]
) -> bool:
    """Whether something at a gateway is ours: it has our mark, or one of these names is of
    something that we know there."""
    if mark is not None and marks.is_ours(mark, context.installation):
        return True
    async with context.db.as_merchant(account.merchant_id) as conn:
        known: bool = await conn.fetchval(
            store.IS_KNOWN, account.id, [name for name in names if name]
        )
    return known


async def _work_hint(context: Context, row: asyncpg.Record) -> None:
    """Ask the gateway about what a hint names; its answer is the truth."""
    account = await context.accounts.by_id(row["account_id"])
    payment = await account.driver.look(row["reference"])
    back = await account.driver.refunds(row["reference"])
    failure = None
    if isinstance(payment, Unclear) or isinstance(back, Unclear):
        failure = f"{payment if isinstance(payment, Unclear) else back}"
    facts = [payment] if isinstance(payment, PaymentFact) else []
    await work_facts(context, account, facts)
    if isinstance(back, Refunds):
        await work_facts(context, account, back.facts)
        if not back.complete and isinstance(payment, PaymentFact):
            outcome = await notice_sum(context, account, payment)
            failure = outcome if outcome == "unexplained" else failure
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await conn.execute(store.HINT_FOLLOWED, row["id"], failure, context.now(), row["told"])
