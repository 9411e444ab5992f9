"""The cookie of a customer who stays signed in, of one merchant: no script reads it, no other site
sends it with a form, and it ends with its session."""

from typing import Final

from litestar import Response
from litestar.datastructures import Cookie

from coinslot.counter.accounts import LIFE, Begun
from coinslot.counter.menu import Store
from coinslot.pages import browser
from coinslot.pages.rendering import AnyRequest

_PATH: Final = "/s"
_CHARS: Final = 64


def held(request: AnyRequest, at: Store) -> str:
    """Empty where there is none."""
    return request.cookies.get(_name(at), "")[:_CHARS]


def set_(request: AnyRequest, response: Response[str], at: Store, begun: Begun) -> None:
    """With the card of the account, where the browser has no other that counts."""
    response.set_cookie(_cookie(request, at, begun.session, round(LIFE.total_seconds())))
    if begun.card:
        browser.remember(request, response, begun.card, _PATH)


def drop(request: AnyRequest, response: Response[str], at: Store) -> None:
    response.set_cookie(_cookie(request, at, "", 0))


def _cookie(request: AnyRequest, at: Store, value: str, lasts_s: int) -> Cookie:
    return Cookie(
        key=_name(at), value=value, max_age=lasts_s, path=_PATH, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip


def _name(at: Store) -> str:
    return f"coinslot_guest_{at.merchant.hex}"
