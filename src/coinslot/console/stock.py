"""Stock at the console: what lies in a machine, a refill visit on a phone, what to bring on a
route, and the routes themselves."""

from collections.abc import AsyncIterator
from datetime import date
from http import HTTPStatus
from typing import Any, Final

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect, Stream

from coinslot.console import exports, forms
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.kit.numbers import whole
from coinslot.outlets.machines import UnknownOutletError, UnknownSlotError
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn
from coinslot.stock import routes, visits
from coinslot.stock.routes import DayError, PickList, RouteError, UnknownRouteError
from coinslot.stock.slots import MachineStock, stock_of
from coinslot.stock.visits import NewVisit, VisitLine

_VISITS: Final = 5
_MOST: Final = 10_000
_FIELDS: Final = 280  # of one form: with more slots a phone is asked for less of each
_COLUMNS: Final = ("route", "on", "machine", "place", "slot", "sku", "product", "left", "par",
                   "will_sell", "bring")  # fmt: skip


class VisitFormError(Exception):
    """What was typed for a slot is no count, or no date."""

    def __init__(self, text: str, slot: str) -> None:
        super().__init__(text)
        self.text = text
        self.slot = slot


class StockPages(SharedHandler):
    """Each page asks one verb of `stock`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def machine(self, request: AnyRequest, machine: FromPath[str]) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        found = await self._known(request, machine)
        last = await visits.last_visits(self._context, merchant, machine, _VISITS)
        return await self._frame.page(request, "stock.html", found=found, visits=last)

    async def ask(self, request: AnyRequest, machine: FromPath[str]) -> Response[str]:
        return await self._asked(request, machine)

    async def refill(self, request: AnyRequest, machine: FromPath[str]) -> Response[str] | Redirect:
        """What was counted; `do=full` says that every slot lies at its par level now."""
        form = await forms.read(request)
        found = await self._known(request, machine)
        try:
            wanted = _visit(form, found)
        except VisitFormError as error:
            said = self._frame.texts(request)[error.text].format(slot=error.slot, most=_MOST)
            return await self._asked(request, machine, form, said)

        async def work(who: SignedIn) -> Done:
            await visits.visit(self._context, editor_of(who), machine, wanted)
            to = self._frame.to(request, "machines", machine, "stock", done="refilled")
            return Done(to=to)

        try:
            return await once(self._context, request, form, work)
        except UnknownSlotError:
            raise RefusedError(404, "not_found", "There is no such slot.") from None

    async def refills(self, request: AnyRequest) -> Response[str]:
        """What to bring, to be read at a desk, on paper and on the way."""
        found, problem = await self._picked(request)
        every = await routes.routes(self._context, merchant_of(signed_in(request)))
        return await self._frame.page(
            request, "refills.html", found=found, every=every, problem=problem,
            typed=request.query_params.get("on", ""),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip

    async def refills_file(self, request: AnyRequest) -> Stream:
        found, problem = await self._picked(request)
        if problem:
            raise RefusedError(422, "invalid_day", problem)
        name = f"refill-{found.on.isoformat()}.csv"
        return _file(name, exports.plain_csv(_COLUMNS, _lines(found)))

    async def routes(self, request: AnyRequest) -> Response[str]:
        return await self._routes(request)

    async def put_route(self, request: AnyRequest) -> Response[str] | Redirect:
        """A new route, another order of one that there is, or its end."""
        form = await forms.read(request)
        name, drops = form.one("name", 60), form.one("do") == "drop"
        codes = form.raw("machines").replace(",", " ").split()
        if not name or "/" in name or len(codes) > routes.MACHINES_AT_MOST:
            said = self._frame.texts(request)["problem_route_name"]
            return await self._routes(request, form, said)

        async def work(who: SignedIn) -> Done:
            if drops:
                await routes.drop_route(self._context, editor_of(who), name)
            else:
                await routes.put_route(self._context, editor_of(who), name, codes)
            return Done(to=self._frame.to(request, "refills", "routes", done="route"))

        try:
            return await once(self._context, request, form, work)
        except UnknownRouteError:
            raise RefusedError(404, "not_found", "There is no such route.") from None
        except RouteError as error:
            said = self._frame.texts(request)["problem_route"].format(why=str(error))
            return await self._routes(request, form, said)

    async def _picked(self, request: AnyRequest) -> tuple[PickList, str]:
        """Of the route and the day that the address names; of today where it names none of ours."""
        merchant = merchant_of(signed_in(request))
        route = request.query_params.get("route") or None
        typed, problem = request.query_params.get("on", ""), ""
        try:
            on = date.fromisoformat(typed) if typed else None
            return await routes.pick_list(self._context, merchant, route, on), ""
        except UnknownRouteError:
            raise RefusedError(404, "not_found", "There is no such route.") from None
        except (ValueError, DayError):
            problem = self._frame.texts(request)["problem_day"]
        return await routes.pick_list(self._context, merchant, route), problem

    async def _asked(
        self, request: AnyRequest, machine: str, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        found = await self._known(request, machine)
        return await self._frame.page(
            request, "refill.html", found=found, form=form, problem=problem,
            asks_before=2 * len(found.slots) <= _FIELDS,
            asks_until=3 * len(found.slots) <= _FIELDS,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip

    async def _routes(
        self, request: AnyRequest, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        every = await routes.routes(self._context, merchant_of(signed_in(request)))
        return await self._frame.page(
            request, "routes.html", every=every, form=form, problem=problem,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip

    async def _known(self, request: AnyRequest, machine: str) -> MachineStock:
        try:
            return await stock_of(self._context, merchant_of(signed_in(request)), machine)
        except UnknownOutletError:
            raise RefusedError(404, "not_found", "There is no such machine.") from None


def _visit(form: Form, found: MachineStock) -> NewVisit:
    """Raises VisitFormError."""
    full, lines = form.one("do") == "full", []
    for slot in found.slots:
        name = slot.slot
        after = _count(form, "after", name)
        if after is None and full and slot.par:
            after = slot.par
        if after is not None:
            lines.append(VisitLine(slot=name, after=after, before=_count(form, "before", name),
                                   expires_on=_day(form, name)))  # fmt: skip
    if not lines:
        raise VisitFormError("problem_refill_nothing", "")
    return NewVisit(slots=lines, note=form.one("note", 500))


def _count(form: Form, what: str, slot: str) -> int | None:
    typed = form.one(f"{what}_{slot}", 10)
    if not typed:
        return None
    count = whole(typed, _MOST)
    if count is None:
        raise VisitFormError("problem_refill_count", slot)
    return count


def _day(form: Form, slot: str) -> date | None:
    typed = form.one(f"until_{slot}", 10)
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise VisitFormError("problem_refill_day", slot) from None


def _lines(found: PickList) -> list[list[str]]:
    return [
        [found.route or "", found.on.isoformat(), stop.code, stop.place, line.slot, line.sku,
         line.product, str(line.left), str(line.par),
         "" if line.will_sell is None else str(line.will_sell), str(line.bring)]
        for stop in found.stops for line in stop.lines
    ]  # fmt: skip


def _file(name: str, content: AsyncIterator[bytes]) -> Stream:
    headers: dict[str, Any] = {
        "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store",
    }  # fmt: skip
    return Stream(content, media_type="text/csv; charset=utf-8", headers=headers)
