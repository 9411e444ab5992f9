"""How T-Bank writes its answers: a PaymentId is a text here and a number there."""

from typing import Any

from sandbox.tbank.things import Payment

YES = {"Success": True, "ErrorCode": "0", "Message": "OK", "Details": "None"}
ROUTE = {"Key": "Route", "Value": "ACQ"}


def made(payment: Payment, public_url: str) -> dict[str, Any]:
    return _named(payment) | {"Amount": payment.amount, "PaymentURL": page_url(payment, public_url)}


def state(payment: Payment) -> dict[str, Any]:
    said = _named(payment) | {"Amount": payment.left}
    if payment.source is not None:
        said["Params"] = [ROUTE, {"Key": "Source", "Value": payment.source}]
    return said


def confirmed(payment: Payment) -> dict[str, Any]:
    return _named(payment) | {"Params": [ROUTE]}


def order(account_id: str, order_id: str, payments: list[Payment]) -> dict[str, Any]:
    """The inner answers have other types than the outer one."""
    listed = [
        {
            "PaymentId": payment.id,
            "Amount": payment.amount,
            "Status": payment.status,
            "RRN": payment.short,
            "Success": "false" if payment.error else "true",
            "ErrorCode": payment.error,
            "Message": None,
        }
        for payment in payments
    ]
    return YES | {"TerminalKey": account_id, "OrderId": order_id, "Payments": listed}


def canceled(payment: Payment, was: int, now: int, request_id: str | None) -> dict[str, Any]:
    said = _named(payment) | {"PaymentId": int(payment.id)}
    said |= {"OriginalAmount": was, "NewAmount": now}
    return said if request_id is None else said | {"ExternalRequestId": request_id}


def code(payment: Payment, data: str) -> dict[str, Any]:
    said = _named(payment) | {"PaymentId": int(payment.id), "Data": data}
    del said["Status"]
    return said


def page_url(payment: Payment, public_url: str) -> str:
    return f"{public_url}/new/{payment.short}"


def code_text(payment: Payment, public_url: str) -> str:
    """What an SBP code holds. The real one names qr.nspk.ru; here it opens our bank's app."""
    return f"{public_url}/qr/{payment.short}?type=02&sum={payment.amount}&cur=RUB"


def roubles(kopecks: int) -> str:
    """4000 as `40.00`, for people."""
    whole, rest = divmod(kopecks, 10**2)
    return f"{whole}.{rest:02d}"


def _named(payment: Payment) -> dict[str, Any]:
    return YES | {
        "TerminalKey": payment.account_id,
        "OrderId": payment.order_id,
        "Status": payment.status,
        "PaymentId": payment.id,
    }
