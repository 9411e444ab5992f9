"""All that a function of the database or a verb of ours writes: each new row, and of each other one
what changed."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from tests.sales.asked import Verb
from tests.sales.by_hand import Rows

Row = Mapping[str, Any]
Wrote = dict[str, list[Any]]
_KEY = """
SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
    AND a.attnum = ANY (i.indkey) WHERE i.indisprimary AND i.indrelid = $1::text::regclass
ORDER BY array_position(i.indkey, a.attnum)
"""
_HEX = re.compile(r"[0-9a-f]+")


async def wrote(
    rows: Rows, given: Iterable[tuple[str, Row]], tables: Iterable[str], sql: str | Verb,
    *values: object,
) -> tuple[Any, Wrote]:  # fmt: skip
    """What it returned, and by table what it wrote: `(key, what changed)` of a row that was there,
    and of a new one what is not empty, without its id, which is `new refunds` where another row
    names it; of a token that is made how long it is."""
    conn = rows.conn
    await conn.execute("BEGIN")
    try:
        for table, columns in given:
            await rows.put(table, **columns)
        keys = {t: [row["attname"] for row in await conn.fetch(_KEY, t)] for t in tables}
        before = {table: await _all(rows, table, key) for table, key in keys.items()}
        said = await (
            conn.fetchval(sql, *values) if isinstance(sql, str) else sql(conn, *values)
        )  # fmt: skip
        after = {table: await _all(rows, table, key) for table, key in keys.items()}
    finally:
        await conn.execute("ROLLBACK")
    new = {
        str(key): f"new {table}"
        for table in keys for key in after[table].keys() - before[table].keys()
        if isinstance(key, UUID) and key.version  # one that was made
    }  # fmt: skip
    _paired(after.get("ledger", {}))
    _paired(before.get("ledger", {}))
    found = {table: _changes(before[table], _named(after[table], new), keys[table])
             for table in keys}  # fmt: skip
    return said, {table: changed for table, changed in found.items() if changed}


async def _all(rows: Rows, table: str, key: list[str]) -> dict[Any, dict[str, Any]]:
    found = [dict(row) for row in await rows.conn.fetch(f"SELECT * FROM {table}")]
    return {
        row[key[0]] if len(key) == 1 else tuple(row[name] for name in key): row for row in found
    }


def _paired(lines: dict[Any, dict[str, Any]]) -> None:
    """In place of a movement's id the accounts that it is booked on."""
    accounts: dict[Any, list[str]] = {}
    for row in lines.values():
        accounts.setdefault(row["txn"], []).append(row["account"])
    for row in lines.values():
        row["txn"] = "+".join(sorted(accounts[row["txn"]]))


def _named(rows: dict[Any, dict[str, Any]], new: Mapping[str, str]) -> dict[Any, dict[str, Any]]:
    """Ids of new rows as `new refunds`, wherever they stand but in their own column."""
    return {
        key: {name: value if value == key else _with(value, new) for name, value in row.items()}
        for key, row in rows.items()
    }


def _with(value: Any, new: Mapping[str, str]) -> Any:
    match value:
        case UUID():
            return new.get(str(value), value)
        case str():
            for key, name in new.items():
                value = value.replace(key, name).replace(key.replace("-", ""), name)
            return value
        case dict():
            return {name: _with(inner, new) for name, inner in value.items()}
        case _:
            return value


def _changes(old: Mapping[Any, Row], new: Mapping[Any, Row], key: list[str]) -> list[Any]:
    made = key if key in (["id"], ["seq"]) else []
    found: list[Any] = [
        {k: _told(k, v) for k, v in row.items() if k not in made and v not in _EMPTY}
        for name, row in new.items() if name not in old
    ]  # fmt: skip
    for name, row in old.items():
        if name not in new:
            found.append((name, None))
        elif changed := {k: v for k, v in new[name].items() if row[k] != v}:
            found.append((name, changed))
    return in_order(found)


def in_order(changes: Iterable[Any]) -> list[Any]:
    """However their columns are ordered."""
    return sorted(
        changes, key=lambda row: repr(sorted(row.items()) if isinstance(row, dict) else row)
    )


def _told(name: str, value: Any) -> Any:
    return len(value) if name == "token" and _HEX.fullmatch(value) else value


_EMPTY: tuple[Any, ...] = (None, 0, "", [], {})
