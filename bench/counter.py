"""A counter on this machine: `python -m bench.counter`, over a whole demo. How long its menu takes,
one of 500 items too, and a checkout; how many a second; and how soon open boards learn of an order.
Ratios are against the same page served as a file by the same server software."""

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any, Final

import httpx

from bench.coffee import demo_at
from bench.measure import share
from coinslot.db.leftover import free_port

_WARM: Final = 3
_AT_ONCE: Final = 8
_LARGE: Final = 500  # items
_LARGE_SLUG: Final = "large"
_PATIENCE_S: Final = 120
_QUIET_S: Final = 20  # until every page was told of what happened before
_PEOPLE: Final = ("asha", "boris", "vera", "ravi")  # one has no more than 50 pages open
_TRUSTED: Final = {"COINSLOT_TRUSTED_PROXIES": "127.0.0.1/32"}  # so that each has an address
_STATIC: Final = """
import sys, uvicorn
from pathlib import Path
body = Path(sys.argv[1]).read_bytes()
headers = [(b"content-type", b"text/html; charset=utf-8")]
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[2]), log_level="critical", lifespan="off")
"""


class CounterBench:
    """One run over one demo."""

    def __init__(self, facts: dict[str, Any], folder: Path) -> None:
        self._facts, self._folder = facts, folder
        self._base = facts["base_url"]
        (counter,) = [one for one in facts["outlets"] if one["kind"] == "counter"]
        self._slug = counter["slug"]
        self.ms: dict[str, list[float]] = {}
        self.per_s: dict[str, float] = {}
        self.heard_ms: list[float] = []
        self._orders = 0

    async def run(self, rounds: int, boards: int) -> None:
        self._large_menu()
        limits = httpx.Limits(max_connections=boards + 50)
        headers = {"accept": "text/html", "accept-encoding": "identity"}
        async with AsyncExitStack() as stack:
            self._client = await stack.enter_async_context(
                httpx.AsyncClient(timeout=60, trust_env=False, headers=headers, limits=limits)
            )
            for name, path in (("menu", self._slug), (f"menu of {_LARGE} items", _LARGE_SLUG)):
                url = f"{self._base}/s/{path}"
                static = stack.enter_context(self._static((await self._client.get(url)).content))
                await until_answers(self._client, static)
                await self._measure(f"{name}, as a file", rounds, partial(self._get, static))
                await self._measure(name, rounds, partial(self._get, url))
            await self._measure("checkout", rounds, self._order)
            await self._boards(boards)

    def _large_menu(self) -> None:
        """A second counter, by the commands of an operator."""
        table = self._folder / "large.csv"
        rows = [
            f"i{n},Section {n // 25},Dish number {n},Freshly made,{100 + n}" for n in range(_LARGE)
        ]
        table.write_text("\n".join(["sku,section,name,description,price", *rows]), "utf-8")
        data = ("--data", str(self._folder / "data"))
        for words in (
            ("add", "S90", "--merchant", "asha", "--slug", _LARGE_SLUG, "--name", "Large",
             "--account", "mock/asha", "--currency", "INR"),
            ("menu", "S90", str(table)),
        ):  # fmt: skip
            command = [sys.executable, "-m", "coinslot", "counter", *words, *data]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def _static(self, body: bytes) -> "Served":
        file = self._folder / f"page-{len(self.ms)}.html"
        file.write_bytes(body)
        return Served(file)

    async def _get(self, url: str) -> None:
        (await self._client.get(url)).raise_for_status()

    async def _measure(self, name: str, rounds: int, work: Callable[[], Awaitable[Any]]) -> None:
        """One after the other for how long each takes; several at once for how many a second."""
        took = []
        for number in range(rounds + _WARM):
            began = time.perf_counter()
            await work()
            if number >= _WARM:
                took.append((time.perf_counter() - began) * 1000)
        self.ms[name] = took
        began = time.perf_counter()

        async def one() -> None:
            for _ in range(max(1, rounds // _AT_ONCE)):
                await work()

        await asyncio.gather(*(one() for _ in range(_AT_ONCE)))
        done = max(1, rounds // _AT_ONCE) * _AT_ONCE
        self.per_s[name] = done / (time.perf_counter() - began)

    async def _order(self, name: str = "") -> str:
        """A basket is shown, and paid by a tap: the practice gateway."""
        line = "line=vada~1~~"
        page = unescape((await self._client.get(f"{self._base}/s/{self._slug}/basket?{line}")).text)
        form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        form |= {"way": re.findall(r'name="way" value="([^"]+)"', page)[-1], "name": name}
        self._orders += 1
        from_ = {"x-forwarded-for": f"10.{self._orders % 200}.1.{self._orders % 250 + 1}"}
        url = f"{self._base}/s/{self._slug}"
        answer = await self._client.post(url, data=form, headers=from_)
        if not answer.is_redirect:
            raise AssertionError(f"an order was answered by {answer.status_code}")
        return answer.headers["location"]

    async def _boards(self, count: int) -> None:
        """So many streams of open boards, from addresses of their own; when each hears that
        something changed."""
        cookies = [await self._signed_in(login) for login in _PEOPLE]
        open_, heard = asyncio.Semaphore(0), asyncio.Queue[float]()

        async def board(number: int) -> None:
            cookie, seen = cookies[number % len(cookies)]
            headers = {"cookie": cookie, "x-forwarded-for": f"10.2.0.{number + 1}"}
            url = f"{self._base}/console/live?seen={seen}"
            async with (
                httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as one,
                one.stream("GET", url, headers=headers) as stream,
            ):
                stream.raise_for_status()
                open_.release()
                async for line in stream.aiter_lines():
                    if line.startswith("data:"):
                        heard.put_nowait(time.perf_counter())

        streams = [asyncio.create_task(board(number)) for number in range(count)]
        try:
            async with asyncio.timeout(_PATIENCE_S):
                for _ in range(count):
                    await open_.acquire()
                await asyncio.sleep(_QUIET_S)
                while not heard.empty():  # of what happened before
                    heard.get_nowait()
                began = time.perf_counter()
                await self._order("Board")
                for _ in range(count):
                    self.heard_ms.append((await heard.get() - began) * 1000)
        finally:
            for stream in streams:
                stream.cancel()
            await asyncio.gather(*streams, return_exceptions=True)

    async def _signed_in(self, login: str) -> tuple[str, str]:
        """The cookies of a session, and the version of what its page shows."""
        (password,) = [m["password"] for m in self._facts["members"] if m["login"] == login]
        ours = {"sec-fetch-site": "same-origin", "accept": "text/html"}
        async with httpx.AsyncClient(trust_env=False, timeout=30, headers=ours) as one:
            given = {"login": login, "password": password}
            answer = await one.post(f"{self._base}/console/sign-in", data=given)
            page = await one.get(f"{self._base}/console/account")
            if page.status_code != 200:
                raise AssertionError(f"{login}: {answer.status_code}, {page.status_code}")
            seen = re.findall(r'data-version="([^"]*)"', page.text)[0]
            return "; ".join(f"{name}={value}" for name, value in one.cookies.items()), seen

    def lines(self) -> list[str]:
        found = []
        for name, took in self.ms.items():
            plain = self.ms.get(f"{name}, as a file", self.ms["menu, as a file"])
            ratio = share(took, 0.95) / share(plain, 0.95)
            found.append(
                f"| {name} | {share(took, 0.5):.0f} | {share(took, 0.95):.0f} | {ratio:.1f} |"
                f" {self.per_s[name]:.0f} |"
            )
        return found


class Served:
    """A file as a page, by a process of its own."""

    def __init__(self, file: Path) -> None:
        self._file, self._port = file, free_port()

    def __enter__(self) -> str:
        command = [sys.executable, "-c", _STATIC, str(self._file), str(self._port)]
        self._process = subprocess.Popen(command, env=dict(os.environ))
        return f"http://127.0.0.1:{self._port}/"

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


async def until_answers(client: httpx.AsyncClient, url: str) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            try:
                await client.get(url)
                return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.counter", description=__doc__)
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument("--boards", type=int, default=200)
    given = parser.parse_args()
    print(measured(given.rounds, given.boards))
    return 0


def measured(rounds: int, boards: int = 200) -> str:
    """A table, over a demo of its own."""
    with tempfile.TemporaryDirectory(prefix="counter-") as folder:
        demo = demo_at(Path(folder) / "data", _TRUSTED)
        try:
            facts = json.loads((Path(folder) / "data" / "demo.json").read_text("utf-8"))
            bench = CounterBench(facts, Path(folder))
            asyncio.run(bench.run(rounds, boards))
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(30)
    heard = bench.heard_ms
    return "\n".join(
        [
            f"{rounds} of each; milliseconds, and the p95 as a multiple of the page as a file.\n",
            "| | p50 | p95 | of the page as a file | a second |",
            "| --- | --- | --- | --- | --- |",
            *bench.lines(),
            "",
            f"Of {len(heard)} boards that are open the first hears of a paid order after"
            f" {heard[0]:.0f} ms from the tap, half of them after {share(heard, 0.5):.0f} ms, 95 %"
            f" after {share(heard, 0.95):.0f} ms.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
