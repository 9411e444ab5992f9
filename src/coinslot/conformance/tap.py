"""Between the device and the broker: sees how the device connects and what flags its packets have,
and can cut it off at any moment. It changes no byte."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable

from coinslot.channels.addresses import Place
from coinslot.conformance.line import Wire

Look = Callable[[bytes], None]

_CONNECT, _PUBLISH = 0x10, 0x30
_RETAIN, _QOS, _QOS1 = 0x01, 0x06, 0x02
_CLEAN = 0x02
_CHUNK = 4096
_PACKET_MAX_BYTES = 256 * 1024
_LENGTH_BYTES = 4


class Tap:
    """`start`, and the device finds the broker here. `stop()` ends it."""

    def __init__(self, upstream: Place, wire: Wire) -> None:
        self._upstream, self._wire = upstream, wire
        self._server: asyncio.Server | None = None
        self._devices: set[asyncio.StreamWriter] = set()
        self._flows: set[asyncio.Task[None]] = set()

    async def start(self, place: Place, tls: ssl.SSLContext | None) -> int:
        """The port, which is another one where 0 was asked for. Raises OSError."""
        self._server = await asyncio.start_server(self._join, place.host, place.port, ssl=tls)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()
        for flow in list(self._flows):
            flow.cancel()
        await asyncio.gather(*self._flows, return_exceptions=True)

    def cut(self) -> None:
        """Drop every connection without a goodbye."""
        for writer in list(self._devices):
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the device, to a connection of its own at the broker."""
        task = asyncio.current_task()
        assert task is not None
        self._flows.add(task)
        self._devices.add(writer)
        broker: asyncio.StreamWriter | None = None
        ends: list[asyncio.Task[None]] = []
        try:
            above, broker = await asyncio.open_connection(self._upstream.host, self._upstream.port)
            packets = Packets(self._see)
            ends = [
                asyncio.create_task(_copy(reader, broker, packets.feed)),
                asyncio.create_task(_copy(above, writer, lambda _: None)),
            ]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        except (OSError, asyncio.CancelledError):
            pass  # the device finds the connection broken, and comes again; or the kit is done
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
            self._flows.discard(task)
            self._devices.discard(writer)
            writer.transport.abort()
            if broker is not None:
                broker.transport.abort()

    def _see(self, kind: int, body: bytes) -> None:
        if kind & 0xF0 == _CONNECT:
            flags_at = 2 + int.from_bytes(body[:2], "big") + 1
            if not body[flags_at] & _CLEAN:
                self._wire.kept_sessions += 1
            size_at = flags_at + 3
            size = int.from_bytes(body[size_at : size_at + 2], "big")
            name = body[size_at + 2 : size_at + 2 + size]
            self._wire.client_ids.append(name.decode(errors="replace"))
        elif kind & 0xF0 == _PUBLISH:
            topic = body[2 : 2 + int.from_bytes(body[:2], "big")].decode(errors="replace")
            if kind & _RETAIN:
                self._wire.retained.add(topic)
            if kind & _QOS != _QOS1:
                self._wire.other_qos.add(topic)


class Packets:
    """The packets of MQTT in a stream of bytes; what is none is no longer looked at."""

    def __init__(self, see: Callable[[int, bytes], None]) -> None:
        self._see = see
        self._held = bytearray()
        self._blind = False

    def feed(self, chunk: bytes) -> None:
        if self._blind:
            return
        self._held += chunk
        with contextlib.suppress(IndexError):
            while self._held and self._one():
                pass

    def _one(self) -> bool:
        """Take one whole packet off. IndexError: its head is not there yet."""
        length = shift = 0
        at = 1
        while True:
            byte = self._held[at]
            length |= (byte & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not byte & 0x80:
                break
            if at > _LENGTH_BYTES:
                self._blind = True
                return False
        if length > _PACKET_MAX_BYTES:
            self._blind = True
            return False
        if len(self._held) < at + length:
            return False
        self._see(self._held[0], bytes(self._held[at : at + length]))
        del self._held[: at + length]
        return True


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, look: Look) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            look(chunk)
            writer.write(chunk)
            await writer.drain()
