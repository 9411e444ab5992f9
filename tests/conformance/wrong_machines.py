"""Machines that break one rule each, as a maker's first firmware might. Each says what the kit must
find: the checks that fail, and no other does."""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from machine_simulator.config import Configuration
from machine_simulator.device import Device
from machine_simulator.effects import Effect, Reached, Say, Turn
from machine_simulator.files import Record
from machine_simulator.journal import Journal, Unit
from machine_simulator.lease import Lease
from machine_simulator.physics import Sight
from machine_simulator.power import PowerCutError
from tests.conformance.virtual import Timed, World

Message = Mapping[str, Any]


class Wrong(Timed):
    fails: ClassVar[frozenset[str]] = frozenset()
    skips: ClassVar[frozenset[str]] = frozenset()
    world: ClassVar[type[World]] = World
    made: ClassVar[Mapping[str, Any]] = {}


def names(*checks: str) -> frozenset[str]:
    return frozenset(checks)


# GO


class _LooseLease(Lease):
    ignores: ClassVar[str] = ""

    def refusal(self, go: Message, secret: str, now_ms: int) -> str | None:
        why = super().refusal(go, secret, now_ms)
        return None if why == self.ignores else why


def _loose(ignored: str) -> type[Device]:
    class Loose(Device):
        def _offer(self, offer: Message) -> list[Effect]:
            effects = super()._offer(offer)
            if self.lease is not None:
                made = _LooseLease(self.lease.slot, self.lease.lease_ms, self.lease.accept)
                made.ignores = ignored  # type: ignore[misc]
                self.lease = made
            return effects

    return Loose


class IgnoresTheSignature(Wrong):
    brain_kind = _loose("not signed with this device's key")
    fails = names("go-hmac", "go-slot")


class RunsAfterTheLease(Wrong):
    brain_kind = _loose("the lease is over")
    fails = names("go-late")


class _SignedByTheOtherBoot(Device):
    def _go(self, go: Message) -> list[Effect]:
        lease = self.lease
        if lease is not None and lease.unit_id == go["unit_id"]:
            self.lease = Lease(
                lease.slot, lease.lease_ms, lease.accept | {"boot_id": go["boot_id"]}
            )
        return super()._go(go)


class IgnoresTheBoot(Wrong):
    brain_kind = _SignedByTheOtherBoot
    fails = names("go-boot")


class _Runner(Wrong):
    """Turns its motor without its journal."""

    async def _turn_only(self, slot: str, unit_id: str) -> None:
        await self.physics.turn(slot, unit_id, lambda: None)


class StartsTwice(_Runner):
    fails = names("go-replayed", "disorder")

    async def heed(self, message: Record) -> None:
        unit = self.brain.journal.units.get(str(message.get("unit_id")))
        again = unit is not None and unit.state == "VENDED" and message.get("type") == "GO"
        await super().heed(message)
        if again and unit is not None:
            self.start(self._turn_only(unit.slot, unit.unit_id))


class _MotorFirst(Device):
    def _go(self, go: Message) -> list[Effect]:
        unit_id = str(go["unit_id"])
        if self.running is not None and self.running.unit_id == unit_id:
            return []
        lease = self.lease
        refused = unit_id in self.journal.units or self._refusal_of_go(go, lease)
        if refused or lease is None:
            return super()._go(go)
        self.running = Unit(unit_id, int(go["seq"]), lease.slot, tested=self._body.arm())
        self.lease = None
        return [Turn(unit_id, lease.slot)]

    def finished(self, sight: Sight) -> list[Effect]:
        unit = self.running
        assert unit is not None
        started = self.journal.start(unit, self._body.counter() - 1)
        self.running = self.journal.units[unit.unit_id]
        return [Say(started), *super().finished(sight)]


class WritesAfterTheMotor(Wrong):
    brain_kind = _MotorFirst
    fails = names("started-before-motor")
    skips = names("power-running")


class _LateStarted(Device):
    _held: Effect | None = None

    def _go(self, go: Message) -> list[Effect]:
        effects = super()._go(go)
        if any(isinstance(effect, Turn) for effect in effects):
            self._held = next(effect for effect in effects if isinstance(effect, Say))
            return [effect for effect in effects if effect is not self._held]
        return effects

    def finished(self, sight: Sight) -> list[Effect]:
        held, self._held = self._held, None
        return [*super().finished(sight), *([held] if held else [])]

    def unanswered(self) -> list[Record]:
        return [] if self._held else super().unanswered()


class SaysStartedLate(Wrong):
    brain_kind = _LateStarted
    fails = names("started-before-result")
    skips = names("power-running")


class KeepsTheLeaseOverAPowerCut(Wrong):
    fails = names("power-accepted")

    def boot(self) -> None:
        super().boot()
        kept = self.folder / "lease.json"
        if kept.exists():
            self.brain.lease = Lease("A1", 60_000, json.loads(kept.read_text()))

    async def heed(self, message: Record) -> None:
        await super().heed(message)
        lease = self.brain.lease
        kept = self.folder / "lease.json"
        if lease is None:
            kept.unlink(missing_ok=True)
        else:
            kept.write_text(json.dumps(lease.accept))


class RunsAgainAfterAPowerCut(Wrong):
    fails = names("power-running", "started-before-motor")

    def boot(self) -> None:
        self.brain_kind = _Sleepy
        super().boot()
        for unit in self.brain.journal.unfinished():
            self.brain.running = unit

    def came_up(self) -> None:
        super().came_up()
        if self.brain.running is not None and self._session_no == 1:
            self.start(self._run(self.brain.running.unit_id, self.brain.running.slot))


class _Sleepy(Device):
    def wake(self) -> list[Effect]:
        return []


# OFFER


class _Rejects(Device):
    def _offer(self, offer: Message) -> list[Effect]:
        if self.lease and self.lease.unit_id == offer["unit_id"] and self._open_lease():
            reject = {"type": "REJECT", "unit_id": offer["unit_id"], "seq": offer["seq"]}
            return [Say(reject | {"journal_id": self.journal.journal_id, "code": "BUSY"})]
        return super()._offer(offer)


class RejectsAnOfferThatComesAgain(Wrong):
    brain_kind = _Rejects
    fails = names("offer-repeated", "offer-again", "cut-offered")


class _AcceptsAnew(Device):
    def _offer(self, offer: Message) -> list[Effect]:
        if self.lease and self.lease.unit_id == offer["unit_id"]:
            self.lease = None
        return super()._offer(offer)


class AcceptsAnewEachTime(Wrong):
    brain_kind = _AcceptsAnew
    fails = names("offer-repeated", "cut-offered")


class _OldAccept(Device):
    def _offer(self, offer: Message) -> list[Effect]:
        if self.lease and self.lease.unit_id == offer["unit_id"]:
            return [Say(self.lease.accept)]
        return super()._offer(offer)


class TakesNoOfferUnderAHigherNumber(Wrong):
    brain_kind = _OldAccept
    fails = names("offer-again")


class _Without(Device):
    code: ClassVar[str] = ""

    def _refusal_of(self, offer: Message) -> str | None:
        code = super()._refusal_of(offer)
        return None if code == self.code else code


class _NeverStale(_Without):
    code = "STALE_SEQ"


class TakesOldNumbers(Wrong):
    brain_kind = _NeverStale
    fails = names("stale-seq")


class _NeverBusy(_Without):
    code = "BUSY"


class TakesTwoUnitsAtOnce(Wrong):
    brain_kind = _NeverBusy
    fails = names("busy")


class _NoVersions(Device):
    def _versions(self) -> tuple[int | None, int | None]:
        return None, None


class ComparesNoVersions(Wrong):
    brain_kind = _NoVersions
    fails = names("config")


class _SaysAcceptForEver(Device):
    def unanswered(self) -> list[Record]:
        lease = self.lease
        return [*([lease.accept] if lease else []), *self.journal.unacked()]


class SaysAcceptAfterTheLease(Wrong):
    brain_kind = _SaysAcceptForEver
    fails = names("accept-repeated")


class _SaysAcceptOnce(Device):
    def unanswered(self) -> list[Record]:
        return self.journal.unacked()


class SaysAcceptOnce(Wrong):
    brain_kind = _SaysAcceptOnce
    fails = names("accept-repeated")


# The journal


class _Forgetful(Journal):
    """Gives up on a line that it said twice."""

    def unacked(self) -> list[Record]:
        self.__dict__.setdefault("said", {})
        lines = [line for line in super().unacked() if self.said_of(line) < 2]
        for line in lines:
            self.__dict__["said"][line["event_seq"]] = self.said_of(line) + 1
        return lines

    def said_of(self, line: Record) -> int:
        count: int = self.__dict__["said"].get(line["event_seq"], 0)
        return count


class GivesUpOnAResult(Wrong):
    journal_kind = _Forgetful
    fails = names("result-repeated")


class _DropsTheOldest(Journal):
    @property
    def full(self) -> bool:
        return False

    def unacked(self) -> list[Record]:
        return super().unacked()[-6:]

    def bury(self, unit: Unit, verdict: Mapping[str, object]) -> Record:
        return self._event(unit, {"type": "RESULT"}, verdict)


class DropsTheOldestLine(Wrong):
    journal_kind = _DropsTheOldest
    fails = names("journal-full")


class _AnyEvack(Device):
    def _evack(self, evack: Message) -> list[Effect]:
        self.journal.acknowledge(int(evack["through"]))
        return []


class TakesAnyEvack(Wrong):
    brain_kind = _AnyEvack
    fails = names("evack-other")


class _SyncFrees(Device):
    def _sync(self, sync: Message) -> list[Effect]:
        self.journal.acknowledge(int(sync["through"]))
        return super()._sync(sync)


class TakesSyncForEvack(Wrong):
    brain_kind = _SyncFrees
    fails = names("evack-other")


class _NeverForgot(Device):
    def _query(self, query: Message) -> list[Effect]:
        self.journal.evicted_seq = 0
        return super()._query(query)


class BuriesWhatItForgot(Wrong):
    brain_kind = _NeverForgot
    fails = names("query-forgotten")


class _Shifting(Device):
    def unanswered(self) -> list[Record]:
        lines = super().unanswered()
        return [
            line | {"failure_code": "AGAIN"} if line["type"] == "RESULT" else line for line in lines
        ]


class SaysAnotherLineUnderANumber(Wrong):
    brain_kind = _Shifting
    fails = names("event-seq", "power-result")


class ForgetsTombstonesWithThePower(Wrong):
    fails = names("power-tombstone")

    def boot(self) -> None:
        super().boot()
        journal = self.brain.journal
        for unit in [unit for unit in journal.units.values() if unit.state == "TOMBSTONED"]:
            del journal.units[unit.unit_id]
        seqs = [unit.seq for unit in journal.units.values()]
        journal.last_seq = max(seqs, default=0)


# What it claims


class _Claims(Journal):
    """Writes something else down than what was seen."""

    def conclude(self, unit: Unit, verdict: Mapping[str, object]) -> Record:
        claimed: Record = copy.deepcopy(dict(verdict))
        self._claim(claimed)
        return super().conclude(unit, claimed)

    def _claim(self, result: Record) -> None:
        raise NotImplementedError


class _AlwaysVended(_Claims):
    def _claim(self, result: Record) -> None:
        if result["outcome"] == "FAILED":
            result["outcome"] = "VENDED"
            result["evidence"]["drop"] = "yes"


class SaysVendedWhateverFell(Wrong):
    journal_kind = _AlwaysVended
    fails = names("jam")


class _SeesWithoutASensor(_Claims):
    def _claim(self, result: Record) -> None:
        result["evidence"]["drop"] = "yes"


class SeesWithoutASensor(Wrong):
    journal_kind = _SeesWithoutASensor
    made: ClassVar[Mapping[str, Any]] = {"sensor": False}
    fails = names("honest")


class _NeverTested(_Claims):
    def _claim(self, result: Record) -> None:
        result["evidence"]["sensor_tested"] = False


class SaysNoWithoutATest(Wrong):
    journal_kind = _NeverTested
    fails = names("honest")


# Configurations


class _Trusting(Configuration):
    def apply(self, version: int, sha256: str, text: str) -> bool:
        import hashlib

        return super().apply(version, hashlib.sha256(text.encode()).hexdigest(), text)


class TakesAnyConfiguration(Wrong):
    fails = names("config-hash")

    def boot(self) -> None:
        super().boot()
        self.brain.config = _Trusting(self.folder / "config.json")


class _AlwaysIdle(Device):
    @property
    def idle(self) -> bool:
        return True


class ConfiguresWhileOpen(Wrong):
    brain_kind = _AlwaysIdle
    fails = names("config-open")


# How it connects


class SaysHelloOnce(Wrong):
    fails = names("hello")

    def _repeat(self) -> None:
        said, self._synced = self._synced, self._synced or self._beaten
        self._beaten = True
        super()._repeat()
        self._synced = said

    _beaten = False

    def came_up(self) -> None:
        self._beaten = False
        super().came_up()

    async def heed(self, message: Record) -> None:
        if message.get("type") == "CONFIG":
            self._beaten = False
        await super().heed(message)


class StartsAnewOverRubbish(Wrong):
    fails = names("unknown")

    async def heed(self, message: Record) -> None:
        if message.get("type") == "CONFORMANCE":
            raise PowerCutError("an unhandled type")
        await super().heed(message)


class ForgetsTheLeaseWithTheLine(Wrong):
    fails = names("cut-offered", "cut-accepted")

    def came_up(self) -> None:
        self.brain.lease = None
        super().came_up()


class _Retaining(World):
    async def retained(self) -> set[str]:
        return {"devices/M01/status/dispense"}


class Retains(Wrong):
    world = _Retaining
    fails = names("not-retained")


class _Named(World):
    def power(self) -> None:
        assert self.wire is not None
        self.wire.client_ids.append("vending-M01")
        super().power()


class NamesItselfAfterItsMachine(Wrong):
    world = _Named
    fails = names("client-id")


class _AtMostOnce(World):
    def power(self) -> None:
        assert self.wire is not None
        self.wire.other_qos.add("devices/M01/status/dispense")
        super().power()


class PublishesAtMostOnce(Wrong):
    world = _AtMostOnce
    fails = names("qos")


def all_of_them() -> Sequence[type[Wrong]]:
    return [kind for kind in Wrong.__subclasses__() + _Runner.__subclasses__() if kind.fails]


__all__ = ["Reached", "Wrong", "all_of_them"]
