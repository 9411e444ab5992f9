"""Pages on which somebody finds their orders again, without an account and without a script."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final
from uuid import UUID

from litestar import Response
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery, PathParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from coinslot.context import Context
from coinslot.counter import account_cookie, account_texts, accounts, history
from coinslot.counter import menu as menus
from coinslot.counter.contacts import ContactError
from coinslot.counter.flow import COUNTER
from coinslot.counter.history import PastOrder, TooOftenError
from coinslot.counter.menu import Store
from coinslot.counter.texts import words_in
from coinslot.pages import browser, peer
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site

TEMPLATES: Final = Path(__file__).parent / "templates"
Slug = Annotated[str, PathParameter(max_length=63, pattern=STORABLE)]


class AskForm(Struct):
    """Whose orders."""

    contact: Annotated[str, Meta(max_length=254, pattern=STORABLE)]


class CodeForm(Struct):
    """The code of the text message, or what the link has."""

    code: Annotated[str, Meta(max_length=64, pattern=STORABLE)]
    stay: Annotated[str, Meta(pattern=r"\A1?\Z")] = ""  # signed in on this device


Ask = Annotated[AskForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
Code = Annotated[CodeForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


class HistoryPages(SharedHandler):
    """Reads the form, calls one verb, shows."""

    def __init__(self, context: Context, site: Site) -> None:
        self._context = context
        self._renderer = Renderer(site, more=(TEMPLATES,))

    async def form(self, request: AnyRequest, slug: Slug) -> Response[str]:
        """Whoever is signed in sees them at once."""
        at = await self._known(slug)
        if await accounts.signed_in(self._context, at, account_cookie.held(request, at)):
            return Redirect(self._link(request, slug, "account"), status_code=303)
        return self._page(request, at)

    async def ask(self, request: AnyRequest, slug: Slug, data: Ask) -> Response[str]:
        """The same page whether there are orders or not."""
        at, words = await self._known(slug), words_in(self._renderer.words(request).code)
        try:
            lookup, form = await history.ask(self._context, at, data.contact, peer.network(request))
        except ContactError:
            return self._page(request, at, 422, problem=words.history_bad, typed=data.contact)
        except TooOftenError:
            return self._page(request, at, 429, problem=words.history_often)
        return self._page(request, at, lookup=lookup, form=form)

    async def link(
        self, request: AnyRequest, slug: Slug, lookup: FromPath[UUID], key: FromQuery[str] = ""
    ) -> Response[str]:
        """A link of a mail, which programs open before people do: it shows a button."""
        at = await self._known(slug)
        return self._page(request, at, lookup=lookup, form="link", key=key[:64])

    async def show(
        self, request: AnyRequest, slug: Slug, lookup: FromPath[UUID], data: Code
    ) -> Response[str]:
        at, words = await self._known(slug), words_in(self._renderer.words(request).code)
        who = await history.proved(self._context, at, lookup, data.code)
        if who is None:
            return self._page(
                request, at, 422, problem=words.history_wrong, lookup=lookup, form="sms"
            )
        if data.stay:
            begun = await accounts.begin(self._context, at, who, browser.known(request) or "")
            answer: Response[str] = Redirect(self._link(request, slug, "account"), status_code=303)
            account_cookie.set_(request, answer, at, begun)
            return answer
        async with self._context.db.as_merchant(at.merchant) as conn:
            return self._page(request, at, orders=await history.past_orders(conn, who))

    def _link(self, request: AnyRequest, *parts: str) -> str:
        return self._renderer.formatter(request).link("s", *parts)

    async def _known(self, slug: str) -> Store:
        """Raises RefusedError where there is no such store."""
        at = await menus.store_of(self._context, slug)
        if at is None:
            raise RefusedError(
                404, "no_such_store", "No store has this address.", sentence="no_counter"
            )
        return at

    def _page(
        self, request: AnyRequest, at: Store, status: int = 200, *,
        orders: Sequence[PastOrder] | None = None, **values: object,
    ) -> Response[str]:  # fmt: skip
        return self._renderer.page(
            request, "history.html", Answer(status=status), COUNTER.name, at=at, outlet=at.outlet,
            brand=at.outlet.brand, orders=orders,
            w=words_in(self._renderer.words(request).code),
            a=account_texts.words_in(self._renderer.words(request).code),
            **{"problem": "", "lookup": None, "form": "", "key": "", "typed": "", **values},
        )  # fmt: skip
