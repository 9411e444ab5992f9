"""Screens that wait for a new state, over sockets: they are told at the change, and how many may
wait is bounded for a machine, for a network and in all. The client of `conftest` holds its loop
while a request waits, so that it cannot show this."""

import asyncio
import json
from asyncio import FIRST_COMPLETED, StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from tests.web import cast
from tests.web.serving import Served

PATIENCE_S = 15  # a state is read again every 2 s, and a wait without a change ends after 25
AT_ONCE_S = 0.5
HOME = "127.0.0.1"


class Screen:
    """One connection of a tablet that asks for the state."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._writer = writer
        self.answer = asyncio.ensure_future(self._read(reader))

    async def _read(self, reader: StreamReader) -> Any:
        return json.loads((await reader.read()).partition(b"\r\n\r\n")[2])

    async def leave(self) -> None:
        self.answer.cancel()
        self._writer.close()


class Tablets:
    """All screens of a test, before one server."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._at = (at.hostname, at.port)
        self._screens: list[Screen] = []

    async def ask(self, machine: str, seen: str, network: str = HOME) -> Screen:
        reader, writer = await asyncio.open_connection(*self._at, local_addr=(network, 0))
        writer.write(
            f"GET /m/{machine}/screen/state?seen={seen} HTTP/1.1\r\nHost: x\r\n"
            "Accept: application/json\r\nConnection: close\r\n\r\n".encode()
        )
        screen = Screen(reader, writer)
        self._screens.append(screen)
        return screen

    async def state(self, machine: str) -> Any:
        """As it is now: nobody has seen the version "none"."""
        return await asyncio.wait_for((await self.ask(machine, "none")).answer, PATIENCE_S)

    async def close(self) -> None:
        for screen in self._screens:
            await screen.leave()


@asynccontextmanager
async def tablets(served: Served) -> AsyncIterator[Tablets]:
    made = Tablets(served.url)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture(scope="module")
def one() -> Iterator[Served]:
    """A server for the module; each test has its own machines."""
    with Served() as served:
        yield served


def machines(served: Served, *codes: str) -> None:
    for code in codes:
        served.backend.outlets[code] = replace(cast.M01, code=code)


async def answered(screens: list[Screen]) -> list[Screen]:
    """Those that have an answer, as soon as one has."""
    await asyncio.wait(
        [screen.answer for screen in screens], timeout=PATIENCE_S, return_when=FIRST_COMPLETED
    )
    return [screen for screen in screens if screen.answer.done()]


async def test_who_has_seen_the_state_waits_and_is_told_at_the_change(one: Served) -> None:
    machines(one, "W1")
    async with tablets(one) as they:
        seen = await they.state("W1")
        screen = await they.ask("W1", seen["version"])
        assert not (await asyncio.wait([screen.answer], timeout=2.5))[0], "it was read again"
        one.backend.outlets["W1"] = replace(cast.M01, code="W1", busy=True)
        told = await asyncio.wait_for(screen.answer, PATIENCE_S)
        assert (told["state"], told["version"] != seen["version"]) == ("busy", True)


async def test_ten_wait_for_a_machine_and_a_place_is_free_when_its_client_leaves(
    one: Served,
) -> None:
    machines(one, "T1")
    async with tablets(one) as they:
        seen = (await they.state("T1"))["version"]
        asking = [await they.ask("T1", seen, f"127.0.2.{n}") for n in range(1, 12)]
        over = await answered(asking)
        assert [screen.answer.result()["version"] for screen in over] == [seen]
        waiting = [screen for screen in asking if screen not in over]
        await waiting.pop().leave()
        waiting.append(await _gets_a_place(they, "T1", seen))
        one.backend.outlets["T1"] = replace(cast.M01, code="T1", busy=True)
        told = await asyncio.wait_for(asyncio.gather(*(s.answer for s in waiting)), PATIENCE_S)
        assert [state["state"] for state in told] == ["busy"] * 10
        now = (await they.state("T1"))["version"]
        await _gets_a_place(they, "T1", now)  # those that were told left theirs


async def _gets_a_place(they: Tablets, machine: str, seen: str) -> Screen:
    """A place is free long before the waiting of 25 s is over."""
    async with asyncio.timeout(5):
        while True:
            screen = await they.ask(machine, seen)
            if not (await asyncio.wait([screen.answer], timeout=AT_ONCE_S))[0]:
                return screen


async def test_twenty_wait_from_a_network_and_another_network_waits_beside_them(
    one: Served,
) -> None:
    machines(one, "N1", "N2", "N3")
    async with tablets(one) as they:
        seen = (await they.state("N1"))["version"]
        asking = [await they.ask(f"N{n % 3 + 1}", seen, "127.0.3.1") for n in range(21)]
        assert len(await answered(asking)) == 1
        another = await they.ask("N3", seen, "127.0.3.2")
        assert not (await asyncio.wait([another.answer], timeout=AT_ONCE_S))[0]
        assert sum(screen.answer.done() for screen in asking) == 1


async def test_five_hundred_wait_in_all(one: Served) -> None:
    codes = [f"A{n}" for n in range(60)]
    machines(one, *codes)
    async with tablets(one) as they:
        seen = (await they.state("A0"))["version"]
        asking = [await they.ask(codes[n % 60], seen, f"127.0.4.{n % 30 + 1}") for n in range(501)]
        assert len(await answered(asking)) == 1
