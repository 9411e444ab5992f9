"""Fiscal receipts (54-FZ): what stands in one, in words that every gateway's can be made of, and
what a gateway says of one. A receipt goes with the payment and with the refund. Whether it was
registered is asked later, or told; some gateways also take one by itself (`registering.py`)."""

from collections.abc import Mapping

from msgspec import Struct

from coinslot.kit.money import Money

# The rates of the law; a fraction is the rate within a sum that was paid in advance.
VATS = (
    "none", "0", "5", "7", "10", "20", "22", "5/105", "7/107", "10/110", "20/120", "22/122",
)  # fmt: skip
MODES = ("full_payment", "full_prepayment")
# What is paid in advance has the rate within the sum; what is handed over has the rate itself.
VAT_IN_THE_END = {vat: vat.partition("/")[0] for vat in VATS}
NAMELESS = "Товар"


class Agent(Struct, frozen=True, kw_only=True):
    """The goods are somebody else's: in which role they are sold, and whose they are."""

    kind: str
    supplier: str = ""
    inn: str = ""
    phone: str = ""


class ReceiptTerms(Struct, frozen=True, kw_only=True):
    """What an account says of its receipts. `contact` is where they go when the customer named no
    address: a machine does not know who stands before it."""

    contact: str
    tax_system: str | None = None
    vat: str = "none"  # of what says nothing else
    subject: str = "commodity"
    mode: str = "full_payment"
    agent: Agent | None = None


class ReceiptLine(Struct, frozen=True, kw_only=True):
    """So many pieces of one price."""

    name: str
    quantity: int
    price: int  # of one piece, in minor units
    vat: str
    subject: str
    mode: str
    agent: Agent | None = None

    @property
    def total(self) -> int:
        """In minor units."""
        return self.quantity * self.price


class Receipt(Struct, frozen=True, kw_only=True):
    """A receipt to be registered. `contact`: user@host, or a number as +79161234567."""

    contact: str
    lines: tuple[ReceiptLine, ...]
    tax_system: str | None = None

    @property
    def email(self) -> str | None:
        return self.contact if "@" in self.contact else None

    @property
    def phone(self) -> str | None:
        return None if "@" in self.contact else self.contact


class ReceiptLimits(Struct, frozen=True, kw_only=True):
    """How much the gateway takes."""

    lines: int
    name_chars: int


class Registered(Struct, frozen=True, kw_only=True):
    """It is registered. `numbers` are those by which anybody can look it up at the tax service."""

    receipt_id: str | None = None
    numbers: Mapping[str, str] = {}


class BeingRegistered(Struct, frozen=True, kw_only=True):
    """The gateway has it, and the till has not answered yet."""

    receipt_id: str | None = None


class NotRegistered(Struct, frozen=True, kw_only=True):
    """The gateway has given it up, and money that was paid stays paid."""

    reason: str
    receipt_id: str | None = None


ReceiptStatus = Registered | BeingRegistered | NotRegistered


class ReceiptQuestion(Struct, frozen=True, kw_only=True):
    """Which receipt is asked about: of a payment, of its hand-over or of one refund of it, or the
    one with this id."""

    gateway_payment_id: str
    gateway_refund_id: str | None = None
    receipt_id: str | None = None
    closing: bool = False  # the second one, of what was paid in advance and handed over


class ReceiptOrder(Struct, frozen=True, kw_only=True):
    """A receipt that is sent by itself, for money that was paid or went back before. The same key
    is sent again on every retry of it."""

    about: ReceiptQuestion
    receipt: Receipt
    key: str
    currency: str


def one_line(terms: ReceiptTerms, name: str, money: Money, name_chars: int = 128) -> Receipt:
    """Where nobody says more than what was paid, and what it is called."""
    line = ReceiptLine(
        name=name[:name_chars] or NAMELESS, quantity=1, price=money.minor, vat=terms.vat,
        subject=terms.subject, mode=terms.mode, agent=terms.agent,
    )  # fmt: skip
    return Receipt(contact=terms.contact, lines=(line,), tax_system=terms.tax_system)
