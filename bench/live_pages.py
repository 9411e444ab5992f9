"""What open pages of the console cost webhooks: `python -m bench.live_pages` prints one ratio,
webhooks a second with 200 open pages over those with none, in turns in one run."""

import argparse
import asyncio
import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx
import structlog
import uvloop

from bench import hose, webhooks
from bench.goods import SLUG
from bench.ground import Base, Ground
from bench.measure import Round, Rounds
from bench.parts import end_on_sigterm
from bench.serving import Serving, cpu_s
from coinslot.context import password_hasher
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock
from coinslot.merchants.merchants import merchant_named
from coinslot.people.members import NewMember, add_member
from coinslot.people.passwords import Passwords

_CONNECTIONS = 16
_MACHINES = 50
_PASSWORD = "a can for the bench"
_PAGES_OF_ONE = 40  # one person has no more than 50 open
_TRUSTED = {"COINSLOT_TRUSTED_PROXIES": "127.0.0.1/32"}  # so that each page has an address


class OpenPages:
    """Pages as a browser has them: a stream each, and the page again whenever it says so."""

    def __init__(self, port: int, cookies: Sequence[str]) -> None:
        self._port, self._cookies = port, cookies
        self._tasks: list[asyncio.Task[None]] = []
        self.loads = 0

    async def open(self, pages: int) -> None:
        self._tasks = [asyncio.create_task(self._page(number)) for number in range(pages)]
        await asyncio.sleep(2.0)  # until all streams stand

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _page(self, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(self._request("/console/live", number))
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    await self._load(number)
        finally:
            writer.close()

    async def _load(self, number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(self._request("/console/today", number))
            await reader.read(64)
            while await reader.read(65536):
                pass
            self.loads += 1
        finally:
            writer.close()

    def _request(self, path: str, number: int) -> bytes:
        address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
        cookie = self._cookies[number // _PAGES_OF_ONE]
        lines = (
            f"GET {path} HTTP/1.1", "host: 127.0.0.1", f"cookie: {cookie}",
            f"x-forwarded-for: {address}",
            "connection: close" if path != "/console/live" else "accept: text/event-stream",
        )  # fmt: skip
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def measure(ground: Ground, folder: Path, pages: int, rounds: int, seconds: float) -> str:
    """The line that says it."""
    outlets = {f"M{number:05}": "mqtt" for number in range(_MACHINES)}
    base = await ground.make("live", outlets)
    people = [f"asha{number}" for number in range(pages // _PAGES_OF_ONE + 1)]
    await _with_members(base, people)
    serving = Serving("web", base, folder)
    await serving.start(**_TRUSTED)
    try:
        cookies = [await _cookie(serving.port, login) for login in people]
        opened = OpenPages(serving.port, cookies)
        without, with_ = Rounds(rounds=[]), Rounds(rounds=[])
        used = 0.0
        for _ in range(rounds):
            without.rounds.append(await _take(serving, base, list(outlets), seconds))
            await opened.open(pages)
            before = cpu_s([serving.pid])
            await asyncio.sleep(seconds)  # nothing changes: what they cost by themselves
            used += cpu_s([serving.pid]) - before
            with_.rounds.append(await _take(serving, base, list(outlets), seconds))
            await opened.close()
    finally:
        await serving.stop()
    return (
        f"{pages} open pages: {with_.per_s:.0f} webhooks/s, none: {without.per_s:.0f}/s,"
        f" ratio {with_.per_s / without.per_s:.2f}; p50 {with_.p50_ms:.1f} against"
        f" {without.p50_ms:.1f} ms, p99 {with_.p99_ms:.1f} against {without.p99_ms:.1f} ms;"
        f" {opened.loads} page loads; while nothing"
        f" changes they use {used / (rounds * seconds):.1%} of a core"
    )


async def _take(serving: Serving, base: Base, outlets: list[str], seconds: float) -> Round:
    turn = webhooks.around(outlets)
    clock = SystemClock()

    def fresh() -> bytes:
        at_s = int(clock.now().timestamp())
        return webhooks.request(next(turn), webhooks.fresh_payment(), base.installation, at_s)

    return await hose.saturate(serving.port, fresh, _CONNECTIONS, seconds)


async def _with_members(base: Base, logins: Sequence[str]) -> None:
    db = await Database.open(base.app, base.door, size=2)
    merchant = await merchant_named(db, SLUG)
    assert merchant is not None
    passwords = Passwords(password_hasher())
    for login in logins:
        member = NewMember(login=login, password=_PASSWORD, role="admin")
        await add_member(db, passwords, merchant, member, SystemClock().now())
    await db.close()


async def _cookie(port: int, login: str) -> str:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        answer = await client.post(
            "/console/sign-in", data={"login": login, "password": _PASSWORD},
            headers={"sec-fetch-site": "same-origin"},
        )  # fmt: skip
    name, value = next(iter(answer.cookies.items()))
    return f"{name}={value}"


async def run(pages: int, rounds: int, seconds: float) -> str:
    folder = Path(tempfile.mkdtemp(prefix="coinslot-bench-"))
    folder.chmod(0o755)  # the server runs as another user
    ground = Ground(folder)
    await ground.open()
    try:
        return await measure(ground, folder / "serving", pages, rounds, seconds)
    finally:
        await ground.close()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    end_on_sigterm()
    parser = argparse.ArgumentParser(prog="python -m bench.live_pages", description=__doc__)
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    given, _others = parser.parse_known_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(run(given.pages, given.rounds, given.seconds)))


if __name__ == "__main__":
    main()
