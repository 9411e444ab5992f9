"""The state is the queue: a row that owes something has `due_at` and `leased_until`. A claim leases
rows to one worker; if it dies, the lease ends and another claims them. Where rows have a lane
(their gateway account), a claim sees only the first few due rows of each lane, leased or not: so
that is the limit over all processes, and no lane hides the rows of another."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

import asyncpg
import msgspec

from coinslot.db.lease import Lease
from coinslot.db.pool import Database

TABLES = frozenset(
    {
        "attempts", "captures", "config_pushes", "counter_alarms", "counter_messages",
        "counter_prints", "fulfillments", "inbox", "machine_updates", "notices", "orders",
        "payments", "qr_codes", "qr_polls", "receipts", "refunds", "rollouts",
    }
)  # fmt: skip
LANES = frozenset({"account_id", "channel", "merchant_id"})


class NotSweptError(ValueError):
    """Only the tables and lanes listed in this module can be claimed."""


class Due(msgspec.Struct, frozen=True):
    """Which rows to claim: of one table; and the column of the lane. A lane has an index on
    (lane, due_at, id)."""

    table: str
    lane: str | None = None

    def __post_init__(self) -> None:
        # These names become SQL.
        if self.table not in TABLES or (self.lane is not None and self.lane not in LANES):
            raise NotSweptError(f"{self.table}.{self.lane}")


class Share(msgspec.Struct, frozen=True):
    """How many rows of one lane, and of all accounts at one gateway, are leased at once."""

    lane: int = 4
    gateway: int = 64


class Want(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows, for how long, and what is due: by `now`, or by the database's time."""

    limit: int
    lease: timedelta
    now: datetime | None = None
    share: Share = Share()


class Claimed(msgspec.Struct, frozen=True):
    """A row as it was when it was claimed, and the lease."""

    row: asyncpg.Record
    lease: Lease


async def claim(db: Database, due: Due, want: Want) -> list[Claimed]:
    """Whole rows, longest due first, that no other worker holds. A lease runs by the database's
    time."""
    until = time.monotonic() + want.lease.total_seconds()
    values: list[object] = [want.limit, want.lease, want.now]
    if due.lane is not None:
        values.append(want.share.lane)
    if due.lane == "account_id":
        values.append(want.share.gateway)
    async with db.system_connection() as conn:
        rows = await conn.fetch(_claim_sql(due), *values)
    return [Claimed(row, Lease(due.table, row["id"], row["lease"], until)) for row in rows]


async def claim_one(db: Database, table: str, key: object, lease: timedelta) -> Claimed | None:
    """This row, due or not. None: another worker has it."""
    due = Due(table)
    until = time.monotonic() + lease.total_seconds()
    async with db.system_connection() as conn:
        row = await conn.fetchrow(_claim_one_sql(due), key, lease)
    return None if row is None else Claimed(row, Lease(table, row["id"], row["lease"], until))


async def renew(db: Database, lease: Lease, span: timedelta) -> bool:
    """Hold it for `span` from now. False: another worker has claimed it. A row that was released
    meanwhile, with its outcome, stays released."""
    until = time.monotonic() + span.total_seconds()
    async with db.system_connection() as conn:
        held = await conn.fetchval(
            f"UPDATE {Due(lease.table).table} SET leased_until = CASE WHEN leased_until IS NOT NULL"
            " THEN clock_timestamp() + $3::interval END"
            " WHERE id = $1 AND lease = $2 RETURNING true",
            lease.key, lease.number, span,
        )  # fmt: skip
    if held:
        lease.until = until
    return held is not None


async def release(db: Database, leases: Iterable[Lease]) -> None:
    """Other workers may have these rows of one table at once, when they are due."""
    held = list(leases)
    if held:
        async with db.system_connection() as conn:
            await conn.executemany(
                f"UPDATE {Due(held[0].table).table} SET leased_until = NULL"
                " WHERE id = $1 AND lease = $2 AND leased_until IS NOT NULL",
                [(lease.key, lease.number) for lease in held],
            )


async def finish(db: Database, claimed: Claimed) -> None:
    """The work is done: another worker may claim the row for its next step. A row that the work did
    not write stays leased, so that it is not claimed again and again."""
    lease = claimed.lease
    async with db.system_connection() as conn:
        await conn.execute(
            f"UPDATE {Due(lease.table).table} SET leased_until = NULL WHERE id = $1 AND lease = $2"
            " AND leased_until IS NOT NULL AND due_at IS DISTINCT FROM $3",
            lease.key, lease.number, claimed.row["due_at"],
        )  # fmt: skip


async def put_off(db: Database, lease: Lease, until: datetime) -> bool:
    """Release it, due again at `until`. False: another worker has it."""
    async with db.system_connection() as conn:
        status = await conn.execute(
            f"UPDATE {Due(lease.table).table} SET leased_until = NULL, due_at = $3"
            " WHERE id = $1 AND lease = $2 AND due_at IS NOT NULL",
            lease.key, lease.number, until,
        )  # fmt: skip
    return status == "UPDATE 1"


_DUE = "{r}.due_at <= coalesce($3::timestamptz, statement_timestamp())"
_FREE = "({r}.leased_until IS NULL OR {r}.leased_until <= statement_timestamp())"

# Steps from lane to lane by the index, and reads the first few rows of each. Leased rows keep their
# place among them, so the count needs no lock and no second read.
_HEADS = """
    WITH RECURSIVE lanes AS (
        (SELECT {lane} AS id FROM {table} WHERE due_at IS NOT NULL ORDER BY {lane} LIMIT 1)
        UNION ALL
        SELECT (SELECT n.{lane} FROM {table} n WHERE n.due_at IS NOT NULL AND n.{lane} > l.id
            ORDER BY n.{lane} LIMIT 1) FROM lanes l WHERE l.id IS NOT NULL
    ), heads AS MATERIALIZED (
        SELECT h.*, row_number() OVER (PARTITION BY {gateway} ORDER BY h.due_at, h.id) AS place
        FROM lanes l {accounts} CROSS JOIN LATERAL (
            SELECT r.id, r.due_at, r.leased_until FROM {table} r
            WHERE r.{lane} = l.id AND r.due_at IS NOT NULL AND {due}
            ORDER BY r.due_at, r.id LIMIT $4) h
    ), wanted AS MATERIALIZED (
        SELECT h.id FROM heads h WHERE {free}{places} ORDER BY h.due_at, h.id LIMIT $1
    ), chosen AS MATERIALIZED (
        SELECT r.id FROM {table} r WHERE r.id = ANY (ARRAY(SELECT id FROM wanted))
            AND {due} AND {still_free} FOR NO KEY UPDATE SKIP LOCKED
    )"""
# Materialized: a plan that ran the inner query twice would lock rows that it does not return.
_OLDEST = """
    WITH chosen AS MATERIALIZED (
        SELECT r.id FROM {table} r WHERE {due} AND {still_free}
        ORDER BY r.due_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
    )"""
_LEASED = """, leased AS (
        UPDATE {table} AS t SET leased_until = clock_timestamp() + $2::interval, lease = t.lease + 1
        FROM chosen WHERE t.id = chosen.id RETURNING t.*
    )
    SELECT * FROM leased ORDER BY due_at"""


@cache
def _claim_sql(due: Due) -> str:
    by_account = due.lane == "account_id"
    return (_OLDEST if due.lane is None else _HEADS).format(
        table=due.table,
        lane=due.lane,
        gateway="a.gateway" if by_account else "l.id",
        accounts="JOIN gateway_accounts a ON a.id = l.id" if by_account else "",
        places=" AND h.place <= $5" if by_account else "",
        due=_DUE.format(r="r"),
        free=_FREE.format(r="h"),
        still_free=_FREE.format(r="r"),
    ) + _LEASED.format(table=due.table)


@cache
def _claim_one_sql(due: Due) -> str:
    return f"""
        UPDATE {due.table} r SET leased_until = clock_timestamp() + $2::interval, lease = lease + 1
        WHERE id = $1 AND {_FREE.format(r="r")} RETURNING *"""
