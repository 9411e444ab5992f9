"""The firmware's brain: a message in, a list of effects out. The device rules of the protocol.

It never waits: between checking the journal and committing STARTED nothing else can happen.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from machine_simulator.clock import Ticks
from machine_simulator.config import Configuration
from machine_simulator.effects import Effect, Greet, Reached, Say, Turn
from machine_simulator.files import Record
from machine_simulator.journal import Journal, JournalFullError, Unit
from machine_simulator.lease import LEASE_MAX_MS, Lease
from machine_simulator.physics import Sight
from machine_simulator.verdict import evidence_of, tombstone, verdict_of

log = logging.getLogger(__name__)


class Body(Protocol):
    """What the brain asks of the hardware."""

    def counter(self) -> int: ...
    def refusal(self, slot: str) -> str | None: ...
    def food_locked(self) -> bool: ...
    def arm(self) -> bool: ...
    def sees(self) -> Sight: ...


@dataclass(frozen=True)
class Identity:
    """What was put into the device at the factory and by its last configuration."""

    secret: str
    firmware: str = "sim-1.0"
    sensor: bool = True
    price_version: int | None = None  # None: this device compares no versions
    planogram_version: int | None = None
    age_slots: frozenset[str] = frozenset()
    key_id: str | None = None  # the number of the secret; None: it knows of no other


class Device:
    """One boot of the firmware. Everything here is volatile but the journal."""

    def __init__(
        self, identity: Identity, journal: Journal, body: Body, ticks: Ticks, boot_id: str
    ) -> None:
        self.identity = identity
        self.config: Configuration | None = None  # none: a firmware that knows no configurations
        self.journal = journal
        self.boot_id = boot_id
        self.lease: Lease | None = None
        self.running: Unit | None = None
        self._body = body
        self.ticks = ticks

    def wake(self) -> list[Effect]:
        """Rule 3: what was started and has no result is interrupted, and never run again."""
        results = [
            self.journal.conclude(unit, verdict_of(unit, self._body.sees(), interrupted=True))
            for unit in self.journal.unfinished()
        ]
        return [Say(result) for result in results]

    def hello(self, session_no: int) -> Record:
        unacked = self.journal.unacked()
        named: Record = {} if self.identity.key_id is None else {"key_id": self.identity.key_id}
        if self.config is not None:
            named["config_version"] = self.config.version
        return {
            "type": "HELLO",
            "journal_id": self.journal.journal_id,
            "boot_id": self.boot_id,
            "session_no": session_no,
            "firmware": self.identity.firmware,
            "capabilities": {
                "journal": True,
                "sensor": self.identity.sensor,
                "journal_formats": [1],
            },
            "last_seq": self.journal.last_seq,
            "open_unit": self.open_unit,
            "unacked_from": unacked[0]["event_seq"] if unacked else None,
            "mono_ms": self.ticks.now_ms(),
            **named,
        }

    @property
    def open_unit(self) -> str | None:
        if self.running is not None:
            return self.running.unit_id
        lease = self._open_lease()
        return lease.unit_id if lease else None

    @property
    def idle(self) -> bool:
        """Rule 7: firmware, configuration and clock may change only now."""
        return self.open_unit is None

    def receive(self, message: Mapping[str, Any]) -> list[Effect]:
        """Work one message of the server; what cannot be read is logged and answered by nothing."""
        self.tick()
        try:
            match message["type"]:
                case "OFFER":
                    return self._offer(message)
                case "GO":
                    return self._go(message)
                case "QUERY":
                    return self._query(message)
                case "EVACK":
                    return self._evack(message)
                case "SYNC":
                    return self._sync(message)
                case "CONFIG":
                    return self._configure(message)
                case unknown:
                    log.info("a message of the unknown type %r", unknown)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            log.warning("unreadable message left alone: %r", error)
        except JournalFullError:
            # Without a place for the tombstone silence is the only honest answer.
            log.warning("the journal has no room left, not even for a tombstone")
        return []

    def tick(self) -> None:
        """Notice a lease that has run out; called more often than every 6 days."""
        self._open_lease()

    def unanswered(self) -> list[Record]:
        """What is said again until the server answers it: ACCEPT until GO or the lease's end, lines
        of the journal until EVACK."""
        lease = self._open_lease()
        return [*([lease.accept] if lease else []), *self.journal.unacked()]

    # OFFER

    def _offer(self, offer: Mapping[str, Any]) -> list[Effect]:
        unit_id, seq, slot = str(offer["unit_id"]), int(offer["seq"]), str(offer["slot"])
        lease_ms = min(int(offer["lease_ms"]), LEASE_MAX_MS)
        # Rule 4: a unit it knows gets the stored answer, byte for byte, and never a REJECT.
        if unit := self.journal.units.get(unit_id):
            return [Say(self._status(unit, seq, None))]
        if self.lease and self.lease.unit_id == unit_id and seq <= self.lease.seq:
            return [Say(self.lease.accept)]
        if refusal := self.journal.refusals.get((unit_id, seq)):
            return [Say(refusal)]
        if code := self._refusal_of(offer):
            reject = {"type": "REJECT", "unit_id": unit_id, "seq": seq}
            reject |= {"journal_id": self.journal.journal_id, "code": code}
            self.journal.refuse(reject)
            return [Say(reject)]
        accept: Record = {
            "type": "ACCEPT",
            "unit_id": unit_id,
            "seq": seq,
            "journal_id": self.journal.journal_id,
            "boot_id": self.boot_id,
            "mono_ms": self.ticks.now_ms(),
            "counter": self._body.counter(),
            "slot_state": "OK",
        }
        self.lease = Lease(slot, lease_ms, accept)
        return [Say(accept), Reached("accepted")]

    def _refusal_of(self, offer: Mapping[str, Any]) -> str | None:
        unit_id, seq, slot = str(offer["unit_id"]), int(offer["seq"]), str(offer["slot"])
        mine = self.identity
        lease = self._open_lease()
        if self.running or (lease and lease.unit_id != unit_id):
            return "BUSY"
        if seq <= self.journal.last_seq or (self.lease and seq <= self.lease.seq):
            return "STALE_SEQ"
        if self.journal.full:  # Rule 5: rather no sale than a result dropped before its EVACK.
            return "JOURNAL_FULL"
        prices, planogram = self._versions()
        if prices not in (None, offer.get("price_version")):
            return "PRICE_VERSION"
        if planogram not in (None, offer.get("planogram_version")):
            return "PLANOGRAM"
        if slot in mine.age_slots:
            return "AGE_REQUIRED"
        return self._body.refusal(slot)

    # GO

    def _go(self, go: Mapping[str, Any]) -> list[Effect]:
        unit_id, seq = str(go["unit_id"]), int(go["seq"])
        if unit := self.journal.units.get(unit_id):
            return [Say(unit.result or self._status(unit, seq, None))]
        if seq <= self.journal.evicted_seq:
            return [Say(self._forgotten(unit_id, seq, None))]
        lease = self.lease
        why = self._refusal_of_go(go, lease)
        if why or lease is None:
            # Rule 4: a refused GO answers with a tombstone, so that it can never be obeyed later.
            log.info("GO for %s refused: %s", unit_id, why)
            return [Say(self._bury(unit_id, seq))]
        # Rules 1 and 2: from the checks above to this commit nothing waits, so no QUERY comes
        # between; the motor gets its current only after STARTED is on the flash.
        fresh = Unit(unit_id, seq, lease.slot, tested=self._body.arm())
        started = self.journal.start(fresh, self._body.counter())
        self.running, self.lease = self.journal.units[unit_id], None
        return [Reached("started"), Say(started), Turn(unit_id, fresh.slot)]

    def _refusal_of_go(self, go: Mapping[str, Any], lease: Lease | None) -> str | None:
        """Rule 1, as far as it is about the journal; the rest stands in lease.py."""
        if lease is None:
            return "nothing was accepted in this boot"
        if why := lease.refusal(go, self.identity.secret, self.ticks.now_ms()):
            return why
        if lease.seq <= self.journal.last_seq:
            return "a later unit was started or buried"
        if self._body.food_locked():
            return "the food lock fell since the offer"
        return "the journal is full" if self.journal.full else None

    def _open_lease(self) -> Lease | None:
        lease = self.lease
        return lease if lease and lease.is_open(self.ticks.now_ms()) else None

    # The run

    def progressed(self) -> list[Effect]:
        """A long run says that it lives."""
        return [] if self.running is None else [Say(self.journal.progress(self.running))]

    def finished(self, sight: Sight) -> list[Effect]:
        """Rule 2: RESULT is committed before it is published. Rule 6 is in verdict.py."""
        unit = self.running
        if unit is None:
            return []
        result = self.journal.conclude(unit, verdict_of(unit, sight))
        self.running = None
        return [Reached("recorded"), Say(result)]

    # QUERY, EVACK, SYNC

    def _query(self, query: Mapping[str, Any]) -> list[Effect]:
        unit_id, seq, nonce = str(query["unit_id"]), int(query["seq"]), str(query["nonce"])
        if unit := self.journal.units.get(unit_id):
            return [Say(self._status(unit, seq, nonce))]
        if seq <= self.journal.evicted_seq:
            return [Say(self._forgotten(unit_id, seq, nonce))]
        # Not started: first make sure that it never will be, then say so.
        result = self._bury(unit_id, seq)
        return [Say(self._status(self.journal.units[unit_id], seq, nonce)), Say(result)]

    def _bury(self, unit_id: str, seq: int) -> Record:
        slot = ""
        if self.lease and self.lease.unit_id == unit_id:
            slot, self.lease = self.lease.slot, None
        return self.journal.bury(Unit(unit_id, seq, slot), tombstone(slot, self._body.counter()))

    def _evack(self, evack: Mapping[str, Any]) -> list[Effect]:
        # Rule 5: only the journal that was meant; another's numbers say nothing about this one.
        if evack["journal_id"] == self.journal.journal_id:
            self.journal.acknowledge(int(evack["through"]))
        return []

    def _sync(self, sync: Mapping[str, Any]) -> list[Effect]:
        if sync.get("journal_id") == self.journal.journal_id:
            self.journal.acknowledge(int(sync["through"]))
        queries: list[Mapping[str, Any]] = list(sync.get("queries") or [])
        return [effect for query in queries for effect in self._query(query)]

    def _configure(self, message: Mapping[str, Any]) -> list[Effect]:
        """Rule 7: while a unit is open nothing changes; it is sent again. Whatever came of it, the
        server hears which one there is now."""
        if self.config is None or not self.idle:
            return []
        self.config.apply(int(message["version"]), str(message["sha256"]), str(message["config"]))
        return [Greet()]

    def _versions(self) -> tuple[int | None, int | None]:
        """Of prices and planogram: those of the configuration, else those of the factory."""
        if self.config is not None and self.config.version > 0:
            return self.config.price_version, self.config.planogram_version
        return self.identity.price_version, self.identity.planogram_version

    def _status(self, unit: Unit, seq: int, nonce: str | None) -> Record:
        evidence = unit.result["evidence"] if unit.result else evidence_of(unit, None)
        status = self._status_head(unit.unit_id, seq, nonce)
        return status | {
            "state": unit.state,
            "event_seq": unit.last_event_seq,
            "evidence": evidence,
        }

    def _forgotten(self, unit_id: str, seq: int, nonce: str | None) -> Record:
        return self._status_head(unit_id, seq, nonce) | {"state": "FORGOTTEN"}

    def _status_head(self, unit_id: str, seq: int, nonce: str | None) -> Record:
        head: Record = {"type": "STATUS", "unit_id": unit_id, "seq": seq}
        return head | {"journal_id": self.journal.journal_id, "nonce": nonce}
