"""Breadth-first search over every reachable world: the first trace found is a shortest one.

Safety is asked of each world; liveness is AG EF settled: from each, some way leads to the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from . import device, server, weather
from .rules import Rules
from .state import Moves, World
from .unread import without_unread

TWICE = "TWICE: two things dropped for one payment"
BOTH = "BOTH: goods and refund"
NEITHER = "NEITHER: settled as fulfilled, nothing dropped"
LATE = "LATE: dropped after the unit was settled"
STUCK = "STUCK: can never be settled any more"
FLAGGED = ", flagged as policy"

Trace = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a search found: worlds seen, and per violation a shortest way there."""

    states: int
    wrongs: dict[str, Trace] = field(default_factory=dict)
    complete: bool = True  # False: it stopped at the first unflagged violation
    ends: frozenset[tuple[str, str]] = frozenset()  # settlements reached, with their basis

    @property
    def first(self) -> str:
        """The unflagged violation with the shortest trace, or ""."""
        plain = [(len(trace), name) for name, trace in self.wrongs.items() if FLAGGED not in name]
        return min(plain)[1] if plain else ""


def wrongs(world: World) -> Iterator[str]:
    """The promises that this world breaks."""
    row = world.row
    if world.dropped >= 2:
        yield TWICE
    if not row.settled:
        return
    flag = FLAGGED if row.basis == "policy" else ""
    if world.fell_late:
        yield LATE
    if row.settled == "refund" and world.dropped:
        yield BOTH + flag
    if row.settled == "fulfilled" and not world.dropped:
        yield NEITHER + flag


def moves(world: World, rules: Rules) -> Moves:
    """Every step of anybody."""
    yield from server.moves(world, rules)
    yield from device.moves(world, rules)
    yield from weather.moves(world, rules)


class Search:
    """The worlds seen so far, how each was first reached, and who leads to whom."""

    def __init__(self, rules: Rules, *, keep_unread: bool = False) -> None:
        self.rules = rules
        self.keep_unread = keep_unread
        self.worlds = [World()]
        self.number = {World(): 0}
        self.origin: list[tuple[int, str]] = [(-1, "")]
        self.before: list[list[int]] = [[]]

    def run(self) -> Report:
        """Search until an unflagged violation is met, or to the end and then for dead ends."""
        found: dict[str, Trace] = {}
        for here, world in enumerate(self.worlds):  # grows while it is walked: breadth first
            for wrong in wrongs(world):
                if wrong not in found:
                    found[wrong] = self.trace(here)
            if any(FLAGGED not in wrong for wrong in found):
                return Report(len(self.worlds), found, complete=False)
            for label, after in moves(world, self.rules):
                self.meet(here, label, after)
        stuck = self.dead_ends()
        if stuck:
            found[STUCK] = self.trace(stuck[0])
        rows = (world.row for world in self.worlds)
        ends = frozenset((row.settled, row.basis) for row in rows if row.settled)
        return Report(len(self.worlds), found, ends=ends)

    def meet(self, here: int, label: str, world: World) -> None:
        if not self.keep_unread:
            world = without_unread(world, self.rules)
        there = self.number.get(world)
        if there is None:
            there = self.number[world] = len(self.worlds)
            self.worlds.append(world)
            self.origin.append((here, label))
            self.before.append([])
        if there != here:
            self.before[there].append(here)

    def trace(self, number: int) -> Trace:
        steps: list[str] = []
        while number > 0:
            number, label = self.origin[number]
            steps.append(label)
        return tuple(reversed(steps))

    def dead_ends(self) -> list[int]:
        """Worlds from which nothing leads to a settlement, nearest first."""
        live = [bool(world.row.settled) for world in self.worlds]
        queue = [number for number, alive in enumerate(live) if alive]
        while queue:
            for earlier in self.before[queue.pop()]:
                if not live[earlier]:
                    live[earlier] = True
                    queue.append(earlier)
        return [number for number, alive in enumerate(live) if not alive]


def explore(rules: Rules) -> Report:
    """Search everything that these rules and this world allow."""
    return Search(rules).run()
