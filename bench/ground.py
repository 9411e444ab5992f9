"""One durable PostgreSQL of the bench's own, on disk, and databases in it with old orders."""

import asyncio
import base64
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import asyncpg
import msgspec
from msgspec import Struct

from bench.goods import stock
from coinslot.app.schema import sql_functions
from coinslot.db.embedded import OWNER, EmbeddedPostgres
from coinslot.db.migrate import APP, DOOR, migrate
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock
from coinslot.kit.secrets import Vault

PASSWORD = "of-the-bench"  # reachable from this computer only, for as long as the bench runs
EXISTING = Path(__file__).parent / "existing.sql"
VENDED = Path(__file__).parent / "vended.sql"
_FILL_S = 900.0
# What happened long ago was announced long ago: else a reader works it off while others measure.
_ALL_TOLD = """
INSERT INTO feed_cursors (name, seq, since)
SELECT name, (SELECT coalesce(max(seq), 0) FROM events), 0 FROM (VALUES ('announce')) v (name)
ON CONFLICT (name) DO UPDATE SET seq = excluded.seq
"""
_FILLERS = 2


class Base(Struct, frozen=True, kw_only=True):
    """One database: its logins, its keys, the secrets of its machines, its merchant's API key."""

    name: str
    app: str
    door: str
    keys: str
    installation: str
    devices: dict[str, str]
    api_key: str


class Ground:
    """The server. `open()` from the main thread, `close()` when all processes are gone."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedPostgres(folder)
        self._pid_file = folder / "postgres" / "data" / "postmaster.pid"
        self._key = base64.b64encode(Vault.new_key()).decode()

    @property
    def pid(self) -> int:
        return int(self._pid_file.read_text(encoding="ascii").split()[0])

    async def open(self) -> None:
        await self.server.start()

    async def close(self) -> None:
        await self.server.stop()

    async def make(self, name: str, outlets: dict[str, str]) -> Base:
        """A migrated database with a shop in it, and no order yet."""
        await self._on(
            "postgres",
            f"ALTER ROLE {OWNER} PASSWORD '{PASSWORD}'",
            f"CREATE DATABASE {name} OWNER {OWNER}",
        )
        await migrate(self._url(OWNER, name), PASSWORD, PASSWORD, sql_functions())
        return await self._furnished(name, outlets)

    async def copy(self, of: Base, name: str) -> Base:
        """The same again under another name; nobody may be connected to the first."""
        made = f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {of.name} STRATEGY FILE_COPY"
        await self._on("postgres", made)
        return msgspec.structs.replace(
            of, name=name, app=self._url(APP, name), door=self._url(DOOR, name)
        )

    async def drop(self, base: Base) -> None:
        await self.drop_named(base.name)

    async def drop_named(self, name: str) -> None:
        await self._on("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def empty(self, name: str) -> tuple[str, str, str, str, str]:
        """A database for others: host, port, login, password, name."""
        made = f"CREATE DATABASE {name} OWNER {OWNER}"
        await self._on("postgres", f"ALTER ROLE {OWNER} PASSWORD '{PASSWORD}'", made)
        url = urlsplit(self._url(OWNER, name))
        host = dict(parse_qsl(url.query)).get("host") or url.hostname or ""
        return host, str(url.port or ""), OWNER, PASSWORD, name

    async def fill(self, base: Base, existing: int) -> None:
        """So many orders that ended before."""
        await asyncio.gather(
            *(self._fill(base, existing, first, _FILLERS) for first in range(1, _FILLERS + 1))
        )
        await self._on(base.name, _ALL_TOLD, "VACUUM ANALYZE")

    async def _fill(self, base: Base, existing: int, first: int, step: int) -> None:
        conn = await asyncpg.connect(self._superuser(base.name))
        try:
            await conn.execute("SET session_replication_role = replica")
            await conn.execute("SET work_mem = '256MB'")
            await conn.execute("SET synchronous_commit = off")
            sql = EXISTING.read_text(encoding="utf-8")
            await conn.execute(sql, existing, first, step, timeout=_FILL_S)
        finally:
            await conn.close()

    async def empty_queues(self, base: Base) -> None:
        """Whatever waits for a machine was handed over."""
        await self._on(base.name, VENDED.read_text(encoding="utf-8"), _ALL_TOLD)

    async def settle(self) -> None:
        """Write out what was made, so that no round pays for it."""
        await self._on("postgres", "CHECKPOINT")

    async def size(self, base: Base) -> int:
        """Bytes of its tables and indexes."""
        found = await self.one(base, "SELECT pg_database_size(current_database())")
        assert isinstance(found, int)
        return found

    async def tables(self, base: Base) -> dict[str, int]:
        """Bytes of each table with its indexes."""
        found = await self.one(
            base,
            "SELECT json_object_agg(relname, pg_total_relation_size(oid))::text FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
        )
        assert isinstance(found, str)
        return msgspec.json.decode(found, type=dict[str, int])

    async def one(self, base: Base, sql: str, *values: object) -> object:
        """One value, past row-level security."""
        return await self.one_in(base.name, sql, *values)

    async def one_in(self, name: str, sql: str, *values: object) -> object:
        """The same in a database of others."""
        conn = await asyncpg.connect(self._superuser(name))
        try:
            return await conn.fetchval(sql, *values)
        finally:
            await conn.close()

    async def _furnished(self, name: str, outlets: dict[str, str]) -> Base:
        keys = f"1:{self._key}"
        db = await Database.open(self._url(APP, name), self._url(DOOR, name), size=2)
        try:
            stocked = await stock(db, Vault.parse(keys), SystemClock().now(), outlets)
            async with db.system_transaction() as conn:
                installation = await conn.fetchval("SELECT id::text FROM installation")
        finally:
            await db.close()
        return Base(
            name=name, app=self._url(APP, name), door=self._url(DOOR, name), keys=keys,
            installation=installation, devices=stocked.devices, api_key=stocked.api_key,
        )  # fmt: skip

    def _url(self, login: str, name: str) -> str:
        return self.server.url(login, PASSWORD, name)

    def _superuser(self, name: str) -> str:
        return urlunsplit(urlsplit(self.server.superuser_url)._replace(path=f"/{name}"))

    async def _on(self, name: str, *statements: str) -> None:
        conn = await asyncpg.connect(self._superuser(name))
        try:
            for statement in statements:
                await conn.execute(statement, timeout=_FILL_S)
        finally:
            await conn.close()
