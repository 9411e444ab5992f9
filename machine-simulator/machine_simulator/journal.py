"""The device's flash journal: append-only, every line synced before anybody acts on it.

It numbers events, keeps what the server has not acknowledged, and remembers how far it forgot.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from machine_simulator.files import Lines, Record

TOMBSTONE_RESERVE = 8  # units; room for tombstones when offers are already refused
REFUSALS_KEPT = 64
DEAD_LINES_MAX = 256  # rewritten once so many lines tell nothing any more


class JournalFullError(Exception):
    """There is no room left for another unit."""


@dataclass(frozen=True)
class Limits:
    """How many units the flash holds: unacknowledged ones, and acknowledged ones kept on."""

    capacity: int = 64
    keep: int = 32


@dataclass
class Unit:
    """One unit as the journal knows it; `tested` is the drop sensor's self-test at its start."""

    unit_id: str
    seq: int
    slot: str
    tested: bool = False
    events: dict[int, Record] = field(default_factory=dict)
    result: Record | None = None

    @property
    def state(self) -> str:
        return "STARTED" if self.result is None else str(self.result["outcome"])

    @property
    def last_event_seq(self) -> int:
        return max(self.events)

    @property
    def counter_before(self) -> int | None:
        first = self.events[min(self.events)]
        value: int | None = first.get("counter_before")
        return value


class Journal:
    """Reads itself from the file; a missing file is a new journal with a new journal_id."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        self._lines = Lines(path)
        self._limits = limits or Limits()
        self.journal_id = ""
        self.event_seq = 0  # the last one given out
        self.last_seq = 0  # the highest seq started or tombstoned
        self.evicted_seq = 0  # at or below this seq, "not found" proves nothing
        self.acked = 0
        self.units: dict[str, Unit] = {}
        self.refusals: dict[tuple[str, int], Record] = {}
        self._line_count = 0
        for line in self._lines.read():
            self._replay(line)
        if not self.journal_id:
            self._write({"kind": "born", "journal_id": secrets.token_hex(8)})

    # Asking

    @property
    def full(self) -> bool:
        """Whether another offer must be refused."""
        return self._owing() >= self._limits.capacity

    def unfinished(self) -> list[Unit]:
        return [unit for unit in self.units.values() if unit.result is None]

    def unacked(self) -> list[Record]:
        """What the server must still hear, oldest first."""
        return [
            unit.events[number]
            for number, unit in sorted(self._numbered(), key=lambda pair: pair[0])
            if number > self.acked
        ]

    # Committing: each of these is on the flash when it returns

    def start(self, unit: Unit, counter_before: int) -> Record:
        if self.full:
            raise JournalFullError
        return self._event(unit, {"type": "STARTED"}, {"counter_before": counter_before})

    def progress(self, unit: Unit) -> Record:
        return self._event(unit, {"type": "PROGRESS"}, {"counter_before": unit.counter_before})

    def conclude(self, unit: Unit, verdict: Mapping[str, object]) -> Record:
        """Commit the RESULT; `verdict` has slot, outcome, failure_code and evidence."""
        return self._event(unit, {"type": "RESULT"}, verdict)

    def bury(self, unit: Unit, verdict: Mapping[str, object]) -> Record:
        """Commit a tombstone: this unit was not started and never will be."""
        if self._owing() >= self._limits.capacity + TOMBSTONE_RESERVE:
            raise JournalFullError
        return self._event(unit, {"type": "RESULT"}, verdict)

    def refuse(self, message: Record) -> None:
        self._write({"kind": "refusal", "message": message})
        self._trim()

    def acknowledge(self, through: int) -> None:
        """Forget nothing above `through`; a number that was never given out is not believed."""
        if self.acked < through <= self.event_seq:
            self._write({"kind": "acked", "through": through})
            self._evict()

    # Within

    def _numbered(self) -> Iterator[tuple[int, Unit]]:
        for unit in self.units.values():
            for number in unit.events:
                yield number, unit

    def _owing(self) -> int:
        return sum(not self._settled(unit) for unit in self.units.values())

    def _settled(self, unit: Unit) -> bool:
        return unit.result is not None and unit.last_event_seq <= self.acked

    def _event(self, unit: Unit, head: Record, body: Mapping[str, object]) -> Record:
        numbers = {"journal_id": self.journal_id, "event_seq": self.event_seq + 1}
        message = {**head, "unit_id": unit.unit_id, **numbers, **body}
        about = {"seq": unit.seq, "slot": unit.slot, "tested": unit.tested}
        self._write({"kind": "event", **about, "message": message})
        return message

    def _evict(self) -> None:
        """Drop the oldest acknowledged units beyond those kept; say in the file that it was so."""
        settled = sorted(
            (unit for unit in self.units.values() if self._settled(unit)), key=lambda u: u.seq
        )
        for unit in settled[: max(0, len(settled) - self._limits.keep)]:
            self._write({"kind": "evicted", "unit_id": unit.unit_id, "seq": unit.seq})
        self._trim()

    def _trim(self) -> None:
        """Rewrite the file once most of it tells nothing any more."""
        if self._line_count - self._live_lines() > DEAD_LINES_MAX:
            self._compact()

    def _live_lines(self) -> int:
        return 1 + sum(1 for _ in self._numbered()) + len(self.refusals)

    def _compact(self) -> None:
        head = {
            "kind": "born",
            "journal_id": self.journal_id,
            "event_seq": self.event_seq,
            "last_seq": self.last_seq,
            "evicted_seq": self.evicted_seq,
            "acked": self.acked,
        }
        events = [
            {
                "kind": "event",
                "seq": unit.seq,
                "slot": unit.slot,
                "tested": unit.tested,
                "message": unit.events[number],
            }
            for number, unit in sorted(self._numbered(), key=lambda pair: pair[0])
        ]
        refusals = [{"kind": "refusal", "message": m} for m in self.refusals.values()]
        self._lines.rewrite([head, *events, *refusals])
        self._line_count = 1 + len(events) + len(refusals)

    def _write(self, line: Record) -> None:
        self._lines.append(line)
        self._replay(line)

    def _replay(self, line: Record) -> None:
        """The only place where a line changes what the journal knows, fresh or read again."""
        self._line_count += 1
        match line["kind"]:
            case "born":
                self.journal_id = line["journal_id"]
                self.event_seq = line.get("event_seq", 0)
                self.last_seq = line.get("last_seq", 0)
                self.evicted_seq = line.get("evicted_seq", 0)
                self.acked = line.get("acked", 0)
            case "event":
                self._replay_event(line)
            case "refusal":
                message = line["message"]
                self.refusals[message["unit_id"], message["seq"]] = message
                while len(self.refusals) > REFUSALS_KEPT:
                    del self.refusals[next(iter(self.refusals))]
            case "acked":
                self.acked = line["through"]
            case "evicted":
                self.units.pop(line["unit_id"], None)
                self.evicted_seq = max(self.evicted_seq, line["seq"])
            case unknown:
                raise ValueError(f"{self._lines.path}: a line of kind {unknown!r}")

    def _replay_event(self, line: Record) -> None:
        message = line["message"]
        fresh = Unit(message["unit_id"], line["seq"], line["slot"], line["tested"])
        unit = self.units.setdefault(message["unit_id"], fresh)
        unit.events[message["event_seq"]] = message
        if message["type"] == "RESULT":
            unit.result = message
        self.event_seq = max(self.event_seq, message["event_seq"])
        self.last_seq = max(self.last_seq, line["seq"])
