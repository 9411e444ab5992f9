"""Many machines in one process, brokers that come late and die, and what the settings refuse."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import pytest

from machine_simulator.link import Backoff
from machine_simulator.settings import (
    SettingsError,
    Timing,
    environment,
    machine_of_env,
    read_fleet,
    timing_of_env,
)
from tests.ports import free_port
from tests.simulator.brokers import nats
from tests.simulator.running import SimulatorProcess
from tests.simulator.test_over_mqtt import TIMING, machine, serving

MANY = 150


async def test_a_broker_that_comes_late_and_dies_once_is_found_again(tmp_path: Path) -> None:
    port = free_port()
    async with SimulatorProcess([machine(port)], tmp_path / "machines", TIMING) as simulator:
        for vends in (1, 2):
            async with nats(tmp_path, port):
                await simulator.until(lambda: bool(simulator.state("M01")["connected"]))
                async with serving(port) as server:
                    server.seq = 10 * vends
                    unit_id = await server.vend()
                    await server.expect("RESULT", unit_id=unit_id, outcome="VENDED")
            await simulator.until(lambda: not simulator.state("M01")["connected"])
        assert len(simulator.drops("M01")) == 2


async def test_some_hundred_machines_share_one_process(tmp_path: Path) -> None:
    port = free_port()
    names = [f"M{number:03}" for number in range(MANY)]
    login = {"login": "server", "secret": "server"}
    fleet = [machine(port, id=name, **login) for name in names]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(nats(tmp_path, port))
        listener = aiomqtt.Client("127.0.0.1", port, username="server", password="server")
        await stack.enter_async_context(listener)
        await listener.subscribe("devices/+/status/#", qos=1)
        await stack.enter_async_context(SimulatorProcess(fleet, tmp_path / "machines", TIMING))
        greeted: set[str] = set()
        async with asyncio.timeout(30):
            async for message in listener.messages:
                if b'"HELLO"' in bytes(message.payload):
                    greeted.add(message.topic.value.split("/")[1])
                if greeted == set(names):
                    break


async def test_machines_added_to_the_fleet_file_are_switched_on(tmp_path: Path) -> None:
    port = free_port()
    async with SimulatorProcess([machine(port)], tmp_path / "machines", TIMING) as simulator:
        simulator.fleet.append(machine(port, id="M02"))
        await simulator.reload()
        await simulator.until(lambda: bool(simulator.state("M02")["power"]))


def test_attempts_to_connect_grow_further_apart_but_never_beyond_the_limit() -> None:
    backoff = Backoff(first_s=0.2, last_s=5.0)
    assert 0.1 <= backoff.wait_s(0) <= 0.2
    assert all(2.5 <= backoff.wait_s(failures) <= 5.0 for failures in (5, 50, 5_000))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"dialect": "simple"}, "simple"),
        ({"slots": {}}, "slot"),
        ({"slots": 7}, "slots|items"),
        ({"secret": None, "id": "M02"}, "M02"),
    ],
    ids=str,
)
def test_a_fleet_file_that_makes_no_sense_is_refused_by_name(
    tmp_path: Path, change: dict[str, object], named: str
) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps([machine(1883, **change)]))
    with pytest.raises(SettingsError, match=named):
        read_fleet(path)


def test_two_machines_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps([machine(1883), machine(1883)]))
    with pytest.raises(SettingsError, match="M01"):
        read_fleet(path)


def test_one_machine_comes_from_the_dotenv_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "# a comment\nSIMULATOR_ID=M07\nSIMULATOR_SECRET='s e c'\nSIMULATOR_SLOTS=A1:3, A2:4\n"
        "SIMULATOR_LOGIN=\nSIMULATOR_MQTT_URL=mqtt://10.0.0.1\nSIMULATOR_VEND_S=0.5\n"
    )
    env = environment(dotenv)
    spec = machine_of_env(env)
    assert (spec.id, spec.login, spec.secret) == ("M07", "M07", "s e c")
    assert (spec.host, spec.port, spec.slots) == ("10.0.0.1", 1883, {"A1": 3, "A2": 4})
    assert timing_of_env(env) == Timing(vend_s=0.5)
    assert "s e c" not in repr(spec)


def test_a_missing_secret_is_named_and_has_no_default() -> None:
    with pytest.raises(SettingsError, match="SIMULATOR_SECRET"):
        machine_of_env({"SIMULATOR_ID": "M01", "SIMULATOR_SLOTS": "A1:1"})


def test_a_duration_that_is_no_number_is_named() -> None:
    with pytest.raises(SettingsError, match="SIMULATOR_VEND_S"):
        timing_of_env({"SIMULATOR_VEND_S": "soon"})
