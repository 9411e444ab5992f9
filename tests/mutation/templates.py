"""The database that the tests of a mutant are made from: the usual one, or one with its SQL."""

import asyncio
import hashlib
import json
from pathlib import Path

import asyncpg
import msgspec

from coinslot.db.embedded import OWNER
from coinslot.db.migrate import MIGRATIONS, MigrationError, migrate, migrations_in
from tests import conftest

_BASE = Path("template.json")
_CHANGED = "mutant_template"


class StillbornError(Exception):
    """PostgreSQL does not even read this SQL: such a mutant says nothing of the tests."""


class Digest(msgspec.Struct, frozen=True):
    """Of the SQL that makes a database."""

    migrations: str
    functions: str


def prepare(superuser_url: str) -> None:
    """Make the usual template, once."""
    asyncio.run(conftest._make_template(superuser_url))
    _BASE.write_bytes(msgspec.json.encode(_digest()))


def template(superuser_url: str) -> str:
    """The name of the database to copy. Raises StillbornError and MigrationError."""
    base, now = msgspec.json.decode(_BASE.read_bytes(), type=Digest), _digest()
    if base == now:
        return conftest.TEMPLATE
    like = "" if base.migrations != now.migrations else f" TEMPLATE {conftest.TEMPLATE}"
    try:
        asyncio.run(_make(superuser_url, like))
    except MigrationError as error:
        if isinstance(error.__cause__, asyncpg.SyntaxOrAccessError):
            raise StillbornError(str(error)) from error
        raise
    return _CHANGED


async def _make(superuser_url: str, like: str) -> None:
    await conftest.on_server(
        superuser_url,
        f"DROP DATABASE IF EXISTS {_CHANGED} WITH (FORCE)",
        f"CREATE DATABASE {_CHANGED}{like} OWNER {OWNER}",
    )
    owner = conftest.DatabaseUrls.of(superuser_url, _CHANGED).owner
    password = conftest.TEST_PASSWORD
    await migrate(owner, password, password, conftest.sql_functions())


def _digest() -> Digest:
    functions = json.dumps(conftest.sql_functions())
    migrations = json.dumps([m.sql for m in migrations_in(MIGRATIONS)])
    return Digest(
        hashlib.sha256(migrations.encode()).hexdigest(),
        hashlib.sha256(functions.encode()).hexdigest(),
    )
