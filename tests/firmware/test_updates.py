"""Updates on a real MicroPython: downloaded, checked, installed at the server's go, confirmed after
a SYNC; what must not run does not, and what fails on trial goes back by itself."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.firmware.images import PUBLIC, Depot, built, depot, manifest_of, signed
from tests.firmware.running import QUICK, SECRET, Bench, running
from tests.simulator.mini_server import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")
MACHINE: dict[str, Any] = {
    "heap": "116k",  # 4 kB less than a board has: that is the margin
    "watchdog_s": 1.2, "board": QUICK | {"trial_s": 2, "line_s": 0.05},
    "enrolment": {"firmware_key": PUBLIC, "secret": SECRET},
}  # fmt: skip


@dataclass
class Rollouts:
    """The server's side: offers, goes, and what the machine said of them."""

    bench: Bench
    depot: Depot
    number: Any

    async def offer(self, url: str) -> Message:
        command: Message = {"rollout": f"r{next(self.number)}", "attempt": 1, "manifest_url": url}
        await self.bench.say("commands/firmware", command)
        return command

    async def stands(self, command: Message, state: str) -> Message:
        names = ("rollout", "attempt")
        about = {name: command[name] for name in names}
        return await self.bench.said("status/firmware", state=state, **about)

    async def go(self, command: Message) -> None:
        await self.bench.say("commands/firmware", command | {"go": True})

    @property
    def version(self) -> str:
        """That the last HELLO says."""
        return str(self.bench.server.all("HELLO")[-1]["firmware"])

    async def runs(self, version: str) -> Message:
        """The last HELLO says this version."""
        async with asyncio.timeout(15):
            while (hello := self.bench.server.all("HELLO")[-1])["firmware"] != version:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return hello


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rollouts(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rollouts]:
    folder: Path = tmp_path_factory.mktemp("updates")
    async with depot() as store, running(folder, **MACHINE) as bench:
        await bench.server.expect("HELLO")
        yield Rollouts(bench, store, count(1))


async def test_what_is_not_signed_or_not_whole_is_refused_and_the_old_code_sells(
    rollouts: Rollouts,
) -> None:
    data = built("1.1.0", 7)
    whole = signed(manifest_of(data, "1.1.0", 7))
    tampered = data[:-9] + bytes(9)
    forged = whole.replace(b'\\"sequence\\": 7', b'\\"sequence\\": 9')
    assert forged != whole
    for name, manifest, image, code in (
        ("tampered", whole, tampered, "SHA256"),
        ("forged", forged, data, "SIGNATURE"),
        ("older", signed(manifest_of(data, "0.9.0", 1)), data, "SEQUENCE"),
        ("foreign", signed(manifest_of(data, "1.1.0", 7, hardware="esp32")), data, "HARDWARE"),
    ):
        command = await rollouts.offer(rollouts.depot.put(name, manifest, image))
        said = await rollouts.stands(command, "FAILED")
        assert (name, said["code"]) == (name, code)
    unit_id = await rollouts.bench.server.vend()
    await rollouts.bench.server.expect("RESULT", unit_id=unit_id, outcome="VENDED")


async def test_an_image_in_a_store_is_loaded_there_and_from_the_server_where_the_store_refuses(
    rollouts: Rollouts,
) -> None:
    depot, data = rollouts.depot, built("1.1.2", 9)
    stored = f"/bucket/{'a' * 64}.bin?X-Amz-Expires=3600&X-Amz-Signature={'0' * 64}"
    depot.files[stored] = data
    answer = signed(
        manifest_of(data, "1.1.2", 9), image_url=f"http://127.0.0.1:{depot.port}{stored}"
    )
    url = depot.put("stored", answer, data)
    depot.cuts = []
    await rollouts.stands(await rollouts.offer(url), "VERIFIED")
    assert [path for path, _ in depot.asked if path in (stored, "/stored/image")] == [stored]
    depot.refused, depot.asked = {stored}, []
    other = built("1.1.3", 10)
    depot.files[stored] = other
    answer = signed(
        manifest_of(other, "1.1.3", 10), image_url=f"http://127.0.0.1:{depot.port}{stored}"
    )
    url = depot.put("refused", answer, other)
    await rollouts.stands(await rollouts.offer(url), "VERIFIED")
    asked = [path for path, _ in depot.asked if path in (stored, "/refused/image")]
    assert asked == [stored, "/refused/image"]


async def test_a_server_that_is_away_for_a_while_is_asked_until_it_is_back(
    rollouts: Rollouts,
) -> None:
    depot = rollouts.depot
    url = depot.put_good("away", "1.1.4", 11)
    depot.refused, depot.asked = {"/away"}, []
    command = await rollouts.offer(url)
    async with asyncio.timeout(15):
        while len(depot.asked) < 4:  # noqa: ASYNC110 - nothing tells when it was asked
            await asyncio.sleep(0.01)
    depot.refused = set()
    await rollouts.stands(command, "VERIFIED")


async def test_an_image_that_hangs_is_left_after_three_boots_by_itself(rollouts: Rollouts) -> None:
    hangs = "def start(hal, slot):\n    hal.feed()\n    while True:\n        pass\n"
    url = rollouts.depot.put_good("hangs", "1.1.0", 8, module="main.py", source=hangs)
    command = await rollouts.offer(url)
    await rollouts.stands(command, "VERIFIED")
    boots, before = rollouts.bench.board.boots, rollouts.version
    await rollouts.go(command)
    said = await rollouts.stands(command, "ROLLED_BACK")
    assert said["code"] == "BOOTS"
    assert rollouts.bench.board.boots == boots + 4
    await rollouts.runs(before)


async def test_an_image_that_never_syncs_goes_back_by_itself(rollouts: Rollouts) -> None:
    deaf = (Path(__file__).parents[2] / "firmware/coinslot_fw/main.py").read_text()
    deaf = deaf.replace('"commands/dispense", "config/update"', '"config/update", "config/update"')
    url = rollouts.depot.put_good("deaf", "1.1.1", 8, module="main.py", source=deaf)
    command = await rollouts.offer(url)
    await rollouts.stands(command, "VERIFIED")
    before = rollouts.version
    await rollouts.go(command)
    said = await rollouts.stands(command, "ROLLED_BACK")
    assert said["code"] == "NO_SYNC"
    await rollouts.runs(before)


async def test_a_good_update_goes_on_where_the_line_broke_and_is_confirmed_after_a_sync(
    rollouts: Rollouts,
) -> None:
    bench, server = rollouts.bench, rollouts.bench.server
    before = server.all("HELLO")[-1]
    url = rollouts.depot.put_good("good", "1.2.0", 3)
    rollouts.depot.cuts = [17_000]
    command = await rollouts.offer(url)
    await rollouts.stands(command, "VERIFIED")
    assert [start for path, start in rollouts.depot.asked if path == "/good/image"] == [0, 16_384]
    assert rollouts.version == before["firmware"]  # nothing is installed without a go
    # Rule 7: not while a unit is open.
    bench.fault(slow=True)
    running_unit = await server.vend()
    await server.expect("STARTED", unit_id=running_unit)
    await rollouts.go(command)
    said = await bench.said("status/firmware", code="BUSY", rollout=command["rollout"])
    assert said["state"] == "VERIFIED"
    bench.fault()
    await server.expect("RESULT", unit_id=running_unit, outcome="VENDED")
    await rollouts.go(command)
    await rollouts.stands(command, "CONFIRMED")
    hello = await rollouts.runs("1.2.0")
    assert hello["journal_id"] == before["journal_id"]
    assert hello["capabilities"]["journal_formats"] == [1]
    unit_id = await server.vend()
    await server.expect("RESULT", unit_id=unit_id, outcome="VENDED")
    # It stays, whatever the power does.
    await bench.board.cut()
    again = await server.rebooted(hello)
    assert again["firmware"] == "1.2.0"
    # An older one is refused by the new code as well.
    assert "MemoryError" not in bench.log()
    older = await rollouts.offer(rollouts.depot.put_good("back", "1.1.9", 2))
    assert (await rollouts.stands(older, "FAILED"))["code"] == "SEQUENCE"
    # And the next one is taken, by code that itself came as an update.
    following = await rollouts.offer(rollouts.depot.put_good("next", "1.3.0", 4))
    await rollouts.stands(following, "VERIFIED")
    await rollouts.go(following)
    await rollouts.stands(following, "CONFIRMED")
    await rollouts.runs("1.3.0")
    unit_id = await server.vend()
    await server.expect("RESULT", unit_id=unit_id, outcome="VENDED")
    assert "MemoryError" not in bench.log()
