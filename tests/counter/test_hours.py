"""When a counter is open: intervals over midnight, special days, clocks that jump, the last order,
and the slots of orders for later."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from coinslot.counter.hours import Hours, Interval, Span, SpecialDay, WeekInterval, served, spans

BERLIN = ZoneInfo("Europe/Berlin")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clocks jump by half an hour
DAYS = range(7)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def local(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def daily(*times: tuple[int, int]) -> tuple[WeekInterval, ...]:
    return tuple(
        WeekInterval(day=day, opens=opens * 60, closes=closes * 60)
        for day in DAYS for opens, closes in times
    )  # fmt: skip


def test_a_counter_without_hours_is_always_open() -> None:
    hours = Hours(zone=BERLIN, lead=timedelta(minutes=30))
    for moment in ("2026-05-01T00:00Z", "2026-05-01T23:59Z", "2026-10-25T01:30Z"):
        assert hours.takes(at(moment)), moment


def test_an_interval_that_ends_no_later_than_it_begins_ends_the_next_day() -> None:
    hours = Hours(zone=BERLIN, week=(WeekInterval(day=4, opens=18 * 60, closes=2 * 60),))
    assert hours.opened(local("2026-05-01 23:00"))  # a Friday
    assert hours.opened(local("2026-05-02 01:59"))
    assert not hours.opened(local("2026-05-02 02:00"))
    assert not hours.opened(local("2026-05-02 23:00"))


def test_midnight_joins_neighbours() -> None:
    evening, night = (18 * 60, 0), (0, 2 * 60)
    week = tuple(
        WeekInterval(day=day, opens=opens, closes=closes)
        for day in DAYS for opens, closes in (evening, night)
    )  # fmt: skip
    hours = Hours(zone=BERLIN, week=week, lead=timedelta(minutes=30))
    assert hours.takes(local("2026-05-01 23:45")), "closing is at two"
    assert not hours.takes(local("2026-05-02 01:31"))


def test_there_are_several_intervals_a_day_and_a_break_between_them() -> None:
    hours = Hours(zone=BERLIN, week=daily((8, 11), (12, 18)))
    assert hours.opened(local("2026-05-01 10:59"))
    assert not hours.opened(local("2026-05-01 11:30"))
    assert hours.opens_next(local("2026-05-01 11:30")) == local("2026-05-01 12:00")


def test_the_last_order_is_the_end_minus_the_time_to_make_it() -> None:
    hours = Hours(zone=BERLIN, week=daily((8, 18)), lead=timedelta(minutes=20))
    assert hours.takes(local("2026-05-01 17:40"))
    assert not hours.takes(local("2026-05-01 17:41"))
    assert hours.opened(local("2026-05-01 17:41")), "still open, and no longer for orders"


def test_it_is_looked_for_two_months_ahead() -> None:
    first = date(2026, 5, 1)
    for days, opens in ((58, "2026-06-28 08:00"), (59, None)):
        closed = tuple(SpecialDay(date=first + timedelta(days=n)) for n in range(days))
        hours = Hours(zone=BERLIN, week=daily((8, 18)), special=closed)
        found = hours.opens_next(local("2026-05-01 07:00"))
        assert found == (None if opens is None else local(opens)), days


def test_a_special_day_takes_the_place_of_its_day_of_the_week() -> None:
    special = (
        SpecialDay(date=date(2026, 12, 24), intervals=(Interval(opens=9 * 60, closes=13 * 60),)),
        SpecialDay(date=date(2026, 12, 25)),
    )
    hours = Hours(zone=BERLIN, week=daily((8, 18)), special=special)
    assert not hours.opened(local("2026-12-24 08:30"))
    assert hours.opened(local("2026-12-24 12:59"))
    assert not hours.opened(local("2026-12-25 12:00"))
    assert hours.opens_next(local("2026-12-24 14:00")) == local("2026-12-26 08:00")
    assert Hours(zone=BERLIN, special=special).opened(local("2026-12-25 12:00")) is None


def test_a_time_that_the_clocks_jump_over_is_the_moment_of_the_jump() -> None:
    hours = Hours(zone=BERLIN, week=(WeekInterval(day=6, opens=150, closes=600),))
    assert spans(hours, date(2026, 3, 29), 1) == [
        Span(at("2026-03-29T01:00Z"), at("2026-03-29T08:00Z"))
    ]
    half = Hours(zone=LORD_HOWE, week=(WeekInterval(day=6, opens=135, closes=600),))
    (found,) = spans(half, date(2026, 10, 4), 1)
    assert found.start == at("2026-10-03T15:30Z")


def test_of_a_time_that_comes_twice_the_first_opens_and_the_last_closes() -> None:
    night = Hours(zone=BERLIN, week=(WeekInterval(day=5, opens=22 * 60, closes=150),))
    (found,) = spans(night, date(2026, 10, 24), 1)
    assert found.end == at("2026-10-25T01:30Z"), "half past two in winter"
    early = Hours(zone=BERLIN, week=(WeekInterval(day=6, opens=150, closes=600),))
    (found,) = spans(early, date(2026, 10, 25), 1)
    assert found.start == at("2026-10-25T00:30Z"), "half past two in summer"


@pytest.mark.parametrize(
    ("day", "shown", "doubled"), [("2026-03-29", 23, 0), ("2026-10-25", 25, 1)]
)
def test_slots_skip_the_hour_that_is_not_there_and_tell_two_alike_apart(
    day: str, shown: int, doubled: int
) -> None:
    hours = Hours(zone=BERLIN, slot=timedelta(minutes=60), days_ahead=1)
    found = [
        slot for slot in hours.slots(local(f"{day} 00:00") - timedelta(minutes=1))
        if slot.astimezone(BERLIN).date() == date.fromisoformat(day)
    ]  # fmt: skip
    assert len(found) == len(set(found)) == shown
    walls = [slot.astimezone(BERLIN).strftime("%H:%M") for slot in found]
    assert len(walls) - len(set(walls)) == doubled
    assert ("02:00" in walls) is bool(doubled)


def test_slots_are_ahead_while_open_and_on_days_that_are_offered() -> None:
    hours = Hours(
        zone=BERLIN, week=daily((8, 10)), lead=timedelta(minutes=20),
        slot=timedelta(minutes=30), days_ahead=1,
    )  # fmt: skip
    found = [slot.astimezone(BERLIN).strftime("%d %H:%M") for slot in
             hours.slots(local("2026-05-01 09:05"))]  # fmt: skip
    assert found == [
        "01 09:30", "01 10:00", "02 08:30", "02 09:00", "02 09:30", "02 10:00",
    ]  # fmt: skip
    for now, slot in (("09:10", "09:30"), ("09:11", "10:00"), ("09:40", "10:00")):
        first = hours.slots(local(f"2026-05-01 {now}"))[0]
        assert first == local(f"2026-05-01 {slot}"), "made just in time"
    assert hours.slots(local("2026-05-01 09:41"))[0] == local("2026-05-02 08:30")
    assert Hours(zone=BERLIN).slots(local("2026-05-01 09:05")) == []


def test_an_order_for_now_takes_the_minutes_of_a_slot_that_is_offered() -> None:
    hours = Hours(
        zone=BERLIN, week=daily((8, 10)), lead=timedelta(minutes=10),
        slot=timedelta(minutes=30), days_ahead=0,
    )  # fmt: skip
    now = local("2026-05-01 08:05")
    assert hours.slot_of(now) == local("2026-05-01 08:30") == hours.slots(now)[0]
    assert hours.slot_of(local("2026-05-01 09:50")) == local("2026-05-01 10:00")
    longer = Hours(
        zone=BERLIN, week=daily((8, 10)), lead=timedelta(minutes=10),
        slot=timedelta(minutes=45), days_ahead=0,
    )  # fmt: skip
    assert longer.slot_of(local("2026-05-01 09:40")) == local("2026-05-01 09:30"), "the last one"


def test_an_item_with_hours_of_its_own_is_there_in_them() -> None:
    breakfast = daily((7, 11))
    assert served(breakfast, local("2026-05-01 10:59"), BERLIN)
    assert not served(breakfast, local("2026-05-01 11:00"), BERLIN)
    assert served((), local("2026-05-01 03:00"), BERLIN)
