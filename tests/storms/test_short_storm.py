"""One short storm and a few deaths with every run of the tests; `make storm` raises long ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.storms.every import Death, sell_and_die
from tests.storms.history import Shape
from tests.storms.run import Report, audit, run_storm
from tests.storms.town import Town

SEED = 26
SHORT = Shape(
    seconds=8, payments=16, weathers=3, faults=5, blows=5, refunds=1, empties=1, charges=10,
    contradictions=4, floods=1, clicks=10, coffees=6, tills=1, visits=2, walk_ins=3, plans=4,
    refills=3, papers=4,
)  # fmt: skip
# Somewhere around GO, and before whatever a worker sends first.
DEATHS = (Death("device", "after_commit", 9), Death("worker", "before_send", 1))

pytestmark = [pytest.mark.storm, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder: Path = tmp_path_factory.mktemp("town")
    async with Town(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def report() -> Report:
    """Of everything that happens in the town: the books are compared from their beginning."""
    return Report()


async def test_after_a_storm_the_gateway_the_machines_and_our_books_tell_one_story(
    town: Town, report: Report
) -> None:
    await run_storm(town, SEED, SHORT, report)
    told = f"seed {SEED}, {SHORT}\n{await report.whole(town)}"
    assert not report.breaches, told
    assert report.ends["clicks done"], told
    assert report.ends["slots hold what we show"], told


async def test_a_process_that_dies_at_a_commit_or_a_send_leaves_nothing_half_done(
    town: Town, report: Report
) -> None:
    before = {death.role: town.parts[death.role].deaths for death in DEATHS}
    for death in DEATHS:
        await sell_and_die(town, report, death)
    await audit(town, report, "after the deaths")
    told = f"{DEATHS}\n{await report.whole(town)}"
    assert not report.breaches, told
    assert report.ends.get("goods"), told
    assert all(town.parts[role].deaths > deaths for role, deaths in before.items()), told
