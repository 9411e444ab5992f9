"""The promises of the protocol, asked of every reachable world of a unit."""

from collections.abc import Iterator
from dataclasses import replace

from . import bus, device, server, weather
from .rules import Rules
from .search import FLAGGED, STUCK, Model, Report, Search, Trace
from .state import Moves, World
from .unread import without_unread

__all__ = ["FLAGGED", "STUCK", "Report", "Trace", "explore", "moves", "searching", "wrongs"]

TWICE = "TWICE: two things dropped for one payment"
BOTH = "BOTH: goods and refund"
NEITHER = "NEITHER: settled as fulfilled, nothing dropped"
OTHER = "OTHER: another thing dropped than was paid for"
AGAIN = "AGAIN: the customer left, and the next one may choose for the same payment"
LATE = "LATE: dropped after the unit was settled"


def wrongs(world: World) -> Iterator[str]:
    """The promises that this world breaks."""
    row = world.row
    if world.dropped >= 2:
        yield TWICE
    if world.other:
        yield OTHER
    if world.sessions >= 2:
        yield AGAIN
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
    if rules.controller:
        yield from bus.moves(world, rules)


def searching(rules: Rules, *, keep_unread: bool = False) -> Search[World]:
    """The search of these rules' worlds."""

    def brief(world: World) -> World:
        return world if keep_unread else without_unread(world, rules)

    def steps(world: World) -> Moves:
        return moves(world, rules)

    return Search(Model(World(), steps, wrongs, lambda world: world.row.settled != "", brief))


def explore(rules: Rules) -> Report:
    """Search everything that these rules and this world allow."""
    search = searching(rules)
    report = search.run()
    if not report.complete:
        return report
    rows = (world.row for world in search.worlds)
    return replace(report, ends=frozenset((row.settled, row.basis) for row in rows if row.settled))
