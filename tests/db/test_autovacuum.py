"""Tables whose rows move while something is sold are vacuumed before a fifth of them is dead."""

import asyncpg

from coinslot.states.transition import FLOWS
from tests.conftest import DatabaseUrls

MOVED = {f"{flow.name}s" for flow in FLOWS}
HOT = MOVED | {
    "fulfillments", "vend_units", "captures", "inbox", "deliveries", "devices", "device_journals",
    "idempotency_keys", "slots",
}  # fmt: skip


async def test_every_hot_table_is_vacuumed_when_one_row_of_a_hundred_is_dead(
    urls: DatabaseUrls,
) -> None:
    conn = await asyncpg.connect(urls.superuser)
    rows = await conn.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND reloptions @> $1",
        ["autovacuum_vacuum_scale_factor=0.01", "autovacuum_analyze_scale_factor=0.02"],
    )
    await conn.close()
    assert {row["relname"] for row in rows} == HOT
