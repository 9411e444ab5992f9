"""The pages in front of an outlet: what it sells, and how to find a payment that has no link."""

import re
from typing import Annotated

from litestar import Response
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery, PathParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from coinslot.kit.clock import Clock
from coinslot.kit.ids import token
from coinslot.sales.views import NotNowError, OutletView, WhyNot
from coinslot.web.desk import Basket, Desk
from coinslot.web.errors import RefusedError
from coinslot.web.painting import STORABLE, Answer, AnyRequest, Painter
from coinslot.web.search import UnreadableError, minor_of, minute_of
from coinslot.web.single import Single

Code = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]


class Tap(Struct):
    """The form behind a pay button."""

    slot: Annotated[str, Meta(min_length=1, max_length=32, pattern=STORABLE)]
    key: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{16,64}\Z")]


TapForm = Annotated[Tap, Body(media_type=RequestEncodingType.URL_ENCODED)]

# Back and forward show the page as it was, with its key, so that a second tap finds the first
# order; a new scan asks again. A browser forgets a page when it posts to the same address: that
# is why the form's address ends in "?tap=1".
_KEPT_FOR_BACK = "private, no-cache"


class Pages(Single):
    """Reads the form, calls one verb, shows or redirects."""

    def __init__(self, desk: Desk, painter: Painter, clock: Clock) -> None:
        self._desk = desk
        self._painter = painter
        self._clock = clock

    async def home(self, request: AnyRequest) -> Response[str]:
        return self._painter.page(request, "home.html", Answer(cache="public, max-age=300"))

    async def by_code(self, request: AnyRequest, outlet: FromQuery[str] = "") -> Redirect:
        """A code typed on the first page."""
        typed = re.sub(r"[^A-Za-z0-9_-]", "", outlet)[:32]
        known = typed and await self._desk.outlet(typed)
        code = typed if known else typed.upper()
        pen = self._painter.pen(request)
        return Redirect(pen.link("q", code) if code else pen.link(), status_code=303)

    async def outlet(self, request: AnyRequest, outlet: Code) -> Response[str]:
        return self._outlet(request, await self._known(outlet))

    async def place(self, request: AnyRequest, outlet: Code, data: TapForm) -> Response[str]:
        try:
            order = await self._desk.place(Basket(outlet=outlet, slot=data.slot, key=data.key))
        except NotNowError as refused:
            return self._outlet(request, await self._known(outlet), refused.why_not)
        return Redirect(self._painter.pen(request).link("o", order), status_code=303)

    async def find(
        self,
        request: AnyRequest,
        outlet: Code,
        amount: FromQuery[str] = "",
        time: FromQuery[str] = "",
    ) -> Response[str]:
        view = await self._known(outlet)
        found, unreadable = None, False
        if amount or time:
            try:
                minor = minor_of(amount, view.currency)
                minute = minute_of(time, self._clock.now(), self._painter.site.zone)
                found = await self._desk.find(view.code, minor, minute)
            except UnreadableError:
                unreadable = True
        typed = {"amount": amount[:20], "time": time[:8]}
        return self._painter.page(
            request, "find.html", outlet=view, found=found, unreadable=unreadable, typed=typed
        )

    def _outlet(
        self, request: AnyRequest, view: OutletView, refused: WhyNot = WhyNot.READY
    ) -> Response[str]:
        why_not = refused or view.why_not
        answer = Answer(status=409 if refused else 200, cache=_KEPT_FOR_BACK)
        keys = {item.slot: token() for item in view.items}
        values = {"outlet": view, "why_not": why_not.value, "keys": keys}
        return self._painter.page(request, "outlet.html", answer, **values)

    async def _known(self, code: str) -> OutletView:
        view = await self._desk.outlet(code)
        if view is None:
            message = "No outlet has this code."
            details: dict[str, object] = {"code": code}
            raise RefusedError(404, "no_such_outlet", message, details, sentence="unknown_outlet")
        return view
