"""A counter on this machine: `python -m bench.counter`, over a whole demo. How long its menu takes,
one of 500 items too, and a checkout; how many a second; and how soon open boards learn of an order.
Ratios are against the same page served as a file by the same server software."""

import argparse
import asyncio
import json
import os
import re
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
from msgspec import Struct

from bench.coffee import demo_at, end
from bench.measure import share
from bench.parts import end_on_sigterm
from coinslot.db.child_server import free_port

_WARM: Final = 3
_AT_ONCE: Final = 8
_LARGE: Final = 500  # items
_LARGE_SLUG: Final = "large"
_PATIENCE_S: Final = 120
_PER_PERSON: Final = 50  # one has no more pages open
_PASSWORD: Final = "twenty boards in a row"
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


class Size(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int = 80
    boards: int = 200
    outlets: int = 20
    quiet_s: float = 20  # until every page was told of what happened before


class CounterBench:
    """One run over one demo."""

    def __init__(self, facts: dict[str, Any], folder: Path) -> None:
        self._facts, self._folder = facts, folder
        self._base = facts["base_url"]
        (counter,) = [one for one in facts["outlets"] if one["kind"] == "counter"]
        self._slug, self._code = counter["slug"], counter["id"]
        self.ms: dict[str, list[float]] = {}
        self.per_s: dict[str, float] = {}
        self.heard_ms: dict[str, list[float]] = {}
        self._orders = 0

    async def run(self, size: "Size") -> None:
        rounds, boards = size.rounds, size.boards
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
            self._quiet_s = size.quiet_s
            staff = [f"S{50 + n}" for n in range(size.outlets)]
            await self._outlets(staff)
            for name, outlets in (("one outlet", [self._code]), (f"{len(staff)} outlets", staff)):
                await self._boards(name, outlets, boards)

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
        line = "line=lassi~1~~"  # one without a stock that ends
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

    async def _outlets(self, codes: list[str]) -> None:
        """So many counters beside the first, each with the menu of the large one."""
        table, turns = self._folder / "large.csv", asyncio.Semaphore(2)

        async def add(code: str) -> None:
            async with turns:
                await self._command(
                    "counter", "add", code, "--merchant", "asha", "--slug", code.lower(), "--name",
                    f"Counter {code}", "--account", "mock/asha", "--currency", "INR",
                )  # fmt: skip
                await self._command("counter", "menu", code, str(table))

        await asyncio.gather(*map(add, codes))

    async def _command(self, *words: str) -> str:
        command = [sys.executable, "-m", "coinslot", *words, "--data", str(self._folder / "data")]
        run = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        said, _ = await run.communicate()
        if run.returncode:
            raise AssertionError(f"{words} ended with {run.returncode}")
        return said.decode()

    async def _boards(self, name: str, outlets: list[str], count: int) -> None:
        """So many open boards of these outlets' staff, from addresses of their own; when each has
        what changed, as it is shown."""
        each = count // len(outlets)  # boards of an outlet
        cookies = {
            outlet: [
                await self._staff(outlet, number) for number in range(-(-each // _PER_PERSON))
            ]
            for outlet in outlets
        }  # fmt: skip
        open_, heard = asyncio.Semaphore(0), asyncio.Queue[float]()

        async def board(outlet: str, number: int) -> None:
            cookie = cookies[outlet][number // _PER_PERSON]
            at = f"10.{3 + outlets.index(outlet)}.{len(self.heard_ms)}.{number + 1}"
            headers = {"cookie": cookie, "x-forwarded-for": at}
            url = f"{self._base}/console/board/live"
            async with (
                httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as one,
                one.stream("GET", url, headers=headers) as stream,
            ):
                stream.raise_for_status()
                open_.release()
                async for line in stream.aiter_lines():
                    if line == "event: parts":
                        heard.put_nowait(time.perf_counter())

        streams = [
            asyncio.create_task(board(outlet, number))
            for outlet in outlets
            for number in range(each)
        ]
        took = self.heard_ms.setdefault(name, [])
        try:
            async with asyncio.timeout(_PATIENCE_S):
                for _ in streams:
                    await open_.acquire()
                await asyncio.sleep(self._quiet_s)
                while not heard.empty():  # of what happened before
                    heard.get_nowait()
                began = time.perf_counter()
                await self._order("Board")
                for _ in streams:
                    took.append((await heard.get() - began) * 1000)
        finally:
            for stream in streams:
                stream.cancel()
            await asyncio.gather(*streams, return_exceptions=True)

    async def _staff(self, outlet: str, number: int) -> str:
        """Somebody new who works there: the cookies of their session."""
        login = f"{outlet.lower()}-{number}@cafe.example"
        said = await self._command(
            "people", "invite", login, "--merchant", "asha", "--role", "staff",
            "--outlets", outlet,
        )  # fmt: skip
        self._orders += 1
        ours = {
            "sec-fetch-site": "same-origin", "accept": "text/html",
            "x-forwarded-for": f"10.1.{self._orders // 250}.{self._orders % 250 + 1}",
        }  # fmt: skip
        async with httpx.AsyncClient(trust_env=False, timeout=30, headers=ours) as one:
            token = dict(line.split(None, 1) for line in said.splitlines()[:2])["token"].strip()
            given = {"login": login, "password": _PASSWORD, "token": token}
            answer = await one.post(f"{self._base}/console/join", data=given)
            if not one.cookies:
                await one.post(f"{self._base}/console/sign-in", data=given)
            page = await one.get(f"{self._base}/console/board")
            if page.status_code != 200:
                told = re.findall(r'id="problem">([^<]+)', answer.text)
                raise AssertionError(f"{login}: {answer.status_code}, {page.status_code} {told}")
            return "; ".join(f"{name}={value}" for name, value in one.cookies.items())

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

    def heard_lines(self) -> list[str]:
        """Milliseconds, and the last as a multiple of what the checkout itself takes."""
        checkout = share(self.ms["checkout"], 0.5)
        return [
            f"| {name} | {len(took)} | {took[0]:.0f} | {share(took, 0.5):.0f} |"
            f" {share(took, 0.95):.0f} | {took[-1]:.0f} | {took[-1] / checkout:.0f} |"
            for name, took in self.heard_ms.items()
        ]


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
    end_on_sigterm()
    parser = argparse.ArgumentParser(prog="python -m bench.counter", description=__doc__)
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument("--boards", type=int, default=200)
    parser.add_argument("--quick", action="store_true", help="20 boards of 2 outlets")
    given = parser.parse_args()
    usual = Size(rounds=given.rounds, boards=given.boards)
    print(measured(Size(rounds=8, boards=20, outlets=2, quiet_s=5) if given.quick else usual))
    return 0


def measured(size: Size) -> str:
    """A table, over a demo of its own."""
    with tempfile.TemporaryDirectory(prefix="counter-") as folder:
        demo = demo_at(Path(folder) / "data", _TRUSTED)
        try:
            facts = json.loads((Path(folder) / "data" / "demo.json").read_text("utf-8"))
            bench = CounterBench(facts, Path(folder))
            asyncio.run(bench.run(size))
        finally:
            end(demo)
    return "\n".join(
        [
            f"{size.rounds} of each; milliseconds, and the p95 against the page as a file.",
            "",
            "| | p50 | p95 | of the page as a file | a second |",
            "| --- | --- | --- | --- | --- |",
            *bench.lines(),
            "",
            "Open boards, from the tap that pays an order to what a board shows of it:\n",
            "| boards of | | first | half | 95 % | last | of a checkout |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *bench.heard_lines(),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
