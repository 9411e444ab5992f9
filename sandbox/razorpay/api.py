"""Every URL of the emulated API, one line each, with the verb behind it."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from sandbox.razorpay import links, orders, payments, qr_codes, refunds, settlements, wire
from sandbox.razorpay.desk import Desk
from sandbox.razorpay.fields import Fields, window
from sandbox.razorpay.refusals import no_such_id, no_such_url
from sandbox.razorpay.settings import Account
from sandbox.razorpay.things import Order, Payment, PaymentLink, QrCode, Refund
from sandbox.shelf import Thing, Window, children, find, matching, page, put

Answer = dict[str, Any]
T = TypeVar("T", bound=Thing)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One authenticated request; `ids` are the variable parts of its path."""

    desk: Desk
    account: Account
    method: str
    path: str
    ids: tuple[str, ...] = ()
    query: Mapping[str, str] = {}
    body: Mapping[str, Any] = {}
    idempotency_key: str | None = None

    def mine(self, kind: type[T], thing_id: str) -> T:
        """The merchant's own thing; another's does not exist."""
        found = find(self.desk.change, kind, thing_id, self.account.account_id)
        if found is None:
            raise no_such_id()
        return found

    def qr(self) -> QrCode:
        return qr_codes.as_of_now(self.mine(QrCode, self.ids[0]))


def answer(call: Call) -> Answer:
    """Find the line of the table for this request and do what it says."""
    for method, pattern, verb in ROUTES:
        found = re.fullmatch(pattern, call.path)
        if found and method == call.method:
            return verb(msgspec.structs.replace(call, ids=found.groups()))
    raise no_such_url()


def create_qr(call: Call) -> Answer:
    fields = Fields(call.body, qr_codes.FIELDS)
    return _qr(call, qr_codes.create(call.desk, call.account.account_id, fields))


def list_qrs(call: Call) -> Answer:
    """All, or those of one payment, or those of one customer."""
    paging = window(call.query, also=("payment_id", "customer_id"))
    change, account_id = call.desk.change, call.account.account_id
    if payment_id := call.query.get("payment_id"):
        payment = find(change, Payment, payment_id, account_id)
        qr = payment and find(change, QrCode, payment.qr_code_id or "", account_id)
        found = [qr] if qr else []
    elif customer_id := call.query.get("customer_id"):
        found = matching(change, QrCode, account_id, "customer_id", customer_id)
        found = _paged(found, paging)
    else:
        found = page(change, QrCode, account_id, paging)
    return wire.collection([_qr(call, qr) for qr in found])


def fetch_qr(call: Call) -> Answer:
    return _qr(call, call.qr())


def edit_qr(call: Call) -> Answer:
    qr = call.qr()
    qr.notes = Fields(call.body, frozenset({"notes"})).notes()
    put(call.desk.change, qr)
    return _qr(call, qr)


def close_qr(call: Call) -> Answer:
    Fields(call.body, frozenset())
    return _qr(call, qr_codes.close(call.desk, call.qr()))


def list_qr_payments(call: Call) -> Answer:
    return _payments(children(call.desk.change, Payment, call.qr().id, window(call.query)))


def list_payments(call: Call) -> Answer:
    paging = window(call.query)
    return _payments(page(call.desk.change, Payment, call.account.account_id, paging))


def fetch_payment(call: Call) -> Answer:
    """With `expand[]=refunds` its refunds come along."""
    payment = call.mine(Payment, call.ids[0])
    entity = wire.payment(payment)
    if call.query.get("expand[]") == "refunds":
        made = children(call.desk.change, Refund, payment.id, Window(count=100))
        entity["refunds"] = wire.collection([wire.refund(refund) for refund in made])
    return entity


def capture_payment(call: Call) -> Answer:
    fields = Fields(call.body, payments.CAPTURE_FIELDS)
    payment = call.mine(Payment, call.ids[0])
    return wire.payment(payments.capture_on_demand(call.desk, payment, fields))


def refund_payment(call: Call) -> Answer:
    payment = call.mine(Payment, call.ids[0])
    return wire.refund(refunds.once(call.desk, payment, call.idempotency_key, call.body))


def list_payment_refunds(call: Call) -> Answer:
    payment = call.mine(Payment, call.ids[0])
    return _refunds(children(call.desk.change, Refund, payment.id, window(call.query)))


def fetch_payment_refund(call: Call) -> Answer:
    refund = call.mine(Refund, call.ids[1])
    if refund.payment_id != call.ids[0]:
        raise no_such_id()
    return wire.refund(refund)


def list_refunds(call: Call) -> Answer:
    return _refunds(page(call.desk.change, Refund, call.account.account_id, window(call.query)))


def fetch_refund(call: Call) -> Answer:
    return wire.refund(call.mine(Refund, call.ids[0]))


def list_settled(call: Call) -> Answer:
    lines = settlements.of_day(call.desk, call.account.account_id, dict(call.query))
    return wire.collection(lines)


def create_order(call: Call) -> Answer:
    fields = Fields(call.body, orders.FIELDS)
    return wire.order(orders.create(call.desk, call.account.account_id, fields))


def list_orders(call: Call) -> Answer:
    paging = window(call.query, also=("receipt",))
    change, account_id = call.desk.change, call.account.account_id
    if receipt := call.query.get("receipt"):
        found = _paged(matching(change, Order, account_id, "receipt", receipt), paging)
    else:
        found = page(change, Order, account_id, paging)
    return wire.collection([wire.order(order) for order in found])


def fetch_order(call: Call) -> Answer:
    return wire.order(call.mine(Order, call.ids[0]))


def edit_order(call: Call) -> Answer:
    order = call.mine(Order, call.ids[0])
    order.notes = Fields(call.body, frozenset({"notes"})).notes()
    put(call.desk.change, order)
    return wire.order(order)


def list_order_payments(call: Call) -> Answer:
    order = call.mine(Order, call.ids[0])
    return _payments(children(call.desk.change, Payment, order.id, Window(count=100)))


def create_link(call: Call) -> Answer:
    fields = Fields(call.body, links.FIELDS)
    return _link(call, links.create(call.desk, call.account.account_id, fields))


def list_links(call: Call) -> Answer:
    """All, or the one with a reference; under a name of its own, as only links are listed."""
    change, account_id = call.desk.change, call.account.account_id
    if reference := call.query.get("reference_id"):
        found = matching(change, PaymentLink, account_id, "reference_id", reference)
    else:
        known = {name: text for name, text in call.query.items() if name != "payment_id"}
        found = page(change, PaymentLink, account_id, window(known))
    return {"payment_links": [_link(call, link) for link in found]}


def fetch_link(call: Call) -> Answer:
    return _link(call, call.mine(PaymentLink, call.ids[0]))


def cancel_link(call: Call) -> Answer:
    link = links.as_of_now(call.desk, call.mine(PaymentLink, call.ids[0]))
    return _link(call, links.cancel(call.desk, link))


def _link(call: Call, link: PaymentLink) -> Answer:
    return wire.payment_link(links.as_of_now(call.desk, link), call.desk.public_url)


def _qr(call: Call, qr: QrCode) -> Answer:
    return wire.qr_code(qr_codes.as_of_now(qr), call.desk.public_url)


def _payments(found: list[Payment]) -> Answer:
    return wire.collection([wire.payment(payment) for payment in found])


def _refunds(found: list[Refund]) -> Answer:
    return wire.collection([wire.refund(refund) for refund in found])


def _paged(found: list[T], paging: Window) -> list[T]:
    inside = [one for one in found if paging.since <= one.created_at <= paging.until]
    return inside[paging.skip : paging.skip + paging.count]


QR = r"/payments/qr_codes/([^/]+)"
LINK = r"/payment_links/([^/]+)"
PAYMENT, ORDER, REFUND = r"/payments/([^/]+)", r"/orders/([^/]+)", r"/refunds/([^/]+)"
ROUTES: tuple[tuple[str, str, Callable[[Call], Answer]], ...] = (
    ("POST", r"/payments/qr_codes", create_qr),
    ("GET", r"/payments/qr_codes", list_qrs),
    ("GET", QR, fetch_qr),
    ("PATCH", QR, edit_qr),
    ("POST", QR + r"/close", close_qr),
    ("GET", QR + r"/payments", list_qr_payments),
    ("GET", r"/payments", list_payments),
    ("GET", PAYMENT, fetch_payment),
    ("POST", PAYMENT + r"/capture", capture_payment),
    ("POST", PAYMENT + r"/refund", refund_payment),
    ("GET", PAYMENT + r"/refunds", list_payment_refunds),
    ("GET", PAYMENT + r"/refunds/([^/]+)", fetch_payment_refund),
    ("GET", r"/refunds", list_refunds),
    ("GET", REFUND, fetch_refund),
    ("GET", r"/settlements/recon/combined", list_settled),
    ("POST", r"/payment_links", create_link),
    ("GET", r"/payment_links", list_links),
    ("GET", LINK, fetch_link),
    ("POST", LINK + r"/cancel", cancel_link),
    ("POST", r"/orders", create_order),
    ("GET", r"/orders", list_orders),
    ("GET", ORDER, fetch_order),
    ("PATCH", ORDER, edit_order),
    ("GET", ORDER + r"/payments", list_order_payments),
)
