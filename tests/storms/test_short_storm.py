"""One short storm with every run of the tests; `make storm` raises long ones."""

from pathlib import Path

import pytest

from tests.storms.history import Shape
from tests.storms.run import Report, run_storm
from tests.storms.town import Town

SEED = 2
SHORT = Shape(seconds=10, payments=16, weathers=3, faults=5, blows=5, refunds=1)


@pytest.mark.storm
async def test_after_a_storm_the_gateway_the_machines_and_our_books_tell_one_story(
    tmp_path: Path,
) -> None:
    report = Report()
    async with Town(tmp_path) as town:
        await run_storm(town, SEED, SHORT, report)
        told = f"seed {SEED}, {SHORT}\n{await report.whole(town)}"
    assert not report.breaches, told
    assert report.ends.get("goods"), told
