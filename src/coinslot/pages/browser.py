"""The one cookie: a random name for this browser, so that it finds its own orders again, and so
that nobody has many unpaid ones. It is no login and says nothing of a person."""

import re

from litestar import Response
from litestar.datastructures import Cookie

from coinslot.kit.ids import token
from coinslot.pages.rendering import AnyRequest

_NAME = "coinslot_browser"
_VALUE = re.compile(r"[A-Za-z0-9_-]{20,64}")
_KEPT_S = 30 * 24 * 3600


def known(request: AnyRequest) -> str | None:
    """What this browser was called before."""
    value = request.cookies.get(_NAME, "")
    return value if _VALUE.fullmatch(value) else None


def named(request: AnyRequest) -> str:
    """The same, or a new name; `remember` gives it to the browser."""
    return known(request) or token()


def remember(request: AnyRequest, response: Response[str], name: str) -> None:
    response.set_cookie(
        Cookie(
            key=_NAME,
            value=name,
            max_age=_KEPT_S,
            path="/q",
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    )
