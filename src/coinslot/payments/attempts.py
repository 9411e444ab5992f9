"""Collects a payment at a gateway: the attempt is a row with its key before the gateway is called,
and is driven until the gateway has said what became of it."""

import math
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from coinslot.context import Context, leases
from coinslot.db.lease import Lease
from coinslot.db.pool import Connection
from coinslot.gateways import drivers, marks
from coinslot.gateways.base import Absent, Declined, Mark, PaymentFact, Taken, Unclear
from coinslot.gateways.breaker import Breaker
from coinslot.gateways.collecting import Authorizes, Charge, Closed, Collects, Pending
from coinslot.gateways.receipts import Receipt
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Account
from coinslot.payments import receipts, store
from coinslot.payments.gateway_webhooks import work_facts
from coinslot.states.attempt_flow import ATTEMPT
from coinslot.states.payment_flow import PAYMENT
from coinslot.states.transition import transition

log = structlog.get_logger(__name__)

OPEN = ("started", "pending", "unknown")
CONFIRMABLE = ("created", "failed")
Outcome = PaymentFact | Pending | Closed | Declined | Absent | Unclear


class NoGatewayError(Exception):
    """No account of the merchant can collect this amount in this currency."""


class GatewayUnavailableError(Exception):
    """The gateways that could collect it do not answer. The payment is as it was."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("the gateway does not answer; nothing was asked of it")
        self.retry_after_s = retry_after_s


class PaymentRequest(Struct, frozen=True, kw_only=True):
    """What a merchant wants to collect."""

    money: Money
    reference: str | None = None
    gateway: str | None = None
    description: str = ""
    metadata: dict[str, str] = {}
    return_url: str | None = None
    capture_method: str = "automatic"  # "manual": held, until it is captured or voided
    live: bool = False  # it may move real money
    receipt_contact: str | None = None  # where its fiscal receipt goes


async def write(conn: Connection, context: Context, merchant: UUID, ask: PaymentRequest) -> UUID:
    """The payment's row; nothing is asked of a gateway yet."""
    made = uuid7(context.now())
    await conn.execute(
        "INSERT INTO payments (id, merchant_id, state, amount_minor, currency, source, reference,"
        " description, metadata, gateway, return_url, capture_method, live, created_at,"
        " receipt_contact)"
        " VALUES ($1, $2, 'created', $3, $4, 'api', $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        made, merchant, ask.money.minor, ask.money.currency, ask.reference, ask.description,
        ask.metadata, ask.gateway, ask.return_url, ask.capture_method, ask.live,
        context.now(), ask.receipt_contact,
    )  # fmt: skip
    return made


class NotTakenError(Exception):
    """The gateway accepts less text than this. `fields`: which, and how much."""

    def __init__(self, gateway: str, fields: dict[str, str]) -> None:
        said = "; ".join(f"{field}: {text}" for field, text in fields.items())
        super().__init__(f"{gateway} does not take this. {said}"[:500])
        self.fields = fields


class UnknownGatewayError(Exception):
    """There is no gateway of this name."""


Objection = UnknownGatewayError | NoGatewayError | NotTakenError


async def objection(conn: Connection, context: Context, ask: PaymentRequest) -> Objection | None:
    """Why the requested gateway cannot collect this at all: better known when a payment is made
    than when its payer waits. Where none is requested, the gateway that will be tried gets as much
    of the texts as it accepts."""
    if ask.gateway is None:
        return None
    if ask.gateway not in drivers():
        return UnknownGatewayError(f"There is no gateway {ask.gateway!r}.")
    wanted = {
        "live": ask.live, "capture_method": ask.capture_method, "gateway": ask.gateway,
        "currency": ask.money.currency, "amount_minor": ask.money.minor,
    }  # fmt: skip
    found = [account for account in await accounts(conn, context) if _can(account, wanted)]
    if not found:
        return NoGatewayError(no_gateway(wanted))
    flaws = {}
    for account in found:
        assert isinstance(account.driver, Collects)
        flaws = account.driver.limits.flaws(ask.metadata, ask.description)
        if not flaws:
            return None
    return NotTakenError(ask.gateway, flaws)


def no_gateway(payment: Mapping[str, Any]) -> str:
    """Why none can, in words."""
    verb = "hold" if payment["capture_method"] == "manual" else "collect"
    who = f"{payment['gateway']} cannot" if payment["gateway"] else "No gateway can"
    mode = "live" if payment["live"] else "test"
    return f"{who} {verb} {payment['amount_minor']} {payment['currency']} here, with a {mode} key."


class NoneAvailable(Struct, frozen=True):
    """There are accounts that could collect it, and none of them answers."""

    retry_after_s: int


def route(
    context: Context, accounts: Sequence[Account], payment: asyncpg.Record, tried: Sequence[UUID]
) -> Account | NoneAvailable | None:
    """The first of these accounts that can collect it, was not tried, and whose breaker is
    closed."""
    waits = []
    for account in accounts:
        if account.id in tried or not _can(account, payment):
            continue
        shut = breaker_of(context, account).shut_for(context.now())
        if shut is None:
            return account
        waits.append(math.ceil(shut.total_seconds()))
    return NoneAvailable(min(waits)) if waits else None


async def accounts(conn: Connection, context: Context) -> list[Account]:
    """Of the merchant whose transaction it is, those that take new payments, in the order they were
    made."""
    ids = await conn.fetch(
        "SELECT id FROM gateway_accounts WHERE disabled_at IS NULL ORDER BY created_at, id"
    )
    return [await context.accounts.by_id(row["id"]) for row in ids]


def _can(account: Account, payment: Mapping[str, Any] | asyncpg.Record) -> bool:
    driver = account.driver
    return (
        isinstance(driver, Collects)
        and account.live in (None, payment["live"])  # a test key moves no real money
        and (payment["capture_method"] == "automatic" or isinstance(driver, Authorizes))
        and payment["gateway"] in (None, account.gateway)
        and takes(account, Money(payment["amount_minor"], payment["currency"]))
    )


def takes(account: Account, money: Money) -> bool:
    """Whether an account takes this amount in this currency."""
    driver = account.driver
    smallest = driver.minimum_minor.get(money.currency, 1)
    return money.currency in driver.currencies and money.minor >= smallest


def breaker_of(context: Context, account: Account) -> Breaker:
    return context.breakers.of(account.id, f"{account.gateway}/{account.slug}")


class Begun(Struct, frozen=True):
    """An attempt that its caller is to send as soon as it is committed: the row, with what its
    payment says, and the lease."""

    row: asyncpg.Record
    lease: Lease


async def begin(
    conn: Connection,
    context: Context,
    payment: asyncpg.Record,
    account: Account,
    method: str | None,
) -> Begun | None:
    """An attempt with its key, in the transaction that marks the payment as confirmed. It counts as
    sent from the commit on, whether or not its caller lives to send it. None: the payment cannot be
    confirmed now, because an attempt is under way or it has ended. Raises GatewayUnavailableError,
    with nothing written."""
    if await conn.fetchval(store.LOCK_PAYMENT_STATE, payment["id"]) not in CONFIRMABLE:
        return None
    enter(context, account)
    await confirm(conn, context, payment["id"])
    made, first = uuid7(context.now()), 1
    lease = Lease("attempts", made, first, time.monotonic() + leases.TAKEN_S)
    row = await conn.fetchrow(
        store.BEGIN_ATTEMPT, made, payment["merchant_id"], payment["id"], account.id, key_of(made),
        method, context.now(), context.after("answer_s"), timedelta(seconds=leases.TAKEN_S), first,
    )  # fmt: skip
    assert row is not None
    return Begun(row, lease)


async def send_begun(context: Context, begun: Begun) -> None:
    """Send what was begun and committed just now, unless a worker has it by now."""
    account = await context.accounts.by_id(begun.row["account_id"])
    async with leases.taken_before(context, begun.lease) as fenced:
        await _send(fenced, account, begun.row)


async def confirm(conn: Connection, context: Context, payment_id: UUID) -> None:
    """An attempt begins: what is not known of the payment by its deadline needs a person."""
    deadline = context.after("processing_s")
    await transition(
        conn, PAYMENT, payment_id, "CONFIRM", context.now(), processing_deadline_at=deadline,
        due_at=deadline,
    )  # fmt: skip


def enter(context: Context, account: Account) -> None:
    """Raises GatewayUnavailableError where the account's breaker is open."""
    if not breaker_of(context, account).enter(context.now(), context.windows.breaker()):
        raise GatewayUnavailableError(math.ceil(context.windows.breaker_pause_s))


def key_of(attempt: UUID) -> str:
    """What a gateway tells one attempt from another by."""
    return f"at_{attempt.hex}"


async def close(context: Context, row: asyncpg.Record) -> None:
    """The time of its order is over, so its gateway closes it; one that answers that it was paid
    meanwhile is asked, and pays. Where no answer comes it stays open."""
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        attempt = await conn.fetchrow(store.ATTEMPT_WITH_PAYMENT, row["id"])
    if attempt is not None and attempt["state"] in OPEN:
        await _close(context, await context.accounts.by_id(attempt["account_id"]), attempt)


async def drive(context: Context, row: asyncpg.Record) -> None:
    """An attempt is due: send it, send it again, or ask what became of it."""
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        attempt = await conn.fetchrow(store.ATTEMPT_WITH_PAYMENT, row["id"])
        if attempt is None or attempt["state"] not in OPEN:
            await conn.execute(store.ATTEMPT_AT_REST, row["id"])
            return
    account = await context.accounts.by_id(attempt["account_id"])
    driver = account.driver
    assert isinstance(driver, Collects)
    if attempt["retired_at"] is not None:
        await _close(context, account, attempt)
        return
    if attempt["reference"] is not None:
        await settle(context, account, attempt, await driver.follow(attempt["reference"]))
        return
    sent: datetime | None = attempt["key_sent_at"]
    if sent is not None and context.now() - sent >= _life(driver):
        looked_for = msgspec.structs.replace(_charge(context, attempt), sent_at=sent)
        await settle(context, account, attempt, await driver.find_charge(looked_for))
        return
    async with context.db.as_merchant(account.merchant_id) as conn:
        if await conn.fetchval(store.SEND_ATTEMPT, attempt["id"], context.now()) is None:
            return  # it ended meanwhile
    await _send(context, account, attempt)


async def _send(context: Context, account: Account, attempt: asyncpg.Record) -> None:
    """That it is sent is on record already."""
    driver = account.driver
    assert isinstance(driver, Collects)
    receipt = await receipts.of_attempt(context, account, attempt)
    if isinstance(receipt, Declined):  # nothing is asked of the gateway, and no money moves
        await settle(context, account, attempt, receipt)
        return
    context.db.check_lease()
    answer = await driver.collect(_charge(context, attempt, receipt))
    if receipt is not None and isinstance(answer, Declined) and answer.code == receipts.REFUSED:
        async with context.db.as_merchant(account.merchant_id) as conn:
            await receipts.refused(conn, context, answer.reason, attempt=attempt["id"])
    clear = not isinstance(answer, Unclear)
    breaker_of(context, account).record(clear, context.now(), context.windows.breaker())
    await settle(context, account, attempt, answer)


async def _close(context: Context, account: Account, attempt: asyncpg.Record) -> None:
    """Nobody is to pay by it any more. What was never sent cannot be paid; nothing is sent now, so
    where the answer to `collect` was lost the gateway is asked what it made."""
    driver, reference, sent = account.driver, attempt["reference"], attempt["key_sent_at"]
    assert isinstance(driver, Collects)
    if reference is None and sent is None:
        await record_outcome(context, attempt, "CLOSED", failure="never sent")
        return
    if reference is None:
        charge = msgspec.structs.replace(_charge(context, attempt), sent_at=sent)
        found = await driver.find_charge(charge)
        if isinstance(found, Absent) and context.now() - sent < _life(driver):
            found = Unclear("it is not there yet")  # the request may still be on its way
        if not isinstance(found, Pending):
            await settle(context, account, attempt, found)
            return
        reference = found.reference
    answer: Outcome = await driver.cancel(reference)
    if isinstance(answer, Declined):
        answer = await driver.follow(reference)  # it ended before, or cannot be cancelled
    await settle(context, account, attempt, answer)


def _life(driver: Collects) -> timedelta:
    return timedelta(seconds=driver.collect_key_life_s)


def _charge(context: Context, attempt: asyncpg.Record, receipt: Receipt | None = None) -> Charge:
    """The same on every retry."""
    return Charge(
        money=Money(attempt["amount_minor"], attempt["currency"]),
        key=attempt["key"],
        mark=Mark(installation=context.installation, payment=str(attempt["payment_id"])),
        description=attempt["description"] or attempt["payment_reference"] or "Payment",
        return_url=attempt["return_url"] or "https://example.invalid/",
        method=attempt["method"],
        capture=attempt["capture_method"] == "automatic",
        metadata=attempt["metadata"],
        receipt=receipt,
    )


async def settle(
    context: Context, account: Account, attempt: asyncpg.Record, answer: Outcome
) -> None:
    """The gateway's answer becomes the state of the attempt, and of its payment."""
    match answer:
        case PaymentFact():
            await _record_fact(context, account, attempt, answer)
        case Pending():
            await _record_pending(context, account, attempt, answer)
        case Closed(reference=reference, reason=reason):
            await record_outcome(
                context, attempt, "CLOSED", reference=reference, failure=reason[:500]
            )
        case Declined(reason=reason, permanent=permanent):
            await record_outcome(context, attempt, "DECLINED", sure=permanent, failure=reason[:500])
        case Absent():
            await record_outcome(context, attempt, "CLOSED", failure="the gateway never made it")
        case Unclear(reason=reason) if attempt["action"] is not None:
            # A failed query takes nothing from the payer, whose payment page still works.
            await record_outcome(context, attempt, "SHOWN", failure=reason[:500])
        case Unclear(reason=reason):
            await record_outcome(context, attempt, "UNCLEAR", failure=reason[:500])
        case other:
            assert_never(other)


async def _record_pending(
    context: Context, account: Account, attempt: asyncpg.Record, answer: Pending
) -> None:
    """The payer has to act, as the gateway said once; or the gateway's own page."""
    action = attempt["action"] if answer.action is None else msgspec.to_builtins(answer.action)
    if action is None and attempt["method"] is None:
        # The one answer that said how to pay is lost, so nobody can pay: end the attempt clearly.
        assert isinstance(account.driver, Collects)
        stopped = await account.driver.cancel(answer.reference)
        if isinstance(stopped, PaymentFact | Closed):
            await settle(context, account, attempt, stopped)
            return
    await record_outcome(
        context, attempt, "SHOWN", payment="SHOWN" if action else "UNCLEAR",
        reference=answer.reference, action=action,
    )  # fmt: skip


async def _record_fact(
    context: Context, account: Account, attempt: asyncpg.Record, fact: PaymentFact
) -> None:
    """A capture takes the path of every capture; everything else only moves the attempt."""
    mark = Mark(
        installation=context.installation,
        payment=str(attempt["payment_id"]),
        charge=marks.key_sign(attempt["key"]),
    )
    if fact.taken is Taken.CAPTURED:
        # The direct answer to our own question is ours, whether or not it repeats our mark.
        (outcome,) = await work_facts(context, account, (msgspec.structs.replace(fact, mark=mark),))
        if outcome in ("failed", "nothing"):  # it waits in the inbox; or no money was named
            await record_outcome(
                context, attempt, "UNCLEAR", failure=f"the gateway's answer is {outcome}"
            )
            return
        if outcome == "collected":
            return  # the capture moved the attempt, which owes nothing any more
        async with context.db.as_merchant(account.merchant_id) as conn:
            if outcome == "known" and attempt["state"] in OPEN:
                # Its webhook named the payment, and counted for a newer attempt at this account.
                await transition(
                    conn, ATTEMPT, attempt["id"], "CAPTURED", context.now(),
                    gateway_payment_id=fact.gateway_payment_id,
                )  # fmt: skip
            await conn.execute(store.ATTEMPT_AT_REST, attempt["id"])
        return
    reference = attempt["reference"] or fact.gateway_payment_id
    if fact.taken is Taken.AUTHORIZED:
        await record_outcome(context, attempt, "SHOWN", payment="AUTHORIZED", reference=reference)
    else:
        await record_outcome(context, attempt, "DECLINED", reference=reference, failure="declined")


async def record_outcome(
    context: Context,
    attempt: asyncpg.Record,
    event: str,
    *,
    payment: str = "",
    sure: bool = True,
    **set_: Any,
) -> None:
    """Move the attempt and its payment together; an open attempt stays due. An outcome that is not
    `sure` counts only if nobody else has sent the same key."""
    tries: int = attempt["tries"] + 1
    async with context.db.as_merchant(attempt["merchant_id"]) as conn:
        if _is_no_news(attempt, event, payment, set_):
            await conn.execute(store.LOOKED_AT, attempt["id"], tries, _next_look(context, tries))
            return
        state = await conn.fetchval(store.LOCK_PAYMENT_STATE, attempt["payment_id"])
        if not sure and await conn.fetchval(store.LOCK_SENDS, attempt["id"]) != 1:
            event = "UNCLEAR"
        moved = await transition(
            conn, ATTEMPT, attempt["id"], event, context.now(), tries=tries,
            due_at=_next_look(context, tries), **set_,
        )  # fmt: skip
        if moved.state not in OPEN:
            await conn.execute(store.ATTEMPT_AT_REST, attempt["id"])
        newest = await conn.fetchval(store.IS_NEWEST_ATTEMPT, attempt["id"])
        if moved.was != "succeeded" and newest:
            told, deadline = payment or event, {}
            if told == "UNCLEAR" and state != "processing":
                until = context.after("processing_s")
                deadline = {"processing_deadline_at": until, "due_at": until}
            await transition(conn, PAYMENT, attempt["payment_id"], told, context.now(), **deadline)


def _is_no_news(
    attempt: asyncpg.Record, event: str, payment: str, set_: Mapping[str, object]
) -> bool:
    """An order's page has its gateway asked every few seconds: that it still waits for its payer is
    no event."""
    known = all(attempt[name] == value for name, value in set_.items())
    waits = attempt["way"] is not None and attempt["state"] == "pending"
    return waits and known and event == "SHOWN" and payment == "SHOWN"


def _next_look(context: Context, tries: int) -> datetime:
    pause_s = context.windows.attempt_look_s * 2 ** min(tries - 1, 20)
    return context.now() + timedelta(seconds=min(pause_s, context.windows.attempt_pause_max_s))
