"""Every URL of the emulated API, one line each, with the verb behind it."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from sandbox.shelf import find
from sandbox.yookassa import keys, payments, receipts, refunds, wire
from sandbox.yookassa.desk import Desk
from sandbox.yookassa.lists import listed
from sandbox.yookassa.refusals import (
    no_such_payment,
    no_such_receipt,
    no_such_refund,
    no_such_url,
)
from sandbox.yookassa.settings import Account
from sandbox.yookassa.things import FiscalReceipt, Payment, Refund

Answer = dict[str, Any]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One authenticated request; `ids` are the variable parts of its path."""

    desk: Desk
    account: Account
    method: str
    path: str
    ids: tuple[str, ...] = ()
    query: Mapping[str, str] = {}
    body: Mapping[str, Any] = {}
    key: str | None = None

    def payment(self) -> Payment:
        """The shop's own; another's does not exist."""
        found = find(self.desk.change, Payment, self.ids[0], self.account.account_id)
        if found is None:
            raise no_such_payment()
        return found


def answer(call: Call) -> Answer:
    """Find the line of the table for this request and do what it says; a POST once per key."""
    for method, pattern, verb in ROUTES:
        found = re.fullmatch(pattern, call.path)
        if found and method == call.method:
            named = msgspec.structs.replace(call, ids=found.groups())
            if method == "GET":
                return verb(named)
            request = {"path": call.path, "body": call.body}
            return keys.once(call.desk, call.account, call.key, request, partial(verb, named))
    raise no_such_url()


def create_payment(call: Call) -> Answer:
    return _payment(call, payments.create(call.desk, call.account, call.body))


def list_payments(call: Call) -> Answer:
    found, cursor = listed(call.desk.change, Payment, call.account.account_id, call.query)
    return wire.collection([_payment(call, one) for one in found], cursor)


def fetch_payment(call: Call) -> Answer:
    return _payment(call, call.payment())


def capture_payment(call: Call) -> Answer:
    return _payment(call, payments.capture(call.desk, call.payment(), call.body))


def cancel_payment(call: Call) -> Answer:
    return _payment(call, payments.void(call.desk, call.payment()))


def create_refund(call: Call) -> Answer:
    return wire.refund(refunds.create(call.desk, call.account, call.body))


def list_refunds(call: Call) -> Answer:
    found, cursor = listed(call.desk.change, Refund, call.account.account_id, call.query)
    return wire.collection([wire.refund(one) for one in found], cursor)


def fetch_refund(call: Call) -> Answer:
    found = find(call.desk.change, Refund, call.ids[0], call.account.account_id)
    if found is None:
        raise no_such_refund()
    return wire.refund(found)


def create_receipt(call: Call) -> Answer:
    return wire.receipt(receipts.create(call.desk, call.account, call.body))


def list_receipts(call: Call) -> Answer:
    found, cursor = listed(call.desk.change, FiscalReceipt, call.account.account_id, call.query)
    return wire.collection([wire.receipt(one) for one in found], cursor)


def fetch_receipt(call: Call) -> Answer:
    found = find(call.desk.change, FiscalReceipt, call.ids[0], call.account.account_id)
    if found is None:
        raise no_such_receipt()
    return wire.receipt(found)


def _payment(call: Call, payment: Payment) -> Answer:
    return wire.payment(payment, call.desk.public_url)


PAYMENT, REFUND = r"/payments/([^/]+)", r"/refunds/([^/]+)"
ROUTES: tuple[tuple[str, str, Callable[[Call], Answer]], ...] = (
    ("POST", r"/payments", create_payment),
    ("GET", r"/payments", list_payments),
    ("GET", PAYMENT, fetch_payment),
    ("POST", PAYMENT + r"/capture", capture_payment),
    ("POST", PAYMENT + r"/cancel", cancel_payment),
    ("POST", r"/refunds", create_refund),
    ("GET", r"/refunds", list_refunds),
    ("GET", REFUND, fetch_refund),
    ("POST", r"/receipts", create_receipt),
    ("GET", r"/receipts", list_receipts),
    ("GET", r"/receipts/([^/]+)", fetch_receipt),
)
