"""The firmware on a real MicroPython with a heap of 120 kB, before a real broker: it vends, jams,
loses power in the middle of a vend, and is told the same twice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.firmware.running import QUICK, Bench, running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with running(tmp_path_factory.mktemp("firmware")) as made:
        await made.server.expect("HELLO")
        yield made


async def test_a_paid_unit_drops_once_and_is_reported_until_acknowledged(bench: Bench) -> None:
    server = bench.server
    server.acknowledges = False
    unit_id = await server.vend()
    result = await server.expect("RESULT", unit_id=unit_id)
    assert (result["outcome"], result["evidence"]["drop"]) == ("VENDED", "yes")
    await server.heard_often("RESULT", 3, unit_id=unit_id)
    assert bench.fell().count(unit_id) == 1
    server.acknowledges = True
    await server.silence_of("RESULT")


async def test_a_jam_seen_by_a_tested_sensor_fails(bench: Bench) -> None:
    bench.fault(jam=True)
    unit_id = await bench.server.vend()
    result = await bench.server.expect("RESULT", unit_id=unit_id)
    bench.fault()
    assert (result["outcome"], result["failure_code"]) == ("FAILED", "JAM")
    assert result["evidence"]["sensor_tested"] is True
    assert unit_id not in bench.fell()


async def test_a_go_that_comes_twice_turns_the_motor_once(bench: Bench) -> None:
    server = bench.server
    unit_id, _ = await server.offer()
    accept = await server.expect("ACCEPT", unit_id=unit_id)
    for _ in range(3):
        await server.go(accept)
    await server.expect("RESULT", unit_id=unit_id, outcome="VENDED")
    await server.go(accept)
    await server.heard_often("RESULT", 2, unit_id=unit_id)
    assert bench.fell().count(unit_id) == 1


async def test_an_accept_is_repeated_as_it_was_until_its_lease_is_used(bench: Bench) -> None:
    server = bench.server
    unit_id, seq = await server.offer()
    await server.heard_often("ACCEPT", 3, unit_id=unit_id)
    first, *others = server.all("ACCEPT", unit_id=unit_id)
    assert all(other == first for other in others)
    status = await server.query(unit_id, seq, first["journal_id"])
    assert status["state"] == "TOMBSTONED"
    await server.go(first)
    await server.heard_often("RESULT", 2, unit_id=unit_id, outcome="TOMBSTONED")
    assert unit_id not in bench.fell()


async def test_a_kill_in_mid_vend_is_a_power_cut_told_with_its_evidence(bench: Bench) -> None:
    server = bench.server
    bench.fault(slow=True)
    unit_id = await server.vend()
    await server.expect("STARTED", unit_id=unit_id)
    first = server.all("HELLO")[-1]
    await bench.board.cut()
    bench.fault()
    result = await server.expect("RESULT", unit_id=unit_id)
    assert (result["outcome"], result["evidence"]["drop"]) == ("INTERRUPTED", "no")
    hello = await server.rebooted(first)
    assert hello["journal_id"] == first["journal_id"]
    again = await server.vend()
    await server.expect("RESULT", unit_id=again, outcome="VENDED")
    assert again in bench.fell()
    assert unit_id not in bench.fell()


async def test_a_cut_right_after_the_drop_is_told_as_a_drop(bench: Bench) -> None:
    bench.fault(power_cut_at="dropped")
    unit_id = await bench.server.vend()
    result = await bench.server.expect("RESULT", unit_id=unit_id)
    assert (result["outcome"], result["evidence"]["drop"]) == ("INTERRUPTED", "yes")
    assert bench.fell().count(unit_id) == 1


async def test_a_restart_voids_a_lease_that_was_not_started(bench: Bench) -> None:
    server = bench.server
    unit_id, _ = await server.offer()
    accept = await server.expect("ACCEPT", unit_id=unit_id)
    await bench.board.cut()
    await server.rebooted(accept)
    await server.go(accept)
    await server.expect("RESULT", unit_id=unit_id, outcome="TOMBSTONED")
    assert unit_id not in bench.fell()


async def test_a_run_that_passes_its_bound_is_interrupted_never_failed(bench: Bench) -> None:
    bench.fault(motor_stuck=True, jam=True)
    unit_id = await bench.server.vend()
    result = await bench.server.expect("RESULT", unit_id=unit_id)
    bench.fault()
    assert (result["outcome"], result["failure_code"]) == ("INTERRUPTED", "RUN_BOUND")
    assert result["evidence"]["drop"] == "unknown"


async def test_offline_it_finishes_the_vend_and_tells_later(bench: Bench) -> None:
    server = bench.server
    bench.fault(slow=True)
    unit_id = await server.vend()
    await server.expect("STARTED", unit_id=unit_id)
    bench.fault(offline=True)
    await bench.dropped(unit_id)
    assert server.all("RESULT", unit_id=unit_id) == []
    bench.fault()
    await server.expect("RESULT", unit_id=unit_id, outcome="VENDED")


async def test_it_says_its_health_its_stock_and_its_log(bench: Bench) -> None:
    health = await bench.said("status/health", door="closed")
    assert health["free_heap"] < 120_000
    count = await bench.said("status/inventory", cause="boot")
    assert {slot["slot"] for slot in count["slots"]} == {"A1", "B1"}
    logs = await bench.said("logs")
    assert "boot" in logs["lines"][0]["text"]


async def test_slots_are_counted_again_so_that_a_count_that_was_lost_is_mended(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, board=QUICK | {"count_s": 0.5}) as bench:
        first = await bench.said("status/inventory", cause="boot")
        unit_id = await bench.server.vend()
        await bench.server.expect("RESULT", unit_id=unit_id, outcome="VENDED")
        left = [{"slot": "A1", "count": 9}, {"slot": "B1", "count": 10}]
        again = await bench.said("status/inventory", cause="count", slots=left)
        assert again["inventory_seq"] > first["inventory_seq"]
        assert again["event_seq"] > first["event_seq"]


async def test_a_message_that_is_none_changes_nothing(bench: Bench) -> None:
    for rubbish in (b"\xff\xfe", b"[]", b'{"type": "GO"}', b'{"type": "OFFER", "seq": "x"}'):
        await bench.client.publish("devices/M01/commands/dispense", rubbish, qos=1)
    boots = bench.board.boots
    unit_id = await bench.server.vend()
    await bench.server.expect("RESULT", unit_id=unit_id, outcome="VENDED")
    assert bench.board.boots == boots


async def test_a_wiped_journal_has_another_name(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        first = await bench.server.expect("HELLO")
        bench.fault(wipe_journal=True)
        second = await bench.server.rebooted(first)
        assert second["journal_id"] != first["journal_id"]
        await asyncio.sleep(0)
