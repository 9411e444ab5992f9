"""The requests to T-Bank: their bodies, and the token that signs them."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from coinslot.gateways import marks
from coinslot.gateways.base import Declined, RefundOrder
from coinslot.gateways.collecting import Charge, Limits
from coinslot.gateways.receipts import (
    Receipt,
    ReceiptLimits,
    ReceiptLine,
    ReceiptOrder,
    one_line,
)
from coinslot.gateways.tbank.fiscal import AGENTS, TAXES, Receipts
from coinslot.gateways.tbank.order_ids import CURRENCY, LARGEST_MINOR, order_id
from coinslot.kit.money import Money

DESCRIPTION_CHARS, ITEM_CHARS, KEY_CHARS = 140, 128, 100
# 20 pairs of DATA, three of them kept for ours.
LIMITS = Limits(pairs=17, name_chars=20, value_chars=100, description_chars=DESCRIPTION_CHARS)
RECEIPT_LIMITS = ReceiptLimits(lines=100, name_chars=ITEM_CHARS)
MOSCOW = timezone(timedelta(hours=3))

Body = dict[str, object]


def token(said: Mapping[str, object], password: str) -> str:
    """SHA-256 over the values of all scalars of the root, in the order of their names."""
    signed = {
        name: value
        for name, value in said.items()
        if name != "Token" and value is not None and not isinstance(value, dict | list)
    } | {"Password": password}
    joined = "".join(_written(signed[name]) for name in sorted(signed))
    return hashlib.sha256(joined.encode(errors="surrogatepass")).hexdigest()


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def init(charge: Charge, receipts: Receipts | None, notification_url: str | None) -> Body:
    """A session in which the payer pays: one stage, or two where the money is only held."""
    body: Body = {
        "Amount": charge.money.minor,
        "OrderId": order_id(charge),
        "PayType": "O" if charge.capture else "T",
        "SuccessURL": charge.return_url,
        "FailURL": charge.return_url,
        "DATA": _pairs(charge),
    }
    if charge.description:
        body["Description"] = charge.description[:DESCRIPTION_CHARS]
    if notification_url is not None:
        body["NotificationURL"] = notification_url
    if charge.expires_at is not None:
        body["RedirectDueDate"] = _due(charge.expires_at)
    return body | _receipt(charge.receipt, receipts, charge.description, charge.money)


def confirm(
    payment_id: str, money: Money, receipt: Receipt | None, wanted: Receipts | None
) -> Body:
    """A terminal with a till wants the receipt here, too."""
    body: Body = {"PaymentId": payment_id, "Amount": money.minor}
    return body | _receipt(receipt, wanted, "", money)


def closing(order: ReceiptOrder) -> Body:
    """The full payment of what was paid in advance."""
    return {
        "PaymentId": order.about.gateway_payment_id, "Receipt": receipt_of(order.receipt),
    }  # fmt: skip


def cancel(order: RefundOrder, whole: bool, receipts: Receipts | None) -> Body:
    """The key makes it safe to send again, but not for SBP. Of a part the receipt is told too."""
    body: Body = {
        "PaymentId": order.gateway_payment_id,
        "Amount": order.money.minor,
        "ExternalRequestId": request_id(order.key),
    }
    if whole or order.without_receipt:
        return body
    return body | _receipt(order.receipt, receipts, order.reason, order.money)


def request_id(key: str) -> str:
    if 0 < len(key) <= KEY_CHARS and key.isascii():
        return key
    return hashlib.sha256(key.encode()).hexdigest()


def _receipt(receipt: Receipt | None, wanted: Receipts | None, name: str, money: Money) -> Body:
    """One line, where nobody said more. Nothing for a shop whose receipts are made elsewhere."""
    if receipt is None and wanted is not None:
        receipt = one_line(wanted.terms(), name, money, ITEM_CHARS)
    return {} if receipt is None else {"Receipt": receipt_of(receipt)}


def receipt_of(receipt: Receipt) -> Body:
    contact = {"Email": receipt.email} if receipt.email else {"Phone": receipt.phone}
    items = [_line(one) for one in receipt.lines]
    return {**contact, "Taxation": receipt.tax_system, "Items": items}


def _line(line: ReceiptLine) -> Body:
    made: Body = {
        "Name": line.name,
        "Price": line.price,
        "Quantity": line.quantity,
        "Amount": line.total,
        "Tax": TAXES.get(line.vat, line.vat),
        "PaymentMethod": line.mode,
        "PaymentObject": line.subject,
    }
    if line.agent is not None:
        made["AgentData"] = {"AgentSign": AGENTS.get(line.agent.kind, line.agent.kind)}
        phones = [line.agent.phone] if line.agent.phone else []
        supplier = {"Name": line.agent.supplier, "Inn": line.agent.inn, "Phones": phones}
        made["SupplierInfo"] = {name: said for name, said in supplier.items() if said}
    return made


def impossible(money: Money) -> Declined | None:
    """What need not be sent."""
    if money.currency != CURRENCY:
        return Declined("T-Bank knows roubles alone", "currency")
    if money.minor > LARGEST_MINOR:
        return Declined("our order ids have no room for this amount", "amount_out_of_range")
    return None


def _due(at: datetime) -> str:
    return at.astimezone(MOSCOW).isoformat(timespec="seconds")


def _pairs(charge: Charge) -> dict[str, str]:
    """For people who look at the payment: our mark, and of the merchant's pairs what fits."""
    return marks.written(charge.mark) | LIMITS.fitting(charge.metadata)
