"""What was done to the town and when: the excuses that a unit settled by policy may have."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from coinslot.kit.clock import SystemClock
from tests.storms.clicks import Click
from tests.storms.servers import Charge

EVERYONE = "*"
_CLOCK = SystemClock()
_EVER = datetime(9999, 1, 1, tzinfo=UTC)


class Disturbance(NamedTuple):
    """From when to when something was wrong, and for whom: a machine or everyone."""

    since: datetime
    until: datetime
    whom: str
    what: str


@dataclass
class Entered:
    """What staff entered at the till. `told`, and each of `steps`: what they were answered, "done"
    or "refused"; empty: nobody answered."""

    cake: int
    cream: int
    pieces: int
    told: str = ""
    steps: list[tuple[str, str]] = field(default_factory=list)


class Chronicle:
    """Written by the storm, read by the comparison."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # every fault put in, by kind
        self.foreign: set[str] = set()  # payments that never were ours
        self.charges: list[Charge] = []  # what merchants' servers asked for, and were told
        self.clicks: dict[str, Click] = {}  # of people at the console, by the key of the form
        self.handed: set[str] = set()  # orders of a counter in their customers' hands
        self.unanswered: set[str] = set()  # orders whose code was typed, and nobody answered
        self.entered: dict[str, Entered] = {}  # at the till of a counter, by the name on it
        self.by_hand: dict[str, int] = {}  # given back in the dashboard, by payment
        self._open: dict[tuple[str, str], datetime] = {}
        self._past: list[Disturbance] = []

    def began(self, whom: str, what: str) -> None:
        self.counts[what] += 1
        self._open.setdefault((whom, what), _CLOCK.now())

    def ended(self, whom: str, what: str) -> None:
        since = self._open.pop((whom, what), None)
        if since is not None:
            self._past.append(Disturbance(since, _CLOCK.now(), whom, what))

    def struck(self, whom: str, what: str, lasting_s: float = 3.0) -> None:
        """Something that is over at once, and is felt for a while."""
        self.counts[what] += 1
        now = _CLOCK.now()
        self._past.append(Disturbance(now, now + timedelta(seconds=lasting_s), whom, what))

    def lasted(self, whom: str, what: str, seconds: float) -> None:
        """It is over now, and went on for so long."""
        self.counts[what] += 1
        now = _CLOCK.now()
        self._past.append(Disturbance(now - timedelta(seconds=seconds), now, whom, what))

    def all_over(self) -> None:
        for whom, what in list(self._open):
            self.ended(whom, what)

    def excuses(self, machine: str, since: datetime, until: datetime) -> list[str]:
        """What was wrong with this machine, or with everyone, in that time."""
        running = [Disturbance(at, _EVER, whom, what) for (whom, what), at in self._open.items()]
        return sorted(
            {
                each.what
                for each in (*self._past, *running)
                if each.whom in (machine, EVERYONE) and each.since <= until and each.until >= since
            }
        )
