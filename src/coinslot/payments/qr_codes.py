"""Looks for payments that no webhook reported: payments of our QR codes, and the owner of an
unmatched capture.

It also drives the state of a QR code at the gateway: wanted, open, closing, closed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

import asyncpg
import msgspec
import structlog

from coinslot.context import Context, leases
from coinslot.db.pool import Connection
from coinslot.gateways import marks, wire
from coinslot.gateways.base import (
    Absent,
    Declined,
    Mark,
    PaymentFact,
    Payments,
    PrintsQr,
    QrFact,
    QrOrder,
    Refunds,
    Taken,
    Unclear,
)
from coinslot.gateways.listing import ListsPayments
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Account
from coinslot.payments import store
from coinslot.payments.attempts import breaker_of
from coinslot.payments.gateway_webhooks import work_facts
from coinslot.states.attempt_flow import ATTEMPT
from coinslot.states.payment_flow import PAYMENT
from coinslot.states.transition import transition

log = structlog.get_logger(__name__)

_OVERLAP = timedelta(minutes=10)  # a gateway lists by its own clock, and late
_WATCHED_AFTER_CLOSING = timedelta(hours=2)
_NO_NEWS = frozenset({"known", "noted", "nothing"})
_LISTED_AT_MOST = timedelta(days=1)  # what is older, the nightly comparison finds
_IN_TURN_WITHOUT_A_LIST = 5  # codes asked by themselves in one poll of an account


async def drive_qr(context: Context, row: asyncpg.Record) -> None:
    """A QR code is due: make it, look at its payments, or close it."""
    account = await context.accounts.by_id(row["account_id"])
    driver = account.driver
    if not isinstance(driver, PrintsQr):
        log.error("gateway_prints_no_qr", gateway=account.gateway)
        await _put_off(context, row)
        return
    match row["stage"]:
        case "wanted":
            await _make(context, account, driver, row)
        case "open" | "closed":
            await _poll(context, account, driver, row)
        case "closing":
            await _close(context, account, driver, row)
        case other:
            assert_never(other)


async def drive_now(context: Context, qr_id: UUID) -> bool:
    """Work one QR code here and now. False: a worker holds it."""
    async with leases.taken(context, "qr_codes", qr_id) as mine:
        if mine is None:
            return False
        await drive_qr(*mine)
    return True


async def drive_qr_codes(context: Context, outlet: str) -> None:
    """Work every QR code of an outlet that is due, here and now."""
    async with context.db.system_transaction() as conn:
        rows = await conn.fetch(
            "SELECT id FROM qr_codes WHERE outlet_id = $1 AND due_at <= $2", outlet, context.now()
        )
    for row in rows:
        await drive_now(context, row["id"])


async def _make(context: Context, account: Account, driver: PrintsQr, row: asyncpg.Record) -> None:
    """Find it by our mark before making it: the first answer may have been lost."""
    mark = Mark(
        installation=context.installation, qr=str(row["id"]), payment=_text(row["payment_id"])
    )
    made: QrFact | Declined | Absent | Unclear = await driver.find_qr(mark)
    if isinstance(made, Absent) and row["retired_at"] is not None:
        async with context.db.as_merchant(account.merchant_id) as conn:
            await _tell_payment(context, conn, row, "CLOSED")
            await conn.execute(store.QR_CLOSED, row["id"], None)
        return
    if isinstance(made, Absent):
        wanted = await _order(context, account, row, mark)
        context.db.check_lease()
        made = await driver.print_qr(wanted)
        clear = not isinstance(made, Unclear)
        breaker_of(context, account).record(clear, context.now(), context.windows.breaker())
    match made:
        case QrFact():
            await _opened(context, row, made)
        case Declined(reason=reason) | Unclear(reason=reason):
            log.warning("qr_not_made", outlet=row["outlet_id"], reason=reason)
            await _unmade(context, row, "DECLINED" if isinstance(made, Declined) else "UNCLEAR")
        case other:
            assert_never(other)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


async def _order(context: Context, account: Account, row: asyncpg.Record, mark: Mark) -> QrOrder:
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        outlet = await conn.fetchrow(
            "SELECT o.name, p.name AS product, r.expires_at FROM outlets o"
            " JOIN slots s ON s.outlet_id = o.id AND s.slot = $2"
            " JOIN products p ON p.id = s.product_id"
            " LEFT JOIN payments y ON y.id = $3 LEFT JOIN orders r ON r.id = y.order_id"
            " WHERE o.id = $1",
            row["outlet_id"],
            row["slot"],
            row["payment_id"],
        )
    if outlet is None:
        raise LookupError(f"slot {row['slot']} of {row['outlet_id']} holds nothing")
    closes: datetime | None = outlet["expires_at"]
    if closes is not None:
        closes -= account.ahead() or timedelta(0)  # the gateway closes it by its own clock
    return QrOrder(
        money=Money(row["amount_minor"], row["currency"]),
        reusable=row["payment_id"] is None,
        name=outlet["name"],
        description=f"{outlet['product']} ({row['outlet_id']} {row['slot']})",
        mark=mark,
        outlet=row["outlet_id"],
        slot=row["slot"],
        close_by=closes,
    )


async def _opened(context: Context, row: asyncpg.Record, made: QrFact) -> None:
    first_poll = context.after("poll_s")
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await _tell_payment(context, conn, row, "SHOWN")
        printed = await conn.fetchval(
            store.QR_OPENED, row["id"], made.qr_code_id, made.image_url, first_poll, context.now()
        )
        if printed:
            await conn.execute(
                store.POLL_ACCOUNT, row["account_id"], row["merchant_id"], row["created_at"],
                first_poll,
            )  # fmt: skip


async def _unmade(context: Context, row: asyncpg.Record, event: str) -> None:
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await _tell_payment(context, conn, row, event)
        await conn.execute(store.QR_PUT_OFF, row["id"], context.now() + _pause(row))


async def _tell_payment(
    context: Context, conn: Connection, row: asyncpg.Record, event: str
) -> None:
    if row["attempt_id"] is None:
        return
    newest = await conn.fetchval(store.IS_NEWEST_ATTEMPT, row["attempt_id"])
    if newest and row["retired_at"] is None:
        await transition(conn, PAYMENT, row["payment_id"], event, context.now())
    await transition(conn, ATTEMPT, row["attempt_id"], event, context.now())


async def poll_account(context: Context, row: asyncpg.Record) -> None:
    """What was paid through the printed codes of an account: one list for all of them. Some codes
    are also asked one by one, in turn: a payment without our mark is in no list of ours."""
    account = await context.accounts.by_id(row["id"])
    driver, asked = account.driver, context.now()
    listed: Payments | Unclear = Unclear("it prints no codes")
    if isinstance(driver, PrintsQr):
        listed = await _list_payments(context, account, row)
    else:
        log.error("gateway_prints_no_qr", gateway=account.gateway)
    if isinstance(listed, Unclear) or not isinstance(driver, PrintsQr):
        async with context.db.as_merchant(row["merchant_id"]) as conn:
            await conn.execute(store.POLL_PUT_OFF, row["id"], context.now() + _pause(row))
        return
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        in_turn = 1 if listed.complete else _IN_TURN_WITHOUT_A_LIST
        codes = await conn.fetch(store.PRINTED_CODES, row["id"], in_turn)
    for code in codes:
        async with leases.taken(context, "qr_codes", code["id"]) as mine:
            if mine is not None and not await _poll(mine[0], account, driver, mine[1]):
                break  # the others would be as unclear
    until = asked if listed.complete else row["asked_at"]
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await conn.execute(
            store.POLLED, row["id"], until, context.after("poll_s") if codes else None
        )


async def _list_payments(
    context: Context, account: Account, row: asyncpg.Record
) -> Payments | Unclear:
    """Of all that was paid at the account since the last poll, what has our mark. Where the gateway
    keeps no such list: none, and not complete."""
    if not isinstance(account.driver, ListsPayments):
        return Payments((), complete=False)
    since = max(row["asked_at"], context.now() - _LISTED_AT_MOST) - _overlap(account)
    async with wire.if_news() as exchanges:
        found = await account.driver.payments_between(since, context.now() + _OVERLAP)
        if isinstance(found, Payments):
            ours = [fact for fact in found.facts if _is_of_a_code(context, fact)]
            exchanges.news = await _work_news(context, account, ours)
    return found


def _overlap(account: Account) -> timedelta:
    """More where our clock is ahead of the gateway's, by which its lists are made."""
    return _OVERLAP + max(account.ahead() or timedelta(0), timedelta(0))


def _is_of_a_code(context: Context, fact: PaymentFact) -> bool:
    mark = fact.mark
    return mark is not None and mark.qr is not None and marks.is_ours(mark, context.installation)


async def _work_news(context: Context, account: Account, facts: Sequence[PaymentFact]) -> bool:
    """Whether there was anything new: for what is on record, one statement serves all."""
    async with context.db.as_merchant(account.merchant_id) as conn:
        names = [fact.gateway_payment_id for fact in facts]
        rows = await conn.fetch(store.CAPTURES_NAMED, account.id, names)
    known = {row["name"] for row in rows}
    fresh = [fact for fact in facts if fact.gateway_payment_id not in known]
    outcomes = await work_facts(context, account, fresh)
    refunded = await _notice_refunds(context, account, facts)
    return refunded or any(outcome not in _NO_NEWS for outcome in outcomes)


async def _poll(context: Context, account: Account, driver: PrintsQr, row: asyncpg.Record) -> bool:
    """Whether the gateway said what was paid through this code."""
    since = (row["asked_at"] or row["created_at"]) - _overlap(account)
    asked = context.now()
    async with wire.if_news() as exchanges:
        found = await driver.qr_payments(row["qr_code_id"], since)
        if isinstance(found, Payments):
            exchanges.news = await _work_news(context, account, found.facts)
    if isinstance(found, Payments):
        async with context.db.as_merchant(row["merchant_id"]) as conn:
            await conn.execute(
                store.QR_ASKED, row["id"], asked if found.complete else row["asked_at"],
                _next_poll(context, row),
            )  # fmt: skip
        return True
    await _put_off(context, row)
    return False


def _next_poll(context: Context, row: asyncpg.Record) -> datetime | None:
    """A live code is polled steadily, a retired one ever more rarely, and then no more."""
    retired: datetime | None = row["retired_at"]
    if retired is None:
        return context.after("poll_s")
    since = context.now() - retired
    return None if since > _WATCHED_AFTER_CLOSING else context.after("poll_s") + since


async def _notice_refunds(context: Context, account: Account, facts: Sequence[PaymentFact]) -> bool:
    """Whether more went back than we know: somebody refunded in the dashboard, and no webhook said
    so."""
    back = {f.gateway_payment_id: f.refunded.minor for f in facts if f.refunded is not None}
    async with context.db.as_merchant(account.merchant_id) as conn:
        unknown = await conn.fetch(store.REFUNDED_MORE, account.id, list(back), list(back.values()))
    for row in unknown:
        found = await account.driver.refunds(row["gateway_payment_id"])
        if isinstance(found, Refunds):
            await work_facts(context, account, found.facts)
    return bool(unknown)


async def _close(context: Context, account: Account, driver: PrintsQr, row: asyncpg.Record) -> None:
    """Close it, but look at its payments once more: money may have come before."""
    closed = await driver.close_qr(row["qr_code_id"])
    if isinstance(closed, Unclear):
        await _put_off(context, row)
        return
    if isinstance(closed, Declined):
        # Some accounts cannot close reusable codes: money through it goes back by `retired_at`.
        log.warning("qr_not_closed", outlet=row["outlet_id"], reason=closed.reason)
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        if isinstance(closed, QrFact):
            await _tell_payment(context, conn, row, "CLOSED")
        await conn.execute(store.QR_CLOSED, row["id"], context.now())


async def _put_off(context: Context, row: asyncpg.Record) -> None:
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await conn.execute(store.QR_PUT_OFF, row["id"], context.now() + _pause(row))


def _pause(row: asyncpg.Record) -> timedelta:
    return timedelta(seconds=min(2 ** min(row["tries"], 10), 300))


async def drive_capture(context: Context, row: asyncpg.Record) -> None:
    """Money without a match yet: ask the gateway which QR code it came through, and whose that
    is."""
    account = await context.accounts.by_id(row["account_id"])
    driver = account.driver
    payment = await driver.look(row["gateway_payment_id"])
    if not isinstance(payment, PaymentFact):
        await _put_off_capture(context, row)
        return
    qr: QrFact | Absent | Unclear = (
        await driver.qr_of_payment(row["gateway_payment_id"])
        if isinstance(driver, PrintsQr)
        else Absent()
    )
    match qr:
        case Unclear():
            await _put_off_capture(context, row)
        case QrFact():
            mark = qr.mark or payment.mark
            fact = msgspec.structs.replace(
                payment, qr_code_id=qr.qr_code_id, mark=mark, taken=Taken.CAPTURED,
                at=row["captured_at"],
            )  # fmt: skip
            await _match(context, account, row, fact)
        case Absent():
            await _match(
                context, account, row,
                msgspec.structs.replace(payment, taken=Taken.CAPTURED, at=row["captured_at"]),
            )  # fmt: skip
        case other:
            assert_never(other)


async def _match(
    context: Context, account: Account, row: asyncpg.Record, fact: PaymentFact
) -> None:
    """Ours by QR or mark: sold or returned. Marked ours but unknown: returned. No mark: foreign."""
    await work_facts(context, account, (fact,))
    ours = fact.mark is not None and fact.mark.installation == context.installation
    async with context.db.as_merchant(account.merchant_id) as conn:
        capture = await conn.fetchrow(store.LOCK_CAPTURE, row["id"])
        if capture is None or capture["open"] == 0:
            return
        if capture["qr_id"] is not None or capture["payment_id"] is not None:
            return
        if ours:
            await conn.execute(store.RETURN_CAPTURE, row["id"], "unknown_qr", context.now())
        else:
            evidence = {"qr_code_id": fact.qr_code_id, "order": fact.gateway_order_id}
            await conn.execute(store.CLOSE_FOREIGN, row["id"], evidence, context.now())
    context.wakes.wake("refunds")


async def _put_off_capture(context: Context, row: asyncpg.Record) -> None:
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await conn.execute(store.PUT_OFF_CAPTURE, row["id"], context.now() + _pause(row))
