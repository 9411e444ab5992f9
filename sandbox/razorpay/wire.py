"""How Razorpay writes its things: every key it documents, `[]` for empty notes."""

from typing import Any

from sandbox.razorpay.things import Dispute, Order, Payment, PaymentLink, QrCode, Refund
from sandbox.shelf import Thing

FEE_BP, TAX_BP, WHOLE_BP = 200, 1_800, 10_000
FAILURE = "Your payment has been declined by your bank."


def notes(thing: Thing) -> dict[str, str] | list[str]:
    """A filled object, or an empty list: the real API's habit."""
    return thing.notes or []


def qr_code(qr: QrCode, public_url: str) -> dict[str, Any]:
    return {
        "id": qr.id,
        "entity": "qr_code",
        "created_at": qr.created_at,
        "name": qr.name,
        "usage": qr.usage,
        "type": qr.type,
        "image_url": f"{public_url}/i/{qr.short}",
        "payment_amount": qr.payment_amount,
        "status": qr.status,
        "description": qr.description,
        "fixed_amount": qr.fixed_amount,
        "payments_amount_received": qr.payments_amount_received,
        "payments_count_received": qr.payments_count_received,
        "notes": notes(qr),
        "customer_id": qr.customer_id,
        "close_by": qr.close_by,
        "closed_at": qr.closed_at,
        "close_reason": qr.close_reason,
    }


def order(thing: Order) -> dict[str, Any]:
    return {
        "id": thing.id,
        "entity": "order",
        "amount": thing.amount,
        "amount_paid": thing.amount_paid,
        "amount_due": thing.amount - thing.amount_paid,
        "currency": thing.currency,
        "receipt": thing.receipt,
        "offer_id": None,
        "status": thing.status,
        "attempts": thing.attempts,
        "notes": notes(thing),
        "created_at": thing.created_at,
    }


def payment_link(thing: PaymentLink, public_url: str) -> dict[str, Any]:
    return {
        "accept_partial": False,
        "amount": thing.amount,
        "amount_paid": thing.amount_paid,
        "callback_method": "get" if thing.callback_url else "",
        "callback_url": thing.callback_url,
        "cancelled_at": thing.cancelled_at,
        "created_at": thing.created_at,
        "currency": thing.currency,
        "customer": {},
        "description": thing.description,
        "expire_by": thing.expire_by,
        "expired_at": thing.expired_at,
        "first_min_partial_amount": 0,
        "id": thing.id,
        "notes": thing.notes or None,  # a habit of links alone
        "notify": {"email": False, "sms": False, "whatsapp": False},
        **({"order_id": thing.order_id} if thing.order_id else {}),
        "reference_id": thing.reference_id,
        "reminder_enable": False,
        "reminders": [],
        "short_url": f"{public_url}/l/{thing.id}",
        "status": thing.status,
        "upi_link": False,
        "user_id": "",
    }


def payment(thing: Payment) -> dict[str, Any]:
    failed = thing.status == "failed"
    return {
        "id": thing.id,
        "entity": "payment",
        "amount": thing.amount,
        "currency": thing.currency,
        "status": thing.status,
        "order_id": thing.order_id,
        "invoice_id": None,
        "international": False,
        "method": thing.method,
        "amount_refunded": thing.amount_refunded,
        "refund_status": refund_status(thing),
        "captured": thing.captured,
        "description": thing.description,
        "card_id": None,
        "bank": None,
        "wallet": None,
        "vpa": thing.vpa,
        "email": None,
        "contact": "+919000090000",
        "notes": notes(thing),
        "fee": fee(thing.amount) if thing.captured else None,
        "tax": tax(thing.amount) if thing.captured else None,
        "error_code": "BAD_REQUEST_ERROR" if failed else None,
        "error_description": FAILURE if failed else None,
        "error_source": "customer" if failed else None,
        "error_step": "payment_authorization" if failed else None,
        "error_reason": thing.error_reason if failed else None,
        "acquirer_data": {"rrn": thing.rrn},
        "created_at": thing.created_at,
        "upi": {"payer_account_type": "bank_account", "vpa": thing.vpa},
    }


def tax(minor: int) -> int:
    """18 % GST on the gateway's own 2 %."""
    return _share(_share(minor, FEE_BP), TAX_BP)


def fee(minor: int) -> int:
    """What it keeps of a payment: its share, and the tax on it."""
    return _share(minor, FEE_BP) + tax(minor)


def _share(minor: int, basis_points: int) -> int:
    return (minor * basis_points + WHOLE_BP // 2) // WHOLE_BP


def refund_status(thing: Payment) -> str | None:
    if thing.amount_refunded == 0:
        return None
    return "full" if thing.amount_refunded == thing.amount else "partial"


def refund(thing: Refund) -> dict[str, Any]:
    return {
        "id": thing.id,
        "entity": "refund",
        "amount": thing.amount,
        "currency": thing.currency,
        "payment_id": thing.payment_id,
        "notes": notes(thing),
        "receipt": thing.receipt,
        "acquirer_data": {"arn": None},
        "created_at": thing.created_at,
        "batch_id": None,
        "status": thing.status,
        "speed_requested": thing.speed,
        "speed_processed": "normal",
    }


def dispute(thing: Dispute) -> dict[str, Any]:
    return {
        "id": thing.id,
        "entity": "dispute",
        "payment_id": thing.payment_id,
        "amount": thing.amount,
        "currency": thing.currency,
        "amount_deducted": thing.amount_deducted,
        "gateway_dispute_id": None,
        "reason_code": thing.reason_code,
        "respond_by": thing.created_at,
        "status": thing.status,
        "phase": "chargeback",
        "created_at": thing.created_at,
    }


def collection(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"entity": "collection", "count": len(items), "items": items}


def rupees(paise: int) -> str:
    """4000 as `40.00`, for people."""
    whole, rest = divmod(paise, 10**2)
    return f"{whole}.{rest:02d}"
