"""A machine between power-on and power cut: what the leased and the simple one have in common."""

import asyncio
import json
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from machine_simulator import files
from machine_simulator.clock import utc_now
from machine_simulator.faults import Faults
from machine_simulator.files import Record
from machine_simulator.link import Backoff, Ears, Link
from machine_simulator.mqtt_link import MqttLink
from machine_simulator.mqtt_wire import Broker
from machine_simulator.physics import Physics, Tempo
from machine_simulator.power import Power, PowerCutError
from machine_simulator.settings import MachineSpec, Timing
from machine_simulator.socketio_link import SocketioLink
from machine_simulator.voice import Voice

log = logging.getLogger(__name__)

STOP_LOOK_S = 0.05


class Machine(ABC):
    """Files in `folder` outlive it; every other attribute is gone with the power."""

    def __init__(self, spec: MachineSpec, timing: Timing, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.spec = spec
        self.timing = timing
        self.folder = folder
        self.journal_path = folder / "journal.jsonl"
        self.faults = Faults(folder / "faults.json")
        self.faults.refresh()
        self.power = Power(self.faults)
        tempo = Tempo(timing.vend_s, timing.slow_s, timing.fall_s)
        self.physics = Physics(folder, spec.slots, self.faults, tempo, sensor=spec.sensor)
        self.link = _link(spec, timing, Ears(self.came_up, self.draw, self._hear))
        self.voice = Voice(self.link.say, self.faults, timing.late_s)
        self.powered = False
        self._inbox: asyncio.Queue[Record] = asyncio.Queue()
        self._tasks: asyncio.TaskGroup | None = None
        self._plug_pulled = asyncio.Event()
        self._drawn: Record = {}

    # The life of a machine

    async def live(self) -> None:
        """Boot, work, lose power, and again; ends only when cancelled."""
        while True:
            try:
                await self._one_boot()
            except* PowerCutError as cut:
                log.info("%s: power cut at %s", self.spec.id, cut.exceptions[0])
            except* OSError:
                log.exception("%s: the watchdog resets it", self.spec.id)
            finally:
                self._lose_power()
            await asyncio.sleep(self.timing.restore_s)

    async def _one_boot(self) -> None:
        self._inbox = asyncio.Queue()
        self._plug_pulled = asyncio.Event()
        if self.faults.refresh().wipe_journal:
            self.journal_path.unlink(missing_ok=True)
            self.faults.spend("wipe_journal")
        self.boot()
        self.powered = True
        self.draw()
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self.link.run())
            tasks.create_task(self._listen())
            tasks.create_task(self._watch_plug())
            for rhythm in self.rhythms():
                tasks.create_task(rhythm)

    def _lose_power(self) -> None:
        self.link.cut()
        self.voice.silence()
        self.powered = False
        self._tasks = None
        self.draw()

    async def stop(self) -> None:
        """Wait shortly for a running vend, then say goodbye."""
        try:
            async with asyncio.timeout(self.timing.stop_s):
                while self.powered and not self.idle:  # noqa: ASYNC110
                    await asyncio.sleep(STOP_LOOK_S)
                await self.link.farewell()
                self.link.plug(plugged=False)
        except TimeoutError:
            log.info("%s: stopped in the middle of a vend", self.spec.id)

    # What the two kinds do differently

    @property
    @abstractmethod
    def idle(self) -> bool: ...

    @abstractmethod
    def boot(self) -> None:
        """Make the volatile memory anew, from the files."""

    @abstractmethod
    def rhythms(self) -> list[Coroutine[Any, Any, None]]:
        """What it does again and again while it has power."""

    @abstractmethod
    def came_up(self) -> None:
        """The link is up."""

    @abstractmethod
    async def heed(self, message: Record) -> None:
        """Work one message; no other is worked meanwhile."""

    @abstractmethod
    def step(self) -> tuple[str, str | None]:
        """For the drawing: where it stands, and with which unit."""

    # What both need

    def poll(self) -> None:
        """Look at the faults; called every 100 ms, so that nothing here may be slow."""
        faults = self.faults.refresh()
        self.link.plug(plugged=not faults.offline)
        if faults.refill:
            self.physics.refill()
            self.faults.spend("refill")
        if faults.wipe_journal:
            self._plug_pulled.set()  # the controller is replaced: it comes back as a new one
        self.draw()

    def start(self, task: Coroutine[Any, Any, None]) -> None:
        """Run beside the messages, as long as there is power."""
        if self._tasks is None:
            task.close()
            return
        self._tasks.create_task(task)

    def reached(self, step: str) -> None:
        """A named step; the power may fail here, and then nothing more is sent."""
        self.draw()
        try:
            self.power.reached(step)
        except PowerCutError:
            self.link.cut()
            self.voice.silence()
            raise

    async def every(self, period_s: float, act: Callable[[], Awaitable[None] | None]) -> None:
        """A rhythm; its first beat falls anywhere in the period, so that a fleet spreads out."""
        await asyncio.sleep(random.uniform(0, period_s))
        while True:
            awaited = act()
            if awaited is not None:
                await awaited
            await asyncio.sleep(period_s)

    def draw(self) -> None:
        """Write state.json, if anything changed."""
        step, unit_id = self.step() if self.powered else ("off", None)
        state: Record = {
            "outlet": self.spec.id,
            "power": self.powered,
            "connected": self.link.connected and self.powered,
            "step": step,
            "unit_id": unit_id,
            "slots": self.physics.stocks(),
        }
        if state != self._drawn:
            self._drawn = state
            text = json.dumps(state | {"at": utc_now().isoformat()})
            try:
                files.replace(self.folder / "state.json", text, durable=False)
            except OSError as error:
                log.debug("%s: not drawn: %s", self.spec.id, error)

    def _hear(self, event: str, message: Record) -> None:
        self._inbox.put_nowait(message)

    async def _listen(self) -> None:
        while True:
            await self.heed(await self._inbox.get())

    async def _watch_plug(self) -> None:
        await self._plug_pulled.wait()
        raise PowerCutError("the plug")


def _link(spec: MachineSpec, timing: Timing, ears: Ears) -> Link:
    backoff = Backoff(timing.backoff_first_s, timing.backoff_last_s)
    if spec.channel == "mqtt":
        keepalive_s = max(1, round(timing.keepalive_s))
        broker = Broker(spec.host, spec.port, spec.login, spec.secret, keepalive_s)
        return MqttLink(spec.id, broker, ears, backoff)
    auth = {"machineId": spec.login, "secret": spec.secret}
    return SocketioLink(spec.url, auth, ears, backoff)
