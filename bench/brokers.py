"""`python -m bench.brokers [--sizes 1000,10000]`: the memory of a broker by itself with connections
that say nothing, each with the two subscriptions of a machine: the embedded NATS server, and
Mosquitto where it is installed. Without logins and permissions, which Coinslot adds."""

import argparse
import asyncio
import resource
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import uvloop
from msgspec import Struct

from bench.parts import end_on_sigterm
from bench.serving import cpu_s, listens, rss_kib
from coinslot.db.child_server import free_port
from machine_simulator.mqtt_wire import Broker, MqttConnection

SIZES: Final = (1_000, 10_000)
_SMALL: Final = (100,)
_AT_ONCE: Final = 32
_STARTS_WITHIN_S, _SETTLE_S, _LOOK_S = 15.0, 3.0, 5.0
_KEEPALIVE_S: Final = 600
_SPARE_FILES: Final = 200
# As the embedded one is set up: a thousand subscriptions would be all otherwise.
_NATS = """
server_name: bench
listen: "127.0.0.1:{own}"
jetstream: {{ store_dir: "{folder}", limits: {{ default_max_consumers: -1 }} }}
mqtt: {{ listen: "127.0.0.1:{port}", consumer_memory_storage: true }}
"""
_MOSQUITTO = """
listener {port} 127.0.0.1
allow_anonymous true
persistence false
"""


class Held(Struct, frozen=True, kw_only=True):
    """What so many connections take of a broker."""

    broker: str
    connections: int
    alone_mib: float
    full_mib: float
    core: float

    @property
    def each_kib(self) -> float:
        return (self.full_mib - self.alone_mib) * 1024 / self.connections


async def measured(name: str, folder: Path, connections: int) -> Held:
    """A broker of its own, started and stopped."""
    folder.mkdir(parents=True)
    port = free_port()
    async with AsyncExitStack() as stack:
        process = await asyncio.create_subprocess_exec(
            *_command(name, folder, port),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        stack.push_async_callback(process.wait)
        stack.callback(process.terminate)
        await listens(port, _STARTS_WITHIN_S)
        await asyncio.sleep(_SETTLE_S)
        alone = rss_kib([process.pid])
        await _hold(port, connections, stack)
        await asyncio.sleep(_SETTLE_S)
        used = cpu_s([process.pid])
        await asyncio.sleep(_LOOK_S)
        core = (cpu_s([process.pid]) - used) / _LOOK_S
        full = rss_kib([process.pid])
    return Held(
        broker=name, connections=connections, alone_mib=alone / 1024, full_mib=full / 1024,
        core=core,
    )  # fmt: skip


def _command(name: str, folder: Path, port: int) -> Sequence[str]:
    conf = folder / "broker.conf"
    if name == "NATS":
        text = _NATS.format(own=free_port(), folder=folder / "store", port=port)
        command = (str(Path(sys.executable).with_name("nats-server")), "-c", str(conf))
    else:
        text = _MOSQUITTO.format(port=port)
        command = (_mosquitto() or "", "-c", str(conf))
    conf.write_text(text, encoding="utf-8")
    return command


def _mosquitto() -> str | None:
    return shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")


async def _hold(port: int, connections: int, stack: AsyncExitStack) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        machine = f"M{number:05}"
        async with room:
            line = await MqttConnection.open(
                Broker("127.0.0.1", port, machine, "secret", _KEEPALIVE_S, connect_s=60)
            )
            stack.callback(line.abort)
            root = f"devices/{machine}"
            await line.subscribe(f"{root}/commands/dispense", f"{root}/config/update")

    async with asyncio.TaskGroup() as group:
        for number in range(connections):
            group.create_task(one(number))


def table(found: Sequence[Held]) -> str:
    """Against the embedded broker with as many connections."""
    lines = [
        "| broker | connections | MiB without | MiB with | KiB of one | of the embedded | core |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for held in found:
        (ours,) = [
            one for one in found if (one.broker, one.connections) == ("NATS", held.connections)
        ]
        lines.append(
            f"| {held.broker} | {held.connections:,} | {held.alone_mib:.0f} | {held.full_mib:.0f} |"
            f" {held.each_kib:.1f} | {held.each_kib / ours.each_kib:.2f} | {held.core:.1%} |"
        )
    return "\n".join(lines) + "\n"


async def run(sizes: Sequence[int], folder: Path) -> str:
    brokers = ["NATS", *(["Mosquitto"] if _mosquitto() else [])]
    found = [
        await measured(name, folder / f"{name}-{size}", size) for size in sizes for name in brokers
    ]
    absent = "" if _mosquitto() else "\nMosquitto is not installed here: not measured.\n"
    return table(found) + absent


def main() -> None:
    end_on_sigterm()
    parser = argparse.ArgumentParser(prog="python -m bench.brokers", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--quick", action="store_true", help=f"{_SMALL[0]} connections")
    given = parser.parse_args()
    sizes = _SMALL if given.quick else sorted(int(size) for size in given.sizes.split(","))
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(sizes) + _SPARE_FILES
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    folder = Path(tempfile.mkdtemp(prefix="coinslot-brokers-"))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(runner.run(run(sizes, folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
