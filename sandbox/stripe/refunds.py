"""Refunds: reserved against the charge at once, done now or later, or failed after all."""

from sandbox import chores, weather
from sandbox.clock import now_s
from sandbox.shelf import find, new_id, put
from sandbox.stripe.accounts import ACCOUNTS
from sandbox.stripe.desk import Desk
from sandbox.stripe.refusals import ApiError
from sandbox.stripe.things import Charge, Intent, Refund
from sandbox.stripe.wire import money

SETTLES, FAILS = "stripe.refund.settles", "stripe.refund.fails"
REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def give_back(
    desk: Desk, intent: Intent, amount: int | None, reason: str | None, notes: dict[str, str]
) -> Refund:
    """Take it from the balance, and let the weather say how it ends."""
    charge = desk.charge_of(intent)
    if charge is None or not charge.captured:
        raise ApiError(
            f"This PaymentIntent ({intent.id}) does not have a successful charge to refund."
        )
    left = charge.amount_captured - charge.amount_refunded
    if left == 0:
        raise ApiError(
            f"Charge {charge.id} has already been refunded.", code="charge_already_refunded"
        )
    asked = left if amount is None else amount
    if asked > left:
        raise ApiError(
            f"Refund amount ({money(asked, charge.currency)}) is greater than unrefunded amount"
            f" on charge ({money(left, charge.currency)})",
            param="amount",
        )
    if not ACCOUNTS.debit(desk.change, intent.account_id, asked):
        raise ApiError(
            "You have insufficient funds in your Stripe account for this transaction.",
            code="balance_insufficient",
        )
    refund = Refund(
        id=new_id("re_", 24),
        account_id=intent.account_id,
        created_at=now_s(),
        notes=notes,
        payment_intent=intent.id,
        charge=charge.id,
        amount=asked,
        currency=charge.currency,
        status="succeeded",
        reason=reason,
    )
    _plan(desk, refund, charge)
    put(desk.change, refund)
    desk.book(refund, "refund", -asked, 0)
    _reserve(desk, charge, asked)
    desk.tell("refund.created", intent.id, refund)
    desk.tell("charge.refunded", intent.id, charge)
    desk.change.tell(f"refund {refund.id} of {intent.id} {refund.status}")
    return refund


def _plan(desk: Desk, refund: Refund, charge: Charge) -> None:
    """A refund that will fail has succeeded first: that is how this gateway does it."""
    api = weather.current(desk.change).api
    if charge.payment_method == "pm_card_refundFail" or weather.strikes(
        desk.change, "api.refund_fails_later", api.refund_fails_later
    ):
        chores.later(desk.change, FAILS, refund.id, desk.tempo.late_ms)
    elif api.refund_pending_ms:
        refund.status = "pending"
        chores.later(desk.change, SETTLES, refund.id, api.refund_pending_ms)


def settle(desk: Desk, refund_id: str) -> None:
    """The money has left for the customer."""
    refund = find(desk.change, Refund, refund_id)
    if refund is not None and refund.status == "pending":
        refund.status = "succeeded"
        _tell_outcome(desk, refund)


def fail(desk: Desk, refund_id: str) -> None:
    """The bank sent the money back: it stands on the merchant's balance again."""
    refund = find(desk.change, Refund, refund_id)
    if refund is None or refund.status not in ("pending", "succeeded"):
        return
    refund.status, refund.failure_reason = "failed", "expired_or_canceled_card"
    charge = find(desk.change, Charge, refund.charge)
    if charge is not None:
        _reserve(desk, charge, -refund.amount)
    ACCOUNTS.credit(desk.change, refund.account_id, refund.amount)
    _tell_outcome(desk, refund)
    desk.tell("refund.failed", refund.payment_intent, refund)


def _reserve(desk: Desk, charge: Charge, amount: int) -> None:
    charge.amount_refunded += amount
    put(desk.change, charge)


def _tell_outcome(desk: Desk, refund: Refund) -> None:
    put(desk.change, refund)
    for name in ("refund.updated", "charge.refund.updated"):
        desk.tell(name, refund.payment_intent, refund)
    desk.change.tell(f"refund {refund.id} of {refund.payment_intent} {refund.status}")
