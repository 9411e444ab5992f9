"""Want of memory in the middle of an update: it costs no vend, and is no fault of the offer."""

import asyncio
import sys
import traceback
from typing import Any

import pytest
from coinslot_fw.flash import Register
from coinslot_fw.update import Update

from tests.firmware.cutting import Flash

# MicroPython's sys has this, CPython's does not.
sys.print_exception = traceback.print_exception  # type: ignore[attr-defined]
OFFER = {"rollout": "r1", "attempt": 1, "manifest_url": "http://127.0.0.1:9/m"}


class Enrolment(dict[str, Any]):
    """What is asked first in a try raises what the test wants."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def get(self, *_: object) -> Any:
        raise self._error


class Board:
    hardware = "unix"

    def __init__(self) -> None:
        self.part = Flash(8192)
        self.said: list[tuple[str, str | None]] = []
        self.started_anew = asyncio.Event()

    def reset(self) -> None:
        self.started_anew.set()

    def boot(self, error: BaseException, idle: list[bool]) -> Update:
        self.started_anew.clear()
        update = Update(self, Register(self.part), "factory", self._say, Enrolment(error))
        update.idle = lambda: idle[0]
        return update

    def _say(self, branch: str, message: dict[str, Any]) -> None:
        self.said.append((message["state"], message["code"]))


async def test_a_shortage_is_no_try_and_the_third_is_told_as_what_it_is() -> None:
    board = Board()
    update = board.boot(MemoryError(), [True])
    update.hear(OFFER, True)
    for shortage in (1, 2, 3):
        async with asyncio.timeout(5):
            await board.started_anew.wait()
        assert (update.offer["tries"], update.offer["short"]) == (0, shortage)
        update = board.boot(MemoryError(), [True])
        update.resume()
    assert board.said[-1] == ("FAILED", "MEMORY")
    assert ("FAILED", "TRIES") not in board.said


async def test_another_error_is_a_try() -> None:
    board = Board()
    update = board.boot(RuntimeError(), [True])
    update.hear(OFFER, True)
    for tries in (1, 2, 3):
        async with asyncio.timeout(5):
            await board.started_anew.wait()
        assert update.offer["tries"] == tries
        update = board.boot(RuntimeError(), [True])
        update.resume()
    async with asyncio.timeout(5):
        while board.said[-1] != ("FAILED", "TRIES"):  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError()], ids=["memory", "fault"])
async def test_no_start_anew_comes_while_a_unit_is_open(error: BaseException) -> None:
    board, idle = Board(), [False]
    board.boot(error, idle).hear(OFFER, False)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.8):
            await board.started_anew.wait()
    idle[0] = True
    async with asyncio.timeout(5):
        await board.started_anew.wait()
