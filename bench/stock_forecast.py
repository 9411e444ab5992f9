"""How well the chance that a slot sells out is predicted: on slots whose truth is known, for the
week ahead, against the mean of the last 28 days. `python -m bench.stock_forecast` prints the table
of docs/fleet.md."""

import math
import random
import sys
from datetime import date, timedelta
from typing import NamedTuple

from coinslot.stock.forecast import Demand, Weekdays, chance_of_more

DAYS, WARM, EVERY, AHEAD = 150, 45, 5, 7
MONDAY = date(2026, 1, 5)
WEEK = (1.1, 1.0, 1.0, 1.05, 1.35, 0.9, 0.6)  # an office: Fridays are strong, Sundays are not


class Score(NamedTuple):
    """Brier scores: the mean of the squared error of a chance; 0 is perfect, a coin has 0.25."""

    ours: float
    mean_yes_or_no: float
    mean_poisson: float
    asked: int


class Slot:
    """Sells at a rate that wanders, is filled once or twice a week, and then and again sold out."""

    def __init__(self, dice: random.Random, a_day: float) -> None:
        self.dice = dice
        self.rate = a_day * math.exp(dice.gauss(0, 0.5))
        self.par = max(2, round(a_day * dice.uniform(4, 12)))
        self.stock = self.par
        self.demand, self.weekdays = Demand(), Weekdays()
        self.sold: list[int] = []

    def wanted(self, day: date) -> int:
        return poisson(self.dice, self.rate * WEEK[day.weekday()])

    def lives(self, day: date) -> None:
        """What was sold, and what the worker learns of it that night."""
        before = self.stock
        wanted = self.wanted(day)
        sold = min(wanted, before)
        self.stock -= sold
        self.sold.append(sold)
        if before == 0:
            self.demand = self.demand.faded()
        else:
            part = 1.0 if self.stock else sold / max(wanted, 1)  # it was empty from then on
            self.demand = self.demand.after(sold, self.weekdays.weight(day) * part)
        self.weekdays = self.weekdays.after(day, sold)
        self.rate *= math.exp(self.dice.gauss(0, 0.02))
        if self.dice.random() < 0.22:
            self.stock = self.par


def poisson(dice: random.Random, mean: float) -> int:
    limit, count, product = math.exp(-mean), 0, dice.random()
    while product > limit:
        count += 1
        product *= dice.random()
    return count


def measured(slots: int, a_day: float, seed: int = 1) -> Score:
    """Of so many slots, each asked now and then about its next week."""
    dice = random.Random(seed)
    ours = yes_or_no = by_poisson = 0.0
    asked = 0
    for _ in range(slots):
        slot = Slot(dice, a_day)
        for number in range(DAYS):
            day = MONDAY + timedelta(days=number)
            if number >= WARM and number % EVERY == 0 and slot.stock:
                truth = _exceeds(slot, day)
                mean = sum(slot.sold[-28:]) / 28 * AHEAD
                weight = sum(slot.weekdays.weight(day + timedelta(days=n)) for n in range(AHEAD))
                ours += (chance_of_more(slot.demand, weight, slot.stock) - truth) ** 2
                yes_or_no += ((mean > slot.stock) - truth) ** 2
                by_poisson += (_poisson_more(mean, slot.stock) - truth) ** 2
                asked += 1
            slot.lives(day)
    return Score(ours / asked, yes_or_no / asked, by_poisson / asked, asked)


def _exceeds(slot: Slot, day: date) -> bool:
    """Whether more is wanted in the next week than lies there, by dice of its own."""
    dice = random.Random(slot.dice.random())
    return slot.stock < sum(
        poisson(dice, slot.rate * WEEK[(day + timedelta(days=n)).weekday()]) for n in range(AHEAD)
    )


def _poisson_more(mean: float, than: int) -> float:
    term = at_most = math.exp(-mean)
    for count in range(1, than + 1):
        term *= mean / count
        at_most += term
    return 1 - at_most


def main() -> None:
    slots = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    print("| sales a day | asked | ours | 28-day mean, yes or no | 28-day mean, Poisson |")
    print("| --- | --- | --- | --- | --- |")
    for a_day in (0.8, 4.0):
        one = measured(slots, a_day)
        print(f"| {a_day} | {one.asked} | {one.ours:.3f} | {one.mean_yes_or_no:.3f}"
              f" | {one.mean_poisson:.3f} |")  # fmt: skip


if __name__ == "__main__":
    main()
