"""What Stripe keeps: sessions, payment intents, charges, refunds, and the events it told.

`notes` is what it calls metadata.
"""

from typing import Any, ClassVar

from sandbox.shelf import Thing


class Session(Thing):
    """A checkout session: open, complete or expired."""

    kind: ClassVar[str] = "stripe.session"
    amount: int
    currency: str
    name: str
    success_url: str
    intent_notes: dict[str, str]
    expires_at: int
    cancel_url: str | None = None
    client_reference_id: str | None = None
    capture_method: str = "automatic_async"
    intent_description: str | None = None
    status: str = "open"
    payment_status: str = "unpaid"
    payment_intent: str | None = None


class Intent(Thing):
    """A payment intent. `error` is the last failed try."""

    kind: ClassVar[str] = "stripe.payment_intent"
    amount: int
    currency: str
    capture_method: str = "automatic_async"
    status: str = "requires_payment_method"
    amount_received: int = 0
    payment_method: str | None = None
    latest_charge: str | None = None
    error: dict[str, Any] | None = None
    session: str | None = None
    description: str | None = None
    return_url: str | None = None
    canceled_at: int | None = None
    cancellation_reason: str | None = None

    @property
    def parent(self) -> str | None:
        return self.session


class Charge(Thing):
    """One try to take the money of an intent."""

    kind: ClassVar[str] = "stripe.charge"
    payment_intent: str
    amount: int
    currency: str
    status: str
    captured: bool = False
    amount_captured: int = 0
    amount_refunded: int = 0
    payment_method: str | None = None
    failure: dict[str, Any] | None = None

    @property
    def parent(self) -> str | None:
        return self.payment_intent


class Refund(Thing):
    """A refund, in full or in part."""

    kind: ClassVar[str] = "stripe.refund"
    payment_intent: str
    charge: str
    amount: int
    currency: str
    status: str
    reason: str | None = None
    failure_reason: str | None = None

    @property
    def parent(self) -> str | None:
        return self.payment_intent


class Dispute(Thing):
    """A claim of the payer's bank."""

    kind: ClassVar[str] = "stripe.dispute"
    payment_intent: str
    charge: str
    amount: int
    currency: str
    status: str
    reason: str

    @property
    def parent(self) -> str | None:
        return self.payment_intent


class Movement(Thing):
    """What one thing did to the merchant's balance. It is paid out some days later."""

    kind: ClassVar[str] = "stripe.balance_transaction"
    source: str
    type: str
    amount: int
    fee: int
    currency: str
    available_on: int

    @property
    def parent(self) -> str | None:
        return self.source


class Told(Thing):
    """An event, as GET /v1/events lists it for 30 days."""

    kind: ClassVar[str] = "stripe.event"
    type: str
    object: dict[str, Any]
    live: bool
    request: dict[str, str | None]


class Kept(Thing):
    """The first answer to an idempotency key."""

    kind: ClassVar[str] = "stripe.answer"
    status: int
    body: str
