"""When a slot will be empty. Sales of a day are Poisson with a rate that is not known but believed:
a Gamma distribution, whose two numbers each day changes and time lets fade. What will be asked for
until a day is then negative binomial. docs/fleet.md says how well it does."""

import math
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Final

from msgspec import Struct

FORGETTING: Final = 0.985  # of what was known, a day: half of it is left after 46 days
# What a slot of which nothing is known is taken to sell: about one a day, believed as much as half
# a day of sales.
PRIOR_SALES: Final = 0.5
PRIOR_DAYS: Final = 0.5
# A weekday is taken to differ from the others when this many weeks of it would say so.
SHRUNK_BY: Final = 4.0
_LEAST: Final = 1e-6
DAYS_AHEAD: Final = 60  # beyond it nothing is predicted
MOST_LIKELY: Final = 10_000  # more than any slot holds

Week = tuple[float, float, float, float, float, float, float]
NO_WEEK: Final[Week] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Demand(Struct, frozen=True):
    """What is believed of a slot's sales: so many, on so many days."""

    sales: float = PRIOR_SALES
    days: float = PRIOR_DAYS

    @property
    def a_day(self) -> float:
        return self.sales / self.days

    def after(self, sold: int, exposure: float) -> "Demand":
        """A day later. `exposure` is how much of an average day it was: its weekday's weight, times
        the part of it in which the slot had something to sell."""
        return Demand(
            sales=max(self.sales * FORGETTING + sold, _LEAST),
            days=max(self.days * FORGETTING + exposure, _LEAST),
        )

    def faded(self) -> "Demand":
        """A day later, of which nothing can be learned: it was empty, or not on sale."""
        return Demand(max(self.sales * FORGETTING, _LEAST), max(self.days * FORGETTING, _LEAST))


class Weekdays(Struct, frozen=True):
    """How the days of a week differ, Monday first: what was sold on each, on how many days."""

    sold: Week = NO_WEEK
    days: Week = NO_WEEK

    def weight(self, day: date) -> float:
        """Of this day; on average 1."""
        mean = sum(self.sold) / max(sum(self.days), _LEAST)
        if mean <= _LEAST:
            return 1.0
        n = day.weekday()
        return ((self.sold[n] + SHRUNK_BY * mean) / (self.days[n] + SHRUNK_BY)) / mean

    def after(self, day: date, sold: int) -> "Weekdays":
        """A day later. A week fades as a slot does."""
        return Weekdays(
            sold=_faded(self.sold, day.weekday(), sold), days=_faded(self.days, day.weekday(), 1)
        )


def _faded(week: Week, weekday: int, more: float) -> Week:
    mon, tue, wed, thu, fri, sat, sun = (
        each * FORGETTING + (more if n == weekday else 0) for n, each in enumerate(week)
    )
    return (mon, tue, wed, thu, fri, sat, sun)


def chance_of_more(demand: Demand, weight: float, than: int) -> float:
    """How likely more than so many are asked for in days of this weight together."""
    if than < 0:
        return 1.0
    at_most = next(islice(_at_most(demand, weight), than, None))
    return min(max(1.0 - at_most, 0.0), 1.0)


def likely_sold(demand: Demand, weekdays: Weekdays, today: date, days: float) -> int:
    """The most pieces that are more likely than not asked for in so many days from the beginning of
    today. A slot that holds no more is then probably sold out."""
    whole = min(int(days), DAYS_AHEAD)
    weight = sum(weekdays.weight(today + timedelta(days=n)) for n in range(whole))
    weight += (min(days, DAYS_AHEAD) - whole) * weekdays.weight(today + timedelta(days=whole))
    found = enumerate(islice(_at_most(demand, weight), MOST_LIKELY))
    return next((count for count, chance in found if chance > 0.5), MOST_LIKELY)


def _at_most(demand: Demand, weight: float) -> Iterator[float]:
    """How likely at most none are asked for, at most one, two, ... Of a slot that sells hundreds
    the first chances are smaller than any number: their logarithms are summed."""
    share = demand.days / (demand.days + weight)
    log_term, log_more = demand.sales * math.log(share), math.log(max(1 - share, _LEAST**2))
    chance, count = 0.0, 0
    while True:
        chance += math.exp(log_term)
        yield chance
        log_term += math.log((demand.sales + count) / (count + 1)) + log_more
        count += 1


def expected(demand: Demand, weekdays: Weekdays, days: Sequence[date]) -> float:
    """How many are asked for on these days, on average."""
    return demand.a_day * sum(weekdays.weight(day) for day in days)


def sold_out_on(demand: Demand, weekdays: Weekdays, stock: int, today: date) -> date | None:
    """The first day at whose end the slot is more likely empty than not, today included. None: none
    of the next days."""
    weight = 0.0
    for ahead in range(DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        weight += weekdays.weight(day)
        if chance_of_more(demand, weight, stock - 1) >= 0.5:
            return day
    return None
