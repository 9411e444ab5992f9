"""What every gateway driver states and is asked: references, facts, answers and the driver itself.

A driver retries nothing, logs nothing, stores nothing, and never answers with a bool or None: what
it does not know is `Unclear`, and the core finds out."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from msgspec import Struct

from coinslot.gateways.receipts import Receipt
from coinslot.gateways.wire import Address, Wire
from coinslot.kit.money import Money

# A header of our own: the address that a webhook came from. One that was sent is overwritten.
PEER = "coinslot-peer"


class Taken(StrEnum):
    """How far the money of one gateway payment has come."""

    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    FAILED = "failed"  # not final: a later capture of the same payment wins


class RefundStage(StrEnum):
    """How far one refund has come, in the gateway's words made one."""

    PENDING = "pending"
    PROCESSED = "processed"
    FAILED = "failed"


class DisputeStage(StrEnum):
    """How far a dispute has come: `won` is every end that left the money with the merchant."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class Mark(Struct, frozen=True, kw_only=True):
    """Our mark on what we made at a gateway; the gateway copies it onto the payments. A gateway
    with little room returns a short form of the installation: `marks.is_ours` compares it."""

    installation: str
    qr: str | None = None  # qr_codes.id
    refund: str | None = None  # refunds.id
    payment: str | None = None  # payments.id
    charge: str | None = None  # the key of an attempt at it, as `marks.key_sign` has it; if known


class PaymentFact(Struct, frozen=True, kw_only=True, tag="payment"):
    """One payment as the gateway states it. `at` is the capture time or the nearest it gives."""

    gateway_payment_id: str
    taken: Taken
    money: Money
    at: datetime
    qr_code_id: str | None = None
    gateway_order_id: str | None = None
    mark: Mark | None = None
    refunded: Money | None = None
    fee: Money | None = None  # what the gateway keeps of it, tax included; None: not reported yet
    description: str = ""
    payer_reference: str | None = None  # what the payer's bank calls it: for UPI the RRN
    receipt_url: str | None = None  # of the gateway's own receipt, for the payer


class RefundFact(Struct, frozen=True, kw_only=True, tag="refund"):
    """One refund as the gateway states it, ours (with a mark) or made in its dashboard."""

    gateway_refund_id: str
    gateway_payment_id: str
    stage: RefundStage
    money: Money
    at: datetime
    mark: Mark | None = None


class DisputeFact(Struct, frozen=True, kw_only=True, tag="dispute"):
    """The payer's bank claims money back. `at` is the time of this report."""

    gateway_dispute_id: str
    gateway_payment_id: str
    stage: DisputeStage
    money: Money
    reason: str
    at: datetime
    mark: Mark | None = None


class QrFact(Struct, frozen=True, kw_only=True, tag="qr"):
    """One QR code as the gateway states it."""

    qr_code_id: str
    image_url: str
    open: bool
    reusable: bool
    money: Money | None
    expires_at: datetime | None = None
    mark: Mark | None = None
    closed_at: datetime | None = None


class ReceiptFact(Struct, frozen=True, kw_only=True, tag="receipt"):
    """What a gateway reports of a receipt by itself. `money` tells refunds of one payment apart
    where they have no id of their own."""

    gateway_payment_id: str
    refund: bool
    money: Money | None
    registered: bool
    at: datetime
    numbers: Mapping[str, str] = {}
    reason: str = ""
    mode: str = ""  # of its lines, as `ReceiptLine` has it; tells the two of a prepayment apart
    mark: Mark | None = None


Fact = PaymentFact | RefundFact | DisputeFact | QrFact | ReceiptFact


class Genuine(Struct, frozen=True, kw_only=True):
    """A webhook whose signature proves its content.

    `delivery_id` is made of what the signature covers, and of nothing else: the same event sent
    again has the same id, and another event has another. `kept`: what is stored of its body, where
    that names a customer and the signature does not cover it."""

    delivery_id: str
    event: str
    facts: tuple[Fact, ...]
    kept: bytes | None = None


class Forged(Struct, frozen=True):
    """A webhook without a signature of this account."""

    reason: str


class Unreadable(Struct, frozen=True, kw_only=True):
    """A webhook that is signed, but cannot be worked: its form is not known, or it is about another
    account. Most come from other uses of the same account. It is stored like any other; where it
    names something of ours, a person is called, and that is asked about."""

    delivery_id: str
    event: str
    reason: str
    names: tuple[str, ...] = ()  # whatever in it may be a reference that we know
    mark: Mark | None = None  # our mark, when it has one


class Hint(Struct, frozen=True, kw_only=True):
    """A webhook whose content is not proved: it says what to ask about, and the answer counts.

    `reference` is what `look` and `refunds` understand. The same hint may be sent again, and is
    asked about again."""

    event: str
    reference: str
    delivery_id: str | None = None  # the same for a repetition


Verdict = Genuine | Hint | Forged | Unreadable


class Unclear(Struct, frozen=True):
    """Time-out, 5xx, closed connection, or an answer that cannot be read: the effect may have
    happened."""

    reason: str


class Declined(Struct, frozen=True):
    """The gateway refused, and nothing happened. `permanent`: the same call will never succeed."""

    reason: str
    code: str = ""
    permanent: bool = True


class Accepted(Struct, frozen=True):
    """The gateway knows these credentials, and lets them read."""


class Absent(Struct, frozen=True):
    """The gateway answered that there is no such thing."""


class Unread(Struct, frozen=True, kw_only=True):
    """One item of a list that cannot be read. Other people's items do not matter; the mark, or an
    id that we know, shows whether it is ours."""

    name: str  # what the gateway calls it, when that can be read
    reason: str
    names: tuple[str, ...] = ()
    mark: Mark | None = None


class Payments(Struct, frozen=True):
    """Payments found; `complete` says that nothing was cut off by a limit."""

    facts: tuple[PaymentFact, ...]
    complete: bool = True
    unread: tuple[Unread, ...] = ()


class Refunds(Struct, frozen=True):
    """Every refund of one payment, in the gateway's own list.

    Not `complete`: the gateway keeps no list, and a query returns only how much went back in
    all."""

    facts: tuple[RefundFact, ...]
    complete: bool = True
    unread: tuple[Unread, ...] = ()


class RefundOrder(Struct, frozen=True, kw_only=True):
    """One refund to make. The same key is sent again on every retry of it."""

    gateway_payment_id: str
    money: Money
    key: str
    mark: Mark
    reason: str = ""
    others: Money | None = None  # what other refunds of this payment gave back; None: not known
    taken_up: bool = False  # the gateway has confirmed before, under this key, that it works on it
    receipt: Receipt | None = None  # None: a driver that makes receipts writes one line by itself
    without_receipt: bool = False  # money does not wait for a receipt that was refused


class QrOrder(Struct, frozen=True, kw_only=True):
    """One QR code to make: fixed amount; a single-use one has a time at which it closes."""

    money: Money
    reusable: bool
    name: str
    description: str
    mark: Mark
    outlet: str
    slot: str
    close_by: datetime | None = None


class Gateway(Protocol):
    """One gateway account, ready to be asked. Made by the driver's `open(settings, wire)`."""

    name: ClassVar[str]
    title: ClassVar[str]  # as customers know it
    currencies: ClassVar[frozenset[str]]
    minimum_minor: ClassVar[Mapping[str, int]]
    kept_headers: ClassVar[tuple[str, ...]]  # of a webhook, lower case: what a replay needs
    webhook_reply: ClassVar[str | None]  # text of a 200 that it insists on; None: it reads none
    refund_key_life_s: ClassVar[int]  # a refund's key is safe to send again within this time

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Verdict:
        """Check a webhook without I/O. Header names are lower case; PEER is among them."""
        ...

    async def check(self) -> Accepted | Declined | Unclear:
        """Whether the gateway takes these credentials: one cheap call that changes nothing."""
        ...

    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        """State of one payment."""
        ...

    async def give_back(self, order: RefundOrder) -> RefundFact | Declined | Unclear:
        """Send one refund."""
        ...

    async def refunds(self, gateway_payment_id: str) -> Refunds | Absent | Unclear:
        """Every refund of a payment, ours or not."""
        ...


@runtime_checkable
class KeepsNoList(Protocol):
    """A gateway that keeps no list of refunds, and says only how much of a payment went back in
    all. Two refunds of one payment that are under way at one time could not be told apart: they
    are made one after the other."""

    keeps_no_list: ClassVar[bool]


@runtime_checkable
class PrintsQr(Protocol):
    """A gateway that issues QR codes of its own."""

    async def print_qr(self, order: QrOrder) -> QrFact | Declined | Unclear: ...

    async def find_qr(self, mark: Mark) -> QrFact | Absent | Unclear:
        """The QR code with our mark: after a crash between create and store, no second one is
        made."""
        ...

    async def close_qr(self, qr_code_id: str) -> QrFact | Declined | Unclear: ...

    async def qr_payments(
        self, qr_code_id: str, since: datetime
    ) -> Payments | Absent | Unclear: ...

    async def qr_of_payment(self, gateway_payment_id: str) -> QrFact | Absent | Unclear:
        """Which QR a payment came through; Absent when it came through none."""
        ...


class Practise(Struct, frozen=True, kw_only=True):
    """Where practice happens: the address of emulated gateways, if any, and a folder for what a
    gateway without a network remembers."""

    sandbox_url: str = ""
    folder: str = ""


class Driver(Protocol):
    """A folder or file of this package is a driver when it has these: it is found by being here."""

    name: str
    Settings: type[Struct]  # the merchant's form; its secrets are `kit.secrets.Secret`
    Opened: type[Gateway]  # the class of what `open` gives: its facts

    def address(self, settings: Struct) -> Address:
        """Where the wire given to `open` connects to."""
        ...

    def practising(self, settings: Struct, where: Practise) -> Struct:
        """The same account where no real money is: at the emulated gateway."""
        ...

    def open(self, settings: Struct, wire: Wire) -> Gateway: ...
