"""The firmware's rules on the workbench of the simulator's: the same messages, the same body, the
same questions, asked of the other device."""

from dataclasses import dataclass, field
from typing import Any

from coinslot_fw.clock import Clock
from coinslot_fw.journal import Journal
from coinslot_fw.vend import Device

from machine_simulator.clock import TICKS_PERIOD_MS
from machine_simulator.effects import Effect, Reached, Say, Turn
from machine_simulator.faults import Faults
from machine_simulator.journal import Limits
from machine_simulator.physics import Physics, Sight
from tests.firmware.cutting import Flash
from tests.simulator.bench_device import IN_NO_TIME, SECRET, Message, Workbench


class Told:
    """A unit of the firmware's journal, as tests of the simulator look at it."""

    def __init__(self, journal: Any, unit: Any) -> None:
        self.state = unit.state
        self.result = journal.message(unit, unit.result) if unit.result else None
        self.events = {number: journal.message(unit, number) for number in unit.numbers()}


class ReadJournal:
    """The firmware's journal with units as the simulator's has them."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    @property
    def units(self) -> dict[str, Told]:
        return {key: Told(self._journal, unit) for key, unit in self._journal.units.items()}


class Adapted:
    """The firmware's device, whose effects are pairs."""

    def __init__(self, device: Any) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def tick(self) -> None:
        self._device._clock.now_ms()

    def receive(self, message: Message) -> list[Effect]:
        return _effects(self._device.receive(message))

    def finished(self, sight: Sight) -> list[Effect]:
        return [Reached("recorded"), *_effects(self._device.finished(sight))]

    def progressed(self) -> list[Effect]:
        return _effects(self._device.progressed())


def _effects(pairs: list[tuple[str, Any]]) -> list[Effect]:
    effects: list[Effect] = []
    for kind, what in pairs:
        if kind == "turn":
            effects.append(Turn(what.unit_id, what.slot))
            continue
        if what["type"] == "STARTED":
            effects.append(Reached("started"))
        effects.append(Say(what))
        if what["type"] == "ACCEPT":
            effects.append(Reached("accepted"))
    return effects


@dataclass
class FirmwareBench(Workbench):
    """`reboot()` is a power cut and a start: what is left lies in the flash, and in the body."""

    flash: Flash = field(default_factory=lambda: Flash(32768))
    names: int = 0

    def reboot(self) -> list[Effect]:
        self.boots += 1
        self.faults = Faults(self.folder / "faults.json")
        self.body = Physics(
            self.folder, self.slots, self.faults, IN_NO_TIME, sensor=self.identity.sensor
        )
        clock = Clock(lambda: (self.start_ms + int(self.seconds * 1000)) % TICKS_PERIOD_MS)
        identity = {
            "keys": {"1": SECRET}, "key_id": self.identity.key_id, "sensor": self.identity.sensor,
            "firmware": self.identity.firmware,
        }  # fmt: skip
        made = Device(self.read(), self.body, clock, f"boot-{self.boots}", identity)
        self.journal = ReadJournal(made.journal)  # type: ignore[assignment]
        self.device = Adapted(made)  # type: ignore[assignment]
        return _effects(made.wake())

    def read(self) -> Any:
        """The journal as the flash has it."""
        self.names += 1
        bounds = () if self.limits == Limits() else (self.limits.capacity, self.limits.keep)
        return Journal(self.flash, lambda: f"j{self.names}", *bounds)
