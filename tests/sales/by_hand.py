"""Rows written by hand, for functions that judge by rows alone: what a test does not name is filled
in, and no trigger, policy or foreign key is in the way."""

import json
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec

from coinslot.db.pool import RawConnection

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_NEEDED = """
SELECT column_name AS name, udt_name AS kind FROM information_schema.columns
WHERE table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
"""
_FILL: dict[str, Any] = {
    "text": "x", "bpchar": "INR", "int8": 1, "int4": 1, "int2": 1, "timestamptz": NOW, "jsonb": {},
    "bytea": b"", "date": NOW.date(), "_text": [], "_int4": [], "_int8": [], "bool": False,
    "_uuid": [], "float8": 1.0, "_float8": [],
}  # fmt: skip

# What stands in a row of its own beside a unit, written with it.
_BESIDE = (
    "slot", "mdb", "open", "seq", "accept", "offered_at", "journal_id", "boot_id", "go_message",
    "lease_end", "nonce", "offers", "queries", "asked_at", "started_at",
)  # fmt: skip

# An order is there because it is asked for, and not because an index happens to have it; and no
# statement is planned in another way because a test before has asked it, too.
_SETTINGS = """
SET session_replication_role = replica; SET plan_cache_mode = force_custom_plan;
SET enable_mergejoin = off; SET enable_indexscan = off; SET enable_indexonlyscan = off
"""


class Rows:
    """A database of this test, and a hand in it."""

    def __init__(self, conn: RawConnection) -> None:
        self.conn = conn
        self._needed: dict[str, Any] = {}  # by table; a test changes no table

    @classmethod
    async def open(cls, url: str, statements: int = 100) -> "Rows":
        """It keeps so many prepared ones: none where tables change between them."""
        made = cls(await asyncpg.connect(url, statement_cache_size=statements))
        await made.begin()
        await made.conn.set_type_codec(
            "jsonb", encoder=lambda value: msgspec.json.encode(value).decode(),
            decoder=json.loads, schema="pg_catalog",
        )  # fmt: skip
        return made

    async def begin(self) -> None:
        await self.conn.execute(_SETTINGS)

    async def put(self, table: str, **given: Any) -> dict[str, Any]:
        """The row as it stands then."""
        if table == "captures":
            given.setdefault("captured", 5000)
            given.setdefault("open", given["captured"])
        beside = {name: given.pop(name) for name in _BESIDE if name in given}
        if table != "fulfillments":
            return await self.put_row(table, given | beside)
        unit = await self.put_row(table, {"kind": "vending", "capture_id": uuid4(), **given})
        same = {name: unit[name] for name in ("id", "merchant_id", "outlet_id")}
        return unit | await self.put_row("vend_units", same | beside)

    async def changes(self, verb: Awaitable[object], *tables: str) -> dict[str, dict[Any, Any]]:
        """What a verb changed in these tables: the new values by table, row and column; a row that
        is new is given whole, and one that is gone as None."""
        before = {table: await self._all(table) for table in tables}
        await verb
        found: dict[str, dict[Any, Any]] = {}
        for table in tables:
            old, new = before[table], await self._all(table)
            for key in old.keys() | new.keys():
                row, was = new.get(key), old.get(key, {})
                if row is None:
                    found.setdefault(table, {})[key] = None
                elif diff := {name: value for name, value in row.items()
                              if name not in was or was[name] != value}:  # fmt: skip
                    found.setdefault(table, {})[key] = diff
        return found

    async def _all(self, table: str) -> dict[Any, dict[str, Any]]:
        rows = await self.conn.fetch(f"SELECT * FROM {table}")
        names = dict(rows[0]) if rows else {}
        named = [key for key in ("id", "seq", "delivery_id") if key in names]
        return {row[named[0]] if named else tuple(row.values()): dict(row) for row in rows}

    async def put_row(self, table: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """That row alone, of a table as any version has it."""
        row: dict[str, Any] = {}
        if table not in self._needed:
            self._needed[table] = await self.conn.fetch(_NEEDED, table)
        for column in self._needed[table]:
            row[column["name"]] = uuid4() if column["kind"] == "uuid" else _FILL[column["kind"]]
        row |= given
        names, places = ", ".join(row), ", ".join(f"${n + 1}" for n in range(len(row)))
        made = await self.conn.fetchrow(
            f"INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE VALUES ({places}) RETURNING *",
            *row.values(),
        )
        assert made is not None
        return dict(made)
