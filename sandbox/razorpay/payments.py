"""The life of a payment: authorized, captured, failed; and the events each step raises."""

from sandbox.razorpay import links, orders, qr_codes
from sandbox.razorpay.accounts import ACCOUNTS
from sandbox.razorpay.desk import Desk, Subject, tell
from sandbox.razorpay.fields import Fields
from sandbox.razorpay.refusals import ApiError
from sandbox.razorpay.things import Order, Payment
from sandbox.shelf import find, put

CAPTURE_FIELDS = frozenset({"amount", "currency"})


def authorize(desk: Desk, payment: Payment) -> None:
    """The bank said yes; the money is promised, not taken."""
    payment.status = "authorized"
    put(desk.change, payment)
    order = find(desk.change, Order, payment.order_id or "")
    if order is not None:
        order.attempts += 1
        orders.credit(desk, order, 0)
    announce(desk, "payment.authorized", payment)


def fail(desk: Desk, payment: Payment) -> None:
    """The bank said no, for now: a failed payment may still be captured later."""
    payment.status, payment.error_reason = "failed", "payment_failed"
    put(desk.change, payment)
    announce(desk, "payment.failed", payment)
    desk.change.tell(f"payment {payment.id} failed")


def capture(desk: Desk, payment: Payment) -> None:
    """Take the money: count it on the QR or the order and on the balance, and tell."""
    payment.status, payment.captured, payment.error_reason = "captured", True, None
    put(desk.change, payment)
    ACCOUNTS.credit(desk.change, payment.account_id, payment.amount)
    announce(desk, "payment.captured", payment)
    qr = payment.qr_code_id and qr_codes.look(desk, payment.qr_code_id)
    if qr:
        # The real payload is a snapshot from before the count: nobody may count from it.
        announce(desk, "qr_code.credited", payment, qr)
        qr_codes.credit(desk, qr, payment.amount)
    order = find(desk.change, Order, payment.order_id or "")
    if order is not None:
        announce(desk, "order.paid", payment, orders.credit(desk, order, payment.amount))
        links.credit(desk, order, payment)
    desk.change.tell(f"payment {payment.id} captured")


def capture_on_demand(desk: Desk, payment: Payment, fields: Fields) -> Payment:
    """The API's capture: the whole authorized amount, once."""
    amount = fields.needed_whole("amount")
    currency = fields.choice("currency", ("INR",), default=payment.currency)
    if payment.captured:
        raise ApiError("This payment has already been captured")
    if payment.status != "authorized":
        raise ApiError(
            "Only payments which have been authorized and not yet captured can be captured"
        )
    if (amount, currency) != (payment.amount, payment.currency):
        raise ApiError("Capture amount must be equal to the amount authorized", field="amount")
    capture(desk, payment)
    return payment


def announce(desk: Desk, name: str, payment: Payment, *more: Subject) -> None:
    """Tell of it, unless the test that paid wanted only some of the events."""
    if payment.tells is None or name in payment.tells:
        tell(desk, name, payment.id, payment, *more)
