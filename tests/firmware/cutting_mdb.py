"""A controller (VMC) on the MDB bus of the firmware, and every way to cut the two apart: a reset
of either at each byte, wrong and lost bytes, silence, and the power at each flash operation. On
CPython and on MicroPython: `micropython cutting_mdb.py STEP TWICE [STORY]`."""

import json
import sys

if sys.implementation.name == "micropython":
    HERE = sys.argv[0].rsplit("/", 1)[0]
    sys.path.append(HERE)
    sys.path.append(HERE + "/../../firmware")
    import cutting
else:
    from tests.firmware import cutting

from coinslot_fw.journal import Journal
from coinslot_fw.mdb import ACK, MODE, NAK, MdbDevice
from coinslot_fw.sight import Sight

ITEM, PRICE = 17, 4000
LEASE_MS = 60000
POLLS = 6  # that a controller waits for an answer
FAULTS = ("vmc", "reader", "flip", "ninth", "lose", "dead")


class SilentError(Exception):
    """The reader does not answer, or says what makes the controller start anew."""


class Vmc:
    """A controller that tells the truth. It vends once for a request that 05 approves, and says
    what came of it. `life()` gives frames of words, and is sent the words of their answers.

    `customer` is what is done in each session: ("buy", price, item, falls), ("cancel", price,
    item), ("leave",), ("wait", call)."""

    def __init__(self, customer, drop):
        self.customer = customer
        self.drop = drop
        self.asked = None
        self.enabled = False
        self.sessions = 0

    def life(self):
        while True:
            self.asked, self.enabled = None, False
            try:
                yield from self._start()
                self.enabled = True
                while True:
                    said = yield from self._poll()
                    if said[:1] == b"\x03":
                        self.sessions += 1
                        yield from self._session()
            except SilentError:
                pass

    def _start(self):
        yield from self._ask(0x10)
        yield from self._until(b"\x00")
        config = yield from self._ask(0x11, 0, 1, 0, 0, 0)
        if config[:2] != b"\x01\x01":
            raise SilentError
        yield from self._ask(0x11, 1, 255, 255, 0, 0)
        yield from self._ask(0x17, 0, *([32] * 29))
        yield from self._ask(0x14, 1)

    def _session(self):
        for action in self.customer:
            if action[0] == "leave":
                break
            if action[0] == "wait":
                action[1]()
                if (yield from self._until(b"\x04", b"")) == b"\x04":
                    break
                continue
            price, item = self.asked = action[1:3]
            yield from self._ask(0x13, 0, price >> 8, price & 255, item >> 8, item & 255)
            if action[0] == "cancel":
                yield from self._ask(0x13, 1)
            said = yield from self._until(b"\x05", b"\x06", b"\x04")
            if said == b"\x04":
                break
            if said == b"\x05":
                yield from self._vend(item, action[3])
                break
        self.asked = None
        yield from self._ask(0x13, 4)
        yield from self._until(b"\x07")

    def _vend(self, item, falls):
        self.asked = None
        if falls:
            self.drop()
            yield from self._ask(0x13, 2, item >> 8, item & 255)
        else:
            yield from self._ask(0x13, 3)

    def _until(self, *kinds):
        """Poll for one of these answers; an empty kind: give up without harm."""
        for _ in range(POLLS):
            said = yield from self._poll()
            if said[:1] in kinds and said:
                return said[:1]
        if b"" in kinds:
            return b""
        raise SilentError

    def _poll(self):
        said = yield from self._ask(0x12)
        if said[:1] == b"\x0b" or (self.enabled and said[:1] == b"\x00"):
            raise SilentError  # out of sequence, or the reader started anew
        return said

    def _ask(self, *command):
        """One command, said up to three times."""
        words = list(command) + [sum(command) & 0xFF]
        words[0] |= MODE
        for _ in range(3):
            reply = yield words
            if reply == [MODE | ACK]:
                return b""
            said = checked(reply)
            if said is not None:
                yield [ACK]
                return said
            if reply:
                yield [NAK]
        raise SilentError


def checked(reply):
    """The data of an answer, or None."""
    if len(reply) < 2 or not reply[-1] & MODE:
        return None
    if any(word & MODE for word in reply[:-1]):
        return None
    if sum(reply[:-1]) & 0xFF != reply[-1] & 0xFF:
        return None
    return bytes(reply[:-1])


class World(cutting.World):
    """One reader beside a controller, and the truth about both."""

    def __init__(self):
        super().__init__()
        self.unit = None  # the unit paid now
        self.faults = []  # at which word, which; a second one counts from the first
        self.words = 0
        self.vmc = None
        self.dead = False

    def restore(self, snapshot):
        super().restore(snapshot)
        self.faults, self.words, self.dead, self.now = [], 0, False, 1000

    def refusal(self, slot):
        return None

    def sees(self):
        return Sight(None, None, None, len(self.drops))

    def boot(self):
        self.boots += 1
        self.flash.cut_at = None
        journal = Journal(self.flash, self.new_id)
        identity = {"keys": {"1": cutting.SECRET}, "key_id": "1", "firmware": "cut",
                    "sensor": False, "mdb": {"items": {"A1": ITEM}}}  # fmt: skip
        self.device = MdbDevice(journal, self, self, "boot-%d" % self.boots, identity)
        self.device.wake()
        for line in journal.unacked():
            self.said(line)

    def drop(self):
        if self.ends.get(self.unit) in ("TOMBSTONED", "FAILED"):
            self.wrongs.append("it fell after %s" % self.ends[self.unit])
        unit = Journal(self.flash, self.new_id).units.get(self.unit)
        if unit is None or unit.started is None:
            self.wrongs.append("it fell, and STARTED is not on the flash")
        self.drops.append(self.unit)

    # The bus

    def controller(self, customer):
        self.vmc = Vmc(customer, self.drop)
        self.power_up()

    def power_up(self):
        self.life = self.vmc.life()
        self.next = next(self.life)

    def frames(self, count):
        """So many frames go over the bus, with what is put in their way."""
        for _ in range(count):
            if self.dead:
                return
            self._frame()
            self.now += 50
            self._careful(self.tick)

    def tick(self):
        self.device.tick()
        self.tell()

    def tell(self):
        for _, what in self.device.taken():
            self.said(what)

    def _careful(self, act, *arguments):
        """A power cut in the middle of it is a new start."""
        try:
            return act(*arguments)
        except cutting.PowerCutError:
            self.boot()
            return ()

    def _frame(self):
        reply, life = [], self.life
        for word in self.next:
            word = self._through(word)
            if self.life is not life or self.dead:
                return
            if word is not None:
                reply = list(self._careful(self._hear, word))
        heard = []
        for word in reply:
            word = self._through(word)
            if self.life is not life or self.dead:
                return
            if word is not None:
                heard.append(word)
        self.next = life.send(heard)

    def _hear(self, word):
        words = list(self.device.heard(word))
        if len(words) == 4 and words[0] == 5:
            self._approved(words)
        self.tell()
        return words

    def _approved(self, words):
        unit = Journal(self.flash, self.new_id).units.get(self.unit)
        if unit is None or unit.state != "STARTED":
            self.wrongs.append("05 before STARTED was on the flash")
        if self.vmc.asked not in (None, (PRICE, ITEM)) or words[1] << 8 | words[2] != PRICE:
            self.wrongs.append("05 for another item or price")

    def _through(self, word):
        """The word as it arrives, or None."""
        self.words += 1
        if not self.faults or self.words != self.faults[0][0]:
            return word
        kind, self.words = self.faults.pop(0)[1], 0
        if kind == "vmc":
            self.power_up()
        elif kind == "reader":
            self.boot()
        elif kind == "dead":
            self.dead = True
        if kind == "flip":
            return word ^ 1
        return word ^ MODE if kind == "ninth" else None

    # The server

    def pay(self, number):
        self.unit = cutting.unit_of(number)
        self.accept = None
        self.hear(offer(self.unit, number))
        accept = self.accept
        if accept is not None:
            self.hear(go_for(accept))
        return accept

    def settle(self, number, accept):
        """What the server does once the lease is over: the old GO again, a query, EVACK."""
        for _ in range(3):
            self.now += LEASE_MS + 1000
            self._careful(self.tick)
        if accept is not None:
            self._careful(self.hear, go_for(accept))
        self._careful(self.hear, cutting.query(self.unit, number))
        if self.ends.get(self.unit) is None:
            self.wrongs.append("nobody knows how it ended")
        if self.unit in self.drops and self.ends.get(self.unit) in ("TOMBSTONED", "FAILED"):
            self.wrongs.append("both")
        if self.unit not in self.drops and self.ends.get(self.unit) == "VENDED":
            self.wrongs.append("neither")
        if len(set(self.drops)) != len(self.drops):
            self.wrongs.append("something fell twice")
        cutting.acknowledge(self)


def offer(unit_id, seq):
    said = cutting.offer(unit_id, seq)
    said["lease_ms"], said["amount_minor"] = LEASE_MS, PRICE
    return said


def go_for(accept):
    return cutting.go_for(accept, lease_ms=LEASE_MS)


BUY, JAM = ("buy", PRICE, ITEM, True), ("buy", PRICE, ITEM, False)
OTHER, CHEAP = ("buy", PRICE, 9, True), ("buy", PRICE - 1, ITEM, True)
# What customers do, and how their unit then ends where nothing goes wrong.
STORIES = {
    "buys": ((BUY,), "VENDED"),
    "gets nothing": ((JAM,), "FAILED"),
    "wants another item first": ((OTHER, CHEAP, BUY), "VENDED"),
    "wants other things": ((OTHER, CHEAP, ("leave",)), "TOMBSTONED"),
    "takes it back": ((("cancel", PRICE, ITEM), BUY), "FAILED"),
    "leaves": ((("leave",),), "TOMBSTONED"),
    "does nothing": ((("wait", "late"), BUY), "TOMBSTONED"),
    "is asked about": ((("wait", "query"), BUY), "TOMBSTONED"),
}
FRAMES = 30  # enough for the longest story, and for a controller that starts anew in it


def customer_of(world, story, number):
    """The actions, with those that happen in the world itself."""

    def late():
        world.now += LEASE_MS + 1

    def query():
        world._careful(world.hear, cutting.query(cutting.unit_of(number), number))

    calls = {"late": late, "query": query}
    return [("wait", calls[a[1]]) if a[0] == "wait" else a for a in STORIES[story][0]]


def told(world, before, number, story, *faults):
    """One sale with this in its way, and one after it that must go well. The wrongs, or None where
    the story is over before all of it came."""
    world.restore(before)
    world.boot()
    world.controller(customer_of(world, story, number))
    world.frames(22)
    world.words = world.flash.operations = 0
    if faults and faults[0][1] in cutting.TEARS:
        world.flash.cut_at, world.flash.tear = faults[0]
    else:
        world.faults = list(faults)
    try:
        accept = world.pay(number)
    except cutting.PowerCutError:
        accept = world.accept
        world.boot()
    world.frames(FRAMES)
    if world.faults or world.flash.cut_at is not None:
        return None
    world.settle(number, accept)
    if not faults and world.ends.get(world.unit) != STORIES[story][1]:
        world.wrongs.append("it ended as %s" % world.ends.get(world.unit))
    again(world, number + 1)
    return world.wrongs


def again(world, number):
    """Whatever happened: after it the machine sells."""
    world.dead = False
    world.controller([BUY])
    world.frames(24)
    accept = world.pay(number)
    world.frames(16)
    world.settle(number, accept)
    if world.ends.get(world.unit) != "VENDED":
        world.wrongs.append("it does not sell any more: %s" % world.ends.get(world.unit))


def exchange(story, step=1):
    """This story with a reset of either at each byte, the power cut at each flash operation, and
    all else that may happen to a byte at each `step`-th."""
    world = World()
    world.boot()
    before = world.snapshot()
    tally = {"cuts": 0, "double": 0, "wrong": 0, "what": []}
    cutting.count_in(tally, "cuts", told(world, before, 1, story), (story,))
    for kind in FAULTS + cutting.TEARS:
        at = 1
        while True:
            wrongs = told(world, before, 1, story, (at, kind))
            if wrongs is None:
                break
            cutting.count_in(tally, "cuts", wrongs, (story, at, kind))
            at += step if kind in FAULTS[2:] else 1
    return tally


def exchange_twice(story, first, step, tally):
    """The same with a reset of one at each byte, and of either at each `step`-th byte after it."""
    world = World()
    world.boot()
    before = world.snapshot()
    at = 1
    while told(world, before, 1, story, (at, first)) is not None:
        for second in ("vmc", "reader"):
            then = 1
            while True:
                cuts = ((at, first), (then, second))
                wrongs = told(world, before, 1, story, *cuts)
                if wrongs is None:
                    break
                cutting.count_in(tally, "double", wrongs, (story, cuts))
                then += step
        at += 1


def exchanges(step, twice, stories):
    total = {"cuts": 0, "double": 0, "wrong": 0, "what": []}
    for story in stories:
        for name, found in exchange(story, step).items():
            total[name] += found
        if twice:
            for first in ("vmc", "reader"):
                exchange_twice(story, first, twice, total)
    return total


if __name__ == "__main__":
    wanted = sorted(STORIES) if len(sys.argv) < 4 else [sys.argv[3].replace("_", " ")]
    print(json.dumps(exchanges(int(sys.argv[1]), int(sys.argv[2]), wanted)))
