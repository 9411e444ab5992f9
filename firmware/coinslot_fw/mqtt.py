"""MQTT 3.1.1, as much of it as a small controller carries: QoS 1, clean session, one task writes.

A connection is thrown away after any error. What was said and did not arrive stands in the journal,
so nothing is repeated here."""

import asyncio
import struct

_PACKET_MAX = 5120
_SMALL = 1024  # for a packet up to this there is memory, or the board needs a new start
_PIECE = 128  # of a longer one, read into its place: no part of it is in memory twice
_UNSENT_PACKETS = 16  # more than this unsent: the line is too slow, and packets are dropped
_UNSENT_BYTES = 6144
_CONNECT_S = 10

_CONNECT = 0x10
_CONNACK = 0x20
_PUBLISH = 0x30
_PUBACK = 0x40
_SUBSCRIBE = 0x82
_SUBACK = 0x90
_PINGREQ = 0xC0
_DISCONNECT = 0xE0
_REFUSED = 0x80


class LinkLostError(Exception):
    """The connection broke or was refused."""


def _text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(kind, body):
    length, digits = len(body), bytearray()
    while True:
        digit = length & 0x7F
        length >>= 7
        digits.append(digit | (0x80 if length else 0))
        if not length:
            return bytes([kind]) + bytes(digits) + body


class Mqtt:
    """`broker` has host, port, login, secret, and `tls`: None, or the context to connect with."""

    def __init__(self, broker, client_id, keepalive_s=15):
        self._broker = broker
        self._client_id = client_id
        self._keepalive_s = keepalive_s
        self._reader = None
        self._writer = None
        self._unsent = []
        self._unsent_bytes = 0
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._error = None
        self._packet_id = 0
        self._heard = False
        self.connected = False

    async def session(self, topics, up, heard):
        """Connect, subscribe to these topics, of which the first must be granted, call `up`, and
        give every message to `heard(topic, payload)` until the line breaks: LinkLostError. A long
        message for which there is no memory has None as its payload."""
        tasks = []
        self._ended.clear()
        self._error = None
        try:
            try:
                await asyncio.wait_for(self._open(topics), _CONNECT_S)
            except ValueError as error:  # how a certificate is refused
                raise LinkLostError(repr(error))
            self.connected = True
            for part in (self._write(), self._ping(), self._read(heard)):
                tasks.append(asyncio.create_task(self._guarded(part)))
            up()
            # A read from a socket that was closed here would wait for ever, hence the event.
            await self._ended.wait()
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            self._error = error
        finally:
            self.connected = False
            for task in tasks:
                task.cancel()
            self._close()
        error = self._error
        if error is None or isinstance(error, (OSError, EOFError, asyncio.TimeoutError)):
            raise LinkLostError(repr(error))
        raise error

    async def _guarded(self, part):
        try:
            await part
        except Exception as error:  # raised again by `session`, whatever it is
            self._error = error
            self._ended.set()

    async def _read(self, heard):
        while True:
            kind, head, payload = await self._packet()
            self._heard = True
            if kind & 0xF0 == _PUBLISH:
                start = 2 + (head[0] << 8 | head[1])
                heard(head[2:start].decode(), payload)
                payload = None
                if kind & 0x06:
                    self._send(packet(_PUBACK, head[start : start + 2]))

    def publish(self, topic, payload):
        """At QoS 1, written soon. False: there is no line, or it is too slow."""
        if not self.connected:
            return False
        return self._send(packet(_PUBLISH | 2, _text(topic) + self._next_id() + payload))

    def cut(self):
        """Drop the connection without a goodbye."""
        self._ended.set()

    async def farewell(self):
        """Say goodbye, so that the broker knows that it was meant."""
        if self.connected:
            while self._unsent:
                await asyncio.sleep(0.01)
            self._send(packet(_DISCONNECT, b""))
            await asyncio.sleep(0.05)

    async def _open(self, topics):
        broker = self._broker
        options = {}
        if broker["tls"] is not None:
            options = {"ssl": broker["tls"], "server_hostname": broker["host"]}
        self._reader, self._writer = await asyncio.open_connection(
            broker["host"], broker["port"], **options
        )
        self._unsent, self._unsent_bytes = [], 0
        head = _text("MQTT") + bytes([4, 0xC2]) + struct.pack(">H", self._keepalive_s)
        who = _text(self._client_id) + _text(broker["login"]) + _text(broker["secret"])
        await self._now(packet(_CONNECT, head + who))
        kind, body, _ = await self._packet()
        if kind != _CONNACK or body[1] != 0:
            raise LinkLostError("login refused")
        asked = b"".join([_text(topic) + b"\x01" for topic in topics])
        packet_id = self._next_id()
        await self._now(packet(_SUBSCRIBE, packet_id + asked))
        kind, body, _ = await self._packet()
        if kind != _SUBACK or body[:2] != packet_id or body[2] >= _REFUSED:
            raise LinkLostError("subscription refused")

    async def _now(self, data):
        self._writer.write(data)
        await self._writer.drain()

    async def _write(self):
        """The only task that writes: MicroPython's drain loses what another writes meanwhile."""
        while True:
            while self._unsent:
                data = self._unsent.pop(0)
                self._unsent_bytes -= len(data)
                await self._now(data)
            self._wake.clear()
            await self._wake.wait()

    async def _ping(self):
        while True:
            self._heard = False
            self._send(packet(_PINGREQ, b""))
            await asyncio.sleep(self._keepalive_s / 2)
            if not self._heard:
                raise LinkLostError("the broker answers no ping")

    def _send(self, data):
        full = self._unsent_bytes + len(data) > _UNSENT_BYTES
        if full or len(self._unsent) >= _UNSENT_PACKETS:
            return False
        self._unsent.append(data)
        self._unsent_bytes += len(data)
        self._wake.set()
        return True

    async def _packet(self):
        kind = (await self._reader.readexactly(1))[0]
        length = shift = 0
        while True:
            byte = (await self._reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
            if shift > 21:
                raise LinkLostError("no length of a packet")
        if length > _PACKET_MAX:
            raise LinkLostError("a packet beyond the bound")
        if kind & 0xF0 != _PUBLISH:
            return kind, (await self._reader.readexactly(length) if length else b""), None
        head = await self._head(kind, length)
        return kind, head, await self._payload(length - len(head))

    async def _head(self, kind, length):
        """Topic, and the number at QoS 1."""
        head = await self._reader.readexactly(2)
        more = (head[0] << 8 | head[1]) + (2 if kind & 0x06 else 0)
        if more + 2 > length:
            raise LinkLostError("no topic in a packet")
        return head + await self._reader.readexactly(more)

    async def _payload(self, length):
        """None for a long one for which there is no memory: it is read, and dropped."""
        if length <= _SMALL:
            return await self._reader.readexactly(length) if length else b""
        try:
            payload = bytearray(length)
        except MemoryError:
            payload = None
        return await self._rest(length, payload)

    async def _rest(self, length, payload):
        taken = 0
        while taken < length:
            part = await self._reader.readexactly(min(length - taken, _PIECE))
            if payload is not None:
                payload[taken : taken + len(part)] = part
            taken += len(part)
        return payload

    def _close(self):
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def _next_id(self):
        self._packet_id = self._packet_id % 0xFFFF + 1
        return struct.pack(">H", self._packet_id)
