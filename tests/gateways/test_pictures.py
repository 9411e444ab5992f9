"""The picture that a gateway links to is read up to a bound, however it is packed."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from coinslot.gateways import wire
from coinslot.gateways.wire import PICTURE_MOST_BYTES, NoReply

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await answer(writer)
        except ConnectionError:
            pass  # whoever reads has had enough
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}/qr.png"


async def small(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nPNG")


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def packed(writer: asyncio.StreamWriter) -> None:
    """Some kilobytes that unpack to more than may be read."""
    body = zlib.compress(b"x" * (PICTURE_MOST_BYTES + 1))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n")
    writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def test_a_picture_is_read_whole() -> None:
    async with serving(small) as url:
        assert await wire.picture(url) == b"PNG"


@pytest.mark.parametrize("answer", [endless, packed], ids=["endless", "packed"])
async def test_what_is_too_large_for_a_picture_is_not_read_to_its_end(answer: Answer) -> None:
    async with serving(answer) as url, asyncio.timeout(10):
        found = await wire.picture(url)
    assert found == NoReply(f"more than {PICTURE_MOST_BYTES} bytes")
