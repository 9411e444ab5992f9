"""What every verb of the gateway works with, and how it tells the merchant's server of a status."""

from typing import Any

import msgspec

from sandbox import gateway
from sandbox.gateway import Notice
from sandbox.tbank.accounts import ACCOUNTS, token
from sandbox.tbank.settings import Tempo
from sandbox.tbank.things import Payment

CARD = {"CardId": 322264, "Pan": "220138******0013", "ExpDate": "1230"}


class Desk(gateway.Desk[Tempo], frozen=True):
    """An open transaction at T-Bank."""

    accounts = ACCOUNTS


class Gateway(gateway.Gateway[Desk]):
    """T-Bank as a whole."""

    desk_of = Desk


def tell(desk: Desk, payment: Payment, status: str | None = None) -> None:
    """Raise a notification; `status` names a step that the payment has passed already."""
    account = ACCOUNTS.find(desk.change, payment.account_id)
    said: dict[str, Any] = {
        "TerminalKey": account.account_id,
        "OrderId": payment.order_id,
        "Success": not payment.error,
        "Status": status or payment.status,
        "PaymentId": int(payment.id),
        "ErrorCode": str(payment.error),
        "Amount": payment.left,
    }
    if payment.source == "cards":
        said |= CARD
    if payment.notes:
        said["Data"] = payment.notes
    said["Token"] = token(said, account.password)
    body = msgspec.json.encode(said)
    desk.notify(account, Notice(name=said["Status"], reference=payment.id, body=body))
