"""What a machine says of its slots: how many lie there, and up to which line of its journal."""

from pathlib import Path

import msgspec

from coinslot.channels.reports import Inventory as Read
from coinslot.channels.reports import read_report
from machine_simulator.inventory import Inventory
from tests.simulator.bench_device import Workbench, a_unit
from tests.simulator.test_over_mqtt import running


def counted(bench: Workbench, cause: str = "count") -> Read:
    """By a firmware that has just started."""
    inventory = Inventory(bench.folder / "inventory.json")
    read = read_report("inventory", inventory.count(bench.journal, bench.body.stocks(), cause))
    assert isinstance(read, Read), read
    return read


def test_a_count_names_the_last_line_and_a_number_that_outlives_the_power(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    first = counted(bench, "boot")
    assert (first.inventory_seq, first.event_seq, first.cause) == (1, 0, "boot")
    bench.started(a_unit())
    bench.reboot()
    second = counted(bench)
    assert (second.inventory_seq, second.event_seq) == (2, bench.journal.event_seq)
    assert second.journal_id == first.journal_id


def test_a_new_journal_counts_from_one(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    old = [counted(bench), counted(bench)][-1]
    (bench.folder / "journal.jsonl").unlink()
    bench.reboot()
    new = counted(bench)
    assert (new.journal_id != old.journal_id, new.inventory_seq) == (True, 1)
    assert msgspec.to_builtins(new)["slots"] == msgspec.to_builtins(old)["slots"]


async def test_slots_are_counted_at_boot_after_a_vend_and_after_a_refill(tmp_path: Path) -> None:
    async with running(tmp_path) as house:
        server = house.server
        boot = await server.expect_count("boot", A1=10, B1=10)
        result = await server.expect("RESULT", unit_id=await server.vend())
        after = await server.expect_count("count", A1=9)
        assert after["event_seq"] == result["event_seq"]
        assert after["inventory_seq"] > boot["inventory_seq"]
        house.simulator.fault("M01", refill=True)
        assert (await server.expect_count("refill", A1=10))["event_seq"] == result["event_seq"]
        assert server.unreadable == []


async def test_a_cut_in_a_vend_is_counted_when_its_end_stands_in_the_journal(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as house:
        server = house.server
        await server.expect_count("boot")
        server.counts.clear()
        house.simulator.fault("M01", power_cut_at="dropped")
        result = await server.expect("RESULT", unit_id=await server.vend())
        assert result["outcome"] == "INTERRUPTED"
        boot = await server.expect_count("boot", A1=9)
        assert boot["event_seq"] == result["event_seq"]
