"""What is forgotten goes in batches: no more at once than was asked for, and a row that somebody
holds is left for the next time. What is pruned in its order stands in test_prune_one_by_one."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from coinslot.db.pool import RawConnection
from tests.counter.test_statements_of_messages import ARRIVED
from tests.sales.by_hand import NOW, Rows

Row = Mapping[str, Any]
ASHA = UUID(int=1)
BEFORE, DAY = NOW + timedelta(seconds=1), timedelta(days=1)
PATIENCE_S = 10
PLACED: Row = {
    "merchant_id": ASHA, "outlet_id": "M01", "ended_at": NOW, "expires_at": NOW,
    "state": "fulfilled", "source": "page",
}  # fmt: skip


def alike(**columns: Any) -> Callable[[int], Row]:
    """A row whose key nobody has to name."""
    return lambda n: columns


class Batch(NamedTuple):
    """`sql` ends at most $1 rows of this table that are from before $2, and counts them. `early` is
    a moment that none of the rows are from before."""

    table: str
    sql: str
    row: Callable[[int], Row]
    early: datetime = NOW


def counting(table: str, call: str, row: Callable[[int], Row], early: datetime = NOW) -> Batch:
    return Batch(table, f"SELECT {call}($2, $1)", row, early)


BATCHES = (
    counting("counter_messages", "forget_calls", lambda n: {
        **ARRIVED, "id": UUID(int=n), "dedup": f"d{n}", "reference": f"SM{n}", "ended_at": NOW,
    }),
    counting("counter_wrong_codes", "forget_logs", lambda n: {"id": n, "at": NOW}),
    counting("orders", "forget_logs", lambda n: {**PLACED, "token": f"t{n}", "network": "n"}),
    counting("counter_presence", "forget_logs", lambda n: {"id": n, "seen_at": NOW}),
    counting("counter_lookups", "forget_logs", alike(form="sms", created_at=NOW)),
    counting("counter_walk_ins", "forget_logs", alike(name="Gita", lines=[], entered_at=NOW)),
    counting("counter_sessions", "forget_logs", lambda n: {
        "token_digest": f"t{n}", "began_at": NOW - DAY, "expires_at": NOW,
    }),
    counting("captures", "forget_payers", alike(payer_reference="u", captured_at=NOW)),
    counting("receipts", "forget_contacts", lambda n: {
        "kind": "payment", "state": "registered", "contact": "a@b.example", "ended_at": NOW,
        "attempt_id": UUID(int=n),
    }),
    counting("orders", "forget_contacts", lambda n: {
        **PLACED, "token": f"t{n}", "receipt_contact": "a@b.example",
    }),
    counting("payments", "forget_contacts", alike(
        receipt_contact="a@b.example", created_at=NOW, state="succeeded", source="api"
    )),
    counting("machine_logs", "prune_machine_logs", lambda n: {"id": n, "at": NOW}),
    counting("machine_log_days", "prune_machine_logs", lambda n: {
        "outlet_id": f"M{n}", "day": (NOW - DAY).date(),
    }, NOW - DAY),
    Batch("machine_samples", "SELECT prune_samples(300, $2, $1)", lambda n: {
        "outlet_id": f"M{n}", "span": 300, "at": NOW,
    }),
    Batch("pictures", "SELECT count(*) FROM end_pictures($2, $2, $1)", lambda n: {
        "digest": f"{n:064}", "used_at": NOW, "widths": [64],
    }),
)  # fmt: skip


@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: f"{batch.table}:{batch.sql[7:22]}")
async def test_a_batch_has_no_more_rows_than_it_may_and_waits_for_nobody(
    rows: Rows, holder: RawConnection, batch: Batch
) -> None:
    async def ended(most: int, before: datetime = BEFORE) -> int:
        return int(await rows.conn.fetchval(batch.sql, most, before))

    for n in range(1, 5):
        await rows.put(batch.table, **batch.row(n))
    held = f"SELECT FROM {batch.table} WHERE ctid = (SELECT min(ctid) FROM {batch.table})"
    async with asyncio.timeout(PATIENCE_S):
        assert await ended(9, batch.early) == 0
        async with holder.transaction():
            await holder.execute(f"{held} FOR UPDATE")
            assert [await ended(2), await ended(9), await ended(9)] == [2, 1, 0]
        assert [await ended(9), await ended(9)] == [1, 0]
