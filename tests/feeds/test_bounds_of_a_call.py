"""Bounds of one call to a merchant's server, at their edges: how much of an answer is read and
kept, and which connections stay open."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpcore
import pytest

from coinslot.events.webhooks.bounded_stream import BoundedStream
from coinslot.events.webhooks.safe_http import (
    KEPT_CHARS,
    READ_MAX_BYTES,
    BadUrlError,
    SafeHttp,
    TryOutcome,
    checked,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


@asynccontextmanager
async def server(said: bytes, *, stays: bool) -> AsyncIterator[str]:
    """It says this and then nothing, or hangs up."""
    over = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        if stays:
            await over.wait()
        writer.close()

    made = await asyncio.start_server(talk, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{made.sockets[0].getsockname()[1]}/"
    over.set()
    made.close()


async def told(url: str, timeout_s: float = 5) -> TryOutcome:
    reach = SafeHttp(timeout_s=timeout_s, private=True)
    try:
        return await reach.post(url, {"webhook-id": "1"}, b"{}")
    finally:
        await reach.close()


async def test_so_many_bytes_of_an_answer_are_read_and_no_more_is_waited_for() -> None:
    async with server(HEAD + b"x" * READ_MAX_BYTES, stays=True) as url:
        assert (await told(url)).failure is None
    async with server(HEAD + b"x" * (READ_MAX_BYTES - 1), stays=True) as url:
        assert (await told(url, 0.2)).failure == "no whole answer within 0.2 s"
    assert READ_MAX_BYTES == 16_384


@pytest.mark.parametrize("letter", ["x", "é", "☕", "🥤"])
async def test_the_first_characters_are_kept_however_many_bytes_each_has(letter: str) -> None:
    body = (letter * (KEPT_CHARS + 7)).encode()
    head = f"HTTP/1.1 500 No\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with server(head + body, stays=False) as url:
        found = await told(url)
    assert (found.status, found.response) == (500, letter * KEPT_CHARS)
    assert KEPT_CHARS == 500


async def test_an_empty_answer_is_kept_as_none_and_one_that_is_no_text_with_marks() -> None:
    async with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", stays=False) as url:
        assert (await told(url)).response is None
    async with server(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\0\xff", stays=False) as url:
        assert (await told(url)).response == "a\ufffd\ufffd"


async def test_when_to_come_again_is_read_whatever_its_header_looks_like() -> None:
    said = b"HTTP/1.1 503 No\r\nX: 1\r\nRETRY-After:  17 \r\nContent-Length: 0\r\n\r\n"
    async with server(said, stays=False) as url:
        assert (await told(url)).retry_after == "17"
    async with server(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", stays=False) as url:
        assert (await told(url)).retry_after is None


async def test_it_is_said_what_broke_in_so_many_words() -> None:
    class LongError(httpcore.NetworkError):
        pass

    async def resolve(_host: str, _port: int) -> list[str]:
        raise LongError("x" * 1000)

    reach = SafeHttp(timeout_s=5, resolver=resolve)
    found = await reach.post("https://shop.example/", {}, b"{}")
    await reach.close()
    assert found.failure == ("LongError: " + "x" * 1000)[:500]
    assert (found.status, found.response, found.took_ms >= 0) == (None, None, True)

    async def silent(_host: str, _port: int) -> list[str]:
        raise LongError

    reach = SafeHttp(timeout_s=5, resolver=silent)
    found = await reach.post("https://shop.example/", {}, b"{}")
    await reach.close()
    assert found.failure == "LongError"


@pytest.mark.parametrize(("status", "well"), [(199, False), (200, True), (299, True), (300, False)])
def test_a_try_went_well_with_any_answer_of_success(status: int, well: bool) -> None:
    found = TryOutcome(status=status, failure=None, response=None, took_ms=1)
    assert found.well is well
    assert not TryOutcome(status=None, failure="x", response=None, took_ms=1).well


def test_an_address_is_as_long_as_a_browser_takes_and_no_longer() -> None:
    url = "https://shop.example/"
    longest = url + "x" * (2048 - len(url))
    assert checked(longest, private=False) == longest
    for bad in (longest + "x", url + " ", url + "é", url + "\x7f", "ftp://shop.example/",
                "https://", "https://a@shop.example/", "https://:b@shop.example/",
                "https://shop.example:99999/", "https://10.0.0.1/", "https://[::1]/"):  # fmt: skip
        with pytest.raises(BadUrlError):
            checked(bad, private=False)
    for own in ("http://10.0.0.1/", "http://localhost:8080/", "https://10.0.0.1/"):
        assert checked(own, private=True) == own
    with pytest.raises(BadUrlError):
        checked("ftp://10.0.0.1/", private=True)


async def test_of_many_endpoints_those_called_longest_ago_are_forgotten() -> None:
    reach = SafeHttp(timeout_s=1, private=True)
    async with AsyncExitStack() as used:
        await used.enter_async_context(reach._to("in use"))
        for number in range(199):
            async with reach._to(f"{number}"):
                pass
        assert list(reach._pools)[:2] == ["in use", "0"]
        kept = reach._pools["0"].connections
        async with reach._to("0") as again:
            assert again is kept, "the same endpoint has the same connections"
        async with reach._to("one more"):
            pass
        assert len(reach._pools) == 200
        assert "1" not in reach._pools
        assert next(iter(reach._pools)) == "in use"
        assert list(reach._pools)[-2:] == ["0", "one more"]
        assert reach._pools["in use"].users == 1
        assert reach._pools["0"].users == 0
    assert reach._pools["in use"].users == 0
    await reach.close()
    assert reach._pools == {}


class Pieces(httpcore.AsyncNetworkStream):
    """It has so many bytes, and says how many were asked for at a time."""

    def __init__(self, has: int) -> None:
        self.has = has
        self.asked: list[int] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.asked.append(max_bytes)
        part = min(max_bytes, self.has)
        self.has -= part
        return b"x" * part

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        pass


async def test_a_stream_is_read_in_sips_up_to_a_limit_that_begins_anew_with_each_request() -> None:
    beneath = Pieces(1_000_000)
    stream = BoundedStream(beneath)

    async def read_all() -> int:
        count = 0
        try:
            while True:
                count += len(await stream.read(65_536))
        except httpcore.ReadError:
            return count

    assert await read_all() == 32_768
    assert set(beneath.asked) == {2_048}
    await stream.write(b"again")
    assert await read_all() == 32_768
    await stream.write(b"again")
    assert len(await stream.read(100)) == 100


async def test_other_addresses_of_a_name_are_tried_where_one_does_not_answer() -> None:
    async def answering(tried: list[str]) -> Callable[[str, int], Awaitable[list[str]]]:
        async def resolve(_host: str, _port: int) -> list[str]:
            return tried

        return resolve

    async with server(b"HTTP/1.1 204 No\r\n\r\n", stays=False) as url:
        port = url.rsplit(":", 1)[1]
        for addresses, status in ((["127.0.0.2", "127.0.0.1"], 204), ([], None)):
            resolver = await answering(addresses)
            reach = SafeHttp(timeout_s=5, private=True, resolver=resolver)
            found = await reach.post(f"http://shop.example:{port}", {"webhook-id": "1"}, b"{}")
            await reach.close()
            assert found.status == status, found.failure
            if not addresses:
                assert "has no address" in str(found.failure)
