"""What every page of the console shares: the frame with its navigation, texts, times, and the
tokens of its forms."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.response import Redirect
from msgspec import Struct

from coinslot.console.heavy_reads import HeavyReads
from coinslot.console.reach import reach_of
from coinslot.console.texts import in_language
from coinslot.console.user_agents import named
from coinslot.counter import board
from coinslot.kit.ids import token
from coinslot.kit.money import Money
from coinslot.merchants.merchants import zone_of_merchant
from coinslot.notices.base import Form
from coinslot.pages import cookies
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import Answer, AnyRequest, Formatter, Renderer
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.site import Site
from coinslot.pages.texts import Words
from coinslot.people.authentication import Authentication
from coinslot.people.sessions import SignedIn

HOME: Final = "/console"
VERSION: Final = "live_version"  # of what a page shows, in the state of its request
SIGN_IN: Final = "/console/sign-in"
_RULE_BROKEN: Final = (HTTPStatus.UNPROCESSABLE_ENTITY,)
_HERE = Path(__file__).parent


class Tab(Struct, frozen=True):
    """A place in the navigation. It is shown to whoever has the permission; the route enforces
    it."""

    name: str
    permission: str | None
    with_: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"{HOME}/{self.name}"

    def is_at(self, path: str) -> bool:
        """Whether this address belongs to it: an order is in what was found."""
        roots = (self.path, *(f"{HOME}/{one}" for one in self.with_))
        return any(path == root or path.startswith(f"{root}/") for root in roots)


TABS: Final = (
    Tab("today", "orders:read"),
    Tab("board", "board:read"),
    Tab("menu", "products:read"),
    Tab("inbox", "money:read"),
    Tab("find", "orders:read", ("orders",)),
    Tab(
        "machines",
        "machines:read",
        (
            "new-machine",
            "new-counter",
            "refills",
            "rollouts",
            "near",
            "slots",
            "templates",
            "firmware",
        ),
    ),
    Tab("coffee", "machines:read"),
    Tab("products", "products:read", ("new-product",)),
    Tab("codes", "machines:read"),
    Tab("money", "money:read", ("receipts",)),
    Tab("gateways", "gateways:write"),
    Tab("keys", "keys:write"),
    Tab("webhooks", "webhooks:write"),
    Tab("people", "people:read"),
    Tab("log", "audit_log:read"),
    Tab("settings", "merchant:write", ("privacy", "offers")),
    Tab("health", "installation:read"),
    Tab("proof", "installation:read"),
    Tab("account", None, ("notices",)),
)


OF_COUNTERS: Final = ("board", "menu")  # tabs of whoever has one


class Frame(SharedHandler):
    """Renders pages for whoever is signed in."""

    def __init__(self, auth: Authentication, site: Site) -> None:
        self.auth = auth
        self.heavy = HeavyReads(lambda: auth.db.app.get_max_size() // 2)  # of the connections
        self._renderer = Renderer(site, _HERE)
        self._reach = reach_of(auth.base_url)

    def texts(self, request: AnyRequest) -> Mapping[str, str]:
        return in_language(self._renderer.words(request).code)

    def words(self, request: AnyRequest) -> Words:
        return self._renderer.words(request)

    def formatter(self, request: AnyRequest) -> Formatter:
        return self._renderer.formatter(request)

    def language(self, request: AnyRequest) -> str:
        """The code of the language in which this page is asked for."""
        return self._renderer.words(request).code

    def problem(
        self, request: AnyRequest, error: RefusedError, shown: Collection[int] = _RULE_BROKEN
    ) -> str:
        """What a form says that broke a rule, in the reader's language where there is a text. An
        error of another status is raised again: its form is not shown once more."""
        if error.status not in shown:
            raise error
        return self.texts(request).get(f"problem_{error.code}", error.message)

    def link(self, request: AnyRequest, *parts: str, **query: str) -> str:
        """A page of the console, in the language that this one was asked for in."""
        return self._renderer.formatter(request).link("console", *parts, **query)

    def to(self, request: AnyRequest, *parts: str, **query: str) -> Redirect:
        """The answer to a form that was worked: the page that shows what became of it."""
        return Redirect(self.link(request, *parts, **query), status_code=303)

    async def page(
        self, request: AnyRequest, name: str, *, status: int = 200, **values: Any
    ) -> Response[str]:
        """A page. `secret` is that of the session, where it is newer than the request's."""
        who = signed_in_or_none(request)
        c = self.texts(request)
        done = request.query_params.get("done", "")
        shown: dict[str, Any] = {
            "c": c, "who": who, "zone": await self._zone(who), "mint": token,
            "tabs": await self._tabs(who), "money": Money, "device": named,
            "here": request.url.path, "problem": "", "reach": self._reach,
            "base_url": self.auth.base_url,
            "has_mail": Form.EMAIL in self.auth.context.notifiers,
            "version": request.scope["state"].get(VERSION, ""),
            "has_tablet": bool(cookies.tablet_of(request, self.auth.base_url)),
            "done": c.get(f"done_{done}", ""),
            "form_token": cookies.form_token(
                str(values.pop("secret", "")) or cookies.secret_of(request, self.auth.base_url)
            ),
        }  # fmt: skip
        return self._renderer.page(request, name, Answer(status=status), **shown | values)

    def fragment(self, request: AnyRequest, name: str, **values: Any) -> str:
        """A part of a page that shows what is of no session."""
        shown: dict[str, Any] = {"c": self.texts(request), **values}
        return self._renderer.fragment(request, name, **shown)

    async def zone(self, merchant: UUID) -> str | None:
        """Of a merchant's clocks."""
        return await zone_of_merchant(self.auth.db, merchant)

    async def _tabs(self, who: SignedIn | None) -> tuple[Tab, ...]:
        """Boards and menus are for whoever has a counter."""
        tabs = tabs_of(who)
        if who is None or who.merchant is None or who.role == "staff":
            return tabs
        has_counter = await board.has_counter(self.auth.db, who.merchant)
        return tuple(tab for tab in tabs if has_counter or tab.name not in OF_COUNTERS)

    async def _zone(self, who: SignedIn | None) -> str | None:
        if who is None or who.merchant is None:
            return None
        return await self.zone(who.merchant)


def tabs_of(who: SignedIn | None) -> tuple[Tab, ...]:
    """What of the navigation someone is shown."""
    if who is None:
        return ()
    return tuple(tab for tab in TABS if tab.permission is None or tab.permission in who.permissions)


def signed_in_or_none(request: AnyRequest) -> SignedIn | None:
    """Whose request this is, where the route asked for that."""
    found: SignedIn | None = request.scope["state"].get("signed_in")
    return found
