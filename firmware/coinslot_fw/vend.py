"""The rules of the vend protocol: a message in, what is to be done out. It never waits: between
checking the journal and committing STARTED nothing else can happen.

What is to be done comes as pairs, in order: ("say", message) and ("turn", unit)."""

from coinslot_fw.journal import READS, JournalFullError, Unit
from coinslot_fw.lease import LEASE_MAX_MS, Lease

_SLOT_CHARACTERS = 16
_ID_CHARACTERS = 40
_IN_SLOTS = "-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def verdict_of(unit, sight, interrupted=False):
    """Rule 6: what may honestly be claimed about a run, as the journal keeps it."""
    outcome, code = _outcome(unit, sight, interrupted)
    slot = sight.slot or unit.slot
    return [slot, outcome, code, _drop(unit, sight), sight.home, sight.counter]


def _outcome(unit, sight, interrupted):
    if interrupted:
        return "INTERRUPTED", "POWER"
    if not sight.powered:
        return "FAILED", "MOTOR"
    if not sight.completed:
        # The bound of the run has passed: no proof that nothing will fall, so never FAILED.
        return "INTERRUPTED", "RUN_BOUND"
    drop = _drop(unit, sight)
    if drop == "yes":
        return "VENDED", None
    if drop == "no":
        return "FAILED", "JAM"
    # Without a sensor a full turn is all that can be known; one that failed its test knows nothing.
    if sight.latched is None and sight.home:
        return "VENDED", None
    return "INTERRUPTED", "SENSOR"


def _drop(unit, sight):
    """An absent or untested sensor is unknown, never no; nor is a motor that may still push."""
    if sight.latched:
        return "yes"
    seen_to_its_end = sight.latched is not None and unit.tested and sight.completed
    return "no" if seen_to_its_end else "unknown"


class Device:
    """One boot. All here is volatile but the journal.

    `body` answers counter(), refusal(slot), food_locked(), arm() and sees(); `refuses(offer)` says
    why nothing is sold now beyond that, or None; `keys` are the device's secrets by key_id."""

    def __init__(self, journal, body, clock, boot_id, identity):
        self.journal = journal
        self.boot_id = boot_id
        self.identity = identity  # keys, key_id, firmware, sensor
        self.lease = None
        self.running = None
        self.refuses = _nothing
        self._body = body
        self._clock = clock

    def wake(self):
        """Rule 3: what was started and has no result is interrupted, and never run again."""
        said = []
        for unit in self.journal.unfinished():
            verdict = verdict_of(unit, self._body.sees(), interrupted=True)
            said.append(("say", self.journal.conclude(unit, verdict)))
        return said

    def hello(self, session_no, config_version=None):
        journal, identity = self.journal, self.identity
        said = {
            "type": "HELLO",
            "journal_id": journal.journal_id,
            "boot_id": self.boot_id,
            "session_no": session_no,
            "firmware": identity["firmware"],
            "hardware": identity.get("hardware"),
            "build": identity.get("build"),
            "capabilities": {
                "journal": True,
                "sensor": identity["sensor"],
                "journal_formats": list(READS),
            },
            "last_seq": journal.last_seq,
            "open_unit": self.open_unit,
            "unacked_from": journal.first_unacked(),
            "mono_ms": self._clock.now_ms(),
        }
        if identity["key_id"] is not None:
            said["key_id"] = identity["key_id"]
        if config_version is not None:
            said["config_version"] = config_version
        return said

    @property
    def open_unit(self):
        if self.running is not None:
            return self.running.unit_id
        lease = self._open_lease()
        return lease.unit_id if lease else None

    @property
    def idle(self):
        """Rule 7: firmware and configuration may change only now."""
        return self.open_unit is None

    def receive(self, message):
        """Work one message; what cannot be read is answered by nothing."""
        kind = message.get("type")
        try:
            if kind in ("OFFER", "GO", "QUERY"):
                _bounded(message)
            if kind == "OFFER":
                return self._offer(message)
            if kind == "GO":
                return self._go(message)
            if kind == "QUERY":
                return self._query(message)
            if kind == "EVACK":
                return self._evack(message)
            if kind == "SYNC":
                return self._sync(message)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
            return []
        except JournalFullError:
            # Without a place for the tombstone silence is the only honest answer.
            return []
        return []

    def unanswered(self, at_most=16):
        """What is said again until the server answers it: ACCEPT until GO or the lease's end, lines
        of the journal until EVACK."""
        lease = self._open_lease()
        again = [lease.accept] if lease else []
        return again + self.journal.unacked(at_most)

    def _open_lease(self):
        lease = self.lease
        return lease if lease and lease.is_open(self._clock.now_ms()) else None

    # OFFER

    def _offer(self, offer):
        unit_id, seq, slot = offer["unit_id"], offer["seq"], offer["slot"]
        lease_ms = min(int(offer["lease_ms"]), LEASE_MAX_MS)
        # Rule 4: a unit it knows gets the stored answer, byte for byte, and never a REJECT.
        unit = self.journal.units.get(unit_id)
        if unit:
            return [("say", self._status(unit, seq, None))]
        if self.lease and self.lease.unit_id == unit_id and seq <= self.lease.seq:
            return [("say", self.lease.accept)]
        code = self.journal.refusals.get((unit_id, seq))
        if code is None:
            code = self._refusal_of(offer)
            if code is not None:
                self.journal.refuse(unit_id, seq, code)
        if code is not None:
            reject = {"type": "REJECT", "unit_id": unit_id, "seq": seq, "code": code}
            reject["journal_id"] = self.journal.journal_id
            return [("say", reject)]
        accept = {
            "type": "ACCEPT",
            "unit_id": unit_id,
            "seq": seq,
            "journal_id": self.journal.journal_id,
            "boot_id": self.boot_id,
            "mono_ms": self._clock.now_ms(),
            "counter": self._body.counter(),
            "slot_state": "OK",
        }
        self.lease = Lease(slot, lease_ms, accept)
        return [("say", accept)]

    def _refusal_of(self, offer):
        unit_id, seq, slot = offer["unit_id"], offer["seq"], offer["slot"]
        lease = self._open_lease()
        if self.running or (lease and lease.unit_id != unit_id):
            return "BUSY"
        if seq <= self.journal.last_seq or (self.lease and seq <= self.lease.seq):
            return "STALE_SEQ"
        if self.journal.full:  # rule 5: rather no sale than a result dropped before its EVACK
            return "JOURNAL_FULL"
        if not _is_slot(slot):
            return "SLOT_FAULT"
        return self.refuses(offer) or self._body.refusal(slot)

    # GO

    def _go(self, go):
        unit_id, seq = go["unit_id"], go["seq"]
        unit = self.journal.units.get(unit_id)
        if unit:
            return [("say", self._told(unit, seq))]
        if seq <= self.journal.evicted_seq:
            return [("say", self._forgotten(unit_id, seq, None))]
        lease = self.lease
        if self._refusal_of_go(go, lease):
            # Rule 4: a refused GO answers with a tombstone, so that it can never be obeyed later.
            return [("say", self._bury(unit_id, seq))]
        return self._begin(lease, go)

    def _begin(self, lease, go):
        """Rules 1 and 2: from the checks of GO to this commit nothing waits, so no QUERY comes
        between; the motor gets its current only after STARTED is on the flash."""
        unit_id = lease.unit_id
        fresh = Unit(unit_id, lease.seq, lease.slot, self._body.arm())
        started = self.journal.start(fresh, self._body.counter())
        self.running, self.lease = self.journal.units[unit_id], None
        return [("say", started), ("turn", self.running)]

    def _told(self, unit, seq):
        """The RESULT of a unit that has one, else its STATUS."""
        if unit.result is None:
            return self._status(unit, seq, None)
        return self.journal.message(unit, unit.result)

    def _refusal_of_go(self, go, lease):
        """Rule 1, as far as it is about the journal; the rest stands in lease.py."""
        if lease is None:
            return "nothing was accepted in this boot"
        why = lease.refusal(go, self.identity["keys"], self._clock.now_ms())
        if why:
            return why
        if self._body.food_locked():
            return "the food lock fell since the offer"
        if self.running is not None or lease.seq <= self.journal.last_seq:
            return "a later unit was started or buried"
        return "the journal is full" if self.journal.full else None

    # The run

    def progressed(self):
        """A long run says that it lives."""
        line = self.journal.progress(self.running) if self.running else None
        return [] if line is None else [("say", line)]

    def finished(self, sight):
        """Rule 2: RESULT is committed before it is published."""
        unit = self.running
        if unit is None:
            return []
        result = self.journal.conclude(unit, verdict_of(unit, sight))
        self.running = None
        return [("say", result)]

    # QUERY, EVACK, SYNC

    def _query(self, query):
        unit_id, seq, nonce = query["unit_id"], query["seq"], str(query["nonce"])
        unit = self.journal.units.get(unit_id)
        if unit:
            return [("say", self._status(unit, seq, nonce))]
        if seq <= self.journal.evicted_seq:
            return [("say", self._forgotten(unit_id, seq, nonce))]
        # Not started: first make sure that it never will be, then say so.
        result = self._bury(unit_id, seq)
        return [("say", self._status(self.journal.units[unit_id], seq, nonce)), ("say", result)]

    def _bury(self, unit_id, seq):
        slot = ""
        lease = self.lease if self.lease and self.lease.unit_id == unit_id else None
        if lease:
            slot = lease.slot
        result = self.journal.bury(Unit(unit_id, seq, slot), self._body.counter())
        if lease:
            self.lease = None
        return result

    def _evack(self, evack):
        # Rule 5: only the journal that was meant; another's numbers say nothing about this one.
        if evack["journal_id"] == self.journal.journal_id:
            self.journal.acknowledge(int(evack["through"]))
        return []

    def _sync(self, sync):
        """`through` frees nothing here: it names no journal."""
        said = []
        for query in sync.get("queries") or []:
            _bounded(query)
            said += self._query(query)
        return said

    def _status(self, unit, seq, nonce):
        said = self._status_head(unit.unit_id, seq, nonce)
        said["state"] = unit.state
        said["event_seq"] = unit.last_event
        said["evidence"] = unit.evidence()
        return said

    def _forgotten(self, unit_id, seq, nonce):
        said = self._status_head(unit_id, seq, nonce)
        said["state"] = "FORGOTTEN"
        return said

    def _status_head(self, unit_id, seq, nonce):
        head = {"type": "STATUS", "unit_id": unit_id, "seq": seq, "nonce": nonce}
        head["journal_id"] = self.journal.journal_id
        return head


def _nothing(offer):
    return None


def _bounded(message):
    """Raises ValueError for what would not fit into the journal."""
    unit_id, seq = message["unit_id"], message["seq"]
    if not isinstance(unit_id, str) or not 0 < len(unit_id) <= _ID_CHARACTERS:
        raise ValueError
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 < seq < 1 << 63:
        raise ValueError


def _is_slot(slot):
    if not isinstance(slot, str) or not 0 < len(slot) <= _SLOT_CHARACTERS:
        return False
    return all(c in _IN_SLOTS for c in slot)
