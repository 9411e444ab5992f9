"""Signed webhooks as Razorpay sends them: `qr_code.credited`, 1.5 KB, ready for the socket."""

import hashlib
import hmac
import itertools
import secrets
from collections.abc import Iterator

import msgspec

from bench.goods import ACCOUNT, MINOR, SLUG, WEBHOOK_SECRET, qr_code_id, qr_row

PATH = f"/webhooks/razorpay/{SLUG}"
# Far beyond any count in one run, so that ids stay of one length.
_NUMBERS = itertools.count(10**9)
_RUN = secrets.token_hex(3)


def fresh_payment() -> str:
    """An id that no payment has had before, of the gateway's length."""
    return f"pay_{_RUN}{next(_NUMBERS)}"[:32]


def body(outlet: str, payment: str, installation: str, at_s: int) -> bytes:
    """One payment of an outlet's printed code, as the gateway tells it."""
    notes = {"coinslot": installation, "qr": str(qr_row(outlet)), "outlet": outlet, "slot": "A1"}
    paid = {
        "id": payment, "entity": "payment", "amount": MINOR, "currency": "INR",
        "status": "captured", "order_id": None, "invoice_id": None, "international": False,
        "method": "upi", "amount_refunded": 0, "refund_status": None, "captured": True,
        "description": "QRv2 Payment", "card_id": None, "bank": None, "wallet": None,
        "vpa": "gaurav.kumar@exampleupi", "email": "gaurav.kumar@example.com",
        "contact": "+919000090000", "customer_id": None, "notes": notes, "fee": 2, "tax": 0,
        "error_code": None, "error_description": None, "error_source": None,
        "error_step": None, "error_reason": None,
        "acquirer_data": {"rrn": "122222222222"}, "created_at": at_s,
    }  # fmt: skip
    code = {
        "id": qr_code_id(outlet), "entity": "qr_code", "created_at": at_s - 86_400,
        "name": outlet, "usage": "multiple_use", "type": "upi_qr",
        "image_url": "https://rzp.io/i/BWcUVrLp", "payment_amount": MINOR, "status": "active",
        "description": "A can", "fixed_amount": True, "payments_amount_received": 0,
        "payments_count_received": 0, "notes": notes, "customer_id": None, "close_by": None,
    }  # fmt: skip
    return msgspec.json.encode(
        {
            "entity": "event", "account_id": ACCOUNT, "event": "qr_code.credited",
            "contains": ["payment", "qr_code"],
            "payload": {"payment": {"entity": paid}, "qr_code": {"entity": code}},
            "created_at": at_s,
        }
    )  # fmt: skip


def headers(text: bytes, payment: str) -> dict[str, str]:
    """What stands above the body, signed."""
    signature = hmac.new(WEBHOOK_SECRET.encode(), text, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "user-agent": "Razorpay-Webhook/v1",
        "x-razorpay-event-id": f"evt_{payment[4:]}",
        "x-razorpay-signature": signature,
    }


def request(outlet: str, payment: str, installation: str, at_s: int) -> bytes:
    """A whole HTTP/1.1 request on a connection that stays open."""
    text = body(outlet, payment, installation, at_s)
    lines = [f"POST {PATH} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(text)}"]
    lines += [f"{name}: {value}" for name, value in headers(text, payment).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + text


def around(outlets: list[str]) -> Iterator[str]:
    """Outlets in turn, so that no machine has a queue of its own."""
    return itertools.cycle(outlets)
