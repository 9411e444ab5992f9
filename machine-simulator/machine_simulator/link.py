"""A machine's connection, whatever carries it: connects for ever, with back-off and jitter."""

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from machine_simulator.files import Record

log = logging.getLogger(__name__)


class LinkLostError(Exception):
    """The connection broke or was refused; the reason is the message."""


@dataclass(frozen=True)
class Backoff:
    """Seconds between attempts: doubled from the first to the last, each with jitter."""

    first_s: float = 0.2
    last_s: float = 5.0

    def wait_s(self, failures: int) -> float:
        longest = min(self.last_s, self.first_s * 2.0 ** min(failures, 16))
        return longest * random.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Ears:
    """Whom a link tells: it is up, it is down, an event with its message has come."""

    up: Callable[[], None]
    down: Callable[[], None]
    hear: Callable[[str, Record], None]


class Link(ABC):
    """What is said while the link is down is lost: the journal says it again."""

    def __init__(self, ears: Ears, backoff: Backoff) -> None:
        self.ears = ears
        self.connected = False
        self._backoff = backoff
        self._cable = asyncio.Event()
        self._cable.set()

    async def run(self) -> None:
        """Stay connected until cancelled; never gives up and never raises LinkLostError."""
        failures = 0
        while True:
            await self._cable.wait()
            try:
                await self._session()
            except (LinkLostError, OSError, TimeoutError) as error:
                log.debug("link lost: %s", error)
                _end_if_cancelled()
            finally:
                was_up = self.connected
                self._mark(up=False)
            failures = 0 if was_up else failures + 1
            await asyncio.sleep(self._backoff.wait_s(failures))

    def plug(self, *, plugged: bool) -> None:
        """The network cable; pulling it says no goodbye."""
        if plugged:
            self._cable.set()
        elif self._cable.is_set():
            self._cable.clear()
            self.cut()

    @property
    def plugged(self) -> bool:
        return self._cable.is_set()

    def _mark(self, *, up: bool) -> None:
        if up == self.connected:
            return
        self.connected = up
        (self.ears.up if up else self.ears.down)()

    @abstractmethod
    async def _session(self) -> None:
        """Connect, mark up, and stay until the connection is lost."""

    @abstractmethod
    def say(self, event: str, message: dict[str, Any]) -> bool:
        """Send without waiting; False if there is no connection."""

    @abstractmethod
    def cut(self) -> None:
        """Drop the connection as a power cut does: no goodbye."""

    @abstractmethod
    async def flush(self) -> None:
        """Wait, shortly, until what was said has left."""

    @abstractmethod
    async def farewell(self) -> None:
        """Disconnect politely."""


def _end_if_cancelled() -> None:
    """A task group whose child fails just as we are cancelled raises the failure alone."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
