"""The firmware on a real MicroPython, over a real broker, earns G3."""

import asyncio
import json
import random
from pathlib import Path

from coinslot.channels.addresses import Place
from coinslot.channels.messages import Hello
from coinslot.conformance.bench import Bench, Patience, Subject
from coinslot.conformance.brokers import OwnBroker
from coinslot.conformance.run import Verdict, examine
from coinslot.kit.clock import SystemClock
from firmware.board import Board, prepare

SECRET = "s3cret"
QUICK = {
    "vend_s": 0.15, "fall_s": 0.02, "resend_s": 0.05, "health_s": 5, "run_bound_s": 2,
    "backoff_first_s": 0.02,
}  # fmt: skip


class BoardHands:
    """Its plug, and something in the way of what falls."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def ready(self, text: str) -> bool:
        return True

    async def cut_power(self, when: str) -> bool:
        await self._board.cut()
        return True

    async def cut_network(self, when: str) -> bool:
        return False

    async def jam(self, *, on: bool) -> bool:
        draft = self._board.folder / "faults.draft"
        draft.write_text(json.dumps({"jam": on}))
        draft.replace(self._board.folder / "faults.json")
        return True

    async def fell(self) -> int | None:
        path = self._board.folder / "drops.jsonl"
        return len(path.read_text().splitlines()) if path.exists() else 0


async def test_the_firmware_earns_g3(tmp_path: Path) -> None:
    own = OwnBroker(tmp_path, Place("127.0.0.1", 0), SystemClock())
    async with own.run("M01", SECRET) as line:
        home = tmp_path / "boards" / "M01"
        about = {
            "id": "M01", "secret": SECRET, "slots": {"A1": 60}, "board": QUICK,
            "mqtt": {"host": "127.0.0.1", "port": own.port},
        }  # fmt: skip
        prepare(home, about)
        board = Board(home, restore_s=0.05)
        tested = Subject(machine="M01", secret=SECRET, patience=Patience(5, 5, 15, 5))
        bench = Bench(line, tested, BoardHands(board), random.Random(7), SystemClock())
        bench.syncs = False
        async with line.open(bench.take):
            life = asyncio.create_task(board.live())
            try:
                assert await bench.until(lambda: bench.all(Hello), 15)
                report = await examine(bench, 7)
            finally:
                life.cancel()
                await asyncio.gather(life, return_exceptions=True)
    assert [one for one in report.findings if one.verdict is not Verdict.PASSED] == []
    assert (report.earned, report.caps) == ("G3", [])
