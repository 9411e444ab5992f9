"""Machines behind an MQTT 3.1.1 broker, the embedded one or any other.

Never retained, clean session: the broker stores no command. The topic names the machine, since the
broker lets each machine publish under its own topics only; the body never does."""

import asyncio
import random
import re
import socket
import ssl
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import aiomqtt
import msgspec
import structlog
from msgspec import Struct
from paho.mqtt.enums import MQTTErrorCode

from coinslot.channels.addresses import Place, places
from coinslot.channels.base import Inbox, Powers, Sending
from coinslot.channels.machine_queues import Limits, MachineQueues
from coinslot.channels.messages import MAX_MESSAGE_BYTES, OTHER_TOPICS
from coinslot.channels.reports import REPORT_TOPICS
from coinslot.kit.clock import Clock

# "." and "+" would mean something to a broker, so no machine has them in its code.
TOPIC: Final = re.compile(r"devices/([A-Za-z0-9_-]{1,64})/(status/[a-z]{1,32}|logs)")
SUBSCRIPTIONS: Final = ("devices/+/status/#", "devices/+/logs")
DENIED: Final = 0x80  # a subscription's answer at or above it is a refusal
UNWRITTEN: Final = (MQTTErrorCode.MQTT_ERR_NO_CONN, MQTTErrorCode.MQTT_ERR_QUEUE_SIZE)
VENDS: Final = "status/dispense"
# Nobody answers a message of QoS 0: the kernel would keep the next small one back until the other
# side acknowledges it, which may wait 40 ms for something to say.
AT_ONCE: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)

log = structlog.get_logger()


class MqttOptions(Struct, frozen=True, kw_only=True):
    """Where the broker is and how patient to be with it."""

    url: str  # mqtt://user:password@host:port or mqtts://; several hosts are separated by commas
    ca_file: str | None = None  # the CA of the broker's certificate, where no public one signed it
    patience_s: float = 5.0
    first_retry_s: float = 0.2
    longest_retry_s: float = 15.0
    inflight: int = 256  # published and not yet acknowledged, at once
    # Both ways. With 1 the broker keeps a message only while its receiver is connected, since
    # sessions are clean. At a broker on this computer 0 does nearly the same for a fifth of the
    # broker's work, and what it loses is sent again: an OFFER at its deadline, GO at a repeated
    # ACCEPT, EVACK at a repeated line, SYNC at a repeated HELLO, a QUERY at its pace.
    qos: int = 1
    limits: Limits = Limits()


def _end_if_cancelled() -> None:
    """The library waits with `asyncio.wait_for`, which in Python 3.11 forgets a cancellation when
    the answer comes at the same moment; then stopping would wait without end."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class SubscriptionDeniedError(aiomqtt.MqttError):
    """The broker does not let this login listen to the machines."""


class Mqtt:
    """One connection to the broker, for all machines."""

    name: ClassVar[str] = "mqtt"
    powers: ClassVar[Mapping[str, Powers]] = {
        "leased": Powers(
            idempotent_command=True,
            status_query=True,
            result_push=True,
            expiry=True,
            evidence=True,
        )
    }

    def __init__(self, options: MqttOptions, clock: Clock) -> None:
        self._places = places(options.url)  # a wrong one fails at the start
        _trust(options)
        self.standing = asyncio.Event()  # set while connected and listening
        self.ignored = 0  # messages on topics that are no machine's, or retained by someone
        self.queues = MachineQueues(options.limits)
        self._options = options
        self._clock = clock
        self._client: aiomqtt.Client | None = None
        self._retry_s = options.first_retry_s

    def reaches(self, outlet: str) -> bool:
        """Behind a broker every machine may be there; without the broker none is."""
        return self._client is not None

    async def send(self, outlet: str, message: Mapping[str, object]) -> Sending:
        """Publish one command; SENT also when the broker's acknowledgement stays out."""
        if self._client is None:
            return Sending.UNREACHABLE
        below, _event = OTHER_TOPICS.get(str(message.get("type")), ("commands/dispense", ""))
        topic, body = f"devices/{outlet}/{below}", msgspec.json.encode(message)
        try:
            await self._client.publish(topic, body, qos=self._options.qos, retain=False)
        except aiomqtt.MqttError as error:
            unwritten = isinstance(error, aiomqtt.MqttCodeError) and error.rc in UNWRITTEN
            # Otherwise it was written, and how far it came is unknown.
            return Sending.UNREACHABLE if unwritten else Sending.SENT
        _end_if_cancelled()
        return Sending.SENT

    async def run(self, inbox: Inbox) -> None:
        """Listen until cancelled, reconnecting for ever."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self.queues.run())
            both.create_task(self._keep_listening(inbox))

    async def _keep_listening(self, inbox: Inbox) -> None:
        """One host after the other; a pause only when none of them accepted us."""
        while True:
            for place in self._places:
                try:
                    await self._listen(inbox, place)
                except (aiomqtt.MqttError, OSError) as error:
                    log.warning("the MQTT broker is not there", where=f"{place}", error=str(error))
            # Spread out, so that not every client reconnects at the same moment.
            wait_s = random.uniform(self._retry_s / 2, self._retry_s)
            await asyncio.sleep(wait_s)
            self._retry_s = min(self._retry_s * 2, self._options.longest_retry_s)

    async def _listen(self, inbox: Inbox, place: Place) -> None:
        async with connection(self._options, place) as client:
            client.pending_calls_threshold = self._options.inflight
            for code in await client.subscribe(
                [(topic, self._options.qos) for topic in SUBSCRIPTIONS]
            ):
                if (code if isinstance(code, int) else code.value) >= DENIED:
                    raise SubscriptionDeniedError("the broker denies the subscriptions")
            _end_if_cancelled()
            self._client, self._retry_s = client, self._options.first_retry_s
            self.standing.set()
            log.info("the MQTT broker is there", where=f"{place}")
            try:
                async for message in client.messages:
                    await self._take(message, inbox)
            finally:
                self._client = None
                self.standing.clear()

    async def _take(self, message: aiomqtt.Message, inbox: Inbox) -> None:
        topic = TOPIC.fullmatch(message.topic.value)
        # A retained message is old: it would make a dead machine look alive.
        if topic is None or message.retain or not isinstance(message.payload, bytes):
            self.ignored += 1
            return
        outlet, branch = topic.groups()
        # One byte too many is enough to be found too long.
        body, now = message.payload[: MAX_MESSAGE_BYTES + 1], self._clock.now()
        if branch == VENDS:
            self.queues.put(outlet, partial(inbox.received, outlet, body, now))
            return
        kind = REPORT_TOPICS.get(branch)
        if kind is None:
            self.ignored += 1
            return
        if kind == "health":
            await inbox.heartbeat(outlet)
        if inbox.wants(outlet, kind):
            self.queues.put(outlet, partial(inbox.reported, outlet, kind, body, now))


def _trust(options: MqttOptions) -> ssl.SSLContext | None:
    """Raises OSError for a file that holds no certificate."""
    if not options.url.startswith("mqtts:"):
        return None
    return ssl.create_default_context(cafile=options.ca_file)


def connection(options: MqttOptions, place: Place) -> aiomqtt.Client:
    """A client for one broker, to be entered; it connects then."""
    url = urlsplit(options.url)
    return aiomqtt.Client(
        place.host,
        place.port,
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        identifier=f"coinslot-{uuid4().hex[:12]}",  # random: a guessed id disconnects us
        clean_session=True,
        timeout=options.patience_s,
        keepalive=20,
        max_inflight_messages=options.inflight,
        max_queued_incoming_messages=options.limits.waiting,
        tls_context=_trust(options),
        socket_options=AT_ONCE,
    )
