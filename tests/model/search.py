"""Search of a model's worlds: breadth first over all of them, where the first trace found is a
shortest one, or seeded walks by chance where they are too many. Safety is asked of each world;
liveness is AG EF done: from each, some way leads to one that is done."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Generic, TypeVar

W = TypeVar("W", bound=Hashable)

STUCK = "STUCK: can never be settled any more"
FLAGGED = ", flagged as policy"

Trace = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model(Generic[W]):
    """A first world, what may happen in one, the promises that one breaks, and whether it is done.
    `brief` takes off what can make no difference any more."""

    start: W
    moves: Callable[[W], Iterable[tuple[str, W]]]
    wrongs: Callable[[W], Iterable[str]]
    done: Callable[[W], bool]
    brief: Callable[[W], W] = lambda world: world


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


class Search(Generic[W]):
    """The worlds seen so far, how each was first reached, and who leads to whom."""

    def __init__(self, model: Model[W]) -> None:
        self.model = model
        self.worlds = [model.start]
        self.number = {model.start: 0}
        self.origin: list[tuple[int, str]] = [(-1, "")]
        self.before: list[list[int]] = [[]]

    def run(self) -> Report:
        """Search until an unflagged violation is met, or to the end and then for dead ends."""
        found: dict[str, Trace] = {}
        for here, world in enumerate(self.worlds):  # grows while it is walked: breadth first
            for wrong in self.model.wrongs(world):
                if wrong not in found:
                    found[wrong] = self.trace(here)
            if any(FLAGGED not in wrong for wrong in found):
                return Report(len(self.worlds), found, complete=False)
            for label, after in self.model.moves(world):
                self.meet(here, label, self.model.brief(after))
        stuck = self.dead_ends()
        if stuck:
            found[STUCK] = self.trace(stuck[0])
        return Report(len(self.worlds), found)

    def meet(self, here: int, label: str, world: W) -> None:
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
        """Worlds from which nothing leads to one that is done, nearest first."""
        live = [self.model.done(world) for world in self.worlds]
        queue = [number for number, alive in enumerate(live) if alive]
        while queue:
            for earlier in self.before[queue.pop()]:
                if not live[earlier]:
                    live[earlier] = True
                    queue.append(earlier)
        return [number for number, alive in enumerate(live) if not alive]


def wander(model: Model[W], seed: int, walks: int, steps: int) -> Report:
    """Walks by chance from the start, the same for a seed; safety only. It stops at the first
    unflagged violation."""
    chance = Random(seed)
    found: dict[str, Trace] = {}
    seen = 0
    for _ in range(walks):
        world, way = model.start, []
        for _ in range(steps):
            ways = list(model.moves(world))
            if not ways:
                break
            label, world = chance.choice(ways)
            way.append(label)
            seen += 1
            for wrong in model.wrongs(world):
                found.setdefault(wrong, tuple(way))
            if any(FLAGGED not in wrong for wrong in found):
                return Report(seen, found, complete=False)
    return Report(seen, found, complete=False)
