"""Machines of the simulator, over a real broker and over Socket.IO, before a server that is a
process: an update is offered, loaded by HTTP, installed at GO, tried, and kept or left again."""

import asyncio
import contextlib
import json
from collections import Counter
from pathlib import Path
from uuid import UUID

from coinslot.rollouts.plan import Rules
from tests.firmware.images import PUBLIC
from tests.rollouts.real_fleet import RealFleet
from tests.simulator.running import SimulatorProcess
from tests.storms.town import until

RULES = Rules(stages=("100%",), soak_s=600, soak_vends=2, attempt_s=60, install_s=30, trial_s=30)
TIMING = {
    "vend_s": 0.2, "fall_s": 0.05, "resend_s": 0.3, "health_s": 1, "restore_s": 0.2,
    "backoff_last_s": 0.5, "trial_s": 2,
}  # fmt: skip
STOCK = 500


class SimulatedFleet(RealFleet):
    """F000 speaks MQTT, F001 Socket.IO."""

    def channel(self, code: str) -> str:
        return "mqtt" if code == "F000" else "socketio"

    def _power_on(self, code: str, secret: str) -> None:
        fleet: list[dict[str, object]] = [{
            "id": code, "channel": self.channel(code), "dialect": "leased", "login": code,
            "secret": secret, "slots": {"A1": STOCK}, "firmware": "1.0.0", "url": self.url,
            "mqtt": {"host": self._nats.host, "port": self._nats.listening},
            "enrolment": {"firmware_key": PUBLIC},
        }]  # fmt: skip
        self._tasks.append(asyncio.create_task(self._live(fleet, code)))

    async def _live(self, fleet: list[dict[str, object]], code: str) -> None:
        home = self.folder / "boards"
        async with SimulatorProcess(fleet, home / f"of-{code}", TIMING) as running:
            (home / code).symlink_to(running.data_dir / code)
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def upload_code(self, version: str, sequence: int, behaviour: str = "good") -> UUID:
        # As long as an image that comes in more than one part.
        image = json.dumps({"behaviour": behaviour, "padding": "x" * 300_000}).encode()
        return await self.upload_image(image, version, sequence, hardware="simulator")


async def test_simulated_machines_take_a_build_sell_and_leave_one_that_hangs(
    tmp_path: Path,
) -> None:
    async with SimulatedFleet(tmp_path / "fleet", 2) as fleet:
        found = await fleet.rows("SELECT hardware, build_sequence FROM devices WHERE outlet_id"
                                 " = ANY ($1)", fleet.codes)  # fmt: skip
        assert [tuple(row) for row in found] == [("simulator", 1)] * 2
        good = await fleet.start(await fleet.upload_code("2.0.0", 2), RULES)

        async def confirmed() -> bool:
            return (await fleet.states(good))["confirmed"] == 2

        await until(confirmed, 60)
        assert await fleet.versions() == {"2.0.0": 2}
        for code in fleet.codes:
            assert await fleet.sell(code)
        await until(fleet.is_settled, 20)
        assert sum(fleet.fell().values()) == 2
        await fleet.abort(good)
        bad = await fleet.start(await fleet.upload_code("3.0.0", 3, "hangs"), RULES)

        async def went_back() -> bool:
            return await fleet.states(bad) == Counter({"rolled_back NOT_CONFIRMED": 2})

        await until(went_back, 60)
        assert await fleet.versions() == {"2.0.0": 2}
        for code in fleet.codes:
            assert await fleet.sell(code)
        await until(fleet.is_settled, 20)
        assert await fleet.breaches() == []
