"""The life of a payment: a session, its payer, money held and taken; and what each step tells."""

import secrets
from typing import Any

from sandbox import chores, weather
from sandbox.clock import now_ms, now_s
from sandbox.shelf import Window, children, new_id, put
from sandbox.tbank import receipts, wishes
from sandbox.tbank.accounts import ACCOUNTS
from sandbox.tbank.desk import Desk, tell
from sandbox.tbank.refusals import ApiError, wrong_state
from sandbox.tbank.settings import Account
from sandbox.tbank.things import OPEN, Payment

EXPIRES = "tbank.payment.expires"
SBP_FROM_KOPECKS, SBP_TO_KOPECKS = 1_000, 100_000_000
WHOLE = Window(count=100)


def create(
    desk: Desk, account: Account, wish: wishes.Init, receipt: dict[str, Any] | None
) -> Payment:
    """Another session for every call, also for an order id that was seen before."""
    if account.unique_orders and of_order(desk, account, wish.order_id):
        raise ApiError(20, "Повторный идентификатор заказа.")
    payment = Payment(
        id=str(1_000_000_000 + secrets.randbelow(9_000_000_000)),
        account_id=account.account_id,
        created_at=now_s(),
        notes=wish.data,
        order_id=wish.order_id,
        amount=wish.amount,
        left=wish.amount,
        status="NEW",
        short=new_id("", 10),
        two_stage=wish.pay_type == "T",
        due_ms=wishes.due_ms(wish.redirect_due_date, desk.tempo.link_ms),
        description=wish.description,
        notification_url=wish.notification_url,
        success_url=wish.success_url,
        fail_url=wish.fail_url,
        receipt=receipt,
    )
    put(desk.change, payment)
    chores.later(desk.change, EXPIRES, payment.id, payment.due_ms - now_ms())
    return payment


def of_order(desk: Desk, account: Account, order_id: str) -> list[Payment]:
    return children(desk.change, Payment, f"{account.account_id}/{order_id}", WHOLE)


def show(desk: Desk, payment: Payment) -> None:
    """The payer has opened the page."""
    if payment.status == "NEW":
        _step(desk, payment, "FORM_SHOWED")


def pay(desk: Desk, payment: Payment, source: str) -> None:
    """One stage: held and taken are told at the same time, in whatever order."""
    payment.source, payment.error = source, 0
    ACCOUNTS.credit(desk.change, payment.account_id, payment.amount)
    if payment.two_stage:
        _step(desk, payment, "AUTHORIZED")
        tell(desk, payment)
        return
    payment.captured = payment.amount
    _step(desk, payment, "CONFIRMED")
    receipts.opened(desk, payment, payment.receipt)
    told = ["CONFIRMED"] if source == "qrsbp" else ["AUTHORIZED", "CONFIRMED"]
    if weather.throw(desk.change, "tbank.told_first") < 0.5:
        told.reverse()
    for status in told:
        tell(desk, payment, status)


def reject(desk: Desk, payment: Payment, source: str, code: int) -> None:
    """The payer's bank says no; on the same page another card may be tried."""
    payment.source, payment.error = source, code
    _step(desk, payment, "REJECTED")
    tell(desk, payment)


def expire(desk: Desk, payment: Payment) -> None:
    if payment.status in OPEN:
        _step(desk, payment, "DEADLINE_EXPIRED")
        if ACCOUNTS.find(desk.change, payment.account_id).tell_expired:
            tell(desk, payment)


def confirm(desk: Desk, payment: Payment, wish: wishes.Confirm) -> None:
    """Take what is held, or a part of it; the rest is free."""
    if payment.status != "AUTHORIZED":
        raise wrong_state(payment.status)
    amount = payment.left if wish.amount is None else wish.amount
    if amount > payment.left:
        raise ApiError(330, "Сумма больше исходной.")
    account = ACCOUNTS.find(desk.change, payment.account_id)
    wishes.checked(wish.receipt, amount, needed=account.receipts)
    wishes.taken(wish.receipt, refused="payment" in account.receipts_refused)
    payment.captured = payment.left = amount
    _step(desk, payment, "CONFIRMED")
    receipts.opened(desk, payment, payment.receipt)
    tell(desk, payment)


def call_off(desk: Desk, payment: Payment) -> None:
    """Nobody has paid: the session ends, whatever amount was named."""
    _step(desk, payment, "CANCELED")
    tell(desk, payment)


def free(desk: Desk, payment: Payment, amount: int) -> None:
    """Let go of what is held, or of a part."""
    if amount > payment.left:
        raise ApiError(330, "Сумма больше исходной.")
    payment.left -= amount
    _step(desk, payment, "PARTIAL_REVERSED" if payment.left else "REVERSED")
    tell(desk, payment)


def code(desk: Desk, account: Account, payment: Payment) -> None:
    """Whether an SBP code can be had of this session."""
    if not account.sbp or payment.two_stage:
        raise ApiError(3001, "Оплата через СБП недоступна.")
    if not SBP_FROM_KOPECKS <= payment.amount <= SBP_TO_KOPECKS:
        raise ApiError(3016, "Сумма вне пределов СБП.")
    if payment.status not in OPEN:
        raise wrong_state(payment.status)


def _step(desk: Desk, payment: Payment, status: str) -> None:
    payment.status = status
    put(desk.change, payment)
    desk.change.tell(f"payment {payment.id} {status}")
