"""Statements that find or change rows, each over rows of which one thing differs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.sales.by_hand import Rows

Differs = Mapping[str, Any]  # by `table.column`


class Asked(NamedTuple):
    """A statement, what it is given, and the rows at which it finds something."""

    name: str
    sql: str
    values: tuple[object, ...]
    rows: Mapping[str, Mapping[str, Any]]  # by table
    differs: Sequence[Differs]  # with it nothing is found
    same: Sequence[Differs] = ()  # with it as well


async def mistaken(rows: Rows, every: Iterable[Asked]) -> list[str]:
    """What is not found though nothing differs, and what is found though something does."""
    wrong = []
    for asked in every:
        for same in ({}, *asked.same):
            if await _count(rows, asked, same) != 1:
                wrong.append(f"{asked.name}: not found with {same}")
        for differs in asked.differs:
            if await _count(rows, asked, differs) != 0:
                wrong.append(f"{asked.name}: found with {differs}")
    return wrong


async def _count(rows: Rows, asked: Asked, differs: Differs) -> int:
    given = {table: dict(columns) for table, columns in asked.rows.items()}
    for name, value in differs.items():
        table, column = name.split(".")
        given[table][column] = value
    await rows.conn.execute("BEGIN")
    for table, columns in given.items():
        await rows.put(table, **columns)
    count = len(await rows.conn.fetch(asked.sql, *asked.values))
    await rows.conn.execute("ROLLBACK")
    return count
