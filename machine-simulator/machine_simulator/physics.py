"""The machine's body: motors, gravity, stock, a drop sensor with a latch, a sales counter.

Physics keeps its own files and knows no protocol: drops.jsonl is the ground truth of what fell.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from machine_simulator import files
from machine_simulator.clock import utc_now
from machine_simulator.faults import Faults
from machine_simulator.food import COOL_C, WARM_C


@dataclass(frozen=True)
class Sight:
    """What the controller can see of its body; `latched` is None where no sensor is fitted."""

    slot: str | None  # the slot that really turned since the sensor was armed
    latched: bool | None  # something fell since then
    home: bool  # the motor stands at its home switch
    counter: int
    powered: bool = True  # the motor got current in this run
    completed: bool = True  # the run ended by itself, the time to fall included


@dataclass(frozen=True)
class Moving:
    """Positions that stay where they are without power."""

    armed_at: int | None = None  # drops when the latch was reset; None is a sensor that is dead
    turned: str | None = None
    away: bool = False
    turns: int = 0
    refilled: Mapping[str, int] | None = None
    locked: bool = False  # the food lock fell, and nobody has looked since


@dataclass(frozen=True)
class Tempo:
    """How long things take, in seconds."""

    vend_s: float = 0.8
    slow_s: float = 8.0
    fall_s: float = 0.1


class Physics:
    """The latch and the stock are read off drops.jsonl: one write makes the fall and its traces,
    so that no power cut can come between them."""

    def __init__(
        self, folder: Path, slots: Mapping[str, int], faults: Faults, tempo: Tempo, *, sensor: bool
    ) -> None:
        self.sensor = sensor
        self._slots = dict(slots)
        self._faults = faults
        self._tempo = tempo
        self._drops = files.Lines(folder / "drops.jsonl")
        self._fallen = Counter(str(drop["slot"]) for drop in self._drops.read())
        self._path = folder / "physics.json"
        try:
            self._moving = Moving(**json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            self._moving = Moving()

    # What the controller can read

    def counter(self) -> int:
        """Never goes back. Wired to the drop sensor; without one, to the motor's cam."""
        return self._fallen.total() if self.sensor else self._moving.turns

    def stock(self, slot: str) -> int:
        refilled = (self._moving.refilled or {}).get(slot, 0)
        return max(0, self._slots[slot] + refilled - self._fallen[slot])

    def stocks(self) -> dict[str, int]:
        return {slot: self.stock(slot) for slot in self._slots}

    def refusal(self, slot: str) -> str | None:
        """Why nothing could be sold from this slot now, as the protocol names it."""
        faults = self._faults.refresh()
        if faults.firmware_update:
            return "FIRMWARE"
        if faults.door_open:
            return "DOOR_OPEN"
        if self.food_locked():
            return "TEMP_LOCK"
        if slot not in self._slots or faults.slot_fault:
            return "SLOT_FAULT"
        return "SLOT_EMPTY" if self.stock(slot) == 0 else None

    def food_locked(self) -> bool:
        return self._moving.locked or self._faults.refresh().temp_lock

    def door_open(self) -> bool:
        return self._faults.refresh().door_open

    def temperature_c(self) -> float | None:
        """None: the thermometer says nothing."""
        faults = self._faults.refresh()
        if faults.thermometer_dead:
            return None
        return WARM_C if faults.warm else COOL_C

    def arm(self) -> bool:
        """Reset the latch and let the sensor test itself; True if it passed."""
        tested = self.sensor and not self._faults.refresh().sensor_dead
        armed_at = self._fallen.total() if tested else None
        self._keep(armed_at=armed_at, turned=None)
        return tested

    def sees(self) -> Sight:
        armed_at = self._moving.armed_at
        return Sight(
            slot=self._moving.turned,
            latched=(armed_at is not None and self._fallen.total() > armed_at)
            if self.sensor
            else None,
            home=not self._moving.away,
            counter=self.counter(),
        )

    # What happens

    async def turn(self, slot: str, unit_id: str | None, fell: Callable[[], None]) -> Sight:
        """One energise sequence; `fell` is called at the instant something fell."""
        faults = self._faults.refresh()
        if faults.motor_dead:
            return replace(self.sees(), powered=False)
        slot = self._other(slot) if faults.wrong_slot else slot
        half_s = (self._tempo.slow_s if faults.slow else self._tempo.vend_s) / 2
        self._keep(away=True, turned=slot)
        await asyncio.sleep(half_s)
        if not self._faults.refresh().jam and self.stock(slot) > 0:
            self._drop(slot, unit_id)
            fell()
        await asyncio.sleep(half_s)
        if self._faults.refresh().motor_stuck:
            await asyncio.Event().wait()
        self._keep(away=False, turns=self._moving.turns + 1)
        await asyncio.sleep(self._tempo.fall_s)
        return self.sees()

    def lock_food(self, *, locked: bool) -> None:
        """It outlives the power."""
        if locked != self._moving.locked:
            self._keep(locked=locked)

    def settle(self) -> None:
        """The motor's spring brings it home, without current and without selling anything."""
        if self._moving.away:
            self._keep(away=False)

    def refill(self) -> None:
        """Somebody fills every slot up to what it started with."""
        self._keep(refilled=dict(self._fallen))

    def _drop(self, slot: str, unit_id: str | None) -> None:
        at = utc_now().isoformat()
        self._drops.append({"unit_id": unit_id, "slot": slot, "at": at})
        self._fallen[slot] += 1

    def _other(self, slot: str) -> str:
        """The next slot that has goods; a machine with one slot cannot turn a wrong one."""
        names = list(self._slots)
        start = names.index(slot) if slot in names else 0
        around = [*names[start + 1 :], *names[:start]]
        return next((name for name in around if self.stock(name) > 0), slot)

    def _keep(self, **changes: object) -> None:
        self._moving = replace(self._moving, **changes)  # type: ignore[arg-type]
        files.replace(self._path, json.dumps(asdict(self._moving)))
