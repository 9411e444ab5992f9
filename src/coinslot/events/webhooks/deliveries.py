"""The log of deliveries: the outcome of each, each try, and sending again, one or a whole range."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.events.webhooks.endpoints import EndpointRuleError, found, note
from coinslot.payments import idempotency
from coinslot.payments.idempotency import Answer, IdempotentCall
from coinslot.people.audit_log import Act, Actor

REPLAY_MAX = 10_000

# A delivery behind others of its line is tried with the first of them, at the earliest.
_ROWS = """
SELECT d.*, p.id AS event, p.type, CASE WHEN d.outcome IS NULL THEN (
    SELECT o.due_at FROM deliveries o WHERE (o.endpoint_id, o.line) >= (d.endpoint_id, d.line)
    AND o.outcome IS NULL ORDER BY o.endpoint_id, o.line, o.seq LIMIT 1) END AS next_try_at,
    d.outcome IS NULL AND coalesce(d.leased_until > statement_timestamp(), false) AS under_way
FROM deliveries d JOIN public_events p ON p.seq = d.seq
"""
_ONE = f"{_ROWS} WHERE d.id = $1"
_LISTED = f"""{_ROWS}
WHERE d.merchant_id = $1 AND ($2::uuid IS NULL OR d.id < $2)
    AND ($3::uuid IS NULL OR d.endpoint_id = $3)
    AND ($4::text IS NULL OR coalesce(d.outcome, 'pending') = $4)
ORDER BY d.id DESC LIMIT $5
"""
_TRIES = """
SELECT number, status, failure, response, took_ms, at FROM delivery_tries
WHERE delivery_id = $1 ORDER BY number
"""
_ANEW = """
UPDATE deliveries SET outcome = NULL, ended_at = NULL, tries = 0, due_at = $2, leased_until = NULL
WHERE id = $1 AND (leased_until IS NULL OR leased_until <= statement_timestamp())
"""
_FAILED_ANEW = """
WITH failed AS MATERIALIZED (
    SELECT id FROM deliveries WHERE endpoint_id = $1 AND outcome = 'given_up'
    ORDER BY seq LIMIT $3 FOR NO KEY UPDATE
)
UPDATE deliveries d SET outcome = NULL, ended_at = NULL, tries = 0, due_at = $2, leased_until = NULL
FROM failed f WHERE d.id = f.id
"""
# Rows as the announcer writes them, inserted where they are missing (the endpoint is newer than the
# event).
_REPLAY = """
INSERT INTO deliveries (id, merchant_id, endpoint_id, seq, line, created_at, due_at)
SELECT uuid7($7), p.merchant_id, $1, p.seq, p.line, $7, $7 FROM public_events p
WHERE p.merchant_id = $2 AND p.at >= $3 AND p.at < $4
    AND ($5::text[] = '{}' OR p.type = ANY ($5)) AND NOT p.type LIKE 'webhook.%'
ORDER BY p.seq LIMIT $6
ON CONFLICT (endpoint_id, seq) DO UPDATE
    SET outcome = NULL, ended_at = NULL, tries = 0, due_at = $7
    WHERE deliveries.outcome IS NOT NULL
RETURNING id
"""


class UnknownDeliveryError(Exception):
    """There is no such delivery of this merchant."""


class TryStatement(Struct, frozen=True, kw_only=True):
    """One try: the answer's status and beginning, or why there was none."""

    number: int
    status: int | None
    failure: str | None
    response: str | None
    took_ms: int
    at: datetime


class DeliveryStatement(Struct, frozen=True, kw_only=True):
    """One event for one endpoint: pending, delivered, given_up or withdrawn."""

    id: UUID
    endpoint: UUID
    event: str
    type: str
    status: str
    tries: int
    under_way: bool
    next_try_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


class DeliveryLog(DeliveryStatement, frozen=True, kw_only=True):
    """A delivery with each of its tries."""

    log: list[TryStatement]


class WantedDeliveries(Struct, frozen=True, kw_only=True):
    """Which deliveries: `after` is the last one of the page before."""

    after: UUID | None = None
    endpoint: UUID | None = None
    status: str | None = None
    limit: int = 20


class Range(Struct, frozen=True, kw_only=True):
    """Which events are sent again: from `since`, before `until`, of these types or of all that the
    endpoint wants."""

    since: datetime
    until: datetime
    types: tuple[str, ...] = ()


class Replayed(Struct, frozen=True):
    """How many deliveries a replay made due; those that were due already are not counted."""

    deliveries: int


async def listed(
    context: Context, merchant: UUID, wanted: WantedDeliveries
) -> list[DeliveryStatement]:
    """One page, newest first."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(
            _LISTED, merchant, wanted.after, wanted.endpoint, wanted.status, wanted.limit
        )
    return [_statement(row) for row in rows]


async def one(context: Context, merchant: UUID, delivery: UUID) -> DeliveryLog:
    """Raises UnknownDeliveryError."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(_ONE, delivery)
        tries = await conn.fetch(_TRIES, delivery)
    if row is None:
        raise UnknownDeliveryError("There is no such delivery.")
    log = [msgspec.convert(dict(found), TryStatement) for found in tries]
    return DeliveryLog(**msgspec.structs.asdict(_statement(row)), log=log)


async def redeliver(
    context: Context, key: IdempotentCall, delivery: UUID, who: Actor | None = None
) -> Answer:
    """Due at once, whatever its outcome was, with all tries before it again. One that is under way
    stays as it is, which the answer says. Raises UnknownDeliveryError, UnknownEndpointError and
    what `payments.idempotency` raises."""
    async with context.db.as_merchant(key.merchant) as conn:
        claimed = await idempotency.begin(conn, context, key)
        if isinstance(claimed, Answer):
            return claimed
        row = await conn.fetchrow(_ONE, delivery)
        if row is None:
            raise UnknownDeliveryError("There is no such delivery.")
        await found(conn, row["endpoint_id"], lock=True)
        if await conn.execute(_ANEW, delivery, context.now()) == "UPDATE 1":
            act = Act(action="delivery.redelivered", merchant=key.merchant, subject=str(delivery))
            await note(conn, who, act, context.now())
        shown = _statement(await conn.fetchrow(_ONE, delivery))
        answer = Answer(status=202, body=msgspec.to_builtins(shown))
        answer = await idempotency.finish(conn, context, key, answer)
    context.wakes.wake("deliveries")
    return answer


async def redeliver_failed(
    context: Context, merchant: UUID, endpoint: UUID, who: Actor | None = None
) -> None:
    """Everything that was given up for this endpoint is due again, REPLAY_MAX at most. Raises
    UnknownEndpointError."""
    async with context.db.as_merchant(merchant) as conn:
        await found(conn, endpoint, lock=True)
        done = await conn.execute(_FAILED_ANEW, endpoint, context.now(), REPLAY_MAX)
        act = Act(
            action="endpoint.redelivered", merchant=merchant, subject=str(endpoint),
            after={"deliveries": int(done.rpartition(" ")[2])},
        )  # fmt: skip
        await note(conn, who, act, context.now())
    context.wakes.wake("deliveries")


async def replay(context: Context, key: IdempotentCall, endpoint: UUID, span: Range) -> Answer:
    """Send a range again, oldest first. Raises UnknownEndpointError, EndpointRuleError and what
    `payments.idempotency` raises."""
    since, until = _utc(span.since), _utc(span.until)
    if since >= until:
        raise EndpointRuleError("bad_range", "`since` has to be before `until`.")
    async with context.db.as_merchant(key.merchant) as conn:
        claimed = await idempotency.begin(conn, context, key)
        if isinstance(claimed, Answer):
            return claimed
        row = await found(conn, endpoint, lock=True)
        rows = await conn.fetch(
            _REPLAY, endpoint, key.merchant, since, until,
            list(span.types or row["types"]), REPLAY_MAX + 1, context.now(),
        )  # fmt: skip
        if len(rows) > REPLAY_MAX:
            raise EndpointRuleError(
                "range_too_long", f"More than {REPLAY_MAX} events are in it: ask for less at once."
            )
        answer = Answer(status=202, body=msgspec.to_builtins(Replayed(len(rows))))
        answer = await idempotency.finish(conn, context, key, answer)
    context.wakes.wake("deliveries")
    return answer


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise EndpointRuleError("bad_range", "There are no events so far away.") from None


def _statement(row: asyncpg.Record | None) -> DeliveryStatement:
    assert row is not None, "read in the transaction that found it"
    return DeliveryStatement(
        id=row["id"], endpoint=row["endpoint_id"], event=row["event"], type=row["type"],
        status=row["outcome"] or "pending", tries=row["tried"],
        under_way=row["under_way"], next_try_at=row["next_try_at"], created_at=row["created_at"],
        ended_at=row["ended_at"],
    )  # fmt: skip
