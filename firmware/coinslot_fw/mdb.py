"""The cashless reader beside a machine's own controller (VMC), on its MDB bus: MDB/ICP chapter 7,
level 1, in words of nine bits. Nothing here waits. What must be on the flash is there before the
words that rest on it are given out, so that a reset at any word leaves truth or a named doubt."""

import asyncio

from coinslot_fw.journal import JournalFullError, Unit
from coinslot_fw.vend import Device

MODE = 0x100  # the ninth bit: an address from the controller, the last word of an answer from us
ACK, RET, NAK = 0x00, 0xAA, 0xFF
_OURS = 0x10  # cashless device 1: commands 10 to 17
_RESET, _SETUP, _POLL, _VEND, _READER, _EXPANSION = 0x10, 0x11, 0x12, 0x13, 0x14, 0x17
# Answers to a poll
_JUST_RESET, _BEGIN, _CANCEL, _APPROVED, _DENIED, _END, _OUT_OF_SEQUENCE = 0, 3, 4, 5, 6, 7, 11
_NO_FUNDS = 0xFFFF
_ANY_ITEM = 0xFFFF  # a controller that does not say which
_NONE, _OPEN, _VENDING, _DONE = 0, 1, 2, 3  # of a session
_DEAF_MS = 5000  # without a poll for so long there is no controller to sell with
_DONE_MS = 10000  # a session whose vend is over, and that nobody ends
_FRAME_WORDS = {  # with address and checksum; the longest command is bounded by these
    (_SETUP, 0): 7, (_SETUP, 1): 7, (_VEND, 0): 7, (_VEND, 1): 3, (_VEND, 2): 5, (_VEND, 3): 3,
    (_VEND, 4): 3, (_VEND, 5): 7, (_READER, 0): 3, (_READER, 1): 3, (_READER, 2): 3,
    (_EXPANSION, 0): 32, (_EXPANSION, 4): 7,
}  # fmt: skip


def framed(data):
    """The words of an answer: data, checksum, and the ninth bit on the last."""
    return list(data) + [sum(data) & 0xFF | MODE]


async def serve(app):
    """The bus and the time that it may take; `app` is the boot of main.py. Never returns."""
    bus, device = app.hal.mdb, app.device
    while True:
        word = bus.read()
        if word is None:
            device.tick()
            await asyncio.sleep(0.002)
        else:
            bus.write(device.heard(word))
        said = device.taken()
        if said:
            app._perform(said)


def _two(data):
    return data[0] << 8 | data[1]


class Reader:
    """The bus. `desk` knows the unit: choose(price, item), sold(item), ended(outcome, code, vmc),
    over(). `about` is the board's: currency, scale, decimals."""

    def __init__(self, desk, about, clock):
        self.session = _NONE
        self._desk = desk
        self._about = about
        self._clock = clock
        self._enabled = False
        self._polled_at = None
        self._since = 0  # of this state of the session
        self._frame = None  # words of a command under way; None: not for us; empty: it is whole
        self._queue = [bytes((_JUST_RESET,))]  # answers for polls to come
        self._sent = None  # the last answer, while the controller may ask for it again
        self._asked = None  # price and item under way
        self._begun = False  # 03 went on the bus
        self._allowed = False  # 05 did
        self._last = None  # how the controller said that the vend ended

    @property
    def ready(self):
        """Whether a session could begin now."""
        if not self._enabled or self.session != _NONE or self._polled_at is None:
            return False
        return self._clock.now_ms() - self._polled_at < _DEAF_MS

    def begin(self, funds):
        if self._enabled and self.session == _NONE:
            self._queue.append(bytes((_BEGIN, funds >> 8, funds & 0xFF)))
            self._begun = False
            self._turn_to(_OPEN)

    def close(self):
        """Ask the controller to end the session; until it does, every request is denied."""
        if self.session == _NONE:
            return
        if self._queue and self._queue[0][0] == _BEGIN and not self._begun:
            self._queue = []
            self._turn_to(_NONE)  # the controller knows nothing of it yet
            return
        self._turn_to(_DONE)
        self._queue = [bytes((_CANCEL,))]

    def tick(self, granted):
        """`granted`: a unit may still be chosen in this session."""
        late = self.session == _DONE and self._clock.now_ms() - self._since > _DONE_MS
        if late or (self.session == _OPEN and not granted):
            self.close()

    def _turn_to(self, session):
        self.session, self._since = session, self._clock.now_ms()

    # Words

    def heard(self, word):
        """The words to write."""
        if word & MODE:
            self._unanswered()
            self._frame = [word & 0xFF] if word & 0xF8 == _OURS else None
            return ()
        if self._frame is None:
            return ()
        if not self._frame:
            return self._reply(word)
        frame = self._frame
        frame.append(word)
        length = 2
        if frame[0] not in (_RESET, _POLL):
            length = _FRAME_WORDS.get((frame[0], frame[1]))
            if length is None:
                self._frame = None  # not of level 1: silence says so
                return ()
        if len(frame) < length:
            return ()
        self._frame = []
        if sum(frame[:-1]) & 0xFF != frame[-1]:
            return ()  # the controller says it again
        return self._obey(frame[0], frame[1:-1])

    def _reply(self, word):
        """What the controller says to an answer of ours: one word, without the ninth bit."""
        sent = self._sent
        if sent is None:
            return ()
        if word == RET:
            return framed(sent)
        self._sent = None
        if word == ACK and sent[0] == _END and self.session == _NONE:
            self._last = None
        elif word == NAK or (word != ACK and sent[0] != _APPROVED):
            self._again(sent)
        return ()

    def _unanswered(self):
        """The next command comes without a word about our answer. It is given again, but never 05:
        a controller that has it already could vend twice."""
        sent, self._sent = self._sent, None
        if sent is not None and sent[0] != _APPROVED:
            self._again(sent)

    def _again(self, sent):
        if len(sent) <= 3:  # the longer ones, to setup and identity, are asked for anew
            self._queue.insert(0, sent)

    def _data(self, data):
        self._sent = bytes(data)
        return framed(self._sent)

    # Commands

    def _obey(self, command, body):
        if command == _RESET:
            return self._reset()
        if command == _POLL:
            self._polled_at = self._clock.now_ms()
            if not self._queue:
                return (MODE | ACK,)
            answer = self._queue.pop(0)
            self._allowed = self._allowed or answer[0] == _APPROVED
            self._begun = self._begun or answer[0] == _BEGIN
            return self._data(answer)
        if command == _SETUP and body[0] == 0:
            about = self._about
            currency = about.get("currency", 0x1356)
            money = (currency >> 8, currency & 0xFF, about.get("scale", 1))
            return self._data((1, 1) + money + (about.get("decimals", 2), 5, 0))
        if command == _EXPANSION and body[0] == 0:
            return self._data(b"\x09CSL" + b"%12s" % b"1" + b"%12s" % b"coinslot" + b"\x00\x01")
        if command == _READER:
            self._enable(body[0] == 1)
        elif command == _VEND:
            self._vend(body[0], body[1:])
        return (MODE | ACK,)

    def _reset(self):
        """The controller starts anew: what it was doing it does not know any more."""
        if self.session == _VENDING:
            self._desk.ended("INTERRUPTED", "VMC_RESET")
        self._leave()
        self._enabled = False
        self._queue = [bytes((_JUST_RESET,))]
        return (MODE | ACK,)

    def _enable(self, enabled):
        self._enabled = enabled
        if not enabled and self.session == _OPEN:
            self._leave()

    def _leave(self):
        """No session any more. One without a request leaves a tombstone."""
        self._desk.over()
        self._turn_to(_NONE)
        self._queue, self._asked, self._allowed, self._last = [], None, False, None

    def _vend(self, kind, body):
        if kind == 0:
            self._request(_two(body), _two(body[2:]))
        elif kind == 1:
            self._withdrawn()
        elif kind == 2:
            self._told(("VENDED", _two(body)))
        elif kind == 3:
            self._told(("FAILED", None))
        elif kind == 4:
            self._complete()

    def _request(self, price, item):
        if self.session == _VENDING and self._asked == (price, item) and not self._allowed:
            return  # said again, because our ACK was lost
        if self.session in (_NONE, _VENDING):
            self._wrong()
            return
        self._queue = [answer for answer in self._queue if answer[0] != _DENIED]
        if self.session == _OPEN and self._desk.choose(price, item):
            # STARTED is on the flash: from here on 05 may go out.
            self._asked, self._allowed, self._last = (price, item), False, None
            self._turn_to(_VENDING)
            self._queue.append(bytes((_APPROVED, price >> 8, price & 0xFF)))
        else:
            self._queue.append(bytes((_DENIED,)))

    def _withdrawn(self):
        """A request taken back. Once 05 was on the bus, only success or failure count."""
        if self.session == _NONE or (self.session == _VENDING and self._allowed):
            self._wrong()
            return
        if self.session == _VENDING:
            self._desk.ended("FAILED", "VEND_CANCEL", "failure")
            self._turn_to(_DONE)
        self._queue = [bytes((_DENIED,))]

    def _told(self, said):
        """How the vend ended, by the controller's word; it is on the flash before our ACK."""
        if self.session == _DONE and self._last == said:
            return  # said again
        if self.session != _VENDING or not self._allowed:
            self._wrong()
            return
        if said[0] == "VENDED":
            self._desk.sold(said[1])
        else:
            self._desk.ended("FAILED", "VEND_FAILURE", "failure")
        self._last = said
        self._turn_to(_DONE)

    def _complete(self):
        if self.session == _NONE:
            if self._last != "complete":
                self._wrong()
            return
        if self.session == _VENDING:
            self._desk.ended("INTERRUPTED", "VMC_SESSION_END")
        self._leave()
        self._last = "complete"
        self._queue = [bytes((_END,))]

    def _wrong(self):
        self._queue = [bytes((_OUT_OF_SEQUENCE,))]


class MdbDevice(Device):
    """The device rules where GO starts no motor: it lets the customer choose until the lease ends.

    `identity["mdb"]` is the board's: {items, currency, scale, decimals, vend_s}; `items` says which
    item of the controller a slot is."""

    def __init__(self, journal, body, clock, boot_id, identity):
        Device.__init__(self, journal, body, clock, boot_id, identity)
        about = identity["mdb"]
        self._items = about["items"]
        self._scale = about.get("scale", 1)
        self._bound_ms = int(about.get("vend_s", 60) * 1000)
        self._grant = None  # the lease whose GO came
        self._until = 0
        self._started_at = 0
        self._said = []
        self.reader = Reader(self, about, clock)

    def hello(self, session_no, config_version=None):
        said = Device.hello(self, session_no, config_version)
        said["capabilities"]["mdb"] = True
        return said

    def unanswered(self, at_most=16):
        """No ACCEPT once its GO is here: the customer takes time."""
        if self._grant is not None and self._grant is self.lease:
            return self.journal.unacked(at_most)
        return Device.unanswered(self, at_most)

    def taken(self):
        """What is to be said since the last look, as receive() returns it."""
        said, self._said = self._said, []
        return said

    def heard(self, word):
        """One word from the bus; the words to write."""
        return self.reader.heard(word)

    def tick(self):
        now = self._clock.now_ms()
        granted = self._granted()
        if granted is not None:
            self.reader.begin(granted.amount // self._scale)
        elif self._grant is not None:
            self.over()  # its time is over, or a query has buried it
        if self.running is not None and now - self._started_at > self._bound_ms:
            self.ended("INTERRUPTED", "VMC_SILENT")
            self.reader.close()
        self.reader.tick(granted is not None)

    # From the server

    def _offer(self, offer):
        amount, before = offer["amount_minor"], self.lease
        said = Device._offer(self, offer)
        if self.lease is not before:
            self.lease.amount = amount
        return said

    def _refusal_of(self, offer):
        code = Device._refusal_of(self, offer)
        if code is not None:
            return code
        amount = offer["amount_minor"]
        if not isinstance(amount, int) or amount % self._scale or amount < 0:
            return "SLOT_FAULT"
        if offer["slot"] not in self._items or amount // self._scale >= _NO_FUNDS:
            return "SLOT_FAULT"
        return None if self.reader.ready else "BUSY"

    def _begin(self, lease, go):
        if self._grant is not lease:
            self._grant, self._until = lease, int(go["not_after"])
        return []

    def _granted(self):
        lease = self.lease
        if lease is None or self._grant is not lease or self._clock.now_ms() >= self._until:
            return None
        return lease if lease.is_open(self._clock.now_ms()) else None

    # From the bus

    def choose(self, price, item):
        """Whether the controller may vend this: only what was paid, and STARTED is committed."""
        lease = self._granted()
        if lease is None or self.running is not None or lease.seq <= self.journal.last_seq:
            return False
        if (price * self._scale, item) != (lease.amount, self._items[lease.slot]):
            return False
        if self._body.food_locked() or self.journal.full:
            return False
        try:
            fresh = Unit(lease.unit_id, lease.seq, lease.slot)
            started = self.journal.start(fresh, self._body.counter())
        except JournalFullError:
            return False
        self.running, self.lease, self._grant = self.journal.units[lease.unit_id], None, None
        self._started_at = self._clock.now_ms()
        self._said.append(("say", started))
        return True

    def sold(self, item):
        """The controller says that it vended; what fell nobody saw."""
        unit, slot = self.running, None
        if unit is not None and item not in (self._items.get(unit.slot), _ANY_ITEM):
            slot = "item-%d" % item
        self.ended("VENDED", None, "success", slot)

    def ended(self, outcome, code, vmc=None, slot=None):
        unit = self.running
        if unit is None:
            return
        verdict = [slot or unit.slot, outcome, code, "unknown", None, self._body.counter()]
        if vmc is not None:
            verdict.append(vmc)
        self._said.append(("say", self.journal.conclude(unit, verdict)))
        self.running = None

    def over(self):
        """Nobody can choose any more: a unit that was not asked for gets its tombstone."""
        lease, grant, self._grant = self.lease, self._grant, None
        if lease is None or grant is not lease:
            return
        try:
            self._said.append(("say", self._bury(lease.unit_id, lease.seq)))
        except JournalFullError:
            self.lease = None  # a query will ask for it again
