"""A plugin of a measured test run: which lines, SQL functions and tables each test reaches, and
what it costs. Every process of the run writes files of its own into `COINSLOT_MEASURED`."""

import asyncio
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import coverage
import pytest

_FOLDER = Path(os.environ["COINSLOT_MEASURED"])
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
_SHARED = ("session", "package", "module")
# What the runner has warm costs a mutant nothing.
_WARM = ("postgres", "template", "shared_folder")
_REACHED = """
SELECT funcname AS name FROM pg_stat_user_functions WHERE calls > 0
UNION SELECT relname || ':read' FROM pg_stat_user_tables WHERE seq_scan > 0 OR idx_scan > 0
UNION SELECT relname || ':written' FROM pg_stat_user_tables
    WHERE n_tup_ins + n_tup_upd + n_tup_del > 0
"""
_FLUSH = "SELECT pg_stat_force_next_flush()"
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"


class Measuring:
    """One process of the run."""

    def __init__(self) -> None:
        self.lines = coverage.Coverage(
            data_file=str(_FOLDER / f"lines.{_WORKER}"), source_pkgs=["coinslot"],
            config_file=False, messages=False,
        )  # fmt: skip
        self.test = ""
        self.seconds: dict[str, float] = {}
        self.sql: dict[str, list[str]] = defaultdict(list)
        self.failed: set[str] = set()
        self.fixtures: dict[str, float] = {}
        self.uses: dict[str, list[str]] = {}
        self._counts = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.test = item.nodeid
        self.uses[item.nodeid] = list(getattr(item, "fixturenames", ()))
        self.lines.switch_context(item.nodeid)
        shared, begun = sum(self.fixtures.values()), time.perf_counter()
        result = yield
        spent = time.perf_counter() - begun - (sum(self.fixtures.values()) - shared)
        self.seconds[item.nodeid] = spent
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        begun = time.perf_counter()
        result = yield
        if fixturedef.scope in _SHARED:
            self.fixtures[fixturedef.argname] = time.perf_counter() - begun
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self.failed.add(report.nodeid)

    def pytest_collection_finish(self) -> None:
        """Look into the database of each test before it is emptied, or dropped."""
        from tests import conftest, kept_database  # only now are they those of the tests

        kept = kept_database.KeptDatabase
        on_server, lend, emptied = conftest.on_server, kept.lend, kept._emptied

        async def begin_counting(url: str) -> None:
            if not self._counts:
                self._counts = True
                await on_server(url, "ALTER SYSTEM SET track_functions = 'all'",
                                "SELECT pg_reload_conf()")  # fmt: skip

        async def looking_first(superuser_url: str, *statements: str) -> None:
            await begin_counting(superuser_url)
            if statements[0].startswith("DROP DATABASE test_"):
                name = statements[0].split()[2]
                url = conftest.DatabaseUrls.of(superuser_url, name).superuser
                self.sql[self.test] += await _reached_in_all(url, name)
            await on_server(superuser_url, *statements)

        async def lend_counted(lent: Any) -> str:
            name = await lend(lent)
            await begin_counting(lent._url(name))
            return name

        async def emptied_and_looked(lent: Any) -> bool:
            self.sql[self.test] += await _reached_so_far(lent)
            clean = await emptied(lent)
            await lent._lasting[0].execute(_FLUSH)  # what emptying did counts for no test
            await lent._lasting[0].execute("SELECT pg_stat_reset()")
            return clean

        conftest.on_server = looking_first
        kept.lend, kept._emptied = lend_counted, emptied_and_looked  # type: ignore[assignment, method-assign]

    def pytest_sessionfinish(self) -> None:
        self.lines.stop()
        self.lines.save()
        costs = {name: cost for name, cost in self.fixtures.items() if name not in _WARM}
        told = {
            test: {
                "seconds": round(seconds, 4),
                "shared": round(sum(costs.get(name, 0) for name in self.uses[test]), 4),
                "sql": sorted(set(self.sql.get(test, []))),
                "database": "urls" in self.uses[test],
            }
            for test, seconds in self.seconds.items()
            if test not in self.failed
        }
        (_FOLDER / f"tests.{_WORKER}.json").write_text(json.dumps(told), encoding="utf-8")


async def _reached_so_far(lent: Any) -> list[str]:
    """What was called, read and written in a database whose connections stay open."""
    pools = [lent._pools.app, lent._pools.system_pool] if lent._pools else []
    connections = [holder._con for pool in pools for holder in pool._holders]
    connections += [lent._rows.conn if lent._rows else None, *lent._lasting]
    for conn in connections:
        if conn is not None and not conn.is_closed():
            await conn.execute(_FLUSH)
    return [row["name"] for row in await lent._lasting[0].fetch(_REACHED)]


async def _reached_in_all(url: str, name: str) -> list[str]:
    """The same in a database that nobody else has open any more."""
    conn = await asyncpg.connect(url)
    try:
        for _ in range(50):  # a connection hands its counts in when it ends
            if not await conn.fetchval(_OTHERS, name):
                break
            await asyncio.sleep(0.02)
        return [row["name"] for row in await conn.fetch(_REACHED)]
    finally:
        await conn.close()


def pytest_configure(config: pytest.Config) -> None:
    # With xdist, the process that hands the tests out runs none.
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        measuring = Measuring()
        measuring.lines.start()
        config.pluginmanager.register(measuring)
