"""`python -m bench.held CHANNEL PORT`, secrets as JSON on standard input: one loader process, which
holds machines that say their health and take configurations, until it is ended."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

import uvloop

from coinslot.kit.clock import monotonic_ms
from machine_simulator.link import Backoff, Ears
from machine_simulator.mqtt_wire import Broker, MqttConnection
from machine_simulator.socketio_link import SocketioLink

EVERY_S: Final = 3.3  # 10,000 machines say 3,000 a second
_STEPS: Final = 33  # into which that is cut, so that they do not all speak at once
_CONNECTING: Final = 16  # at once
_KEEPALIVE_S: Final = 60

Say = Callable[[str, dict[str, Any]], object]


class Held:
    """One machine that stands there."""

    def __init__(self) -> None:
        self.say: Say = lambda _what, _message: None
        self._journal = f"j-{uuid4().hex[:12]}"
        self._boot = f"b-{uuid4().hex[:12]}"
        self._version = 0
        self._uptime = 0

    def hello(self) -> None:
        self.say("vend", {
            "type": "HELLO", "journal_id": self._journal, "boot_id": self._boot,
            "mono_ms": monotonic_ms(), "last_seq": 0, "session_no": 1, "firmware": "bench",
            "capabilities": {"journal": True, "sensor": True, "journal_formats": [1]},
            "config_version": self._version,
        })  # fmt: skip

    def beat(self) -> None:
        self._uptime += 1
        self.say("health", {
            "type": "HEALTH", "temperature_c": 4.5, "door": "closed", "free_heap": 45_000,
            "journal_used": 3, "rssi": -61, "firmware": "bench", "uptime_s": self._uptime,
            "config_version": self._version, "counters": {"sales": 7},
        })  # fmt: skip

    def hear(self, message: Mapping[str, Any]) -> None:
        """A configuration is had at once."""
        if message.get("type") == "CONFIG":
            self._version = int(message["version"])
            self.hello()


async def over_mqtt(port: int, secrets: Mapping[str, str]) -> list[Held]:
    """All are connected on return."""
    room = asyncio.Semaphore(_CONNECTING)
    names = {"vend": "status/dispense", "health": "status/health"}

    async def one(code: str, secret: str) -> Held:
        machine = Held()
        async with room:
            broker = Broker("127.0.0.1", port, code, secret, _KEEPALIVE_S, connect_s=60)
            line = await MqttConnection.open(broker)
            root = f"devices/{code}"
            await line.subscribe(f"{root}/commands/dispense", f"{root}/config/update")
        machine.say = lambda what, message: line.publish(
            f"{root}/{names[what]}", json.dumps(message).encode()
        )
        _keep(line.listen(lambda payload: machine.hear(json.loads(payload)), _KEEPALIVE_S))
        machine.hello()
        return machine

    return list(await asyncio.gather(*(one(*each) for each in secrets.items())))


async def over_socketio(port: int, secrets: Mapping[str, str]) -> list[Held]:
    """All are connected on return."""
    room, found = asyncio.Semaphore(_CONNECTING), list[Held]()

    async def one(code: str, secret: str) -> None:
        machine, there = Held(), asyncio.Event()

        def up() -> None:  # again when it was cut off: it may have missed a configuration
            machine.hello()
            there.set()

        ears = Ears(up=up, down=lambda: None, hear=lambda _event, message: machine.hear(message))
        auth = {"machineId": code, "secret": secret}
        async with room:
            link = SocketioLink(f"http://127.0.0.1:{port}", auth, ears, Backoff())
            machine.say = link.say
            _keep(link.run())
            await there.wait()
        found.append(machine)

    await asyncio.gather(*(one(*each) for each in secrets.items()))
    return found


_tasks: set["asyncio.Task[None]"] = set()


def _keep(doing: Any) -> None:
    """Whoever is cut off ends the whole loader: then the numbers would be of fewer machines."""
    task = asyncio.ensure_future(doing)
    task.add_done_callback(lambda _done: sys.exit("a machine lost its connection"))
    _tasks.add(task)


async def main(channel: str, port: int) -> None:
    secrets = json.loads(sys.stdin.readline())
    arrive = {"mqtt": over_mqtt, "socketio": over_socketio}[channel]
    machines = await arrive(port, secrets)
    print("there", flush=True)
    while True:
        for step in range(_STEPS):
            for machine in machines[step::_STEPS]:
                machine.beat()
            await asyncio.sleep(EVERY_S / _STEPS)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop_runner:
        loop_runner.run(main(sys.argv[1], int(sys.argv[2])))
