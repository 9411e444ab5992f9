"""Pages of a customer who stays signed in, and the basket of an order that is ordered again."""

from typing import Annotated
from urllib.parse import urlencode

from litestar import Response
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter
from litestar.response import Redirect
from msgspec import Meta, Struct

from coinslot.context import Context
from coinslot.counter import account_cookie, account_texts, accounts, offers
from coinslot.counter import menu as menus
from coinslot.counter.accounts import Account
from coinslot.counter.flow import COUNTER
from coinslot.counter.history_pages import TEMPLATES, Slug
from coinslot.counter.menu import Store
from coinslot.counter.texts import words_in
from coinslot.kit.ids import token
from coinslot.pages import browser
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import STORABLE, Answer, AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site

Token = Annotated[str, PathParameter(max_length=64, pattern=STORABLE)]


class SaveForm(Struct):
    """What is filled in for them."""

    name: Annotated[str, Meta(max_length=accounts.NAME_CHARS, pattern=STORABLE)] = ""
    note: Annotated[str, Meta(max_length=accounts.NOTE_CHARS, pattern=STORABLE)] = ""


class OutForm(Struct):
    """Which devices."""

    everywhere: Annotated[str, Meta(pattern=r"\A1?\Z")] = ""


class DeleteForm(Struct):
    """Nobody deletes by one wrong tap."""

    sure: Annotated[str, Meta(pattern=r"\A1?\Z")] = ""


Save = Annotated[SaveForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
Out = Annotated[OutForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
Deletion = Annotated[DeleteForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


class AccountPages(SharedHandler):
    """Reads the cookie and the form, calls one verb, shows."""

    def __init__(self, context: Context, site: Site) -> None:
        self._context = context
        self._renderer = Renderer(site, more=(TEMPLATES,))

    async def show(self, request: AnyRequest, slug: Slug) -> Response[str]:
        at, who = await self._known(request, slug)
        if who is None:
            return self._to(request, slug, "orders")
        orders = await accounts.orders(self._context, at, who)
        async with self._context.db.as_merchant(at.merchant) as conn:
            collects = await offers.program_of(conn, at) is not None
        language = self._renderer.words(request).code
        return self._renderer.page(
            request, "account.html", Answer(), COUNTER.name, at=at, outlet=at.outlet,
            brand=at.outlet.brand, who=who, orders=orders, collects=collects,
            w=words_in(language), a=account_texts.words_in(language),
            saved=request.query_params.get("saved") == "1",
        )  # fmt: skip

    async def save(self, request: AnyRequest, slug: Slug, data: Save) -> Response[str]:
        at, who = await self._known(request, slug)
        if who is None:
            return self._to(request, slug, "orders")
        await accounts.save(self._context, at, who, data.name, data.note)
        return self._to(request, slug, "account", saved="1")

    async def out(self, request: AnyRequest, slug: Slug, data: Out) -> Response[str]:
        at, who = await self._known(request, slug)
        if who is not None:
            everywhere = data.everywhere == "1"
            await accounts.sign_out(self._context, at, who, everywhere=everywhere)
        return self._left(request, at, who)

    async def delete(self, request: AnyRequest, slug: Slug, data: Deletion) -> Response[str]:
        at, who = await self._known(request, slug)
        if who is not None and not data.sure:
            return self._to(request, slug, "account")
        if who is not None:
            await accounts.delete(self._context, at, who)
        return self._left(request, at, who)

    async def again(self, request: AnyRequest, slug: Slug, order: Token) -> Response[str]:
        """Today's basket of what was ordered then."""
        at, _ = await self._known(request, slug)
        wishes = await accounts.wished(self._context, at, order)
        if not wishes:
            raise RefusedError(
                404, "no_such_order", "No order has this link.", sentence="unknown_order"
            )
        where = self._renderer.formatter(request).link("s", slug, "basket")
        lines = urlencode([("line", wish.text()) for wish in wishes])
        return Redirect(f"{where}{'&' if '?' in where else '?'}{lines}", status_code=303)

    def _left(self, request: AnyRequest, at: Store, who: Account | None) -> Response[str]:
        """The card goes with the account, and this browser may begin one of its own."""
        answer = self._to(request, at.slug)
        account_cookie.drop(request, answer, at)
        held = browser.known(request) or ""
        if who is not None and accounts.has_card(self._context, who, held):
            browser.remember(request, answer, token(), "/s")
        return answer

    def _to(self, request: AnyRequest, *parts: str, **query: str) -> Response[str]:
        where = self._renderer.formatter(request).link("s", *parts, **query)
        return Redirect(where, status_code=303)

    async def _known(self, request: AnyRequest, slug: str) -> tuple[Store, Account | None]:
        """Raises RefusedError where there is no such store."""
        at = await menus.store_of(self._context, slug)
        if at is None:
            raise RefusedError(
                404, "no_such_store", "No store has this address.", sentence="no_counter"
            )
        held = account_cookie.held(request, at)
        return at, await accounts.signed_in(self._context, at, held)
