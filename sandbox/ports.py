"""TCP ports beside HTTP: what does not speak HTTP listens here, as the configuration says."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

log = logging.getLogger("sandbox")

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HOST = "127.0.0.1"


class Ports:
    """Which ports are wanted, and who talks there. Any can be opened and closed at any time."""

    def __init__(self) -> None:
        self._wanted: dict[int, Talk] = {}
        self._open: dict[int, asyncio.Server] = {}
        self._talks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()

    def want(self, port: int, talk: Talk) -> None:
        self._wanted[port] = talk
        self._change()

    def drop(self, port: int) -> None:
        self._wanted.pop(port, None)
        self._change()

    def _change(self) -> None:
        self._settled.clear()
        self._changed.set()

    async def settled(self) -> None:
        """Until the ports that are open are those that are wanted."""
        await self._settled.wait()

    async def run(self) -> None:
        """Open and close until cancelled; then nothing is left open."""
        try:
            while True:
                self._changed.clear()
                for port in self._open.keys() - self._wanted.keys():
                    self._open.pop(port).close()
                for port in self._wanted.keys() - self._open.keys():
                    await self._listen(port)
                self._settled.set()
                await self._changed.wait()
        finally:
            for server in self._open.values():
                server.close()
            for task in self._talks:
                task.cancel()

    async def _listen(self, port: int) -> None:
        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._talk(port, reader, writer))
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)

        try:
            self._open[port] = await asyncio.start_server(begin, HOST, port)
        except OSError as problem:
            log.error("port %s cannot be opened: %s", port, problem)
            self._wanted.pop(port, None)

    async def _talk(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Who hangs up in the middle of a word ends only this conversation."""
        talk = self._wanted.get(port)
        try:
            if talk is not None:
                await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            with suppress(OSError, RuntimeError):
                writer.close()
