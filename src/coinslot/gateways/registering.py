"""Drivers whose gateway has receipts registered (54-FZ).

Optional protocols beside `base.Gateway`, like `PrintsQr`: a driver has those its gateway offers."""

from typing import ClassVar, Protocol, runtime_checkable

from coinslot.gateways.base import Absent, Declined, Unclear
from coinslot.gateways.receipts import (
    ReceiptLimits,
    ReceiptOrder,
    ReceiptQuestion,
    ReceiptStatus,
    ReceiptTerms,
)


@runtime_checkable
class MakesReceipts(Protocol):
    """A gateway that registers a receipt with each payment and each refund."""

    receipt_limits: ClassVar[ReceiptLimits]

    @property
    def receipt_terms(self) -> ReceiptTerms | None:
        """None: this account's receipts are made elsewhere."""
        ...


@runtime_checkable
class ClosesReceipts(Protocol):
    """A gateway that takes the second receipt of what was paid in advance: full payment, against
    the prepayment. The same key is sent on every retry; where the gateway knows no keys and cannot
    be asked, it is sent once."""

    async def close_receipt(self, order: ReceiptOrder) -> ReceiptStatus | Declined | Unclear: ...


@runtime_checkable
class TakesReceipts(Protocol):
    """A gateway that can be asked what became of a receipt, and takes one by itself."""

    async def receipt_of(self, about: ReceiptQuestion) -> ReceiptStatus | Absent | Unclear: ...

    async def send_receipt(self, order: ReceiptOrder) -> ReceiptStatus | Declined | Unclear: ...
