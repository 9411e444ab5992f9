"""The stage of the heart's tests, and the books that must balance after each of them."""

from collections.abc import AsyncIterator

import pytest

from coinslot.db.pool import Database
from tests.conftest import DatabaseUrls
from tests.kept_database import KeptDatabase
from tests.sales.stage import Stage, set_stage


@pytest.fixture
async def stage(
    database: Database, urls: DatabaseUrls, kept_database: KeptDatabase
) -> AsyncIterator[Stage]:
    made = await set_stage(database)
    yield await made.lent_by(kept_database, urls.owner)
    await close_the_books(made)


@pytest.fixture
async def simple_stage(
    database: Database, urls: DatabaseUrls, kept_database: KeptDatabase
) -> AsyncIterator[Stage]:
    made = await set_stage(database, dialect="simple")
    yield await made.lent_by(kept_database, urls.owner)
    await close_the_books(made)


async def close_the_books(stage: Stage) -> None:
    """What is due is worked first: a test may end with something left to do, but nothing wrong."""
    await stage.sweep()
    assert await stage.wrong() == []
