"""The pages in front of an outlet: what it sells, and how to find a payment that has no link."""

import re
from datetime import datetime
from typing import Annotated

from litestar import Response
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery, PathParameter
from litestar.response import Redirect
from msgspec import Meta, Struct
from msgspec.structs import replace

from coinslot.kit.clock import Clock
from coinslot.kit.ids import token
from coinslot.kit.money import Money
from coinslot.orders.page_views import NotNowError, OrderView, OutletView, WhyNot
from coinslot.pages import browser, order_progress, peer
from coinslot.pages.backend import Backend, Basket
from coinslot.pages.errors import RefusedError
from coinslot.pages.order_progress import Phase
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Renderer
from coinslot.pages.search import UnreadableError, minor_of, minutes_of, reference_of
from coinslot.pages.shared_handler import SharedHandler

Code = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]


class Tap(Struct):
    """The form behind a pay button."""

    slot: Annotated[str, Meta(min_length=1, max_length=32, pattern=STORABLE)]
    key: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{16,64}\Z")]


TapForm = Annotated[Tap, Body(media_type=RequestEncodingType.URL_ENCODED)]


class Known(Struct):
    """The form of someone who paid: the payment's reference in the bank's app."""

    reference: Annotated[str, Meta(max_length=100, pattern=STORABLE)]


KnownForm = Annotated[Known, Body(media_type=RequestEncodingType.URL_ENCODED)]


class PaymentOutcome(Struct, frozen=True, kw_only=True):
    """The outcome of a payment, as far as a stranger may know it."""

    price: Money
    items: str
    at: datetime
    phase: str


class Said(Struct, frozen=True, kw_only=True):
    """What was typed, and the answer to it."""

    amount: str = ""
    time: str = ""
    reference: str = ""
    found: tuple[PaymentOutcome, ...] | None = None
    unreadable: bool = False
    unknown: bool = False


# Back and forward show the page as it was, with its key, so that a second tap finds the first
# order; a new scan loads the page again. A browser drops a page when it posts to the same address:
# therefore the form's address ends in "?tap=1".
_OPEN = order_progress.WAITING | {
    Phase.TO_PAY, Phase.PREPARING, Phase.SCAN, Phase.LINK,
}  # fmt: skip
_KEPT_FOR_BACK = "private, no-cache"


class Pages(SharedHandler):
    """Reads the form, calls one verb, shows or redirects."""

    def __init__(self, backend: Backend, renderer: Renderer, clock: Clock) -> None:
        self._backend = backend
        self._renderer = renderer
        self._clock = clock

    async def home(self, request: AnyRequest) -> Response[str]:
        return self._renderer.page(request, "home.html", Answer(cache="public, max-age=300"))

    async def by_code(self, request: AnyRequest, outlet: FromQuery[str] = "") -> Redirect:
        """A code typed on the first page."""
        typed = re.sub(r"[^A-Za-z0-9_-]", "", outlet)[:32]
        known = typed and await self._backend.outlet(typed)
        code = typed if known else typed.upper()
        formatter = self._renderer.formatter(request)
        return Redirect(formatter.link("q", code) if code else formatter.link(), status_code=303)

    async def outlet(self, request: AnyRequest, outlet: Code) -> Response[str]:
        view = await self._known(outlet)
        if view.address is not None:
            return Redirect(view.address, status_code=303)
        return await self._outlet(request, view)

    async def place(self, request: AnyRequest, outlet: Code, data: TapForm) -> Response[str]:
        name = browser.named(request)
        basket = Basket(
            outlet=outlet,
            slot=data.slot,
            key=data.key,
            browser=name,
            network=peer.network(request),
        )
        try:
            order = await self._backend.place(basket)
        except NotNowError as refused:
            return await self._outlet(request, await self._known(outlet), refused.why_not)
        answer = Redirect(self._renderer.formatter(request).link("o", order), status_code=303)
        browser.remember(request, answer, name)
        return answer

    async def find(
        self,
        request: AnyRequest,
        outlet: Code,
        amount: FromQuery[str] = "",
        time: FromQuery[str] = "",
        reference: FromQuery[str] = "",
    ) -> Response[str]:
        """The outcome of a payment, for anyone who asks: no link, no number, no name. Amount and
        minute can be guessed."""
        view = await self._known(outlet)
        said = Said(amount=amount[:20], time=time[:8], reference=reference[:64])
        if amount or time:
            try:
                minor = minor_of(amount, view.currency)
                zone = self._renderer.site.zone_of(view.zone)
                minutes = minutes_of(time, self._clock.now(), zone)
                orders = await self._backend.find(view.code, minor, minutes)
                said = replace(said, found=tuple(map(self._outcome_of, orders)))
            except UnreadableError:
                said = replace(said, unreadable=True)
        return await self._finder(request, view, said)

    def _outcome_of(self, order: OrderView) -> PaymentOutcome:
        return PaymentOutcome(
            price=order.money,
            items=", ".join(unit.name for unit in order.units),
            at=order.paid_at or order.placed_at,
            phase=order_progress.phase(order, self._clock.now()).value,
        )

    async def open(self, request: AnyRequest, outlet: Code, data: KnownForm) -> Response[str]:
        """The order's page, for someone who knows what only its payer knows."""
        view = await self._known(outlet)
        try:
            order = await self._backend.find_by_reference(view.code, reference_of(data.reference))
        except UnreadableError:
            order = None
        if order is None:
            said = Said(reference=data.reference[:64], unknown=True)
            return await self._finder(request, view, said)
        return Redirect(self._renderer.formatter(request).link("o", order), status_code=303)

    async def _finder(self, request: AnyRequest, view: OutletView, said: Said) -> Response[str]:
        own = await self._own(request, view)
        return self._renderer.page(
            request, "find.html", kind=view.kind, outlet=view, brand=view.brand, said=said, own=own
        )

    async def _outlet(
        self, request: AnyRequest, view: OutletView, refused: WhyNot = WhyNot.READY
    ) -> Response[str]:
        why_not = refused or view.why_not
        answer = Answer(status=409 if refused else 200, cache=_KEPT_FOR_BACK)
        keys = {item.slot: token() for item in view.items}
        own = [(order, phase) for order, phase in await self._own(request, view) if phase in _OPEN]
        values = {"outlet": view, "brand": view.brand, "why_not": why_not.value, "keys": keys}
        page = self._renderer.page(request, "outlet.html", answer, view.kind, own=own, **values)
        browser.remember(request, page, browser.named(request))
        return page

    async def _own(self, request: AnyRequest, view: OutletView) -> list[tuple[OrderView, Phase]]:
        """This browser's orders at this outlet, each with its phase."""
        name = browser.known(request)
        orders = await self._backend.own_orders(view.code, name) if name else ()
        now = self._clock.now()
        return [(order, order_progress.phase(order, now)) for order in orders]

    async def _known(self, code: str) -> OutletView:
        view = await self._backend.outlet(code)
        if view is None:
            message = "No outlet has this code."
            details: dict[str, object] = {"code": code}
            raise RefusedError(404, "no_such_outlet", message, details, sentence="unknown_outlet")
        return view
