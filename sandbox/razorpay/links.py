"""Payment links: a page of the gateway's own, with an order behind it as soon as it is opened."""

from sandbox.clock import now_s
from sandbox.razorpay.desk import Desk, tell
from sandbox.razorpay.fields import Fields
from sandbox.razorpay.refusals import ApiError
from sandbox.razorpay.things import Order, Payment, PaymentLink
from sandbox.shelf import find, matching, new_id, put

FIELDS = frozenset(
    {"amount", "currency", "accept_partial", "reference_id", "description", "customer", "notify"}
    | {"reminder_enable", "notes", "callback_url", "callback_method", "expire_by", "upi_link"}
)
SMALLEST_MINOR, SOONEST_S = 100, 15 * 60


def create(desk: Desk, account_id: str, fields: Fields) -> PaymentLink:
    reference = fields.text("reference_id", at_most=40)
    if reference and matching(desk.change, PaymentLink, account_id, "reference_id", reference):
        raise ApiError(
            f"payment link with given reference_id ({reference}) already exists",
            field="reference_id",
        )
    if fields.flag("accept_partial"):
        raise ApiError("accept_partial is not emulated", field="accept_partial")
    expire_by = fields.whole("expire_by", at_least=0) or 0
    if expire_by and expire_by < now_s() + SOONEST_S:
        raise ApiError("expire_by should be at least 15 minutes in future", field="expire_by")
    link = PaymentLink(
        id=new_id("plink_"),
        account_id=account_id,
        created_at=now_s(),
        notes=fields.notes(),
        amount=fields.needed_whole("amount", at_least=SMALLEST_MINOR),
        currency=fields.choice("currency", ("INR",), default="INR"),
        reference_id=reference or "",
        description=fields.text("description") or "",
        callback_url=fields.text("callback_url") or "",
        expire_by=expire_by,
    )
    fields.choice("callback_method", ("get",), default="get")
    put(desk.change, link)
    desk.change.tell(f"payment link {link.id} made")
    return link


def as_of_now(desk: Desk, link: PaymentLink) -> PaymentLink:
    """A link whose time is over has expired; nobody has to notice at that moment."""
    if link.status == "created" and 0 < link.expire_by <= now_s():
        link.status, link.expired_at = "expired", link.expire_by
        put(desk.change, link)
        tell(desk, "payment_link.expired", link.id, link)
    return link


def cancel(desk: Desk, link: PaymentLink) -> PaymentLink:
    if link.status != "created":
        raise ApiError(f"Payment Link cannot be cancelled as it is in {link.status} state")
    link.status, link.cancelled_at = "cancelled", now_s()
    put(desk.change, link)
    tell(desk, "payment_link.cancelled", link.id, link)
    desk.change.tell(f"payment link {link.id} cancelled")
    return link


def order_of(desk: Desk, link: PaymentLink) -> Order:
    """Made when the payer opens the page, with the link's reference and notes."""
    found = find(desk.change, Order, link.order_id or "")
    if found is None:
        found = Order(
            id=new_id("order_"),
            account_id=link.account_id,
            created_at=now_s(),
            notes=link.notes,
            amount=link.amount,
            currency=link.currency,
            receipt=link.reference_id,
        )
        link.order_id = found.id
        put(desk.change, found)
        put(desk.change, link)
    return found


def credit(desk: Desk, order: Order, payment: Payment) -> None:
    """The order behind a link was paid: so was the link, and that is told."""
    for link in matching(desk.change, PaymentLink, order.account_id, "order_id", order.id):
        link.status, link.amount_paid = "paid", order.amount_paid
        put(desk.change, link)
        if payment.tells is None or "payment_link.paid" in payment.tells:
            tell(desk, "payment_link.paid", payment.id, payment, order, link)
