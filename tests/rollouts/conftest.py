"""Asha's shop, and a fleet of simulated machines in it."""

from pathlib import Path

import pytest

from tests.rollouts.fleet import Fleet
from tests.sales.conftest import stage as stage  # the books are closed after each test
from tests.sales.stage import Stage


@pytest.fixture
def fleet(stage: Stage, tmp_path: Path) -> Fleet:
    return Fleet(stage, tmp_path)
