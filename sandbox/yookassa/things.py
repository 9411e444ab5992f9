"""What YooKassa keeps: payments, refunds, and the first answer under each idempotence key."""

from typing import Any, ClassVar

from sandbox.shelf import Thing

# Of all of them `created_at` counts milliseconds, as YooKassa writes its times.


class Payment(Thing):
    """A payment. `reserved` counts pending refunds too: that money is spoken for."""

    kind: ClassVar[str] = "yookassa_payment"
    amount: int
    currency: str
    capture: bool
    status: str = "pending"
    method: str | None = None  # until it is paid: None leaves the choice to the payer
    confirmation: str = "redirect"
    return_url: str | None = None
    description: str | None = None
    captured_at: int | None = None
    expires_at: int | None = None  # of a hold
    refunded: int = 0
    reserved: int = 0
    party: str | None = None  # who canceled it
    reason: str | None = None
    receipt: dict[str, Any] | None = None
    registration: str = "pending"  # of the receipt


class Refund(Thing):
    """A refund, in full or in part."""

    kind: ClassVar[str] = "yookassa_refund"
    payment_id: str
    amount: int
    currency: str
    status: str = "pending"
    description: str | None = None
    reason: str | None = None
    receipt: dict[str, Any] | None = None
    registration: str = "pending"  # of the receipt

    @property
    def parent(self) -> str | None:
        return self.payment_id


class FiscalReceipt(Thing):
    """A receipt at the till."""

    kind: ClassVar[str] = "yookassa_receipt"
    type: str
    payment_id: str | None
    refund_id: str | None
    items: list[dict[str, Any]]
    customer: dict[str, Any]
    status: str = "pending"
    tax_system_code: int | None = None
    settlements: tuple[dict[str, Any], ...] = ()
    document: int | None = None
    registered_at: int | None = None

    @property
    def closes(self) -> bool:
        """It settles what was paid in advance."""
        return any(one["type"] == "prepayment" for one in self.settlements)

    @property
    def amount(self) -> int:
        return sum(int(one["amount"]["value"].replace(".", "")) for one in self.settlements)


class FirstAnswer(Thing):
    """What was answered under a key, to be answered again."""

    kind: ClassVar[str] = "yookassa_key"
    request: str
    answer: dict[str, Any]
