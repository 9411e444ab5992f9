"""What machines cost that only stand there: a connection each, and a heartbeat every 5 s."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter

from msgspec import Struct

from bench.fleet import BEAT_EVERY_S, Fleet, Nobody
from bench.ground import Base, Ground
from bench.serving import Serving, cpu_s, family, rss_kib
from machine_simulator.link import Backoff, Ears
from machine_simulator.socketio_link import SocketioLink

_CALM_S = 3.0
_AFTER_ARRIVAL_S = 12.0  # PostgreSQL tells its statistics late
_WITHIN_S = 120.0
_MIB = 1024


class Usage(Struct, frozen=True, kw_only=True):
    """Of one fleet size. Processor time as a share of one core."""

    machines: int
    device_mib: float
    device_core: float
    broker_mib: float
    broker_core: float
    postgres_core: float
    transactions_per_s: float


class Cost(Struct, frozen=True, kw_only=True):
    """One channel, without machines and with them."""

    channel: str
    alone: Usage
    full: Usage


class SocketioFleet:
    """The machines' own client, beating."""

    def __init__(self, secrets: Mapping[str, str], port: int) -> None:
        self._up = 0
        self._all = len(secrets)
        self._there = asyncio.Event()
        ears = Ears(up=self._came, down=lambda: None, hear=lambda _event, _message: None)
        self._links = [
            SocketioLink(
                f"http://127.0.0.1:{port}", {"machineId": code, "secret": secret}, ears, Backoff()
            )
            for code, secret in secrets.items()
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def arrive(self) -> None:
        for start in range(0, len(self._links), 20):  # not all at once: each login is a hash
            wanted = min(start + 20, len(self._links))
            self._tasks += [asyncio.create_task(link.run()) for link in self._links[start:wanted]]
            async with asyncio.timeout(_WITHIN_S):
                while self._up < wanted:
                    self._there.clear()
                    await self._there.wait()
        self._tasks.append(asyncio.create_task(self._beat()))

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _came(self) -> None:
        self._up += 1
        self._there.set()

    async def _beat(self) -> None:
        steps = 50
        while True:
            for step in range(steps):
                for link in self._links[step::steps]:
                    link.say("health", {"type": "HEALTH"})
                await asyncio.sleep(BEAT_EVERY_S / steps)


async def cost(ground: Ground, base: Base, channel: str, outlets: list[str], folder: Path) -> Cost:
    """`coinslot device` with the machines of one channel, before they come and after."""
    secrets = {code: base.devices[code] for code in outlets}
    device = Serving("device", base, folder)
    async with AsyncExitStack() as stack:
        await device.start(LOG_LEVEL="WARNING")
        stack.push_async_callback(device.stop)
        alone = await _usage(ground, device, 0)
        if channel == "mqtt":
            fleet = Fleet(secrets, Nobody())
            stack.push_async_callback(fleet.leave)
            await fleet.arrive(device.mqtt_port)
        else:
            others = SocketioFleet(secrets, device.port)
            stack.push_async_callback(others.leave)
            await others.arrive()
        full = await _usage(ground, device, len(outlets))
    return Cost(channel=channel, alone=alone, full=full)


async def _usage(ground: Ground, device: Serving, machines: int) -> Usage:
    await asyncio.sleep(_AFTER_ARRIVAL_S if machines else _CALM_S)
    counted = await _transactions(ground, device)
    began, before = perf_counter(), _used(ground, device)
    await asyncio.sleep(2 * BEAT_EVERY_S)
    took_s, after = perf_counter() - began, _used(ground, device)
    counted = await _transactions(ground, device) - counted
    own, broker, postgres = (
        (there - here) / took_s for here, there in zip(before, after, strict=True)
    )
    return Usage(
        machines=machines,
        device_mib=rss_kib([device.pid]) / _MIB,
        device_core=own,
        broker_mib=rss_kib(_broker(device)) / _MIB,
        broker_core=broker,
        postgres_core=postgres,
        transactions_per_s=counted / took_s,
    )


def _broker(device: Serving) -> list[int]:
    return [pid for pid in family(device.pid) if pid != device.pid]


def _used(ground: Ground, device: Serving) -> tuple[float, float, float]:
    return cpu_s([device.pid]), cpu_s(_broker(device)), cpu_s(family(ground.pid))


async def _transactions(ground: Ground, device: Serving) -> int:
    counted = await ground.one(
        device.base, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    )
    assert isinstance(counted, int)
    return counted
