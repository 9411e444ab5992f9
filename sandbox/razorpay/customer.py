"""People at the gateway: the customer who scans and pays, and the merchant at the dashboard."""

import secrets
from string import digits
from typing import Literal

import msgspec

from sandbox import chores
from sandbox.clock import now_s
from sandbox.errors import RefusedError, UnknownError, UnreadableError
from sandbox.gateway import AtPage, DashboardRefund, Minor
from sandbox.razorpay import links, payments, qr_codes, refunds, wire
from sandbox.razorpay.accounts import ACCOUNTS
from sandbox.razorpay.desk import Desk
from sandbox.razorpay.refusals import ApiError
from sandbox.razorpay.things import Order, Payment, PaymentLink, QrCode, Refund
from sandbox.shelf import find, new_id, put

CAPTURES = "razorpay.payment.captures"
RRN_DIGITS = 12
Outcome = Literal["captured", "failed", "failed_then_captured", "authorized_only"]
ENDS: dict[str, Outcome] = {
    "paid": "captured", "declined": "failed", "later": "failed_then_captured",
}  # fmt: skip


class Scan(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the customer does. Plain use is `qr_code_id` alone; the rest is for tests."""

    qr_code_id: str | None = None
    order_id: str | None = None
    payment_link_id: str | None = None
    account_id: str | None = None  # for a foreign payment without any code of ours
    amount: Minor | None = None  # on a fixed code a mismatch, as old apps can make
    outcome: Outcome = "captured"
    foreign: bool = False  # on the merchant's account, without our QR and notes
    late: bool = False  # the app had read the code before it was closed
    events: list[str] | None = None  # the only events that are told
    vpa: str = "asha@upi"


def scan(desk: Desk, wanted: Scan) -> Payment:
    """Pay. The money is captured at once unless another outcome is asked for."""
    payment = _new_payment(desk, wanted)
    put(desk.change, payment)
    desk.change.tell(f"customer pays ₹{wire.rupees(payment.amount)}: {payment.id}")
    if wanted.outcome in ("failed", "failed_then_captured"):
        payments.fail(desk, payment)
        if wanted.outcome == "failed_then_captured":
            chores.later(desk.change, CAPTURES, payment.id, desk.tempo.late_ms)
        return payment
    payments.authorize(desk, payment)
    if wanted.outcome == "captured":
        payments.capture(desk, payment)
    return payment


def pay(desk: Desk, wanted: AtPage) -> Payment:
    """A link, or a code, is paid in the words of every gateway's page."""
    named = wanted.named
    link = named if named.startswith("plink_") else None
    outcome = ENDS[wanted.ends or "paid"]
    code = None if link else named
    return scan(desk, Scan(qr_code_id=code, payment_link_id=link, outcome=outcome))


def capture_late(desk: Desk, payment: Payment) -> None:
    """The bank's yes arrives after its no; the id stays the same."""
    if payment.status == "failed":
        payments.authorize(desk, payment)
        payments.capture(desk, payment)


def _new_payment(desk: Desk, wanted: Scan) -> Payment:
    qr, order = _open_qr(desk, wanted), _open_order(desk, wanted) or _open_link(desk, wanted)
    account_id, amount = wanted.account_id, wanted.amount
    if qr is not None:
        account_id = qr.account_id
        amount = qr.payment_amount if amount is None else amount
    elif order is not None:
        account_id = order.account_id
        amount = order.amount if amount is None else amount
    if account_id is None:
        raise UnreadableError("qr_code_id, order_id, payment_link_id or account_id is needed")
    if amount is None:
        raise UnreadableError("this code has no price: amount is needed, in paise")
    ACCOUNTS.find(desk.change, account_id)
    paid_for = None if wanted.foreign else qr or order
    return Payment(
        id=new_id("pay_"),
        account_id=account_id,
        created_at=now_s(),
        notes=paid_for.notes if paid_for else {},
        amount=amount,
        currency="INR",
        status="created",
        rrn="".join(secrets.choice(digits) for _ in range(RRN_DIGITS)),
        qr_code_id=qr.id if qr and paid_for is qr else None,
        order_id=order.id if order and paid_for is order else None,
        description=_described(wanted, "QRv2 Payment" if qr and paid_for is qr else None),
        vpa=wanted.vpa,
        tells=wanted.events,
    )


def _open_order(desk: Desk, wanted: Scan) -> Order | None:
    if wanted.order_id is None:
        return None
    order = find(desk.change, Order, wanted.order_id)
    if order is None:
        raise UnknownError(f"no order {wanted.order_id}")
    if order.status == "paid" and not wanted.late:
        raise RefusedError("this order is paid already")
    return order


def _open_link(desk: Desk, wanted: Scan) -> Order | None:
    """The order behind a link; whoever opened the page before it was closed may still pay."""
    if wanted.payment_link_id is None:
        return None
    link = find(desk.change, PaymentLink, wanted.payment_link_id)
    if link is None:
        raise UnknownError(f"no payment link {wanted.payment_link_id}")
    if links.as_of_now(desk, link).status != "created" and not wanted.late:
        raise RefusedError(f"this payment link is {link.status}")
    return links.order_of(desk, link)


def _described(wanted: Scan, otherwise: str | None) -> str | None:
    link = (wanted.payment_link_id or "").removeprefix("plink_")
    return f"#{link}" if link else otherwise


def _open_qr(desk: Desk, wanted: Scan) -> QrCode | None:
    if wanted.qr_code_id is None:
        return None
    qr = qr_codes.look(desk, wanted.qr_code_id)
    if qr is None:
        raise UnknownError(f"no QR code {wanted.qr_code_id}")
    if qr.status == "closed" and not wanted.late:
        raise RefusedError("this QR code is closed: the customer's app refuses it")
    return qr


def refund_by_hand(desk: Desk, wanted: DashboardRefund) -> Refund:
    payment = desk.known(Payment, wanted.reference)
    try:
        return refunds.give_back(desk, payment, refunds.Wish(amount=wanted.amount))
    except ApiError as refusal:
        raise RefusedError(refusal.description) from refusal


def work_of(name: str, desk: Desk, thing_id: str) -> None:
    """What the gateway does by itself, later."""
    refund = find(desk.change, Refund, thing_id)
    payment = find(desk.change, Payment, thing_id)
    if name == refunds.SETTLES and refund is not None:
        refunds.settle(desk, refund)
    elif name == refunds.FAILS and refund is not None:
        refunds.fail(desk, refund)
    elif name == CAPTURES and payment is not None:
        capture_late(desk, payment)
