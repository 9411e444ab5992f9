"""When a counter is open: intervals of the week in local time, other ones on special days, and the
slots that orders for later are picked up in. Moments are UTC; only what people write is local."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

DAY_MIN: Final = 24 * 60
INTERVALS: Final = 60  # of a week
SPECIAL_DAYS: Final = 100
SHOWN_SLOTS: Final = 200
_MINUTE: Final = timedelta(minutes=1)
_LOOKED_FOR: Final = 60  # days until the next opening

Minute = Annotated[int, Meta(ge=0, lt=DAY_MIN)]  # of a day, by the clocks there


class Interval(Struct, frozen=True, kw_only=True):
    """From one time of day to another. One that ends no later than it begins ends the next day."""

    opens: Minute
    closes: Minute


class WeekInterval(Interval, frozen=True, kw_only=True):
    """On a day of the week, where Monday is 0."""

    day: Annotated[int, Meta(ge=0, le=6)]


class SpecialDay(Struct, frozen=True, kw_only=True):
    """A date with other intervals than its day of the week; none: closed."""

    date: date
    intervals: tuple[Interval, ...] = ()


class Span(Struct, frozen=True):
    """From a moment until right before another one."""

    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        return self.start <= at < self.end


class Hours(Struct, frozen=True, kw_only=True):
    """Of a counter. No `week` at all: always open, but for special days."""

    zone: ZoneInfo
    week: tuple[WeekInterval, ...] = ()
    special: tuple[SpecialDay, ...] = ()
    lead: timedelta = timedelta(0)  # an order is made so long
    slot: timedelta = timedelta(minutes=15)
    days_ahead: int | None = None  # None: no orders for later

    def opened(self, now: datetime) -> Span | None:
        """The span that this moment is in."""
        return next((span for span in self._around(now) if span.holds(now)), None)

    def takes(self, now: datetime) -> bool:
        """Whether an order for now can still be made."""
        span = self.opened(now)
        return span is not None and now <= span.end - self.lead

    def opens_next(self, now: datetime) -> datetime | None:
        """When it takes orders again, if that is soon."""
        first = self.local_day(now) - timedelta(days=1)
        for span in spans(self, first, _LOOKED_FOR):
            if span.start > now and span.end - self.lead >= span.start:
                return span.start
        return None

    def slots(self, now: datetime) -> list[datetime]:
        """When an order for later can be picked up."""
        if self.days_ahead is None:
            return []
        last = self.local_day(now) + timedelta(days=self.days_ahead)
        found = list[datetime]()
        for span in spans(self, self.local_day(now) - timedelta(days=2), self.days_ahead + 3):
            at = span.start + self._steps(self.lead) * self.slot
            while at <= span.end and self.local_day(at) <= last and len(found) < SHOWN_SLOTS:
                if at >= now + self.lead and at > now:
                    found.append(at)
                at += self.slot
        return found

    def slot_of(self, now: datetime) -> datetime:
        """Whose minutes an order for now takes: the slot that begins when it can be ready, or the
        last one before closing."""
        span = self.opened(now)
        start = now if span is None else span.start
        steps = self._steps(now + self.lead - start)
        if span is not None:
            steps = min(steps, (span.end - span.start) // self.slot)
        return start + steps * self.slot

    def local_day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _steps(self, time: timedelta) -> int:
        return -(-time // self.slot)

    def _around(self, now: datetime) -> list[Span]:
        return spans(self, self.local_day(now) - timedelta(days=2), 5)


def spans(hours: Hours, first: date, days: int) -> list[Span]:
    """What begins on these days, earliest first. Neighbours are one span: midnight closes
    nothing."""
    special = {day.date: day.intervals for day in hours.special}
    found = list[Span]()
    for n in range(days):
        day = first + timedelta(days=n)
        usual = _of_week(hours.week, day)
        for interval in special.get(day, usual):
            over = interval.closes <= interval.opens
            end = day + timedelta(days=1) if over else day
            span = Span(
                _moment(day, interval.opens, hours.zone, last=False),
                _moment(end, interval.closes, hours.zone, last=True),
            )
            if span.start < span.end:
                found.append(span)
    return _joined(sorted(found, key=lambda span: span.start))


def served(week: Sequence[WeekInterval], at: datetime, zone: ZoneInfo) -> bool:
    """Whether something with hours of its own is there at this moment; without any it always
    is."""
    if not week:
        return True
    return Hours(zone=zone, week=tuple(week)).opened(at) is not None


def _of_week(week: Sequence[WeekInterval], day: date) -> Sequence[Interval]:
    if not week:
        return (Interval(opens=0, closes=0),)
    return [interval for interval in week if interval.day == day.weekday()]


def _joined(found: Sequence[Span]) -> list[Span]:
    joined = list[Span]()
    for span in found:
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _moment(day: date, minute: int, zone: ZoneInfo, *, last: bool) -> datetime:
    """When the clocks show it. One that they never show is the moment at which they jump over it;
    of two, the first opens and the `last` closes."""
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)
    early, late = (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if early <= late:
        return late if last else early
    # Over a gap the fold that is read first lies after it, and the other one before it.
    at = late
    while (at + _MINUTE).astimezone(zone).utcoffset() == late.astimezone(zone).utcoffset():
        at += _MINUTE
    return at + _MINUTE
