"""The page of an order, for its whole life."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from litestar import Response
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery, PathParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from coinslot.kit import qr
from coinslot.kit.clock import Clock
from coinslot.kit.ids import token
from coinslot.orders.page_views import NotNowError, OrderView, WayView, WhyNot
from coinslot.pages import assets, order_progress, security
from coinslot.pages.backend import Backend
from coinslot.pages.errors import RefusedError
from coinslot.pages.order_progress import Phase
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler

Token = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]


# It contains the time, which clocks on the page start from: no copy is much older.
_PAINTED_FOR_MS = 500


class Asked(StrEnum):
    """Who was asked because the customer requested it. Each has its own text in each phase."""

    NOBODY = ""
    GATEWAY = "gateway"  # "I have paid"
    MACHINE = "machine"  # "nothing came out"


class PayTap(Struct):
    """The form behind a button of a way to pay. Without a way it is the first that works."""

    way: Annotated[str, Meta(max_length=64, pattern=STORABLE)] = ""
    key: Annotated[str, Meta(pattern=r"\A([A-Za-z0-9_-]{16,64})?\Z")] = ""


PayForm = Annotated[PayTap, Body(media_type=RequestEncodingType.URL_ENCODED)]


class Orders(SharedHandler):
    """Reads the link, calls one verb, shows or redirects."""

    def __init__(self, backend: Backend, renderer: Renderer, clock: Clock) -> None:
        self._backend = backend
        self._renderer = renderer
        self._clock = clock
        self._told: dict[tuple[object, ...], tuple[int, str]] = {}

    async def show(
        self,
        request: AnyRequest,
        order: Token,
        check: FromQuery[bool] = False,
        asked: FromQuery[Asked] = Asked.NOBODY,
        go: FromQuery[bool] = False,
    ) -> Response[str]:
        """`check`: a page without JavaScript reloads with it to have the gateway asked. `go`: the
        customer has just chosen a way, and is led on to the gateway's page."""
        if check:
            await self._backend.ask_gateway(order)
        return self._page(request, await self.known(order), asked, go=go)

    def _page(
        self,
        request: AnyRequest,
        view: OrderView,
        asked: Asked = Asked.NOBODY,
        refused: WhyNot = WhyNot.READY,
        *,
        go: bool = False,
    ) -> Response[str]:
        values = self.template_values(view, asked, refused)
        picture = values["picture"] and security.origin(str(values["picture"]))
        images = (*self._renderer.site.image_sources, *((picture,) if picture else ()))
        formatter = self._renderer.formatter(request, view.brand.languages)
        again = {"check": "1"} if values["unpaid"] else {}
        again |= {"asked": asked.value} if asked else {}
        again |= {"go": "1"} if go and values["phase"] == Phase.PREPARING.value else {}
        page = self._renderer.page(
            request,
            "order.html",
            Answer(images=images, status=409 if refused else 200),
            view.kind,
            brand=view.brand,
            here_again=formatter.link("o", view.token, **again),
            leads_to=values["link"] if go else None,
            script=assets.address("live.js"),
            **values,
        )
        if view.asks_where:
            security.may_ask_where(page)
        return page

    async def fragment(
        self,
        request: AnyRequest,
        order: Token,
        seen: FromQuery[int] = 0,
        asked: FromQuery[Asked] = Asked.NOBODY,
    ) -> Response[str | None]:
        """For polling: nothing, and one cheap statement, when the version was seen already."""
        version = await self._backend.version(order)
        mark = f'"{version}"'
        headers = {"Cache-Control": "no-store", "ETag": mark}
        if version is not None and request.headers.get("if-none-match") == mark:
            return Response(None, status_code=304, headers=headers)
        if version is not None and version == seen:
            return Response(None, status_code=204, headers=headers)
        text = self.changing_part(request, await self.known(order), asked)
        return Response(text, media_type="text/html; charset=utf-8", headers=headers)

    def changing_part(self, request: AnyRequest, view: OrderView, asked: Asked) -> str:
        """The changing part, rendered once for all who look at this version in this language."""
        formatter = self._renderer.formatter(request, view.brand.languages)
        key = (view.token, view.version, formatter.words.code, formatter.lang, asked)
        at_ms = self._clock.monotonic_ms()
        known = self._told.get(key)
        if known is None or at_ms - known[0] > _PAINTED_FOR_MS:
            self._told = {
                one: told for one, told in self._told.items() if at_ms - told[0] <= _PAINTED_FOR_MS
            }
            known = (
                at_ms,
                self._renderer.fragment(
                    request,
                    "progress.html",
                    view.kind,
                    brand=view.brand,
                    **self.template_values(view, asked),
                ),
            )
            self._told[key] = known
        return known[1]

    async def check(self, request: AnyRequest, order: Token) -> Redirect:
        await self.known(order)
        await self._backend.ask_gateway(order)
        return self._back(request, order, Asked.GATEWAY)

    async def pay(self, request: AnyRequest, order: Token, data: PayForm) -> Response[str]:
        """The step to a gateway: a call of it needs a tap, and happens once. The answer leads to
        our own page and from there on: no browser follows a form to another site."""
        await self.known(order)
        try:
            begun = await self._backend.pay(order, data.way, data.key or None)
        except NotNowError as refused:
            return self._page(request, await self.known(order), refused=refused.why_not)
        return self._back(request, order, go=begun)

    async def nothing_came_out(self, request: AnyRequest, order: Token) -> Redirect:
        await self.known(order)
        await self._backend.ask_machine(order)
        return self._back(request, order, Asked.MACHINE)

    async def came(self, request: AnyRequest, order: Token) -> Redirect:
        """Where the page asks, since only the customer knows."""
        if (await self.known(order)).asks:
            await self._backend.has_come(order)
        return self._back(request, order)

    def _back(
        self, request: AnyRequest, order: str, asked: Asked = Asked.NOBODY, *, go: bool = False
    ) -> Redirect:
        said = ({"asked": asked.value} if asked else {}) | ({"go": "1"} if go else {})
        return Redirect(self._renderer.formatter(request).link("o", order, **said), status_code=303)

    async def known(self, order: str) -> OrderView:
        view = await self._backend.order(order)
        if view is None:
            message = "No order has this link."
            raise RefusedError(404, "no_such_order", message, sentence="unknown_order")
        return view

    def template_values(
        self, order: OrderView, asked: Asked, refused: WhyNot = WhyNot.READY
    ) -> dict[str, object]:
        """All values that the templates need about an order."""
        now = self._clock.now()
        shown = order_progress.phase(order, now)
        site = self._renderer.site
        final = order_progress.is_final(shown)
        refresh_s = order_progress.REFRESH_S.get(shown, None if final else 5)
        return {
            "order": order,
            "phase": shown.value,
            "steps": order_progress.steps(order, shown),
            "waiting": shown in order_progress.WAITING,
            "unpaid": shown in order_progress.UNPAID,
            "picture": _picture(order, shown),
            "link": _link(order, shown),
            "scanned": _scanned(order, shown),
            "code_picture": None if order.code_text is None else qr.svg(order.code_text),
            "ways": [] if shown is Phase.EXPIRED else _ways(order),
            "keys": {way.name: token() for way in order.ways},
            "helpful": order_progress.may_ask_machine(order, shown),
            "countdown_from": self._countdown_from(order, shown),
            "refresh_s": refresh_s,
            "ask_after_s": site.ask_gateway_after.total_seconds(),
            "final": final,
            "asked": asked.value,
            "reply": _answer(asked, shown),
            "refused": refused.value,
            "now": now,
        }

    def _countdown_from(self, order: OrderView, shown: Phase) -> datetime | None:
        """From when on the countdown to the refund is shown; None for no countdown."""
        promised = order.refund_by is not None and order.money.minor > 0
        if not promised or order.paid_at is None or shown not in order_progress.WAITING:
            return None
        return order.paid_at + self._renderer.site.countdown_after


def _picture(order: OrderView, shown: Phase) -> str | None:
    """The address of the code to pay, where it is one that a page may show."""
    if shown not in (Phase.SCAN, Phase.LINK) or order.pay is None:
        return None
    address = order.pay.image_url
    return address if address is not None and security.origin(address) else None


def _link(order: OrderView, shown: Phase) -> str | None:
    """Where the customer pays, where a page may lead there."""
    address = order.pay.url if order.pay is not None and shown is Phase.LINK else None
    return address if address is not None and security.leads_to_payment(address) else None


def _scanned(order: OrderView, shown: Phase) -> str | None:
    """The same for another phone: a picture that we draw of what the gateway issued."""
    if shown is not Phase.LINK or order.pay is None or order.pay.text is None:
        return None
    return qr.svg(order.pay.text)


def _ways(order: OrderView) -> list[WayView]:
    """The ways that are not under way already."""
    return [way for way in order.ways if way.name != order.way_now]


def _answer(asked: Asked, shown: Phase) -> str | None:
    """The text that answers what the customer said, in this phase; None where the phase itself
    says enough."""
    if asked is Asked.GATEWAY:
        waits = shown in (Phase.SCAN, Phase.LINK, Phase.PREPARING)
        return "not_seen_yet" if waits else None
    if asked is Asked.MACHINE:
        return _ANSWERS.get(shown)
    return None


# A machine is asked about what it has not reported yet; what it has reported, only a person can
# change.
_ANSWERS = {
    Phase.QUEUED: "asked_queued",
    Phase.SENDING: "asked",
    Phase.WORKING: "asked",
    Phase.CHECKING: "asked",
    Phase.DONE: "asked_done",
    Phase.PARTLY: "asked_partly",
}
