"""The table of moves of one way of selling, with what it declares of itself: in which states
a unit counts as sent, as in doubt and as settled. Rooms below it ask this, and know no machine."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping

from msgspec import Struct

from coinslot.kit.flow import Flow, Row

_NAME = re.compile(r"[a-z][a-z_]*")  # it becomes SQL


class UnknownKindError(LookupError):
    """No way of selling of this program has this name."""


class Beside(Struct, frozen=True):
    """A table with one row for each unit of the kind, written by the same move: the columns that a
    move may set, and, where it has a column `open`, the states in which that is true."""

    table: str
    columns: tuple[str, ...]
    open: tuple[str, ...] = ()


class Declared(Struct, frozen=True, kw_only=True):
    """What a kind says of its states and events."""

    settles: Mapping[str, str]  # its last states: 'fulfilled' or 'refund_due'
    unsent: Collection[str]  # nothing can have been handed over yet
    doubt: str  # nobody knows; past its deadline the money goes back, and that is flagged
    proof: Mapping[str, str]  # events that are evidence, and what they settle as
    meets: Mapping[str, Collection[str]]  # which event may meet which state
    sends: Mapping[str, Callable[[Row], bool]] = {}  # its own jobs, and where each is done
    beside: Beside | None = None
    queued: str | None = None  # its SQL function (order, now), called when the units are there
    # Its SQL function (outlet, lines, windows, now): begins what was just paid for, in the same
    # transaction, and returns what its handler sends after the commit, or NULL.
    begun: str | None = None
    expired: str | None = None  # its SQL function (order, now), called when nobody paid in time
    shown: str | None = None  # its SQL function (order): how often what its page shows changed
    settled: str | None = None  # its SQL function (unit, now), called when a unit is settled


class RoomFlow(Flow):
    """The table of moves of rows that no other room knows: those of the table `<name>s`.

    `settable`: the columns that a move may set beside the state. `meets`: which event may come in
    which state. `sends`: its jobs, and where each is done; no SQL function does any."""

    def __init__(  # noqa: PLR0913  one table, whole
        self,
        name: str,
        initial: str,
        terminal: Iterable[str],
        rows: Iterable[Row],
        *,
        settable: tuple[str, ...],
        meets: Mapping[str, Collection[str]],
        sends: Mapping[str, Callable[[Row], bool]],
    ):
        super().__init__(name, initial, terminal, rows)
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name} becomes SQL")
        self.settable, self.meets, self.sends = settable, meets, sends


class UnitFlow(Flow):
    """Its name is the kind of the outlets that sell so: `outlets.kind` and `fulfillments.kind`."""

    def __init__(self, name: str, initial: str, rows: Iterable[Row], declared: Declared):
        super().__init__(name, initial, tuple(declared.settles), rows)
        self.declared = declared
        named = {*declared.unsent, *declared.settles, declared.doubt}
        if not _NAME.fullmatch(name) or initial not in declared.unsent or named - self.states:
            raise ValueError(f"{name}: it declares states that its table does not have")

    @property
    def sent(self) -> frozenset[str]:
        """Past the point of no return, and not settled."""
        return self.states - set(self.declared.unsent) - set(self.declared.settles)

    def settled_as(self, settlement: str) -> str:
        """The state of its table that means this settlement."""
        return next(state for state, means in self.declared.settles.items() if means == settlement)
