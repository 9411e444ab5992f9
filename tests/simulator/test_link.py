"""A machine's connection can always be ended, also while it is failing by itself."""

import asyncio

import pytest

from machine_simulator.files import Record
from machine_simulator.link import Backoff, Ears, Link, LinkLostError


class FailingLink(Link):
    """Loses its connection at the very moment in which it is cancelled."""

    def __init__(self) -> None:
        ears = Ears(up=lambda: None, down=lambda: None, hear=lambda _event, _message: None)
        super().__init__(ears, Backoff(0, 0))
        self.began = asyncio.Event()

    async def _session(self) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise LinkLostError("gone") from None

    def say(self, event: str, message: Record) -> bool:
        raise NotImplementedError

    def cut(self) -> None:
        """There is no connection."""

    async def flush(self) -> None:
        raise NotImplementedError

    async def farewell(self) -> None:
        raise NotImplementedError


async def test_a_cancellation_is_not_lost_in_a_failure() -> None:
    link = FailingLink()
    life = asyncio.create_task(link.run())
    await link.began.wait()
    life.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(life), 5)
    assert life.cancelled()
