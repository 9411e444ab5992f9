"""The device's clocks: ticks that wrap as MicroPython's do, and a wall clock nobody may trust."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

TICKS_PERIOD_MS = 2**30  # MicroPython's ticks_ms: 12.4 days
WRONG_WALL = timedelta(days=-12_053)  # a drained clock battery: some time in the last century
SLOW_CRYSTAL = 0.992  # within the 1 % that the server allows for; slow is the dangerous side


def ticks_diff(later_ms: int, earlier_ms: int) -> int:
    """`later - earlier` in ms, wrapped or not; right as long as they are under 6.2 days apart."""
    half = TICKS_PERIOD_MS // 2
    return (later_ms - earlier_ms + half) % TICKS_PERIOD_MS - half


def utc_now() -> datetime:
    """The true time; for the ground truth and the drawing, never for the protocol."""
    return datetime.fromtimestamp(time.time(), UTC)


class Ticks:
    """Milliseconds since the boot, wrapped; `rate` is how fast this crystal runs."""

    def __init__(
        self,
        start_ms: int = 0,
        rate: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start_ms = start_ms
        self._rate = rate
        self._monotonic = monotonic
        self._zero = monotonic()

    def now_ms(self) -> int:
        return (self._start_ms + self.up_ms()) % TICKS_PERIOD_MS

    def up_ms(self) -> int:
        return int((self._monotonic() - self._zero) * 1000 * self._rate)
