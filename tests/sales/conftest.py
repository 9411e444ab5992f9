"""The stage of the heart's tests, and the books that must balance after each of them."""

import pytest

from coinslot.db.pool import Database
from tests.sales.stage import Stage, set_stage


@pytest.fixture
async def stage(database: Database) -> Stage:
    return await set_stage(database)


@pytest.fixture
async def simple_stage(database: Database) -> Stage:
    return await set_stage(database, dialect="simple")
