"""One rig per transport: the contract holds over all of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.channels.brokers import Broker, Mosquitto, Nats
from tests.channels.rigs import MqttRig, Rig, SocketIoRig

needs_mosquitto = pytest.mark.skipif(
    not Mosquitto.installed(), reason="mosquitto is not installed: apt-get install mosquitto"
)
BROKERS = [
    pytest.param(Nats, id="nats"),
    pytest.param(Mosquitto, id="mosquitto", marks=needs_mosquitto),
]


@pytest.fixture(params=[*BROKERS, pytest.param(None, id="socketio")])
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """Every channel, running."""
    made = SocketIoRig() if request.param is None else MqttRig(request.param(tmp_path))
    async with made.running():
        yield made


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Broker:
    """A broker, not started."""
    made: Broker = request.param(tmp_path)
    return made


@pytest.fixture
async def mqtt(broker: Broker) -> AsyncIterator[MqttRig]:
    rig = MqttRig(broker)
    async with rig.running():
        yield rig


@pytest.fixture
async def socketio() -> AsyncIterator[SocketIoRig]:
    rig = SocketIoRig()
    async with rig.running():
        yield rig
