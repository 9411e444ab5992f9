"""The other way to the same machines: the binary frame, published at an MQTT broker. Prices and
heartbeats are asked over HTTP all the same.

Taken means that the broker has the command. Whether a machine listens there, nobody says."""

import asyncio
import ssl
from collections.abc import Callable

import aiomqtt

from coinslot.channels.tmetr import frame
from coinslot.channels.tmetr.build import Broker, Make, Settings
from coinslot.channels.tmetr.parse import Refused, Taken, Unclear
from coinslot.kit.faults import Reached, no_fault
from coinslot.kit.ids import token

Connect = Callable[[Broker], aiomqtt.Client]


def connect(broker: Broker) -> aiomqtt.Client:
    """A connection of its own for one command."""
    return aiomqtt.Client(
        hostname=broker.host, port=broker.port, identifier=f"coinslot-{token(9)}",
        username=broker.login or None,
        password=broker.password.reveal() if broker.password else None,
        tls_context=trust(broker), timeout=broker.answer_s, clean_session=True,
    )  # fmt: skip


def trust(broker: Broker) -> ssl.SSLContext | None:
    """Raises OSError for files that are not there or are none."""
    if not broker.tls:
        return None
    trusted = ssl.create_default_context(cafile=broker.ca_file)
    if broker.certificate_file is not None:
        trusted.load_cert_chain(broker.certificate_file, broker.key_file)
    return trusted


class Commands:
    """Publishes commands. Each is sent once, at least to the broker, over a connection of its
    own."""

    def __init__(
        self, settings: Settings, broker: Broker, reached: Reached = no_fault,
        connected: Connect = connect,
    ) -> None:  # fmt: skip
        self._settings, self._broker = settings, broker
        self._reached, self._connected = reached, connected

    async def make(self, wanted: Make) -> Taken | Refused | Unclear:
        """Refused where nothing can have been published: no connection, a price that fits no frame,
        or a device that stands in no topic."""
        try:
            payload = frame.make(self._settings, wanted)
        except ValueError as error:
            return Refused(str(error))
        topic = self._broker.topic.replace("{device}", wanted.device)
        if "+" in topic or "#" in topic:  # a broker would take it for many topics, or for none
            return Refused(f"nothing is published on {topic}")
        sent = False
        self._reached("before_send")
        try:
            async with asyncio.timeout(self._broker.answer_s):
                async with self._connected(self._broker) as client:
                    sent = True
                    await client.publish(topic, payload, qos=1)
        except (aiomqtt.MqttError, OSError, TimeoutError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            return Unclear(reason) if sent else Refused(f"not published: {reason}")
        finally:
            self._reached("after_send")
        return Taken()
