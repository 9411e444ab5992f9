"""The only place that asks what time it is; everything else is told."""

import statistics
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

_SAMPLES = 15  # of each kind; a median over them stands against some that are wrong
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
    """The name, looked up; None stays. Raises UnknownZoneError."""
    return None if name is None else zone_named(name).key


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
    """The clock of another party, as far as what it says tells: the Date of its answers, and the
    times of the events that it sends.

    What is kept are differences to our monotonic clock: when somebody sets our time of day, what
    follows from them is right at once. Is itself a Clock; where nothing is known it shows ours."""

    def __init__(self, ours: Clock) -> None:
        self._ours = ours
        self._answers: deque[tuple[int, float]] = deque(maxlen=_SAMPLES)  # heard_ms, offset_s
        self._events: deque[tuple[int, float]] = deque(maxlen=_SAMPLES)

    def heard(self, date: datetime, took_ms: int) -> None:
        """The Date of an answer, whole seconds, that has just come after so many milliseconds."""
        if took_ms > _SLOWEST_MS:
            return  # somewhere between asking and hearing: too far apart to mean anything
        now_ms = self._ours.monotonic_ms()
        shown = date.timestamp() + 0.5
        self._answers.append((now_ms, shown - (now_ms - took_ms / 2) / 1000))

    def told(self, at: datetime) -> None:
        """An event that happened then has come just now, however late: it is at least so late."""
        now_ms = self._ours.monotonic_ms()
        self._events.append((now_ms, at.timestamp() - now_ms / 1000))

    def ahead(self) -> timedelta | None:
        """By how much our clock is ahead of theirs; negative: it is behind. None: nobody knows."""
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
        """The median of what answers said; without answers, of the events the promptest."""
        since = self._ours.monotonic_ms() - _REMEMBERED_MS
        answers = [offset for at, offset in self._answers if at >= since]
        if len(answers) >= _ENOUGH_ANSWERS:
            return statistics.median_low(answers)
        events = [offset for at, offset in self._events if at >= since]
        return max(events) if len(events) >= _ENOUGH_EVENTS else None


class SettableClock:
    """A clock that stands still until it is moved."""

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
