"""A machine that speaks the leased protocol: the brain, wired to its body, journal and link."""

import asyncio
import dataclasses
import secrets
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from machine_simulator.clock import SLOW_CRYSTAL, TICKS_PERIOD_MS, WRONG_WALL, Ticks, utc_now
from machine_simulator.device import Device, Identity
from machine_simulator.effects import Effect, Reached, Say, Turn
from machine_simulator.files import Record
from machine_simulator.journal import Journal, Limits
from machine_simulator.machine import Machine
from machine_simulator.settings import MachineSpec, Timing

WRAP_SOON_MS = 5_000  # under `wrong_clock` the ticks wrap this soon after they were set
RESENT_AT_ONCE = 64


class LeasedMachine(Machine):
    """Decides nothing: what a message means stands in device.py."""

    brain: Device

    def __init__(self, spec: MachineSpec, timing: Timing, folder: Path) -> None:
        super().__init__(spec, timing, folder)
        self._ticks = Ticks()
        self._wrong_clock = False
        self._session_no = 0
        self._synced = False

    @property
    def idle(self) -> bool:
        return self.brain.running is None

    def boot(self) -> None:
        spec = self.spec
        identity = Identity(
            secret=spec.secret,
            firmware=spec.firmware,
            sensor=spec.sensor,
            price_version=spec.price_version,
            planogram_version=spec.planogram_version,
            age_slots=spec.age_slots,
            key_id=spec.key_id,
        )
        journal = Journal(self.journal_path, Limits(spec.journal_capacity, spec.journal_keep))
        self._set_clock()
        self._session_no = 0
        self.brain = Device(identity, journal, self.physics, self._ticks, secrets.token_hex(8))
        self.brain.wake()
        self.physics.settle()

    def rhythms(self) -> list[Coroutine[Any, Any, None]]:
        timing = self.timing
        return [
            self.every(timing.resend_s, self._repeat),
            self.every(timing.health_s, self._health),
        ]

    def came_up(self) -> None:
        """HELLO first, then at once whatever the server has not acknowledged."""
        self._session_no += 1
        self._synced = False
        self._repeat()
        self.draw()

    async def heed(self, message: Record) -> None:
        if message.get("type") == "SYNC":
            self._synced = True
        await self._perform(self.brain.receive(message))

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
        super().poll()

    async def _perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Say(message):
                    self._say(message)
                case Turn(unit_id, slot):
                    self.start(self._run(unit_id, slot))
                case Reached(step):
                    if step == "accepted" and self.power.fails_at(step):
                        await self.link.flush()  # the ACCEPT leaves, then the lights go out
                    self.reached(step)

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
        if not self.link.connected:
            return
        if not self._synced:
            self.voice.say("vend", self.brain.hello(self._session_no))
        for message in self.brain.unanswered()[:RESENT_AT_ONCE]:
            self._say(message)

    def _health(self) -> None:
        wall = utc_now() + WRONG_WALL if self._wrong_clock else utc_now()
        self.voice.say(
            "health",
            {
                "type": "HEALTH",
                "mono_ms": self._ticks.now_ms(),
                "uptime_s": self._ticks.up_ms() // 1000,
                "firmware": self.spec.firmware,
                "wall": wall.isoformat(),
                "stock": self.physics.stocks(),
            },
        )

    def _set_clock(self) -> None:
        self._wrong_clock = self.faults.refresh().wrong_clock
        if self._wrong_clock:
            self._ticks = Ticks(TICKS_PERIOD_MS - WRAP_SOON_MS, SLOW_CRYSTAL)
        else:
            self._ticks = Ticks()
