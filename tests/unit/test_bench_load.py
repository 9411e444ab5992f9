"""The bench's load generator ends, whatever a server answers with."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.hose import RefusedError, StalledError, saturate

_ASKED = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def answering(answer: bytes, *, closes: bool = False) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(answer)
                await writer.drain()
                if closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "closes"),
    [
        (_OK + b"Content-Length: 2\r\n\r\nok", False),
        (_OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", False),
        (_OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", True),
        (_OK + b"\r\nok, to the end of the connection", True),
    ],
    ids=["length", "chunks", "closed after each", "ended by closing"],
)
async def test_answers_of_every_form_are_counted_to_the_end(answer: bytes, closes: bool) -> None:
    async with answering(answer, closes=closes) as port:
        for seconds in (0.2, 2.0, 20.0):  # a busy computer needs longer
            done = await saturate(port, lambda: _ASKED, connections=3, seconds=seconds)
            if len(done.took_ms) > 3:  # more than one on each connection
                return
    pytest.fail(f"{len(done.took_ms)} answers on three connections in {seconds} s")


async def test_a_server_that_closes_without_an_answer_ends_the_round() -> None:
    async with answering(b"", closes=True) as port:
        with pytest.raises(RefusedError, match="closed"):
            await saturate(port, lambda: _ASKED, connections=3, seconds=0.2)


async def test_a_server_that_never_answers_ends_the_round() -> None:
    async with answering(b"") as port:
        with pytest.raises(StalledError, match="3 requests got no answer"):
            await saturate(port, lambda: _ASKED, 3, 0.1, answers_within_s=0.1)
