"""The field names of the first system for what the tables hold: its nodes, field by field, and no
other."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from coinslot.events.mirror.firebase import key

Row = Mapping[str, Any]
Nodes = dict[str, Any]  # path -> its content; None: no such node

ORDERS, MACHINES, CODES, PAYMENTS = "orders", "machines", "qrCodeToMachine", "paymentEvents"
BRANCHES = (ORDERS, MACHINES, CODES, PAYMENTS)


def order(row: Row) -> Nodes:
    provider, payment = row["gateway"], row["gateway_payment_id"]
    fields = {
        "merchantId": str(row["merchant_id"]),
        "machineId": row["outlet_id"],
        "amount": row["amount_minor"],
        "currency": row["currency"],
        "razorpayPaymentId": payment if provider == "razorpay" else None,
        "source": row["source"],
        "provider": provider,
        "providerPaymentId": payment,
        "providerQrCodeId": row["qr_code_id"],
        "paidAt": instant(row["paid_at"]),
        "dispatchPending": row["state"] == "paid" and bool(row["waits"]),
        "status": row["state"].upper(),  # PLACED, PAID, COMPLETED, FAILED, EXPIRED
        "createdAt": instant(row["placed_at"]),
        "updatedAt": instant(row["updated_at"]),
        "failureCode": row["failure_code"],
        "version": int(row["seen_version"]),
    }
    return {f"{ORDERS}/{row['id']}": _there(fields)}


def payment(row: Row) -> Nodes:
    fields = {
        "merchantId": str(row["merchant_id"]),
        "provider": row["gateway"],
        "status": _payment_status(row),
        "reason": row["reason"],
        "machineId": row["outlet_id"],
        "orderId": str(row["order_id"]) if row["order_id"] is not None else None,
        "dispatch": _dispatch(row["units"] or ()),
        "refundStatus": _refund_status(row["refunds"] or ()),
        "processedAt": instant(row["seen_at"]),
    }
    return {f"{PAYMENTS}/{key(row['gateway_payment_id'])}": _there(fields)}


def machine(row: Row, now: datetime, online: timedelta) -> Nodes:
    seen = row["last_seen_at"]
    connected = seen is not None and now - seen <= online
    profile = {
        "provider": row["gateway"],
        "qrCodeId": row["qr_code_id"],
        "qrImageUrl": row["image_url"],
        "qrShortUrl": row["short_url"],
        "fixedAmountPaise": row["amount_minor"],
    }
    fields = {
        "merchantId": str(row["merchant_id"]),
        "status": _machine_status(row, connected),
        "lastSeenAt": instant(seen),
        "socketConnected": connected,
        "paymentProfile": _there(profile) or None,
    }
    return {f"{MACHINES}/{key(row['id'])}": _there(fields)}


def code(row: Row) -> Nodes:
    """A printed code leads to its machine until it is retired."""
    leads = row["outlet_id"] if row["retired_at"] is None else None
    return {f"{CODES}/{key(row['qr_code_id'])}": leads}


def instant(at: datetime | None) -> str | None:
    """As JavaScript writes it, so that texts sort as times do."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _machine_status(row: Row, connected: bool) -> str:
    if row["decommissioned_at"] is not None:
        return "OUT_OF_SERVICE"
    if not connected:
        return "OFFLINE"
    return "BUSY" if row["busy"] else "IDLE"


def _payment_status(row: Row) -> str:
    if row["foreign_amount"] > 0:
        return "IGNORED"  # the merchant's, but nothing of ours was bought
    if row["reason"] is not None:
        return "REJECTED"  # it buys nothing and goes back
    return "RECEIVED" if row["order_id"] is None and row["payment_id"] is None else "PROCESSED"


def _dispatch(units: Collection[str]) -> str | None:
    """Each unit is its settlement, else whether it was sent."""
    if not units:
        return None
    if "waits" in units:
        return "PENDING"  # a machine that is busy or offline has not got everything yet
    if "sent" in units:
        return "SENT"
    return "SUCCESS" if "fulfilled" in units else "FAILED"  # of a part: the order is COMPLETED


def _refund_status(refunds: Collection[str]) -> str | None:
    return next((s.upper() for s in ("owed", "pending", "succeeded") if s in refunds), None)


def _there(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without empty values: the database drops them, and a comparison would differ."""
    return {name: value for name, value in fields.items() if value is not None}
