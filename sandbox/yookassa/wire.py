"""How YooKassa writes its things: decimal strings, UTC with milliseconds, absent what is unset."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.yookassa.things import FiscalReceipt, Payment, Refund

KOPECKS = 2  # places
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CARD = {
    "first6": "555555",
    "last4": "4477",
    "expiry_year": "2030",
    "expiry_month": "12",
    "card_type": "MasterCard",
}
BANK = {"bank_id": "100000000111", "bic": "044525225"}


def payment(thing: Payment, public_url: str) -> dict[str, Any]:
    paid = thing.status in ("waiting_for_capture", "succeeded")
    said: dict[str, Any] = {
        "id": thing.id,
        "status": thing.status,
        "amount": amount(thing.amount, thing.currency),
        "recipient": {"account_id": thing.account_id, "gateway_id": f"{thing.account_id}0"},
        "created_at": time(thing.created_at),
        "test": True,
        "paid": paid,
        "refundable": thing.status == "succeeded" and thing.reserved < thing.amount,
        "metadata": thing.notes,
    }
    if thing.description is not None:
        said["description"] = thing.description
    if thing.method is not None:
        said["payment_method"] = _method(thing)
    if thing.status == "pending":
        said["confirmation"] = _confirmation(thing, public_url)
    if thing.status == "waiting_for_capture" and thing.expires_at is not None:
        said["expires_at"] = time(thing.expires_at)
    if thing.status == "succeeded" and thing.captured_at is not None:
        said["captured_at"] = time(thing.captured_at)
        said["income_amount"] = amount(thing.amount - fee(thing.amount), thing.currency)
        said["refunded_amount"] = amount(thing.refunded, thing.currency)
    if paid and thing.method == "bank_card":
        said["authorization_details"] = {"rrn": "100000000000", "auth_code": "000000"}
    if thing.status == "canceled":
        said["cancellation_details"] = {"party": thing.party, "reason": thing.reason}
    if thing.receipt is not None:
        said["receipt_registration"] = _registered(thing)
    return said


def refund(thing: Refund) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": thing.id,
        "payment_id": thing.payment_id,
        "status": thing.status,
        "created_at": time(thing.created_at),
        "amount": amount(thing.amount, thing.currency),
        "metadata": thing.notes,
    }
    if thing.description is not None:
        said["description"] = thing.description
    if thing.status == "canceled":
        said["cancellation_details"] = {"party": "refund_network", "reason": thing.reason}
    if thing.receipt is not None:
        said["receipt_registration"] = _registered(thing)
    return said


def receipt(thing: FiscalReceipt) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": thing.id, "type": thing.type, "status": thing.status, "items": thing.items,
        "payment_id": thing.payment_id, "refund_id": thing.refund_id,
        "tax_system_code": thing.tax_system_code, "settlements": list(thing.settlements),
    }  # fmt: skip
    if thing.registered_at is not None:
        said |= {
            "registered_at": time(thing.registered_at), "fiscal_provider_id": thing.id[3:],
            "fiscal_document_number": str(thing.document),
            "fiscal_storage_number": "9288000100115785", "fiscal_attribute": "2617603921",
        }  # fmt: skip
    return {name: value for name, value in said.items() if value is not None}


def collection(items: list[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
    said: dict[str, Any] = {"type": "list", "items": items}
    return said if cursor is None else said | {"next_cursor": cursor}


def amount(minor: int, currency: str) -> dict[str, str]:
    return {"value": decimal(minor), "currency": currency}


def decimal(minor: int) -> str:
    """4000 as `40.00`."""
    whole, rest = divmod(minor, 10**KOPECKS)
    return f"{whole}.{rest:0{KOPECKS}d}"


def fee(minor: int) -> int:
    """What YooKassa keeps; the rate is a shop's own, here 2.8 %."""
    return minor * 28 // 1_000


def time(ms: int) -> str:
    at = EPOCH + timedelta(milliseconds=ms)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1_000:03d}Z"


def _confirmation(thing: Payment, public_url: str) -> dict[str, Any]:
    page = f"{public_url}/pay/{thing.id}"
    if thing.confirmation == "qr":
        return {"type": "qr", "confirmation_data": page}
    return {"type": "redirect", "confirmation_url": page, "return_url": thing.return_url}


def _method(thing: Payment) -> dict[str, Any]:
    said: dict[str, Any] = {"type": thing.method, "id": thing.id, "saved": False}
    if thing.status == "pending":
        return said
    if thing.method == "bank_card":
        said |= {"card": CARD, "title": "Bank card *4477"}
    elif thing.method == "sbp":
        said |= {"sbp_operation_id": thing.id.replace("-", ""), "payer_bank_details": BANK}
    return said


def _registered(thing: Payment | Refund) -> str:
    return "canceled" if thing.status == "canceled" else thing.registration
