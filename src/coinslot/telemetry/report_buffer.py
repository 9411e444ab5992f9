"""Reports of health and logs are gathered and written once a second: no vend waits for them. What
there is no room for is dropped, the oldest first, and counted: a report is no proof of anything,
and the next one says the same. So is what the database refuses, alone: were it tried again with all
others, one machine could keep every machine's readings from being written."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

import asyncpg
import structlog
from prometheus_client import Counter as Metric

from coinslot.channels.messages import Down
from coinslot.channels.reports import HealthReport, Logs
from coinslot.context import Context
from coinslot.db.pool import AWAY
from coinslot.telemetry import logs, readings
from coinslot.telemetry.logs import Line
from coinslot.telemetry.readings import Heard
from coinslot.vending.machine_messages import Machine

EVERY_S: Final = 1.0
MACHINES: Final = 20_000  # of which one report each waits
LINES: Final = 10_000
AT_ONCE: Final = 1_000  # rows of one statement
# What the database says of the rows themselves: the same ones fail again.
_REFUSED: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)

_DROPPED = Metric("coinslot_reports_dropped", "Reports that there was no room for", ("kind",))
log = structlog.get_logger(__name__)
Part = TypeVar("Part")


class ReportBuffer:
    """What machines said, until it is written."""

    def __init__(self, context: Context, machines: int = MACHINES, lines: int = LINES) -> None:
        self._context = context
        self._machines = machines
        self._heard: dict[str, Heard] = {}
        self._lines: deque[Line] = deque()
        self._most_lines = lines
        self.dropped = 0

    async def health(
        self, context: Context, machine: Machine, report: HealthReport, at: datetime
    ) -> Sequence[Down]:
        """A report handler: it is remembered."""
        self._note(machine.outlet, Heard.of(report, at))
        return ()

    async def logs(
        self, context: Context, machine: Machine, report: Logs, at: datetime
    ) -> Sequence[Down]:
        """A report handler: its lines are remembered."""
        for line in report.lines:
            self._lines.append(Line(machine.outlet, at, line.at_mono_ms, line.level, line.text))
        self._shorten()
        return ()

    async def run(self) -> None:
        """Write once a second, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Write all of it now. What cannot be written waits, as far as there is room."""
        try:
            while self._heard:
                await self._write_readings()
            while self._lines:
                await self._write_lines()
            self._context.failures.succeeded("reports_not_written")
        except (asyncpg.PostgresError, *AWAY) as error:
            log.warning("reports_not_written", machines=len(self._heard), error=repr(error))
            self._context.failures.failed("reports_not_written", error)

    def _note(self, outlet: str, heard: Heard) -> None:
        before = self._heard.pop(outlet, None)  # so that the newest stands last
        self._heard[outlet] = heard if before is None else before.then(heard)
        while len(self._heard) > self._machines:
            self._heard.pop(next(iter(self._heard)))
            self._drop("health")

    def _shorten(self) -> None:
        while len(self._lines) > self._most_lines:
            self._lines.popleft()
            self._drop("logs")

    def _drop(self, kind: str) -> None:
        self.dropped += 1
        _DROPPED.labels(kind).inc()

    async def _write_readings(self) -> None:
        names = list(self._heard)[:AT_ONCE]
        batch = {name: self._heard.pop(name) for name in names}
        written = False
        try:
            await self._keep_readings(batch)
            written = True
        finally:
            if not written:
                self._put_back(batch)

    async def _keep_readings(self, batch: Mapping[str, Heard]) -> None:
        """All of them, but for those that the database refuses."""
        try:
            locked = await readings.keep(self._context, batch)
        except _REFUSED as error:
            if len(batch) == 1:
                self._refuse("health", next(iter(batch)), error)
                return
            for half in _halves(list(batch)):
                await self._keep_readings({name: batch[name] for name in half})
            return
        for outlet in locked:
            log.warning("food_lock_fell", outlet=outlet)

    def _put_back(self, batch: Mapping[str, Heard]) -> None:
        newer, self._heard = self._heard, dict(batch)
        for outlet, heard in newer.items():
            self._note(outlet, heard)

    async def _write_lines(self) -> None:
        batch = [self._lines.popleft() for _ in range(min(AT_ONCE, len(self._lines)))]
        written = False
        try:
            await self._keep_lines(batch)
            written = True
        finally:
            if not written:
                self._lines.extendleft(reversed(batch))
                self._shorten()

    async def _keep_lines(self, batch: Sequence[Line]) -> None:
        """All of them, but for those that the database refuses."""
        try:
            await logs.keep(self._context, batch)
        except _REFUSED as error:
            if len(batch) == 1:
                self._refuse("logs", batch[0].outlet, error)
                return
            for half in _halves(batch):
                await self._keep_lines(half)

    def _refuse(self, kind: str, outlet: str, error: Exception) -> None:
        log.warning("report_refused_by_database", kind=kind, outlet=outlet, error=repr(error))
        self._drop(kind)


def _halves(all_of_them: Sequence[Part]) -> tuple[Sequence[Part], Sequence[Part]]:
    middle = len(all_of_them) // 2
    return all_of_them[:middle], all_of_them[middle:]
