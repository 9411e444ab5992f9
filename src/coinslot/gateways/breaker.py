"""A gateway that does not answer is not asked to collect for a while; then one attempt tests it.

Only new attempts are held back, never refunds, queries and attempts under way: their outcome is
needed. Each process has breakers of its own."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct
from prometheus_client import Gauge

_OPEN = Gauge(
    "coinslot_gateway_breaker",
    "0 closed, 1 half open, 2 open: new tries are kept away",
    ["account"],
)


class Position(StrEnum):
    """The state of a breaker."""

    CLOSED = "closed"
    HALF_OPEN = "half open"  # one try is on its way
    OPEN = "open"


class Rules(Struct, frozen=True, kw_only=True):
    """When it opens, and for how long."""

    failures: int  # in a row, with no clear answer between them
    window: timedelta  # all of them within it
    pause: timedelta  # before one try is let through, and after one that never came back


@dataclass(slots=True)
class Breaker:
    """The breaker of one gateway account. `name` is shown, and holds no secret."""

    name: str
    failed: deque[datetime] = field(default_factory=deque)
    shut_until: datetime | None = None
    position: Position = Position.CLOSED

    def shut_for(self, now: datetime) -> timedelta | None:
        """How long it still holds attempts back; None: it lets one through."""
        if self.shut_until is None or now >= self.shut_until:
            return None
        return self.shut_until - now

    def enter(self, now: datetime, rules: Rules) -> bool:
        """A new attempt begins: any number while closed, one at a time after a pause."""
        if self.shut_for(now) is not None:
            return False
        if self.position is not Position.CLOSED:
            self._turn(Position.HALF_OPEN, now + rules.pause)
        return True

    def record(self, clear: bool, now: datetime, rules: Rules) -> None:
        """The result of an attempt: any clear answer, also a refusal, shows that the gateway
        works."""
        if clear:
            self.failed.clear()
            self._turn(Position.CLOSED, None)
            return
        self.failed.append(now)
        while self.failed[0] < now - rules.window:
            self.failed.popleft()
        # Attempts under way that fail while it is open do not keep it open.
        enough = self.position is Position.CLOSED and len(self.failed) >= rules.failures
        if enough or self.position is Position.HALF_OPEN:
            self._turn(Position.OPEN, now + rules.pause)

    def _turn(self, to: Position, until: datetime | None) -> None:
        self.position, self.shut_until = to, until
        _OPEN.labels(self.name).set(list(Position).index(to))


@dataclass(slots=True)
class Breakers:
    """Of every account that this process has asked to collect."""

    known: dict[UUID, Breaker] = field(default_factory=dict)

    def of(self, account_id: UUID, name: str) -> Breaker:
        return self.known.setdefault(account_id, Breaker(name))

    def away(self) -> list[str]:
        """Accounts that are not asked now, for people."""
        found = self.known.values()
        return sorted(f"{b.name} {b.position}" for b in found if b.position is not Position.CLOSED)
