"""Statements that find or change rows, each over rows of which one thing differs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from coinslot.db.pool import RawConnection
from tests.sales.by_hand import Rows

# By `table.column`; the third value that is given is `$3`, and a table's name alone means no row.
Differs = Mapping[str, Any]
# Values of one row, or of each in its order; what is not named may be anything.
Gives = Mapping[str, Any] | Sequence[Mapping[str, Any]]
FOUND: Gives = {}


# A function that asks statements of its own, by this connection. What it returns is what is found:
# a row or several, or a value by the name `said`. Nothing is found where it raises its own error.
Verb = Callable[..., Awaitable[Any]]


class Here:
    """A database whose every transaction is the one of the case."""

    def __init__(self, conn: RawConnection) -> None:
        self.conn = conn

    @asynccontextmanager
    async def as_merchant(self, merchant: UUID) -> AsyncIterator[RawConnection]:
        yield self.conn

    @asynccontextmanager
    async def system_transaction(self) -> AsyncIterator[RawConnection]:
        yield self.conn

    system_connection = system_transaction

    async def call(self, sql: str, *values: object) -> Any:
        return await self.conn.fetchval(sql, *values)

    def check_lease(self) -> None:
        """No other process works at the rows of a case."""


class Asked(NamedTuple):
    """A statement, what it is given, and the rows at which it finds something. Where two rows are
    of one table, the second is named `table 2`."""

    name: str
    sql: str | Verb
    values: tuple[object, ...]
    rows: Mapping[str, Mapping[str, Any]]  # by table
    differs: Sequence[Differs]  # with it nothing is found
    same: Sequence[Differs] = ()  # with it as well
    gives: Gives = FOUND  # what is found, though nothing differs
    others: Sequence[tuple[Any, Gives]] = ()  # with it something else is found
    after: str = ""  # what it wrote, for a statement that does not say it
    locks: tuple[str, ...] = ()  # rows of these tables are locked then


async def mistaken(rows: Rows, every: Iterable[Asked]) -> list[str]:
    """What is not found though nothing differs, and what is found though something does."""
    wrong = []
    for asked in every:
        cases: list[tuple[Differs, Gives]] = [(same, asked.gives) for same in ({}, *asked.same)]
        cases += [(differs, []) for differs in asked.differs]
        for differs, gives in (*cases, *asked.others):
            try:
                said = _compared(await _found(rows, asked, differs), gives)
            except AssertionError as error:
                said = str(error)
            if said:
                wrong.append(f"{asked.name}: {said} with {dict(differs)}")
    return wrong


def _compared(found: list[Mapping[str, Any]], gives: Gives) -> str:
    """What is not as it should be."""
    wanted = [gives] if isinstance(gives, Mapping) else list(gives)
    if not any(wanted):  # it may only say whether, and say no
        found = [row for row in found if tuple(row.values()) not in ((None,), (False,))]
    shown = [
        {name: row[name] for name in expected}
        for row, expected in zip(found, wanted, strict=False)
    ]  # fmt: skip
    if len(found) == len(wanted) and shown == wanted:
        return ""
    if not found:
        return "not found"
    return f"found {len(found)}, {shown} in place of {wanted}" if wanted else "found"


async def _found(rows: Rows, asked: Asked, differs: Differs) -> list[Mapping[str, Any]]:
    given = {table: dict(columns) for table, columns in asked.rows.items()}
    values = list(asked.values)
    for name, value in differs.items():
        table, _, column = name.partition(".")
        if name.startswith("$"):
            values[int(name[1:]) - 1] = value
        elif column:
            given[table][column] = value
        else:
            del given[table]
    await rows.conn.execute("BEGIN")
    try:
        for table, columns in given.items():
            await rows.put(table.split(" ")[0], **columns)
        if isinstance(asked.sql, str):
            found: Sequence[Any] = await rows.conn.fetch(asked.sql, *values)
        else:
            found = await _said(asked.sql, rows.conn, values)
        for table in asked.locks if found else ():
            held = await rows.conn.fetchval(f"SELECT bool_and(xmax <> '0') FROM {table}")
            assert held, f"no lock of {table} is held"
        return list(await rows.conn.fetch(asked.after) if asked.after else found)
    finally:
        await rows.conn.execute("ROLLBACK")


async def _said(verb: Verb, conn: RawConnection, values: Sequence[object]) -> Sequence[Any]:
    try:
        said = await verb(conn, *values)
    except asyncpg.PostgresError:
        raise
    except Exception:  # noqa: BLE001  its own, whatever it is
        return []
    return [_as_row(one) for one in (said if isinstance(said, list) else [said])]


def _as_row(said: object) -> Mapping[str, Any]:
    match said:
        case asyncpg.Record():
            return dict(said)
        case msgspec.Struct():
            return msgspec.structs.asdict(said)
        case _:
            return {"said": said}


def written(asked: Asked) -> Asked:
    """The statement changes the row with this id, and no other; what it gives is the new row."""
    assert isinstance(asked.sql, str)
    ((table, row),) = asked.rows.items()
    another = {f"{table}.id": UUID(int=999) if isinstance(row["id"], UUID) else 999}
    return asked._replace(
        sql=f"{asked.sql} RETURNING *", differs=(another, *asked.differs)
    )  # fmt: skip
