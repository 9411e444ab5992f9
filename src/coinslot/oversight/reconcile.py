"""Reconciliation for a span of time: the gateway's lists, our ledger, what was sold.

What the gateway has and no webhook reported is worked like a webhook; what still disagrees is a
case."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import asyncpg
import structlog
from msgspec import Struct

from coinslot.context import Context
from coinslot.gateways.base import (
    Absent,
    PaymentFact,
    Payments,
    RefundFact,
    Refunds,
    RefundStage,
    Taken,
    Unclear,
)
from coinslot.gateways.listing import ListsPayments, Settlements, Settles
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Account
from coinslot.oversight import store
from coinslot.payments.gateway_webhooks import is_ours, notice_sum, work_facts
from coinslot.payments.store import CAPTURES_NAMED, REFUNDED_MORE

log = structlog.get_logger(__name__)

NEWS = frozenset({"paid", "collected", "returned", "parked", "refunded_outside"})
_AT_ONCE = 8
_LINES_AT_ONCE = 500  # settled payments booked in one transaction


class Span(Struct, frozen=True):
    """From `since` up to, and not with, `until`."""

    since: datetime
    until: datetime


class Compared(Struct, frozen=True, kw_only=True):
    """The result of a comparison. `failure`: a list was incomplete, and it has to be done again."""

    found: int = 0  # facts that no webhook had reported
    news: tuple[str, ...] = ()  # which ones, and what became of each
    opened: int = 0
    closed: int = 0
    failure: str | None = None


async def compare(context: Context, account: Account, span: Span) -> Compared:
    """One account. First everything is asked; then missing facts are worked; then the books are
    compared."""
    asked, news, failures = context.now(), list[str](), list[str]()
    driver, theirs = account.driver, dict[str, PaymentFact | Absent]()
    if isinstance(driver, ListsPayments):
        paid = await driver.payments_between(span.since, span.until)
        back = await driver.refunds_between(span.since, span.until)
        failures += await _gaps(context, account, {"payments": paid, "refunds": back})
        if isinstance(paid, Payments):
            theirs |= {fact.gateway_payment_id: fact for fact in paid.facts}
            news += await _work(context, account, await _untold(context, account, paid.facts))
        if isinstance(back, Refunds):
            news += await _work(context, account, await _unbooked(context, account, back.facts))
    if isinstance(driver, Settles):
        settled = await driver.settled_between(span.since, span.until)
        failures += await _gaps(context, account, {"settlements": settled})
        if isinstance(settled, Settlements):
            await _note_settled(context, account, settled)
    ours = await _ours(context, account, span, theirs)
    looked, unclear = await _look(account, [row for row in ours if row["name"] not in theirs])
    failures += unclear
    news += await _notice_refunds(context, account, [*theirs.values(), *looked.values()])
    context.db.check_lease()  # an old answer must not judge newer rows
    kept = await _judge(context, account, ours, {**theirs, **looked}, asked)
    return Compared(
        found=len(news), news=tuple(news), opened=kept["opened"], closed=kept["closed"],
        failure="; ".join(failures)[:500] or None,
    )  # fmt: skip


async def every_account(context: Context, span: Span) -> dict[str, Compared]:
    """All of the installation, one after the other, by gateway and name."""
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch("SELECT id FROM gateway_accounts ORDER BY gateway, slug")
    done = {}
    for row in rows:
        account = await context.accounts.by_id(row["id"])
        done[f"{account.gateway}/{account.slug}"] = await compare(context, account, span)
    return done


async def _gaps(
    context: Context,
    account: Account,
    answers: Mapping[str, Payments | Refunds | Settlements | Unclear],
) -> list[str]:
    """Why a list is incomplete. An item that cannot be read is named when it is ours; other
    people's do not matter here."""
    found = []
    for what, answer in answers.items():
        if isinstance(answer, Unclear):
            found.append(f"{what}: {answer.reason}")
            continue
        if not isinstance(answer, Settlements) and not answer.complete:
            found.append(f"{what}: the list is not whole")
        for one in answer.unread:
            if await is_ours(context, account, one.mark, one.names):
                found.append(f"{what}: {one.name} cannot be read: {one.reason}")
    return found


async def _work(
    context: Context, account: Account, facts: Iterable[PaymentFact | RefundFact]
) -> list[str]:
    """What was new, as text."""
    told = list(facts)
    outcomes = await work_facts(context, account, told, by="nightly")
    return [
        _words(fact, outcome)
        for fact, outcome in zip(told, outcomes, strict=True)
        if outcome in NEWS
    ]


def _words(fact: PaymentFact | RefundFact, outcome: str) -> str:
    name = f"payment {fact.gateway_payment_id}"
    if isinstance(fact, RefundFact):
        name = f"refund {fact.gateway_refund_id} of {name}"
    return f"{name}, {fact.money.decimal()} {fact.money.currency}: {outcome.replace('_', ' ')}"


async def _untold(
    context: Context, account: Account, facts: tuple[PaymentFact, ...]
) -> list[PaymentFact]:
    """Captured, and not on record, or with a fee that is not."""
    taken = [fact for fact in facts if fact.taken is Taken.CAPTURED]
    async with context.db.as_merchant(account.merchant_id) as conn:
        rows = await conn.fetch(
            CAPTURES_NAMED, account.id, [fact.gateway_payment_id for fact in taken]
        )
    known = {row["name"]: row for row in rows}

    def is_news(fact: PaymentFact) -> bool:
        row = known.get(fact.gateway_payment_id)
        fee = None if fact.fee is None else fact.fee.minor
        return row is None or (fee is not None and fee != row["fee_minor"])

    return [fact for fact in taken if is_news(fact)]


async def _unbooked(
    context: Context, account: Account, facts: tuple[RefundFact, ...]
) -> list[RefundFact]:
    """Refunds that ended, and of which we do not have the end."""
    ended = [fact for fact in facts if fact.stage is not RefundStage.PENDING]
    async with context.db.as_merchant(account.merchant_id) as conn:
        rows = await conn.fetch(
            store.REFUNDS_ENDED, account.id, [fact.gateway_refund_id for fact in ended]
        )
    known = {(row["gateway_refund_id"], row["state"]) for row in rows}
    states = {RefundStage.PROCESSED: "succeeded", RefundStage.FAILED: "failed"}
    return [f for f in ended if (f.gateway_refund_id, states[f.stage]) not in known]


async def _note_settled(context: Context, account: Account, settled: Settlements) -> None:
    said = [
        {
            "gateway_payment_id": line.gateway_payment_id, "currency": line.gross.currency,
            "fee": line.fee.minor, "settlement": line.settlement, "at": line.at,
        }
        for line in settled.lines
    ]  # fmt: skip
    for begin in range(0, len(said), _LINES_AT_ONCE):
        some = said[begin : begin + _LINES_AT_ONCE]
        async with context.db.as_merchant(account.merchant_id) as conn:
            await conn.execute(store.NOTE_SETTLED, account.id, some, context.now())


async def _ours(
    context: Context, account: Account, span: Span, theirs: Iterable[str]
) -> list[asyncpg.Record]:
    """Our rows of that time, the ones that the lists name, the ones that disagreed last time, and
    the ones that should have been paid out since."""
    async with context.db.as_merchant(account.merchant_id) as conn:
        return await conn.fetch(
            store.CAPTURES_TO_COMPARE, account.id, span.since, span.until, list(theirs),
            _unpaid_since(context, account, context.now()),
        )  # fmt: skip


def _unpaid_since(context: Context, account: Account, now: datetime) -> datetime | None:
    """What was captured before should be paid out; None where the gateway does not say."""
    settles = isinstance(account.driver, Settles)
    return now - context.windows.span("paid_out_s") if settles else None


async def _look(
    account: Account, rows: list[asyncpg.Record]
) -> tuple[dict[str, PaymentFact | Absent], list[str]]:
    """A list proves no absence: what it lacks is asked about one by one."""
    room = asyncio.Semaphore(_AT_ONCE)
    found: dict[str, PaymentFact | Absent] = {}
    unclear: list[str] = []

    async def one(name: str) -> None:
        async with room:
            fact = await account.driver.look(name)
        if isinstance(fact, Unclear):
            unclear.append(f"{name}: {fact.reason}")
        else:
            found[name] = fact

    await asyncio.gather(*(one(row["name"]) for row in rows))
    return found, unclear


async def _notice_refunds(
    context: Context, account: Account, facts: Iterable[PaymentFact | Absent]
) -> list[str]:
    """More went back than we know: the refunds of those payments are read one by one."""
    told = {
        fact.gateway_payment_id: fact
        for fact in facts
        if isinstance(fact, PaymentFact) and fact.refunded is not None
    }
    sums = [fact.refunded.minor for fact in told.values() if fact.refunded is not None]
    async with context.db.as_merchant(account.merchant_id) as conn:
        rows = await conn.fetch(REFUNDED_MORE, account.id, list(told), sums)
    news: list[str] = []
    for row in rows:
        fact = told[row["gateway_payment_id"]]
        back = await account.driver.refunds(fact.gateway_payment_id)
        if isinstance(back, Refunds) and back.complete:
            news += await _work(context, account, back.facts)
        elif isinstance(back, Refunds):
            outcome = await notice_sum(context, account, fact)
            news += [_words(fact, outcome)] if outcome in NEWS else []
    return news


async def _judge(
    context: Context,
    account: Account,
    ours: list[asyncpg.Record],
    theirs: dict[str, PaymentFact | Absent],
    asked: datetime,
) -> asyncpg.Record:
    said = [_as_said(name, fact) for name, fact in theirs.items()]
    unpaid_since = _unpaid_since(context, account, asked)
    async with context.db.as_merchant(account.merchant_id) as conn:
        ids = [row["id"] for row in await conn.fetch(
            CAPTURES_NAMED, account.id, [*theirs, *(row["name"] for row in ours)]
        )]  # fmt: skip
        kept = await conn.fetchrow(store.KEEP_BREAKS, account.id, ids, said, asked, unpaid_since)
    assert kept is not None
    return kept


def _as_said(name: str, fact: PaymentFact | Absent) -> dict[str, Any]:
    if isinstance(fact, Absent) or fact.taken is not Taken.CAPTURED:
        return {"gateway_payment_id": name, "captured": 0}
    back: Money | None = fact.refunded
    return {
        "gateway_payment_id": name, "captured": fact.money.minor, "currency": fact.money.currency,
        "refunded": None if back is None else back.minor, "at": fact.at,
    }  # fmt: skip
