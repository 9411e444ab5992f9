"""What T-Bank keeps: payments with their sessions, and the refunds of them."""

from typing import Any, ClassVar

from sandbox.shelf import Thing

OPEN = ("NEW", "FORM_SHOWED", "REJECTED")  # a payer can pay; after a refusal once more
REFUNDABLE = ("CONFIRMED", "PARTIAL_REFUNDED")


class Payment(Thing):
    """A payment and the session in which it is made. Its parent is the merchant's order id.

    `amount` is what Init asked for, `left` what T-Bank calls the current amount."""

    kind: ClassVar[str] = "tbank.payment"
    order_id: str
    amount: int
    left: int
    status: str
    short: str  # the tail of its page's address
    two_stage: bool
    due_ms: int
    source: str | None = None  # cards or qrsbp, once it is paid
    captured: int = 0
    refunded: int = 0
    description: str = ""
    error: int = 0  # why the last attempt was refused
    notification_url: str | None = None
    success_url: str | None = None
    fail_url: str | None = None
    receipt: dict[str, Any] | None = None

    @property
    def parent(self) -> str:
        return f"{self.account_id}/{self.order_id}"


class Refund(Thing):
    """A refund, which only SBP and bad weather make wait. It is never on the wire by itself."""

    kind: ClassVar[str] = "tbank.refund"
    payment_id: str
    amount: int
    status: str  # pending, done or failed
    was: str  # the payment's status before
    receipt: dict[str, Any] | None = None

    @property
    def parent(self) -> str:
        return self.payment_id


class FiscalReceipt(Thing):
    """A receipt at the till. It is never on the wire by itself, only told."""

    kind: ClassVar[str] = "tbank.receipt"
    payment_id: str
    type: str  # Income or IncomeReturn
    amount: int
    receipt: dict[str, Any]
    status: str = "pending"
    closes: bool = False  # it settles what was paid in advance
