"""The mirror as a whole: written again from the tables, or compared with them, node by node."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from coinslot.events.mirror.document import BRANCHES, MACHINES, Nodes
from coinslot.events.mirror.mirror import Mirror, release_turn, write

_MOVES_BY_ITSELF = frozenset({"lastSeenAt"})  # of a machine, between heartbeats


class Rebuilt(Struct, frozen=True):
    """What a rebuild did."""

    written: int
    removed: int


async def write_whole(mirror: Mirror) -> Rebuilt:
    """Write everything again, and remove from our branches what belongs to no row. The mirror may
    run meanwhile. Raises UnclearError; run again, it ends the same."""
    since = await mirror.cursor.committed_end()
    # Listed before the tables are read: what is written meanwhile is not among the nodes to remove.
    there = await _listed(mirror)
    written = 0
    async for nodes in mirror.rows.everything():
        await write(mirror.remote, nodes)
        there -= nodes.keys()
        written += len(nodes)
    await write(mirror.remote, dict.fromkeys(there))
    # The mirror may have written a row meanwhile that this rebuild overwrote with an older read.
    # Its entry comes after `since` and is worked again, and the next round writes every machine.
    await mirror.cursor.move_to(since)
    await release_turn(mirror.db)
    return Rebuilt(written, len(there))


async def differences(mirror: Mirror) -> list[str]:
    """Paths at which the mirror and the tables disagree now. Reads all of both."""
    there: Nodes = {}
    for branch in BRANCHES:
        found = await mirror.remote.read(branch)
        there |= {f"{branch}/{name}": node for name, node in _children(found)}
    wrong = []
    async for nodes in mirror.rows.everything():
        wrong += [path for path in nodes if not _same(path, nodes[path], there.pop(path, None))]
    return sorted([*wrong, *there])


async def _listed(mirror: Mirror) -> set[str]:
    paths = set()
    for branch in BRANCHES:
        found = await mirror.remote.read(branch, shallow=True)
        paths |= {f"{branch}/{name}" for name, _ in _children(found)}
    return paths


def _children(found: Any) -> Iterable[tuple[str, Any]]:
    """The children of a node: numbered children come as a list."""
    if isinstance(found, dict):
        return found.items()
    if isinstance(found, list):
        return [(str(place), node) for place, node in enumerate(found) if node is not None]
    return []


def _same(path: str, here: Any, there: Any) -> bool:
    if path.startswith(MACHINES) and isinstance(here, dict) and isinstance(there, dict):
        kept = (here.keys() | there.keys()) - _MOVES_BY_ITSELF
        return all(here.get(name) == there.get(name) for name in kept)
    return bool(here == there)
