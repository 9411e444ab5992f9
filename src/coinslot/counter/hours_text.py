"""Hours as people write them: `08:00-18:00` is every day; `Mon-Fri 08:00-11:00, 12:00-18:00; Sat
09:00-14:00` names days."""

import re
from collections.abc import Sequence
from typing import Final

from coinslot.counter.hours import DAY_MIN, Interval, WeekInterval

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME: Final = r"([01]?[0-9]|2[0-4])(?:[:.]([0-5][0-9]))?"
_INTERVAL: Final = re.compile(rf"{_TIME}\s*[-\u2013]\s*{_TIME}")
_PART: Final = re.compile(r"(?:([A-Za-z]{3})(?:\s*[-\u2013]\s*([A-Za-z]{3}))?\s+)?(.+)")


class HoursTextError(ValueError):
    """This is no text of hours."""


def intervals(text: str) -> tuple[Interval, ...]:
    """Of a day; none of an empty text. Raises HoursTextError."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        said = _INTERVAL.fullmatch(part)
        if said is None:
            raise HoursTextError(f"{part!r}: write hours like 08:00-18:00")
        opens, closes = (int(said[n]) * 60 + int(said[n + 1] or 0) for n in (1, 3))
        if opens > DAY_MIN or closes > DAY_MIN:
            raise HoursTextError(f"{part!r}: a day has 24 hours")
        found.append(Interval(opens=opens % DAY_MIN, closes=closes % DAY_MIN))
    return tuple(found)


def week(text: str) -> tuple[WeekInterval, ...]:
    """Of a week. Raises HoursTextError."""
    found = list[WeekInterval]()
    for part in filter(None, (part.strip() for part in text.split(";"))):
        said = _PART.fullmatch(part)
        assert said is not None
        for day in _days(said[1], said[2]):
            found += [
                WeekInterval(day=day, opens=one.opens, closes=one.closes)
                for one in intervals(said[3])
            ]
    return tuple(found)


def written(found: Sequence[Interval]) -> str:
    """The intervals of a day."""
    return ", ".join(f"{_clock(one.opens)}-{_clock(one.closes)}" for one in found)


def written_week(found: Sequence[WeekInterval]) -> str:
    """As `week` reads it; alike days next to each other are one range."""
    by_day = [written([one for one in found if one.day == day]) for day in range(7)]
    if len(set(by_day)) == 1:
        return by_day[0]
    parts, day = [], 0
    while day < len(DAYS):
        last = day
        while last + 1 < len(DAYS) and by_day[last + 1] == by_day[day]:
            last += 1
        if by_day[day]:
            name = DAYS[day] if last == day else f"{DAYS[day]}-{DAYS[last]}"
            parts.append(f"{name} {by_day[day]}")
        day = last + 1
    return "; ".join(parts)


def _days(first: str | None, last: str | None) -> Sequence[int]:
    """Every day, where none is named."""
    if first is None:
        return range(7)
    try:
        begin = DAYS.index(first.capitalize())
        end = begin if last is None else DAYS.index(last.capitalize())
    except ValueError:
        raise HoursTextError(f"{first}: the days are {', '.join(DAYS)}") from None
    return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
