"""The vend protocol over MQTT: one topic each way, and one for each kind of report."""

import json
import logging
from typing import Any

from machine_simulator.files import encode
from machine_simulator.link import Backoff, Ears, Link, LinkLostError
from machine_simulator.mqtt_wire import Broker, MqttConnection

log = logging.getLogger(__name__)

TOPICS_DOWN = ("config/update", "commands/firmware", "commands/dispense")
TOPICS_UP = {
    "vend": "status/dispense",
    "health": "status/health",
    "inventory": "status/inventory",
    "logs": "logs",
    "firmware": "status/firmware",
}


class MqttLink(Link):
    """Topics are `devices/{outlet}/...`; the broker keeps each machine to its own."""

    def __init__(self, outlet: str, broker: Broker, ears: Ears, backoff: Backoff) -> None:
        super().__init__(ears, backoff)
        self._root = f"devices/{outlet}"
        self._broker = broker
        self._connection: MqttConnection | None = None

    async def _session(self) -> None:
        connection = await MqttConnection.open(self._broker)
        try:
            await connection.subscribe(*(f"{self._root}/{topic}" for topic in TOPICS_DOWN))
            if not self.plugged:
                return
            self._connection = connection
            self._mark(up=True)
            await connection.listen(self._heard, self._broker.keepalive_s)
        except ExceptionGroup as group:
            raise LinkLostError(str(group.exceptions[0])) from None
        finally:
            self._connection = None
            connection.abort()

    def _heard(self, payload: bytes) -> None:
        try:
            message = json.loads(payload)
        except ValueError:
            message = None
        if isinstance(message, dict):
            self.ears.hear("vend", message)
        else:
            log.warning("%s: a payload that is no JSON object", self._root)

    def say(self, event: str, message: dict[str, Any]) -> bool:
        if self._connection is None:
            return False
        self._connection.publish(f"{self._root}/{TOPICS_UP[event]}", encode(message).encode())
        return True

    def cut(self) -> None:
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    async def flush(self) -> None:
        if self._connection is not None:
            await self._connection.drain()

    async def farewell(self) -> None:
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None
