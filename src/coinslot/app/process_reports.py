"""What fails in each process of an installation, told to the others by NOTIFY: a worker answers no
requests, so health of the web and `coinslot doctor` say it for all of them."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Collection, Sequence
from typing import Final

import asyncpg
import msgspec
import structlog
from msgspec import Struct

from coinslot.app.notify import listen_on
from coinslot.db.pool import AWAY, Database, connect
from coinslot.kit.clock import Clock, wait_at_most
from coinslot.kit.failures import Failing, Failures
from coinslot.kit.ids import token

log = structlog.get_logger(__name__)

_CHANNEL: Final = "coinslot_processes"
_ASK: Final = "ask"  # every process answers with its report
_NOTIFY: Final = "SELECT pg_notify($1, $2)"
_AGAIN_S: Final = 10.0  # a report is repeated while something fails
_PAUSE_S: Final = 0.5  # between two reports
_HEARD_MS: Final = 30_000  # a report counts for so long
_PROCESSES_AT_MOST: Final = 100
_ANSWERS_S: Final = 1.5


class ProcessReport(Struct, frozen=True, kw_only=True):
    """What fails in one process; `process` is new at each start, `name` is for people."""

    process: str
    name: str
    failing: list[Failing] = []


class ProcessReports:
    """One per process: tells its own failures, and knows what other processes told."""

    def __init__(
        self, db: Database, clock: Clock, failures: Failures, roles: Collection[str]
    ) -> None:
        self._db, self._clock, self._failures = db, clock, failures
        self._process = token(12)
        self._name = f"{'+'.join(sorted(roles))} on {socket.gethostname()} ({os.getpid()})"[:120]
        self._heard: dict[str, tuple[int, ProcessReport]] = {}
        self._asked = False

    async def run(self, door_url: str) -> None:
        """Until cancelled."""

        def received(_conn: object, _pid: int, _channel: str, said: object) -> None:
            self._receive(str(said))

        async with asyncio.TaskGroup() as group:
            group.create_task(listen_on(door_url, _CHANNEL, received, lambda: None))
            group.create_task(self._tell())

    def failing(self) -> Sequence[ProcessReport]:
        """The processes in which something fails, this one first."""
        now_ms = self._clock.monotonic_ms()
        self._heard = {
            name: heard for name, heard in self._heard.items() if now_ms - heard[0] < _HEARD_MS
        }
        others = sorted((report for _, report in self._heard.values()), key=lambda one: one.name)
        return [one for one in (self._own(), *others) if one.failing]

    def _own(self) -> ProcessReport:
        return ProcessReport(process=self._process, name=self._name, failing=self._failures.shown())

    def _receive(self, said: str) -> None:
        if said == _ASK:
            self._asked = True
            self._failures.changed.set()
            return
        report = _read(said)
        if report is None or report.process == self._process:
            return
        self._heard.pop(report.process, None)
        if report.failing and len(self._heard) < _PROCESSES_AT_MOST:
            self._heard[report.process] = (self._clock.monotonic_ms(), report)

    async def _tell(self) -> None:
        """At once when something begins or ceases to fail, and when asked; again while it fails."""
        others_know = False  # that something fails here
        while True:
            self._failures.changed.clear()
            report = self._own()
            if report.failing or others_know or self._asked:
                try:
                    async with self._db.system_pool.acquire() as conn:
                        await conn.execute(_NOTIFY, _CHANNEL, msgspec.json.encode(report).decode())
                    others_know, self._asked = bool(report.failing), False
                except (asyncpg.PostgresError, *AWAY) as error:
                    log.warning("report_of_process_not_sent", error=repr(error))
            await asyncio.sleep(_PAUSE_S)
            await wait_at_most(self._failures.changed, _AGAIN_S)


async def ask_processes(door_url: str) -> Sequence[ProcessReport]:
    """The reports of all processes that answer within a moment, by name. Raises what `connect`
    raises."""
    found: dict[str, ProcessReport] = {}

    def received(_conn: object, _pid: int, _channel: str, said: object) -> None:
        report = _read(str(said))
        if report is not None and len(found) < _PROCESSES_AT_MOST:
            found[report.process] = report

    conn = await connect(door_url)
    try:
        await conn.add_listener(_CHANNEL, received)
        await conn.execute(_NOTIFY, _CHANNEL, _ASK)
        await asyncio.sleep(_ANSWERS_S)
    finally:
        conn.terminate()
    return sorted(found.values(), key=lambda one: one.name)


def _read(said: str) -> ProcessReport | None:
    with contextlib.suppress(msgspec.DecodeError):  # another version's, or nobody's
        return msgspec.json.decode(said, type=ProcessReport)
    return None
