"""QR codes: made, closed, expired without a word, credited."""

import msgspec

from sandbox.clock import now_s
from sandbox.razorpay.desk import Desk, tell
from sandbox.razorpay.fields import Fields
from sandbox.razorpay.refusals import ApiError
from sandbox.razorpay.things import QrCode
from sandbox.shelf import find, new_id, put

FIELDS = frozenset(
    {"type", "usage", "name", "fixed_amount", "payment_amount", "description"}
    | {"customer_id", "close_by", "notes", "tax_invoice"}
)
FURTHEST_S = 2_147_483_647


def create(desk: Desk, account_id: str, fields: Fields) -> QrCode:
    """A new code, with `close_by` as the gateway wants it, not as it was asked."""
    kind = fields.choice("type", ("upi_qr", "bharat_qr"))
    usage = fields.choice("usage", ("single_use", "multiple_use"), default="multiple_use")
    fixed = fields.flag("fixed_amount")
    amount = fields.whole("payment_amount")
    if fixed and amount is None:
        raise ApiError(
            "The payment amount field is required when fixed amount is true.",
            field="payment_amount",
        )
    if not fixed and amount is not None:
        raise ApiError(
            "payment_amount should not be sent when fixed_amount is false", field="payment_amount"
        )
    if usage == "single_use" and not fixed:
        raise ApiError("fixed_amount should be true for single_use", field="fixed_amount")
    qr = QrCode(
        id=new_id("qr_"),
        account_id=account_id,
        created_at=now_s(),
        notes=fields.notes(),
        short=new_id("", 8),
        usage=usage,
        name=fields.text("name"),
        type=kind,
        fixed_amount=fixed,
        payment_amount=amount,
        description=fields.text("description"),
        customer_id=fields.text("customer_id"),
        close_by=_close_by(desk, usage, fields.whole("close_by")),
    )
    put(desk.change, qr)
    tell(desk, "qr_code.created", qr.id, qr)
    desk.change.tell(f"QR code {qr.id} made")
    return qr


def _close_by(desk: Desk, usage: str, asked: int | None) -> int | None:
    """Single use lives 2 minutes to 2 hours; a longer wish is shortened, not refused."""
    if usage == "multiple_use":
        if asked is not None:
            raise ApiError("close_by is not required and should not be sent", field="close_by")
        return None
    now, tempo = now_s(), desk.tempo
    if asked is not None and asked > FURTHEST_S:
        raise ApiError("The close by must be a valid timestamp.", field="close_by")
    if asked is not None and asked < now + tempo.qr_shortest_s:
        raise ApiError(
            f"close_by should be at least {tempo.qr_shortest_s} seconds after current time",
            field="close_by",
        )
    return min(asked or FURTHEST_S, now + tempo.qr_longest_s)


def look(desk: Desk, qr_id: str, account_id: str | None = None) -> QrCode | None:
    """The code as it is now. Its expiry shows itself by being looked at; no event tells of it."""
    qr = find(desk.change, QrCode, qr_id, account_id)
    return qr and as_of_now(qr)


def as_of_now(qr: QrCode) -> QrCode:
    if qr.status == "active" and qr.close_by is not None and qr.close_by <= now_s():
        return msgspec.structs.replace(qr, status="closed", closed_at=qr.close_by)
    return qr


def close(desk: Desk, qr: QrCode) -> QrCode:
    """Close on demand; only this closing is told by an event."""
    if qr.status == "closed":
        raise ApiError("QR Code is already closed.")
    qr.status, qr.close_reason, qr.closed_at = "closed", "on_demand", now_s()
    put(desk.change, qr)
    tell(desk, "qr_code.closed", qr.id, qr)
    desk.change.tell(f"QR code {qr.id} closed")
    return qr


def credit(desk: Desk, qr: QrCode, amount: int) -> None:
    """Count a payment in; a code for single use is closed by it."""
    qr.payments_amount_received += amount
    qr.payments_count_received += 1
    if qr.usage == "single_use" and qr.status == "active":
        qr.status, qr.close_reason, qr.closed_at = "closed", "paid", now_s()
    put(desk.change, qr)
