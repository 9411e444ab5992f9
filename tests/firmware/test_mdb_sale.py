"""Sales over the real server, its broker, the firmware on MicroPython and a simulated controller on
the bus: paid, chosen at the keys, vended or failed by the controller's word."""

import asyncio
import base64
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from coinslot.app.server import RunningServer
from coinslot.settings import Settings
from firmware.board import Board, prepare
from tests.conftest import DatabaseUrls
from tests.firmware import cutting_mdb
from tests.firmware.running import QUICK
from tests.ports import free_port
from tests.sales.conftest import stage as stage
from tests.sales.stage import Stage

SIMULATED: Any = cutting_mdb
ITEM, PRICE = 17, 4000
ANSWER_S = 0.5  # a controller waits 5 ms; this computer is shared
LOOK_S = 0.02


@dataclass
class Controller:
    """The controller on its bus: a socket that carries two bytes a word."""

    folder: Path
    customer: list[Any] = field(default_factory=list)
    fell: int = 0

    def drop(self) -> None:
        """Its sales counter goes on, which the reader sees by a pulse."""
        self.fell += 1
        with (self.folder / "drops.jsonl").open("a") as file:
            file.write(json.dumps({"unit_id": "", "slot": "A1"}) + "\n")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        life = SIMULATED.Vmc(self.customer, self.drop).life()
        frame = next(life)
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"".join(word.to_bytes(2, "big") for word in frame))
                await writer.drain()
                single = len(frame) == 1  # an ACK or a NAK, which has no answer
                frame = life.send([] if single else await answer(reader))
                await asyncio.sleep(0.01)
        writer.close()


async def answer(reader: asyncio.StreamReader) -> list[int]:
    """Words up to the one with the ninth bit; nothing where none comes."""
    words: list[int] = []
    with contextlib.suppress(TimeoutError, asyncio.IncompleteReadError):
        while not words or not words[-1] & 0x100:
            async with asyncio.timeout(ANSWER_S):
                words.append(int.from_bytes(await reader.readexactly(2), "big"))
    return words


@pytest.fixture
def settings(urls: DatabaseUrls, tmp_path: Path) -> Settings:
    return Settings(
        database_url=urls.app, door_url=urls.door, owner_url=urls.owner, data=tmp_path,
        port=free_port(), keys=f"1:{base64.b64encode(b'k' * 32).decode()}",
    )  # fmt: skip


@contextlib.asynccontextmanager
async def machine(stage: Stage, server: RunningServer, folder: Path) -> AsyncIterator[Controller]:
    """M01: a board with the firmware, beside a controller."""
    assert server.nats is not None
    home = folder / "M01"
    home.mkdir()
    controller = Controller(home)
    bus = await asyncio.start_server(controller.serve, "127.0.0.1", 0)
    port = bus.sockets[0].getsockname()[1]
    prepare(home, {
        "id": "M01", "secret": stage.secret, "slots": {"A1": 10},
        "mqtt": {"host": "127.0.0.1", "port": server.nats.listening},
        "board": QUICK | {"mdb": {"port": port, "items": {"A1": ITEM}}},
    })  # fmt: skip
    life = asyncio.create_task(Board(home).live())
    try:
        yield controller
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        bus.close()


async def sold(stage: Stage, server: RunningServer) -> tuple[Any, ...]:
    """Somebody pays; how it ends."""
    stage.clock.advance(server.clock.now() - stage.clock.now())
    unit = await stage.sell()
    async with asyncio.timeout(20):
        while True:
            (row,) = await stage.rows(
                "SELECT settlement, basis, failure_code FROM fulfillments WHERE id = $1", unit
            )
            if row["settlement"] is not None:
                return tuple(row.values())
            await asyncio.sleep(LOOK_S)


async def test_what_is_paid_is_chosen_at_the_keys_and_ends_by_the_controllers_word(
    stage: Stage, settings: Settings, tmp_path: Path
) -> None:
    async def ready() -> None:
        try:
            await sell()
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    async def sell() -> None:
        async with machine(stage, server, tmp_path) as controller:
            keys = controller.customer
            keys += [("buy", PRICE, 9, True), ("buy", PRICE, ITEM, True)]
            assert await sold(stage, server) == ("fulfilled", "vended", None)
            assert controller.fell == 1
            keys[:] = [("buy", PRICE, ITEM, False)]
            failed = ("refund_due", "vmc_failure", "VEND_FAILURE")
            assert await sold(stage, server) == failed
            keys[:] = [("leave",)]
            assert (await sold(stage, server))[:2] == ("refund_due", "tombstone")
            assert controller.fell == 1
        assert await stage.value("SELECT mdb FROM devices") is True

    async with AsyncExitStack() as stack:
        server = await RunningServer(settings, frozenset({"device"}), stack).open()
        await server.run(ready)
    stage.clock.advance(server.clock.now() - stage.clock.now())
    await stage.sweep()
    assert stage.refunded() == 2 * PRICE
