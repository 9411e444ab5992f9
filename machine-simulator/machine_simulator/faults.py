"""What is wrong with a machine right now: faults.json, written by people and by the sandbox."""

import json
import logging
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from machine_simulator.files import replace

log = logging.getLogger(__name__)

POWER_STEPS = ("accepted", "started", "dropped", "recorded")


@dataclass(frozen=True)
class FaultSet:
    """Every fault there is. Off by default; `power_cut_at`, `wipe_journal`, `refill`, `visit` fire
    once."""

    jam: bool = False  # the motor turns and nothing falls
    offline: bool = False  # no network; the machine works on
    slow: bool = False
    duplicate_done: bool = False  # every result is sent three times
    late_done: bool = False  # results are held back for a while
    wrong_slot: bool = False  # another slot turns than the one asked for
    wrong_clock: bool = False  # a false wall clock, a slow crystal, ticks close to their wrap
    wipe_journal: bool = False  # the controller is replaced: an empty flash, a new journal_id
    power_cut_at: str | None = None
    door_open: bool = False
    temp_lock: bool = False
    slot_fault: bool = False
    firmware_update: bool = False
    motor_dead: bool = False  # the motor cannot be powered at all
    motor_stuck: bool = False  # the motor never comes home again
    sensor_dead: bool = False  # the drop sensor fails its self-test
    refill: bool = False  # somebody fills every slot up
    warm: bool = False  # its inside has twelve degrees
    thermometer_dead: bool = False  # it tells no temperature
    visit: bool = False  # somebody looks at the food, and ends the lock


class Faults:
    """The file as last read. A half-written or absurd file leaves the faults as they were."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self.now = FaultSet()

    def refresh(self) -> FaultSet:
        """Read the file again if it changed."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._seen, self.now = None, FaultSet()
            return self.now
        seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if seen != self._seen:
            self._seen = seen
            try:
                self.now = _read(self._path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                log.warning("%s is left alone: %s", self._path, error)
        return self.now

    def spend(self, name: str) -> None:
        """A one-shot fault has fired: clear it, and nothing else, in the file."""
        self._seen = None
        try:
            raw: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raw = {}
        raw[name] = None if name == "power_cut_at" else False
        replace(self._path, json.dumps(raw))
        self.refresh()


def _read(text: str) -> FaultSet:
    raw = json.loads(text)
    if not isinstance(raw, dict):
        raise ValueError("not a JSON object")
    step = raw.get("power_cut_at")
    if step is not None and step not in POWER_STEPS:
        raise ValueError(f"power_cut_at is none of {', '.join(POWER_STEPS)}")
    switches = {f.name: bool(raw.get(f.name)) for f in fields(FaultSet) if f.name != "power_cut_at"}
    return FaultSet(power_cut_at=step, **switches)
