"""MQTT 3.1.1, as much of it as a small controller carries: QoS 1, clean session, no thread.

Our own, because a power cut needs a connection that can be dropped without a goodbye.
"""

import asyncio
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass

from machine_simulator.link import LinkLostError

CONNECT, CONNACK, PUBLISH, PUBACK = 0x10, 0x20, 0x30, 0x40
SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 0x82, 0x90, 0xC0, 0xD0, 0xE0
QOS1 = 0x02
CLEAN_WITH_LOGIN = 0xC2
REFUSED_SUBSCRIPTION = 0x80
PACKET_MAX_BYTES = 256 * 1024
UNSENT_MAX_BYTES = 1024 * 1024  # more than this unsent means that nobody reads any more


@dataclass(frozen=True)
class Broker:
    """Where the broker is, and as whom to enter."""

    host: str
    port: int
    login: str
    secret: str
    keepalive_s: int = 15
    connect_s: float = 5.0


class MqttConnection:
    """One connection; after any error it is thrown away and another is made."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._packet_id = 0
        self._unanswered_ping = False

    @classmethod
    async def open(cls, broker: Broker) -> "MqttConnection":
        """Connect and log in under a random client id."""
        async with asyncio.timeout(broker.connect_s):
            connection = cls(*await asyncio.open_connection(broker.host, broker.port))
            try:
                await connection._log_in(broker)
            except BaseException:
                connection.abort()
                raise
            return connection

    async def subscribe(self, *topics: str) -> None:
        """To all of them at once: a message of one could come before the answer for another."""
        packet_id = self._next_id()
        wanted = b"".join(_text(topic) + b"\x01" for topic in topics)
        self._send(SUBSCRIBE, struct.pack("!H", packet_id) + wanted)
        kind, body = await self._packet()
        if kind != SUBACK or body[:2] != struct.pack("!H", packet_id):
            raise LinkLostError("no answer to the subscription")
        if REFUSED_SUBSCRIPTION in body[2:]:
            raise LinkLostError(f"subscription to {', '.join(topics)} refused")

    def publish(self, topic: str, payload: bytes) -> None:
        """At QoS 1; written at once. Not repeated here: what matters stands in the journal."""
        head = _text(topic) + struct.pack("!H", self._next_id())
        self._send(PUBLISH | QOS1, head + payload)
        if self._writer.transport.get_write_buffer_size() > UNSENT_MAX_BYTES:
            self.abort()

    async def listen(self, heard: Callable[[bytes], None], keepalive_s: int) -> None:
        """Give every message to `heard`, acknowledged once it returned, until the line breaks."""
        async with asyncio.TaskGroup() as group:
            ping = group.create_task(self._ping(keepalive_s))
            try:
                while True:
                    kind, body = await self._packet()
                    if kind & 0xF0 == PUBLISH:
                        self._deliver(kind, body, heard)
                    elif kind == PINGRESP:
                        self._unanswered_ping = False
            finally:
                ping.cancel()

    def disconnect(self) -> None:
        """Say goodbye, so that the broker knows that it was meant."""
        self._send(DISCONNECT, b"")
        self._writer.close()

    def abort(self) -> None:
        """Gone, without a word."""
        self._writer.transport.abort()

    async def drain(self) -> None:
        await self._writer.drain()

    async def _log_in(self, broker: Broker) -> None:
        head = _text("MQTT") + bytes([4, CLEAN_WITH_LOGIN]) + struct.pack("!H", broker.keepalive_s)
        who = (f"sim-{secrets.token_hex(8)}", broker.login, broker.secret)
        self._send(CONNECT, head + b"".join(map(_text, who)))
        kind, body = await self._packet()
        if kind != CONNACK or body[1] != 0:
            raise LinkLostError(f"login of {broker.login} refused")

    async def _ping(self, keepalive_s: int) -> None:
        while True:
            await asyncio.sleep(keepalive_s / 2)
            if self._unanswered_ping:
                self.abort()
                raise LinkLostError("the broker answers no ping")
            self._unanswered_ping = True
            self._send(PINGREQ, b"")

    def _deliver(self, kind: int, body: bytes, heard: Callable[[bytes], None]) -> None:
        start = 2 + int.from_bytes(body[:2], "big")
        if kind & 0x06 == 0:
            heard(body[start:])
            return
        heard(body[start + 2 :])
        self._send(PUBACK, body[start : start + 2])

    async def _packet(self) -> tuple[int, bytes]:
        try:
            kind = (await self._reader.readexactly(1))[0]
            length = shift = 0
            while True:
                byte = (await self._reader.readexactly(1))[0]
                length |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    break
            if length > PACKET_MAX_BYTES:
                raise LinkLostError("a packet beyond all measure")
            return kind, await self._reader.readexactly(length)
        except asyncio.IncompleteReadError:
            raise LinkLostError("the broker closed the connection") from None

    def _send(self, kind: int, body: bytes) -> None:
        length = len(body)
        digits = bytearray()
        while True:
            length, digit = divmod(length, 128)
            digits.append(digit | (0x80 if length else 0))
            if not length:
                break
        self._writer.write(bytes([kind]) + bytes(digits) + body)

    def _next_id(self) -> int:
        self._packet_id = self._packet_id % 0xFFFF + 1
        return self._packet_id


def _text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("!H", len(raw)) + raw
