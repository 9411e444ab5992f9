"""A server on 127.0.0.1 that answers with the bytes it was given, and keeps what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from coinslot.gateways import razorpay
from coinslot.gateways.wire import Address, Exchange, Wire
from coinslot.kit.clock import monotonic_ms
from coinslot.kit.secrets import Secret


class Canned(NamedTuple):
    """One answer; a dict or list is written as JSON. Status 0 says nothing and hangs up."""

    status: int
    body: object = b""
    delay_s: float = 0
    header: str = ""  # one more, as it stands on the wire


class Asked(NamedTuple):
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


def error(status: int, description: str, code: str = "BAD_REQUEST_ERROR") -> Canned:
    """An error in Razorpay's form."""
    return Canned(status, {"error": {"code": code, "description": description, "metadata": {}}})


@asynccontextmanager
async def serving(*answers: Canned) -> AsyncIterator[tuple[str, list[Asked]]]:
    """The address of a gateway that gives these answers in turn, the last one for ever."""
    asked: list[Asked] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.strip().split("\r\n")
        headers = {k.lower(): v for k, v in (row.split(": ", 1) for row in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        canned = answers[min(len(asked), len(answers) - 1)]
        asked.append(Asked(line, headers, body))
        if canned.status:
            await _trickle(writer, canned)
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()


def wire_to(address: Address, *, timeout_s: float = 30) -> Wire:
    return Wire.to(address, timeout_s=timeout_s, record=_forget, now_ms=monotonic_ms)


@asynccontextmanager
async def answering(
    *answers: Canned, timeout_s: float = 30
) -> AsyncIterator[tuple[razorpay.Razorpay, list[Asked]]]:
    """A driver of Razorpay at such a gateway."""
    async with serving(*answers) as (url, asked):
        settings = razorpay.Settings(key_id="rzp_test_key", key_secret=Secret("shh"), base_url=url)
        wire = wire_to(razorpay.address(settings), timeout_s=timeout_s)
        yield razorpay.Razorpay(settings, wire), asked
        await wire.close()


async def _forget(_exchange: Exchange) -> None:
    pass


async def _trickle(writer: asyncio.StreamWriter, canned: Canned) -> None:
    """Head and body; with a delay, byte after byte, so that each read is a quick one."""
    said = canned.body
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    more = f"{canned.header}\r\n" if canned.header else ""
    writer.write(
        f"HTTP/1.1 {canned.status} X\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: application/json\r\n{more}Connection: close\r\n\r\n".encode()
    )
    steps: Sequence[bytes] = [body[i : i + 1] for i in range(len(body))]
    for step in steps if canned.delay_s else [body]:
        writer.write(step)
        try:
            await writer.drain()
        except ConnectionError:
            return
        await asyncio.sleep(canned.delay_s)
