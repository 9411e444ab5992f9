"""Special days and weeks as people write them."""

from datetime import date

import pytest

from coinslot.counter import hours_text
from coinslot.counter.hours import Interval, SpecialDay
from coinslot.counter.hours_text import HoursTextError, special, week, written_special, written_week

EVE = date(2026, 12, 24)
MORNING = (Interval(opens=540, closes=780),)


@pytest.mark.parametrize(
    "line",
    [
        "2026-12-24 09:00-13:00", "24.12.2026 09:00-13:00", "24/12/2026 9-13",
        "24.12.2026: 09:00-13:00", "２４.12.2026 09:00-13:00",
    ],
)  # fmt: skip
def test_a_special_day_is_read_as_people_write_dates(line: str) -> None:
    assert special(line, is_day_first=False) == (SpecialDay(date=EVE, intervals=MORNING),)


@pytest.mark.parametrize(
    "line",
    [
        "2026-12-24 - 2026-12-26 closed", "2026-12-24-2026-12-26", "24.12.2026 – 26.12.2026",
        "24/12/2026 to 26/12/2026 closed", "24.12.2026 по 26.12.2026 закрыто",
    ],
)  # fmt: skip
def test_a_span_is_each_of_its_days(line: str) -> None:
    assert [(one.date.day, one.intervals) for one in special(line)] == [
        (24, ()),
        (25, ()),
        (26, ()),
    ]


def test_a_later_line_counts_for_a_day_of_a_span() -> None:
    text = "2026-12-23 - 2027-01-02 closed\n31.12.2026 09:00-13:00"
    days = special(text)
    assert len(days) == 11
    assert [one.date for one in days if one.intervals] == [date(2026, 12, 31)]
    assert special(written_special(days)) == days
    assert written_special(days) == (
        "2026-12-23 - 2026-12-30\n2026-12-31 09:00-13:00\n2027-01-01\n2027-01-02"
    )


@pytest.mark.parametrize(
    "line",
    [
        "Christmas", "24.12", "31.02.2026", "12/24/2026", "24.12/2026", "2026-12-24 soon",
        "2026-12-26 - 2026-12-24", "2026-01-01 - 2026-03-02 closed", "24.12.202609:00-13:00",
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_refused_by_name(line: str) -> None:
    with pytest.raises(HoursTextError, match=r".") as refused:
        special(f"2026-12-20\n{line}")
    assert str(refused.value) == line


def test_sixty_days_are_one_span() -> None:
    days = special("2026-01-01 - 2026-03-01 closed")
    assert len(days) == hours_text.SPAN_DAYS == 60
    assert written_special(days) == "2026-01-01 - 2026-03-01"


def test_a_date_with_slashes_that_may_begin_with_its_month_needs_a_language_without_doubt() -> None:
    assert special("4/12/2026")[0].date == date(2026, 12, 4)
    assert special("5/5/2026", is_day_first=False)[0].date == date(2026, 5, 5)
    assert special("4.12.2026", is_day_first=False)[0].date == date(2026, 12, 4)
    with pytest.raises(HoursTextError):
        special("4/12/2026", is_day_first=False)


@pytest.mark.parametrize(
    "text", ["Mo-Fr 8-18; Sa 9-14", "Mon-Fri: 08:00-18:00; Sat 9-14", "Пн-Пт 8-18; Сб 9-14",
             "Montag - Freitag 8-18; Samstag 9-14", "सोम-शुक्र 8-18; शनि 9-14"],
)  # fmt: skip
def test_days_of_the_week_are_read_in_the_languages_of_merchants(text: str) -> None:
    assert written_week(week(text)) == "Mon-Fri 08:00-18:00; Sat 09:00-14:00"
