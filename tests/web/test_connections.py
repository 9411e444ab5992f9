"""Clients who never finish what they began, over real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import uvicorn
from structlog.testing import capture_logs

from coinslot.app.connections import Bounds, served
from coinslot.kit.clock import SystemClock
from coinslot.pages.peer import networks

QUICK = Bounds(request_s=0.5, reading_s=0.5, waiting_max=20, waiting_each=10)
GET = b"GET /%s HTTP/1.1\r\nhost: x\r\n\r\n"
Server = Callable[..., AbstractAsyncContextManager[int]]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """/big answers with more than any buffer holds; everything else with what was sent."""
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    if scope["path"] == "/peer":
        body = scope["client"][0].encode()
    if scope["path"] == "/big":
        body = b"x" * 50_000_000
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(bounds: Bounds = QUICK) -> AsyncIterator[int]:
    config = served(application, bounds, SystemClock())
    config.port, config.lifespan = 0, "off"
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    await running


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What came until the server closed."""
    async with asyncio.timeout(10):
        try:
            return await reader.read()
        except ConnectionError:
            return b""


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nhost: x\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        GET % b"" + b"GET / HT",
    ],
)
async def test_a_request_that_is_half_sent_is_hung_up(half: bytes) -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(half)
        began = time.monotonic()
        await ended(reader)
        assert time.monotonic() - began < 8
        writer.close()


async def test_a_drop_every_moment_does_not_keep_a_request_alive() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def drip() -> None:
            writer.write(b"GET / HTTP/1.1\r\n")
            for _ in range(200):
                writer.write(b"a: b\r\n")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert await ended(reader) == b""
        assert not dripping.done()
        dripping.cancel()
        writer.close()


async def test_many_half_sent_requests_are_told_in_one_line_and_hold_nobody_up() -> None:
    with capture_logs() as said:
        async with serving(Bounds(waiting_each=10, waiting_max=20)) as port:
            idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
            for _, writer in idle:
                writer.write(b"GET / HT")
            for reader, _ in idle[:50]:  # the oldest, at once and not after 15 s
                assert await ended(reader) == b""
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET % b"")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            for _, other in idle:
                other.close()
    assert len([line for line in said if line["event"] == "connections_ended"]) == 1


async def test_a_proxy_that_is_trusted_may_bring_more_than_one_address() -> None:
    bounds = Bounds(waiting_each=2, waiting_max=100, trusted=networks("127.0.0.0/8"))
    async with serving(bounds) as port:
        many = [await asyncio.open_connection("127.0.0.1", port) for _ in range(10)]
        for reader, writer in many:
            writer.write(GET % b"")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()


async def test_a_reader_who_does_not_read_is_hung_up() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(GET % b"big")
        await asyncio.sleep(1.5)
        assert len(await ended(reader)) < 50_000_000
        writer.close()


async def test_a_connection_that_is_kept_open_serves_several_requests() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc")
            async with asyncio.timeout(5):
                await reader.readuntil(b"abc")
            await asyncio.sleep(0.3)  # less than the time for one, more for all of them
        writer.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n bad: folded\r\nno colon\r\n\r\n",
        b"GET  / HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"b" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_clear_request_is_400_in_the_one_format_and_the_end(
    request_: bytes,
) -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_)
        answer = await ended(reader)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b'{"error":{"code":"bad_request"' in answer
        assert answer.count(b"HTTP/1.1") == 1
        writer.close()


@pytest.mark.parametrize(
    ("trusted", "said", "peer"),
    [
        ("", [b"198.51.100.1"], b"127.0.0.1"),
        ("10.0.0.0/8", [b"198.51.100.1"], b"127.0.0.1"),
        ("127.0.0.1", [b"198.51.100.1"], b"198.51.100.1"),
        ("127.0.0.1", [b"203.0.113.9, 198.51.100.1"], b"198.51.100.1"),
        ("127.0.0.1", [b"203.0.113.9", b"198.51.100.1"], b"198.51.100.1"),
        ("127.0.0.1,10.0.0.0/8", [b"203.0.113.9, 198.51.100.1, 10.1.2.3"], b"198.51.100.1"),
    ],
)
async def test_the_peer_is_who_is_connected_unless_a_trusted_proxy_says_otherwise(
    trusted: str, said: list[bytes], peer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # what the server itself would believe
    async with serving(Bounds(trusted=networks(trusted))) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        headers = b"".join(b"x-forwarded-for: %s\r\n" % one for one in said)
        writer.write(b"GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n%s\r\n" % headers)
        answer = await ended(reader)
        writer.close()
    assert b"\r\n%s\r\n" % peer in answer
