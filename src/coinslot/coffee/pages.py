"""The page behind the code on a coffee machine's screen. A GET makes nothing: previews and second
phones open it too. A POST places the one order of the code and begins to pay for it."""

from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, unquote, urlencode

from litestar import Response
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect
from msgspec import Meta, Struct

from coinslot.channels.tmetr import CodeError, MachineCode, Size, read_code
from coinslot.coffee import selling
from coinslot.coffee.flow import COFFEE
from coinslot.coffee.fulfillment import Coffee
from coinslot.coffee.selling import (
    AlreadyOrderedError,
    NoContactError,
    NotSoldError,
    PriceChangedError,
    Why,
    Wish,
)
from coinslot.coffee.statuses import status
from coinslot.coffee.texts import CoffeeWords, words_in
from coinslot.coffee.vendors import OpenVendors
from coinslot.context import Context
from coinslot.kit.ids import token
from coinslot.orders import checkout, fulfillment
from coinslot.orders.checkout import WayTap
from coinslot.orders.page_views import NotNowError, OrderView, OutletView
from coinslot.pages import browser, peer
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site
from coinslot.payments.receipt_contact import ContactError, contact

TEMPLATES: Final = Path(__file__).parent / "templates"
_HERE: Final = "/v1"
_CONTACT: Final = "coinslot_contact"
_CONTACT_KEPT_S: Final = 365 * 24 * 3600
_STATUS_OF: Final = {
    Why.UNKNOWN_MACHINE: 404, Why.CLOSED: 410, Why.TOO_OLD: 410, Why.SILENT: 503,
    Why.NO_PRICE: 422, Why.AWAY: 503, Why.UNPAYABLE: 503, Why.BUSY: 429,
}  # fmt: skip
# What of the query names the code. The drink's name and all else in it is not believed.
_NAMES: Final = ("deviceUuid", "drinkNo", "size", "ts", "uuid")


class OrderForm(Struct):
    """The form behind a pay button."""

    price: Annotated[str, Meta(pattern=r"\A[0-9]{1,12}\Z")]  # minor units, as the page showed
    key: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{16,64}\Z")]
    way: Annotated[str, Meta(max_length=64, pattern=STORABLE)] = ""
    contact: Annotated[str, Meta(max_length=300, pattern=STORABLE)] = ""


Form = Annotated[OrderForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


class Said(Struct, frozen=True, kw_only=True):
    """What the page answers to a form that placed nothing."""

    contact: str | None = None  # as it was typed
    contact_bad: bool = False  # it is no address, or it is missing and needed
    contact_missing: bool = False
    price_changed: bool = False


class CoffeePages(SharedHandler):
    """Reads the code, calls one verb, shows or redirects."""

    def __init__(self, context: Context, site: Site) -> None:
        self._context = context
        self._renderer = Renderer(site, more=(TEMPLATES,))

    @property
    def _vendors(self) -> OpenVendors:
        kind: Coffee = fulfillment.handler(self._context, COFFEE.name)  # type: ignore[assignment]
        return kind.vendors

    async def show(self, request: AnyRequest) -> Response[str]:
        return await self._show(request, Said())

    async def place(self, request: AnyRequest, data: Form) -> Response[str]:
        try:
            code = read_code(request.query_params)
        except CodeError:
            return self._refusal(request, "unreadable", 400)
        name = browser.named(request)
        try:
            where = contact(data.contact) if data.contact.strip() else None
        except ContactError:
            return await self._show(request, Said(contact=data.contact, contact_bad=True))
        wish = Wish(
            browser=name, network=peer.network(request), price_minor=int(data.price), contact=where,
            way=data.way,
        )  # fmt: skip
        try:
            order = await selling.place(self._context, self._vendors, code, wish)
        except PriceChangedError:
            return await self._show(request, Said(contact=data.contact, price_changed=True))
        except NoContactError:
            return await self._show(
                request, Said(contact=data.contact, contact_bad=True, contact_missing=True)
            )
        except AlreadyOrderedError as known:
            return self._others(request, known.order)
        except NotSoldError as refused:
            return self._not_sold(request, refused)
        answer = await self._begin(request, order, data)
        browser.remember(request, answer, name, _HERE)
        if where is not None:
            self._remember_contact(request, answer, where)
        return answer

    async def _begin(self, request: AnyRequest, order: str, data: OrderForm) -> Response[str]:
        """The order's page shows what became of the step to the gateway."""
        try:
            tap = WayTap(order=order, way=data.way, key=data.key)
            begun = await checkout.pay(self._context, tap) is not None
        except NotNowError:
            begun = False  # placed, and its page offers the ways that work
        formatter = self._renderer.formatter(request)
        more = {"go": "1"} if begun else {}
        return Redirect(formatter.link("o", order, **more), status_code=303)

    async def _show(self, request: AnyRequest, said: Said) -> Response[str]:
        try:
            code = read_code(request.query_params)
        except CodeError:
            return self._refusal(request, "unreadable", 400)
        known = browser.known(request)
        try:
            offer = await selling.look(self._context, self._vendors, code, known)
        except AlreadyOrderedError as before:
            return self._known(request, before)
        except NotSoldError as refused:
            return self._not_sold(request, refused)
        words = self._words(request)
        typed = said.contact if said.contact is not None else self._kept_contact(request)
        grace_s = offer.windows.grace_s
        page = self._renderer.page(
            request, "coffee.html",
            Answer(status=422 if said.contact_bad else 409 if said.price_changed else 200),
            offer.outlet.kind, c=words, offer=offer, outlet=offer.outlet, brand=offer.outlet.brand,
            size=_size(words, code.size), keys={way.name: token() for way in offer.ways},
            action=self._address(request, code), contact=typed, said=said,
            kept_query=_kept(request), grace_min=max(1, int(grace_s // 60)),
        )  # fmt: skip
        browser.remember(request, page, browser.named(request), _HERE)
        return page

    def _known(self, request: AnyRequest, before: AlreadyOrderedError) -> Response[str]:
        if not before.ours:
            return self._others(request, before.order)
        link = self._renderer.formatter(request).link("o", before.order.token)
        return Redirect(link, status_code=303)

    def _others(self, request: AnyRequest, order: OrderView) -> Response[str]:
        """Its state, and nothing by which its page could be opened."""
        words = self._words(request)
        return self._renderer.page(
            request, "coffee_others.html", Answer(status=409), order.kind, c=words,
            brand=order.brand, state=getattr(words, status(order).value), status=status(order),
            kept_query=_kept(request),
        )  # fmt: skip

    def _not_sold(self, request: AnyRequest, refused: NotSoldError) -> Response[str]:
        return self._refusal(request, refused.why.value, _STATUS_OF[refused.why], refused.outlet)

    def _refusal(
        self, request: AnyRequest, why: str, status_code: int, outlet: OutletView | None = None
    ) -> Response[str]:
        words = self._words(request)
        return self._renderer.page(
            request, "coffee_refused.html", Answer(status=status_code),
            outlet.kind if outlet else None, c=words, title=getattr(words, why),
            lead=getattr(words, f"{why}_lead"), why=why, outlet=outlet,
            brand=outlet.brand if outlet else None, again=f"?{request.url.query}",
            kept_query=_kept(request),
        )  # fmt: skip

    def _address(self, request: AnyRequest, code: MachineCode) -> str:
        """Of the form: the code alone, whatever else the query had in it."""
        lang = self._renderer.formatter(request).lang
        query = request.query_params
        named = {name: str(query[name]) for name in _NAMES if name in query}
        more = {"lang": lang} if lang else {}
        return f"{_HERE}/pay?{urlencode(named | more, quote_via=quote)}"

    def _words(self, request: AnyRequest) -> CoffeeWords:
        return words_in(self._renderer.words(request).code)

    def _kept_contact(self, request: AnyRequest) -> str:
        try:
            return contact(unquote(request.cookies.get(_CONTACT, ""), errors="strict"))
        except (ContactError, UnicodeDecodeError):
            return ""

    def _remember_contact(self, request: AnyRequest, answer: Response[str], where: str) -> None:
        """On this phone alone, so that it is typed once."""
        answer.set_cookie(
            Cookie(
                key=_CONTACT, value=quote(where, safe=""), max_age=_CONTACT_KEPT_S, path=_HERE,
                httponly=True, samesite="lax", secure=request.url.scheme == "https",
            )
        )  # fmt: skip


def _kept(request: AnyRequest) -> str:
    """The query of the code, before the language that a link adds."""
    query = request.query_params
    named = {name: str(query[name]) for name in _NAMES if name in query}
    return f"{urlencode(named, quote_via=quote)}&" if named else ""


def _size(words: CoffeeWords, size: Size) -> str:
    return (words.small, words.medium, words.big)[size]
