"""The merchant's webhooks over HTTP: endpoints, their secrets, and the log of deliveries."""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType

from coinslot.api.api_calls import (
    IdempotencyKey,
    busy,
    caller_of,
    idempotent_call,
    replied,
    reused,
    strictly,
)
from coinslot.api.events import known
from coinslot.context import Context
from coinslot.events.webhooks import deliveries
from coinslot.events.webhooks.deliveries import (
    DeliveryLog,
    DeliveryStatement,
    Range,
    Replayed,
    UnknownDeliveryError,
    WantedDeliveries,
)
from coinslot.events.webhooks.endpoints import (
    Change,
    EndpointRequest,
    EndpointRuleError,
    Endpoints,
    EndpointStatement,
    UnknownEndpointError,
)
from coinslot.events.webhooks.signing import HookRules
from coinslot.merchants.keys import Caller
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments.idempotency import Answer, KeyBusyError, KeyReusedError

Found = TypeVar("Found")
Url = Annotated[str, Meta(max_length=2048, examples=["https://shop.example/hooks"])]
Short = Annotated[str, Meta(max_length=255, pattern=STORABLE)]
Type = Annotated[str, Meta(max_length=64, examples=["payment.succeeded"])]
Types = Annotated[
    list[Type], Meta(max_length=50, description="Which events are sent; none means all.")
]
Status = Literal["pending", "delivered", "given_up", "withdrawn"]


class NewEndpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /webhook_endpoints takes."""

    url: Url
    description: Short = ""
    types: Types = []


class EndpointChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What PATCH /webhook_endpoints/{id} takes; what is left out stays as it is."""

    url: Url | UnsetType = UNSET
    description: Short | UnsetType = UNSET
    types: Types | UnsetType = UNSET
    status: Literal["enabled", "paused"] | UnsetType = UNSET


class NewReplay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /webhook_endpoints/{id}/replay takes: from `since`, before `until`."""

    since: Annotated[datetime, Meta(tz=True)]
    until: Annotated[datetime, Meta(tz=True)]
    types: Types = []


class EndpointList(Struct, frozen=True):
    """All endpoints of a merchant, oldest first."""

    data: list[EndpointStatement]


class DeliveryPage(Struct, frozen=True):
    """Deliveries, newest first; `next` is the `after` of the next page."""

    data: list[DeliveryStatement]
    next: UUID | None


class Hooks(SharedHandler):
    """Each call runs one verb of `events/webhooks`, with a key of the scope webhooks:write."""

    def __init__(self, context: Context, rules: HookRules) -> None:
        self._context = context
        self._endpoints = Endpoints(context, rules)

    async def create(
        self, request: AnyRequest, data: JSONBody[NewEndpoint], key: IdempotencyKey = None
    ) -> Response[EndpointStatement]:
        """Name an address for webhooks. Its secret is in this answer, and in no other call's."""
        who = await self._reader(request)
        await strictly(request, data)
        wish = EndpointRequest(url=data.url, description=data.description, types=tuple(data.types))
        ticket = idempotent_call(who, "POST /webhook_endpoints", key, data)
        return await _answered(self._endpoints.create(ticket, wish))

    async def listed(self, request: AnyRequest) -> EndpointList:
        """All endpoints."""
        who = await self._caller(request)
        return EndpointList(await self._endpoints.listed(who.merchant))

    async def one(self, request: AnyRequest, endpoint: FromPath[UUID]) -> EndpointStatement:
        """An endpoint, and how it does."""
        who = await self._caller(request)
        return await _found(self._endpoints.one(who.merchant, endpoint))

    async def change(
        self, request: AnyRequest, endpoint: FromPath[UUID], data: JSONBody[EndpointChange]
    ) -> EndpointStatement:
        """Change it, pause it, enable it again. While it is paused, what it misses waits."""
        who = await self._caller(request)
        await strictly(request, data)
        change = Change(
            url=data.url,
            description=data.description,
            types=UNSET if isinstance(data.types, UnsetType) else tuple(data.types),
            status=data.status,
        )
        return await _found(self._endpoints.change(who.merchant, endpoint, change))

    async def remove(self, request: AnyRequest, endpoint: FromPath[UUID]) -> None:
        """Remove it: what it is still owed is withdrawn."""
        who = await self._caller(request)
        await _found(self._endpoints.remove(who.merchant, endpoint))

    async def rotate(
        self, request: AnyRequest, endpoint: FromPath[UUID], key: IdempotencyKey = None
    ) -> Response[EndpointStatement]:
        """A new secret, in this answer and in no other call's. The old one signs beside it."""
        who = await self._caller(request)
        ticket = idempotent_call(
            who, f"POST /webhook_endpoints/{endpoint}/rotate_secret", key, None
        )
        return await _answered(self._endpoints.rotate(ticket, endpoint))

    async def test(
        self, request: AnyRequest, endpoint: FromPath[UUID], key: IdempotencyKey = None
    ) -> Response[EndpointStatement]:
        """Send it a `webhook.test`. What came of it is the newest of its deliveries."""
        who = await self._caller(request)
        ticket = idempotent_call(who, f"POST /webhook_endpoints/{endpoint}/test", key, None)
        return await _answered(self._endpoints.test(ticket, endpoint))

    async def replay(
        self,
        request: AnyRequest,
        endpoint: FromPath[UUID],
        data: JSONBody[NewReplay],
        key: IdempotencyKey = None,
    ) -> Response[Replayed]:
        """Send the events of a range again, with the ids that they had."""
        who = await self._reader(request)
        await strictly(request, data)
        ticket = idempotent_call(who, f"POST /webhook_endpoints/{endpoint}/replay", key, data)
        span = Range(since=data.since, until=data.until, types=known(data.types))
        return await _answered(deliveries.replay(self._context, ticket, endpoint, span))

    async def log(
        self,
        request: AnyRequest,
        endpoint: FromQuery[UUID | None] = None,
        status: FromQuery[Status | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Annotated[int, QueryParameter(ge=1, le=100)] = 20,
    ) -> DeliveryPage:
        """Deliveries, newest first."""
        who = await self._caller(request)
        wanted = WantedDeliveries(after=after, endpoint=endpoint, status=status, limit=limit)
        found = await deliveries.listed(self._context, who.merchant, wanted)
        return DeliveryPage(found, found[-1].id if len(found) == limit else None)

    async def delivery(self, request: AnyRequest, delivery: FromPath[UUID]) -> DeliveryLog:
        """A delivery with each of its tries."""
        who = await self._caller(request)
        return await _found(deliveries.one(self._context, who.merchant, delivery))

    async def redeliver(
        self, request: AnyRequest, delivery: FromPath[UUID], key: IdempotencyKey = None
    ) -> Response[DeliveryStatement]:
        """Send it again, whatever came of it."""
        who = await self._caller(request)
        ticket = idempotent_call(who, f"POST /webhook_deliveries/{delivery}/redeliver", key, None)
        return await _answered(deliveries.redeliver(self._context, ticket, delivery))

    async def _reader(self, request: AnyRequest) -> Caller:
        """What makes events go to an address lets their reader read them."""
        await caller_of(self._context, request, "events:read")
        return await self._caller(request)

    async def _caller(self, request: AnyRequest) -> Caller:
        return await caller_of(self._context, request, "webhooks:write")


async def _answered(call: Awaitable[Answer]) -> Response[Any]:
    try:
        return replied(await _found(call))
    except KeyReusedError as error:
        raise reused(error) from None
    except KeyBusyError as error:
        raise busy(error) from None


async def _found(call: Awaitable[Found]) -> Found:
    try:
        return await call
    except (UnknownEndpointError, UnknownDeliveryError) as error:
        raise RefusedError(404, "not_found", str(error)) from None
    except EndpointRuleError as error:
        raise RefusedError(422, error.code, str(error)) from None
