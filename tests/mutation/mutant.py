"""One small mistake in one file, as edits of its text."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import unified_diff
from typing import NamedTuple

_SHOWN = 60


class Edit(NamedTuple):
    """What stands from `start` to `end` is replaced. Offsets count characters."""

    start: int
    end: int
    new: str


class Mutant(NamedTuple):
    """`where` is the function, class, constant or table around it. `nth` tells apart what is
    otherwise alike, so that `id` stays the same when code elsewhere changes."""

    path: str
    where: str
    operator: str
    edits: tuple[Edit, ...]
    was: str
    becomes: str
    nth: int = 1

    @property
    def id(self) -> str:
        number = f" #{self.nth}" if self.nth > 1 else ""
        return f"{self.path} {self.where}: {self.operator}: {self.was} -> {self.becomes}{number}"

    def put_into(self, text: str) -> str:
        for edit in sorted(self.edits, reverse=True):
            text = text[: edit.start] + edit.new + text[edit.end :]
        return text

    def line(self, text: str) -> int:
        return text.count("\n", 0, self.edits[0].start) + 1

    def diff(self, text: str) -> str:
        changed = unified_diff(
            text.splitlines(), self.put_into(text).splitlines(), self.path, self.path, "", "",
            n=2, lineterm="",
        )  # fmt: skip
        return "\n".join(list(changed)[2:])


def mutant(path: str, where: str, operator: str, text: str, edits: Sequence[Edit]) -> Mutant:
    """Named by what the change is, with its spaces made one."""
    first, last = min(e.start for e in edits), max(e.end for e in edits)
    within = tuple(Edit(e.start - first, e.end - first, e.new) for e in edits)
    was = text[first:last]
    becomes = Mutant(path, where, operator, within, "", "").put_into(was)
    return Mutant(path, where, operator, tuple(edits), _short(was), _short(becomes))


def numbered(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    """Those that look alike get numbers, in order of their places."""
    seen: Counter[str] = Counter()
    for each in sorted(mutants, key=lambda m: (m.edits[0].start, m.operator)):
        seen[each.id] += 1
        yield each._replace(nth=seen[each.id])


def sample(mutants: Iterable[Mutant], seed: int, size: int) -> list[Mutant]:
    """The same ones for a seed, whatever is added or taken away elsewhere."""
    return sorted(mutants, key=lambda m: _rank(seed, m.id))[:size]


def _rank(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed} {name}".encode()).hexdigest()


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN else f"{flat[: _SHOWN - 13]}...{flat[-10:]}"
