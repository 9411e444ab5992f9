"""The line to a device over MQTT: through a broker of the kit's own, or one that is there."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiomqtt
import structlog

from coinslot.channels.addresses import Place, places
from coinslot.channels.mqtt import MqttOptions, connection
from coinslot.conformance.line import Take, Wire
from coinslot.conformance.tap import Tap
from coinslot.device.authority import Authority
from coinslot.device.broker import BrokerUser, EmbeddedNats, authority_folder, hashed
from coinslot.kit.clock import Clock

log = structlog.get_logger(__name__)

_RETAINED_WITHIN_S = 0.3


class MqttLine:
    """To one device, over a connection of ours."""

    def __init__(self, options: MqttOptions, machine: str) -> None:
        self.wire: Wire | None = None
        self._tap: Tap | None = None
        self._options = options
        self._place = places(options.url)[0]
        self._root = f"devices/{machine}"
        self._client: aiomqtt.Client | None = None

    def behind(self, tap: Tap, wire: Wire) -> None:
        self._tap, self.wire = tap, wire

    @contextlib.asynccontextmanager
    async def open(self, take: Take) -> AsyncIterator[None]:
        """Connected and listening within. Raises aiomqtt.MqttError."""
        async with connection(self._options, self._place) as client:
            # What lies there from before is not of this run.
            for topic in await self.retained():
                await client.publish(topic, b"", qos=1, retain=True)
            await client.subscribe([(f"{self._root}/status/#", 1), (f"{self._root}/logs", 1)])
            self._client = client
            listening = asyncio.create_task(self._listen(client, take))
            try:
                yield
            finally:
                self._client = None
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, client: aiomqtt.Client, take: Take) -> None:
        async for message in client.messages:
            if isinstance(message.payload, bytes):
                await take(message.topic.value.removeprefix(f"{self._root}/"), message.payload)

    async def send(self, branch: str, body: bytes) -> None:
        if self._client is None:
            return
        with contextlib.suppress(aiomqtt.MqttError):
            await self._client.publish(f"{self._root}/{branch}", body, qos=1)

    def cut(self) -> bool:
        if self._tap is None:
            return False
        self._tap.cut()
        return True

    async def retained(self) -> set[str]:
        """A broker marks what it kept only for a subscription that is new."""
        found: set[str] = set()
        async with connection(self._options, self._place) as client:
            await client.subscribe([(f"{self._root}/status/#", 1), (f"{self._root}/logs", 1)])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETAINED_WITHIN_S):
                    async for message in client.messages:
                        if message.retain:
                            found.add(message.topic.value)
        return found


class OwnBroker:
    """The embedded broker behind a tap, for one device."""

    def __init__(self, folder: Path, place: Place, clock: Clock, names: Sequence[str] = ()) -> None:
        """`names` are those by which the device calls it: then it is spoken to over TLS."""
        self._folder, self._place, self._clock, self._names = folder, place, clock, names
        self.ca: bytes | None = None  # in DER
        self.port = place.port

    @contextlib.asynccontextmanager
    async def run(self, machine: str, secret: str) -> AsyncIterator[MqttLine]:
        """Raises BrokerError, OSError."""
        nats = EmbeddedNats(self._folder, clock=self._clock)
        await nats.start([BrokerUser(machine, hashed(secret))])
        wire = Wire()
        tap = Tap(Place(nats.host, nats.listening), wire)
        try:
            self.port = await tap.start(self._place, self._tls())
            line = MqttLine(MqttOptions(url=nats.url), machine)
            line.behind(tap, wire)
            yield line
        finally:
            await tap.stop()
            await nats.stop()

    def _tls(self) -> ssl.SSLContext | None:
        if not self._names:
            return None
        authority = Authority(authority_folder(self._folder), self._clock)
        authority.renew(self._names)
        self.ca = authority.der()
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(authority.server_file)
        return trust
