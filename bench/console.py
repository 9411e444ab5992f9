"""The console's pages on many orders and machines: `python -m bench.console`. Each page is asked in
turn, again and again, so that all meet the same neighbours; ratios are against the account's page,
which reads no order, and against the same page on a thousand orders."""

import argparse
import asyncio
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import structlog
import uvloop
from msgspec import Struct

from bench.goods import SLUG
from bench.ground import Base, Ground
from bench.measure import share
from bench.serving import Serving, cpu_s, family, rss_kib
from coinslot.context import password_hasher
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock
from coinslot.kit.ids import uuid7
from coinslot.oversight import store
from coinslot.oversight.day_sums import DAY, as_rows, days_between
from coinslot.people import members
from coinslot.people.members import Role

_LOGIN, _PASSWORD = "asha", "a password of the bench alone"
_FEW: Final = 1000
_WARM, _SIGN_INS = 2, 10
_OURS: Final = {"sec-fetch-site": "same-origin", "accept": "text/html"}
_AIM_MS: Final = 2000  # any order is found within it
_PLAIN: Final = "account"


class Measured(Struct, frozen=True, kw_only=True):
    """Milliseconds of each page, and what else it cost."""

    pages: dict[str, list[float]]
    sign_in_ms: list[float]
    sign_in_cpu_ms: float
    unsummed_ms: float
    sum_day_ms: list[float]
    export_rows_per_s: float
    export_kib: int

    def p95(self, page: str) -> float:
        return share(self.pages[page], 0.95)


class ConsoleBench:
    """One run, from an empty folder to the lines that it prints."""

    def __init__(self, orders: int, machines: int, rounds: int, folder: Path) -> None:
        self._orders, self._machines, self._rounds = orders, machines, rounds
        self._folder = folder
        self._ground = Ground(folder)

    async def run(self) -> None:
        await self._ground.open()
        try:
            outlets = {f"M{n:05}": "mqtt" for n in range(self._machines)}
            bare = await self._ground.make("bare", outlets)
            found = {}
            for orders in sorted({_FEW, self._orders}):
                found[orders] = await self._on(bare, orders)
            for line in told(found):
                print(line, flush=True)
        finally:
            await self._ground.close()

    async def _on(self, bare: Base, orders: int) -> Measured:
        base = await self._ground.copy(bare, f"orders_{orders}")
        began = perf_counter()
        await self._ground.fill(base, orders)
        print(f"{orders:,} orders made in {perf_counter() - began:.0f} s", flush=True)
        merchant = await self._peopled(base)
        serving = Serving("web", base, self._folder / f"web_{orders}")
        await serving.start()
        try:
            return await self._measured(serving, base, merchant)
        finally:
            await serving.stop()

    async def _peopled(self, base: Base) -> UUID:
        """An operator who may sign in, and a merchant who is as old as its orders."""
        db, now = await Database.open(base.app, base.door, size=2), SystemClock().now()
        try:
            async with db.system_transaction() as conn:
                merchant: UUID = await conn.fetchval(
                    "SELECT id FROM merchants WHERE slug = $1", SLUG
                )
            person = uuid7(now)
            async with db.as_person(person, merchant) as conn:
                hashed = password_hasher().hash(_PASSWORD)
                await members.add_person(conn, person, _LOGIN, hashed, now)
                await members.join(conn, person, merchant, Role(role="admin", outlets=()), now)
            async with db.as_merchant(merchant) as conn:
                await conn.execute("UPDATE merchants SET created_at = $1", now - timedelta(days=31))
        finally:
            await db.close()
        return merchant

    async def _measured(self, serving: Serving, base: Base, merchant: UUID) -> Measured:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{serving.port}", timeout=120, trust_env=False,
            headers=_OURS,
        ) as client:  # fmt: skip
            spent = cpu_s(family(serving.pid))
            sign_in_ms = [await self._sign_in(client) for _ in range(_SIGN_INS)]
            spent = cpu_s(family(serving.pid)) - spent
            unsummed = await _look(client, "/console/money")
            summed = await _sum_days(base, merchant)
            await self._ground.settle()
            paths = await self._paths(base)
            pages: dict[str, list[float]] = {name: [] for name in paths}
            for number in range(_WARM + self._rounds):
                for name, path in paths.items():
                    took = await _look(client, path)
                    if number >= _WARM:
                        pages[name].append(took)
            rate, grown = await _exported(client, serving)
        return Measured(
            pages=pages, sign_in_ms=sign_in_ms, sign_in_cpu_ms=spent * 1000 / _SIGN_INS,
            unsummed_ms=unsummed, sum_day_ms=summed, export_rows_per_s=rate, export_kib=grown,
        )  # fmt: skip

    async def _sign_in(self, client: httpx.AsyncClient) -> float:
        client.cookies.clear()
        began = perf_counter()
        answer = await client.post(
            "/console/sign-in", data={"login": _LOGIN, "password": _PASSWORD}
        )
        assert answer.status_code == 303, answer.text
        return (perf_counter() - began) * 1000

    async def _paths(self, base: Base) -> Mapping[str, str]:
        """One order in the middle of them all is looked for in every way."""
        row = await self._ground.one(
            base,
            "SELECT json_build_array(o.id, o.number, c.gateway_payment_id,"
            " to_char(o.paid_at AT TIME ZONE 'Asia/Kolkata', 'HH24:MI'))::text FROM orders o"
            " JOIN captures c ON c.order_id = o.id"
            " WHERE c.gateway_payment_id = 'pay_old' || (SELECT count(*) / 2 FROM orders)",
        )
        order, number, reference, minute = httpx.Response(200, text=str(row)).json()
        return {
            _PLAIN: "/console/account",
            "Today": "/console/today",
            "Inbox": "/console/inbox",
            "Find, newest": "/console/find",
            "Find by code": f"/console/find?text={number}",
            "Find by reference": f"/console/find?text={reference}",
            "Find by nothing known": "/console/find?text=nothing_of_ours",
            "Find by amount and minute": f"/console/find?amount=40&time={minute}",
            "Order": f"/console/orders/{order}",
            "Proof of an order": f"/console/orders/{order}/proof",
            "Machines": "/console/machines",
            "Machine": "/console/machines/M00001",
            "Money": "/console/money",
            "Money, one machine": "/console/money?machine=M00001",
            "Reports": "/console/money/reports",
            "Orders": "/console/money/orders",
            "Payments": "/console/money/payments",
            "Refunds": "/console/money/refunds",
            "Fees": "/console/money/fees",
            "Payouts": "/console/money/payouts",
        }


async def _look(client: httpx.AsyncClient, path: str) -> float:
    began = perf_counter()
    answer = await client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return (perf_counter() - began) * 1000


async def _sum_days(base: Base, merchant: UUID) -> list[float]:
    """What the worker does once for each day."""
    db, now = await Database.open(base.app, base.door, size=2), SystemClock().now()
    took = []
    try:
        last = now.date() - DAY
        days = days_between(last - 31 * DAY, last, ZoneInfo("Asia/Kolkata"))
        async with db.as_merchant(merchant) as conn:
            await conn.execute("UPDATE merchants SET zone = 'Asia/Kolkata'")
            rows = await conn.fetch(store.DAYS_NOT_SUMMED, as_rows(days))
        for row in rows:
            began = perf_counter()
            async with db.as_merchant(merchant) as conn:
                await conn.execute(store.SUM_DAY, row["day"], row["begun"], row["ended"], now)
            took.append((perf_counter() - began) * 1000)
    finally:
        await db.close()
    return took


async def _exported(client: httpx.AsyncClient, serving: Serving) -> tuple[float, int]:
    """Rows per second of one day's orders as CSV, and how much the process grew."""
    day = (SystemClock().now() - timedelta(days=10)).date().isoformat()
    before, rows, began = rss_kib([serving.pid]), 0, perf_counter()
    path = f"/console/money/orders/export?as=csv&from={day}&to={day}"
    async with client.stream("GET", path) as answer:
        assert answer.status_code == 200
        async for block in answer.aiter_bytes():
            rows += block.count(b"\n")
    return rows / (perf_counter() - began), rss_kib([serving.pid]) - before


def told(found: Mapping[int, Measured]) -> Sequence[str]:
    """A table, and the lines below it."""
    few, many = min(found), max(found)
    now, then = found[many], found[few]
    lines = [
        f"| page, {many:,} orders | p95 ms | against the account's page | against {few:,} orders |",
        "| --- | --- | --- | --- |",
    ]
    for name in now.pages:
        p95 = now.p95(name)
        lines.append(
            f"| {name} | {p95:.0f} | {p95 / now.p95(_PLAIN):.1f} | {p95 / then.p95(name):.1f} |"
        )
    slowest = max(now.p95(name) for name in now.pages if name.startswith("Find"))
    lines += [
        "",
        f"The slowest way to find: {slowest:.0f} ms of {_AIM_MS} ms.",
        f"Sign in: p95 {share(now.sign_in_ms, 0.95):.0f} ms, {now.sign_in_cpu_ms:.0f} ms of"
        f" processor time = {share(now.sign_in_ms, 0.5) / share(now.pages[_PLAIN], 0.5):.1f} pages"
        " of the account.",
        f"Money before its days are summed: {now.unsummed_ms:.0f} ms."
        f" Summing a day: p95"
        f" {share(now.sum_day_ms, 0.95):.0f} ms, once.",
        f"Export of a day's orders: {now.export_rows_per_s:.0f} rows/s; the process grew by"
        f" {now.export_kib / 1024:.1f} MiB.",
    ]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--machines", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    folder = Path(tempfile.mkdtemp(prefix="coinslot-bench-"))
    folder.chmod(0o755)  # the server runs as another user
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            bench = ConsoleBench(given.orders, given.machines, given.rounds, folder)
            runner.run(bench.run())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
