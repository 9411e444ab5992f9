"""Drives fiscal receipts (54-FZ): a row with its lines before anything is sent, sent with the
payment or the refund, and followed until the gateway has it registered. Money never waits for it: a
refund that is refused because of its receipt goes again without one, and the receipt is a case."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.gateways.base import Absent, Declined, Unclear
from coinslot.gateways.receipts import (
    BeingRegistered,
    NotRegistered,
    Receipt,
    ReceiptLine,
    ReceiptOrder,
    ReceiptQuestion,
    ReceiptStatus,
    Registered,
)
from coinslot.gateways.registering import ClosesReceipts, MakesReceipts, TakesReceipts
from coinslot.kit.ids import uuid7
from coinslot.merchants.accounts import Account
from coinslot.payments import receipt_store as store
from coinslot.payments.receipt_lines import (
    Piece,
    ReceiptSumError,
    handed_over,
    lines_back,
    lines_closing,
    lines_of,
)
from coinslot.states.receipt_flow import RECEIPT
from coinslot.states.transition import transition

log = structlog.get_logger(__name__)

REFUSED = "receipt"  # the code of a `Declined` whose reason is the receipt
OPEN = ("due", "sent", "overdue")
_EXTRAS = {"tip": "Чаевые", "delivery_fee": "Доставка", "added_tax": "Налог"}
_BY_HAND = "the money was paid out by hand, and no receipt went with it"
_NO_TERMS = "the account has no fiscal settings any more"
_OTHER_SUM = "the gateway captured another sum than this receipt comes to"
_NOT_FIRST = "the receipt of the payment is not registered yet"
_SENT_ONCE = "it was sent once, and the answer was lost; the gateway cannot be asked"
_NO_CLOSING = "this gateway takes no second receipt"
_KEY_LIFE = timedelta(hours=23)  # of a receipt that is sent by itself


class ReceiptBody(Struct, frozen=True, kw_only=True):
    """What is kept of a receipt for ever: all but where it goes."""

    lines: tuple[ReceiptLine, ...]
    tax_system: str | None = None


class WithRefund(Struct, frozen=True, kw_only=True):
    """What goes with a refund. `without`: its receipt was refused, and money does not wait."""

    receipt: Receipt | None = None
    without: bool = False


NO_RECEIPT = WithRefund()


class Money(Enum):
    """How far the money of a receipt has come."""

    WAITS = "waits"
    MOVED = "moved"
    OTHER = "another sum"
    NEVER = "never"
    BY_HAND = "by hand"


class _New(Struct, frozen=True, kw_only=True):
    """A receipt before it is written."""

    minor: int
    currency: str
    contact: str | None
    lines: tuple[ReceiptLine, ...]
    attempt: UUID | None = None
    refund: UUID | None = None
    closing: bool = False
    failure: str | None = None

    @property
    def kind(self) -> str:
        return "refund" if self.refund else "closing" if self.closing else "payment"


_KEPT = {
    "payment": store.OF_ATTEMPT, "closing": store.CLOSING_OF_ATTEMPT, "refund": store.OF_REFUND,
}  # fmt: skip


async def of_attempt(
    context: Context, account: Account, attempt: asyncpg.Record
) -> Receipt | Declined | None:
    """What goes with a charge: the same on every retry. None: this account's receipts are made
    elsewhere. `Declined` where the lines do not come to the amount: nothing is sent then."""
    driver = account.driver
    if not isinstance(driver, MakesReceipts) or (terms := driver.receipt_terms) is None:
        return None
    async with context.db.as_merchant(account.merchant_id) as conn:
        kept = await conn.fetchrow(store.OF_ATTEMPT, attempt["id"])
        if kept is None:
            pieces = await _pieces(conn, attempt["payment_id"], attempt)
            try:
                lines = lines_of(pieces, attempt["amount_minor"], terms, driver.receipt_limits)
            except ReceiptSumError as error:
                return Declined(str(error), REFUSED)
            contact = await conn.fetchval(store.CONTACT_OF_PAYMENT, attempt["payment_id"])
            new = _New(
                minor=attempt["amount_minor"], currency=attempt["currency"], lines=lines,
                contact=contact or terms.contact, attempt=attempt["id"],
            )  # fmt: skip
            kept = await _write(conn, context, account, new, terms.tax_system)
    return _receipt(kept, terms.contact)


async def of_capture(
    context: Context, account: Account, attempt: asyncpg.Record, minor: int
) -> Receipt | Declined | None:
    """What goes with the capture of held money: the same on every retry. Of a part it has the lines
    of what was held, each with its share. `Declined` where that cannot be: nothing is sent then."""
    driver = account.driver
    if not isinstance(driver, MakesReceipts):
        return None
    fallback = "" if driver.receipt_terms is None else driver.receipt_terms.contact
    async with context.db.as_merchant(account.merchant_id) as conn:
        first = await conn.fetchrow(store.OF_ATTEMPT, attempt["id"])
        newest = await conn.fetchrow(store.NEWEST_OF_ATTEMPT, attempt["id"])
        if first is None or newest is None:
            return None  # it had none when the money was held
        if (newest["amount_minor"], newest["state"]) != (minor, "due"):
            body = msgspec.convert(first["body"], ReceiptBody)
            try:
                lines = lines_back(body.lines, minor, driver.receipt_limits)
            except ReceiptSumError as error:
                return Declined(str(error), REFUSED)
            whole = msgspec.to_builtins(ReceiptBody(lines=lines, tax_system=body.tax_system))
            now = context.now()
            await _moved(conn, context, newest["id"], "REPLACED", ended_at=now, due_at=None)
            newest = await conn.fetchrow(
                store.REPLACE_FOR_CAPTURE, uuid7(now), newest["id"], minor, whole, now,
                context.after("receipt_look_s"),
            )  # fmt: skip
            assert newest is not None
    return _receipt(newest, fallback)


async def of_refund(context: Context, account: Account, refund: asyncpg.Record) -> WithRefund:
    """What goes with a refund: the same on every retry, and nothing where the receipt of the one
    that it follows was refused."""
    driver = account.driver
    if not isinstance(driver, MakesReceipts):
        return WithRefund()
    terms = driver.receipt_terms
    async with context.db.as_merchant(account.merchant_id) as conn:
        if await conn.fetchval(store.RECEIPT_WAS_REFUSED, refund["id"]):
            return WithRefund(without=True)
        if terms is None:
            await _write_impossible(conn, context, account, refund)
            return WithRefund(without=True)
        kept = await conn.fetchrow(store.OF_REFUND, refund["id"])
        if kept is None:
            contact = await conn.fetchval(store.CONTACT_OF_REFUND, refund["id"])
            new = _New(
                minor=refund["amount_minor"], currency=refund["currency"], lines=(),
                contact=contact or terms.contact, refund=refund["id"],
            )  # fmt: skip
            try:
                lines = await _lines_back(conn, driver, refund)
            except ReceiptSumError as error:
                bad = msgspec.structs.replace(new, failure=str(error))
                await _write(conn, context, account, bad, terms.tax_system)
                return WithRefund(without=True)
            whole = msgspec.structs.replace(new, lines=lines)
            kept = await _write(conn, context, account, whole, terms.tax_system)
    return WithRefund(receipt=_receipt(kept, terms.contact))


async def _write_impossible(
    conn: Connection, context: Context, account: Account, refund: asyncpg.Record
) -> None:
    """The account had receipts made when the money came, and has none made now: a person has to."""
    paid = await conn.fetchrow(store.PAID_BY_CAPTURE, refund["capture_id"])
    if paid is not None and paid["body"] is not None:
        new = _New(
            minor=refund["amount_minor"], currency=refund["currency"], lines=(), contact=None,
            refund=refund["id"], failure=_NO_TERMS,
        )  # fmt: skip
        await _write(conn, context, account, new, None)


async def _lines_back(
    conn: Connection, driver: MakesReceipts, refund: asyncpg.Record
) -> tuple[ReceiptLine, ...]:
    """By the lines of what was paid. Money that bought nothing may be another sum than its order:
    it has one line. Raises ReceiptSumError."""
    terms, limits = driver.receipt_terms, driver.receipt_limits
    assert terms is not None
    paid = await conn.fetchrow(store.PAID_BY_CAPTURE, refund["capture_id"])
    assert paid is not None
    kept = None if paid["body"] is None else msgspec.convert(paid["body"], ReceiptBody).lines
    if kept is None:
        pieces = await _pieces(conn, paid["payment_id"], paid)
        if sum(piece.minor for piece in pieces) != paid["captured"]:
            pieces = [Piece(name=paid["description"] or "", minor=paid["captured"])]
        kept = lines_of(pieces, paid["captured"], terms, limits)
    elif sum(line.total for line in kept) != paid["captured"]:
        kept = lines_of([Piece(name=kept[0].name, minor=paid["captured"])], paid["captured"],
                        terms, limits)  # fmt: skip
    named = await conn.fetchrow(store.GIVEN_BACK, refund["id"])
    if named is not None and named["handed_over"]:
        kept = tuple(map(handed_over, kept))  # its second receipt has said so
    what = None if named is None else Piece(
        name=_EXTRAS.get(named["name"], named["name"]), minor=named["minor"]
    )  # fmt: skip
    return lines_back(kept, refund["amount_minor"], limits, what)


async def _pieces(
    conn: Connection, payment: UUID | None, charged: asyncpg.Record
) -> Sequence[Piece]:
    """What was sold, piece by piece, or the one thing that a merchant's own server describes."""
    rows = await conn.fetch(store.PIECES, payment)
    if not rows:
        return [Piece(name=charged["description"] or "", minor=charged["amount_minor"])]
    extras = await conn.fetch(store.EXTRAS, payment)
    sold = [Piece(name=row["name"], minor=row["minor"], vat=row["vat"]) for row in rows]
    return sold + [
        Piece(name=_EXTRAS[row["kind"]], minor=row["amount_minor"], subject="service")
        for row in extras
    ]


async def _write(
    conn: Connection, context: Context, account: Account, new: _New, tax_system: str | None
) -> asyncpg.Record:
    """Another worker may have written it meanwhile: then that one counts."""
    body = msgspec.to_builtins(ReceiptBody(lines=new.lines, tax_system=tax_system))
    made = uuid7(context.now())
    await conn.execute(
        store.WRITE, made, account.merchant_id, account.id, new.kind, new.attempt, new.refund,
        new.minor, new.currency, body, new.contact, context.now(),
        context.now() if new.closing else context.after("receipt_look_s"),
    )  # fmt: skip
    kept = await conn.fetchrow(_KEPT[new.kind], new.attempt or new.refund)
    assert kept is not None
    if new.failure is not None and kept["id"] == made:
        await _moved(conn, context, made, "REFUSED", failure=new.failure, due_at=None)
    return kept


def _receipt(row: asyncpg.Record, fallback: str) -> Receipt:
    body = msgspec.convert(row["body"], ReceiptBody)
    return Receipt(contact=row["contact"] or fallback, lines=body.lines, tax_system=body.tax_system)


async def refused(
    conn: Connection, context: Context, reason: str, *, attempt: UUID | None = None,
    refund: UUID | None = None,
) -> None:  # fmt: skip
    """The gateway made nothing, because of this receipt: a person has to see why."""
    statement = store.NEWEST_OF_ATTEMPT if refund is None else store.OF_REFUND
    kept = await conn.fetchrow(statement, attempt or refund)
    if kept is not None and kept["state"] in OPEN:
        await _moved(conn, context, kept["id"], "REFUSED", failure=reason[:500], due_at=None)
        log.warning("receipt_refused", receipt=str(kept["id"]))


async def drive(context: Context, row: asyncpg.Record) -> None:
    """A receipt is due: see whether its money has moved, and then what the gateway says of it."""
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        known = await conn.fetchrow(store.WITH_MONEY, row["id"])
        if known is not None and known["closes_at"] is not None:
            await _begin_closing(conn, context, known)
        if known is None or known["state"] not in OPEN:
            await conn.execute(store.AT_REST, row["id"])
            return
    account = await context.accounts.by_id(known["account_id"])
    match money_of(context, known):
        case Money.NEVER:
            await _end(context, known, "NOT_NEEDED", ended_at=context.now(), due_at=None)
        case Money.BY_HAND:
            await _end(context, known, "REFUSED", failure=_BY_HAND, due_at=None)
        case Money.WAITS:
            await _put_off(context, known)
        case Money.OTHER:
            await _end(context, known, "REFUSED", failure=_OTHER_SUM, due_at=None)
        case Money.MOVED:
            await settle(context, known, await _ask(context, account, known))


def money_of(context: Context, row: asyncpg.Record) -> Money:
    """A late capture counts for an attempt that had failed: only after a while is it sure that no
    money comes by it."""
    if row["kind"] == "closing":
        return Money.MOVED
    if row["kind"] == "payment":
        if row["attempt_state"] == "succeeded":
            other = row["captured"] not in (None, row["amount_minor"])
            return Money.OTHER if other else Money.MOVED
        over = context.now() - row["created_at"] > context.windows.span("receipt_late_s")
        return Money.NEVER if row["attempt_state"] == "failed" and over else Money.WAITS
    if row["refund_state"] == "succeeded":
        if row["gateway_refund_id"] is not None:
            return Money.MOVED
        return Money.NEVER if row["covered"] else Money.BY_HAND
    return Money.NEVER if row["refund_state"] == "failed" else Money.WAITS


async def _ask(
    context: Context, account: Account, row: asyncpg.Record
) -> ReceiptStatus | Absent | Declined | Unclear:
    """What went with the money is asked about; a correction is sent by itself, with one key, and
    looked for first when that key may be too old."""
    driver = account.driver
    if row["kind"] == "closing" and (row["state"] == "due" or row["sent_at"] is None):
        return await _close(context, account, row)
    if not isinstance(driver, TakesReceipts):
        return BeingRegistered()  # it only tells by itself
    if row["made_by"] is None or row["state"] != "due":
        return await driver.receipt_of(question(row))
    sent: datetime | None = row["sent_at"]
    if sent is not None and context.now() - sent > _KEY_LIFE:
        found = await driver.receipt_of(question(row))
        if not isinstance(found, Absent | NotRegistered):
            return found
    return await driver.send_receipt(await _order(context, account, row))


async def _order(context: Context, account: Account, row: asyncpg.Record) -> ReceiptOrder:
    """It is on record that it is sent now."""
    async with context.db.as_merchant(account.merchant_id) as conn:
        await conn.execute(store.SEND, row["id"], context.now())
    context.db.check_lease()
    assert isinstance(account.driver, MakesReceipts)
    terms = account.driver.receipt_terms
    return ReceiptOrder(
        about=question(row), key=f"rc_{row['id'].hex}", currency=row["currency"],
        receipt=_receipt(row, terms.contact if terms is not None else ""),
    )  # fmt: skip


async def _close(
    context: Context, account: Account, row: asyncpg.Record
) -> ReceiptStatus | Absent | Declined | Unclear:
    """The second receipt follows the first. Where the gateway knows no keys and cannot be asked,
    one whose answer was lost is not sent again: the tax service would have two."""
    driver, sent = account.driver, row["sent_at"]
    if not isinstance(driver, ClosesReceipts):
        return Declined(_NO_CLOSING, REFUSED)
    if isinstance(driver, TakesReceipts):
        if row["first_state"] != "registered":
            return Unclear(_NOT_FIRST)
        if sent is not None and context.now() - sent > _KEY_LIFE:
            found = await driver.receipt_of(question(row))
            if not isinstance(found, Absent | NotRegistered):
                return found
    elif sent is not None:
        return Unclear(_SENT_ONCE)
    answer = await driver.close_receipt(await _order(context, account, row))
    if isinstance(answer, Declined) and not answer.permanent:
        async with context.db.as_merchant(account.merchant_id) as conn:
            await conn.execute(store.NOT_SENT, row["id"])
    return answer


async def _begin_closing(conn: Connection, context: Context, row: asyncpg.Record) -> None:
    """Its order ended with goods that were paid for in advance: write the second receipt, with what
    was handed over."""
    await conn.execute(store.CLOSED, row["id"])
    order = await conn.fetchval(store.ORDER_HANDED_OVER, row["attempt_id"])
    paid = await conn.fetchrow(store.NEWEST_OF_ATTEMPT, row["attempt_id"])
    if order is None or paid is None:
        return  # its goods were paid by another attempt
    account = await context.accounts.by_id(row["account_id"])
    assert isinstance(account.driver, MakesReceipts)
    pieces = [
        Piece(name=_EXTRAS.get(one["name"], one["name"]), minor=one["minor"])
        for one in await conn.fetch(store.HANDED_OVER, order)
    ]
    total = sum(piece.minor for piece in pieces)
    if not total:
        return
    body = msgspec.convert(paid["body"], ReceiptBody)
    new = _New(
        minor=total, currency=paid["currency"], contact=paid["contact"], lines=(),
        attempt=row["attempt_id"], closing=True,
    )  # fmt: skip
    try:
        lines = lines_closing(body.lines, pieces, account.driver.receipt_limits)
        new = msgspec.structs.replace(new, lines=lines)
    except ReceiptSumError as error:
        new = msgspec.structs.replace(new, failure=str(error))
    await _write(conn, context, account, new, body.tax_system)
    context.wakes.wake("receipts")


def question(row: asyncpg.Record) -> ReceiptQuestion:
    return ReceiptQuestion(
        gateway_payment_id=row["gateway_payment_id"] or "",
        gateway_refund_id=row["gateway_refund_id"], receipt_id=row["gateway_receipt_id"],
        closing=row["kind"] == "closing",
    )  # fmt: skip


async def settle(
    context: Context, row: asyncpg.Record, answer: ReceiptStatus | Absent | Declined | Unclear
) -> None:
    match answer:
        case Registered(receipt_id=theirs, numbers=numbers):
            await _end(
                context, row, "REGISTERED", gateway_receipt_id=theirs, fiscal=dict(numbers),
                failure=None, ended_at=context.now(), due_at=None,
            )  # fmt: skip
        case NotRegistered(reason=reason, receipt_id=theirs):
            await _end(
                context, row, "REFUSED", gateway_receipt_id=theirs, failure=reason[:500],
                due_at=None,
            )  # fmt: skip
        case Declined(permanent=True, reason=reason):
            await _end(context, row, "REFUSED", failure=reason[:500], due_at=None)
        case _:
            await _wait(context, row, answer)


async def _wait(
    context: Context, row: asyncpg.Record, answer: BeingRegistered | Absent | Declined | Unclear
) -> None:
    """It is not registered yet. From the moment at which its money had moved that may take so
    long, and no longer."""
    late: datetime = row["late_at"] or context.after("receipt_late_s")
    look = _next_look(context, row)
    said: dict[str, Any] = {
        "late_at": late, "due_at": min(look, late) if context.now() < late else look,
    }  # fmt: skip
    if isinstance(answer, BeingRegistered) and answer.receipt_id is not None:
        said["gateway_receipt_id"] = answer.receipt_id
    alone = row["made_by"] is not None or row["kind"] == "closing"
    gone = not alone or isinstance(answer, BeingRegistered)
    if context.now() >= late and row["state"] != "overdue":
        await _end(context, row, "DEADLINE", **said)
    elif row["state"] == "due" and gone:
        await _end(context, row, "SENT", sent_at=row["sent_at"] or context.now(), **said)
    else:
        async with context.db.as_merchant(row["merchant_id"]) as conn:
            await conn.execute(
                store.LOOKED_AT, row["id"], said["due_at"], late, said.get("gateway_receipt_id")
            )


async def _put_off(context: Context, row: asyncpg.Record) -> None:
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await conn.execute(store.LOOKED_AT, row["id"], _next_look(context, row), None, None)


async def _end(context: Context, row: asyncpg.Record, event: str, **set_: Any) -> None:
    async with context.db.as_merchant(row["merchant_id"]) as conn:
        await _moved(conn, context, row["id"], event, tries=row["tries"] + 1, **set_)


async def _moved(
    conn: Connection, context: Context, receipt: UUID, event: str, **set_: Any
) -> None:
    await transition(conn, RECEIPT, receipt, event, context.now(), **set_)


def _next_look(context: Context, row: asyncpg.Record) -> datetime:
    pause_s = context.windows.receipt_look_s * 2 ** min(row["tries"], 20)
    return context.now() + timedelta(seconds=min(pause_s, context.windows.receipt_pause_max_s))
