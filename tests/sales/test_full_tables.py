"""The audit after each test leaves out what can find nothing, and that alone. That it finds each
broken invariant all the same, the tests of the audits say."""

from coinslot.app.kinds import KINDS
from coinslot.db.pool import RawConnection
from coinslot.orders.fulfillment import checks
from coinslot.oversight.audit import audit
from tests.conftest import DatabaseUrls
from tests.full_tables import FullTables
from tests.kept_database import KeptDatabase
from tests.sales.stage import START

SCHEMA = """
CREATE TABLE left_one (id int);
CREATE TABLE right_one (id int);
CREATE VIEW seen AS SELECT id FROM left_one;
CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM seen';
CREATE FUNCTION twice() RETURNS bigint LANGUAGE sql AS 'SELECT counted() * 2';
CREATE FUNCTION hidden() RETURNS void LANGUAGE plpgsql AS
    $$BEGIN EXECUTE 'SELECT FROM right_' || 'one'; END$$;
"""
QUERIES = {
    "left": "SELECT FROM Left_one",
    "right": "SELECT FROM right_one WHERE id > 1",
    "both": "SELECT FROM left_one l JOIN right_one r ON r.id = l.id",
    "through a function": "SELECT twice()",
    "hidden": "SELECT hidden()",
    "no table": "SELECT FROM pg_class",
}
UNKNOWN = {"hidden", "no table"}


async def test_in_a_new_database_no_check_finds_anything(
    urls: DatabaseUrls, kept_database: KeptDatabase
) -> None:
    """So one that reads empty tables alone need not be asked."""
    owner = await kept_database.owner(urls.owner)
    assert (await audit(owner, START, more=checks(KINDS))).red == set()


async def test_a_query_is_left_out_while_all_that_it_reads_is_empty(hand: RawConnection) -> None:
    await hand.execute(SCHEMA)
    full = FullTables(hand)
    assert set(await full.worth_asking(QUERIES)) == UNKNOWN
    await hand.execute("INSERT INTO right_one VALUES (1)")
    assert set(await full.worth_asking(QUERIES)) == UNKNOWN | {"right", "both"}
    await hand.execute("INSERT INTO left_one VALUES (1); TRUNCATE right_one")
    reads_left = {"left", "both", "through a function"}
    assert set(await full.worth_asking(QUERIES)) == UNKNOWN | reads_left


async def test_a_table_counts_as_full_while_its_rows_are_held_or_not_committed(
    hand: RawConnection, holder: RawConnection
) -> None:
    full = FullTables(hand)
    assert "merchants" not in await full.names()
    async with holder.transaction():
        await holder.execute(
            "LOCK merchants IN ACCESS EXCLUSIVE MODE;"
            "INSERT INTO merchants (id, name, slug, created_at)"
            " VALUES (gen_random_uuid(), 'Asha', 'asha', now())"
        )
        assert "merchants" in await full.names()
