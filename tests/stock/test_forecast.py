"""When a slot will be empty: the arithmetic, and how often it is right."""

import math
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stock_forecast import measured
from coinslot.stock.forecast import (
    Demand,
    Weekdays,
    chance_of_more,
    expected,
    sold_out_on,
)

MONDAY = date(2026, 1, 5)
KNOWN = Demand(sales=30.0, days=10.0)
demands = st.builds(Demand, st.floats(0.01, 500), st.floats(0.01, 70))


def test_chances_are_those_of_the_negative_binomial() -> None:
    """With 3 sales in one day known, two more days: p = 1/3, so none with p**3."""
    three = Demand(sales=3.0, days=1.0)
    assert chance_of_more(three, 2.0, 0) == pytest.approx(1 - (1 / 3) ** 3)
    assert chance_of_more(three, 2.0, 1) == pytest.approx(1 - (1 / 3) ** 3 * (1 + 3 * 2 / 3))
    assert chance_of_more(three, 2.0, -1) == 1.0


def test_much_knowledge_makes_it_poisson() -> None:
    sure = Demand(sales=4e6, days=1e6)
    none_to_two = math.exp(-4) * (1 + 4 + 8)
    assert chance_of_more(sure, 1.0, 2) == pytest.approx(1 - none_to_two, abs=1e-4)


@given(demand=demands, weight=st.floats(0.01, 60), stock=st.integers(0, 60))
def test_a_chance_falls_with_the_stock_and_grows_with_the_days(
    demand: Demand, weight: float, stock: int
) -> None:
    chance = chance_of_more(demand, weight, stock)
    assert 0.0 <= chance <= 1.0
    assert chance_of_more(demand, weight, stock + 1) <= chance + 1e-9
    assert chance_of_more(demand, weight * 2, stock) >= chance - 1e-9


def test_what_was_known_fades_and_a_day_is_learned_by_its_part() -> None:
    whole, half = KNOWN.after(3, 1.0), KNOWN.after(3, 0.5)
    assert (whole.sales, whole.days) == (30 * 0.985 + 3, 10 * 0.985 + 1)
    assert half.a_day > whole.a_day, "the same sales in half a day are more a day"
    assert KNOWN.faded().a_day == pytest.approx(KNOWN.a_day), "an empty day says nothing"
    assert KNOWN.faded().days < KNOWN.days, "but what was known is older"


def test_a_slot_that_sells_nothing_for_years_stays_a_number() -> None:
    demand = Demand()
    for _ in range(3000):
        demand = demand.after(0, 1.0).faded()
    assert 0 < demand.a_day < 0.01
    assert sold_out_on(demand, Weekdays(), 1, MONDAY) is None


def test_weekdays_differ_as_far_as_they_were_seen() -> None:
    weekdays = Weekdays()
    assert [weekdays.weight(MONDAY + timedelta(days=n)) for n in range(7)] == [1.0] * 7
    for n in range(140):
        day = MONDAY + timedelta(days=n)
        weekdays = weekdays.after(day, 12 if day.weekday() == 4 else 4)
    friday, monday = MONDAY + timedelta(days=4), MONDAY
    assert weekdays.weight(friday) > 1.7 * weekdays.weight(monday)
    week = [MONDAY + timedelta(days=n) for n in range(7)]
    assert sum(weekdays.weight(day) for day in week) == pytest.approx(7, abs=0.3)
    assert expected(KNOWN, weekdays, [friday]) > expected(KNOWN, weekdays, [monday])


def test_the_day_on_which_a_slot_is_empty_follows_from_its_stock() -> None:
    assert sold_out_on(KNOWN, Weekdays(), 0, MONDAY) == MONDAY
    days = [sold_out_on(KNOWN, Weekdays(), stock, MONDAY) for stock in (1, 5, 10, 20)]
    assert days == [MONDAY + timedelta(days=n) for n in (0, 1, 3, 6)]


@pytest.mark.parametrize(("a_day", "at_most"), [(0.8, 0.14), (4.0, 0.08)])
def test_it_is_right_more_often_than_a_mean_of_28_days(a_day: float, at_most: float) -> None:
    """The same measure on fewer slots than in docs/fleet.md."""
    score = measured(150, a_day, seed=7)
    assert score.ours < at_most
    assert score.ours < 0.8 * score.mean_poisson < score.mean_yes_or_no
