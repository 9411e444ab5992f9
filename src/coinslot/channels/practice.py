"""The channel of practice machines: drawn ones that the installation plays itself, to sell a first
can without hardware. `practice_machine.py` is one of them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import ClassVar

import structlog

from coinslot.channels.base import PRACTICE, Inbox, Powers, Sending
from coinslot.channels.practice_machine import Player, PracticeMachine, PracticeStore
from coinslot.kit.clock import Clock, wait_at_most
from coinslot.kit.failures import Failures

log = structlog.get_logger(__name__)

_LOOK_S, _LOOK_WHEN_NONE_S = 1.0, 3.0


class Practice:
    """The channel and the machines behind it."""

    name: ClassVar[str] = PRACTICE
    powers: ClassVar[Mapping[str, Powers]] = {
        "leased": Powers(
            idempotent_command=True, status_query=True, result_push=True, expiry=True, evidence=True
        )
    }

    def __init__(
        self, store: PracticeStore, clock: Clock, *, run_s: float = 1.5, again_s: float = 3.0
    ) -> None:
        """How long a motor turns, and after how long what is not answered is said again."""
        self._store = store
        self._clock = clock
        self._spans_s = (run_s, again_s)
        self._players: dict[str, Player] = {}
        self.failures = Failures(clock)  # of background work; app sets the process's own
        self.changed = asyncio.Event()  # machines came, went, were broken or mended

    def reaches(self, outlet: str) -> bool:
        return outlet in self._players

    async def send(self, outlet: str, message: Mapping[str, object]) -> Sending:
        player = self._players.get(outlet)
        if player is None:
            return Sending.UNREACHABLE
        player.heard.put_nowait(dict(message))
        return Sending.SENT

    async def run(self, inbox: Inbox) -> None:
        try:
            while True:
                self.changed.clear()
                try:
                    self._play(await self._store.claimed(), inbox)
                    self.failures.succeeded("practice_machines_not_found")
                except Exception as error:  # noqa: BLE001  the database is away: tried again
                    log.warning("practice_machines_not_found", error=repr(error))
                    self.failures.failed("practice_machines_not_found", error)
                wait_s = _LOOK_S if self._players else _LOOK_WHEN_NONE_S
                await wait_at_most(self.changed, wait_s)
        finally:
            tasks = [player.end() for player in self._players.values()]
            self._players.clear()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(Exception):
                await self._store.release()

    def _play(self, machines: Sequence[PracticeMachine], inbox: Inbox) -> None:
        """Start those that came, and end those that went or died."""
        there = {machine.outlet: machine for machine in machines}
        for outlet in list(self._players):
            player = self._players[outlet]
            machine = there.get(outlet)
            if machine is None or player.is_over or player.secret != machine.secret:
                del self._players[outlet]
                player.end()
            else:
                player.look(machine.broken)
        for outlet, machine in there.items():
            if outlet not in self._players:
                player = Player(machine, self._store, self._clock, self._spans_s)
                self._players[outlet] = player
                player.begin(inbox)
