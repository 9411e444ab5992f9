"""What a customer does on the page of an order at a counter: cancel it, say that they have arrived,
get the code once more, and let the browser tell them."""

from typing import Annotated

from litestar import Response
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from coinslot.context import Context
from coinslot.counter import arrival_texts, arrivals, pushing, resending, staff
from coinslot.counter.arrivals import Arrival, Position, TooFarError
from coinslot.counter.flow import COUNTER
from coinslot.counter.pages import TEMPLATES
from coinslot.counter.staff import CounterError, Why
from coinslot.events.notices.browsers import BadSubscriptionError
from coinslot.orders import outlet_pages
from coinslot.pages import assets, peer, security
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site

Token = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]


class HereForm(Struct):
    """Where somebody waits; the position of their phone in degrees, and by how many metres it may
    be wrong."""

    note: Annotated[str, Meta(max_length=60, pattern=STORABLE)] = ""
    lat: Annotated[str, Meta(max_length=24)] = ""
    lng: Annotated[str, Meta(max_length=24)] = ""
    accuracy: Annotated[str, Meta(max_length=24)] = ""
    insists: Annotated[str, Meta(pattern=r"\A1?\Z")] = ""


class PushForm(Struct):
    """A subscription, as a browser writes it."""

    subscription: Annotated[str, Meta(max_length=4000)]


Push = Annotated[PushForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
Here = Annotated[HereForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


class OrderPages(SharedHandler):
    """Reads the form, calls one verb, redirects to the order's page."""

    def __init__(self, context: Context, site: Site) -> None:
        self._context = context
        self._renderer = Renderer(site, more=(TEMPLATES,))

    async def cancel(self, request: AnyRequest, order: Token) -> Response[str]:
        """The customer's, while nobody has begun with it."""
        try:
            await staff.cancel(self._context, order)
        except CounterError as error:
            if error.why is not Why.ACCEPTED:
                raise RefusedError(
                    404, "no_such_order", "No order has this link.", sentence="unknown_order"
                ) from None
        return Redirect(self._renderer.formatter(request).link("o", order), status_code=303)

    async def here(self, request: AnyRequest, order: Token, data: Here) -> Response[str]:
        """The customer waits outside. One whose phone is elsewhere is told so, and may insist."""
        note = " ".join(data.note.split())
        said = Arrival(
            note=note, position=Position.read(data.lat, data.lng, data.accuracy),
            insists=data.insists == "1",
        )  # fmt: skip
        try:
            await arrivals.arrived(self._context, order, said)
        except TooFarError as error:
            return await self._too_far(request, order, note, error.metres)
        except CounterError:
            raise RefusedError(
                404, "no_such_order", "No order has this link.", sentence="unknown_order"
            ) from None
        return Redirect(self._renderer.formatter(request).link("o", order), status_code=303)

    async def _too_far(
        self, request: AnyRequest, order: str, note: str, metres: float
    ) -> Response[str]:
        view = await outlet_pages.order(self._context, order)
        assert view is not None
        formatter = self._renderer.formatter(request, view.brand.languages)
        page = self._renderer.page(
            request, "too_far.html", Answer(status=422), COUNTER.name, brand=view.brand,
            order=view, note=note, distance=formatter.distance(metres),
            w=arrival_texts.WORDS.get(formatter.words.code, arrival_texts.WORDS["en"]),
        )  # fmt: skip
        security.may_ask_where(page)
        return page

    async def resend(self, request: AnyRequest, order: Token) -> Response[str]:
        """The customer asks for the code once more."""
        try:
            await resending.again(self._context, order)
        except CounterError as error:
            if error.why is Why.UNKNOWN:
                raise RefusedError(
                    404, "no_such_order", "No order has this link.", sentence="unknown_order"
                ) from None
        return Redirect(self._renderer.formatter(request).link("o", order), status_code=303)

    async def push(self, request: AnyRequest, order: Token, data: Push) -> Response[str]:
        """This browser shows notices of the order."""
        language = self._renderer.words(request).code
        try:
            await pushing.subscribe(
                self._context, order, data.subscription, language, peer.network(request)
            )
        except CounterError:
            raise RefusedError(404, "no_such_order", "No order has this link.") from None
        except BadSubscriptionError:
            raise RefusedError(400, "bad_request", "This is no subscription.") from None
        return Response("")

    async def worker(self) -> Response[bytes]:
        return Response(
            assets.load(pushing.WORKER).body, media_type="text/javascript; charset=utf-8",
            headers={
                "Cache-Control": "no-cache",
                "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
                "Service-Worker-Allowed": "/o/",
            },
        )  # fmt: skip
