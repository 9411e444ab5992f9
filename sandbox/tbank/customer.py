"""People at the gateway: the payer at the page, and the merchant at the dashboard."""

from typing import Literal

from sandbox import chores, outbox
from sandbox.errors import RefusedError, UnknownError
from sandbox.gateway import AtPage, DashboardRefund, Reference
from sandbox.shelf import find
from sandbox.store import Change
from sandbox.tbank import payments, receipts, refunds
from sandbox.tbank.accounts import PARTY
from sandbox.tbank.desk import Desk
from sandbox.tbank.refusals import ApiError
from sandbox.tbank.things import OPEN, FiscalReceipt, Payment, Refund
from sandbox.tbank.wire import roubles

REASONS = {"declined": 99, "insufficient_funds": 1051, "bad_card": 1014}
Reason = Literal["declined", "insufficient_funds", "bad_card"]


PAYS = "tbank.payment.pays"


class Pay(AtPage, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the payer does: the bank says yes, or no for a reason."""

    method: Literal["card", "sbp"] = "card"
    declined: Reason | None = None


def pay(desk: Desk, wanted: Pay) -> Payment:
    if wanted.url:
        payment = at_page(desk.change, wanted.named)
    else:
        payment = desk.known(Payment, wanted.named)
    if payment.status not in OPEN:
        raise RefusedError(f"this payment is {payment.status}: nobody can pay it now")
    source = "qrsbp" if wanted.method == "sbp" else "cards"
    if source == "qrsbp" and payment.two_stage:
        raise RefusedError("SBP holds nothing: a payment of two stages takes a card")
    if wanted.ends == "later":
        chores.later(desk.change, PAYS, payment.id, desk.tempo.late_ms)
        return payment
    desk.change.tell(f"payer pays {roubles(payment.amount)} ₽: {payment.id}")
    declined = wanted.declined or ("declined" if wanted.ends == "declined" else None)
    if declined is None:
        payments.pay(desk, payment, source)
    else:
        payments.reject(desk, payment, source, REASONS[declined])
    return payment


def lapse(desk: Desk, wanted: Reference) -> Payment:
    payment = desk.known(Payment, wanted.reference)
    payments.expire(desk, payment)
    return payment


def refund_by_hand(desk: Desk, wanted: DashboardRefund) -> Payment:
    payment = desk.known(Payment, wanted.reference)
    try:
        refunds.give_back(desk, payment, wanted.amount or payment.left)
    except ApiError as refusal:
        raise RefusedError(refusal.message) from refusal
    return payment


def resend_missed(desk: Desk, account_id: str) -> int:
    """Those that never arrived, of every payment of a terminal."""
    rows = desk.change.all(
        "SELECT DISTINCT e.reference FROM events e JOIN deliveries d ON d.event_seq = e.seq"
        " WHERE e.party = ? AND e.account_id = ? AND d.state IN ('lost', 'expired')",
        (PARTY, account_id),
    )
    return sum(outbox.replay(desk.change, row["reference"]) for row in rows)


def at_page(change: Change, short: str) -> Payment:
    """The payment whose page's address ends so."""
    row = change.one(
        "SELECT id FROM things WHERE kind = ? AND json_extract(body, '$.short') = ?",
        (Payment.kind, short),
    )
    found = find(change, Payment, row["id"]) if row else None
    if found is None:
        raise UnknownError(f"no page {short}")
    return found


def work_of(name: str, desk: Desk, thing_id: str) -> None:
    """What the gateway does by itself, later."""
    if name == payments.EXPIRES:
        payments.expire(desk, desk.known(Payment, thing_id))
        return
    if name == PAYS:
        payment = desk.known(Payment, thing_id)
        if payment.status in OPEN:
            payments.pay(desk, payment, "cards")
        return
    if name == receipts.REGISTERS:
        receipt = find(desk.change, FiscalReceipt, thing_id)
        if receipt is not None:
            receipts.register(desk, receipt)
        return
    refund = find(desk.change, Refund, thing_id)
    if refund is not None:
        verb = refunds.settle if name == refunds.SETTLES else refunds.fail
        verb(desk, refund, desk.known(Payment, refund.payment_id))
