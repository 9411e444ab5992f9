"""Cancel: what it does depends on how far the money has come."""

from typing import Any

from sandbox import chores, weather
from sandbox.clock import now_s
from sandbox.shelf import find, new_id, put
from sandbox.store import Change
from sandbox.tbank import payments, receipts, wire, wishes
from sandbox.tbank.accounts import ACCOUNTS, PARTY
from sandbox.tbank.desk import Desk, tell
from sandbox.tbank.refusals import ApiError, wrong_state
from sandbox.tbank.settings import Account
from sandbox.tbank.things import REFUNDABLE, Payment, Refund

SETTLES, FAILS = "tbank.refund.settles", "tbank.refund.fails"
Answer = dict[str, object]


def cancel(
    desk: Desk,
    account: Account,
    payment: Payment,
    wish: wishes.Cancel,
    receipt: dict[str, Any] | None,
) -> Answer:
    """A request id makes a refund happen once, but SBP does not know them."""
    key = wish.external_request_id
    if key and payment.source != "qrsbp" and _seen(desk.change, payment, key):
        return wire.canceled(payment, payment.amount, payment.left, key)
    was, amount = payment.left, wish.amount or payment.left
    if payment.status in ("NEW", "FORM_SHOWED", "REJECTED"):
        payments.call_off(desk, payment)
        now = 0
    elif payment.status in ("AUTHORIZED", "PARTIAL_REVERSED"):
        payments.free(desk, payment, amount)
        now = payment.left
    elif payment.status in REFUNDABLE:
        whole = amount == payment.amount
        wishes.checked(wish.receipt, amount, needed=account.receipts and not whole)
        wishes.taken(wish.receipt, refused="refund" in account.receipts_refused)
        give_back(desk, payment, amount, receipt or (payment.receipt if whole else None))
        now = was - amount
    else:
        raise wrong_state(payment.status)
    if key:
        desk.change.run(
            "INSERT INTO claims VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (PARTY, payment.account_id, key, str(amount), payment.id),
        )
    return wire.canceled(payment, was, now, key or None)


def _seen(change: Change, payment: Payment, key: str) -> bool:
    claim = change.one(
        "SELECT thing_id FROM claims WHERE party = ? AND account_id = ? AND key = ?",
        (PARTY, payment.account_id, key),
    )
    return claim is not None and claim["thing_id"] == payment.id


def give_back(
    desk: Desk, payment: Payment, amount: int, receipt: dict[str, Any] | None = None
) -> Refund:
    """Through SBP it takes its time, and may fail there; with cards only in bad weather."""
    if payment.status not in REFUNDABLE:
        raise wrong_state(payment.status)
    if amount > payment.left:
        raise ApiError(330, "Сумма возврата больше исходной.")
    if not ACCOUNTS.debit(desk.change, payment.account_id, amount):
        raise ApiError(3002, "Недостаточно средств для возврата.")
    refund = Refund(
        id=new_id("tbank-refund-"),
        account_id=payment.account_id,
        created_at=now_s(),
        payment_id=payment.id,
        amount=amount,
        status="pending",
        was=payment.status,
        receipt=receipt,
    )
    put(desk.change, refund)
    sky = weather.current(desk.change).api
    sbp = payment.source == "qrsbp"
    wait_ms = sky.refund_pending_ms or (desk.tempo.sbp_refund_ms if sbp else 0)
    payment.status = "ASYNC_REFUNDING" if sbp else "REFUNDING"
    put(desk.change, payment)
    if weather.strikes(desk.change, "api.refund_fails_later", sky.refund_fails_later):
        chores.later(desk.change, FAILS, refund.id, desk.tempo.late_ms)
    elif wait_ms:
        chores.later(desk.change, SETTLES, refund.id, wait_ms)
    else:
        settle(desk, refund, payment)
    return refund


def settle(desk: Desk, refund: Refund, payment: Payment) -> None:
    """The money has left for the payer."""
    if refund.status != "pending":
        return
    refund.status = "done"
    payment.left -= refund.amount
    payment.refunded += refund.amount
    _ended(desk, refund, payment, "PARTIAL_REFUNDED" if payment.left else "REFUNDED")
    receipts.opened(desk, payment, refund.receipt, refund.amount)
    tell(desk, payment)


def fail(desk: Desk, refund: Refund, payment: Payment) -> None:
    """It came back: the payment stands as before, and nobody is told."""
    if refund.status != "pending":
        return
    refund.status = "failed"
    ACCOUNTS.credit(desk.change, payment.account_id, refund.amount)
    _ended(desk, refund, payment, refund.was)


def _ended(desk: Desk, refund: Refund, payment: Payment, status: str) -> None:
    payment.status = status
    put(desk.change, refund)
    put(desk.change, payment)
    desk.change.tell(f"refund of {payment.id} {refund.status}")


def newest(desk: Desk, payment: Payment) -> Refund | None:
    row = desk.change.one(
        "SELECT id FROM things WHERE kind = ? AND parent = ? ORDER BY seq DESC LIMIT 1",
        (Refund.kind, payment.id),
    )
    return find(desk.change, Refund, row["id"]) if row else None
