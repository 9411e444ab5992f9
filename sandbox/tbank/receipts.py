"""Fiscal receipts: what a payment or a refund brought goes to a till, and a notification tells what
became of it. Nobody can ask, and of those without money only the one of a hand-over is taken."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox import chores
from sandbox.clock import now_ms, now_s
from sandbox.gateway import Notice
from sandbox.shelf import everything, find, new_id, put
from sandbox.tbank import wishes
from sandbox.tbank.accounts import ACCOUNTS, token
from sandbox.tbank.desk import Desk
from sandbox.tbank.refusals import bad_receipt, wrong_state
from sandbox.tbank.things import FiscalReceipt, Payment

REGISTERS = "tbank.receipt.registers"


def opened(desk: Desk, payment: Payment, receipt: Mapping[str, Any] | None, back: int = 0) -> None:
    """`back`: so much of it went back; nothing, and it was paid."""
    if receipt is None:
        return
    made = FiscalReceipt(
        id=new_id("tbank-receipt-"), account_id=payment.account_id, created_at=now_s(),
        payment_id=payment.id, type="IncomeReturn" if back else "Income",
        amount=back or payment.captured, receipt=dict(receipt),
    )  # fmt: skip
    put(desk.change, made)
    chores.later(desk.change, REGISTERS, made.id, desk.tempo.receipt_ms)


PREPAID = ("full_prepayment", "prepayment", "advance")


def close(desk: Desk, payment: Payment, wish: wishes.Closing, receipt: Mapping[str, Any]) -> None:
    """The hand-over of what was paid in advance: one, while all of the payment stands."""
    if payment.status != "CONFIRMED":
        raise wrong_state(payment.status)
    paid = (payment.receipt or {}).get("Items", ())
    total = sum(line.amount for line in wish.receipt.items)
    wishes.checked(wish.receipt, total, needed=True)
    full = all(line.payment_method == "full_payment" for line in wish.receipt.items)
    if not any(line.get("PaymentMethod") in PREPAID for line in paid) or not full:
        raise bad_receipt(329)
    before = any(
        one.payment_id == payment.id and one.closes
        for one in everything(desk.change, FiscalReceipt)
    )
    if before or total > payment.captured:
        raise bad_receipt(308)
    made = FiscalReceipt(
        id=new_id("tbank-receipt-"), account_id=payment.account_id, created_at=now_s(),
        payment_id=payment.id, type="Income", amount=total, receipt=dict(receipt), closes=True,
    )  # fmt: skip
    put(desk.change, made)
    chores.later(desk.change, REGISTERS, made.id, desk.tempo.receipt_ms)


def register(desk: Desk, receipt: FiscalReceipt) -> None:
    """What the till makes of it, told once."""
    payment = find(desk.change, Payment, receipt.payment_id)
    if receipt.status != "pending" or payment is None:
        return
    account = ACCOUNTS.find(desk.change, receipt.account_id)
    failed = "till" in account.receipts_refused
    receipt.status = "failed" if failed else "done"
    put(desk.change, receipt)
    said: dict[str, Any] = {
        "TerminalKey": account.account_id, "OrderId": payment.order_id, "Success": not failed,
        "Status": "RECEIPT", "PaymentId": int(payment.id), "Amount": receipt.amount,
        "Type": receipt.type, "ErrorCode": "1" if failed else "0", "Receipt": receipt.receipt,
    }  # fmt: skip
    said |= {"Message": "Касса не ответила."} if failed else {
        "FiscalNumber": now_ms() % 1_000, "FiscalDocumentNumber": _document(receipt),
        "FiscalDocumentAttribute": 1_618_033_988, "FnNumber": "9289000100234567",
        "ReceiptDatetime": "2026-03-01T12:00:00+03:00", "Ofd": "ofd.example",
        "Url": f"https://receipts.example/{receipt.id}",
    }  # fmt: skip
    said["Token"] = token(said, account.password)
    notice = Notice(name="RECEIPT", reference=payment.id, body=msgspec.json.encode(said))
    desk.notify(account, notice)


def _document(receipt: FiscalReceipt) -> int:
    """Of no other receipt."""
    return int(hashlib.sha256(receipt.id.encode()).hexdigest()[:8], 16)
