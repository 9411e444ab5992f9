"""Firmware on a real MicroPython for a test, before a real broker and half a server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt

from firmware.board import HEAP, Board, prepare
from tests.ports import free_port
from tests.simulator.brokers import nats
from tests.simulator.mini_server import Message, MiniServer

SECRET = "s3cret"
QUICK = {
    "vend_s": 0.2, "fall_s": 0.05, "resend_s": 0.2, "health_s": 0.3, "run_bound_s": 1.4,
    "slow_s": 0.8, "backoff_first_s": 0.1,
}  # fmt: skip
LOOK_S = 0.02


@dataclass
class Bench:
    """One broker, half a server, one board."""

    server: MiniServer
    board: Board
    client: aiomqtt.Client
    other: dict[str, list[Message]]  # what was said on the topics beside the vend protocol

    @property
    def folder(self) -> Path:
        return self.board.folder

    def fault(self, **faults: object) -> None:
        draft = self.folder / "faults.draft"
        draft.write_text(json.dumps(faults))
        draft.replace(self.folder / "faults.json")

    def fell(self) -> list[str]:
        path = self.folder / "drops.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["unit_id"] for line in lines]

    async def say(self, branch: str, message: Message) -> None:
        await self.client.publish(f"devices/M01/{branch}", json.dumps(message), qos=1)

    async def said(self, branch: str, **fields: object) -> Message:
        """The first message on this topic with these fields."""
        async with asyncio.timeout(15):
            while True:
                for message in self.other.get(branch, []):
                    if fields.items() <= message.items():
                        return message
                await asyncio.sleep(LOOK_S)

    async def logged(self, text: str) -> None:
        """A line of the device's log that begins so was sent."""
        async with asyncio.timeout(15):
            while not any(  # noqa: ASYNC110 - as above
                line["text"].startswith(text)
                for message in self.other.get("logs", [])
                for line in message["lines"]
            ):
                await asyncio.sleep(LOOK_S)

    async def dropped(self, unit_id: str) -> None:
        async with asyncio.timeout(15):
            while unit_id not in self.fell():  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(LOOK_S)

    def log(self) -> str:
        return (self.folder / "console.log").read_text()


@contextlib.asynccontextmanager
async def running(folder: Path, **machine: Any) -> AsyncIterator[Bench]:
    port = free_port()
    async with nats(folder, port):
        client = aiomqtt.Client("127.0.0.1", port, username="server", password="server")
        async with client, on_the_bench(folder, client, port, machine) as bench:
            yield bench


@contextlib.asynccontextmanager
async def on_the_bench(
    folder: Path, client: aiomqtt.Client, port: int, machine: dict[str, Any]
) -> AsyncIterator[Bench]:
    async def send(message: Message) -> None:
        await client.publish("devices/M01/commands/dispense", json.dumps(message), qos=1)

    other: dict[str, list[Message]] = {}

    async def listen() -> None:
        async for message in client.messages:
            branch = message.topic.value.removeprefix("devices/M01/")
            assert isinstance(message.payload, bytes)
            body = json.loads(message.payload)
            if branch == "status/dispense":
                await server.hear(body)
            else:
                other.setdefault(branch, []).append(body)

    server = MiniServer(send, SECRET)
    await client.subscribe([("devices/+/status/#", 1), ("devices/+/logs", 1)])
    about: dict[str, Any] = {
        "id": "M01", "secret": SECRET, "slots": {"A1": 10, "B1": 10},
        "mqtt": {"host": "127.0.0.1", "port": port}, "board": QUICK,
    }  # fmt: skip
    home = folder / "M01"
    prepare(home, about | machine)
    heap, bite_s = machine.get("heap", HEAP), machine.get("watchdog_s", 5)
    board = Board(home, restore_s=0.2, watchdog_s=bite_s, heap=heap)
    tasks = [asyncio.create_task(listen()), asyncio.create_task(board.live())]
    try:
        yield Bench(server, board, client, other)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
