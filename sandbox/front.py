"""Between the network and an emulated API: what the weather does, and how an answer leaves."""

import asyncio
from collections.abc import Callable, Mapping
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
