"""The payer's bank claims money back: opened, and ended either way, at the desk of a test."""

from typing import Literal

import msgspec

from sandbox.clock import now_s
from sandbox.errors import RefusedError
from sandbox.gateway import Minor
from sandbox.shelf import Window, children, new_id, put
from sandbox.stripe import wire
from sandbox.stripe.accounts import ACCOUNTS
from sandbox.stripe.desk import Desk
from sandbox.stripe.things import Dispute, Intent

LIVE = "needs_response"
FEE_MINOR = 1_500


class Claim(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Without an end it opens one; with one it ends the one that is open."""

    reference: str
    amount: Minor | None = None
    reason: str = "fraudulent"
    ends: Literal["won", "lost"] | None = None


def claim(desk: Desk, wanted: Claim) -> Dispute:
    return _open(desk, wanted) if wanted.ends is None else _end(desk, wanted, wanted.ends)


def _open(desk: Desk, wanted: Claim) -> Dispute:
    """The money leaves the balance at once, with a fee of its own."""
    intent = desk.known(Intent, wanted.reference)
    charge = desk.charge_of(intent)
    if charge is None or not charge.captured:
        raise RefusedError("only what was captured can be disputed")
    dispute = Dispute(
        id=new_id("dp_", 24),
        account_id=intent.account_id,
        created_at=now_s(),
        payment_intent=intent.id,
        charge=charge.id,
        amount=wanted.amount or charge.amount_captured,
        currency=charge.currency,
        status=LIVE,
        reason=wanted.reason,
    )
    put(desk.change, dispute)
    ACCOUNTS.debit(desk.change, dispute.account_id, dispute.amount)
    desk.book(dispute, "adjustment", -dispute.amount, FEE_MINOR)
    for name in ("charge.dispute.created", "charge.dispute.funds_withdrawn"):
        desk.tell(name, intent.id, dispute)
    desk.change.tell(f"{wire.money(dispute.amount, dispute.currency)} of {intent.id} is disputed")
    return dispute


def _end(desk: Desk, wanted: Claim, how: str) -> Dispute:
    found = children(desk.change, Dispute, wanted.reference, Window(count=100))
    dispute = next((one for one in found if one.status == LIVE), None)
    if dispute is None:
        raise RefusedError(f"no dispute of {wanted.reference} is open")
    dispute.status = how
    put(desk.change, dispute)
    if how == "won":
        ACCOUNTS.credit(desk.change, dispute.account_id, dispute.amount)
        desk.tell("charge.dispute.funds_reinstated", dispute.payment_intent, dispute)
    desk.tell("charge.dispute.closed", dispute.payment_intent, dispute)
    desk.change.tell(f"dispute {dispute.id} of {dispute.payment_intent} {how}")
    return dispute
