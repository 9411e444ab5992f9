"""What must outlive a power cut about vends: raw flash, every record read back before anybody acts.

It numbers events, keeps what the server has not acknowledged, and remembers how far it forgot."""

import json

from coinslot_fw.flash import Banks, FlashError, NoRoomError

FORMAT = 1  # of what is written; an update is refused when its code does not read it
READS = (1,)
_BANK = 16384
_CAPACITY = 16  # units that the server has not acknowledged
_KEEP = 8  # acknowledged ones kept on, to answer for
_RESERVE = 4  # room for tombstones when offers are refused already
_REFUSALS = 16
_PROGRESS_AT_MOST = 4  # lines of a run that took long
_RUN_BYTES = 768  # of flash that one run needs at most, all its lines together
_TOMBSTONE_BYTES = 160
_PERCENT = 100
_VMC = 6  # its place in a verdict


class JournalFullError(Exception):
    """There is no room left for another unit."""


class Unit:
    """One unit as the journal knows it; `tested` is the drop sensor's self-test at its start."""

    def __init__(self, unit_id, seq, slot, tested=False):
        self.unit_id = unit_id
        self.seq = seq
        self.slot = slot
        self.tested = tested
        self.counter_before = None
        self.started = None  # numbers of its events
        self.progress = []
        self.result = None
        # ran_slot, outcome, failure_code, drop, home, counter_after; beside another controller its
        # word, if there is one
        self.verdict = None

    @property
    def state(self):
        return "STARTED" if self.verdict is None else self.verdict[1]

    @property
    def last_event(self):
        return self.result or (self.progress or [self.started])[-1]

    def numbers(self):
        found = ([] if self.started is None else [self.started]) + self.progress
        return found if self.result is None else found + [self.result]

    def evidence(self):
        verdict = self.verdict
        seen = {
            "drop": verdict[3] if verdict else "unknown",
            "home": verdict[4] if verdict else None,
            "counter_before": self.counter_before,
            "counter_after": verdict[5] if verdict else None,
            "sensor_tested": self.tested,
        }
        if verdict and len(verdict) > _VMC:
            seen["vmc"] = verdict[_VMC]
        return seen


class Journal:
    """`new_id` makes the random name of a journal that is new; all else is read off the flash."""

    def __init__(self, flash, new_id, capacity=_CAPACITY, keep=_KEEP):
        self._banks = Banks(flash, _BANK)
        self._capacity = capacity
        self._keep = keep
        self.journal_id = ""
        self.event_seq = 0  # the last one given out
        self.last_seq = 0  # the highest seq started or tombstoned
        self.evicted_seq = 0  # at or below this seq "not found" proves nothing
        self.acked = 0
        self.units = {}
        self.refusals = {}
        self.broken = False  # a bank that cannot be written: nothing is sold any more
        for payload in self._banks.records():
            self._replay(json.loads(payload))
        if not self.journal_id:
            self.journal_id = new_id()
            self._banks.rewrite(self._live())
        elif self._banks.torn:
            self._banks.rewrite(self._live())

    # Asking

    @property
    def full(self):
        """Whether another offer must be refused."""
        if self.broken or self._owing() >= self._capacity:
            return True
        return not self._fits(_RUN_BYTES + _RESERVE * _TOMBSTONE_BYTES)

    @property
    def used(self):
        """Percent of the units that may wait for their EVACK."""
        return min(_PERCENT, self._owing() * _PERCENT // self._capacity)

    def unfinished(self):
        return [unit for unit in self.units.values() if unit.verdict is None]

    def unacked(self, at_most=1000):
        """What the server must still hear, oldest first."""
        owed = sorted((n, unit) for n, unit in self._owed())
        return [self.message(unit, number) for number, unit in owed[:at_most]]

    def first_unacked(self):
        owed = [number for number, _ in self._owed()]
        return min(owed) if owed else None

    def message(self, unit, number):
        """The line with this number, as it is said each time."""
        said = {"unit_id": unit.unit_id, "journal_id": self.journal_id, "event_seq": number}
        if number != unit.result:
            said["type"] = "STARTED" if number == unit.started else "PROGRESS"
            said["counter_before"] = unit.counter_before
            return said
        said["type"] = "RESULT"
        said["slot"], said["outcome"], said["failure_code"] = unit.verdict[:3]
        said["evidence"] = unit.evidence()
        return said

    # Committing: each of these is on the flash when it returns

    def start(self, unit, counter_before):
        if self.full:
            raise JournalFullError
        body = [unit.unit_id, unit.seq, unit.slot, int(unit.tested), counter_before]
        return self._event("s", body)

    def progress(self, unit):
        """None once there are enough of them."""
        if len(unit.progress) >= _PROGRESS_AT_MOST:
            return None
        return self._event("p", [unit.unit_id])

    def conclude(self, unit, verdict):
        return self._event("r", [unit.unit_id] + verdict)

    def bury(self, unit, counter):
        """Commit a tombstone: this unit was not started and never will be."""
        # A run that has begun keeps its room: its RESULT must not fail for want of it.
        kept = _RUN_BYTES if self.unfinished() else 0
        full = self._owing() >= self._capacity + _RESERVE
        if self.broken or full or not self._fits(kept + _TOMBSTONE_BYTES):
            raise JournalFullError
        return self._event("t", [unit.unit_id, unit.seq, unit.slot, counter])

    def refuse(self, unit_id, seq, code):
        self._write(["x", unit_id, seq, code])

    def acknowledge(self, through):
        """Forget nothing above `through`; a number that was never given out is not believed."""
        if not self.acked < through <= self.event_seq:
            return
        self._write(["a", through])
        for seq, unit_id in self._superfluous():
            self._write(["e", unit_id, seq])

    def _superfluous(self):
        """Acknowledged units beyond those kept, the oldest first."""
        settled = sorted((u.seq, u.unit_id) for u in self.units.values() if self._settled(u))
        return settled[: max(0, len(settled) - self._keep)]

    # Within

    def _owed(self):
        for unit in self.units.values():
            for number in unit.numbers():
                if number > self.acked:
                    yield number, unit

    def _settled(self, unit):
        return unit.result is not None and unit.result <= self.acked

    def _owing(self):
        return sum(not self._settled(unit) for unit in self.units.values())

    def _event(self, kind, body):
        number = self.event_seq + 1
        self._write([kind, number] + body)
        return self.message(self.units[body[0]], number)

    def _write(self, line):
        payload = json.dumps(line).encode()
        try:
            self._banks.append(payload)
        except (NoRoomError, FlashError):
            self._move(payload)
        self._replay(line)

    def _move(self, payload):
        """Go on in the other bank, with this record at its end."""
        try:
            self._banks.rewrite(self._live() + [payload])
        except NoRoomError:
            raise JournalFullError from None
        except FlashError:
            self.broken = True
            raise JournalFullError from None

    def _fits(self, more):
        """Whether so many bytes fit, after going on in the other bank if need be."""
        if self._banks.room >= more:
            return True
        live = sum(self._banks.size_of(line) for line in self._live())
        return live + more <= self._banks.capacity

    def _live(self):
        head = [self.journal_id, self.event_seq, self.last_seq, self.evicted_seq, self.acked]
        lines = [["h", FORMAT] + head]
        for unit in self.units.values():
            if unit.started is not None:
                body = [unit.unit_id, unit.seq, unit.slot, int(unit.tested), unit.counter_before]
                lines.append(["s", unit.started] + body)
                lines += [["p", number, unit.unit_id] for number in unit.progress]
                if unit.verdict is not None:
                    lines.append(["r", unit.result, unit.unit_id] + unit.verdict)
            else:
                counter = unit.counter_before
                lines.append(["t", unit.result, unit.unit_id, unit.seq, unit.slot, counter])
        lines += [["x"] + list(key) + [code] for key, code in self.refusals.items()]
        return [json.dumps(line).encode() for line in lines]

    def _replay(self, line):
        """The only place where a record changes what the journal knows, fresh or read again."""
        kind = line[0]
        if kind == "h":
            self.journal_id, self.event_seq, self.last_seq, self.evicted_seq, self.acked = line[2:7]
        elif kind == "a":
            self.acked = line[1]
        elif kind == "e":
            self.units.pop(line[1], None)
            self.evicted_seq = max(self.evicted_seq, line[2])
        elif kind == "x":
            self.refusals[line[1], line[2]] = line[3]
            if len(self.refusals) > _REFUSALS:
                # Dictionaries have no order here: the oldest is the one with the lowest seq.
                del self.refusals[min(self.refusals, key=_seq_of)]
        else:
            self._replay_event(kind, line[1], line[2:])

    def _replay_event(self, kind, number, body):
        self.event_seq = max(self.event_seq, number)
        unit_id = body[0]
        if kind in "st":
            unit = self.units[unit_id] = Unit(unit_id, body[1], body[2])
            self.last_seq = max(self.last_seq, unit.seq)
            if kind == "s":
                unit.started, unit.tested, unit.counter_before = number, bool(body[3]), body[4]
            else:
                unit.result, unit.counter_before = number, body[3]
                unit.verdict = [unit.slot, "TOMBSTONED", None, "unknown", None, body[3]]
        elif kind == "p":
            self.units[unit_id].progress.append(number)
        else:
            unit = self.units[unit_id]
            unit.result, unit.verdict = number, body[1:]


def _seq_of(key):
    return key[1]
