"""Stock over HTTP: what lies in a machine, refill visits, routes, and what to pack for one."""

from datetime import date
from typing import Annotated, Any

from litestar import Response
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from coinslot.api.api_calls import (
    IdempotencyKey,
    busy,
    idempotent_call,
    replied,
    reused,
    strictly,
)
from coinslot.api.machines import call_counted, code_of, editor_of, found
from coinslot.context import Context
from coinslot.outlets.machines import UnknownSlotError
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments.idempotency import KeyBusyError, KeyReusedError
from coinslot.stock import routes, visits
from coinslot.stock.routes import (
    DayError,
    PickList,
    Route,
    RouteError,
    RouteName,
    UnknownRouteError,
)
from coinslot.stock.slots import MachineStock, stock_of
from coinslot.stock.visits import NewVisit, SlotTwiceError, Visit

OfRoute = Annotated[
    str | None,
    QueryParameter(
        description="Of which route; left out, of every machine, by code.",
        max_length=60,
        pattern=STORABLE,
    ),
]
On = Annotated[
    date | None,
    QueryParameter(
        description="The day of the visit, such as `2026-12-03`; left out, today. What is usually"
        " sold until then is taken off."
    ),
]
Code = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,32}\Z")]


class WantedRoute(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What PUT /routes/{route} takes."""

    machines: Annotated[list[Code], Meta(max_length=routes.MACHINES_AT_MOST)]


class RouteList(Struct, frozen=True, kw_only=True):
    """Every route, by name."""

    routes: list[Route]


class Stock(SharedHandler):
    """The guard of each route says who may call it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def read(self, request: AnyRequest, machine: FromPath[str]) -> MachineStock:
        """Each slot: how many lie there, of which lots, and when they are likely gone."""
        merchant = editor_of(request).merchant
        return await found(stock_of(self._context, merchant, code_of(machine)))

    async def refill(
        self,
        request: AnyRequest,
        machine: FromPath[str],
        data: JSONBody[NewVisit],
        key: IdempotencyKey = None,
    ) -> Response[Visit]:
        """What lay in slots before a visit, and what lies there now."""
        await strictly(request, data)
        editor, code = editor_of(request), code_of(machine)
        ticket = idempotent_call(call_counted(request), f"POST /machines/{code}/refills", key, data)
        try:
            answer: Response[Any] = replied(
                await found(visits.visit_once(self._context, editor, ticket, code, data))
            )
        except (UnknownSlotError, SlotTwiceError) as error:
            raise RefusedError(422, "invalid_refill", f"{error}.") from None
        except KeyReusedError as error:
            raise reused(error) from None
        except KeyBusyError as error:
            raise busy(error) from None
        return answer

    async def pick_list(
        self, request: AnyRequest, route: OfRoute = None, on: On = None
    ) -> PickList:
        """What to bring to each machine of a route, and of each product in all."""
        merchant = editor_of(request).merchant
        try:
            return await routes.pick_list(self._context, merchant, route, on)
        except UnknownRouteError:
            raise _no_route() from None
        except DayError as error:
            raise RefusedError(422, "invalid_day", f"{error}.") from None

    async def list_routes(self, request: AnyRequest) -> RouteList:
        """Every route, by name."""
        merchant = editor_of(request).merchant
        return RouteList(routes=await routes.routes(self._context, merchant))

    async def put_route(
        self, request: AnyRequest, route: FromPath[str], data: JSONBody[WantedRoute]
    ) -> Route:
        """A new route, or the machines of one that there is in another order."""
        await strictly(request, data)
        try:
            return await routes.put_route(
                self._context, editor_of(request), _name(route), data.machines
            )
        except RouteError as error:
            raise RefusedError(422, "invalid_route", f"{error}.") from None

    async def drop_route(self, request: AnyRequest, route: FromPath[str]) -> None:
        """Its machines stay as they are."""
        if "\x00" in route:
            raise _no_route()
        try:
            await routes.drop_route(self._context, editor_of(request), route)
        except UnknownRouteError:
            raise _no_route() from None


def _name(route: str) -> RouteName:
    """Raises RefusedError."""
    name = route.strip()
    if not name or len(name) > 60 or "\x00" in name or "/" in name:
        raise RefusedError(422, "invalid_route", "A route's name has 1 to 60 characters, no /.")
    return name


def _no_route() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such route.")
