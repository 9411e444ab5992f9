"""A machine that this installation plays: it speaks the leased protocol, keeps a journal that
outlives the process, and can be broken on purpose. docs/vend-protocol.md has the rules of a device
that are kept here."""

import asyncio
import hmac
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec
import structlog
from msgspec import Struct

from coinslot.channels.base import PRACTICE, Inbox
from coinslot.channels.messages import Go, Lease, sign_go
from coinslot.kit.clock import Clock

log = structlog.get_logger(__name__)

_UNITS_KEPT: Final = 16  # settled ones; a question about an older one is answered FORGOTTEN
_UNITS_OPEN: Final = 32
_HEARTBEAT_MS: Final = 4000
Message = dict[str, Any]


class Broken(StrEnum):
    """How a practice machine is broken."""

    NO = "no"
    JAM = "jam"  # the motor turns and nothing falls, which its sensor sees
    SILENT = "silent"  # it says nothing more as soon as something is paid for
    POWER = "power"  # the power fails while the motor turns
    LIE = "lie"  # nothing falls, and it says that it did; its sensor says otherwise


class Fallen(Struct, frozen=True):
    """What fell last."""

    slot: str
    at: datetime


class Unit(Struct):
    """A unit as the journal has it: `events` are its lines, numbered."""

    unit_id: str
    seq: int
    slot: str
    events: list[Message] = []

    @property
    def result(self) -> Message | None:
        last = self.events[-1] if self.events else None
        return last if last is not None and last["type"] == "RESULT" else None


class PracticeState(Struct):
    """What outlives a power cut: the journal; and what the drawing shows."""

    journal_id: str = ""
    event_seq: int = 0  # the last one given out
    acked: int = 0
    last_seq: int = 0  # the highest started or tombstoned
    evicted_seq: int = 0
    counter: int = 0  # of drops; nobody resets it
    units: list[Unit] = []
    step: str = "off"  # off, idle, accepted, running, dark
    fallen: Fallen | None = None
    stuck: str = ""  # the slot in which something hangs


class PracticeMachine(Struct, frozen=True, kw_only=True):
    """A machine that this process plays."""

    outlet: str
    secret: str
    key_id: str
    broken: Broken
    state: PracticeState


class NotPlayedHereError(Exception):
    """Another process plays the machine by now: what it would have said here never was."""


class PracticeStore(Protocol):
    """Where practice machines are kept. One process at a time plays each."""

    async def claimed(self) -> Sequence[PracticeMachine]:
        """Those that this process plays from now on, or plays still."""
        ...

    async def keep(self, outlet: str, state: PracticeState) -> Broken:
        """On the disk when this returns; how the machine is broken now. Raises
        NotPlayedHereError."""
        ...

    async def release(self) -> None:
        """This process plays none any more."""
        ...


class Player:
    """One machine while this process plays it: from a boot to the next power cut."""

    def __init__(
        self,
        machine: PracticeMachine,
        store: PracticeStore,
        clock: Clock,
        spans_s: tuple[float, float],
    ) -> None:
        self.outlet, self.secret, self._key_id = machine.outlet, machine.secret, machine.key_id
        self.heard: asyncio.Queue[Message] = asyncio.Queue()
        self._state, self._broken = machine.state, machine.broken
        self._store, self._clock = store, clock
        self._run_s, self._again_s = spans_s
        self._boot = ""
        self._lease: tuple[Lease, Message] | None = None  # what was accepted in this boot
        self._running: tuple[Unit, int] | None = None  # and until when, by our clock
        self._beat_ms: int | None = None
        self._synced = False  # its HELLO was answered
        self._life: asyncio.Task[None] | None = None
        self._inbox: Inbox

    @property
    def is_over(self) -> bool:
        return self._life is not None and self._life.done()

    def begin(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._life = asyncio.create_task(self._live(), name=f"practice {self.outlet}")
        self._life.add_done_callback(_log_error_of_task)

    def end(self) -> "asyncio.Task[None]":
        """Like a power cut: nothing more is said."""
        assert self._life is not None
        self._life.cancel()
        return self._life

    def look(self, broken: Broken) -> None:
        """Whether somebody broke or mended it meanwhile."""
        if broken != self._broken:
            self._broken = broken
            self.heard.put_nowait({"type": "LOOK"})

    async def _live(self) -> None:
        try:
            await self._power_on()
            while True:
                await self._beat()
                message = await self._next(self._patience_s())
                if message is not None:
                    await self._hear(message)
                else:
                    await self._time_passed()
        except NotPlayedHereError:
            log.info("practice_machine_played_elsewhere", outlet=self.outlet)

    async def _next(self, patience_s: float) -> Message | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                return await self.heard.get()
        return None

    def _patience_s(self) -> float:
        if self._running is None:
            return self._again_s
        return max(self._running[1] - self._clock.monotonic_ms(), 0) / 1000

    async def _beat(self) -> None:
        now_ms = self._clock.monotonic_ms()
        if self._state.step == "dark" or (
            self._beat_ms is not None and now_ms - self._beat_ms < _HEARTBEAT_MS
        ):
            return
        self._beat_ms = now_ms
        await self._inbox.heartbeat(self.outlet)

    # Power

    async def _power_on(self) -> None:
        """Rule 3: what was started and has no result is interrupted, and never run again."""
        state = self._state
        if state.step == "dark" and self._broken is not Broken.NO:
            return  # nobody mended it yet
        self._boot, self._lease, self._running = secrets.token_hex(8), None, None
        self._synced = False
        state.journal_id = state.journal_id or secrets.token_hex(8)
        if self._broken is Broken.NO:
            state.stuck = ""
        for unit in state.units:
            if unit.result is None:
                evidence = _evidence(unit, "unknown", state.counter)
                self._conclude(unit, "INTERRUPTED", "POWER", evidence)
        await self._keep("idle")
        await self._inbox.connected(self.outlet, PRACTICE)
        await self._say_again()

    def _hello(self) -> Message:
        state, unacked = self._state, self._unacked()
        return {
            "type": "HELLO", "journal_id": state.journal_id, "boot_id": self._boot,
            "firmware": "practice", "capabilities": {"journal": True, "sensor": True},
            "last_seq": state.last_seq, "mono_ms": self._clock.monotonic_ms(),
            "open_unit": None, "key_id": self._key_id,
            **({"unacked_from": unacked[0]["event_seq"]} if unacked else {}),
        }  # fmt: skip

    async def _time_passed(self) -> None:
        if self._state.step == "dark":
            return
        if self._running is None:
            await self._say_again()
        elif self._clock.monotonic_ms() >= self._running[1]:
            await self._motor_stops()

    # What it hears

    async def _hear(self, message: Message) -> None:
        if message["type"] == "LOOK":
            if self._broken is Broken.NO and (self._state.step == "dark" or self._state.stuck):
                await self._power_on()
            return
        if self._state.step == "dark":
            return
        match message["type"]:
            case "OFFER":
                await self._offer(message)
            case "GO":
                await self._go(msgspec.convert(message, Go))
            case "QUERY":
                await self._query(message)
            case "EVACK" if message["journal_id"] == self._state.journal_id:
                self._acknowledge(int(message["through"]))
            case "SYNC":
                self._synced = True
                for query in message.get("queries") or ():
                    await self._query(query)
            case _:
                pass

    async def _offer(self, offer: Message) -> None:
        unit_id, seq, state = str(offer["unit_id"]), int(offer["seq"]), self._state
        # Rule 4: a unit that it knows gets the stored answer, and never a REJECT.
        if unit := self._unit(unit_id):
            await self._say(self._status(unit, seq, None))
            return
        accepted = None if self._lease is None else self._lease[1]
        if accepted is not None and (accepted["unit_id"], accepted["seq"]) == (unit_id, seq):
            await self._say(accepted)
            return
        if code := self._refusal(unit_id, seq):
            await self._say({
                "type": "REJECT", "unit_id": unit_id, "seq": seq, "journal_id": state.journal_id,
                "code": code,
            })  # fmt: skip
            return
        now_ms = self._clock.monotonic_ms()
        accept: Message = {
            "type": "ACCEPT", "unit_id": unit_id, "seq": seq, "journal_id": state.journal_id,
            "boot_id": self._boot, "mono_ms": now_ms, "counter": state.counter, "slot_state": "OK",
        }  # fmt: skip
        if await self._keep("accepted") is Broken.SILENT:
            await self._keep("dark")
            return
        lease = Lease(
            unit_id=UUID(unit_id), seq=seq, slot=str(offer["slot"]), boot_id=self._boot,
            not_after=now_ms + int(offer["lease_ms"]),
        )  # fmt: skip
        self._lease = (lease, accept)
        await self._say(accept)

    def _refusal(self, unit_id: str, seq: int) -> str | None:
        mine = self._lease
        leased = mine is not None and mine[0].not_after > self._clock.monotonic_ms()
        if self._running is not None or (leased and str(mine and mine[0].unit_id) != unit_id):
            return "BUSY"
        if seq <= max(self._state.last_seq, mine[0].seq if mine is not None else 0):
            return "STALE_SEQ"
        open_ = [unit for unit in self._state.units if not self._is_settled(unit)]
        return "JOURNAL_FULL" if len(open_) >= _UNITS_OPEN else None

    async def _go(self, go: Go) -> None:
        """Rules 1 and 2: STARTED is kept before the motor gets its current."""
        unit_id, state = str(go.unit_id), self._state
        if unit := self._unit(unit_id):
            await self._say(unit.result or self._status(unit, go.seq, None))
            return
        if go.seq <= state.evicted_seq:
            await self._say(self._forgotten(unit_id, go.seq, None))
            return
        if self._lease is None or not self._allows(self._lease[0], go):
            unit = self._write_tombstone(unit_id, go.seq)
            await self._keep("idle")
            await self._say(unit.events[-1])
            return
        unit = Unit(unit_id, go.seq, self._lease[0].slot)
        state.units.append(unit)
        state.last_seq, self._lease = go.seq, None
        self._write(unit, {"type": "STARTED", "counter_before": state.counter})
        if await self._keep("running") is Broken.POWER:
            await self._say(unit.events[-1])
            await self._keep("dark")
            return
        self._running = (unit, self._clock.monotonic_ms() + int(self._run_s * 1000))
        await self._say(unit.events[-1])

    def _allows(self, lease: Lease, go: Go) -> bool:
        """Rule 1."""
        asked = Lease(
            unit_id=go.unit_id, seq=go.seq, slot=lease.slot, boot_id=go.boot_id,
            not_after=go.not_after,
        )  # fmt: skip
        signed = hmac.compare_digest(sign_go(self.secret, asked), go.hmac)
        named = (lease.unit_id, lease.seq, self._boot) == (go.unit_id, go.seq, go.boot_id)
        now_ms = self._clock.monotonic_ms()
        in_time = now_ms < go.not_after <= lease.not_after
        return signed and named and in_time and go.seq > self._state.last_seq

    async def _motor_stops(self) -> None:
        """Rule 6: FAILED only where the tested sensor saw that nothing fell."""
        assert self._running is not None
        (unit, _), state = self._running, self._state
        if self._broken in (Broken.JAM, Broken.LIE):
            state.stuck = unit.slot
            evidence = _evidence(unit, "no", state.counter)
            if self._broken is Broken.LIE:
                self._conclude(unit, "VENDED", None, evidence)
            else:
                self._conclude(unit, "FAILED", "JAM", evidence)
        else:
            state.counter += 1
            state.fallen = Fallen(unit.slot, self._clock.now())
            self._conclude(unit, "VENDED", None, _evidence(unit, "yes", state.counter))
        self._running = None
        await self._keep("idle")
        await self._say(unit.events[-1])

    async def _query(self, query: Message) -> None:
        """A unit that was not started gets a tombstone before the answer is sent."""
        unit_id, seq, nonce = str(query["unit_id"]), int(query["seq"]), str(query["nonce"])
        if unit := self._unit(unit_id):
            await self._say(self._status(unit, seq, nonce))
            return
        if seq <= self._state.evicted_seq:
            await self._say(self._forgotten(unit_id, seq, nonce))
            return
        unit = self._write_tombstone(unit_id, seq)
        await self._keep("idle")
        await self._say(self._status(unit, seq, nonce))
        await self._say(unit.events[-1])

    # The journal

    def _unit(self, unit_id: str) -> Unit | None:
        return next((unit for unit in self._state.units if unit.unit_id == unit_id), None)

    def _write(self, unit: Unit, line: Message) -> None:
        state = self._state
        state.event_seq += 1
        numbers = {"unit_id": unit.unit_id, "journal_id": state.journal_id,
                   "event_seq": state.event_seq}  # fmt: skip
        unit.events.append({**line, **numbers})

    def _conclude(self, unit: Unit, outcome: str, code: str | None, evidence: Message) -> None:
        line = {"type": "RESULT", "slot": unit.slot, "outcome": outcome, "failure_code": code}
        self._write(unit, {**line, "evidence": evidence})

    def _write_tombstone(self, unit_id: str, seq: int) -> Unit:
        """RESULT TOMBSTONED: it was not started, and never will be."""
        state = self._state
        slot = ""
        if self._lease is not None and str(self._lease[0].unit_id) == unit_id:
            slot, self._lease = self._lease[0].slot, None
        unit = Unit(unit_id, seq, slot)
        state.units.append(unit)
        state.last_seq = max(state.last_seq, seq)
        evidence = {"drop": "unknown", "counter_before": state.counter,
                    "counter_after": state.counter, "sensor_tested": False}  # fmt: skip
        self._conclude(unit, "TOMBSTONED", None, evidence)
        return unit

    def _acknowledge(self, through: int) -> None:
        """Rule 5: only what is acknowledged is ever forgotten. Kept with the next line."""
        state = self._state
        state.acked = max(state.acked, min(through, state.event_seq))
        settled = [unit for unit in state.units if self._is_settled(unit)]
        for unit in settled[: max(0, len(settled) - _UNITS_KEPT)]:
            state.units.remove(unit)
            state.evicted_seq = max(state.evicted_seq, unit.seq)

    def _is_settled(self, unit: Unit) -> bool:
        return unit.result is not None and unit.events[-1]["event_seq"] <= self._state.acked

    def _unacked(self) -> list[Message]:
        lines = [line for unit in self._state.units for line in unit.events]
        return sorted(
            (line for line in lines if line["event_seq"] > self._state.acked),
            key=lambda line: int(line["event_seq"]),
        )

    async def _say_again(self) -> None:
        if not self._synced:
            await self._say(self._hello())
        if self._lease is not None and self._lease[0].not_after > self._clock.monotonic_ms():
            await self._say(self._lease[1])  # ACCEPT until GO
        for line in self._unacked():
            await self._say(line)

    def _status(self, unit: Unit, seq: int, nonce: str | None) -> Message:
        result = unit.result
        return {
            "type": "STATUS", "unit_id": unit.unit_id, "seq": seq, "nonce": nonce,
            "journal_id": self._state.journal_id, "event_seq": unit.events[-1]["event_seq"],
            "state": "STARTED" if result is None else result["outcome"],
            "evidence": {"drop": "unknown"} if result is None else result["evidence"],
        }  # fmt: skip

    def _forgotten(self, unit_id: str, seq: int, nonce: str | None) -> Message:
        return {"type": "STATUS", "unit_id": unit_id, "seq": seq, "state": "FORGOTTEN",
                "journal_id": self._state.journal_id, "nonce": nonce}  # fmt: skip

    async def _keep(self, step: str) -> Broken:
        self._state.step = step
        self._broken = await self._store.keep(self.outlet, self._state)
        return self._broken

    async def _say(self, message: Message) -> None:
        await self._inbox.received(self.outlet, message, self._clock.now())


def _log_error_of_task(life: "asyncio.Task[None]") -> None:
    """It is switched on again at the next look."""
    if not life.cancelled() and (error := life.exception()) is not None:
        log.warning("practice_machine_died", name=life.get_name(), error=repr(error))


def _evidence(unit: Unit, drop: str, counter_after: int) -> Message:
    return {
        "drop": drop, "home": drop != "unknown", "sensor_tested": drop != "unknown",
        "counter_before": unit.events[0]["counter_before"], "counter_after": counter_after,
    }  # fmt: skip
