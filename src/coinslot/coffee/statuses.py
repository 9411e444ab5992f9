"""The seven statuses of a coffee order, as the fifth system has them: a view of what is known."""

from enum import StrEnum

from coinslot.orders.page_views import OrderView, Progress


class Status(StrEnum):
    CREATED = "created"  # placed; nobody has begun to pay
    PENDING = "pending"  # a way to pay is under way
    PAID = "paid"  # and the machine is not commanded yet
    NOT_PAID = "not_paid"  # declined, or its time ran out
    MAKE_PENDING = "make_pending"  # commanded, and not settled
    SUCCESSFUL = "successful"
    FAILED = "failed"  # it was paid, and not made: the money goes back


def status(order: OrderView) -> Status:
    """Of an order whose money came too late too: it goes back, and nothing was made."""
    match order.state:
        case "completed":
            return Status.SUCCESSFUL
        case "failed":
            return Status.FAILED
        case "expired":
            return Status.FAILED if order.refunds else Status.NOT_PAID
        case "paid":
            begun = order.progress in (Progress.WORKING, Progress.CHECKING)
            return Status.MAKE_PENDING if begun else Status.PAID
        case _:
            return _unpaid(order)


def _unpaid(order: OrderView) -> Status:
    if order.pay_at is not None:
        return Status.PENDING
    return Status.NOT_PAID if order.way_failed else Status.CREATED
