"""What a gateway does by itself some time later: late captures, refunds that settle or fail."""

import asyncio
from collections.abc import Callable, Mapping

from sandbox.clock import now_ms
from sandbox.store import Change, Store

IDLE_S = 30.0
Work = Callable[[Change, str], None]


def later(change: Change, name: str, thing_id: str, in_ms: int) -> None:
    """Have the named work done on a thing after a while; kept, so that a restart goes on."""
    change.run(
        "INSERT INTO chores (name, thing_id, due_ms) VALUES (?, ?, ?)",
        (name, thing_id, now_ms() + in_ms),
    )


class Chores:
    """One loop; a chore and its effect are one transaction."""

    def __init__(self, store: Store, work: Mapping[str, Work]) -> None:
        self._store = store
        self._work = work
        self._wake = asyncio.Event()
        store.on_commit.append(lambda _change: self._wake.set())

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            wait_s = self._one_due()
            try:
                await asyncio.wait_for(self._wake.wait(), wait_s)
            except TimeoutError:
                continue

    def _one_due(self) -> float:
        with self._store.read() as look:
            row = look.one("SELECT * FROM chores ORDER BY due_ms, id LIMIT 1")
        if row is None:
            return IDLE_S
        wait_ms = row["due_ms"] - now_ms()
        if wait_ms > 0:
            return float(min(wait_ms / 1_000, IDLE_S))
        with self._store.change() as change:
            change.run("DELETE FROM chores WHERE id = ?", (row["id"],))
            self._work[row["name"]](change, row["thing_id"])
        return 0.0
