"""A load generator for HTTP that costs little: prepared bytes over connections that stay open."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import cast

from bench.measure import WARM_S, Round

_LENGTH = b"content-length:"


class Tap(asyncio.Protocol):
    """One connection: a request is written when the answer to the one before is complete."""

    def __init__(self, more: Callable[["Tap"], None], told: Callable[[int, float], None]) -> None:
        self._more = more
        self._told = told
        self._held = b""
        self._began = 0.0
        self.transport: asyncio.Transport | None = None
        self.answer = b""  # the last one's body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._more(self)

    def pour(self, request: bytes) -> None:
        assert self.transport is not None
        self._began = perf_counter()
        self.transport.write(request)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._held += data
        head = self._held.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self._held[:head].lower()
        at = lower.find(_LENGTH)
        length = int(lower[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._held) < head + 4 + length:
            return
        status, self.answer, self._held = int(self._held[9:12]), self._held[head + 4 :], b""
        self._told(status, (perf_counter() - self._began) * 1000)
        self._more(self)


class RefusedError(Exception):
    """A webhook was not answered with 200."""


async def saturate(
    port: int, next_request: Callable[[], bytes], connections: int, seconds: float
) -> Round:
    """As many as go, `connections` at a time, after a moment that does not count.

    Raises RefusedError for any answer but 200."""
    loop = asyncio.get_running_loop()
    took_ms: list[float] = []
    refused: list[int] = []
    open_taps: set[Tap] = set()
    done = loop.create_future()
    began = perf_counter() + WARM_S
    end = began + seconds

    def more(tap: Tap) -> None:
        open_taps.add(tap)
        if perf_counter() < end and not refused:
            tap.pour(next_request())
            return
        open_taps.discard(tap)
        tap.close()
        if not open_taps and not done.done():
            done.set_result(None)

    def told(status: int, ms: float) -> None:
        if status != 200:
            refused.append(status)
        elif began <= perf_counter() < end:
            took_ms.append(ms)

    for _ in range(connections):
        await loop.create_connection(lambda: Tap(more, told), "127.0.0.1", port)
    await done
    if refused:
        raise RefusedError(f"answered {refused[0]}")
    return Round(per_s=len(took_ms) / seconds, took_ms=took_ms)
