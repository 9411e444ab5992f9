"""What machines say beside the vend protocol: each kind arrives on its own topic, within bounds."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from coinslot.channels.messages import ConfigUpdate, FirmwareCommand, Unreadable, to_wire
from coinslot.channels.reports import (
    KINDS,
    FirmwareProgress,
    HealthReport,
    Inventory,
    Logs,
    read_report,
)
from coinslot.device.edge import Edge, EdgeInbox, EdgeOptions
from coinslot.kit.clock import SettableClock
from tests.channels.machines import RecordingHandler, result
from tests.channels.rigs import Rig
from tests.channels.test_contract import counted, heard, soon

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ROLLOUT = UUID("0192f0c1-2345-7abc-8def-0123456789ac")
SAID: dict[str, dict[str, Any]] = {
    "inventory": {
        "journal_id": "j1", "inventory_seq": 1, "event_seq": 0, "cause": "count",
        "slots": [{"slot": "A1", "count": 7}],
    },
    "health": {
        "temperature_c": 4.5, "door": "closed", "reset_reason": "power", "free_heap": 90_000,
        "journal_used": 3, "rssi": -61, "firmware": "1.4.0", "config_version": 2, "uptime_s": 60,
        "counters": {"sales": 12},
    },
    "logs": {"lines": [{"level": "info", "at_mono_ms": 5, "text": "открыта дверь"}]},
    "firmware": {"rollout": str(ROLLOUT), "attempt": 1, "state": "TRIAL"},
}  # fmt: skip
TOO_MANY = [{"slot": f"{n}", "count": 1} for n in range(201)]
WRONG: list[tuple[str, object]] = [
    ("inventory", {**SAID["inventory"], "cause": "guess"}),
    ("inventory", {**SAID["inventory"], "inventory_seq": 0}),
    ("inventory", {**SAID["inventory"], "slots": [{"slot": "A1", "count": -1}]}),
    ("inventory", {**SAID["inventory"], "slots": [{"slot": "A1", "count": 1}] * 2}),
    ("inventory", {**SAID["inventory"], "slots": TOO_MANY}),
    ("inventory", {**SAID["inventory"], "slots": [{"slot": "A 1", "count": 1}]}),
    ("health", {"temperature_c": math.nan}),
    ("health", {"temperature_c": math.inf}),
    ("health", {"temperature_c": "cold"}),
    ("health", {"journal_used": 101}),
    ("health", {"firmware": "1.0\x00"}),
    ("health", {"counters": {f"c{n}": n for n in range(201)}}),
    ("health", {"counters": {"vends": -1}}),
    ("logs", {"lines": [{"level": "shout", "at_mono_ms": 5, "text": "x"}]}),
    ("logs", {"lines": [{"level": "info", "at_mono_ms": 5, "text": "x" * 501}]}),
    ("logs", {"lines": [{"level": "info", "at_mono_ms": 5, "text": "\x00"}]}),
    ("logs", {"lines": [{"level": "info", "at_mono_ms": 5, "text": "\ud800"}]}),
    ("logs", {"lines": [{"level": "info", "at_mono_ms": 5, "text": "x"}] * 51}),
    ("firmware", {"rollout": "r", "attempt": 1, "state": "TRIAL"}),
    ("firmware", {"rollout": str(ROLLOUT), "attempt": 0, "state": "TRIAL"}),
    ("firmware", {"rollout": str(ROLLOUT), "attempt": 1, "state": "trial'"}),
]  # fmt: skip


@pytest.mark.parametrize("kind", list(KINDS))
async def test_a_report_arrives_read_on_the_topic_of_its_kind(rig: Rig, kind: str) -> None:
    machine = await rig.machine("M01")
    await machine.report(kind, SAID[kind])
    outlet, report = await soon(rig.handler.reports.get())
    assert outlet == "M01"
    assert report == msgspec.convert(SAID[kind], KINDS[kind][0])


async def test_a_report_that_nobody_takes_is_dropped_and_counted(rig: Rig) -> None:
    rig.handler.not_taken = {"inventory", "health"}
    machine = await rig.machine("M01")
    for kind in SAID:
        await machine.report(kind, SAID[kind])
    heard = [await soon(rig.handler.reports.get()) for _ in range(2)]
    assert [type(report) for _outlet, report in heard] == [Logs, FirmwareProgress]
    name = rig.channel.name
    await counted(lambda: rig.edge.counts[f"{name} inventory not taken"], 1)
    assert "M01" in await soon(rig.handler.batches.get())  # health is a sign of life all the same


async def test_a_topic_that_nobody_knows_is_dropped_and_counted(rig: Rig) -> None:
    machine: Any = await rig.machine("M01")
    if rig.channel.name == "mqtt":
        await machine.publish("devices/M01/status/dispense/x", b"{}")
        await machine.publish("devices/M01/status/dance", b"{}")
    else:
        await machine.emit("dance", {})
    await machine.say(result(1))
    assert await heard(rig.handler) == ("M01", 1)
    channel: Any = rig.channel
    await counted(lambda: channel.ignored, 2 if channel.name == "mqtt" else 1)
    assert rig.handler.reports.empty()


async def test_a_configuration_and_an_update_go_down_on_their_own_topics(rig: Rig) -> None:
    machine = await rig.machine("M01")
    config = to_wire(ConfigUpdate(version=3, sha256="ab", config='{"slots":[]}'))
    update = to_wire(FirmwareCommand(rollout=ROLLOUT, attempt=1, manifest_url="https://x/m"))
    await rig.send("M01", config)
    assert await soon(machine.received.get()) == config
    await rig.send("M01", update)
    assert await soon(machine.received.get()) == update
    named = {
        "mqtt": ["config/update", "commands/firmware"],
        "socketio": ["config", "firmware"],
    }
    assert machine.topics == named[rig.channel.name]


@pytest.mark.parametrize(("kind", "said"), WRONG)
def test_what_is_out_of_its_bounds_is_not_read(kind: str, said: object) -> None:
    assert isinstance(read_report(kind, said), Unreadable)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", list(KINDS))
def test_bytes_of_any_kind_are_read_without_raising(kind: str) -> None:
    whole = msgspec.json.encode(SAID[kind])
    assert not isinstance(read_report(kind, whole), Unreadable)
    for raw in (b"", b"{", b"\xff", b"[" * 8_000, whole + b" " * 9_000, b"[]", b"null"):
        assert isinstance(read_report(kind, raw), Unreadable)


def test_what_a_machine_does_not_measure_is_left_out() -> None:
    assert read_report("health", b'{"type": "HEALTH", "mono_ms": 5}') == HealthReport()
    assert read_report("logs", b'{"lines": []}') == Logs(lines=[])
    few = msgspec.json.encode({**SAID["inventory"], "slots": [], "later": 1})
    assert isinstance(read_report("inventory", few), Inventory)


def test_a_machine_that_reports_without_end_is_heard_so_many_times_a_minute() -> None:
    clock = SettableClock(NOON)
    edge = Edge(RecordingHandler(), [], clock, EdgeOptions())
    inbox = EdgeInbox(edge, "mqtt")
    for kind, (_shape, most) in KINDS.items():
        assert sum(inbox.wants("M01", kind) for _ in range(500)) == most
        assert edge.counts[f"mqtt {kind} too often"] == 500 - most
    assert inbox.wants("M02", "logs")  # each machine by itself
    clock.advance(timedelta(minutes=1))
    assert inbox.wants("M01", "logs")
