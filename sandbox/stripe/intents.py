"""The life of a payment intent: tried, declined, authenticated, held, captured, canceled."""

from typing import Any

from sandbox.clock import now_s
from sandbox.shelf import new_id, put
from sandbox.stripe import wire
from sandbox.stripe.accounts import ACCOUNTS
from sandbox.stripe.desk import Desk
from sandbox.stripe.forms import Fields
from sandbox.stripe.refusals import ApiError, no_such_thing, unexpected_state
from sandbox.stripe.things import Charge, Intent

DECLINES = {
    "pm_card_chargeDeclined": ("card_declined", "generic_decline", "Your card was declined."),
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline", "Your card was declined."),
    "pm_card_chargeDeclinedInsufficientFunds": (
        "card_declined",
        "insufficient_funds",
        "Your card has insufficient funds.",
    ),
    "pm_card_chargeDeclinedExpiredCard": (
        "expired_card",
        "expired_card",
        "Your card has expired.",
    ),
}
AUTHENTICATED = ("pm_card_authenticationRequired", "pm_card_threeDSecure2Required")
PAYING = ("pm_card_visa", "pm_card_mastercard", "pm_card_amex", "pm_card_refundFail")
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
CAPTURES = ("automatic", "automatic_async", "manual")
CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
OPEN = ("requires_payment_method", "requires_confirmation")


def create(desk: Desk, account_id: str, fields: Fields) -> Intent:
    """A new intent; the caller confirms it when that is asked for."""
    amount = fields.amount("amount")
    if amount is None:
        raise fields.missing("amount")
    intent = Intent(
        id=new_id("pi_", 24),
        account_id=account_id,
        created_at=now_s(),
        notes=fields.metadata(),
        amount=amount,
        currency=fields.needed("currency").lower(),
        capture_method=fields.choice("capture_method", CAPTURES, "automatic_async"),
        payment_method=known_method(fields.text("payment_method")),
        description=fields.text("description"),
        return_url=fields.text("return_url"),
    )
    if intent.payment_method:
        intent.status = "requires_confirmation"
    return intent


def known_method(method: str | None) -> str | None:
    known = (*DECLINES, *AUTHENTICATED, *PAYING)
    if method is not None and method not in known:
        raise no_such_thing("PaymentMethod", method, "payment_method", in_path=False)
    return method


def begin(desk: Desk, intent: Intent) -> Intent:
    put(desk.change, intent)
    desk.tell("payment_intent.created", intent.id, intent)
    return intent


def confirm(desk: Desk, intent: Intent) -> dict[str, Any] | None:
    """Try to take the money; what comes back is the decline, if it was one."""
    if intent.status not in OPEN:
        raise unexpected_state(
            f"You cannot confirm this PaymentIntent because it has a status of {intent.status}."
        )
    method = intent.payment_method
    if method is None:
        raise ApiError("You cannot confirm this PaymentIntent without a payment method.")
    if method in AUTHENTICATED:
        intent.status = "requires_action"
        put(desk.change, intent)
        desk.tell("payment_intent.requires_action", intent.id, intent)
        return None
    if method in DECLINES:
        return fail(desk, intent, wire.decline(*DECLINES[method]))
    succeed(desk, intent)
    return None


def succeed(desk: Desk, intent: Intent) -> None:
    """The bank says yes: the money is taken, or held when that was asked for."""
    charge = _charge(intent, "succeeded")
    intent.latest_charge, intent.error = charge.id, None
    put(desk.change, charge)
    if intent.capture_method == "manual":
        intent.status = "requires_capture"
        put(desk.change, intent)
        desk.tell("charge.succeeded", intent.id, charge)
        desk.tell("payment_intent.amount_capturable_updated", intent.id, intent)
        desk.change.tell(f"payment {intent.id} authorized")
        return
    desk.tell("charge.succeeded", intent.id, _taken(desk, intent, charge, intent.amount))
    desk.tell("payment_intent.succeeded", intent.id, intent)


def fail(desk: Desk, intent: Intent, error: dict[str, Any]) -> dict[str, Any]:
    """The bank says no. The intent can be tried again with another method."""
    charge = _charge(intent, "failed")
    charge.failure = error
    put(desk.change, charge)
    intent.latest_charge = charge.id
    intent.error = {**error, "charge": charge.id}
    intent.status, intent.payment_method = "requires_payment_method", None
    put(desk.change, intent)
    desk.tell("charge.failed", intent.id, charge)
    desk.tell("payment_intent.payment_failed", intent.id, intent)
    desk.change.tell(f"payment {intent.id} failed")
    return intent.error


def capture(desk: Desk, intent: Intent, amount: int | None) -> Intent:
    """Take what is held, or a part of it; the rest is freed."""
    charge = desk.charge_of(intent)
    if intent.status != "requires_capture" or charge is None:
        raise unexpected_state(
            f"This PaymentIntent could not be captured because it has a status of {intent.status}."
        )
    if amount is not None and amount > intent.amount:
        raise ApiError(
            f"The amount to capture {amount} is greater than the amount held {intent.amount}.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = _taken(desk, intent, charge, amount or intent.amount)
    desk.tell("charge.captured", intent.id, charge)
    desk.tell("payment_intent.succeeded", intent.id, intent)
    session = desk.session_of(intent)
    if session is not None:
        session.payment_status = "paid"
        put(desk.change, session)
    return intent


def cancel(desk: Desk, intent: Intent, reason: str | None) -> Intent:
    """Never to be paid; what is held is let go."""
    held = intent.status == "requires_capture"
    if intent.status not in CANCELABLE and not held:
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {intent.status}."
        )
    session = desk.session_of(intent)
    if session is not None and session.status == "open":
        raise ApiError("This PaymentIntent belongs to a Checkout Session: expire the session.")
    intent.status, intent.cancellation_reason = "canceled", reason
    intent.canceled_at = now_s()
    put(desk.change, intent)
    desk.tell("payment_intent.canceled", intent.id, intent)
    desk.change.tell(f"payment {intent.id} canceled")
    return intent


def _charge(intent: Intent, status: str) -> Charge:
    return Charge(
        id=new_id("ch_", 24),
        account_id=intent.account_id,
        created_at=now_s(),
        notes=intent.notes,  # copied to the charge as it is at this moment
        payment_intent=intent.id,
        amount=intent.amount,
        currency=intent.currency,
        status=status,
        payment_method=intent.payment_method,
    )


def _taken(desk: Desk, intent: Intent, charge: Charge, amount: int) -> Charge:
    charge.captured, charge.amount_captured = True, amount
    put(desk.change, charge)
    desk.book(charge, "charge", amount, wire.fee(amount))
    intent.status, intent.amount_received = "succeeded", amount
    put(desk.change, intent)
    ACCOUNTS.credit(desk.change, intent.account_id, amount)
    desk.change.tell(f"payment {intent.id} captured")
    return charge
