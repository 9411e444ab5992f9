"""People at the gateway: the payer at the page, and the merchant at the dashboard."""

from typing import Literal, get_args

from sandbox import chores
from sandbox.errors import RefusedError
from sandbox.gateway import AtPage, DashboardRefund, Reference
from sandbox.shelf import find
from sandbox.yookassa import payments, receipts, refunds
from sandbox.yookassa.desk import Desk
from sandbox.yookassa.refusals import ApiError
from sandbox.yookassa.things import FiscalReceipt, Payment, Refund
from sandbox.yookassa.wire import decimal

METHODS = ("bank_card", "sbp")
Reason = Literal["insufficient_funds", "card_expired", "general_decline", "fraud_suspected"]
REASONS = get_args(Reason)


PAYS = "yookassa.payment.pays"


class Pay(AtPage, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the payer does: the bank says yes, or no for a reason."""

    method: Literal["bank_card", "sbp"] = "bank_card"  # where the merchant left the choice
    declined: Reason | None = None


def pay(desk: Desk, wanted: Pay) -> Payment:
    payment = desk.known(Payment, wanted.named)
    if payment.status != "pending":
        raise RefusedError(f"this payment is {payment.status}: nobody can pay it now")
    if wanted.ends == "later":
        chores.later(desk.change, PAYS, payment.id, desk.tempo.late_ms)
        return payment
    desk.change.tell(f"payer pays {decimal(payment.amount)} ₽: {payment.id}")
    declined = wanted.declined or ("general_decline" if wanted.ends == "declined" else None)
    if declined is None:
        payments.pay(desk, payment, wanted.method)
    else:
        payments.cancel(desk, payment, "payment_network", declined)
    return payment


def lapse(desk: Desk, wanted: Reference) -> Payment:
    payment = desk.known(Payment, wanted.reference)
    for name in (payments.LAPSES, payments.HOLD_ENDS):
        payments.lapse(desk, payment, name)
    return payment


def refund_by_hand(desk: Desk, wanted: DashboardRefund) -> Refund:
    try:
        return refunds.by_hand(desk, desk.known(Payment, wanted.reference), wanted.amount)
    except ApiError as refusal:
        raise RefusedError(refusal.description) from refusal


def work_of(name: str, desk: Desk, thing_id: str) -> None:
    """What the gateway does by itself, later."""
    payment, refund = find(desk.change, Payment, thing_id), find(desk.change, Refund, thing_id)
    if payment is not None and name == PAYS:
        if payment.status == "pending":
            payments.pay(desk, payment, "bank_card")
    elif payment is not None:
        payments.lapse(desk, payment, name)
    elif refund is not None and name == refunds.SETTLES:
        refunds.settle(desk, refund)
    elif refund is not None and name == refunds.FAILS:
        refunds.fail(desk, refund)
    elif name == receipts.REGISTERS and (receipt := find(desk.change, FiscalReceipt, thing_id)):
        receipts.register(desk, receipt)
