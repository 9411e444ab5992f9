"""The requests to YooKassa: their bodies and keys."""

import hashlib
from datetime import UTC, datetime, timedelta

from coinslot.gateways import marks
from coinslot.gateways.base import RefundOrder
from coinslot.gateways.collecting import Charge, Limits
from coinslot.gateways.receipts import (
    Receipt,
    ReceiptLimits,
    ReceiptLine,
    ReceiptOrder,
    ReceiptQuestion,
    one_line,
)
from coinslot.gateways.wire import Call
from coinslot.gateways.yookassa.fiscal import TAX_SYSTEMS, VAT_CODES, Receipts
from coinslot.kit.money import Money

KEY_CHARS, DESCRIPTION_CHARS = 64, 128
# 16 pairs of metadata, three of them ours.
LIMITS = Limits(pairs=13, name_chars=32, value_chars=512, description_chars=DESCRIPTION_CHARS)
# Keys live 24 hours; what is still on its way in the last one would come too late.
KEY_LIFE = timedelta(hours=23)
BEGINNING = datetime(2013, 1, 1, tzinfo=UTC)  # of YooKassa
CLOCKS_APART = timedelta(hours=1)  # theirs and ours, at the very worst

Body = dict[str, object]


RECEIPT_LIMITS = ReceiptLimits(lines=80, name_chars=DESCRIPTION_CHARS)


def payment(charge: Charge, method: str | None) -> Body:
    """Without a method the payer chooses one on YooKassa's page."""
    confirmation = "qr" if method == "sbp_qr" else "redirect"
    body: Body = {
        "amount": amount(charge.money),
        "capture": charge.capture,
        "confirmation": {"type": confirmation, "return_url": charge.return_url},
        "metadata": _metadata(charge),
    }
    if charge.description:
        body["description"] = charge.description[:DESCRIPTION_CHARS]
    if method is not None:
        body["payment_method_data"] = {"type": "sbp" if method == "sbp_qr" else method}
    return body


def refund(order: RefundOrder) -> Body:
    body: Body = {
        "payment_id": order.gateway_payment_id,
        "amount": amount(order.money),
        "metadata": marks.written(order.mark),
    }
    if order.reason:
        body["description"] = order.reason[:DESCRIPTION_CHARS]
    return body


def amount(money: Money) -> Body:
    return {"value": money.decimal(), "currency": money.currency}


def receipt(wanted: Receipts | None, description: str, money: Money) -> Body:
    """One line named by the charge, where nobody said more. Nothing for a shop whose receipts are
    made elsewhere."""
    if wanted is None:
        return {}
    line = one_line(wanted.terms(), description, money, DESCRIPTION_CHARS)
    return {"receipt": receipt_of(line, money.currency)}


def receipt_of(receipt: Receipt, currency: str) -> Body:
    customer = {"email": receipt.email} if receipt.email else {"phone": _digits(receipt.phone)}
    made: Body = {"customer": customer, "items": [_line(one, currency) for one in receipt.lines]}
    if receipt.tax_system is not None:
        made["tax_system_code"] = TAX_SYSTEMS[receipt.tax_system]
    return made


def receipt_alone(order: ReceiptOrder) -> Body:
    """For money that was paid or went back before. The same sum was settled without cash, or, of
    what is handed over now, against the prepayment."""
    about, receipt = order.about, order.receipt
    total = Money(sum(line.total for line in receipt.lines), order.currency)
    return {
        "type": "payment" if about.gateway_refund_id is None else "refund",
        **({"payment_id": about.gateway_payment_id} if about.gateway_refund_id is None
           else {"refund_id": about.gateway_refund_id}),
        "send": True,
        "settlements": [{"type": "prepayment" if about.closing else "cashless",
                         "amount": amount(total)}],
        **receipt_of(receipt, order.currency),
    }  # fmt: skip


def receipts_about(about: ReceiptQuestion) -> dict[str, str]:
    if about.gateway_refund_id is not None:
        return {"refund_id": about.gateway_refund_id}
    return {"payment_id": about.gateway_payment_id}


def _line(line: ReceiptLine, currency: str) -> Body:
    made: Body = {
        "description": line.name,
        "quantity": line.quantity,
        "amount": amount(Money(line.price, currency)),  # of one unit
        "vat_code": VAT_CODES[line.vat],
        "payment_subject": line.subject,
        "payment_mode": line.mode,
    }
    if line.agent is not None:
        made["agent_type"] = line.agent.kind
        supplier = {"name": line.agent.supplier, "inn": line.agent.inn,
                    "phone": _digits(line.agent.phone)}  # fmt: skip
        made["supplier"] = {name: said for name, said in supplier.items() if said}
    return made


def _digits(phone: str | None) -> str:
    """Without the plus: it is refused there."""
    return (phone or "").lstrip("+")


def post(path: str, key: str, body: Body) -> Call:
    """The same key and body again is answered with the first result, for 24 hours."""
    if not 0 < len(key) <= KEY_CHARS or not key.isascii():
        key = hashlib.sha256(key.encode()).hexdigest()
    return Call(method="POST", path=path, body=body, headers={"Idempotence-Key": key})


def span_of(charge: Charge, now: datetime) -> tuple[datetime, datetime]:
    """Only when this charge can have been made: after its key, or its payment, was (our ids tell),
    and before the key's life was over."""
    made = charge.sent_at or marks.made_at(charge.mark.payment) or BEGINNING
    ends = now if charge.sent_at is None else min(now, charge.sent_at + KEY_LIFE)
    return made - CLOCKS_APART, ends + CLOCKS_APART


def created(since: datetime, until: datetime) -> dict[str, str]:
    return {"created_at.gte": _time(since), "created_at.lt": _time(until)}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _metadata(charge: Charge) -> dict[str, str]:
    """Our mark, and of the merchant's own pairs what YooKassa has room for."""
    ours = marks.written(charge.mark) | {marks.CHARGE: marks.key_sign(charge.key)}
    return ours | LIMITS.fitting(charge.metadata)
