"""Twenty configurations, as long as a board takes them, leave the memory that an update needs."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.firmware.images import PUBLIC, depot
from tests.firmware.running import QUICK, SECRET, running
from tests.simulator.mini_server import Message

MACHINE: dict[str, Any] = {
    "slots": {"A1": 40},
    "heap": "116k",  # 4 kB less than a board has: that is the margin
    "watchdog_s": 20, "board": QUICK | {"trial_s": 10, "line_s": 0.05},
    "enrolment": {"firmware_key": PUBLIC, "secret": SECRET},
}  # fmt: skip
CONFIGS = 20


def config(version: int, *, slots: int = 20) -> Message:
    """Of about 3 kB as a message, and never two of the same length after each other."""
    text = json.dumps({
        "version": version, "price_version": 1, "planogram_version": 1,
        "machine": "M01", "name": "Platform " + "1" * (version % 7), "zone": "Asia/Kolkata",
        "slots": [
            {"slot": f"A{n}", "sku": f"can-{n}", "name": f"Mango {n}", "price_minor": 4000 + n,
             "par": version % 9}
            for n in range(slots)
        ],
        "device": {
            "url": "https://example.com/m/M01" + "?" * (version % 5),
            "food_lock": {"limit_c": 5, "warm_s": 900 + version, "grace_s": 1800},
            "pins": {f"motor_{n}": n for n in range(4 + version % 6)},
            "features": [f"feature-{n}" for n in range(version % 8)],
        },
    }, separators=(",", ":"))  # fmt: skip
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"type": "CONFIG", "version": version, "sha256": digest, "config": text}


async def updated_after(folder: Path, configs: int, heap: str) -> dict[str, Any]:
    """What a board with this heap came to: its starts, its log, and free memory as it said it."""
    async with depot() as store, running(folder, **(MACHINE | {"heap": heap})) as bench:
        await bench.server.expect("HELLO")
        free = []
        for version in range(1, configs + 1):
            await bench.say("config/update", config(version))
            await bench.server.expect("HELLO", config_version=version)
            unit_id = await bench.server.vend()
            await bench.server.expect("RESULT", unit_id=unit_id, outcome="VENDED")
            free.append(bench.other["status/health"][-1]["free_heap"])
        boots = bench.board.boots
        command = {"rollout": "r1", "attempt": 1, "manifest_url": store.put_good("good", "2.0", 9)}
        await bench.say("commands/firmware", command)
        said = await bench.said("status/firmware", rollout="r1", state="VERIFIED")
        return {
            "boots": boots, "boots_of_the_check": bench.board.boots - boots, "free": free,
            "said": said["state"], "shortages": bench.log().count("MemoryError"),
        }  # fmt: skip


@pytest.mark.asyncio
async def test_a_board_that_took_twenty_configurations_checks_a_signature_at_once(
    tmp_path: Path,
) -> None:
    found = await updated_after(tmp_path, CONFIGS, MACHINE["heap"])
    assert (found["shortages"], found["boots"], found["boots_of_the_check"]) == (0, 1, 0), found
