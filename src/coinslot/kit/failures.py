"""Which background work of this process fails again and again. A count of failures in a row begins
with a failure and ends with a success; it is shown from the third on."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, TypeVar

from msgspec import Struct

from coinslot.kit.clock import Clock

SHOWN_FROM: Final = 3  # failures in a row: one or two pass, such as a database that restarts
SHOWN_AT_MOST: Final = 20
_ROWS_AT_MOST: Final = 200
_ROW_COUNTS_FOR: Final = timedelta(minutes=15)  # another process may have worked it since
_NAME_CHARS: Final = 80

Key = TypeVar("Key")


class Failing(Struct, frozen=True, kw_only=True):
    """Work that failed at least three times in a row; `work` is its name in the log, `error` the
    class of the last error. `rows` is how many rows fail, where the work is done row by row."""

    work: str
    times: int
    at: datetime
    error: str
    rows: int = 0

    def __str__(self) -> str:
        rows = f" (rows that fail: {self.rows})" if self.rows else ""
        return (
            f"{self.work} failed {self.times} times in a row{rows}, last at"
            f" {self.at:%Y-%m-%d %H:%M:%S} UTC with {self.error}"
        )


class _Count(Struct, frozen=True):
    times: int
    at: datetime
    error: str


class Failures:
    """One per process. `changed` is set when work begins or ceases to be shown."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._works: dict[str, _Count] = {}
        self._rows: dict[tuple[str, object], _Count] = {}
        self.changed = asyncio.Event()

    def failed(self, work: str, error: BaseException, row: object = None) -> None:
        """A round of this work failed, or its work on one row."""
        if row is None:
            self._count(self._works, work, error)
            return
        if (work, row) not in self._rows and len(self._rows) >= _ROWS_AT_MOST:
            self._forget_old_rows()
        if (work, row) in self._rows or len(self._rows) < _ROWS_AT_MOST:
            self._count(self._rows, (work, row), error)

    def succeeded(self, work: str, row: object = None) -> None:
        """The same came to its end."""
        ended = self._works.pop(work, None) if row is None else self._rows.pop((work, row), None)
        if ended is not None and ended.times >= SHOWN_FROM:
            self.changed.set()

    def shown(self) -> list[Failing]:
        """By the name of the work."""
        self._forget_old_rows()
        works = [_shown(work, one, 0) for work, one in _often(self._works.items())]
        of_rows: dict[str, list[_Count]] = {}
        for (work, _), one in _often(self._rows.items()):
            of_rows.setdefault(work, []).append(one)
        for work, counts in of_rows.items():
            works.append(_shown(work, max(counts, key=lambda one: one.times), len(counts)))
        return sorted(works, key=lambda one: one.work)[:SHOWN_AT_MOST]

    def _forget_old_rows(self) -> None:
        since = self._clock.now() - _ROW_COUNTS_FOR
        self._rows = {key: one for key, one in self._rows.items() if one.at > since}

    def _count(self, counts: dict[Key, _Count], key: Key, error: BaseException) -> None:
        before = counts.pop(key, None)  # so that the newest stands last
        times = 1 if before is None else before.times + 1
        counts[key] = _Count(times, self._clock.now(), type(error).__name__[:_NAME_CHARS])
        if times == SHOWN_FROM:
            self.changed.set()


def _often(counts: Iterable[tuple[Key, _Count]]) -> Iterator[tuple[Key, _Count]]:
    return ((key, one) for key, one in counts if one.times >= SHOWN_FROM)


def _shown(work: str, count: _Count, rows: int) -> Failing:
    return Failing(
        work=work[:_NAME_CHARS], times=count.times, at=count.at, error=count.error, rows=rows
    )
