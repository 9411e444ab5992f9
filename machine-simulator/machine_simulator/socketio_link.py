"""The vend protocol, and the simple dialect, over Socket.IO."""

import asyncio
import contextlib
from typing import Any

import aiohttp
import socketio
import socketio.exceptions

from machine_simulator.link import Backoff, Ears, Link, LinkLostError

CONNECT_S = 5
FLUSH_S = 0.3
UNSENT_MAX = 1_000
# RuntimeError: the session was torn off while it connected. AssertionError: aiohttp's own, where
# the server hangs up between its answer and the first frame.
_LOST = (socketio.exceptions.SocketIOError, aiohttp.ClientError, RuntimeError, AssertionError)
HEARD = ("vend", "machine:dispense", "config", "firmware")


class SocketioLink(Link):
    """Its own HTTP session, so that the connection can be torn off without a goodbye."""

    def __init__(self, url: str, auth: dict[str, str], ears: Ears, backoff: Backoff) -> None:
        super().__init__(ears, backoff)
        self._url = url
        self._auth = auth
        self._http: aiohttp.ClientSession | None = None
        self._torn: asyncio.Future[None] | None = None
        self._client: socketio.AsyncClient | None = None
        self._unsent: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue(UNSENT_MAX)

    async def _session(self) -> None:
        async with aiohttp.ClientSession() as http:
            self._http = http
            lost = asyncio.Event()
            client = self._build(http, lost)
            try:
                await client.connect(
                    self._url, auth=self._auth, transports=["websocket"], wait_timeout=CONNECT_S
                )
                if self.plugged:
                    self._client = client
                    self._mark(up=True)
                    await self._speak(client, lost)
            except _LOST as error:
                raise LinkLostError(str(error)) from error
            finally:
                self._client = self._http = None
                self._unsent = asyncio.Queue(UNSENT_MAX)
                self._tear(http)
                with contextlib.suppress(socketio.exceptions.SocketIOError, TimeoutError):
                    await asyncio.wait_for(client.disconnect(), FLUSH_S)

    def _build(self, http: aiohttp.ClientSession, lost: asyncio.Event) -> socketio.AsyncClient:
        client = socketio.AsyncClient(reconnection=False, handle_sigint=False, http_session=http)

        async def gone(*_: object) -> None:
            lost.set()

        client.on("disconnect", gone)
        for name in HEARD:
            client.on(name, self._listener(name))
        return client

    def _listener(self, name: str) -> Any:
        async def heard(message: object = None, *_: object) -> None:
            if isinstance(message, dict):
                self.ears.hear(name, message)

        return heard

    async def _speak(self, client: socketio.AsyncClient, lost: asyncio.Event) -> None:
        """Emit in the order of saying, until the connection is lost."""
        gone = asyncio.create_task(lost.wait())
        try:
            while not lost.is_set():
                said = asyncio.create_task(self._unsent.get())
                await asyncio.wait({said, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not said.done():
                    said.cancel()
                    return
                await client.emit(*said.result())
                self._unsent.task_done()
        finally:
            gone.cancel()

    def say(self, event: str, message: dict[str, Any]) -> bool:
        if self._client is None or self._unsent.full():
            return False
        self._unsent.put_nowait((event, message))
        return True

    def cut(self) -> None:
        self._client = None
        if self._http is not None:
            self._tear(self._http)

    async def flush(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._unsent.join(), FLUSH_S)
            await asyncio.sleep(0)

    async def farewell(self) -> None:
        if self._client is not None:
            await self.flush()
            await self._client.disconnect()

    def _tear(self, http: aiohttp.ClientSession) -> None:
        """Close the sockets under the session, without a closing frame."""
        if http.connector is not None and not http.connector.closed:
            self._torn = asyncio.ensure_future(http.connector.close())
