"""Each thing that is pruned goes oldest first, younger ones of the very same kind stay, and what
somebody else holds is left for the next time: nobody waits for a row that is to be deleted."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from coinslot.db.pool import RawConnection

BEFORE = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
AGES = (3, 2, 1, 0, -1)  # hours before that moment; what is just as old as it stays
AT = "$1::timestamptz - n * interval '1 hour'"
EACH = "FROM unnest(ARRAY[3, 2, 1, 0, -1]) AS n"
OF = "'00000000-0000-7000-8000-00000000000' || n + 1"  # an id for each


class Pruned(NamedTuple):
    table: str
    by: str
    fill: str
    ended: str  # the column that says when it ended
    in_order: bool = True


PRUNED = (
    Pruned("deliveries", "prune_deliveries",
           "INSERT INTO deliveries (id, merchant_id, endpoint_id, seq, line, outcome, created_at,"
           f" ended_at) SELECT ({OF})::uuid, ({OF})::uuid, ({OF})::uuid, n, ({OF})::uuid,"
           f" 'delivered', $1, {AT} {EACH}", "ended_at"),
    Pruned("sessions", "prune_sessions",
           "INSERT INTO sessions (id, person_id, kind, factors, person_version, grant_version,"
           " address, created_at, proved_at, used_at, expires_at)"
           f" SELECT ({OF})::uuid, ({OF})::uuid, 'token', '{{}}', 1, 1, 'x', $1, $1, $1, {AT}"
           f" {EACH}", "expires_at"),
    Pruned("sign_in_tries", "prune_sessions",
           f"INSERT INTO sign_in_tries SELECT n::text, 1, {AT} {EACH}", "since", in_order=False),
    Pruned("used_challenges", "prune_sessions",
           f"INSERT INTO used_challenges SELECT ({OF})::uuid, ({OF})::uuid, {AT} {EACH}", "at",
           in_order=False),
    Pruned("idempotency_keys", "prune_keys",
           "INSERT INTO idempotency_keys (merchant_id, endpoint, key, request_hash, started_at,"
           f" locked_until) SELECT ({OF})::uuid, 'x', 'x', '', {AT}, {AT} {EACH}", "started_at",
           in_order=False),
    Pruned("notices", "prune_notices",
           "INSERT INTO notices (id, merchant_id, purpose, channel, target, dedup, subject, body,"
           " outcome, created_at, expires_at, ended_at) SELECT"
           f" ({OF})::uuid, ({OF})::uuid, 'x', 'x', 'x', n::text, '', '', 'sent', $1, $1, {AT}"
           f" {EACH}", "ended_at", in_order=False),
    Pruned("alerts", "prune_notices",
           "INSERT INTO alerts (id, merchant_id, kind, subject, opened_at, ended_at, end_told_at)"
           f" SELECT ({OF})::uuid, ({OF})::uuid, 'x', n::text, $1, {AT}, $1 {EACH}", "ended_at",
           in_order=False),
    Pruned("push_subscriptions", "prune_notices",
           "INSERT INTO push_subscriptions (id, person_id, person_version, endpoint, p256dh, auth,"
           " created_at, ended_at, ended_because)"
           f" SELECT ({OF})::uuid, ({OF})::uuid, 1, n::text, '', '', $1, {AT}, 'x' {EACH}",
           "ended_at", in_order=False),
)  # fmt: skip


@pytest.mark.parametrize("what", PRUNED, ids=lambda what: what.table)
async def test_what_is_held_is_left_and_the_rest_goes_oldest_first(
    hand: RawConnection, holder: RawConnection, what: Pruned
) -> None:
    async def left() -> list[int]:
        rows = await hand.fetch(f"SELECT {what.ended} AS at FROM {what.table} ORDER BY 1")
        return [round((BEFORE - row["at"]) / HOUR) for row in rows]

    async def prune(at_most: int) -> int:
        return int(await hand.fetchval(f"SELECT {what.by}($1, $2)", BEFORE, at_most))

    await hand.execute(what.fill, BEFORE)
    assert await left() == list(AGES)
    await hand.execute("SET lock_timeout = '2s'")
    await holder.execute(
        f"BEGIN; SELECT FROM {what.table} ORDER BY {what.ended} LIMIT 1 FOR UPDATE"
    )
    assert await prune(1) == 1
    if what.in_order:
        assert await left() == [3, 1, 0, -1]
    await holder.execute("ROLLBACK")
    assert await prune(1) == 1
    if what.in_order:
        assert await left() == [1, 0, -1]
    assert await prune(100) == 1
    assert await left() == [0, -1]
    assert await prune(100) == 0


async def test_with_what_is_pruned_goes_all_of_it_and_nothing_of_others(
    hand: RawConnection,
) -> None:
    """Tries of a delivery, and tokens of a session."""
    for what in PRUNED[:2]:
        await hand.execute(what.fill, BEFORE)
    await hand.execute(
        "INSERT INTO delivery_tries (delivery_id, number, merchant_id, took_ms, at)"
        " SELECT id, 1, id, 1, now() FROM deliveries"
    )
    await hand.execute(
        "INSERT INTO refresh_tokens (hash, person_id, session_id, issued_at)"
        " SELECT sha256(id::text::bytea), id, id, now() FROM sessions"
    )
    for what in PRUNED[:2]:
        await hand.fetchval(f"SELECT {what.by}($1, $2)", BEFORE, 2)
    for table, of, name in (
        ("delivery_tries", "deliveries", "delivery_id"),
        ("refresh_tokens", "sessions", "session_id"),
    ):
        kept = await hand.fetch(f"SELECT {name} AS id FROM {table} ORDER BY 1")
        assert kept == await hand.fetch(f"SELECT id FROM {of} ORDER BY 1")
        assert len(kept) == 3


KEYS = (
    # Its call ended, began, is locked until; the payment that it names, and how that stands.
    ((2, 3, 3), "", None, True),
    ((-1, 3, 3), "", None, False),  # answered since: its begin does not count
    ((2, -1, 3), "", None, True),  # answered long ago, whenever it began
    ((None, 3, 3), "", None, True),
    ((None, 0, 3), "", None, False),
    ((None, 3, -1), "", None, False),  # still locked
    ((None, 3, 0), "", None, False),
    ((2, 3, 3), "subject", "processing", False),
    ((2, 3, 3), "endpoint", "processing", False),
    ((2, 3, 3), "endpoint", "authorized", False),
    ((2, 3, 3), "subject", "succeeded", True),
    ((2, 3, 3), "endpoint", "succeeded", True),
    ((2, 3, 3), "endpoint", "canceled", True),
    ((2, 3, 3), "subject", "failed", True),
)


async def test_a_key_goes_once_its_call_its_lock_and_its_payment_are_long_over(
    hand: RawConnection,
) -> None:
    wrong = []
    for hours, names, state, goes in KEYS:
        await hand.execute("BEGIN")
        if await _goes(hand, hours, names, state) is not goes:
            wrong.append((hours, names, state, goes))
        await hand.execute("ROLLBACK")
    assert wrong == []


async def _goes(
    hand: RawConnection, hours: tuple[int | None, int, int], names: str, state: str | None
) -> bool:
    payment = "00000000-0000-7000-8000-000000000001"
    done, began, locked = (None if h is None else BEFORE - h * HOUR for h in hours)
    endpoint = f"POST /payments/{payment}/refunds" if names == "endpoint" else "POST /payments"
    await hand.execute(
        "INSERT INTO idempotency_keys (merchant_id, endpoint, key, request_hash, subject_id,"
        " status, started_at, locked_until, done_at) VALUES ($1, $2, 'k', '', $3, $4, $5, $6, $7)",
        payment, endpoint, payment if names == "subject" else None, 200 if done else None,
        began, locked, done,
    )  # fmt: skip
    if state is not None:
        await hand.execute(
            "INSERT INTO payments (id, merchant_id, state, amount_minor, currency, created_at,"
            " source) VALUES ($1, $1, $2, 1, 'INR', now(), 'api'), (gen_random_uuid(), $1,"
            " 'processing', 1, 'INR', now(), 'api')",
            payment, state,
        )  # fmt: skip
    return bool(await hand.fetchval("SELECT prune_keys($1, 9)", BEFORE))
