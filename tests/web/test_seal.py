"""The headers that every answer has, whoever made it."""

from typing import Any

import pytest
from litestar import Response

from coinslot.pages import security

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "content-security-policy": (
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
}
HTTPS_ONLY = {"strict-transport-security": "max-age=31536000"}


async def sealed(
    scheme: str = "http",
    asked: tuple[tuple[bytes, bytes], ...] = (),
    said: tuple[tuple[bytes, bytes], ...] = (),
    message: str = "http.response.start",
    of: str = "http",
) -> dict[str, str]:
    told: Any = {"type": message, "status": 200, "headers": list(said)}
    scope: Any = {"type": of, "scheme": scheme, "headers": list(asked), "state": {}}
    await security.seal(told, scope)
    return {name.decode().lower(): value.decode() for name, value in told["headers"]}


@pytest.mark.parametrize(("scheme", "more"), [("http", {}), ("https", HTTPS_ONLY)])
async def test_every_answer_has_these_headers_and_where_it_is_encrypted_it_stays_so(
    scheme: str, more: dict[str, str]
) -> None:
    headers = await sealed(scheme)
    assert len(headers.pop("x-request-id")) >= 12
    assert headers == ALWAYS | more


async def test_what_a_page_says_itself_stays() -> None:
    own = ((b"content-security-policy", b"default-src 'self'"), (b"referrer-policy", b"origin"))
    headers = await sealed(said=own)
    assert headers["content-security-policy"] == "default-src 'self'"
    assert headers["referrer-policy"] == "origin"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"abc_DEF-1.", True), (b"a" * 8, True), (b"a" * 64, True),
        (b"a" * 7, False), (b"a" * 65, False), (b"with spaces", False), (b"<script>", False),
    ],
)  # fmt: skip
async def test_a_callers_own_id_is_kept_where_it_is_harmless(given: bytes, kept: bool) -> None:
    headers = await sealed(asked=((b"x-other", b"othersheader"), (b"x-request-id", given)))
    assert (headers["x-request-id"] == given.decode()) is kept
    assert headers["x-request-id"] != "othersheader"


@pytest.mark.parametrize(
    "other", [{"message": "http.response.body"}, {"of": "websocket"}, {"of": "lifespan"}]
)
async def test_what_begins_no_answer_has_none(other: dict[str, Any]) -> None:
    assert await sealed(**other) == {}


@pytest.mark.parametrize(
    ("url", "of"),
    [
        ("https://pay.example/x?y", "https://pay.example"),
        ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/x", "http://[::1]:8080"),
        ("ftp://pay.example/x", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("https://pay.example;script-src *", None),
        ("https://user@pay.example/", None),
        ("", None),
    ],
)
def test_a_picture_is_of_an_origin_that_a_policy_may_name(url: str, of: str | None) -> None:
    assert security.origin(url) == of
    assert security.leads_to_payment(url) is (of is not None)


@pytest.mark.parametrize(("url", "leads"), [
    ("upi://pay?pa=a@b", True), ("upi:pay", False), ("https:upi://", False), ("xupi://pay", False),
])  # fmt: skip
def test_a_payment_app_is_opened_by_its_own_link(url: str, leads: bool) -> None:
    assert security.leads_to_payment(url) is leads


@pytest.mark.parametrize(
    ("images", "named"),
    [
        ((), ""),
        (("https://a.example", "https://b.example"), " https://a.example https://b.example"),
    ],
)
def test_a_page_runs_its_own_style_and_script_and_shows_pictures_from_where_they_are(
    images: tuple[str, ...], named: str
) -> None:
    policy = security.page_policy("n0nce", images)
    assert dict(part.split(" ", 1) for part in policy.split("; ")) == {
        "default-src": "'none'", "style-src": "'nonce-n0nce'", "script-src": "'nonce-n0nce'",
        "img-src": f"'self' data:{named}", "connect-src": "'self'", "form-action": "'self'",
        "base-uri": "'none'", "manifest-src": "'self'", "worker-src": "'self'",
        "frame-ancestors": "'none'",
    }  # fmt: skip


def test_a_page_that_asks_where_one_is_may_do_nothing_else_more() -> None:
    page = Response[Any](content="")
    security.may_ask_where(page)
    assert dict(page.headers) == {
        "Permissions-Policy": "camera=(), geolocation=(self), microphone=(), payment=(), usb=()"
    }
