"""People at the gateway: the payer on its page, and the merchant at the dashboard."""

from typing import Literal

from sandbox import chores
from sandbox.clock import now_s
from sandbox.errors import RefusedError, UnknownError
from sandbox.gateway import AtPage, DashboardRefund
from sandbox.shelf import find, new_id, put
from sandbox.stripe import intents, refunds, sessions, wire
from sandbox.stripe.desk import Desk
from sandbox.stripe.refusals import ApiError
from sandbox.stripe.things import Intent, Refund, Session

ARRIVES, BOUNCES = "stripe.payment.arrives", "stripe.payment.bounces"
Outcome = Literal["paid", "declined", "delayed", "delayed_failed"]
NOT_PROVED = "The provided PaymentMethod has failed authentication."


ENDS: dict[str, Outcome] = {"paid": "paid", "declined": "declined", "later": "delayed"}


class Pay(AtPage, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the payer does on the page of a session, or of an intent that asks who he is."""

    outcome: Outcome | None = None  # delayed: a method whose money arrives later, or bounces

    @property
    def end(self) -> Outcome:
        return self.outcome or ENDS[self.ends or "paid"]


def pay(desk: Desk, wanted: Pay) -> Intent:
    """Pay, or fail to; the page may be tried again after a decline."""
    if not wanted.named.startswith("cs_"):
        return _prove(desk, wanted)
    session = known_session(desk, wanted.named)
    if session.status != "open":
        raise RefusedError(f"this checkout session is {session.status}")
    intent = _intent_of(desk, session)
    desk.change.tell(f"customer pays {wire.money(session.amount, session.currency)}")
    if wanted.end == "declined":
        intents.fail(desk, intent, wire.decline(*intents.DECLINES["pm_card_chargeDeclined"]))
    elif wanted.end == "paid":
        intents.succeed(desk, intent)
        sessions.complete(desk, session, intent)
    else:
        intent.status = "processing"
        put(desk.change, intent)
        desk.tell("payment_intent.processing", intent.id, intent)
        sessions.complete(desk, session, intent)
        then = ARRIVES if wanted.end == "delayed" else BOUNCES
        chores.later(desk.change, then, intent.id, desk.tempo.late_ms)
    return intent


def _intent_of(desk: Desk, session: Session) -> Intent:
    """Made by the first try, and the same one for every later try."""
    found = find(desk.change, Intent, session.payment_intent or "")
    if found is None:
        found = Intent(
            id=new_id("pi_", 24),
            account_id=session.account_id,
            created_at=now_s(),
            notes=session.intent_notes,
            amount=session.amount,
            currency=session.currency,
            capture_method=session.capture_method,
            description=session.intent_description,
            session=session.id,
        )
        session.payment_intent = found.id
        put(desk.change, session)
        intents.begin(desk, found)
    found.payment_method = "pm_card_visa"
    return found


def _prove(desk: Desk, wanted: Pay) -> Intent:
    intent = desk.known(Intent, wanted.named)
    if intent.status != "requires_action":
        raise RefusedError(f"this payment is {intent.status}")
    if wanted.end == "paid":
        intents.succeed(desk, intent)
    else:
        error = wire.decline("payment_intent_authentication_failure", "", NOT_PROVED)
        intents.fail(desk, intent, error)
    return intent


def known_session(desk: Desk, reference: str) -> Session:
    session = find(desk.change, Session, reference)
    if session is None:
        raise UnknownError(f"no checkout session {reference}")
    return session


def refund_by_hand(desk: Desk, wanted: DashboardRefund) -> Refund:
    intent = desk.known(Intent, wanted.reference)
    try:
        return refunds.give_back(desk, intent, wanted.amount, "requested_by_customer", {})
    except ApiError as refusal:
        raise RefusedError(refusal.message) from refusal


def work_of(name: str, desk: Desk, thing_id: str) -> None:
    """What the gateway does by itself, later."""
    if name == sessions.EXPIRES:
        sessions.expire_by_itself(desk, thing_id)
    elif name == refunds.SETTLES:
        refunds.settle(desk, thing_id)
    elif name == refunds.FAILS:
        refunds.fail(desk, thing_id)
    else:
        _arrive(desk, desk.known(Intent, thing_id), bounced=name == BOUNCES)


def _arrive(desk: Desk, intent: Intent, *, bounced: bool) -> None:
    if bounced:
        intents.fail(desk, intent, wire.decline("card_declined", "generic_decline", "It bounced."))
    else:
        intents.succeed(desk, intent)
    session = desk.session_of(intent)
    if session is not None:
        sessions.settle(desk, session, intent)
