"""One database for each worker of a test run, lent to one test after the other: making one, and
reading its catalogue in each new connection, costs more than most tests do with it. It is emptied
after each test, and given up when a test left more than rows: another schema or right, a connection
or a lock that is still open."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg

from coinslot.db.pool import Database, RawConnection, connect
from tests.full_tables import FULL, FullTables
from tests.sales.by_hand import Rows

# What is more than rows: any of these differs when a test changed the schema or a right. A row of a
# catalogue that is written anew has another xmin, of which a hash is cheaper than its text.
_SCHEMA = """
SELECT concat_ws('|',
    (SELECT sum(hashtext(concat(oid, ' ', relname, relacl, relrowsecurity, relforcerowsecurity)))
        FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    (SELECT concat(count(*), ' ', sum(hashxid(xmin))) FROM pg_proc WHERE oid >= 16384),
    (SELECT concat(count(*), ' ', sum(hashxid(xmin))) FROM pg_trigger),
    (SELECT concat(count(*), ' ', sum(hashxid(xmin))) FROM pg_constraint),
    (SELECT concat(count(*), ' ', sum(hashxid(xmin))) FROM pg_policy),
    (SELECT concat(count(*), ' ', sum(hashxid(xmin))) FROM pg_attrdef),
    (SELECT concat(count(*), ' ', sum(hashxid(xmin))) FROM pg_attribute),
    (SELECT string_agg(concat(oid, nspname, nspacl), ',' ORDER BY oid) FROM pg_namespace
        WHERE nspname NOT LIKE 'pg_%'),
    (SELECT string_agg(concat(setdatabase, setrole, setconfig), ',' ORDER BY 1)
        FROM pg_db_role_setting),
    (SELECT string_agg(concat(oid, rolsuper, rolbypassrls, rolcanlogin, rolconfig), ','
        ORDER BY oid) FROM pg_roles))
"""
# Connections that somebody has to it; and one too many for each lock that a session still holds.
_OPEN = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())
    + (SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE d.datname = current_database() AND l.locktype = 'advisory') * 1000
"""
_CONTENT = "SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t)), '[]')::text FROM {table} t"
_VERSION = """
SELECT '{table}' AS name, concat(count(*), ' ', sum(xmin::text::bigint)) AS version FROM {table}
"""
_SEED = """
INSERT INTO {table} OVERRIDING SYSTEM VALUE
SELECT * FROM jsonb_populate_recordset(NULL::{table}, ($1::text)::jsonb)
"""
_LARGE = """
SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
    AND relname = ANY($1::text[]) AND pg_relation_size(oid) > $2
"""
# Whoever vacuums a table makes every connection plan anew what it had planned for it, which cost a
# third of most tests. A table is let grow to so much of deleted rows.
_LARGE_BYTES = 65_536
_BEGIN_COUNTING = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""
# Each connection serves all tests of a worker, which use more statements than a process of ours
# does: one that is forgotten is parsed and planned again, five times until its plan is kept.
_STATEMENTS = 1000


class KeptDatabase:
    """`lend` it, `take_back` what was lent. `make` gives the name of a fresh database, `drop` ends
    one, `url` is the superuser's URL of one."""

    def __init__(
        self,
        make: Callable[[], Awaitable[str]],
        drop: Callable[[str], Awaitable[None]],
        url: Callable[[str], str],
    ) -> None:
        self.name = ""
        self.full: FullTables | None = None
        self._make, self._drop, self._url = make, drop, url
        self._lasting: list[RawConnection] = []
        self._pools: Database | None = None
        self._rows: Rows | None = None
        self._schema: Any = None
        self._seeds: Mapping[str, str] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def lend(self) -> str:
        """The name of a database in which nothing has happened yet."""
        self._tasks = asyncio.all_tasks()
        if not self.name:
            self.name = await self._make()
            conn = await connect(self._url(self.name))
            self._lasting, self.full = [conn], FullTables(conn)
            self._schema = await conn.fetchval(_SCHEMA)
            self._seeds = {
                table: await conn.fetchval(_CONTENT.format(table=table))
                for table in await _filled(conn)
            }
            self._versions = await self._seen(conn)
        return self.name

    async def pools(self, app: str, door: str) -> Database:
        """As the application uses it, over connections that other tests had before."""
        if self._pools is None:
            self._pools = await Database.open(app, door, size=4, statements=_STATEMENTS)
        return Database(self._pools.app, self._pools.system_pool)

    async def take_back(self) -> None:
        """Empty it; or give it up, so that the next test has another one."""
        await _cancelled(asyncio.all_tasks() - self._tasks - {_this_task()})
        try:
            clean = await self._emptied()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            clean = False
        if not clean:
            await self.give_up()

    async def owner(self, url: str) -> RawConnection:
        """A connection of the owner that stays open between tests."""
        if len(self._lasting) == 1:
            self._lasting.append(await connect(url, statements=_STATEMENTS))
        return self._lasting[1]

    async def rows(self, url: str) -> Rows:
        """Rows by themselves, over a superuser's connection that stays open between tests."""
        if self._rows is None or self._rows.conn.is_closed():
            self._rows = await Rows.open(url)
        else:
            await self._rows.begin()
        return self._rows

    async def rows_back(self) -> None:
        """Whatever a test set, began or locked there is over."""
        if self._rows is not None and not self._rows.conn.is_closed():
            await self._rows.conn.reset()

    async def give_up(self) -> None:
        if self._pools is not None:
            self._pools.app.terminate()
            self._pools.system_pool.terminate()
        for conn in self._lasting:
            conn.terminate()
        if self._rows is not None:
            self._rows.conn.terminate()
        self._rows = None
        name, self.name, self._pools, self._lasting = self.name, "", None, []
        if name:
            await self._drop(name)

    async def _emptied(self) -> bool:
        open_connections = len(self._lasting)
        if self._rows is not None and not self._rows.conn.is_closed():
            open_connections += 1
        if self._pools is not None:
            for pool in (self._pools.app, self._pools.system_pool):
                if pool.is_closing() or pool.get_idle_size() != pool.get_size():
                    return False
                open_connections += pool.get_size()
        conn = self._lasting[0]
        if await conn.fetchval(_OPEN) != open_connections:
            return False
        if await conn.fetchval(_SCHEMA) != self._schema:
            return False
        filled = await _filled(conn)
        used = [table for table in filled if table not in self._seeds]
        async with conn.transaction():
            await conn.execute("SET LOCAL session_replication_role = replica")
            if used:
                await conn.execute(";".join(f"DELETE FROM {table}" for table in used))
            now = await self._seen(conn)
            for table in (name for name in self._seeds if now[name] != self._versions[name]):
                used.append(table)
                await conn.execute(f"DELETE FROM {table}")
                await conn.execute(_SEED.format(table=table), self._seeds[table])
            self._versions = await self._seen(conn)
            await conn.execute(_BEGIN_COUNTING)
        large = [row["name"] for row in await conn.fetch(_LARGE, used, _LARGE_BYTES)]
        if large:
            await conn.execute(f"VACUUM {', '.join(large)}")
        return True

    async def _seen(self, conn: RawConnection) -> dict[str, str]:
        """What changes when a row of these tables does."""
        sql = " UNION ALL ".join(_VERSION.format(table=table) for table in self._seeds)
        return {row["name"]: row["version"] for row in await conn.fetch(sql)}


async def _filled(conn: RawConnection) -> list[str]:
    return [row["name"] for row in await conn.fetch(FULL)]


def _this_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None
    return task


async def _cancelled(tasks: "set[asyncio.Task[Any]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
