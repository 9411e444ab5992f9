"""A whole machine without a network: what comes in one breath must not come between two steps."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from machine_simulator.leased import LeasedMachine
from machine_simulator.settings import MachineSpec, Timing
from tests.ports import free_port
from tests.simulator.bench_device import SECRET, Message, a_unit, go, offer, query

QUICK = Timing(vend_s=0.02, fall_s=0.01, run_bound_s=5)


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[LeasedMachine]:
    spec = MachineSpec(
        id="M01", channel="mqtt", dialect="leased", login="M01", secret=SECRET,
        slots={"A1": 3}, port=free_port(),
    )  # fmt: skip
    made = LeasedMachine(spec, QUICK, tmp_path)
    life = asyncio.create_task(made.live())
    await until(lambda: made.powered)
    yield made
    life.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await life


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - a machine tells nobody what it thinks
            await asyncio.sleep(0.005)


def said_to(machine: LeasedMachine, *messages: Message) -> None:
    """They lie in the machine's ear before it works the first of them."""
    for message in messages:
        machine.link.ears.hear("vend", message)


async def accepted(machine: LeasedMachine, unit_id: str) -> Message:
    said_to(machine, offer(unit_id))
    await until(lambda: machine.brain.lease)
    assert machine.brain.lease is not None
    return machine.brain.lease.accept


def fell(machine: LeasedMachine) -> list[str]:
    path = machine.folder / "drops.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line)["unit_id"] for line in lines]


async def test_a_question_right_behind_a_go_finds_the_unit_started(machine: LeasedMachine) -> None:
    unit_id = a_unit()
    accept = await accepted(machine, unit_id)
    said_to(machine, go(accept), query(unit_id))
    await until(lambda: unit_id in machine.brain.journal.units and machine.idle)
    await until(lambda: machine.brain.journal.units[unit_id].result)
    kinds = [event["type"] for event in machine.brain.journal.units[unit_id].events.values()]
    assert kinds == ["STARTED", "RESULT"]
    assert machine.brain.journal.units[unit_id].state == "VENDED"
    assert fell(machine) == [unit_id]


async def test_a_go_right_behind_a_question_starts_nothing(machine: LeasedMachine) -> None:
    unit_id = a_unit()
    accept = await accepted(machine, unit_id)
    said_to(machine, query(unit_id), go(accept))
    await until(lambda: unit_id in machine.brain.journal.units and machine.idle)
    assert machine.brain.journal.units[unit_id].state == "TOMBSTONED"
    assert fell(machine) == []
