"""Background work that fails again and again in any process is said by health, on the console and
by the doctor, until it succeeds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from coinslot.app.page_backend import ContextBackend
from coinslot.app.process_reports import ProcessReports
from coinslot.app.routes import build
from coinslot.context.rounds import keep_doing
from coinslot.kit.clock import SystemClock
from coinslot.kit.failures import Failures
from tests import inside
from tests.console.conftest import signed_in
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.people.test_commands import env_of
from tests.sales.conftest import stage as stage
from tests.scenarios.installation import eventually
from tests.web.serving import SITE

BOUND_S = 20
ROLES = ("device", "web", "worker")
_LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%processes%'"


@dataclass
class Chore:
    """Work of one process, which fails until it is mended."""

    broken: bool = True
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    tries: int = 0

    async def work(self) -> None:
        self.tries += 1
        if self.broken:
            raise ZeroDivisionError("a detail that nobody has to read")
        self.ended.set()


@dataclass
class Process:
    """What each process of an installation has."""

    failures: Failures
    reports: ProcessReports
    chore: Chore = field(default_factory=Chore)


@pytest.fixture
async def processes(staffed: Staffed, urls: Any) -> AsyncIterator[dict[str, Process]]:
    db, clock = staffed.stage.context.db, SystemClock()
    found: dict[str, Process] = {}
    async with AsyncExitStack() as stack:
        for role in ROLES:
            failures = Failures(clock)
            found[role] = Process(failures, ProcessReports(db, clock, failures, {role}))
            running = asyncio.create_task(found[role].reports.run(urls.door), name=role)
            stack.push_async_callback(_ended, running)
        await _all_listen(urls)
        yield found


async def _all_listen(urls: Any) -> None:
    """Wait until all three are connected: what is told before is not heard."""
    conn = await asyncpg.connect(urls.superuser)

    async def all_listen() -> bool:
        return bool(await conn.fetchval(_LISTENING) == len(ROLES))

    try:
        await eventually(all_listen, BOUND_S)
    finally:
        await conn.close()


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def doing(chore: Chore, failures: Failures) -> "asyncio.Task[None]":
    return asyncio.create_task(keep_doing(chore.work, 0.01, failures, failed="days_not_summed"))


@pytest.mark.parametrize("role", ROLES)
async def test_a_chore_that_fails_in_any_process_is_said_everywhere_until_it_succeeds(
    staffed: Staffed, urls: Any, processes: dict[str, Process], role: str
) -> None:
    context, one, web = staffed.stage.context, processes[role], processes["web"]
    backend = ContextBackend(context, "1", None)
    backend.failing = web.reports.failing
    staffed.app = build(backend, SITE, staffed.stage.clock, context)
    working = await doing(one.chore, one.failures)
    try:
        await eventually(lambda: bool(web.reports.failing()), BOUND_S)
        check = (await backend.health()).checks["background"]
        assert check.status == "degraded"
        assert f"{role} on " in check.detail
        assert "days_not_summed failed " in check.detail
        assert "ZeroDivisionError" in check.detail
        assert "a detail" not in check.detail
        async with staffed.client() as client:
            told = (await client.get("/health", headers={"accept": "application/json"})).json()
        assert (told["status"], told["checks"]["background"]["status"]) == ("degraded", "degraded")
        meera = await signed_in(staffed, "meera")
        page = await meera.look("/console/health")
        assert "days_not_summed failed " in page.text
        found = await asyncio.to_thread(inside.coinslot, "doctor", env=env_of(urls))
        assert found.returncode == 1
        assert f"sick  background: {role} on " in found.stdout
        assert "days_not_summed failed " in found.stdout
        one.chore.broken = False
        await eventually(lambda: not web.reports.failing(), BOUND_S)
        assert (await backend.health()).checks["background"].status == "healthy"
        assert "days_not_summed" not in (await meera.look("/console/health")).text
        found = await asyncio.to_thread(inside.coinslot, "doctor", env=env_of(urls))
        assert "well  background: nothing fails in device on " in found.stdout
        assert all(f"{name} on " in found.stdout for name in ROLES)
    finally:
        await _ended(working)


async def test_a_process_that_is_gone_is_not_said_to_fail_for_long_and_nonsense_is_not_read(
    staffed: Staffed, urls: Any, processes: dict[str, Process]
) -> None:
    clock = staffed.stage.clock
    web = ProcessReports(staffed.stage.context.db, clock, Failures(clock), {"web"})
    hearing = asyncio.create_task(web.run(urls.door))
    working = await doing(processes["worker"].chore, processes["worker"].failures)
    try:
        async with staffed.stage.context.db.system_connection() as conn:
            await conn.execute("SELECT pg_notify('coinslot_processes', '{\"process\": 1}')")
        await eventually(lambda: bool(web.failing()), BOUND_S)
        (report,) = web.failing()
        assert report.name.startswith("worker on ")
        await _ended(working)
        await _ended(hearing)
        staffed.later(31)
        assert web.failing() == []
    finally:
        await _ended(working)
        await _ended(hearing)
