"""What a person does about a fiscal receipt that was refused or is late: correct it and send it
again, or note that it was made elsewhere. The receipt before stays as it was; who did what is in
the audit log, without the customer's address."""

from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.gateways.base import Absent
from coinslot.gateways.receipts import VATS, BeingRegistered, NotRegistered, Registered
from coinslot.gateways.registering import TakesReceipts
from coinslot.kit.ids import uuid7
from coinslot.payments import receipt_store as store
from coinslot.payments.receipt_contact import ContactError, contact
from coinslot.payments.receipts import ReceiptBody, question, settle
from coinslot.people.audit_log import Act, Actor, record
from coinslot.states.receipt_flow import RECEIPT
from coinslot.states.transition import transition

_NUMBER_MOST: Final = 40


class UnknownReceiptError(LookupError):
    """The merchant has no such receipt."""


class ReceiptRefusedError(Exception):
    """Nothing was done. `code`: bad_contact, bad_vat, bad_number; not_a_case: it is neither refused
    nor late; by_hand_only: this gateway takes no receipt by itself; no_money: its money has not
    moved; registered, in_work or not_answered: so the gateway says of the one before; busy."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Correction(Struct, frozen=True, kw_only=True):
    """What is to be otherwise. Empty: as it was."""

    contact: str = ""
    vat: str = ""


def contact_of(text: str) -> str:
    """An address as it is kept: user@host, or +79161234567. Raises ReceiptRefusedError."""
    try:
        return contact(text)
    except ContactError:
        raise ReceiptRefusedError("bad_contact") from None


async def send_again(
    context: Context, who: Actor, merchant: UUID, receipt: UUID, wish: Correction
) -> UUID:
    """The id of the one that takes its place; the worker sends it. Raises UnknownReceiptError and
    ReceiptRefusedError."""
    where = contact_of(wish.contact) if wish.contact.strip() else None
    if wish.vat and wish.vat not in VATS:
        raise ReceiptRefusedError("bad_vat")
    known = await _known(context, merchant, receipt)
    async with context.db.as_merchant(merchant) as conn:
        refund = await _money_of(conn, known)
    await _provably_dead(context, known)
    now = context.now()
    made = uuid7(now)
    body = msgspec.convert(known["body"], ReceiptBody)
    if wish.vat:
        lines = tuple(msgspec.structs.replace(line, vat=wish.vat) for line in body.lines)
        body = msgspec.structs.replace(body, lines=lines)
    changed = [name for name, said in (("contact", where), ("vat", wish.vat)) if said]
    try:
        async with context.db.as_merchant(merchant) as conn:
            await _locked(conn, receipt)
            await conn.execute(
                store.REPLACE, made, receipt, refund, msgspec.to_builtins(body), where,
                str(who.person or who.address), now,
            )  # fmt: skip
            await transition(conn, RECEIPT, receipt, "REPLACED", now, ended_at=now, due_at=None)
            act = Act(
                action="receipt.sent_again", merchant=merchant, subject=str(receipt),
                after={"receipt": str(made), "changed": changed},
            )  # fmt: skip
            await record(conn, who, act, now)
    except asyncpg.UniqueViolationError:
        raise ReceiptRefusedError("not_a_case") from None
    context.wakes.wake("receipts")
    return made


async def made_by_hand(
    context: Context, who: Actor, merchant: UUID, receipt: UUID, number: str
) -> None:
    """It was made elsewhere, with this number of a fiscal document. Raises UnknownReceiptError and
    ReceiptRefusedError."""
    number = number.strip()
    if not 0 < len(number) <= _NUMBER_MOST or not number.isprintable():
        raise ReceiptRefusedError("bad_number")
    await _known(context, merchant, receipt)
    now = context.now()
    async with context.db.as_merchant(merchant) as conn:
        await _locked(conn, receipt)
        await transition(
            conn, RECEIPT, receipt, "MADE_BY_HAND", now, ended_at=now, due_at=None,
            fiscal={"document": number, "by_hand": "yes"},
        )  # fmt: skip
        act = Act(
            action="receipt.made_by_hand", merchant=merchant, subject=str(receipt),
            after={"document": number},
        )  # fmt: skip
        await record(conn, who, act, now)


async def _known(context: Context, merchant: UUID, receipt: UUID) -> asyncpg.Record:
    async with context.db.as_merchant(merchant) as conn:
        known = await conn.fetchrow(store.WITH_MONEY, receipt)
    if known is None:
        raise UnknownReceiptError(str(receipt))
    if known["state"] not in ("refused", "overdue"):
        raise ReceiptRefusedError("not_a_case")
    return known


async def _locked(conn: Connection, receipt: UUID) -> None:
    """Another person, or the gateway, may have been quicker."""
    state = await conn.fetchval(store.LOCK, receipt)
    if state not in ("refused", "overdue"):
        raise ReceiptRefusedError("not_a_case")


async def _provably_dead(context: Context, known: asyncpg.Record) -> None:
    """What may still be registered is not sent a second time: the tax service would have two. One
    that went with money that never moved, or with a refund that was refused for it, never was."""
    account = await context.accounts.by_id(known["account_id"])
    if not isinstance(account.driver, TakesReceipts):
        raise ReceiptRefusedError("by_hand_only")
    if known["kind"] == "refund" and known["refund_state"] == "failed":
        return
    match await account.driver.receipt_of(question(known)):
        case Registered() as answer:
            await settle(context, known, answer)
            raise ReceiptRefusedError("registered")
        case BeingRegistered():
            raise ReceiptRefusedError("in_work")
        case Absent() | NotRegistered():
            return
        case _:
            raise ReceiptRefusedError("not_answered")


async def _money_of(conn: Connection, known: asyncpg.Record) -> UUID | None:
    """The refund by which the money went back in the end; None for a payment that was made."""
    if known["kind"] != "refund":
        if known["attempt_state"] != "succeeded":
            raise ReceiptRefusedError("no_money")
        if known["kind"] == "payment" and known["captured"] not in (None, known["amount_minor"]):
            raise ReceiptRefusedError("by_hand_only")  # its lines come to another sum
        return None
    found: UUID | None = await conn.fetchval(store.REFUND_IN_THE_END, known["refund_id"])
    if found is None:
        raise ReceiptRefusedError("no_money")
    return found
