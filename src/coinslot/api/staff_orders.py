"""The board of a counter over HTTP, for programs of staff. Fields are named as programs of that
system know them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from coinslot.api.stores import Moment, Text
from coinslot.context import Context
from coinslot.counter import board, staff
from coinslot.counter.board import BoardLine, BoardOrder
from coinslot.counter.staff import CounterError, Staff, Status, Why
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, AnyRequest
from coinslot.pages.shared_handler import SharedHandler

_ISO: Final = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}"
_STATUS_OF: Final[Mapping[Why, int]] = {
    Why.UNKNOWN: 404, Why.NO_REASON: 422, Why.WRONG_CODE: 422, Why.EXPIRED: 410,
    Why.LOCKED: 409, Why.CROWDED: 429,
}  # fmt: skip
_SAYS: Final[Mapping[Why, str]] = {
    Why.UNKNOWN: "There is no such order.",
    Why.NOT_PAID: "This order is not paid.",
    Why.NOT_ACCEPTED: "Nobody has accepted this order yet.",
    Why.TOO_LATE: "Its time is over: the money is on its way back.",
    Why.OVER: "This order is over.",
    Why.ACCEPTED: "They have begun with this order.",
    Why.WRONG_ORDER: "The order does not have the status that this leads back from.",
    Why.NO_REASON: "Say why.",
    Why.WRONG_CODE: "This is not the code.",
    Why.EXPIRED: "The code is too old. Set the order to READY again: its page shows a new one.",
    Why.LOCKED: "Five wrong codes: somebody of the merchant has to vouch for this order.",
    Why.NO_PRINTER: "No printer here prints this.",
    Why.CROWDED: "Too many wrong codes at this counter within an hour.",
}


class NewStatus(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /api/staff/orders/{order}/status takes. CANCELLED needs a reason."""

    status: Status
    reason: Text = ""


class PickupCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /api/staff/orders/{order}/complete takes."""

    code: Annotated[str, Meta(pattern=r"\A[0-9]{6}\Z")]


class StaffOrderLine(Struct, frozen=True, kw_only=True, rename="camel"):
    """Some pieces of one item."""

    menu_item_id: str
    name: str
    choices: list[str]
    notes: str
    quantity: int
    price_cents: int


class StaffOrderStatement(Struct, frozen=True, kw_only=True, rename="camel"):
    """An order, as staff see it: never its code, nor its customer's page."""

    id: str
    order_number: str
    store: str
    status: str
    payment_status: str
    customer_name: str
    table: str
    deliver_to: str
    wanted_at: Moment | None
    total_cents: int
    currency: str
    paid_at: Moment
    status_since: Moment
    refunds_at: Moment | None
    code_locked: bool
    items: list[StaffOrderLine]


class StaffOrderList(Struct, frozen=True, kw_only=True, rename="camel"):
    """What GET /api/staff/orders answers."""

    orders: list[StaffOrderStatement]


class StaffOrders(SharedHandler):
    """The board, for programs of whoever is signed in."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def all(
        self,
        request: AnyRequest,
        status: Annotated[list[Status] | None, QueryParameter()] = None,
        store: Annotated[str | None, QueryParameter(max_length=63, pattern=STORABLE)] = None,
        search: Annotated[str | None, QueryParameter(max_length=80, pattern=STORABLE)] = None,
        since: Annotated[str | None, QueryParameter(max_length=40, pattern=_ISO)] = None,
    ) -> StaffOrderList:
        """What is to be done, and what ended lately, or `since` a moment, oldest first; by status
        (several may be named), store, and a part of the number or of the customer's name."""
        who, statuses = staff.staff_of(signed_in(request)), tuple(status or Status)
        found = await board.orders(self._context, who, statuses, _moment(since))
        wanted = [
            one for one in found
            if store in (None, one.slug) and (search or "").casefold() in _searched(one)
        ]  # fmt: skip
        return StaffOrderList(orders=[_order(one) for one in wanted])

    async def status(
        self, request: AnyRequest, order: FromPath[UUID], data: JSONBody[NewStatus]
    ) -> StaffOrderStatement:
        """One step on, one step back, or CANCELLED with a reason. COMPLETED is refused: that takes
        the customer's code."""
        who = staff.staff_of(signed_in(request))
        try:
            await self._move(who, order, data)
            return _order(await board.order(self._context, who, order))
        except CounterError as error:
            raise refused(error) from None

    async def _move(self, who: Staff, order: UUID, data: NewStatus) -> None:
        """Raises CounterError and RefusedError."""
        if data.status is Status.COMPLETED:
            raise RefusedError(
                422, "code_needed", "An order is completed by its code: POST .../complete."
            )
        now = (await board.order(self._context, who, order)).status
        if data.status is Status.CANCELLED:
            await staff.reject(self._context, who, order, data.reason)
        elif (now, data.status) in (
            (Status.READY, Status.PREPARING), (Status.PREPARING, Status.PLACED),
        ):  # fmt: skip
            await staff.undo(self._context, who, order, data.status)
        elif data.status is Status.PREPARING:
            await staff.accept(self._context, who, order)
        elif data.status is Status.READY:
            await staff.ready(self._context, who, order)
        elif now is not data.status:
            raise CounterError(Why.WRONG_ORDER)

    async def complete(
        self, request: AnyRequest, order: FromPath[UUID], data: JSONBody[PickupCode]
    ) -> StaffOrderStatement:
        """Hand it over against the customer's code."""
        who = staff.staff_of(signed_in(request))
        try:
            await staff.complete(self._context, who, order, data.code)
            return _order(await board.order(self._context, who, order))
        except CounterError as error:
            raise refused(error) from None


def _searched(order: BoardOrder) -> str:
    return f"{order.number} {order.name}".casefold()


def _moment(said: str | None) -> datetime | None:
    """By ISO 8601; without a zone it is UTC. Raises RefusedError."""
    try:
        found = None if said is None else datetime.fromisoformat(said)
    except ValueError:
        raise RefusedError(400, "bad_request", "`since` is no time by ISO 8601.") from None
    return found if found is None or found.tzinfo is not None else found.replace(tzinfo=UTC)


def refused(error: CounterError) -> RefusedError:
    details: dict[str, object] = {}
    if error.why is Why.WRONG_CODE:
        details = {"triesLeft": error.left}
        if error.was_before:
            details["wasBeforeReady"] = True
    status = _STATUS_OF.get(error.why, HTTPStatus.CONFLICT)
    return RefusedError(status, error.why.value, _SAYS[error.why], details or None)


def _order(order: BoardOrder) -> StaffOrderStatement:
    return StaffOrderStatement(
        id=str(order.id), order_number=order.number, store=order.slug, status=order.status.value,
        payment_status="PAID", customer_name=order.name, table=order.spot,
        deliver_to=order.address,
        wanted_at=None if order.wanted_at is None else order.wanted_at.isoformat(),
        total_cents=order.total.minor, currency=order.total.currency,
        paid_at=order.paid_at.isoformat(), status_since=order.since.isoformat(),
        refunds_at=None if order.until is None else order.until.isoformat(),
        code_locked=order.locked, items=[_line(line) for line in order.lines],
    )  # fmt: skip


def _line(line: BoardLine) -> StaffOrderLine:
    return StaffOrderLine(
        menu_item_id=str(line.item), name=line.name, choices=list(line.choices), notes=line.note,
        quantity=len(line.wanted), price_cents=line.price.minor,
    )  # fmt: skip
