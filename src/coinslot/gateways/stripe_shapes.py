"""What Stripe's things look like on the wire, as far as anything of them is read."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Ident = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_]{1,255}\Z")]
Minor = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Seconds = Annotated[int, Meta(ge=0, le=253_402_300_799)]  # to the end of the year 9999


class Event(Struct):
    """The envelope of a webhook; what is in it is read only for types that are known here. A thin
    event has no data, and writes its time as a text."""

    id: Ident
    type: str
    created: object = None
    livemode: bool = False
    data: object = None
    account: str | None = None  # a connected account of a platform


class Data(Struct):
    object: object


class Balance(Struct):
    """What a movement did to the merchant's balance, in the currency of that balance."""

    id: Ident
    amount: int
    fee: int
    net: int
    currency: str
    type: str = ""
    created: Seconds = 0
    available_on: Seconds | None = None
    source: object = None


class Charge(Struct):
    id: Ident
    amount: Minor
    currency: str
    created: Seconds
    captured: bool
    amount_refunded: Minor
    amount_captured: Minor | None = None
    payment_intent: Ident | None = None
    balance_transaction: Ident | Balance | None = None
    metadata: object = None


class Intent(Struct):
    id: Ident
    amount: Minor
    currency: str
    created: Seconds
    status: Literal[
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "requires_capture",
        "canceled",
        "succeeded",
    ]
    amount_received: Minor | None = None
    capture_method: str | None = None
    latest_charge: Ident | Charge | None = None
    last_payment_error: object = None
    next_action: object = None
    cancellation_reason: str | None = None
    description: str | None = None
    metadata: object = None


class Told(Struct):
    """A session in an event, as far as its payment counts: its shape is of the version that the
    merchant's endpoint has. A session that saves a card or begins a subscription has no sum."""

    payment_status: Literal["paid", "unpaid", "no_payment_required"]
    mode: Literal["payment", "setup", "subscription"] = "payment"
    payment_intent: object = None
    amount_total: Minor | None = None
    currency: str | None = None
    metadata: object = None


class Session(Struct):
    id: Ident
    status: Literal["open", "complete", "expired"]
    payment_status: Literal["paid", "unpaid", "no_payment_required"]
    amount_total: Minor
    currency: str
    expires_at: Seconds | None = None  # an event may leave it out
    url: str | None = None
    payment_intent: Ident | Intent | None = None
    metadata: object = None


class Refund(Struct):
    id: Ident
    amount: Minor
    currency: str
    created: Seconds
    status: str | None = None
    payment_intent: Ident | None = None
    metadata: object = None


class Dispute(Struct):
    id: Ident
    amount: Minor
    currency: str
    status: str
    reason: str = ""
    payment_intent: Ident | None = None


class Page(Struct):
    """One page of a list."""

    data: list[object]
    has_more: bool = False


class Made(Struct):
    """A session or an intent."""

    object: Literal["checkout.session", "payment_intent"]
