"""The server's half of the vend protocol, as the checks need it: every message to the device is
sent on purpose, everything it says is kept, and only SYNC and EVACK are sent by themselves."""

import asyncio
import bisect
import contextlib
import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec.structs import replace

from coinslot.channels.messages import (
    OTHER_TOPICS,
    Accept,
    ConfigUpdate,
    Down,
    Evack,
    Go,
    Hello,
    Lease,
    Message,
    Offer,
    Outcome,
    Progress,
    Query,
    Reject,
    Result,
    Started,
    Status,
    Sync,
    UnitState,
    Unreadable,
    Up,
    read_up,
    signed_go,
    to_wire,
)
from coinslot.conformance.hands import Hands
from coinslot.conformance.line import VENDS, Line
from coinslot.kit.clock import Clock

Found = TypeVar("Found")
Kind = TypeVar("Kind", bound=Message)
Other = TypeVar("Other", bound=Message)


class BrokenError(Exception):
    """The device does not keep the rule; the message says how it was seen."""


class SkippedError(Exception):
    """Nobody did what the check needs; the message says what that was."""


class NotApplicableError(Exception):
    """The device does not have what the check asks about."""


@dataclass(frozen=True)
class Patience:
    """Seconds after which the kit stops waiting."""

    answer_s: float = 10.0  # for an answer to a message
    run_s: float = 30.0  # for the end of a run
    restart_s: float = 60.0  # for HELLO after a power cut
    longest_silence_s: float = 30.0


@dataclass(frozen=True)
class Subject:
    """The device under test, and how it is tested."""

    machine: str
    secret: str = field(repr=False)
    slot: str = "A1"
    key_id: int = 1
    price_version: int = 1
    planogram_version: int = 1
    journal_units: int = 100  # a journal is filled with no more than so many
    lease_ms: int = 60_000
    patience: Patience = Patience()


@dataclass(frozen=True)
class Said:
    """One message of the device. `read` is None on the topics beside the vends."""

    at: float
    branch: str
    raw: bytes
    read: Up | Unreadable | None


@dataclass(frozen=True)
class Unit:
    """One unit of goods, as it is offered."""

    id: UUID
    seq: int


@dataclass(frozen=True)
class Accepted:
    """A unit whose ACCEPT came, as it came."""

    unit: Unit
    accept: Accept
    raw: bytes
    not_after: int


class Bench:
    """`take` is given all that the device says. Checks run one after another."""

    def __init__(
        self, line: Line, tested: Subject, hands: Hands, rng: random.Random, clock: Clock
    ) -> None:
        self.line, self.tested, self.hands, self.rng = line, tested, hands, rng
        self.said: list[Said] = []
        self.syncs = self.acks = True
        self.seq = 0
        self.resend_s = 2.0  # how often the device repeats itself; measured by the first check
        self.run_s = 2.0  # how long a run takes; measured by the first vend
        self.config_version: int | None = None  # the newest one sent
        self.price_version, self.planogram_version = tested.price_version, tested.planogram_version
        self._clock = clock
        self._news = asyncio.Event()
        self._index: dict[tuple[type, UUID | None], list[int]] = {}
        self._acked_at = 0.0
        self._lines: dict[str, set[int]] = {}
        self._through: dict[str, int] = {}
        self._units: dict[UUID, Unit] = {}  # offered or asked about
        self._settled: set[UUID] = set()

    # Hearing

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def take(self, branch: str, raw: bytes) -> None:
        read = read_up(raw) if branch == VENDS else None
        if read is not None:
            for unit_id in {None, getattr(read, "unit_id", None)}:
                self._index.setdefault((type(read), unit_id), []).append(len(self.said))
        self.said.append(Said(self.now(), branch, raw, read))
        self._news.set()
        match read:
            case Hello():
                self._begin(read)
                if self.syncs:
                    await self.sync()
            case Started() | Progress() | Result():
                await self._store(read)
            case _:
                pass

    def _begin(self, hello: Hello) -> None:
        self.seq = max(self.seq, hello.last_seq)
        first = hello.unacked_from
        if hello.journal_id not in self._through and first is not None:
            self._through[hello.journal_id] = first - 1

    async def _store(self, line: Started | Progress | Result) -> None:
        stored = self._lines.setdefault(line.journal_id, set())
        stored.add(line.event_seq)
        through = self._through.setdefault(line.journal_id, line.event_seq - 1)
        before = through
        while through + 1 in stored:
            through += 1
        self._through[line.journal_id] = through
        # For lines that come again one EVACK in a while is enough.
        due = through > before or self.now() >= self._acked_at + self.resend_s / 4
        if self.acks and due:
            self._acked_at = self.now()
            await self.acknowledge(line.journal_id)

    async def acknowledge(self, journal_id: str | None = None) -> None:
        """EVACK for the lines that came without a gap; without a name, of every journal."""
        for name, through in list(self._through.items()):
            if journal_id in (None, name) and through > 0:
                await self.send(Evack(journal_id=name, through=through))

    def all(self, kind: type[Kind], since: int = 0, unit: Unit | None = None) -> list[Kind]:
        """All of this kind that were heard from there on."""
        return [said.read for said in self._of(kind, since, unit) if isinstance(said.read, kind)]

    def _of(self, kind: type[Message], since: int, unit: Unit | None) -> list[Said]:
        """Out of an index: a device that repeats a full journal says thousands of lines."""
        known = self._index.get((kind, None if unit is None else unit.id), [])
        return [self.said[at] for at in known[bisect.bisect_left(known, since) :]]

    def either(
        self, one: type[Kind], other: type[Other], since: int, unit: Unit
    ) -> list[Kind | Other]:
        """Those of two kinds about this unit, the first kind first."""
        return [*self.all(one, since, unit), *self.all(other, since, unit)]

    def raws(self, kind: type[Message], since: int = 0, unit: Unit | None = None) -> list[bytes]:
        return [said.raw for said in self._of(kind, since, unit)]

    @property
    def mark(self) -> int:
        """Now, as a place in `said`."""
        return len(self.said)

    @property
    def hello(self) -> Hello:
        """The newest one. There is one before the first check runs."""
        return self.all(Hello)[-1]

    async def until(self, find: Callable[[], Found | None], within_s: float) -> Found | None:
        """What is found in what was said, now or within that time."""
        ends = self.now() + within_s
        while not (found := find()):
            left = ends - self.now()
            if left <= 0:
                return None
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()
        return found

    async def first(
        self, kind: type[Kind], unit: Unit | None = None, since: int = 0,
        within_s: float | None = None,
    ) -> Kind:  # fmt: skip
        """Raises BrokenError when none comes in time."""
        within_s = self.tested.patience.answer_s if within_s is None else within_s
        found = await self.until(lambda: self.all(kind, since, unit), within_s)
        if not found:
            raise BrokenError(f"no {name_of(kind)} within {within_s:g} s")
        return found[0]

    async def pause(self, resends: float = 2.5) -> None:
        """As long as it takes until a device that repeats itself has done so."""
        await asyncio.sleep(min(resends * self.resend_s + 0.05, self.silence_bound_s))

    @property
    def silence_bound_s(self) -> float:
        return self.tested.patience.longest_silence_s

    # Saying

    async def send(self, message: Down, **more: object) -> None:
        branch = OTHER_TOPICS.get(str(to_wire(message)["type"]), ("commands/dispense", ""))[0]
        await self.say(branch, to_wire(message) | more)

    async def say(self, branch: str, body: Mapping[str, object]) -> None:
        await self.line.send(branch, msgspec.json.encode(body))

    def server_time(self) -> datetime:
        return self._clock.now()

    def gaps(self) -> list[int]:
        """Numbers of journal lines that never came, though later ones did."""
        return sorted(
            number
            for lines in self._lines.values()
            for number in range(min(lines), max(lines))
            if number not in lines
        )

    async def sync(self) -> None:
        version = self.config_version or self.hello.config_version or 0
        await self.send(Sync(through=0, server_time=self.server_time(), config_version=version))

    def unit(self) -> Unit:
        """A new one, under the next number."""
        self.seq += 1
        return self.unit_at(self.seq)

    def unit_at(self, seq: int) -> Unit:
        """A new one, under a number that may have been used."""
        made = Unit(UUID(int=self.rng.getrandbits(128), version=4), seq)
        self._units[made.id] = made
        return made

    def again(self, unit: Unit) -> Unit:
        """The same unit under the next number."""
        self.seq += 1
        self._units[unit.id] = Unit(unit.id, self.seq)
        return self._units[unit.id]

    def offer_of(self, unit: Unit, lease_ms: int | None = None) -> Offer:
        return Offer(
            unit_id=unit.id,
            seq=unit.seq,
            slot=self.tested.slot,
            sku="conformance",
            amount_minor=100,
            price_version=self.price_version,
            planogram_version=self.planogram_version,
            lease_ms=lease_ms or self.tested.lease_ms,
        )

    async def accepted(self, lease_ms: int | None = None, unit: Unit | None = None) -> Accepted:
        """OFFER, and its ACCEPT. Raises BrokenError for a REJECT."""
        unit = unit or self.unit()
        since = self.mark
        await self.send(self.offer_of(unit, lease_ms))
        return await self.answered(unit, since, lease_ms)

    async def answered(self, unit: Unit, since: int, lease_ms: int | None = None) -> Accepted:
        patience = self.tested.patience.answer_s
        answer = await self.until(lambda: self.either(Accept, Reject, since, unit), patience)
        if not answer:
            raise BrokenError(f"no ACCEPT within {patience:g} s of OFFER")
        accept = answer[0]
        if isinstance(accept, Reject):
            raise BrokenError(f"OFFER was answered by REJECT {accept.code}{_hint(accept)}")
        raw = self.raws(Accept, since, unit)[0]
        return Accepted(unit, accept, raw, accept.mono_ms + (lease_ms or self.tested.lease_ms))

    def go_of(self, of: Accepted, *, slot: str | None = None) -> Go:
        lease = Lease(
            unit_id=of.unit.id,
            seq=of.unit.seq,
            slot=slot or self.tested.slot,
            boot_id=of.accept.boot_id,
            not_after=of.not_after,
        )
        return signed_go(self.tested.secret, lease, self.tested.key_id)

    async def result(self, unit: Unit, since: int = 0) -> Result:
        return await self.first(Result, unit, since, self.tested.patience.run_s)

    async def vended(self) -> Accepted:
        """One whole vend. Raises BrokenError when it is none."""
        of = await self.accepted()
        await self.send(self.go_of(of))
        must_be(await self.result(of.unit), Outcome.VENDED)
        return of

    async def query(self, unit: Unit) -> Status:
        """QUERY, and the STATUS with its nonce."""
        nonce = f"{self.rng.getrandbits(64):016x}"
        since = self.mark
        journal = self.hello.journal_id
        await self.send(Query(unit_id=unit.id, seq=unit.seq, journal_id=journal, nonce=nonce))
        patience = self.tested.patience.answer_s
        found = await self.until(
            lambda: [s for s in self.all(Status, since, unit) if s.nonce == nonce], patience
        )
        if not found:
            raise BrokenError(f"no STATUS with the nonce within {patience:g} s of QUERY")
        return found[0]

    async def buried(self, unit: Unit) -> Result:
        """QUERY for a unit that was not started, and its tombstone."""
        status = await self.query(unit)
        if status.state is not UnitState.TOMBSTONED:
            raise BrokenError(f"QUERY for a unit that was not started: STATUS {status.state}")
        result = await self.first(Result, unit)
        must_be(result, Outcome.TOMBSTONED)
        return result

    async def counter(self) -> int | None:
        """How many things fell: counted by somebody, else by the device in its ACCEPT."""
        counted = await self.hands.fell()
        if counted is not None:
            return counted
        of = await self.accepted()
        await self.buried(of.unit)
        return of.accept.counter

    async def configure(self, version: int, **wrong: object) -> None:
        """CONFIG, with what the kit's offers name."""
        body = {
            "version": version,
            "price_version": self.price_version,
            "planogram_version": self.planogram_version,
            "slots": [],
            "device": {},
        }
        text = msgspec.json.encode(body).decode()
        digest = hashlib.sha256(text.encode()).hexdigest()
        message = ConfigUpdate(version=version, sha256=digest, config=text)
        await self.send(message, **wrong)

    async def settle(self) -> None:
        """After a check: nothing is left open, and nothing is owed an EVACK."""
        self.syncs = self.acks = True
        await self.acknowledge()
        ended = {result.unit_id for result in self.all(Result)} | self._settled
        for unit in [unit for unit in self._units.values() if unit.id not in ended]:
            self._settled.add(unit.id)
            with contextlib.suppress(BrokenError):
                if (await self.query(unit)).state is UnitState.STARTED:
                    await self.result(unit)


def name_of(kind: type[Message]) -> str:
    return str(kind.__struct_config__.tag)


def must_be(result: Result, *outcomes: Outcome) -> None:
    if result.outcome not in outcomes:
        wanted = " or ".join(outcomes)
        code = f" ({result.failure_code})" if result.failure_code else ""
        raise BrokenError(f"RESULT {result.outcome}{code}, where {wanted} was due")


def wrong_signature(go: Go) -> Go:
    first = "1" if go.hmac[0] == "0" else "0"
    return replace(go, hmac=first + go.hmac[1:])


def _hint(reject: Reject) -> str:
    return f": {HINTS[reject.code.value]}" if reject.code.value in HINTS else ""


HINTS = {
    "SLOT_EMPTY": "fill the slot, or name another with --slot",
    "SLOT_FAULT": "it does not know or not trust the slot: name another with --slot",
    "PRICE_VERSION": "name the version that it has with --price-version",
    "PLANOGRAM": "name the version that it has with --planogram-version",
    "DOOR_OPEN": "close the door",
    "TEMP_LOCK": "end its food lock",
}
