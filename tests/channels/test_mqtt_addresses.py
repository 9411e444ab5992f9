"""Brokers behind TLS with a private authority, and addresses that name several brokers."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from coinslot.channels.addresses import Place, places
from coinslot.channels.mqtt import Mqtt, MqttOptions
from coinslot.device.edge import Edge, EdgeOptions
from coinslot.kit.clock import SystemClock
from tests.channels.brokers import Broker, Mosquitto, Nats
from tests.channels.conftest import needs_mosquitto
from tests.channels.machines import RecordingHandler
from tests.channels.rigs import PATIENCE_S
from tests.feeds.certificate import certificate
from tests.ports import free_port


class Secured(Mosquitto):
    """Mosquitto whose certificate no public authority signed."""

    def command(self) -> Sequence[str]:
        command = super().command()
        certificate(self.folder, "localhost")
        pem = self.folder / "server.pem"
        pem.chmod(0o600)
        config = self.folder / "mosquitto.conf"
        lines = config.read_text(encoding="ascii").splitlines()
        lines[1:1] = [f"certfile {pem}", f"keyfile {pem}"]
        config.write_text("\n".join(lines) + "\n", encoding="ascii")
        return command

    @property
    def url(self) -> str:
        return f"mqtts://coinslot:of-the-server@localhost:{self.port}"


class Listening:
    """A channel under way."""

    def __init__(self, options: MqttOptions) -> None:
        self.mqtt = Mqtt(options, SystemClock())

    async def __aenter__(self) -> Mqtt:
        edge = Edge(RecordingHandler(), [self.mqtt], SystemClock(), EdgeOptions())
        self._task = asyncio.create_task(edge.run())
        return self.mqtt

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})


def quickly(url: str, ca_file: Path | None = None) -> MqttOptions:
    return MqttOptions(
        url=url, ca_file=str(ca_file) if ca_file else None, first_retry_s=0.05, longest_retry_s=0.2
    )


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("never")


async def stands(mqtt: Mqtt) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await mqtt.standing.wait()


@needs_mosquitto
async def test_a_broker_with_a_private_authority_is_trusted_by_its_file_alone(
    tmp_path: Path,
) -> None:
    broker = Secured(tmp_path)
    await broker.start()
    try:
        with capture_logs() as said:
            async with Listening(quickly(broker.url)) as mqtt:
                await until(lambda: bool(said))
                assert not mqtt.standing.is_set()
        assert "CERTIFICATE_VERIFY_FAILED" in str(said)
        async with Listening(quickly(broker.url, tmp_path / "server.pem")) as mqtt:
            await stands(mqtt)
    finally:
        await broker.stop()


@needs_mosquitto
async def test_a_trusted_authority_does_not_vouch_for_another_host(tmp_path: Path) -> None:
    broker = Secured(tmp_path)
    await broker.start()
    try:
        url = broker.url.replace("localhost", "127.0.0.1")
        with capture_logs() as said:
            async with Listening(quickly(url, tmp_path / "server.pem")) as mqtt:
                await until(lambda: bool(said))
                assert not mqtt.standing.is_set()
        assert "CERTIFICATE_VERIFY_FAILED" in str(said)
    finally:
        await broker.stop()


async def test_of_several_brokers_the_next_is_taken_when_one_is_gone(tmp_path: Path) -> None:
    brokers: list[Broker] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        brokers.append(Nats(tmp_path / name))
    hosts = ",".join(f"127.0.0.1:{port}" for port in (free_port(), *(b.port for b in brokers)))
    first, second = brokers
    await first.start()
    await second.start()
    try:
        async with Listening(quickly(f"mqtt://coinslot:of-the-server@{hosts}")) as mqtt:
            await stands(mqtt)
            for gone in (first, second):
                await gone.stop()
                await until(lambda: not mqtt.standing.is_set())
                await stands(mqtt)
                await gone.start()
    finally:
        await first.stop()
        await second.stop()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("mqtt://u:p@a", (Place("a", 1883),)),
        ("mqtts://u:p@a,b:7,[::1]:9", (Place("a", 8883), Place("b", 7), Place("::1", 9))),
    ],
)
def test_an_address_names_one_broker_or_several(url: str, found: tuple[Place, ...]) -> None:
    assert places(url) == found


@pytest.mark.parametrize(
    "url", ["http://a", "mqtt://", "mqtt://a,", "mqtt://a:x", "mqtt://a,b:99999"]
)
def test_an_address_that_names_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        places(url)
