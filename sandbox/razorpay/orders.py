"""Orders, as small as Razorpay lets them be."""

from sandbox.clock import now_s
from sandbox.razorpay.desk import Desk
from sandbox.razorpay.fields import Fields
from sandbox.razorpay.refusals import ApiError
from sandbox.razorpay.things import Order
from sandbox.shelf import matching, new_id, put

FIELDS = frozenset({"amount", "currency", "receipt", "notes", "partial_payment"})
SMALLEST_MINOR = 100


def create(desk: Desk, account_id: str, fields: Fields) -> Order:
    receipt = fields.text("receipt", at_most=40)
    fields.flag("partial_payment")
    if receipt and matching(desk.change, Order, account_id, "receipt", receipt):
        raise ApiError("Receipt should be unique.", field="receipt")
    order = Order(
        id=new_id("order_"),
        account_id=account_id,
        created_at=now_s(),
        notes=fields.notes(),
        amount=fields.needed_whole("amount", at_least=SMALLEST_MINOR),
        currency=fields.choice("currency", ("INR",)),
        receipt=receipt,
    )
    put(desk.change, order)
    return order


def credit(desk: Desk, order: Order, amount: int) -> Order:
    order.amount_paid += amount
    order.status = "paid" if order.amount_paid >= order.amount else "attempted"
    put(desk.change, order)
    return order
