"""Orders over HTTP: found by what a customer has in hand, read, and their money given back, by the
same verbs and within the same limit as at the console."""

from collections.abc import Awaitable
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from coinslot.api.api_calls import (
    IdempotencyKey,
    above_limit,
    admitted,
    busy,
    idempotent_call,
    limit_of_key,
    replied,
    reused,
    strictly,
)
from coinslot.context import Context
from coinslot.merchants.keys import Caller
from coinslot.orders import order_calls, order_search
from coinslot.orders.order_calls import Giver, OrderRefundStatement, OrderStatement
from coinslot.orders.order_refunds import OrderRefund
from coinslot.orders.order_search import OrderLine
from coinslot.pages.access import Access
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments.idempotency import KeyBusyError, KeyReusedError
from coinslot.payments.merchant_api import AboveLimitError, RuledOutError, UnknownError
from coinslot.people import merchant_settings
from coinslot.people.audit_log import Actor
from coinslot.people.merchant_settings import RefundLimit

_STORABLE = r"^[^\x00]*$"
_AT_MOST = 200  # units of one refund
Found = TypeVar("Found")
Amount = Annotated[int, Meta(gt=0, le=10**14, description="In minor units: 4000 is 40.00 rupees.")]
Ids = Annotated[list[UUID], Meta(max_length=_AT_MOST)]
Reason = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
Text = Annotated[str | None, QueryParameter(max_length=255, pattern=_STORABLE)]


class NewOrderRefund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /orders/{order}/refunds takes. Without units, lines and extras it is of the whole
    order; without an amount, all that is left of them goes back."""

    reason: Reason
    units: Ids = []
    lines: Ids = []
    extras: Annotated[list[Literal["tip", "delivery_fee", "added_tax"]], Meta(max_length=3)] = []
    amount: Amount | None = None


class OrderPage(Struct, frozen=True):
    """Orders, newest first; `next` is the `after` of the next page."""

    data: list[OrderLine]
    next: UUID | None


class OrderRefundList(Struct, frozen=True):
    """What people and programs gave back of an order, oldest first."""

    data: list[OrderRefundStatement]


class ApiOrders(SharedHandler):
    """The guard of each route says who may call it."""

    def __init__(self, context: Context, access: Access) -> None:
        self._context = context
        self._access = access

    async def listed(
        self,
        request: AnyRequest,
        text: Text = None,
        after: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
    ) -> OrderPage:
        """Orders, newest first; or those with exactly this number, id, link or reference."""
        merchant = _giver(request).merchant
        if text:
            return OrderPage(await order_search.matching(self._context, merchant, text), None)
        found = await order_search.newest(self._context, merchant, after, limit)
        return OrderPage(found, found[-1].id if len(found) == limit else None)

    async def one(self, request: AnyRequest, order: FromPath[UUID]) -> OrderStatement:
        """An order with its units, and what of each can still be given back."""
        return await _found(order_calls.one(self._context, _giver(request), order))

    async def refunds(self, request: AnyRequest, order: FromPath[UUID]) -> OrderRefundList:
        """What was given back of it by people and programs, oldest first."""
        found = await _found(order_calls.one(self._context, _giver(request), order))
        return OrderRefundList(found.refunds)

    async def refund(
        self,
        request: AnyRequest,
        order: FromPath[UUID],
        data: JSONBody[NewOrderRefund],
        key: IdempotencyKey = None,
    ) -> Response[OrderRefundStatement]:
        """Give money of an order back: of units, of lines, of the whole. What was not sent is
        withdrawn; what is being handed over waits until that is settled; what was handed over is
        taken from what it earned."""
        await strictly(request, data)
        giver = _giver(request)
        call = idempotent_call(_counted(request), f"POST /orders/{order}/refunds", key, data)
        wanted = OrderRefund(
            order=order, key=call.key, by=_name(request), reason=data.reason,
            units=tuple(data.units), lines=tuple(data.lines), extras=tuple(data.extras),
            amount=data.amount, limit=await self._limit_of(request),
        )  # fmt: skip
        try:
            return await _answered(order_calls.refund_once(self._context, giver, call, wanted))
        except AboveLimitError as error:
            raise self._above(request, error) from None

    async def _limit_of(self, request: AnyRequest) -> RefundLimit | None:
        """Of a person with a fresh proof, and of a key that may give back more, there is none."""
        who = admitted(request)
        if isinstance(who, Caller):
            return await limit_of_key(self._context, who)
        if self._access.is_fresh(who):
            return None
        found = await merchant_settings.settings(self._context.db, _giver(request).merchant)
        return found.refund_limit

    def _above(self, request: AnyRequest, error: AboveLimitError) -> RefusedError:
        if isinstance(admitted(request), Caller):
            return above_limit(error)
        return RefusedError(403, "step_up_required", "Show a factor again: POST /auth/step-up.")


def _giver(request: AnyRequest) -> Giver:
    who = admitted(request)
    if isinstance(who, Caller):
        return Giver(merchant=who.merchant, actor=Actor(address=_name(request)), live=who.live)
    assert who.merchant is not None  # only members of a merchant have the permissions
    return Giver(merchant=who.merchant, actor=who.actor)


def _name(request: AnyRequest) -> str:
    """As the record of the order names who gave the money back."""
    who = admitted(request)
    return f"API key {who.key}" if isinstance(who, Caller) else who.login


def _counted(request: AnyRequest) -> Caller:
    """Whose calls with an idempotency key are counted together: a merchant's."""
    who = admitted(request)
    if isinstance(who, Caller):
        return who
    merchant = _giver(request).merchant
    return Caller(merchant=merchant, key=who.person, scopes=who.permissions, live=False)


async def _answered(call: Awaitable[Any]) -> Response[Any]:
    try:
        return replied(await call)
    except UnknownError as error:
        raise RefusedError(404, "not_found", str(error)) from None
    except AboveLimitError:
        raise
    except RuledOutError as error:
        raise RefusedError(422, error.code, str(error)) from None
    except KeyReusedError as error:
        raise reused(error) from None
    except KeyBusyError as error:
        raise busy(error) from None


async def _found(call: Awaitable[Found]) -> Found:
    try:
        return await call
    except UnknownError as error:
        raise RefusedError(404, "not_found", str(error)) from None
