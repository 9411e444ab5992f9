"""Hours as people write them: `08:00-18:00` is every day; `Mon-Fri 08:00-11:00, 12:00-18:00; Sat
09:00-14:00` names days."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from coinslot.counter.hours import DAY_MIN, Interval, SpecialDay, WeekInterval

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME: Final = r"([01]?[0-9]|2[0-4])(?:[:.]([0-5][0-9]))?"
_INTERVAL: Final = re.compile(rf"{_TIME}\s*[-\u2013]\s*{_TIME}")
# How the names of the days begin: English and German, Russian, Hindi.
_BEGIN: Final = (
    ("mo", "пн", "пон", "सोम"), ("tu", "di", "вт", "मंगल"), ("we", "mi", "ср", "बुध"),
    ("th", "do", "чт", "чет", "गुरु"), ("fr", "пт", "пят", "शुक्र"), ("sa", "сб", "суб", "शनि"),
    ("su", "so", "вс", "вос", "रवि"),
)  # fmt: skip
_NAME: Final = r"([^\d\s;,:.\u2013-]{2,12})\.?"
_PART: Final = re.compile(rf"(?:{_NAME}(?:\s*[-\u2013]\s*{_NAME})?:?\s+)?(.+)")
SPAN_DAYS: Final = 60  # of one line
_DATE: Final = r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}([./])\d{1,2}{again}\d{4}"
_SPECIAL: Final = re.compile(
    rf"(?P<first>{_DATE.replace('{again}', chr(92) + '2')})"
    rf"(?:\s*(?:-|\u2013|\u2014|\.\.|to|bis|по|से)\s*"
    rf"(?P<last>{_DATE.replace('{again}', chr(92) + '4')}))?\s*[:,]?(?:\s+(?P<rest>.*))?"
)
_CLOSED: Final = ("", "-", "closed", "geschlossen", "बंद", "закрыто")


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


def special(text: str, *, is_day_first: bool = True) -> tuple[SpecialDay, ...]:
    """Days by their dates, one or a span on a line; of a day in two lines the second counts. Dates
    are 2026-12-24, 24.12.2026 or 24/12/2026; not `is_day_first`: one with slashes that could begin
    with its month is refused. Raises HoursTextError with the line."""
    found = dict[date, SpecialDay]()
    for line in filter(None, (line.strip() for line in text.splitlines())):
        said = _SPECIAL.fullmatch(line)
        if said is None:
            raise HoursTextError(line)
        rest = (said["rest"] or "").strip()
        try:
            first = _date(said["first"], is_day_first)
            last = first if said["last"] is None else _date(said["last"], is_day_first)
            hours = intervals("" if rest.lower() in _CLOSED else rest)
        except ValueError:
            raise HoursTextError(line) from None
        span = (last - first).days + 1
        if not 1 <= span <= SPAN_DAYS:
            raise HoursTextError(line)
        for day in (first + timedelta(days=n) for n in range(span)):
            found[day] = SpecialDay(date=day, intervals=hours)
    return tuple(found[day] for day in sorted(found))


def written_special(days: Sequence[SpecialDay]) -> str:
    """As `special` reads it; three days and more that are alike are one span."""
    lines, at = list[str](), 0
    while at < len(days):
        end = at
        while end + 1 < len(days) and (
            days[end + 1].intervals == days[at].intervals
            and days[end + 1].date - days[end].date == timedelta(days=1)
            and end + 1 - at < SPAN_DAYS
        ):
            end += 1
        if end - at < 2:
            end = at
        last = f" - {days[end].date.isoformat()}" if end > at else ""
        hours = written(days[at].intervals)
        lines.append(f"{days[at].date.isoformat()}{last} {hours}".strip())
        at = end + 1
    return "\n".join(lines)


def _date(text: str, is_day_first: bool) -> date:
    """Raises ValueError."""
    year, month, day = (int(part) for part in re.split(r"[-./]", text))
    if "-" in text:
        return date(year, month, day)
    day, year = year, day
    if "/" in text and not is_day_first and day <= 12 and day != month:
        raise ValueError(text)
    return date(year, month, day)


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
    begin = _day(first)
    end = begin if last is None else _day(last)
    return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]


def _day(name: str) -> int:
    """Raises HoursTextError."""
    for day, begin in enumerate(_BEGIN):
        if name.casefold().startswith(begin):
            return day
    raise HoursTextError(f"{name}: the days are {', '.join(DAYS)}")


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
