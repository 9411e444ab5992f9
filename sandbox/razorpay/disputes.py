"""The payer's bank claims money back: opened, and ended either way, at the desk of a test."""

from typing import Literal

import msgspec

from sandbox.clock import now_s
from sandbox.errors import RefusedError
from sandbox.gateway import Minor
from sandbox.razorpay import wire
from sandbox.razorpay.accounts import ACCOUNTS
from sandbox.razorpay.desk import Desk, tell
from sandbox.razorpay.things import Dispute, Payment
from sandbox.shelf import Window, children, new_id, put


class Claim(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Without an end it opens one; with one it ends the one that is open."""

    reference: str
    amount: Minor | None = None
    reason: str = "goods_or_services_not_received_or_partially_received"
    ends: Literal["won", "lost", "closed"] | None = None


def claim(desk: Desk, wanted: Claim) -> Dispute:
    payment = desk.known(Payment, wanted.reference)
    if wanted.ends is None:
        return _open(desk, payment, wanted)
    return _end(desk, payment, wanted.ends)


def _open(desk: Desk, payment: Payment, wanted: Claim) -> Dispute:
    if not payment.captured:
        raise RefusedError("only what was captured can be disputed")
    dispute = Dispute(
        id=new_id("disp_"),
        account_id=payment.account_id,
        created_at=now_s(),
        payment_id=payment.id,
        amount=wanted.amount or payment.amount,
        currency=payment.currency,
        status="open",
        reason_code=wanted.reason,
    )
    put(desk.change, dispute)
    tell(desk, "payment.dispute.created", payment.id, payment, dispute)
    desk.change.tell(f"₹{wire.rupees(dispute.amount)} of {payment.id} is disputed")
    return dispute


def _end(desk: Desk, payment: Payment, how: str) -> Dispute:
    """The money is deducted only when it is lost."""
    found = children(desk.change, Dispute, payment.id, Window(count=100))
    dispute = next((one for one in found if one.status == "open"), None)
    if dispute is None:
        raise RefusedError(f"no dispute of {payment.id} is open")
    dispute.status = how
    if how == "lost":
        dispute.amount_deducted = dispute.amount
        ACCOUNTS.debit(desk.change, payment.account_id, dispute.amount)
    put(desk.change, dispute)
    tell(desk, f"payment.dispute.{how}", payment.id, payment, dispute)
    desk.change.tell(f"dispute {dispute.id} of {payment.id} {how}")
    return dispute
