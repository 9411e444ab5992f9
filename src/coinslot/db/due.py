"""The state is the queue: a row that owes something has `due_at` and `leased_until`. A claim leases
a batch of rows to one worker; if it dies, the lease ends and another worker claims them."""

from datetime import datetime, timedelta
from functools import cache

import asyncpg
import msgspec

from coinslot.db.pool import Connection

TABLES = frozenset(
    {"attempts", "captures", "fulfillments", "inbox", "orders", "payments", "qr_codes", "refunds"}
)
PREDICATES = {
    "settled": "settlement IS NOT NULL",
    "unsettled": "settlement IS NULL",
}
KEYS = frozenset({"id"})


class NotSweptError(ValueError):
    """Only the tables, keys and predicates listed in this module can be claimed."""


class Due(msgspec.Struct, frozen=True):
    """Which rows to claim: of one table, and for which all named predicates hold."""

    table: str
    only: tuple[str, ...] = ()
    key: str = "id"

    def __post_init__(self) -> None:
        # These words become SQL.
        if (
            self.table not in TABLES
            or self.key not in KEYS
            or not PREDICATES.keys() >= {*self.only}
        ):
            raise NotSweptError(f"{self.table}.{self.key} {self.only}")


async def claim(
    conn: Connection, due: Due | str, limit: int, lease: timedelta, now: datetime | None = None
) -> list[asyncpg.Record]:
    """Up to `limit` whole rows, longest due first, that nobody else holds for the time of `lease`.

    `now` decides what is due, and is the database's time when left out; leases always are."""
    wanted = Due(due) if isinstance(due, str) else due
    return await conn.fetch(_claim_sql(wanted), limit, lease, now)


async def release(
    conn: Connection,
    due: Due | str,
    row: asyncpg.Record | object,
    due_in: timedelta | None,
    now: datetime | None = None,
) -> bool:
    """Ends a lease; the row is due again after `due_in`, or owes nothing more when None.

    With the claimed row (rather than its key) only the worker who still holds the lease releases
    it: False says that the lease ran out and the row is someone else's now."""
    wanted = Due(due) if isinstance(due, str) else due
    held = row["leased_until"] if isinstance(row, asyncpg.Record) else None
    key = row[wanted.key] if isinstance(row, asyncpg.Record) else row
    status = await conn.execute(_release_sql(wanted), key, held, due_in, now)
    return status == "UPDATE 1"


@cache
def _claim_sql(due: Due) -> str:
    extra = "".join(f" AND {PREDICATES[name]}" for name in due.only)
    # Materialized: a plan that ran the inner query twice would lock rows that it does not return.
    return f"""
        WITH chosen AS MATERIALIZED (
            SELECT {due.key} FROM {due.table}
            WHERE due_at <= coalesce($3::timestamptz, statement_timestamp())
              AND (leased_until IS NULL OR leased_until <= statement_timestamp()){extra}
            ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ), leased AS (
            UPDATE {due.table} AS t SET leased_until = clock_timestamp() + $2::interval
            FROM chosen WHERE t.{due.key} = chosen.{due.key} RETURNING t.*
        )
        SELECT * FROM leased ORDER BY due_at"""


@cache
def _release_sql(due: Due) -> str:
    return f"""
        UPDATE {due.table} SET leased_until = NULL,
            due_at = coalesce($4::timestamptz, statement_timestamp()) + $3::interval
        WHERE {due.key} = $1 AND ($2::timestamptz IS NULL OR leased_until = $2)"""
