"""One durable PostgreSQL of the bench's own, on disk, and databases in it with old orders."""

import base64
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from msgspec import Struct

from bench.goods import stock
from coinslot.db.embedded import OWNER, EmbeddedPostgres
from coinslot.db.migrate import APP, DOOR, migrate
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock
from coinslot.kit.secrets import Vault
from coinslot.sales.move import sql_functions

PASSWORD = "of-the-bench"  # reachable from this computer only, for as long as the bench runs
EXISTING = Path(__file__).parent / "existing.sql"


class Base(Struct, frozen=True, kw_only=True):
    """One database: its logins, its keys, and the secrets of its machines."""

    app: str
    door: str
    owner: str
    keys: str
    installation: str
    devices: dict[str, str]


class Ground:
    """The server. `open()` from the main thread, `close()` when all processes are gone."""

    def __init__(self, folder: Path) -> None:
        self.server = EmbeddedPostgres(folder)
        self._key = base64.b64encode(Vault.new_key()).decode()

    async def open(self) -> None:
        await self.server.start()

    async def close(self) -> None:
        await self.server.stop()

    async def make(self, name: str, outlets: dict[str, str], existing: int) -> Base:
        """A migrated database with a shop in it, and so many orders that ended before."""
        await self._on(
            "postgres",
            f"ALTER ROLE {OWNER} PASSWORD '{PASSWORD}'",
            f"CREATE DATABASE {name} OWNER {OWNER}",
        )
        await migrate(self._url(OWNER, name), PASSWORD, PASSWORD, sql_functions())
        base = await self._furnished(name, outlets)
        await self._fill(name, existing)
        return base

    async def copy(self, name: str, of: str, base: Base) -> Base:
        """The same again under another name; nobody may be connected to the first."""
        await self._on("postgres", f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY FILE_COPY")
        # One database knows one installation.
        return Base(
            app=self._url(APP, name), door=self._url(DOOR, name), owner=self._url(OWNER, name),
            keys=base.keys, installation=base.installation, devices=base.devices,
        )  # fmt: skip

    async def settle(self) -> None:
        """Write out what was made, so that no round pays for it."""
        await self._on("postgres", "CHECKPOINT")

    async def one(self, base: Base, sql: str, *values: object) -> object:
        """One value, past row-level security."""
        conn = await asyncpg.connect(self._superuser(urlsplit(base.app).path[1:]))
        try:
            return await conn.fetchval(sql, *values)
        finally:
            await conn.close()

    async def rows(self, base: Base, sql: str, *values: object) -> list[asyncpg.Record]:
        conn = await asyncpg.connect(self._superuser(urlsplit(base.app).path[1:]))
        try:
            return await conn.fetch(sql, *values)
        finally:
            await conn.close()

    async def _furnished(self, name: str, outlets: dict[str, str]) -> Base:
        keys = f"1:{self._key}"
        db = await Database.open(self._url(APP, name), self._url(DOOR, name), size=2)
        try:
            devices = await stock(db, Vault.parse(keys), SystemClock().now(), outlets)
            async with db.door() as conn:
                installation = await conn.fetchval("SELECT id::text FROM installation")
        finally:
            await db.close()
        return Base(
            app=self._url(APP, name), door=self._url(DOOR, name), owner=self._url(OWNER, name),
            keys=keys, installation=installation, devices=devices,
        )  # fmt: skip

    async def _fill(self, name: str, existing: int) -> None:
        conn = await asyncpg.connect(self._superuser(name))
        try:
            await conn.execute("SET session_replication_role = replica")
            await conn.execute("SET work_mem = '256MB'")
            await conn.execute("SET synchronous_commit = off")
            if existing:
                await conn.execute(EXISTING.read_text(encoding="utf-8"), existing, timeout=900)
            await conn.execute("VACUUM ANALYZE")
        finally:
            await conn.close()

    def _url(self, login: str, name: str) -> str:
        return self.server.url(login, PASSWORD, name)

    def _superuser(self, name: str) -> str:
        return urlunsplit(urlsplit(self.server.superuser_url)._replace(path=f"/{name}"))

    async def _on(self, name: str, *statements: str) -> None:
        conn = await asyncpg.connect(self._superuser(name))
        try:
            for statement in statements:
                await conn.execute(statement, timeout=900)
        finally:
            await conn.close()
