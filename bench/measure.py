"""What one round gave, and what several rounds say together: medians, and how far they spread."""

from statistics import median

from msgspec import Struct

WARM_S = 1.0  # before each round: connections, plans and caches; it does not count


class Round(Struct, frozen=True, kw_only=True):
    """One round of one thing."""

    per_s: float
    took_ms: list[float]

    @property
    def p50_ms(self) -> float:
        return share(self.took_ms, 0.50)

    @property
    def p99_ms(self) -> float:
        return share(self.took_ms, 0.99)


class Rounds(Struct, frozen=True, kw_only=True):
    """The medians of several rounds of one thing."""

    rounds: list[Round]

    @property
    def per_s(self) -> float:
        return median(r.per_s for r in self.rounds)

    @property
    def p50_ms(self) -> float:
        return median(r.p50_ms for r in self.rounds)

    @property
    def p99_ms(self) -> float:
        return median(r.p99_ms for r in self.rounds)

    @property
    def spread(self) -> str:
        """The slowest and the fastest round, against the median."""
        rates = [r.per_s / self.per_s - 1 for r in self.rounds]
        return f"{min(rates):+.0%} to {max(rates):+.0%}"


def share(values: list[float], part: float) -> float:
    """The value below which this part of all values lies; not a number for none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
