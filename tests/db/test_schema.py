"""docs/schema.sql says what the migrations make: who changes a rule of the database shows it."""

import asyncpg

from coinslot.app.schema import sql_functions
from tests.conftest import DatabaseUrls
from tests.write_schema import PAGE, differences, page


async def test_the_page_of_the_schema_is_what_the_migrations_make(urls: DatabaseUrls) -> None:
    conn = await asyncpg.connect(urls.superuser)
    found = await page(conn, sql_functions())
    await conn.close()
    changed = differences(PAGE.read_text(encoding="utf-8"), found)
    assert changed == "", f"make docs, and read what changed:\n{changed}"
