"""A machine that speaks the leased protocol: the brain, wired to its body, journal and link."""

import asyncio
import dataclasses
import logging
import secrets
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from machine_simulator.clock import SLOW_CRYSTAL, TICKS_PERIOD_MS, WRONG_WALL, Ticks, utc_now
from machine_simulator.config import Configuration
from machine_simulator.device import Device, Identity
from machine_simulator.effects import Effect, Greet, Reached, Say, Turn
from machine_simulator.files import Record
from machine_simulator.food import FoodWatch
from machine_simulator.inventory import Inventory
from machine_simulator.journal import Journal, Limits
from machine_simulator.machine import Machine
from machine_simulator.power import PowerCutError
from machine_simulator.settings import MachineSpec, Timing
from machine_simulator.update import BRICKS, HANGS, Code, Hardware, Updater
from machine_simulator.updating import Downloader

log = logging.getLogger(__name__)

WRAP_SOON_MS = 5_000  # under `wrong_clock` the ticks wrap this soon after they were set
RESENT_AT_ONCE = 64
HARDWARE = "simulator"
FIRST_BUILD = 1  # the sequence of the code that a machine is made with


class LeasedMachine(Machine):
    """Decides nothing: what a message means stands in device.py."""

    brain: Device
    brain_kind: type[Device] = Device
    journal_kind: type[Journal] = Journal

    def __init__(self, spec: MachineSpec, timing: Timing, folder: Path) -> None:
        super().__init__(spec, timing, folder)
        self._ticks = Ticks()
        self._wrong_clock = False
        self._food: FoodWatch | None = None
        self._session_no = 0
        self._synced = False
        self._inventory = Inventory(folder / "inventory.json")
        self._count_owed = ""  # its cause; said when the server has answered and nothing runs
        self._updater: Updater | None = None
        self._downloader: Downloader | None = None

    @property
    def idle(self) -> bool:
        return self.brain.running is None

    def boot(self) -> None:
        spec = self.spec
        identity = Identity(
            secret=spec.secret,
            firmware=self._load_code(),
            sensor=spec.sensor,
            price_version=spec.price_version,
            planogram_version=spec.planogram_version,
            age_slots=spec.age_slots,
            key_id=spec.key_id,
        )
        journal = self.journal_kind(
            self.journal_path, Limits(spec.journal_capacity, spec.journal_keep)
        )
        self._set_clock()
        self._session_no = 0
        self._food = None if spec.food is None else FoodWatch(spec.food)
        boot_id = secrets.token_hex(8)
        self.brain = self.brain_kind(identity, journal, self.physics, self._ticks, boot_id)
        if spec.configs:
            self.brain.config = Configuration(self.folder / "config.json")
        self.brain.wake()
        self.physics.settle()
        self._count_owed = "boot"

    def _load_code(self) -> str:
        """The loader: the version that runs in this boot."""
        if self.spec.firmware_key is None:
            return self.spec.firmware
        hardware = Hardware(HARDWARE, (bytes.fromhex(self.spec.firmware_key),))
        self._updater = Updater(self.folder, hardware, Code(self.spec.firmware, FIRST_BUILD))
        self._downloader = Downloader(self._updater, lambda said: self.voice.say("firmware", said))
        return self._updater.boot().version

    @property
    def _hangs(self) -> bool:
        """The code that runs does nothing at all, until the watchdog bites."""
        updater = self._updater
        return updater is not None and updater.flash.runs.behaviour in (HANGS, BRICKS)

    def rhythms(self) -> list[Coroutine[Any, Any, None]]:
        timing = self.timing
        return [
            self.every(timing.resend_s, self._repeat),
            self.every(timing.health_s, self._health),
            self.every(timing.food_s, self._watch_food),
            self.every(timing.count_s, lambda: self._owe_count("count")),
            self._watch_trial(),
        ]

    def came_up(self) -> None:
        """HELLO first, then at once whatever the server has not acknowledged."""
        self._session_no += 1
        self._synced = False
        self._repeat()
        self.draw()

    async def heed(self, message: Record) -> None:
        if self._hangs:
            return
        if message.get("type") == "FIRMWARE":
            await self._update(message)
            return
        if message.get("type") == "SYNC":
            self._synced = True
            if self._updater is not None and self._downloader is not None:
                self._downloader.report(self._updater.synced())
            self._owe_count("count")  # one that was said while it was away is lost
        await self._perform(self.brain.receive(message))
        self._count()

    def step(self) -> tuple[str, str | None]:
        unit_id = self.brain.open_unit
        if unit_id is None:
            return "idle", None
        return ("running" if self.brain.running else "accepted"), unit_id

    def poll(self) -> None:
        changed = self.faults.refresh().wrong_clock != self._wrong_clock
        if changed and self.powered and self.brain.idle:
            self.brain.lease = None  # a lease counts in the clock it was given in
            self._set_clock()
            self.brain.ticks = self._ticks
        if self.faults.now.refill:
            self._owe_count("refill")
        if self.faults.now.visit:
            self.physics.lock_food(locked=False)
            if self._food is not None:
                self._food.visited(time.monotonic())
            self.faults.spend("visit")
        super().poll()
        if self.powered:
            self._count()

    async def _perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Say(message):
                    self._say(message)
                case Turn(unit_id, slot):
                    self.start(self._run(unit_id, slot))
                case Greet():
                    self._synced = False
                    self._repeat()
                case Reached(step):
                    if step == "accepted" and self.power.fails_at(step):
                        await self.link.flush()  # the ACCEPT leaves, then the lights go out
                    self.reached(step)

    async def _update(self, message: Record) -> None:
        """An offer is loaded beside the vends; a GO ends this boot, when no unit is open."""
        if self._updater is None or self._downloader is None:
            return
        updater, downloader = self._updater, self._downloader
        try:
            install = updater.command(message, boot_id=self.brain.boot_id, idle=self.brain.idle)
        except (KeyError, TypeError, ValueError) as error:
            log.warning("%s: unreadable update left alone: %r", self.spec.id, error)
            return
        if install:
            downloader.report(updater.report())
            await self.link.flush()
            raise PowerCutError("a new start with other code")
        if updater.asked:
            updater.asked = False
            downloader.report(updater.report())
        if downloader.wants(message):
            self.start(downloader.load(str(message["manifest_url"])))

    async def _watch_trial(self) -> None:
        """The watchdog: code on trial that is not confirmed in time is started anew, and after
        three such boots the kept code runs."""
        updater = self._updater
        if updater is None or not updater.flash.on_trial:
            return
        await asyncio.sleep(self.timing.trial_s)
        if updater.flash.on_trial:
            raise PowerCutError("the watchdog")

    def _say(self, message: Record) -> None:
        if message["type"] == "RESULT":
            self.voice.result(message["event_seq"], "vend", message)
        else:
            self.voice.say("vend", message)

    async def _run(self, unit_id: str, slot: str) -> None:
        """One run of the motor, bounded in time, then its result."""
        progress = asyncio.create_task(self._tell_progress())
        try:
            async with asyncio.timeout(self.timing.run_bound_s):
                sight = await self.physics.turn(slot, unit_id, lambda: self.reached("dropped"))
        except TimeoutError:
            sight = dataclasses.replace(self.physics.sees(), completed=False)
        finally:
            progress.cancel()
        result = self.brain.finished(sight)
        self.physics.settle()
        await self._perform(result)
        self.draw()

    async def _tell_progress(self) -> None:
        while True:
            await asyncio.sleep(self.timing.progress_s)
            await self._perform(self.brain.progressed())

    def _repeat(self) -> None:
        """HELLO until SYNC, ACCEPT until GO, events until EVACK."""
        if not self.link.connected or self._hangs:
            return
        if not self._synced:
            self.voice.say("vend", self._hello())
        for message in self.brain.unanswered()[:RESENT_AT_ONCE]:
            self._say(message)
        self._count()

    def _hello(self) -> Record:
        hello = self.brain.hello(self._session_no)
        if self._updater is None:
            return hello
        return hello | {"hardware": HARDWARE, "build": self._updater.flash.runs.sequence}

    def _owe_count(self, cause: str) -> None:
        """A refill and a boot are told as that, also where a turn of the clock came between."""
        self._count_owed = self._count_owed if cause == "count" and self._count_owed else cause

    def _count(self) -> None:
        if not (self._count_owed and self._synced and self.link.connected and self.idle):
            return
        stocks = self.physics.stocks()
        said = self._inventory.count(self.brain.journal, stocks, self._count_owed)
        if self.voice.say("inventory", said):
            self._count_owed = ""

    def _health(self) -> None:
        if self._hangs:
            return
        wall = utc_now() + WRONG_WALL if self._wrong_clock else utc_now()
        self.voice.say(
            "health",
            {
                "type": "HEALTH",
                "mono_ms": self._ticks.now_ms(),
                "uptime_s": self._ticks.up_ms() // 1000,
                "firmware": self.brain.identity.firmware,
                "config_version": None if self.brain.config is None else self.brain.config.version,
                "temperature_c": self.physics.temperature_c(),
                "door": "open" if self.physics.door_open() else "closed",
                "counters": {"sales": self.physics.counter()},
                "wall": wall.isoformat(),
                "stock": self.physics.stocks(),
            },
        )

    def _watch_food(self) -> None:
        """Between two messages, so that a lock falls before GO or after STARTED, never in
        between."""
        if self._food is None or self.physics.food_locked():
            return
        due = self._food.is_due(
            self.physics.temperature_c(), door_open=self.physics.door_open(),
            now_s=time.monotonic(),
        )  # fmt: skip
        if due:
            self.physics.lock_food(locked=True)
            self._log("error", "too warm for too long: nothing is sold until somebody looks")

    def _log(self, level: str, text: str) -> None:
        line = {"level": level, "at_mono_ms": self._ticks.now_ms(), "text": text}
        self.voice.say("logs", {"lines": [line]})

    def _set_clock(self) -> None:
        self._wrong_clock = self.faults.refresh().wrong_clock
        if self._wrong_clock:
            self._ticks = Ticks(TICKS_PERIOD_MS - WRAP_SOON_MS, SLOW_CRYSTAL)
        else:
            self._ticks = Ticks()
