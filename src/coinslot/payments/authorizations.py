"""Captures or voids money that a gateway holds: the request is a row with its key before the
gateway is called. After a lost answer the gateway is asked before anything is said or sent
again."""

from enum import StrEnum
from uuid import UUID

import asyncpg

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.gateways.base import Absent, Declined, PaymentFact, Taken, Unclear
from coinslot.gateways.collecting import Authorizes, Closed, Collects, Pending, Progress
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Account
from coinslot.payments import attempts, receipts, store
from coinslot.states.payment_flow import PAYMENT
from coinslot.states.transition import transition


class HoldAction(StrEnum):
    """What a merchant requests for held money."""

    TAKE = "take"
    LET_GO = "let_go"


_EVENTS = {HoldAction.TAKE: "TAKE", HoldAction.LET_GO: "LET_GO"}


async def ask(
    conn: Connection, context: Context, payment_id: UUID, wish: HoldAction, minor: int | None = None
) -> UUID | None:
    """Record the request, under the payment's lock. None: nothing of it is held now.

    `minor` goes with TAKE. The caller drives the attempt, or the sweeper after `answer_s`."""
    state = await conn.fetchval(store.LOCK_PAYMENT_STATE, payment_id)
    attempt = await conn.fetchrow(store.OPEN_ATTEMPT, payment_id)
    if state != "authorized" or attempt is None:
        return None
    deadline = context.after("processing_s")
    await transition(
        conn, PAYMENT, payment_id, _EVENTS[wish], context.now(), processing_deadline_at=deadline,
        due_at=deadline,
    )  # fmt: skip
    found: UUID = await conn.fetchval(
        store.WISH_ATTEMPT, attempt["id"], wish, minor, f"wi_{uuid7(context.now()).hex}",
        context.after("answer_s"),
    )  # fmt: skip
    return found


async def drive(context: Context, row: asyncpg.Record) -> None:
    """An attempt is due: what is held is captured or voided as requested; else it is collected."""
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        attempt = await conn.fetchrow(store.ATTEMPT_WITH_PAYMENT, row["id"])
    if attempt is None or attempt["wish"] is None or attempt["state"] not in attempts.OPEN:
        await attempts.drive(context, row)
        return
    account = await context.accounts.by_id(attempt["account_id"])
    driver = account.driver
    assert isinstance(driver, Collects)
    if attempt["wish_sent_at"] is not None:
        stands = await driver.follow(attempt["reference"])
        if not _is_held(stands):
            await _settle(context, account, attempt, stands)
            return
    async with context.db.as_merchant(account.merchant_id) as conn:
        await conn.execute(store.SEND_WISH, attempt["id"], context.now())
    answer = await _call(context, account, attempt)
    if isinstance(answer, Declined):
        stands = await driver.follow(attempt["reference"])  # it may be done already, or ended
        if _is_held(stands):
            await _refused(context, attempt, answer)
            return
        await _settle(context, account, attempt, stands)
        return
    await _settle(context, account, attempt, answer)


async def _call(
    context: Context, account: Account, attempt: asyncpg.Record
) -> PaymentFact | Closed | Declined | Unclear:
    driver, reference, key = account.driver, attempt["reference"], attempt["wish_key"]
    assert isinstance(driver, Authorizes)
    if attempt["wish"] == HoldAction.LET_GO:
        context.db.check_lease()
        return await driver.void(reference, key)
    money = Money(attempt["wish_minor"], attempt["currency"])
    receipt = await receipts.of_capture(context, account, attempt, money.minor)
    if isinstance(receipt, Declined):
        return receipt
    context.db.check_lease()
    answer = await driver.capture(reference, money, key, receipt)
    if isinstance(answer, Declined) and answer.code == receipts.REFUSED:
        async with context.db.as_merchant(account.merchant_id) as conn:
            await receipts.refused(conn, context, answer.reason, attempt=attempt["id"])
    return answer


async def _settle(
    context: Context, account: Account, attempt: asyncpg.Record, stands: Progress | Absent | Unclear
) -> None:
    """The later fact wins: a void may end as captured."""
    match stands:
        case PaymentFact(taken=Taken.CAPTURED):
            await attempts.settle(context, account, attempt, stands)
        case Closed(reason=reason):
            await _over(context, attempt, reason)
        case PaymentFact(taken=Taken.FAILED):
            await _over(context, attempt, "nothing is held any more")
        case Unclear(reason=reason):
            await attempts.record_outcome(context, attempt, "UNCLEAR", failure=reason[:500])
        case PaymentFact() | Pending() | Absent():
            await attempts.record_outcome(
                context, attempt, "UNCLEAR", failure=f"it stands as {stands}"[:500]
            )


async def _over(context: Context, attempt: asyncpg.Record, reason: str) -> None:
    """Voided as requested, or expired before it could be captured."""
    event = "VOIDED" if attempt["wish"] == HoldAction.LET_GO else "CLOSED"
    await attempts.record_outcome(context, attempt, "CLOSED", payment=event, failure=reason[:500])


async def _refused(context: Context, attempt: asyncpg.Record, answer: Declined) -> None:
    """The money is held as before; the request has ended, and another may be made."""
    await attempts.record_outcome(
        context, attempt, "SHOWN", payment="AUTHORIZED", failure=answer.reason[:500],
        wish=None, wish_minor=None, wish_key=None, wish_sent_at=None,
    )  # fmt: skip


def _is_held(stands: object) -> bool:
    return isinstance(stands, PaymentFact) and stands.taken is Taken.AUTHORIZED
