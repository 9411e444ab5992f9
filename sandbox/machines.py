"""The machines' physical world, as files: what dropped, what is broken, how they look."""

import os
import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from sandbox.errors import UnknownError, UnreadableError

OUTLET_SHAPE = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Faults(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is broken at a machine. The last three happen once and are then cleared."""

    jam: bool = False
    offline: bool = False
    slow: bool = False
    duplicate_done: bool = False
    wrong_slot: bool = False
    late_done: bool = False
    wrong_clock: bool = False
    door_open: bool = False
    temp_lock: bool = False
    slot_fault: bool = False
    firmware_update: bool = False
    motor_dead: bool = False
    motor_stuck: bool = False
    sensor_dead: bool = False
    wipe_journal: bool = False
    refill: bool = False
    power_cut_at: Literal["accepted", "started", "dropped", "recorded"] | None = None


class Machines:
    """The folder with one folder per machine. `known` are those of the configuration."""

    def __init__(self, folder: Path, known: list[str]) -> None:
        self._folder = folder
        self.known = known

    def journal(self, outlet: str) -> list[dict[str, Any]]:
        """What physically dropped, in order; a line torn by a power cut did not happen."""
        try:
            content = (self.place(outlet) / "drops.jsonl").read_bytes()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        drops = [msgspec.json.decode(line, type=dict[str, Any]) for line in whole.splitlines()]
        return [{name: drop.get(name) for name in ("unit_id", "slot", "at")} for drop in drops]

    def faults(self, outlet: str) -> Faults:
        raw = _read(self.place(outlet) / "faults.json")
        kept = {name: value for name, value in raw.items() if name in Faults.__struct_fields__}
        try:
            return msgspec.convert(kept, Faults)
        except msgspec.ValidationError:
            return Faults()

    def break_it(self, outlet: str, wanted: dict[str, Any]) -> Faults:
        """Change the named faults alone; the file is replaced whole, never half written."""
        merged = {**msgspec.to_builtins(self.faults(outlet)), **wanted}
        try:
            faults = msgspec.convert(merged, Faults)
        except msgspec.ValidationError as problem:
            raise UnreadableError(str(problem)) from problem
        target = self.place(outlet) / "faults.json"
        # Faults that only the simulator knows stay as somebody wrote them.
        whole = {**_read(target), **msgspec.to_builtins(faults)}
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_suffix(f".{os.getpid()}.half")
        with half.open("wb") as file:
            file.write(msgspec.json.encode(whole))
            file.flush()
            os.fsync(file.fileno())
        half.replace(target)
        return faults

    def state(self, outlet: str) -> dict[str, Any]:
        """As the simulator last wrote it; an empty object before its first start."""
        return _read(self.place(outlet) / "state.json")

    def stamp(self, outlet: str) -> tuple[int, ...]:
        """Changes whenever one of the files does."""
        return tuple(
            _changed_ns(self.place(outlet) / name)
            for name in ("drops.jsonl", "state.json", "faults.json")
        )

    def place(self, outlet: str) -> Path:
        """The machine's folder, if there is such a machine."""
        folder = self._folder / outlet
        if not OUTLET_SHAPE.fullmatch(outlet):
            raise UnknownError(f"no machine {outlet!r}")
        if outlet not in self.known and not folder.is_dir():
            raise UnknownError(f"no machine {outlet!r}")
        return folder


def _read(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
