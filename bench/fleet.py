"""Machines that are fake, on MQTT connections that are not: they vend whatever they are offered."""

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Protocol
from uuid import uuid4

import msgspec

from coinslot.kit.clock import monotonic_ms
from machine_simulator.link import LinkLostError
from machine_simulator.mqtt_wire import Broker, MqttConnection

BEAT_EVERY_S = 5.0
_KEEPALIVE_S = 30
_CONNECTING = 32  # at once: each login costs the broker a hash
_HEALTH = msgspec.json.encode({"type": "HEALTH"})


class Witness(Protocol):
    """Who is told what happens at the machines."""

    def offered(self, outlet: str, at: float) -> None:
        """A new unit's OFFER is there, at this perf_counter."""

    def acknowledged(self) -> None:
        """A machine's journal is kept a bit further."""


class Nobody:
    """For machines that only stand there."""

    def offered(self, outlet: str, at: float) -> None: ...

    def acknowledged(self) -> None: ...


class FakeMachine:
    """One leased machine without a motor: what it accepts has dropped at once."""

    def __init__(self, outlet: str, witness: Witness) -> None:
        self.outlet = outlet
        self._witness = witness
        self._told = self._kept = 0
        self._journal = f"j-{uuid4().hex[:12]}"
        self._boot = f"b-{uuid4().hex[:12]}"
        self._units: set[str] = set()
        self._dropped: set[str] = set()
        self._line: MqttConnection | None = None

    @property
    def at_rest(self) -> bool:
        """Whatever was offered has dropped, and the server has it in its books."""
        return self._kept == 2 * len(self._units)

    async def connect(self, broker: Broker) -> None:
        self._line = await MqttConnection.open(broker)
        await self._line.subscribe(f"devices/{self.outlet}/commands/dispense")
        self._say(
            type="HELLO", boot_id=self._boot, mono_ms=monotonic_ms(), last_seq=0, session_no=1,
            firmware="bench", capabilities={"journal": True, "sensor": True},
        )  # fmt: skip

    async def listen(self) -> None:
        """Until cancelled or cut off."""
        assert self._line is not None
        await self._line.listen(self._hear, _KEEPALIVE_S)

    def beat(self) -> None:
        assert self._line is not None
        self._line.publish(f"devices/{self.outlet}/status/health", _HEALTH)

    def leave(self) -> None:
        if self._line is not None:
            self._line.disconnect()

    def _hear(self, payload: bytes) -> None:
        down = msgspec.json.decode(payload)
        match down["type"]:
            case "OFFER":
                self._take(down)
            case "GO":
                self._vend(down["unit_id"])
            case "EVACK":
                self._kept = max(self._kept, down["through"])
                self._witness.acknowledged()
            case _:
                pass

    def _take(self, offer: Mapping[str, object]) -> None:
        if offer["unit_id"] not in self._units:
            self._units.add(str(offer["unit_id"]))
            self._witness.offered(self.outlet, perf_counter())
        self._say(
            type="ACCEPT", unit_id=offer["unit_id"], seq=offer["seq"], boot_id=self._boot,
            mono_ms=monotonic_ms(),
        )  # fmt: skip

    def _vend(self, unit: str) -> None:
        if unit in self._dropped:
            return  # the same GO again
        self._dropped.add(unit)
        self._told += 2
        self._say(type="STARTED", unit_id=unit, event_seq=self._told - 1)
        self._say(
            type="RESULT", unit_id=unit, event_seq=self._told, outcome="VENDED", slot="A1",
            evidence={"drop": "yes", "sensor_tested": True},
        )  # fmt: skip

    def _say(self, **message: object) -> None:
        assert self._line is not None
        body = msgspec.json.encode({**message, "journal_id": self._journal})
        self._line.publish(f"devices/{self.outlet}/status/dispense", body)


class Fleet:
    """Machines that are connected and alive from `arrive` to `leave`."""

    def __init__(self, secrets: Mapping[str, str], witness: Witness) -> None:
        self._secrets = secrets
        self._machines = [FakeMachine(outlet, witness) for outlet in secrets]
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def at_rest(self) -> bool:
        return all(machine.at_rest for machine in self._machines)

    async def arrive(self, port: int) -> None:
        """All connect; their beats are spread over the period, as those of real ones are."""
        room = asyncio.Semaphore(_CONNECTING)

        async def one(machine: FakeMachine) -> None:
            async with room:
                secret = self._secrets[machine.outlet]
                await machine.connect(
                    Broker("127.0.0.1", port, machine.outlet, secret, _KEEPALIVE_S, connect_s=30)
                )
            self._tasks.append(asyncio.create_task(machine.listen()))

        await asyncio.gather(*(one(machine) for machine in self._machines))
        self._tasks.append(asyncio.create_task(self._beat()))

    async def leave(self) -> None:
        """Raises LinkLostError when one was cut off meanwhile."""
        lost = [task for task in self._tasks if task.done()]
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for machine in self._machines:
            machine.leave()
        if lost:
            raise LinkLostError(f"{len(lost)} machines lost their connection")

    async def _beat(self) -> None:
        steps = 50
        while True:
            for step in range(steps):
                for machine in self._machines[step::steps]:
                    machine.beat()
                await asyncio.sleep(BEAT_EVERY_S / steps)
