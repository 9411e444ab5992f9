"""The cookie of a session in a browser, and the check that a form was sent by a page of ours. The
cookie's value is 256 random bits, a new one at each sign-in and each step-up; the database has its
SHA-256 only."""

import hmac
from datetime import timedelta
from typing import Any, Final

from litestar import Response
from litestar.datastructures import Cookie

from coinslot.pages.rendering import AnyRequest

# Over https no other host, and no page without encryption, can set or replace this cookie. On http
# (a demo on this computer) browsers refuse such a name.
_SECURE_NAME: Final = "__Host-coinslot"
_PLAIN_NAME: Final = "coinslot"
FORM_TOKEN: Final = "form_token"
_HEADER: Final = "x-form-token"
_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_OURS: Final = frozenset(("same-origin", "none"))  # none: typed, or from a bookmark
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_TABLET: Final = "-tablet"


def put(response: Response[Any], base_url: str, secret: str, life: timedelta) -> None:
    """The browser is signed in from now on; any cookie that it had is replaced."""
    _put(response, base_url, "", secret, life)


def remove(response: Response[Any], base_url: str) -> None:
    """The browser forgets it."""
    put(response, base_url, "", timedelta(0))


def put_tablet(response: Response[Any], base_url: str, secret: str, life: timedelta) -> None:
    """The browser is that tablet from now on, whoever is signed in."""
    _put(response, base_url, _TABLET, secret, life)


def tablet_of(request: AnyRequest, base_url: str) -> str:
    """Which tablet the browser says that it is."""
    return request.cookies.get(_name(base_url) + _TABLET, "")


def secret_of(request: AnyRequest, base_url: str) -> str:
    """What the browser sent. Where the installation has https, the plain name counts for nothing:
    others can set it."""
    return request.cookies.get(_name(base_url), "")


def _name(base_url: str) -> str:
    return _SECURE_NAME if base_url.startswith("https:") else _PLAIN_NAME


def _put(response: Response[Any], base_url: str, ending: str, secret: str, life: timedelta) -> None:
    response.set_cookie(
        Cookie(
            key=_name(base_url) + ending, value=secret, path="/",
            secure=base_url.startswith("https:"), httponly=True, samesite="lax",
            max_age=int(life.total_seconds()),
        )
    )  # fmt: skip


def form_token(secret: str) -> str:
    """For a hidden field, for browsers that say nothing of where a form comes from. Bound to the
    session: another one's is refused."""
    return hmac.digest(secret.encode(), b"form", "sha256").hex()


async def from_own_page(request: AnyRequest, secret: str) -> bool:
    """Whether a request that changes something was sent by a page of ours.

    `Sec-Fetch-Site` is set by the browser and no page can forge it. Without it the form has to have
    the session's token. `Origin` says nothing: our pages send no referrer, so it is `null`."""
    if request.method in _SAFE:
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in _OURS
    given = request.headers.get(_HEADER, "")
    if not given and request.headers.get("content-type", "").startswith(_FORMS):
        given = str((await request.form()).get(FORM_TOKEN, ""))
    return hmac.compare_digest(given.encode(), form_token(secret).encode())
