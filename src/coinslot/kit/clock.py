"""The only place that reads the time; everything else is given a clock."""

import asyncio
import statistics
import time
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

_SAMPLES = 15  # of each kind; their median tolerates some that are wrong
_ENOUGH_ANSWERS, _ENOUGH_EVENTS = 2, 3
_SLOWEST_MS = 4000
_REMEMBERED_MS = 3_600_000


def monotonic_ms() -> int:
    """Milliseconds that only ever grow while this process lives; from no known start."""
    return time.monotonic_ns() // 1_000_000


class UnknownZoneError(ValueError):
    """No zone of the IANA's list has this name."""


def zone_named(name: str) -> ZoneInfo:
    """A zone by its IANA name, such as Asia/Kolkata. Raises UnknownZoneError.

    Names that mean "wherever this computer is" are refused: another computer is elsewhere."""
    if name not in available_timezones() - {"localtime", "Factory"}:
        raise UnknownZoneError(f"{name!r} is no time zone; write one such as Asia/Kolkata")
    return ZoneInfo(name)


def known_zone(name: str | None) -> str | None:
    """The name, looked up, also by its city alone where only one zone has it ("Berlin"); None
    stays. Raises UnknownZoneError."""
    return None if name is None else zone_named(_of_city(name)).key


def _of_city(name: str) -> str:
    """The full name, where a single zone ends in this one; else as it is."""
    if name in available_timezones():
        return name
    wanted = name.strip().replace(" ", "_").casefold()
    found = [
        zone for zone in available_timezones()
        if wanted in (zone.casefold(), zone.rpartition("/")[2].casefold())
    ]  # fmt: skip
    return found[0] if len(found) == 1 else name


class Clock(Protocol):
    """A source of time that can be replaced as a whole."""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...

    def monotonic_ms(self) -> int: ...


class SystemClock:
    """The clock of this computer."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_ms(self) -> int:
        return monotonic_ms()


class RemoteClock:
    """The clock of another party, estimated from the Date of its answers and the times of its
    events.

    Differences to our monotonic clock are kept: when somebody sets our time of day, what follows
    from them is right at once. It is a Clock itself; where nothing is known it shows ours."""

    def __init__(self, ours: Clock) -> None:
        self._ours = ours
        self._answers: deque[tuple[int, float]] = deque(maxlen=_SAMPLES)  # heard_ms, offset_s
        self._events: deque[tuple[int, float]] = deque(maxlen=_SAMPLES)

    def record_answer(self, date: datetime, took_ms: int) -> None:
        """The Date of an answer, in whole seconds, that came after so many milliseconds."""
        if took_ms > _SLOWEST_MS:
            return  # somewhere between request and answer: too far apart to mean anything
        now_ms = self._ours.monotonic_ms()
        shown = date.timestamp() + 0.5
        self._answers.append((now_ms, shown - (now_ms - took_ms / 2) / 1000))

    def record_event(self, at: datetime) -> None:
        """An event that happened then has arrived now, however late: their clock is at least
        there."""
        now_ms = self._ours.monotonic_ms()
        self._events.append((now_ms, at.timestamp() - now_ms / 1000))

    def ahead(self) -> timedelta | None:
        """By how much our clock is ahead of theirs; negative: it is behind. None: not known."""
        offset = self._offset_s()
        if offset is None:
            return None
        theirs = offset + self._ours.monotonic_ms() / 1000
        return timedelta(seconds=self._ours.now().timestamp() - theirs)

    def now(self) -> datetime:
        return self._ours.now() - (self.ahead() or timedelta(0))

    def monotonic_ms(self) -> int:
        return self._ours.monotonic_ms()

    def _offset_s(self) -> float | None:
        """The median of what answers said; without answers, the event that came soonest."""
        since = self._ours.monotonic_ms() - _REMEMBERED_MS
        answers = [offset for at, offset in self._answers if at >= since]
        if len(answers) >= _ENOUGH_ANSWERS:
            return statistics.median_low(answers)
        events = [offset for at, offset in self._events if at >= since]
        return max(events) if len(events) >= _ENOUGH_EVENTS else None


class SettableClock:
    """A clock that shows the same time until it is moved."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware time")
        self._start = start.astimezone(UTC)
        self._now = self._start

    def now(self) -> datetime:
        return self._now

    def monotonic_ms(self) -> int:
        return (self._now - self._start) // timedelta(milliseconds=1)

    def advance(self, step: timedelta) -> None:
        if step < timedelta(0):
            raise ValueError("a clock goes forward only")
        self._now += step


async def wait_at_most(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set, or so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
