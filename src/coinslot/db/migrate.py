"""Brings a database to the version of this code: numbered SQL files once each, in order, then the
repeatable parts (functions) whenever they changed. Safe to run from several processes at once."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import msgspec
import structlog

from coinslot.db.pool import Connection, connect

log = structlog.get_logger(__name__)

APP, DOOR = "coinslot_app", "coinslot_door"
MIGRATIONS = Path(__file__).parent / "migrations"
_ROLE_TRIES = 5
_LOCK_KEY = 0x636F696E
_FILE_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_BOOKS = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name       text PRIMARY KEY,
    checksum   text NOT NULL,
    repeatable boolean NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(Exception):
    """The migrations on disk and those applied to the database do not agree."""


class Migration(msgspec.Struct, frozen=True):
    """`repeatable` ones are applied again whenever their text changed, the others once."""

    name: str
    sql: str
    repeatable: bool = False

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


async def migrate(
    owner_url: str,
    app_password: str,
    door_password: str,
    functions: Sequence[tuple[str, str]] = (),
    folder: Path = MIGRATIONS,
) -> list[str]:
    """Names of what was applied, in order: all of it in one transaction, or nothing.

    Raises MigrationError. Where the owner may not create roles, both logins must exist."""
    once = migrations_in(folder)
    repeatable = [Migration(name, sql, repeatable=True) for name, sql in functions]
    conn = await connect(owner_url)
    try:
        async with conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock($1)", _LOCK_KEY)
            await make_login(conn, APP, app_password)
            await make_login(conn, DOOR, door_password)
            return await _apply(conn, [*once, *repeatable])
    finally:
        await conn.close()


async def pending(
    owner_url: str, functions: Sequence[tuple[str, str]] = (), folder: Path = MIGRATIONS
) -> list[str]:
    """What `migrate` would apply; changes nothing. Raises MigrationError."""
    conn = await connect(owner_url)
    try:
        return await pending_in(conn, functions, folder)
    finally:
        await conn.close()


async def pending_in(
    conn: Connection, functions: Sequence[tuple[str, str]] = (), folder: Path = MIGRATIONS
) -> list[str]:
    """As `pending`, over a connection of the owner."""
    repeatable = [Migration(name, sql, repeatable=True) for name, sql in functions]
    wanted = [*migrations_in(folder), *repeatable]
    if not await conn.fetchval("SELECT to_regclass('schema_migrations')"):
        return [m.name for m in wanted]
    return [m.name for m in await _missing(conn, wanted)]


def migrations_in(folder: Path) -> list[Migration]:
    """In order of their numbers. Numbers may have gaps, since branches take them separately; but
    two files with the same number after a merge are an error."""
    found: list[Migration] = []
    last = 0
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(f"{path.name}: name it NNNN_what_it_does.sql")
        if int(match[1]) <= last:
            raise MigrationError(f"{path.name}: the number {match[1]} is taken")
        last = int(match[1])
        found.append(Migration(path.stem, path.read_text(encoding="utf-8")))
    return found


async def _apply(conn: Connection, wanted: Sequence[Migration]) -> list[str]:
    await conn.execute(_BOOKS)
    missing = await _missing(conn, wanted)
    for migration in missing:
        try:
            await conn.execute(migration.sql)
        except asyncpg.PostgresError as reason:
            raise MigrationError(f"{migration.name}: {reason}") from reason
        await conn.execute(
            "INSERT INTO schema_migrations (name, checksum, repeatable) VALUES ($1, $2, $3)"
            " ON CONFLICT (name) DO UPDATE SET checksum = $2, applied_at = now()",
            migration.name,
            migration.checksum,
            migration.repeatable,
        )
    if missing:  # one line: a new database has all of them before it
        log.info("migrations_applied", count=len(missing), last=missing[-1].name)
    return [migration.name for migration in missing]


async def _missing(conn: Connection, wanted: Sequence[Migration]) -> list[Migration]:
    rows = await conn.fetch("SELECT name, checksum, repeatable FROM schema_migrations")
    applied = {row["name"]: row["checksum"] for row in rows}
    unknown = {row["name"] for row in rows if not row["repeatable"]} - {m.name for m in wanted}
    if unknown:
        raise MigrationError(f"the database is newer than this code: {', '.join(sorted(unknown))}")
    for migration in wanted:
        if not migration.repeatable and applied.get(migration.name, migration.checksum) != (
            migration.checksum
        ):
            raise MigrationError(
                f"{migration.name} was changed after it was applied; write a new migration instead"
            )
    return [m for m in wanted if applied.get(m.name) != m.checksum]


async def make_login(conn: Connection, role: str, password: str) -> None:
    """Raises MigrationError where the login would see every merchant's rows."""
    present = await conn.fetchrow(
        "SELECT rolsuper OR rolbypassrls AS sees_all FROM pg_roles WHERE rolname = $1", role
    )
    if present and present["sees_all"]:
        raise MigrationError(f"{role} must be neither superuser nor BYPASSRLS")
    may_make_roles = await conn.fetchval(
        "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
    )
    if may_make_roles:
        await _set_password(conn, f"{'ALTER' if present else 'CREATE'} ROLE", role, password)
    elif not present:
        raise MigrationError(f"the owner may not create roles: create the login {role} first")


async def _set_password(conn: Connection, verb: str, role: str, password: str) -> None:
    """Roles belong to the whole server and our lock to one database. Another database of the same
    server may change the role at this moment, and PostgreSQL then refuses instead of waiting."""
    statement = await conn.fetchval(
        "SELECT format($1, $2::text, $3::text)", f"{verb} %I LOGIN PASSWORD %L", role, password
    )
    for tries_left in reversed(range(_ROLE_TRIES)):
        try:
            async with conn.transaction():
                await conn.execute(statement)
        except asyncpg.InternalServerError:
            if not tries_left:
                raise
        else:
            return
