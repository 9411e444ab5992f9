"""The food lock of the firmware on a real MicroPython: it refuses a GO that it fell before, and no
power cut opens it."""

import asyncio
import hashlib
import json
from contextlib import suppress
from pathlib import Path

from tests.firmware.running import running

LOCK = {"food_lock": {"limit_c": 5, "warm_s": 1, "grace_s": 0}}


async def test_a_lock_after_accept_buries_the_unit_and_outlives_the_power(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        server = bench.server
        first = await server.expect("HELLO")
        text = json.dumps({"price_version": 1, "planogram_version": 1, "device": LOCK})
        digest = hashlib.sha256(text.encode()).hexdigest()
        told = {"type": "CONFIG", "version": 2, "sha256": digest, "config": text}
        for _ in range(5):  # as the server does, until the device says that it has it
            await bench.say("config/update", told)
            with suppress(TimeoutError):
                async with asyncio.timeout(3):
                    await server.expect("HELLO", config_version=2)
                    break
        locked, _ = await server.offer()
        accept = await server.expect("ACCEPT", unit_id=locked)
        bench.fault(warm=True)
        await bench.logged("food lock")
        await server.go(accept)
        result = await server.expect("RESULT", unit_id=locked)
        assert result["outcome"] == "TOMBSTONED"

        bench.fault()  # cool again, and nobody has looked
        await bench.board.cut()
        await server.rebooted(first)
        refused, _ = await server.offer()
        assert (await server.expect("REJECT", unit_id=refused))["code"] == "TEMP_LOCK"

        bench.fault(visit=True)
        await bench.logged("visit")
        sold = await server.vend()
        await server.expect("RESULT", unit_id=sold, outcome="VENDED")
        assert bench.fell() == [sold]
