"""Server, broker and firmware met for real: each is a process, and the build goes over HTTP."""

from pathlib import Path

from coinslot.rollouts.plan import Rules
from tests.rollouts.deaths import COMMITS, SENDS, push_configurations, refill
from tests.rollouts.real_fleet import RealFleet
from tests.storms.town import until

RULES = Rules(stages=("100%",), soak_s=600, soak_vends=2, attempt_s=60, install_s=30, trial_s=30)


async def test_a_signed_build_reaches_boards_that_sell_though_the_server_is_killed_meanwhile(
    tmp_path: Path,
) -> None:
    async with RealFleet(tmp_path / "fleet", 2) as fleet:
        before = await fleet.rows(
            "SELECT hardware, build_sequence, journal_formats FROM devices WHERE outlet_id = $1",
            fleet.codes[0],
        )
        assert tuple(before[0]) == ("unix", 1, [1])
        assert await fleet.sell(fleet.codes[0])
        rollout = await fleet.start(await fleet.upload("2.0.0", 2), RULES)

        async def begun() -> bool:
            return "waiting" not in await fleet.states(rollout)

        await until(begun, 20)
        await fleet.kill_server()

        async def confirmed() -> bool:
            return (await fleet.states(rollout))["confirmed"] == 2

        await until(confirmed, 60)
        assert await fleet.versions() == {"2.0.0": 2}
        assert await fleet.sell(fleet.codes[1])
        await until(fleet.is_settled, 20)
        assert len(fleet.fell()) == 2
        assert await fleet.breaches() == []
        assert await push_configurations(fleet, SENDS[:1]) == 1
        assert await refill(fleet, COMMITS[2:3]) > 0
        assert await fleet.breaches() == []
