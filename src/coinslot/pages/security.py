"""What every answer has: the id of its request, and headers that let a page do nothing more than it
needs."""

import re
from typing import Any
from urllib.parse import urlsplit

from litestar import Response
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import Message, Scope

from coinslot.kit.ids import token

_GIVEN_ID = re.compile(rb"[A-Za-z0-9_.-]{8,64}")
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # The link to an order is its key: no other site may learn it.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_MAY_ASK_WHERE = _ALWAYS["Permissions-Policy"].replace("geolocation=()", "geolocation=(self)")
_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def request_id(scope: Scope) -> str:
    """The caller's X-Request-Id where it is harmless, else a new one; the same in log and
    answer."""
    known: dict[str, Any] = scope["state"]
    if "request_id" not in known:
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        known["request_id"] = given.decode() if _GIVEN_ID.fullmatch(given) else token(12)
    return str(known["request_id"])


def page_policy(nonce: str, images: tuple[str, ...] = ()) -> str:
    """The policy of a page: its own style and script by nonce, pictures from where they are."""
    pictures = " ".join(("'self'", "data:", *images))
    return (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        f"img-src {pictures}; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "manifest-src 'self'; worker-src 'self'; "
        "frame-ancestors 'none'"
    )


def may_ask_where(page: Response[Any]) -> None:
    """This page alone may ask the browser for its position, which asks the person."""
    page.headers["Permissions-Policy"] = _MAY_ASK_WHERE


def origin(url: str) -> str | None:
    """Scheme and host of a picture's address; None for anything a browser should not open."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:\[\]-]+", parts.netloc):
        return None
    return f"{parts.scheme}://{parts.netloc}"


def leads_to_payment(url: str) -> bool:
    """Whether a page may lead there: a gateway's page, or a payment app by the gateway's own
    link."""
    return origin(url) is not None or url.startswith("upi://")


async def seal(message: Message, scope: Scope) -> None:
    """Put the headers on the start of every HTTP answer, Litestar's own included."""
    if message["type"] != "http.response.start" or scope["type"] != ScopeType.HTTP:
        return
    headers = MutableScopeHeaders(message)
    headers["X-Request-Id"] = request_id(scope)
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", _NOTHING)
    if scope["scheme"] == "https":
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
