"""Drives a refund until it is proved: look for it, send it with its own key, look again, or a
person. The row and its key are committed before the gateway is called; no call is inside a
transaction. One that the gateway proves to have failed is over; `refund_try_anew` in
sql/settlement.sql makes the next, with a key of its own."""

from datetime import datetime, timedelta
from typing import assert_never

import asyncpg
import msgspec

from coinslot.context import Context
from coinslot.gateways.base import (
    Absent,
    Declined,
    KeepsNoList,
    Mark,
    PaymentFact,
    RefundFact,
    RefundOrder,
    Refunds,
    Unclear,
)
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Account
from coinslot.payments import receipts, store
from coinslot.payments.gateway_webhooks import notice_sum, work_facts
from coinslot.payments.receipts import NO_RECEIPT, WithRefund
from coinslot.states.refund_flow import REFUND
from coinslot.states.transition import transition

_DISPUTED = "the payer's bank disputes the payment: held until it has decided"
_NO_LIST = "the gateway keeps no list of refunds, and nothing tells whether this one was made"


async def drive(context: Context, row: asyncpg.Record) -> None:
    """A refund is due: find it in the gateway's own list, or send it."""
    account = await context.accounts.by_id(row["account_id"])
    refund = await _look(context, account, row)
    if refund is None:
        return
    its_receipt = await receipts.of_refund(context, account, refund)
    refund = await _sent(context, account, refund)
    if refund is None:
        return
    context.db.check_lease()
    answer = await account.driver.give_back(order(context, refund, its_receipt))
    if (
        isinstance(answer, Declined)
        and answer.code == receipts.REFUSED
        and its_receipt.receipt is not None
    ):
        await _without_receipt(context, account, refund, answer.reason)
        return
    await _settle(context, account, refund, answer)


async def _sent(
    context: Context, account: Account, refund: asyncpg.Record
) -> asyncpg.Record | None:
    """Record that it is sent now, with what others gave back by now. None: it ended, or waits for
    another of its payment, where the gateway could not tell the two apart."""
    async with context.db.as_merchant(account.merchant_id) as conn:
        # First the lock: a statement sees what was committed before it began.
        await conn.execute(store.LOCK_CAPTURE, refund["capture_id"])
        now_refund = await conn.fetchrow(store.LOCK_REFUND, refund["id"])
        if now_refund is None or now_refund["state"] != "pending":
            return None
        fresh = now_refund["key_sent_at"] is None and isinstance(account.driver, KeepsNoList)
        if fresh and await conn.fetchval(store.ANOTHER_IS_SENT, refund["id"], refund["capture_id"]):
            await conn.execute(store.REFUND_WAITS, refund["id"], _next_look(context, now_refund))
            return None
        # The list (or the total) has just shown that no refund of ours is there. So even after the
        # key's life what was sent before is provably absent, and the same key may be sent.
        sent = now_refund["key_sent_at"] if _alive(context, account, now_refund) else context.now()
        await conn.execute(store.SEND_REFUND, refund["id"], sent)
    return now_refund


async def _without_receipt(
    context: Context, account: Account, refund: asyncpg.Record, reason: str
) -> None:
    """The gateway made nothing because of the receipt. So this refund is provably dead: the one
    that follows it has a key of its own and no receipt, which a person sends later."""
    async with context.db.as_merchant(account.merchant_id) as conn:
        await receipts.refused(conn, context, reason, refund=refund["id"])
        await transition(
            conn, REFUND, refund["id"], "FAILED_THERE", context.now(), failure=reason[:500],
            tries=refund["tries"] + 1, ended_at=context.now(), due_at=None,
        )  # fmt: skip
    context.wakes.wake("refunds")


def order(
    context: Context, refund: asyncpg.Record, its_receipt: WithRefund = NO_RECEIPT
) -> RefundOrder:
    """The request to the gateway: the same on every retry."""
    return RefundOrder(
        gateway_payment_id=refund["gateway_payment_id"],
        money=Money(refund["amount_minor"], refund["currency"]),
        key=refund["key"],
        mark=Mark(installation=context.installation, refund=str(refund["id"])),
        reason=refund["reason"],
        others=Money(refund["others"], refund["currency"]),
        taken_up=refund["gateway_refund_id"] is not None,
        receipt=its_receipt.receipt,
        without_receipt=its_receipt.without,
    )


async def _look(context: Context, account: Account, row: asyncpg.Record) -> asyncpg.Record | None:
    """The refund if it still has to be sent; None when the list settled it or cannot be read."""
    refund = await _pending(context, account, row)
    if refund is None:
        return None
    found = await account.driver.refunds(refund["gateway_payment_id"])
    match found:
        case Refunds(facts=facts, complete=complete):
            await work_facts(context, account, facts)
            if any(_is(refund, fact, context.installation) for fact in facts):
                await _put_off(context, account, refund)
                return None
            if not complete and not await _may_send(context, account, refund):
                return None
        case Absent():
            pass  # the payment is not known there: sending will be declined, for a person
        case Unclear(reason=reason):
            await _retry(context, account, refund, "UNCLEAR", reason)
            return None
        case other:
            assert_never(other)
    return await _uncovered(context, account, refund)


async def _may_send(context: Context, account: Account, refund: asyncpg.Record) -> bool:
    """Where there is no list, finding nothing proves nothing. A refund that was never sent may be
    sent. One that was is sent again while its key is valid, or when the total shows whether it is
    in it (a driver without a list compares the two, too). Otherwise a person has to look."""
    payment = await account.driver.look(refund["gateway_payment_id"])
    if isinstance(payment, Unclear):
        await _retry(context, account, refund, "UNCLEAR", payment.reason)
        return False
    if refund["key_sent_at"] is None:
        if isinstance(payment, PaymentFact):
            await notice_sum(context, account, payment)
        return True
    before = Money(refund["others"], refund["currency"])
    with_it = before + Money(refund["amount_minor"], refund["currency"])
    told = payment.refunded if isinstance(payment, PaymentFact) else None
    if _alive(context, account, refund) or told in (before, with_it):
        return True
    await _retry(context, account, refund, "REFUSED", _NO_LIST)
    return False


def _alive(context: Context, account: Account, refund: asyncpg.Record) -> bool:
    """Whether its key was sent, and is still valid at the gateway."""
    sent: datetime | None = refund["key_sent_at"]
    life = timedelta(seconds=account.driver.refund_key_life_s)
    return sent is not None and context.now() - sent < life


def _is(refund: asyncpg.Record, fact: RefundFact, installation: str) -> bool:
    mine = fact.mark is not None and fact.mark.installation == installation
    return fact.gateway_refund_id == refund["gateway_refund_id"] or (
        mine
        and fact.mark is not None
        and fact.mark.refund == str(refund["id"])
        and fact.money == Money(refund["amount_minor"], refund["currency"])
    )


async def _pending(
    context: Context, account: Account, row: asyncpg.Record
) -> asyncpg.Record | None:
    async with context.db.as_merchant(account.merchant_id) as conn:
        refund = await conn.fetchrow(store.LOCK_REFUND, row["id"])
        if refund is not None and refund["state"] == "pending":
            return refund
        await conn.execute(
            "UPDATE refunds SET due_at = NULL, leased_until = NULL WHERE id = $1", row["id"]
        )
        return None


async def _uncovered(
    context: Context, account: Account, refund: asyncpg.Record
) -> asyncpg.Record | None:
    """None when the gateway has given this money back by itself: ours would be a second refund."""
    async with context.db.as_merchant(account.merchant_id) as conn:
        capture = await conn.fetchrow(store.LOCK_CAPTURE, refund["capture_id"])
        now_refund = await conn.fetchrow(store.LOCK_REFUND, refund["id"])
        if capture is None or now_refund is None or now_refund["state"] != "pending":
            return None
        free = capture["outside"] - capture["outside_used"]
        if free == 0 and await conn.fetchval(store.IS_DISPUTED, refund["capture_id"]):
            # The bank may be taking it back at this moment: once it has decided, we know.
            await conn.execute(
                store.HOLD_REFUND, refund["id"], context.after("refund_pause_max_s"), _DISPUTED
            )
            return None
        if free == 0:
            return now_refund
        event = "COVERED" if free >= refund["amount_minor"] else "PARTLY_COVERED"
        await transition(
            conn, REFUND, refund["id"], event, context.now(), ended_at=context.now(), due_at=None
        )
    context.wakes.wake("refunds")  # a smaller one may have replaced it
    return None


async def _settle(
    context: Context,
    account: Account,
    refund: asyncpg.Record,
    answer: RefundFact | Declined | Unclear,
) -> None:
    match answer:
        case RefundFact():
            await work_facts(context, account, (own(context, refund, answer),))
            await _put_off(context, account, refund)
            await _wake_others(context, account, refund)
        case Unclear(reason=reason):
            await _retry(context, account, refund, "UNCLEAR", reason)
        case Declined(permanent=False, reason=reason) if not _too_old(context, refund):
            await _retry(context, account, refund, "UNCLEAR", reason)
        case Declined(reason=reason):
            await _retry(context, account, refund, "REFUSED", reason)
        case other:
            assert_never(other)


async def _wake_others(context: Context, account: Account, refund: asyncpg.Record) -> None:
    """Others of its payment may have waited for this one."""
    if isinstance(account.driver, KeepsNoList):
        async with context.db.unfenced.as_merchant(account.merchant_id) as conn:
            await conn.execute(
                store.WAKE_REFUNDS, refund["id"], refund["capture_id"], context.now()
            )
        context.wakes.wake("refunds")


def own(context: Context, refund: asyncpg.Record, fact: RefundFact) -> RefundFact:
    """The direct answer to our call is ours, whether or not the gateway repeats our mark."""
    mark = Mark(installation=context.installation, refund=str(refund["id"]))
    return msgspec.structs.replace(fact, mark=mark)


def _too_old(context: Context, refund: asyncpg.Record) -> bool:
    made: datetime = refund["created_at"]
    return context.now() - made > context.windows.span("refund_owed_s")


async def _retry(
    context: Context, account: Account, refund: asyncpg.Record, event: str, reason: str
) -> None:
    async with context.db.as_merchant(account.merchant_id) as conn:
        await transition(
            conn, REFUND, refund["id"], event, context.now(), failure=reason[:500],
            tries=refund["tries"] + 1,
            due_at=None if event == "REFUSED" else _next_look(context, refund),
        )  # fmt: skip


async def _put_off(context: Context, account: Account, refund: asyncpg.Record) -> None:
    """Still pending at the gateway: it is looked at again, ever more rarely, until it is proved."""
    async with context.db.as_merchant(account.merchant_id) as conn:
        await conn.execute(
            "UPDATE refunds SET due_at = CASE WHEN state = 'pending' THEN $2::timestamptz END,"
            " tries = tries + 1, leased_until = NULL WHERE id = $1",
            refund["id"],
            _next_look(context, refund),
        )


def _next_look(context: Context, refund: asyncpg.Record) -> datetime:
    pause_s = min(
        context.windows.refund_look_s * 2 ** min(refund["tries"], 20),
        context.windows.refund_pause_max_s,
    )
    return context.now() + timedelta(seconds=pause_s)
