"""Takes the power away at every flash operation, and looks at what is left. Runs on MicroPython and
on CPython, so it imports the firmware alone: `micropython cutting.py FIRST LAST TWICE`."""

import sys

if sys.implementation.name == "micropython":
    sys.path.append(sys.argv[0].rsplit("/", 1)[0] + "/../../firmware")

import json

from coinslot_fw.flash import SECTOR
from coinslot_fw.journal import Journal
from coinslot_fw.lease import hmac_sha256
from coinslot_fw.sight import Sight
from coinslot_fw.vend import Device

SECRET = "the device's own key"
LEASE_MS = 10000
TEARS = ("before", "half", "scattered", "after")


class PowerCutError(Exception):
    """The power is gone."""


class Flash:
    """Raw flash in memory. The operation `cut_at` (1 is the next) loses the power: not begun, half
    done, done in every second byte, or done."""

    def __init__(self, size):
        self.data = bytearray(b"\xff" * size)
        self.operations = 0
        self.cut_at = None
        self.tear = "before"

    def read(self, offset, length):
        return bytes(self.data[offset : offset + length])

    def write(self, offset, data):
        new = bytes([old & byte for old, byte in zip(self.read(offset, len(data)), data)])
        self._operate(offset, new)

    def erase(self, offset):
        assert offset % SECTOR == 0
        self._operate(offset, b"\xff" * SECTOR)

    def _operate(self, offset, new):
        self.operations += 1
        if self.operations != self.cut_at:
            self.data[offset : offset + len(new)] = new
            return
        if self.tear == "after":
            self.data[offset : offset + len(new)] = new
        elif self.tear == "half":
            self.data[offset : offset + len(new) // 2] = new[: len(new) // 2]
        elif self.tear == "scattered":
            for index in range(0, len(new), 2):
                self.data[offset + index] = new[index]
        raise PowerCutError


class World:
    """One machine and the truth about it: what fell, and all that it ever said."""

    def __init__(self):
        self.flash = Flash(32768)
        self.drops = []  # unit ids, in order: the ground truth
        self.armed_at = None
        self.boots = 0
        self.now = 1000
        self.lines = {}  # what was said under each number
        self.ends = {}  # what was said of the end of each unit
        self.wrongs = []
        self.device = None
        self.accept = None  # the last one it said

    def snapshot(self):
        return bytes(self.flash.data), list(self.drops), dict(self.lines), dict(self.ends)

    def restore(self, snapshot):
        self.flash.data = bytearray(snapshot[0])
        self.drops, self.lines, self.ends = list(snapshot[1]), dict(snapshot[2]), dict(snapshot[3])
        self.flash.operations, self.flash.cut_at, self.wrongs = 0, None, []

    # The body

    def counter(self):
        return len(self.drops)

    def refusal(self, slot):
        return "SLOT_FAULT" if slot == "Z9" else None

    def food_locked(self):
        return False

    def arm(self):
        self.armed_at = len(self.drops)
        return True

    def sees(self):
        latched = self.armed_at is not None and len(self.drops) > self.armed_at
        return Sight("A1", latched, True, len(self.drops))

    def now_ms(self):
        return self.now

    # The machine

    def boot(self):
        self.boots += 1
        journal = Journal(self.flash, self.new_id)
        identity = {"keys": {"1": SECRET}, "key_id": "1", "firmware": "cut", "sensor": True}
        self.device = Device(journal, self, self, "boot-%d" % self.boots, identity)
        self.device.wake()
        for line in journal.unacked():
            self.said(line)

    def new_id(self):
        return "journal-%d" % self.boots

    def hear(self, message):
        turn = None
        for kind, what in self.device.receive(message):
            if kind == "turn":
                turn = what
            else:
                self.said(what)
        return turn

    def said(self, message):
        """Whatever it says must be true, and the same for ever."""
        unit_id, number = message.get("unit_id"), message.get("event_seq")
        if message["type"] == "ACCEPT":
            self.accept = message
        if number is not None and message["type"] != "STATUS":
            text = json.dumps(sorted(flat(message)))
            if self.lines.get(number, text) != text:
                self.wrongs.append("line %d says another thing" % number)
            self.lines[number] = text
        end = message.get("outcome") or message.get("state")
        if end in ("STARTED", "ACCEPTED", None):
            return
        if self.ends.get(unit_id, end) != end and end != "FORGOTTEN":
            self.wrongs.append("two ends of one unit: %s, %s" % (self.ends[unit_id], end))
        self.ends[unit_id] = end
        fell = unit_id in self.drops
        if fell != claimed(message, end, fell):
            self.wrongs.append("%s, but fell is %s" % (end, fell))

    def run(self, unit, jam=False):
        """The motor turns: STARTED must be on the flash by now."""
        again = Journal(self.flash, self.new_id)
        if unit.unit_id not in again.units:
            self.wrongs.append("the motor turned before STARTED was on the flash")
        if not jam:
            self.drops.append(unit.unit_id)
        for kind, what in self.device.finished(self.sees()):
            self.said(what)


def claimed(message, end, fell):
    if end == "VENDED":
        return True
    if end in ("FAILED", "TOMBSTONED"):
        return False
    if end == "INTERRUPTED" and message["evidence"]["drop"] in ("yes", "no"):
        return message["evidence"]["drop"] == "yes"
    return fell


def flat(message):
    return [[key, json.dumps(sorted(flat(value)) if isinstance(value, dict) else value)]
            for key, value in message.items()]  # fmt: skip


def go_for(accept, slot="A1", lease_ms=LEASE_MS):
    not_after = accept["mono_ms"] + lease_ms
    fields = (accept["unit_id"], accept["seq"], slot, accept["boot_id"], not_after)
    digest = hmac_sha256(SECRET.encode(), ("%s|%d|%s|%s|%d" % fields).encode())
    return {"type": "GO", "unit_id": fields[0], "seq": fields[1], "boot_id": fields[3],
            "not_after": not_after, "key_id": "1", "hmac": digest}  # fmt: skip


def offer(unit_id, seq, slot="A1"):
    return {"type": "OFFER", "unit_id": unit_id, "seq": seq, "slot": slot, "lease_ms": LEASE_MS}


def query(unit_id, seq):
    return {"type": "QUERY", "unit_id": unit_id, "seq": seq, "nonce": "n", "journal_id": ""}


def unit_of(number):
    return "%08x-0000-7000-8000-%012x" % (number, number)


def step(world, number, kind):
    """One unit from its offer to its EVACK: `good`, `jam`, `query` instead of GO, or `refused`."""
    unit_id = unit_of(number)
    slot = "Z9" if kind == "refused" else "A1"
    world.hear(offer(unit_id, number, slot))
    lease = world.device.lease
    if kind == "query":
        world.hear(query(unit_id, number))
    if lease is not None and lease.unit_id == unit_id:
        turn = world.hear(go_for(lease.accept))
        if turn is not None:
            world.run(turn, jam=kind == "jam")
    acknowledge(world)


def acknowledge(world):
    journal = world.device.journal
    world.hear({"type": "EVACK", "journal_id": journal.journal_id, "through": journal.event_seq})


def recover(world, number, old_go, following):
    """What the server does after the machine came back: GO again, queries, EVACK, another sale."""
    if old_go is not None:
        turn = world.hear(old_go)
        if turn is not None:
            world.wrongs.append("an old GO turned the motor")
            world.run(turn)
    for one in range(number, following):
        world.hear(query(unit_of(one), one))
        if world.ends.get(unit_of(one)) is None and unit_of(one) in world.drops:
            world.wrongs.append("it fell, and nobody knows")
    acknowledge(world)
    step(world, following, "good")
    if unit_of(following) not in world.drops:
        world.wrongs.append("it does not sell any more")
    if len(set(world.drops)) != len(world.drops):
        world.wrongs.append("something fell twice")


def cut_once(world, before, number, kind, cut):
    """Replay one unit with the power cut at this operation; the second number, if there is one, is
    the operation of the recovery at which it is cut again. None: there are no more operations."""
    world.restore(before)
    world.boot()
    started = world.device.journal.journal_id
    world.flash.operations = 0
    world.flash.cut_at, world.flash.tear = cut[0], cut[1]
    world.accept = None
    try:
        step(world, number, kind)
        return None
    except PowerCutError:
        old_go = go_for(world.accept) if world.accept else None
    again = cut[2] if len(cut) > 2 else None
    if again is not None:
        world.flash.operations, world.flash.cut_at = 0, again
        try:
            world.boot()
            recover(world, number, old_go, number + 1)
            return None
        except PowerCutError:
            pass
    world.flash.cut_at = None
    world.boot()
    if world.device.journal.journal_id != started:
        world.wrongs.append("the journal was lost")
    recover(world, number, old_go, number + (1 if again is None else 2))
    return world.wrongs


KINDS = ("good", "jam", "good", "query", "good", "refused")


def vends(first, last, twice):
    """Units one after another, so that every place of a bank and every move to the other bank comes
    along; from `first` on each with the power cut at each of its operations, and each `twice`-th
    with a second cut at each operation of the recovery."""
    world = World()
    world.boot()
    for number in range(1, first):
        step(world, number, KINDS[number % len(KINDS)])
    tally = {"cuts": 0, "double": 0, "wrong": 0, "moves": 0, "what": []}
    for number in range(first, last + 1):
        kind = KINDS[number % len(KINDS)]
        before = world.snapshot()
        operation = 1
        while True:
            for tear in TEARS:
                cut = (operation, tear)
                wrongs = cut_once(world, before, number, kind, cut)
                if wrongs is None:
                    break
                count_in(tally, "cuts", wrongs, (number, kind, cut))
                if twice and number % twice == 0:
                    cut_twice(world, before, number, kind, cut, tally)
            if wrongs is None:
                break
            operation += 1
        world.restore(before)
        world.boot()
        generation = world.device.journal._banks.generation
        step(world, number, kind)
        tally["moves"] += world.device.journal._banks.generation - generation
        tally["wrong"] += len(world.wrongs)
    return tally


def cut_twice(world, before, number, kind, cut, tally):
    again = 1
    while True:
        wrongs = cut_once(world, before, number, kind, (cut[0], cut[1], again))
        if wrongs is None:
            return
        count_in(tally, "double", wrongs, (number, kind, cut, again))
        again += 1


def count_in(tally, name, wrongs, where):
    tally[name] += 1
    if wrongs:
        tally["wrong"] += 1
        if len(tally["what"]) < 5:
            tally["what"].append(repr((where, wrongs)))


if __name__ == "__main__":
    print(json.dumps(vends(*[int(word) for word in sys.argv[1:4]])))
