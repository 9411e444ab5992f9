"""The calls: each is sent once, limited in time, over a connection of its own.

Over a kept connection that the other end just closes, a command would be in doubt for nothing."""

import asyncio

import httpx
import msgspec

from coinslot.channels.tmetr import build, parse
from coinslot.channels.tmetr.build import Make, Settings, Size
from coinslot.channels.tmetr.parse import (
    Drink,
    Heartbeat,
    NoPrice,
    Refused,
    Reply,
    Silent,
    Taken,
    Unclear,
)
from coinslot.kit.faults import Reached, no_fault
from coinslot.kit.tls import trusted

# Raised before a byte of the request has left.
NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
ANSWER_BYTES = 1_000_000  # more is not read: nothing that we ask for is nearly so long


def connect(settings: Settings) -> httpx.AsyncClient:
    """An HTTP client for one account; who opens it closes it."""
    return httpx.AsyncClient(
        base_url=settings.host.rstrip("/"),
        headers=build.headers(settings),
        timeout=httpx.Timeout(settings.read_s, connect=settings.connect_s),
        limits=httpx.Limits(max_keepalive_connections=0),
        follow_redirects=False,
        verify=trusted(),
    )


class Tmetr:
    """One account at Tmetr. Retries nothing, logs nothing, keeps nothing."""

    def __init__(
        self, settings: Settings, http: httpx.AsyncClient, reached: Reached = no_fault
    ) -> None:
        self._settings = settings
        self._http = http
        self._reached = reached  # called around every call; for the storms

    async def drink(
        self, device: str, drink_id: str, size: Size
    ) -> Drink | NoPrice | Refused | Unclear:
        """A drink's name and price now. The price of a sale is this one, and no other."""
        body = build.drink(self._settings, device, drink_id, size)
        reply = await self._send(self._settings.drink_path, body)
        return parse.drink(self._settings, reply) if isinstance(reply, Reply) else reply

    async def last_heartbeat(self, device: str) -> Heartbeat | Silent | Refused | Unclear:
        reply = await self._send(self._settings.heartbeat_path, build.heartbeat(device))
        if not isinstance(reply, Reply):
            return reply
        return parse.heartbeat(self._settings, device, reply)

    async def make(self, wanted: Make) -> Taken | Refused | Unclear:
        """Command one drink. Refused means that nothing was made; Unclear that it may have been."""
        try:
            body = build.make(self._settings, wanted)
        except ValueError as error:
            return Refused(str(error))
        reply = await self._send(self._settings.make_path, body)
        return parse.made(reply) if isinstance(reply, Reply) else reply

    async def _send(self, path: str, body: object) -> Reply | Refused | Unclear:
        self._reached("before_send")
        try:
            return await self._answered(path, body)
        except NOT_SENT as error:
            return Refused(f"not reached: {type(error).__name__}: {error}".rstrip(": "))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Unclear(f"{type(error).__name__}: {error}".rstrip(": "))
        except TimeoutError:
            return Unclear("no whole answer in time")
        finally:
            self._reached("after_send")

    async def _answered(self, path: str, body: object) -> Reply:
        """httpx limits each read, not their sum: one who trickles would hold us for ever."""
        content = msgspec.json.encode(body)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        async with (
            asyncio.timeout(self._settings.connect_s + self._settings.read_s),
            self._http.stream("POST", path, content=content, headers=headers) as answer,
        ):
            came = bytearray()
            async for part in answer.aiter_bytes():
                came += part
                if len(came) > ANSWER_BYTES:
                    break
            return Reply(answer.status_code, bytes(came[:ANSWER_BYTES]))
