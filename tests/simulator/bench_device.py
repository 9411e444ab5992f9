"""One device on a workbench: real journal and body in a folder, a clock moved by hand."""

import asyncio
import hashlib
import hmac
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from machine_simulator.clock import Ticks
from machine_simulator.config import Configuration
from machine_simulator.device import Device, Identity
from machine_simulator.effects import Effect, Reached, Say, Turn
from machine_simulator.faults import Faults
from machine_simulator.journal import Journal, Limits
from machine_simulator.physics import Physics, Tempo

Message = dict[str, Any]

SECRET = "the device's own key"
LEASE_MS = 10_000
IN_NO_TIME = Tempo(vend_s=0, slow_s=0, fall_s=0)


def a_unit() -> str:
    return str(uuid.uuid4())


@dataclass
class Workbench:
    """`reboot()` is a power cut and a start: only what lies in the folder is left."""

    folder: Path
    identity: Identity = field(default_factory=lambda: Identity(secret=SECRET))
    limits: Limits = field(default_factory=Limits)
    start_ms: int = 1_000
    slots: dict[str, int] = field(default_factory=lambda: {"A1": 2, "B1": 2})
    seconds: float = 0.0
    configs: bool = True

    def __post_init__(self) -> None:
        self.boots = 0
        self.reboot()

    def reboot(self) -> list[Effect]:
        self.boots += 1
        self.faults = Faults(self.folder / "faults.json")
        self.body = Physics(
            self.folder, self.slots, self.faults, IN_NO_TIME, sensor=self.identity.sensor
        )
        self.journal = Journal(self.folder / "journal.jsonl", self.limits)
        ticks = Ticks(self.start_ms, monotonic=lambda: self.seconds)
        boot_id = f"boot-{self.boots}"
        self.device = Device(self.identity, self.journal, self.body, ticks, boot_id)
        if self.configs:
            self.device.config = Configuration(self.folder / "config.json")
        return self.device.wake()

    def hear(self, message: Message) -> list[Effect]:
        return self.device.receive(message)

    def answer(self, message: Message) -> Message:
        """The one message said in return."""
        (said,) = [effect.message for effect in self.hear(message) if isinstance(effect, Say)]
        return said

    def accepted(self, unit_id: str, seq: int = 1, slot: str = "A1") -> Message:
        accept = self.answer(offer(unit_id, seq, slot))
        assert accept["type"] == "ACCEPT", accept
        return accept

    def started(self, unit_id: str, seq: int = 1, slot: str = "A1") -> list[Effect]:
        effects = self.hear(go(self.accepted(unit_id, seq, slot), slot))
        assert any(isinstance(effect, Turn) for effect in effects), effects
        return effects

    def vended(self, unit_id: str, seq: int = 1, slot: str = "A1") -> Message:
        """The RESULT of a whole run."""
        self.started(unit_id, seq, slot)
        return self.ran(slot, unit_id)

    def ran(self, slot: str = "A1", unit_id: str | None = None) -> Message:
        sight = asyncio.run(self.body.turn(slot, unit_id, lambda: None))
        recorded, said = self.device.finished(sight)
        assert recorded == Reached("recorded")
        assert isinstance(said, Say)
        return said.message

    def fault(self, **changes: object) -> None:
        """As the sandbox sets them: the file is replaced as a whole."""
        draft = self.folder / "draft"
        draft.write_text(json.dumps(changes))
        draft.replace(self.folder / "faults.json")


def offer(unit_id: str, seq: int = 1, slot: str = "A1", **more: object) -> Message:
    return {
        "type": "OFFER",
        "unit_id": unit_id,
        "seq": seq,
        "slot": slot,
        "sku": "cola",
        "amount_minor": 4000,
        "price_version": 1,
        "planogram_version": 1,
        "lease_ms": LEASE_MS,
        **more,
    }


def go(accept: Message, slot: str = "A1", *, secret: str = SECRET, **changes: object) -> Message:
    """The GO for an ACCEPT; `changes` are signed, so that each check is reached alone."""
    fields: Message = {
        "unit_id": accept["unit_id"],
        "seq": accept["seq"],
        "boot_id": accept["boot_id"],
        "not_after": accept["mono_ms"] + LEASE_MS,
    } | changes
    order = ("unit_id", "seq", "slot", "boot_id", "not_after")
    signed = "|".join(str((fields | {"slot": slot})[name]) for name in order)
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    return {"type": "GO", **fields, "key_id": "1", "hmac": digest} | changes


def query(unit_id: str, seq: int = 1, journal_id: str = "", nonce: str = "n-1") -> Message:
    return {
        "type": "QUERY",
        "unit_id": unit_id,
        "seq": seq,
        "journal_id": journal_id,
        "nonce": nonce,
    }


def evack(journal_id: str, through: int) -> Message:
    return {"type": "EVACK", "journal_id": journal_id, "through": through}
