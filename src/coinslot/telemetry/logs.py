"""Lines of machines' logs: kept within a number a day for each machine, and searched."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct

from coinslot.channels.reports import LogLevel
from coinslot.context import Context
from coinslot.outlets.machines import UnknownOutletError
from coinslot.telemetry import store

LONGEST_SEARCH: Final = 100  # characters
_AT_LEAST: Final = list(LogLevel)


class Line(Struct, frozen=True):
    """One line of a machine, and when it came: machines' own clocks say only the order."""

    outlet: str
    at: datetime
    mono_ms: int
    level: LogLevel
    text: str


class KeptLine(Struct, frozen=True, kw_only=True):
    """A line as it is kept. `id` ends the page before."""

    id: int
    at: datetime
    mono_ms: int | None
    level: str
    text: str


class LogSearch(Struct, frozen=True, kw_only=True):
    """Which lines: those at least as grave as a level, with a text in them, of before a line."""

    level: LogLevel = LogLevel.DEBUG
    text: str = ""
    before: int | None = None
    limit: int = 100


class Found(Struct, frozen=True, kw_only=True):
    """The newest first. `left_out`: lines of the last days that were over the day's limit."""

    lines: Sequence[KeptLine]
    left_out: int


async def keep(context: Context, lines: Sequence[Line]) -> int:
    """Write them; how many were over their machine's limit of the day."""
    if not lines:
        return 0
    async with context.db.system_transaction() as conn:
        left_out: int = await conn.fetchval(
            store.TAKE_LOG_LINES, [line.outlet for line in lines], [line.at for line in lines],
            [line.mono_ms for line in lines], [line.level.value for line in lines],
            [line.text for line in lines], context.windows.machine_log_lines,
        )  # fmt: skip
    return left_out


async def search(context: Context, merchant: UUID, machine: str, wanted: LogSearch) -> Found:
    """Raises UnknownOutletError."""
    levels = None
    if wanted.level is not LogLevel.DEBUG:
        levels = [level.value for level in _AT_LEAST[_AT_LEAST.index(wanted.level) :]]
    text = wanted.text[:LONGEST_SEARCH].replace("\\", "\\\\").replace("%", r"\%")
    text = text.replace("_", r"\_").replace("\0", "")
    since = (context.now() - timedelta(days=7)).date()
    async with context.db.as_merchant(merchant) as conn:
        if not await conn.fetchval("SELECT true FROM outlets WHERE id = $1", machine):
            raise UnknownOutletError(f"no machine has the code {machine}")
        rows = await conn.fetch(
            store.LOGS, machine, levels, text or None, wanted.before, wanted.limit
        )
        left_out: int = await conn.fetchval(store.LEFT_OUT, machine, since)
    return Found(lines=[KeptLine(**dict(row)) for row in rows], left_out=left_out)
