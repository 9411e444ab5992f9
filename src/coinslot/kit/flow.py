"""A state machine as a table: one row per move, no callbacks. Its laws are tests elsewhere."""

from collections.abc import Iterable

import msgspec


class AmbiguousFlowError(ValueError):
    """Two rows of the table answer the same event in the same state."""


class Row(msgspec.Struct, frozen=True):
    """In `state`, `event` leads to `next` and leaves `jobs` to be done."""

    state: str
    event: str
    next: str
    jobs: tuple[str, ...] = ()


class Flow:
    """A table with a name. It checks only that one event in one state has one row; the laws check
    the rest."""

    def __init__(self, name: str, initial: str, terminal: Iterable[str], rows: Iterable[Row]):
        self.name = name
        self.initial = initial
        self.terminal = frozenset(terminal)
        self.rows = tuple(rows)
        self._moves = {(row.state, row.event): row for row in self.rows}
        if len(self._moves) != len(self.rows):
            raise AmbiguousFlowError(f"{name}: two rows for one state and event")
        ends = {row.state for row in self.rows} | {row.next for row in self.rows}
        self.states = frozenset(ends | {initial} | self.terminal)
        self.events = frozenset(row.event for row in self.rows)

    def next(self, state: str, event: str) -> Row | None:
        """The row for this event, or None: then the event is stored in `strays` and a person is
        called."""
        return self._moves.get((state, event))
