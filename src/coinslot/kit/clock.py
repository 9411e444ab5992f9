"""The only place that asks what time it is; everything else is told."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones


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
