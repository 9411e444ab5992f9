"""How many reports of each kind a machine may send in a minute, so that one that went wrong costs
as little as any other."""

from collections import Counter

from coinslot.channels.reports import KINDS
from coinslot.kit.clock import Clock

_MINUTE_MS = 60_000


class ReportRates:
    """Counts within the running minute; machines that were heard in it are remembered, no more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minute = -1
        self._seen: Counter[tuple[str, str]] = Counter()

    def allow(self, outlet: str, kind: str) -> bool:
        """Count one report; False when it is over the limit."""
        minute = self._clock.monotonic_ms() // _MINUTE_MS
        if minute != self._minute:
            self._minute = minute
            self._seen.clear()
        self._seen[outlet, kind] += 1
        return self._seen[outlet, kind] <= KINDS[kind][1]
