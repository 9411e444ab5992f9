"""Socket.IO connections that show no secret, or talk rubbish, over real sockets."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest
from aiohttp import (
    ClientConnectionError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    ClientWSTimeout,
    WSMsgType,
)
from structlog.testing import capture_logs

from coinslot.channels.handshakes import HandshakeLimits
from coinslot.channels.socketio import SocketIoOptions
from tests.channels.machines import SocketIoMachine, result
from tests.channels.rigs import LIMITS, SocketIoRig
from tests.channels.test_contract import heard

QUICK = HandshakeLimits(within_s=0.5, at_once=20, at_once_each=10)
# Where the time is not what a test is about: a slow computer must not end a line by it.
PATIENT = HandshakeLimits(within_s=60, at_once=20, at_once_each=10)
CONNECT = '40{"machineId":"M01","secret":"%s"}'


@pytest.fixture
async def rig() -> AsyncIterator[SocketIoRig]:
    rig = SocketIoRig(SocketIoOptions(limits=LIMITS, handshakes=QUICK))
    async with rig.running():
        yield rig


@pytest.fixture
async def patient() -> AsyncIterator[SocketIoRig]:
    rig = SocketIoRig(SocketIoOptions(limits=LIMITS, handshakes=PATIENT))
    async with rig.running():
        yield rig


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Whatever any library logs."""
    caplog.set_level(logging.DEBUG, "uvicorn")
    return caplog


class Line:
    """A WebSocket at the Socket.IO address."""

    def __init__(self, session: ClientSession, socket: ClientWebSocketResponse) -> None:
        self._session, self._socket = session, socket

    async def send(self, frame: str | bytes) -> None:
        """Raises ClientConnectionError once it is closed."""
        if self._socket.closed:
            raise ClientConnectionError
        if isinstance(frame, bytes):
            await self._socket.send_bytes(frame)
        else:
            await self._socket.send_str(frame)

    async def read(self) -> str:
        return await self._socket.receive_str(timeout=5)

    async def closed(self, bound_s: float = 5) -> None:
        async with asyncio.timeout(bound_s):
            while (await self._socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
                pass

    async def close(self) -> None:
        await self._session.close()


async def opened(rig: SocketIoRig) -> Line:
    session = ClientSession()
    url = f"ws://127.0.0.1:{rig.port}/socket.io/?EIO=4&transport=websocket"
    line = Line(session, await session.ws_connect(url, timeout=ClientWSTimeout(ws_close=1)))
    assert (await line.read()).startswith("0")
    return line


async def works(rig: SocketIoRig) -> None:
    """A machine connects and is heard."""
    machine = await rig.machine("M02")
    await machine.say(result(1))
    assert await heard(rig.handler) == ("M02", 1)


async def test_a_socket_that_never_says_who_it_is_is_hung_up(rig: SocketIoRig) -> None:
    lines = [await opened(rig) for _ in range(5)]
    for line in lines:
        await line.closed()
        await line.close()
    assert not rig.socketio._server.eio.sockets
    await works(rig)


async def test_answering_pings_does_not_keep_a_stranger_connected(rig: SocketIoRig) -> None:
    line = await opened(rig)

    async def pong() -> None:
        while True:
            await line.send("3")
            await asyncio.sleep(0.05)

    answering = asyncio.create_task(pong())
    await line.closed()
    answering.cancel()
    await line.close()


async def test_a_machine_that_said_who_it_is_stays(rig: SocketIoRig) -> None:
    machine = await rig.machine("M01")
    await asyncio.sleep(1.2)
    assert isinstance(machine, SocketIoMachine)
    assert not machine.gone.is_set()
    await machine.say(result(1))
    assert await heard(rig.handler) == ("M01", 1)


async def test_over_the_bound_the_oldest_of_an_address_goes_at_once(patient: SocketIoRig) -> None:
    first, *others = [await opened(patient) for _ in range(PATIENT.at_once_each + 1)]
    await first.closed()
    await first.close()
    await works(patient)
    for line in others:
        await line.close()


RUBBISH: list[str | bytes] = [
    "x", "9", "", "4", "4x", "42", "42[", "42[]", "42{}", "42[{}]", '42["vend"]', "4" + "[" * 5000,
    b"\xff" * 100,
    "451-[]", "451-x", "46", "4" + "9" * 900, "b!!!", "2probe", "5", "6", b"", b"\x00",
    "4\ud7ff", "42" + "[" * 5000, "4" + "1" * 5000, "40" + "[" * 900, "40/none,", "41", "43",
]  # fmt: skip


@pytest.mark.parametrize("known", [False, True])
async def test_rubbish_is_hung_up_and_told_in_a_line(
    patient: SocketIoRig, lines: pytest.LogCaptureFixture, known: bool
) -> None:
    """8 kB of it wrote 1.86 MB of tracebacks, and webhooks waited for them."""
    with capture_logs() as said:
        for frame in RUBBISH * 3:
            line = await opened(patient)
            if known:
                await line.send(CONNECT % "secret-of-M01")
                await line.read()
            try:
                for _ in range(20):
                    await line.send(frame)
            except ClientConnectionError:
                pass
            await line.close()
    written = sum(len(record.getMessage()) for record in lines.records if record.levelno >= 30)
    assert "Traceback" not in lines.text
    assert written < 2_000
    assert len([one for one in said if one["event"] == "machines_connections_ended"]) <= 2
    await works(patient)


async def test_a_wrong_secret_may_be_shown_a_few_times(patient: SocketIoRig) -> None:
    line = await opened(patient)
    for _ in range(PATIENT.tries):
        await line.send(CONNECT % "guessed")
        assert (await line.read()).startswith("44")
    await line.send(CONNECT % "guessed")
    await line.closed()
    await line.close()


async def test_polling_without_a_secret_ends_too(rig: SocketIoRig) -> None:
    """Spoken by hand: python-socketio's own client waits fifteen seconds for a last answer."""
    url = f"http://127.0.0.1:{rig.port}/socket.io/?EIO=4&transport=polling"
    async with ClientSession(timeout=ClientTimeout(total=20)) as session:
        async with session.get(url) as opening:
            url += f"&sid={json.loads((await opening.text())[1:])['sid']}"
        async with session.post(url, data=CONNECT % "wrong") as told:
            assert told.status == 200
        async with session.get(url) as answer:
            assert (await answer.text()).startswith("44")
        polls = [answer.status]
        # Until there is no such connection, and before a ping that nobody answers would end it.
        async with asyncio.timeout(9):
            while polls[-1] == 200:
                async with session.get(url) as answer:
                    polls.append(answer.status)
    assert polls[-1] == 400
    assert not rig.socketio._server.eio.sockets
