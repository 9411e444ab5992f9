"""The merchant API: payments and refunds of a merchant's own server. Amounts are in minor units."""

from collections.abc import Awaitable
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from coinslot.api.api_calls import (
    IdempotencyKey,
    above_limit,
    busy,
    caller_of,
    idempotent_call,
    limit_of_key,
    replied,
    reused,
    strictly,
)
from coinslot.context import Context
from coinslot.kit.money import EXPONENTS, Money
from coinslot.merchants.keys import Caller
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments import attempts, idempotency, merchant_api
from coinslot.payments.api_views import ListQuery, PaymentStatement, RefundStatement
from coinslot.payments.receipt_contact import ContactError, contact

_STORABLE = r"^[^\x00]*$"  # PostgreSQL has no room for a zero character
# A page that names its host: no space, and no character that ends a header or hides one (`$` alone
# would let a last line feed pass).
_PAGE = r"^https?://[^\s/?#\\\x00-\x20\x7f-\x9f]+[^\s\\\x00-\x20\x7f-\x9f\u200b-\u206f]*$(?!\n)"
Amount = Annotated[int, Meta(gt=0, le=10**14, description="In minor units: 4000 is 40.00 rupees.")]
Found = TypeVar("Found")
Short = Annotated[str, Meta(max_length=255, pattern=_STORABLE)]
Reference = Annotated[str | None, QueryParameter(max_length=255, pattern=_STORABLE)]
Status = Literal[
    "created", "requires_action", "processing", "authorized", "succeeded", "failed", "canceled"
]


class NewPayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /payments takes."""

    amount: Amount
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["INR"])]
    reference: Short | None = None
    gateway: Short | None = None
    description: Short = ""
    metadata: Annotated[dict[Short, Short], Meta(max_length=50)] = {}
    return_url: Annotated[str, Meta(pattern=_PAGE, max_length=2048)] | None = None
    capture_method: Literal["automatic", "manual"] = "automatic"
    receipt_contact: Short | None = None


class Confirmation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /payments/{id}/confirm takes. `method` is the payer's, as the gateway names it."""

    method: Short | None = None


class NewCapture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /payments/{id}/capture takes. Without an amount, all that is held."""

    amount: Amount | None = None


class NewRefund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /payments/{id}/refunds takes. Without an amount, all that is left goes back."""

    amount: Amount | None = None
    reason: Short | None = None


class PaymentPage(Struct, frozen=True):
    """A page of payments, newest first; `next` is the `after` of the next page."""

    data: list[PaymentStatement]
    next: UUID | None


class RefundList(Struct, frozen=True):
    """All refunds of a payment, oldest first."""

    data: list[RefundStatement]


class Payments(SharedHandler):
    """Each call runs one verb of `payments/merchant_api.py`, for the merchant whose key it has."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(
        self, request: AnyRequest, data: JSONBody[NewPayment], key: IdempotencyKey = None
    ) -> Response[PaymentStatement]:
        """Make a payment. Nothing is charged before it is confirmed."""
        who = await self._caller(request, "payments:write")
        if data.currency not in EXPONENTS:
            raise RefusedError(422, "unknown_currency", f"{data.currency} is not a currency.")
        try:
            where = None if data.receipt_contact is None else contact(data.receipt_contact)
        except ContactError:
            raise RefusedError(
                422, "bad_receipt_contact", "receipt_contact is an e-mail address or +79161234567."
            ) from None
        ask = attempts.PaymentRequest(
            money=Money(data.amount, data.currency), reference=data.reference,
            gateway=data.gateway, description=data.description, metadata=data.metadata,
            return_url=data.return_url, capture_method=data.capture_method, live=who.live,
            receipt_contact=where,
        )  # fmt: skip
        await strictly(request, data)
        ticket = idempotent_call(who, "POST /payments", key, data)
        return await _answered(merchant_api.create(self._context, ticket, ask))

    async def listed(
        self,
        request: AnyRequest,
        status: FromQuery[Status | None] = None,
        reference: Reference = None,
        after: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
    ) -> PaymentPage:
        """Payments, newest first."""
        who = await self._caller(request, "payments:read")
        wanted = ListQuery(after=after, status=status, reference=reference, limit=limit)
        found = await merchant_api.payments(self._context, who.merchant, wanted)
        return PaymentPage(found, found[-1].id if len(found) == limit else None)

    async def one(self, request: AnyRequest, payment: FromPath[UUID]) -> PaymentStatement:
        """A payment with all its attempts."""
        who = await self._caller(request, "payments:read")
        return await _found(merchant_api.payment(self._context, who.merchant, payment))

    async def confirm(
        self,
        request: AnyRequest,
        payment: FromPath[UUID],
        data: JSONBody[Confirmation],
        key: IdempotencyKey = None,
    ) -> Response[PaymentStatement]:
        """Collect it: at once, with a next action for the payer, or still processing."""
        who = await self._caller(request, "payments:write")
        await strictly(request, data)
        ticket = idempotent_call(who, f"POST /payments/{payment}/confirm", key, data)
        return await _answered(merchant_api.confirm(self._context, ticket, payment, data.method))

    async def cancel(
        self, request: AnyRequest, payment: FromPath[UUID], key: IdempotencyKey = None
    ) -> Response[PaymentStatement]:
        """Call it off, as long as nobody has paid. What is authorized is let go (a void)."""
        who = await self._caller(request, "payments:write")
        ticket = idempotent_call(who, f"POST /payments/{payment}/cancel", key, None)
        return await _answered(merchant_api.cancel(self._context, ticket, payment))

    async def capture(
        self,
        request: AnyRequest,
        payment: FromPath[UUID],
        data: JSONBody[NewCapture],
        key: IdempotencyKey = None,
    ) -> Response[PaymentStatement]:
        """Take what is authorized, or a part of it: the rest is freed."""
        who = await self._caller(request, "payments:write")
        await strictly(request, data)
        ticket = idempotent_call(who, f"POST /payments/{payment}/capture", key, data)
        return await _answered(merchant_api.capture(self._context, ticket, payment, data.amount))

    async def give_back(
        self,
        request: AnyRequest,
        payment: FromPath[UUID],
        data: JSONBody[NewRefund],
        key: IdempotencyKey = None,
    ) -> Response[RefundStatement]:
        """Give money back: all that is left, or a part of it, as often as something is left."""
        who = await self._caller(request, "refunds:write")
        await strictly(request, data)
        ticket = idempotent_call(who, f"POST /payments/{payment}/refunds", key, data)
        limit = await limit_of_key(self._context, who)
        back = merchant_api.RefundRequest(amount=data.amount, reason=data.reason, limit=limit)
        return await _answered(merchant_api.request_refund(self._context, ticket, payment, back))

    async def refunds(self, request: AnyRequest, payment: FromPath[UUID]) -> RefundList:
        """All refunds of a payment, oldest first, also those that failed or were made elsewhere."""
        who = await self._caller(request, "payments:read")
        await _found(merchant_api.payment(self._context, who.merchant, payment))
        return RefundList(await merchant_api.refunds(self._context, who.merchant, payment))

    async def refund(self, request: AnyRequest, refund: FromPath[UUID]) -> RefundStatement:
        """A refund on its way."""
        who = await self._caller(request, "payments:read")
        return await _found(merchant_api.refund(self._context, who.merchant, refund))

    async def _caller(self, request: AnyRequest, scope: str) -> Caller:
        return await caller_of(self._context, request, scope)


async def _answered(call: Awaitable[idempotency.Answer]) -> Response[Any]:
    try:
        return replied(await call)
    except merchant_api.UnknownError as error:
        raise RefusedError(404, "not_found", str(error)) from None
    except merchant_api.AboveLimitError as error:
        raise above_limit(error) from None
    except merchant_api.RuledOutError as error:
        raise RefusedError(422, error.code, str(error)) from None
    except attempts.NoGatewayError as error:
        raise RefusedError(422, "no_gateway", str(error)) from None
    except attempts.UnknownGatewayError as error:
        raise RefusedError(422, "unknown_gateway", str(error)) from None
    except attempts.NotTakenError as error:
        raise RefusedError(422, "gateway_limit", str(error), dict(error.fields)) from None
    except attempts.GatewayUnavailableError as error:
        raise RefusedError(503, "gateway_unavailable", str(error)).with_header(
            "Retry-After", str(error.retry_after_s)
        ) from None
    except idempotency.KeyReusedError as error:
        raise reused(error) from None
    except idempotency.KeyBusyError as error:
        raise busy(error) from None


async def _found(call: Awaitable[Found]) -> Found:
    try:
        return await call
    except merchant_api.UnknownError as error:
        raise RefusedError(404, "not_found", str(error)) from None
