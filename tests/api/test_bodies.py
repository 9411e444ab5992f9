"""Bodies that no program should send: 4xx in the one format, on every route that takes one."""

import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from litestar.routes import HTTPRoute

from tests.api.conftest import Client

SOME = str(uuid4())
BROKEN: list[bytes] = [
    b'{"reference":"caf\xe9"}',
    b'{"\xff":1}', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b'"\xc3\x28"',
    rb'{"reference":"\ud800"}', rb'{"amount":1,"currency":"INR","reference":"\udc00x"}',
    rb'{"reference":"\u0000"}', b'{"reference":"\x00"}', b"\x00", b"[" * 5000, b"{" * 5000, b"nul",
    b'{"amount":1e999}', b'{"amount":NaN}', b'{"amount":' + b"9" * 5000 + b"}", b"{}{}", b"",
    b'{"metadata":{"a":"\xed\xa0\x80"}}', b"\xff",
]  # fmt: skip
TYPES = [
    "application/json", "application/json; charset=utf-16", "text/plain", "", "application/xml",
    "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x",
    "application/vnd.msgpack", "application/json; charset=\xff", "x", "a/b; c",
]  # fmt: skip
GUARDED = (
    "/auth/",
    "/people",
    "/machines/",
    "/console/",
    "/orders/",
    "/api/staff/",
    "/firmware",
    "/rollouts",
    "/slots/",
    "/templates/",
)
HEADS: list[dict[str, str]] = [{"content-type": kind} for kind in TYPES]


def routes(api: Client) -> list[tuple[str, str]]:
    """Every route that takes a body, as a client calls it."""
    found: list[tuple[str, str]] = []
    app: Any = api._transport
    for route in app.app.routes:
        if isinstance(route, HTTPRoute):
            path = route.path_format
            for name in route.path_parameters:
                path = path.replace("{" + name + "}", SOME)
            found += [(method, path) for method in route.methods if method in ("POST", "PATCH")]
    return found


def is_ours(answer: Any) -> bool:
    """The one format; the console answers people, with a page or the way to sign in."""
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    if answer.request.url.path.startswith("/console") and (is_page or answer.status_code == 303):
        return True
    return {"code", "message", "details", "timestamp", "requestId"} <= set(
        answer.json().get("error", {})
    )


class Sender:
    """Sends bodies under the same headers to every route, and remembers which did not even begin to
    read one: no other body can change what they answer."""

    def __init__(self) -> None:
        self._deaf: set[tuple[str, str, str]] = set()

    async def send(
        self, api: Client, head: list[tuple[bytes, bytes]], body: bytes
    ) -> AsyncIterator[tuple[str, str, Any]]:
        """Each route that might read this body, with its answer."""
        for method, path in routes(api):
            call = (f"{head}", method, path)
            if call in self._deaf:
                continue
            was_read = False

            async def parts() -> AsyncIterator[bytes]:
                nonlocal was_read
                was_read = True
                yield body

            length = (b"content-length", b"%d" % len(body))
            plain = (b"accept-encoding", b"identity")  # compressing pages took a third
            headers = [*head, length, plain]
            answer = await api.request(method, path, content=parts(), headers=headers)
            if not was_read:
                self._deaf.add(call)
            yield method, path, answer


SENDER = Sender()


@pytest.mark.parametrize("body", BROKEN)
async def test_a_body_that_cannot_be_read_is_the_callers_fault_on_every_route(
    api: Client, body: bytes
) -> None:
    head = [(b"content-type", b"application/json"), (b"idempotency-key", SOME.encode())]
    async for method, path, answer in SENDER.send(api, head, body):
        assert answer.status_code < 500, (method, path, answer.text)
        assert answer.status_code < 300 or is_ours(answer), (method, path, answer.text)


@pytest.mark.parametrize("head", HEADS)
async def test_an_odd_content_type_is_no_failure_of_ours(api: Client, head: dict[str, str]) -> None:
    headers = {"idempotency-key": SOME, **head}
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    for body in (b'{"amount":1,"currency":"INR"}', b"caf\xe9", b"--x\r\n\r\n\xff\r\n--x--", b""):
        async for method, path, answer in SENDER.send(api, sent, body):
            assert answer.status_code < 500, (method, path, answer.text)
            assert answer.status_code < 400 or is_ours(answer), (method, path, answer.text)


async def test_text_that_is_no_utf_8_is_400_and_names_the_body(api: Client) -> None:
    headers = {"content-type": "application/json", "idempotency-key": SOME}
    answer = await api.post("/payments", content=b'{"reference":"caf\xe9"}', headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"
    assert "body" in answer.json()["error"]["details"]


@pytest.mark.parametrize(
    "packed",
    [
        ("gzip", gzip.compress(b'{"amount":4000,"currency":"INR"}')),
        ("x-gzip", gzip.compress(b"{}")),
        ("deflate", zlib.compress(b"{}")),
        ("br", b"whatever"),
        ("gzip", gzip.compress(b"0" * 1_000_000) * 100),  # of a hundred parts
        ("identity, gzip", b"{}"),
    ],
)
async def test_a_packed_body_is_refused_in_words_on_every_route(
    api: Client, packed: tuple[str, bytes]
) -> None:
    coding, body = packed
    for method, path in routes(api):
        headers = {"content-encoding": coding, "idempotency-key": SOME}
        answer = await api.request(method, path, content=body, headers=headers)
        guarded = path.startswith(GUARDED)
        if guarded and answer.status_code in (401, 403, 404):
            continue  # not this key's, or not there: refused before a byte of the body is read
        assert answer.status_code == 415, (method, path)
        assert is_ours(answer), (method, path)
        assert answer.headers["accept-encoding"] == "identity"


async def test_a_body_that_says_it_is_not_packed_is_read(api: Client) -> None:
    headers = {"content-encoding": "identity", "idempotency-key": SOME}
    body = {"amount": 4000, "currency": "INR"}
    answer = await api.post("/payments", json=body, headers=headers)
    assert answer.status_code == 201
