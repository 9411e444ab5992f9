"""Every method of the emulated API, one line each, with the verb behind it."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import segno

from sandbox.shelf import find
from sandbox.tbank import customer, payments, receipts, refunds, wire, wishes
from sandbox.tbank.desk import Desk
from sandbox.tbank.refusals import ApiError, not_found
from sandbox.tbank.settings import Account
from sandbox.tbank.things import Payment

Answer = dict[str, Any]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request whose token was true."""

    desk: Desk
    account: Account
    body: Mapping[str, Any]

    def payment(self, named: wishes.Named) -> Payment:
        """The terminal's own; another's does not exist."""
        key = str(named.payment_id)
        found = find(self.desk.change, Payment, key, self.account.account_id)
        if found is None:
            raise not_found()
        return found


def init(call: Call) -> Answer:
    wish = wishes.init(call.body, call.account)
    made = payments.create(call.desk, call.account, wish, call.body.get("Receipt"))
    return wire.made(made, call.desk.public_url)


def state(call: Call) -> Answer:
    return wire.state(call.payment(wishes.read(call.body, wishes.Named)))


def order(call: Call) -> Answer:
    order_id = wishes.read(call.body, wishes.Order).order_id
    found = payments.of_order(call.desk, call.account, order_id)
    if not found:
        raise not_found()
    return wire.order(call.account.account_id, order_id, found)


def confirm(call: Call) -> Answer:
    wish = wishes.read(call.body, wishes.Confirm)
    payment = call.payment(wish)
    payments.confirm(call.desk, payment, wish)
    return wire.confirmed(payment)


def cancel(call: Call) -> Answer:
    wish = wishes.read(call.body, wishes.Cancel)
    payment = call.payment(wish)
    return refunds.cancel(call.desk, call.account, payment, wish, call.body.get("Receipt"))


def code(call: Call) -> Answer:
    wish = wishes.read(call.body, wishes.Qr)
    payment = call.payment(wish)
    payments.code(call.desk, call.account, payment)
    text = wire.code_text(payment, call.desk.public_url)
    if wish.data_type == "IMAGE":
        drawn = io.BytesIO()
        segno.make(text, error="m", micro=False).save(drawn, kind="svg", scale=8)
        text = drawn.getvalue().decode()
    return wire.code(payment, text)


def refund_state(call: Call) -> Answer:
    payment = call.payment(wishes.read(call.body, wishes.Named))
    refund = refunds.newest(call.desk, payment)
    if refund is None:
        raise not_found()
    said = wire.YES | {"Status": payment.status, "OrderId": payment.order_id}
    if refund.status == "failed":
        said |= {"QrCancelCode": "I05043", "QrCancelMessage": "Счёт клиента закрыт."}
    return said | {"Amount": refund.amount}


def sbp_test(call: Call) -> Answer:
    """A payer at the test bank: pays, is refused, or comes too late."""
    wish = wishes.read(call.body, wishes.SbpTest)
    payment = call.payment(wish)
    if wish.is_deadline_expired and wish.is_rejected:
        raise ApiError(210, "Выберите один исход.")
    payments.code(call.desk, call.account, payment)
    if wish.is_deadline_expired:
        payments.expire(call.desk, payment)
    elif wish.is_rejected:
        payments.reject(call.desk, payment, "qrsbp", 1051)
    else:
        payments.pay(call.desk, payment, "qrsbp")
    return dict(wire.YES)


def close(call: Call) -> Answer:
    wish = wishes.read(call.body, wishes.Closing)
    receipts.close(call.desk, call.payment(wish), wish, call.body["Receipt"])
    return dict(wire.YES)


def resend(call: Call) -> Answer:
    return wire.YES | {"Count": customer.resend_missed(call.desk, call.account.account_id)}


METHODS: dict[str, Callable[[Call], Answer]] = {
    "Init": init,
    "GetState": state,
    "CheckOrder": order,
    "Confirm": confirm,
    "Cancel": cancel,
    "GetQr": code,
    "GetQrState": refund_state,
    "SbpPayTest": sbp_test,
    "Resend": resend,
}
# Under a path of its own.
OF_THE_TILL: dict[str, Callable[[Call], Answer]] = {"SendClosingReceipt": close}
