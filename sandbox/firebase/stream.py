"""Who listens to a node is told of each change at it, below it and above it, as events."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from sandbox.firebase import tree
from sandbox.firebase.tree import Path
from sandbox.firebase.verbs import Call
from sandbox.store import Change, Store

KEEP_ALIVE_S = 30.0
_END = ("", None)
Event = tuple[str, Any]  # its name and its data


class Listeners:
    """Everybody who listens now; ended by `end`, for the server to stop at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queues: dict[asyncio.Queue[Event], tuple[str, Path]] = {}
        self._ended = False

    def tell(self, call: Call) -> None:
        """A write was committed."""
        with self._store.read() as look:
            for queue, (database, path) in self._queues.items():
                if database == call.database:
                    for event in _events(look, call, path):
                        queue.put_nowait(event)

    def end(self) -> None:
        self._ended = True
        for queue in self._queues:
            queue.put_nowait(_END)

    async def listen(self, database: str, path: Path) -> AsyncIterator[tuple[str, str]]:
        """First the node as it is, then what changes; the name of each event, and its JSON."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._queues[queue] = (database, path)
        try:
            with self._store.read() as look:
                queue.put_nowait(("put", {"path": "/", "data": tree.read(look, database, path)}))
            while not self._ended:
                try:
                    name, data = await asyncio.wait_for(queue.get(), KEEP_ALIVE_S)
                except TimeoutError:
                    name, data = "keep-alive", None
                if name:
                    yield name, msgspec.json.encode(data).decode()
        finally:
            del self._queues[queue]


def _events(look: Change, call: Call, at: Path) -> Iterator[Event]:
    """What a write tells who listens at this path."""
    place = call.path
    if call.verb != "PATCH":
        yield from _put(look, call.database, place, at)
        return
    keys = list(call.read())
    if place[: len(at)] == at:
        data = {key: tree.read(look, call.database, (*place, *tree.path_of(key))) for key in keys}
        yield "patch", {"path": _below(place, at), "data": data}
        return
    for key in keys:
        yield from _put(look, call.database, (*place, *tree.path_of(key)), at)


def _put(look: Change, database: str, place: Path, at: Path) -> Iterator[Event]:
    if place[: len(at)] == at:
        yield "put", {"path": _below(place, at), "data": tree.read(look, database, place)}
    elif at[: len(place)] == place:
        yield "put", {"path": "/", "data": tree.read(look, database, at)}


def _below(place: Path, at: Path) -> str:
    return "/" + "/".join(place[len(at) :])
