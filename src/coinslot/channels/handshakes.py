"""Connections that have not yet shown a machine's secret: limited in number, time and messages."""

from collections import Counter
from collections.abc import Callable

import structlog
from msgspec import Struct

from coinslot.kit.clock import Clock

log = structlog.get_logger(__name__)

_LOG_EVERY_MS = 10_000


class HandshakeLimits(Struct, frozen=True, kw_only=True):
    """What a connection may cost before its machine is known."""

    within_s: float = 10.0
    tries: int = 3
    message_max: int = 1024  # characters of one
    at_once: int = 1000  # from everyone; one more ends the oldest
    at_once_each: int = 100  # from one address


class Handshake(Struct):
    """One connection, from its opening until its machine is admitted."""

    address: str
    since_ms: int
    tries: int = 0


class Handshakes:
    """Those under way, oldest first. `hang_up` ends one by its id."""

    def __init__(
        self, limits: HandshakeLimits, clock: Clock, hang_up: Callable[[str], None]
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._hang_up = hang_up
        self._open: dict[str, Handshake] = {}
        self._of: dict[str, dict[str, None]] = {}
        self._ended: Counter[str] = Counter()
        self._logged_ms = -_LOG_EVERY_MS

    def begin(self, sid: str, address: str) -> None:
        """Over a limit the oldest is closed: a real machine shows its secret at once."""
        of_them = self._of.get(address, {})
        if len(of_them) >= self._limits.at_once_each:
            self.refuse(next(iter(of_them)), "too many of one address without a secret")
        elif len(self._open) >= self._limits.at_once:
            self.refuse(next(iter(self._open)), "too many without a secret")
        self._open[sid] = Handshake(address, self._clock.monotonic_ms())
        self._of.setdefault(address, {})[sid] = None

    def end(self, sid: str) -> None:
        """It was admitted, or it closed."""
        ended = self._open.pop(sid, None)
        if ended is not None:
            del self._of[ended.address][sid]
            if not self._of[ended.address]:
                del self._of[ended.address]

    def allows(self, sid: str, said: object) -> bool:
        """Whether this message may be read. Until its machine is known, a connection may only
        authenticate, a few times."""
        handshake = self._open.get(sid)
        if handshake is None:
            return True
        handshake.tries += 1
        return (
            isinstance(said, str)
            and said.startswith("0")  # the packet CONNECT
            and len(said) <= self._limits.message_max
            and handshake.tries <= self._limits.tries
        )

    def expire(self) -> None:
        """End those that take too long."""
        before_ms = self._clock.monotonic_ms() - self._limits.within_s * 1000
        late = [sid for sid, one in self._open.items() if one.since_ms <= before_ms]
        for sid in late:
            self.refuse(sid, "no secret in time")

    def refuse(self, sid: str, reason: str) -> None:
        """Close one, and log it together with others: one line for thousands."""
        self.end(sid)
        self.count_ended(reason)
        self._hang_up(sid)

    def count_ended(self, reason: str) -> None:
        self._ended[reason] += 1
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._logged_ms >= _LOG_EVERY_MS:
            self._logged_ms = now_ms
            log.warning("machines_connections_ended", since_the_last_line=dict(self._ended))
            self._ended.clear()
