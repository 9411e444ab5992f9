"""Between the network and an emulated API: what the weather does, and how an answer leaves."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response

from sandbox import weather
from sandbox.store import Store
from sandbox.weather import Fate

BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>502</body></html>"


class Answered(msgspec.Struct, frozen=True):
    """What goes out; `cut` means that nothing does and the connection breaks."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = {}
    cut: bool = False


class RefusalError(Exception):
    """An answer of an emulated API other than success; each gateway writes it its own way."""

    status = 400

    def body(self) -> dict[str, Any]:
        raise NotImplementedError

    def answered(self) -> Answered:
        return Answered(self.status, msgspec.json.encode(self.body()))


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A raw request, after HTTP and before anything is believed."""

    method: str
    path: str
    query: Mapping[str, str]
    query_text: str
    authorization: str
    key: str | None  # the idempotency key
    body: bytes


async def asked(request: Request[Any, Any, Any], path: Path, key_header: str) -> Asked:
    """A request to an emulated API whose paths begin with a version."""
    return Asked(
        method=request.method,
        path="/" + str(path).strip("/"),
        query=dict(request.query_params),
        query_text=request.scope["query_string"].decode(errors="replace"),
        authorization=request.headers.get("authorization", ""),
        key=request.headers.get(key_header),
        body=await request.body(),
    )


async def through_weather(
    store: Store, applied: Callable[[], Answered], trouble: Callable[[], Answered]
) -> Answered:
    """The answer of `applied`, unless the weather wants another; `trouble` does nothing but 5xx."""
    with store.read() as look:
        sky = weather.current(look).api
    if sky.latency_ms:
        await asyncio.sleep(sky.latency_ms / 1_000)
    fate = Fate.FAIR
    if sky.error_5xx or sky.drop_response:
        with store.change() as change:
            fate = weather.fate_of_call(change)
    if fate is Fate.REFUSED:
        return trouble()
    answered = applied()
    if fate is Fate.DONE_BUT_5XX:
        return Answered(502, BAD_GATEWAY, "text/html")
    if fate is Fate.DONE_BUT_CUT:
        return Answered(0, b"", cut=True)
    return answered


async def sent(request: Request[Any, Any, Any], answered: Answered) -> Response[bytes]:
    """The answer for the server to send, or a connection that is broken instead."""
    if answered.cut:
        request.scope["state"]["cut"]()
        await asyncio.sleep(0)
    return Response(
        answered.body,
        status_code=answered.status or 500,
        media_type=answered.media_type,
        headers=dict(answered.headers),
    )
