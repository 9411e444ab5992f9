"""The one cookie: a random id for this browser, so that it finds its own orders again and has few
unpaid ones. It is no login and identifies no person."""

import re

from litestar import Response
from litestar.datastructures import Cookie

from coinslot.kit.ids import token
from coinslot.pages.rendering import AnyRequest

_NAME = "coinslot_browser"
_VALUE = re.compile(r"[A-Za-z0-9_-]{20,64}")
_KEPT_S = 30 * 24 * 3600
_PAGES = "/q"


def known(request: AnyRequest) -> str | None:
    """The id of this browser, if it has one."""
    value = request.cookies.get(_NAME, "")
    return value if _VALUE.fullmatch(value) else None


def named(request: AnyRequest) -> str:
    """The same id, or a new one; `remember` sets the cookie."""
    return known(request) or token()


def remember(request: AnyRequest, response: Response[str], name: str, path: str = _PAGES) -> None:
    """For the pages under `path`."""
    response.set_cookie(
        Cookie(
            key=_NAME,
            value=name,
            max_age=_KEPT_S,
            path=path,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    )
