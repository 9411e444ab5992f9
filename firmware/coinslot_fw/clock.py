"""A clock that does not wrap: milliseconds, counted on from the ticks of the start, which do.

MicroPython's ticks wrap after 12.4 days; this one is to be read more often than every 6."""

PERIOD_MS = 1 << 30
_HALF_MS = 536870912  # half of it


class Clock:
    """`ticks_ms` gives the wrapping ticks. Kept apart from any wall clock: nobody trusts that."""

    def __init__(self, ticks_ms):
        self._ticks_ms = ticks_ms
        self._seen = ticks_ms() & (PERIOD_MS - 1)
        self._now = self._seen
        self.started = self._seen

    def now_ms(self):
        ticks = self._ticks_ms() & (PERIOD_MS - 1)
        passed = ((ticks - self._seen + _HALF_MS) & (PERIOD_MS - 1)) - _HALF_MS
        if passed > 0:  # ticks that jump back are a fault of the chip: time stands still
            self._now += passed
            self._seen = ticks
        return self._now
