"""The connection that tests write rows with stays open, and keeps nothing of the test before."""

from tests.conftest import DatabaseUrls
from tests.kept_database import KeptDatabase
from tests.sales.by_hand import Rows


async def test_what_a_test_began_locked_or_set_is_over_for_the_next_one(
    rows: Rows, urls: DatabaseUrls, kept_database: KeptDatabase
) -> None:
    await rows.conn.execute("BEGIN; SELECT pg_advisory_lock(7); SET TimeZone = 'Asia/Kolkata'")
    await rows.conn.execute("SET session_replication_role = origin")
    await kept_database.rows_back()
    again = await kept_database.rows(urls.superuser)
    assert again is rows
    assert not again.conn.is_in_transaction()
    assert await again.conn.fetchval("SHOW TimeZone") == "UTC"
    assert await again.conn.fetchval("SHOW session_replication_role") == "replica"
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    assert await again.conn.fetchval(held) == 0


async def test_one_that_a_test_has_closed_is_opened_anew(
    rows: Rows, urls: DatabaseUrls, kept_database: KeptDatabase
) -> None:
    await rows.conn.close()
    again = await kept_database.rows(urls.superuser)
    assert await again.conn.fetchval("SELECT 1") == 1
