"""Connections, and what one merchant may see of another's."""

from coinslot.db.pool import Database


async def test_x(database: Database) -> None:
    assert await database.app.fetchval("SELECT count(*) FROM orders") == 0


async def test_y(database: Database) -> None:
    assert await database.app.fetchval("SELECT count(*) FROM orders") == 0
