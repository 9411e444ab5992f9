"""Which tables of a database have rows, and which queries may therefore find something: one that
reads empty tables alone finds what it finds in a new database. Most tests write to thirty of two
hundred tables, and after each of them a hundred queries look for what is wrong."""

import asyncio
import re
from collections.abc import Collection, Mapping

from coinslot.db.pool import RawConnection

# By the size of its file: it waits for no lock that a test holds.
FULL = """
SELECT relname AS name FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND (pg_stat_file(pg_relation_filepath(oid), true)).size > 0
"""
_TABLES = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
# What a query may read through: views, functions.
_THROUGH = """
SELECT relname AS name, pg_get_viewdef(oid) AS source FROM pg_class
WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace
UNION ALL
SELECT proname, CASE WHEN prokind IN ('f', 'p') THEN pg_get_functiondef(oid) ELSE 'EXECUTE' END
FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""
_WORD = re.compile(r"\w+")
# A source with such a word may read tables that it does not name.
_HIDES = {"execute", "query_to_xml"}
# One part of a query, by its tables: without a bracket it has no aggregate and asks for nothing
# that is missing, so it finds nothing while one of its tables is empty.
_PART = re.compile(r"\s*SELECT [^()]* FROM (\w+) \w+ JOIN (\w+) \w+ ON [^()]*")
_OUTER = re.compile(r"\b(left|right|full|join .* join|from .* from)\b", re.IGNORECASE | re.DOTALL)
_UNION = "\nUNION ALL "


class FullTables:
    """Over a superuser's connection that nobody else uses meanwhile."""

    def __init__(self, conn: RawConnection) -> None:
        self._conn = conn
        self._one_at_a_time = asyncio.Lock()
        self._tables: frozenset[str] = frozenset()
        self._through: dict[str, set[str]] = {}
        self._reads: dict[str, frozenset[str]] = {}

    async def names(self, of: Collection[str] | None = None) -> frozenset[str]:
        """Of all tables, or of these."""
        sql, values = (FULL, ()) if of is None else (f"{FULL} AND relname = ANY ($1)", (list(of),))
        async with self._one_at_a_time:
            return frozenset([row["name"] for row in await self._conn.fetch(sql, *values)])

    async def worth_asking(self, queries: Mapping[str, str]) -> dict[str, str]:
        """Those that read a table with rows, and those of which nobody knows what they read; of a
        union of plain joins, the joins of tables that all have some."""
        full = await self.names()
        if not self._tables:
            await self._learn()
        wanted = {name: _parts_with_rows(sql, full) for name, sql in queries.items()}
        return {
            name: sql for name, sql in wanted.items()
            if sql and (not (reads := self._tables_of(sql)) or reads & full)
        }  # fmt: skip

    async def _learn(self) -> None:
        async with self._one_at_a_time:
            tables = await self._conn.fetch(_TABLES)
            through = await self._conn.fetch(_THROUGH)
        self._tables = frozenset([row["relname"] for row in tables])
        for row in through:  # functions may share a name
            self._through.setdefault(row["name"], set()).update(_words(row["source"]))

    def _tables_of(self, sql: str) -> frozenset[str]:
        """None of them where that cannot be said."""
        if sql not in self._reads:
            words, looked_through = _words(sql), set[str]()
            while following := (words & self._through.keys()) - looked_through:
                looked_through |= following
                words = words.union(*(self._through[name] for name in following))
            self._reads[sql] = frozenset() if words & _HIDES else self._tables & words
        return self._reads[sql]


def _parts_with_rows(sql: str, full: frozenset[str]) -> str:
    parts = sql.split(_UNION)
    found = [_PART.fullmatch(part) for part in parts]
    if not all(found) or any(_OUTER.search(part) for part in parts):
        return sql
    rows = [
        part for part, tables in zip(parts, found, strict=True)
        if tables and full.issuperset(tables.groups())
    ]  # fmt: skip
    return _UNION.join(rows)


def _words(source: str) -> set[str]:
    return set(_WORD.findall(source.lower()))
