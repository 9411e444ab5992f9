"""What Razorpay keeps: QR codes, orders, payment links, payments, refunds."""

from typing import ClassVar

from sandbox.shelf import Thing


class QrCode(Thing):
    """A printed or shown UPI QR code. `short` is the tail of its picture's link."""

    kind: ClassVar[str] = "qr_code"
    short: str
    usage: str
    name: str | None = None
    type: str = "upi_qr"
    fixed_amount: bool = False
    payment_amount: int | None = None
    description: str | None = None
    customer_id: str | None = None
    close_by: int | None = None
    closed_at: int | None = None
    close_reason: str | None = None
    status: str = "active"
    payments_amount_received: int = 0
    payments_count_received: int = 0


class Order(Thing):
    """An order: created, attempted, paid; it stays paid after a refund."""

    kind: ClassVar[str] = "order"
    amount: int
    currency: str
    receipt: str | None = None
    amount_paid: int = 0
    attempts: int = 0
    status: str = "created"


class PaymentLink(Thing):
    """A page where somebody pays: created, paid, cancelled, expired."""

    kind: ClassVar[str] = "payment_link"
    amount: int
    currency: str
    reference_id: str
    description: str
    callback_url: str = ""
    expire_by: int = 0
    expired_at: int = 0
    cancelled_at: int = 0
    amount_paid: int = 0
    order_id: str | None = None
    status: str = "created"


class Payment(Thing):
    """A payment. `amount_refunded` counts pending refunds too: that money is spoken for."""

    kind: ClassVar[str] = "payment"
    amount: int
    currency: str
    status: str
    rrn: str
    qr_code_id: str | None = None
    order_id: str | None = None
    method: str = "upi"
    vpa: str = "customer@upi"
    description: str | None = None
    captured: bool = False
    amount_refunded: int = 0
    error_reason: str | None = None
    tells: list[str] | None = None  # the only events that are told about it; None: all

    @property
    def parent(self) -> str | None:
        return self.qr_code_id or self.order_id


class Dispute(Thing):
    """A claim of the payer's bank."""

    kind: ClassVar[str] = "dispute"
    payment_id: str
    amount: int
    currency: str
    status: str
    reason_code: str
    amount_deducted: int = 0

    @property
    def parent(self) -> str | None:
        return self.payment_id


class Settlement(Thing):
    """What was paid out to the merchant's bank: payments with their fees, less refunds."""

    kind: ClassVar[str] = "settlement"
    lines: list[dict[str, object]]


class Refund(Thing):
    """A refund, in full or in part."""

    kind: ClassVar[str] = "refund"
    payment_id: str
    amount: int
    currency: str
    status: str
    receipt: str | None = None
    speed: str = "normal"

    @property
    def parent(self) -> str | None:
        return self.payment_id
