"""Asha's shop and what is told of it: the log is read on demand, not by a task."""

import pytest

from coinslot.feeds.announce import Announcer
from tests.feeds.mirroring import client as client
from tests.feeds.mirroring import outside as outside
from tests.feeds.mirroring import rig as rig
from tests.sales.conftest import stage as stage  # the books are closed after each test
from tests.sales.stage import Stage
from tests.sales.taking import Taking, taking


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


@pytest.fixture
async def announcer(stage: Stage) -> Announcer:
    return Announcer(stage.shop.db, stage.clock)
