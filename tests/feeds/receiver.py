"""A merchant's server on a real socket; the official library judges what it gets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web
from standardwebhooks import Webhook

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Got(msgspec.Struct, frozen=True):
    """One request as it came in."""

    id: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def type(self) -> str:
        return str(self.event["type"])

    def verify(self, secret: str, at: datetime) -> Any:
        """The official verdict. The library compares with the real time, our clock is set: the
        signature it would make for these very words is what must be among those that came."""
        stamp = int(self.headers["webhook-timestamp"])
        assert timedelta(0) <= at - datetime.fromtimestamp(stamp, at.tzinfo) < timedelta(seconds=1)
        signed = Webhook(secret).sign(
            self.id, datetime.fromtimestamp(stamp, at.tzinfo), self.body.decode()
        )
        assert signed in self.headers["webhook-signature"].split(" ")
        return self.event


class Receiver:
    """`answers` are given in turn, then 204 for ever."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: list[Answering] = []
        self.url = ""
        self._came = asyncio.Event()

    def answers_with(self, *statuses: int, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        def answering(status: int) -> Answering:
            async def answer(_request: web.Request) -> web.Response:
                return web.Response(status=status, headers=named, text="as told")

            return answer

        self.answers += [answering(status) for status in statuses]

    async def take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Got(headers["webhook-id"], headers, await request.read()))
        self._came.set()
        if self.answers:
            return await self.answers.pop(0)(request)
        return web.Response(status=204)

    async def until(self, count: int, within_s: float = 20) -> None:
        """As soon as so many have come."""
        async with asyncio.timeout(within_s):
            while len(self.got) < count:
                self._came.clear()
                await self._came.wait()

    @property
    def types(self) -> list[str]:
        return [got.type for got in self.got]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens on a free port."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
