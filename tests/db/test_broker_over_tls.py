"""The embedded broker for machines on other computers: over TLS, by an authority of its own."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import msgspec
import pytest
from cryptography import x509

from coinslot.app.resources import device_addresses, mqtt_reach
from coinslot.channels.mqtt import Mqtt, MqttOptions
from coinslot.device.authority import Authority
from coinslot.device.broker import BrokerUser, EmbeddedNats, Reach, hashed
from coinslot.device.edge import Edge, EdgeInbox, EdgeOptions
from coinslot.fleet.enrolment import DeviceEnrolment, enrolment
from coinslot.kit.clock import SettableClock, SystemClock
from coinslot.outlets.machines import DeviceSecret
from coinslot.settings import SettingsError, read
from tests.channels.machines import RecordingHandler
from tests.ports import free_port

NAME, SECRET = "broker.example", "a long secret of M01"
HERE = ("127.0.0.1", NAME)
USERS = [BrokerUser("M01", hashed(SECRET))]
TODAY = datetime(2026, 11, 2, tzinfo=UTC)


@asynccontextmanager
async def opened(folder: Path, clock: SettableClock | None = None) -> AsyncIterator[EmbeddedNats]:
    broker = EmbeddedNats(folder, free_port(), Reach("0.0.0.0", HERE), clock)
    await broker.start(USERS)
    try:
        yield broker
    finally:
        await broker.stop()


def trusting(der: bytes | None, name: str = NAME) -> ssl.SSLContext:
    """What a device does with the authority of its enrolment, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if der is not None:
        context.load_verify_locations(cadata=der)
    return context


async def certificate(broker: EmbeddedNats, name: str = NAME) -> x509.Certificate:
    """The one that it shows to who trusts its authority. Raises ssl.SSLError."""
    trusted = trusting(broker.authority.der())
    _, writer = await asyncio.open_connection(
        "127.0.0.1", broker.listening, ssl=trusted, server_hostname=name
    )
    found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(found)


async def test_a_device_comes_in_with_the_authority_of_its_enrolment(tmp_path: Path) -> None:
    async with opened(tmp_path) as broker:
        enrolled = base64.b64decode(given(tmp_path).ca or "")
        client = aiomqtt.Client(
            "127.0.0.1", broker.listening, username="M01", password=SECRET,
            tls_context=trusting(enrolled),
        )  # fmt: skip
        async with client:
            await client.subscribe("devices/M01/commands/dispense", qos=1)
            await client.publish("devices/M01/status/health", b"{}", qos=1)


def given(folder: Path) -> DeviceEnrolment:
    environment = {
        "COINSLOT_DATA": str(folder), "COINSLOT_MQTT_BIND": "0.0.0.0",
        "COINSLOT_DEVICES_MQTT_URL": f"mqtts://{NAME}:8883",
    }  # fmt: skip
    settings = read(environment)
    assert mqtt_reach(settings) == Reach("0.0.0.0", (NAME,))
    secret = DeviceSecret(outlet="M01", secret=SECRET, key_id=1)
    return enrolment("mqtt", "leased", secret, device_addresses(settings))


async def test_the_file_has_the_authority_in_both_forms(tmp_path: Path) -> None:
    async with opened(tmp_path) as broker:
        file = msgspec.json.decode(given(tmp_path).file())
        trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusted.load_verify_locations(cadata=file["ca_pem"])
        assert base64.b64decode(file["ca"]) == broker.authority.der()
        await asyncio.open_connection(
            "127.0.0.1", broker.listening, ssl=trusted, server_hostname=NAME
        )


async def test_who_trusts_another_authority_or_none_does_not_come_in(tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", SystemClock())
    async with opened(tmp_path) as broker:
        for trusted in (trusting(other.der()), trusting(None), ssl.create_default_context()):
            with pytest.raises(ssl.SSLCertVerificationError):
                await asyncio.open_connection(
                    "127.0.0.1", broker.listening, ssl=trusted, server_hostname=NAME
                )
        with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
            await certificate(broker, "another.example")
        await certificate(broker, "127.0.0.1")


async def test_without_tls_nobody_is_let_in(tmp_path: Path) -> None:
    async with opened(tmp_path) as broker:
        client = aiomqtt.Client(
            "127.0.0.1", broker.listening, username="M01", password=SECRET, timeout=3
        )
        with pytest.raises(aiomqtt.MqttError):
            async with client:
                pass


async def test_we_reach_it_ourselves_over_tls(tmp_path: Path) -> None:
    async with opened(tmp_path) as broker:
        assert broker.url.startswith("mqtts://")
        channel = Mqtt(MqttOptions(url=broker.url, ca_file=str(broker.ca_file)), SystemClock())
        edge = Edge(RecordingHandler(), [channel], SystemClock(), EdgeOptions())
        running = asyncio.create_task(channel.run(EdgeInbox(edge, "mqtt")))
        await asyncio.wait_for(channel.standing.wait(), 10)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_authority_stays_over_restarts_and_its_key_is_ours_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as broker:
        first, shown = broker.authority.der(), await certificate(broker)
    async with opened(tmp_path) as broker:
        assert broker.authority.der() == first
        assert (await certificate(broker)).serial_number == shown.serial_number
    for file in (tmp_path / "authority").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


async def test_the_certificate_is_made_anew_before_it_ends_and_nobody_is_disconnected(
    tmp_path: Path,
) -> None:
    clock = SettableClock(TODAY)
    async with opened(tmp_path, clock) as broker:
        before = await certificate(broker)
        ca = broker.authority.der()
        machine = aiomqtt.Client(
            "127.0.0.1", broker.listening, username="M01", password=SECRET,
            tls_context=trusting(ca),
        )  # fmt: skip
        async with machine:
            clock.advance(timedelta(days=330))
            assert not await broker.renew()
            clock.advance(timedelta(days=20))
            assert await broker.renew()
            assert not await broker.renew()
            after = await certificate(broker)
            assert after.serial_number != before.serial_number
            assert after.not_valid_after_utc - before.not_valid_after_utc == timedelta(days=350)
            await machine.publish("devices/M01/status/health", b"{}", qos=1)
        assert broker.authority.der() == ca  # machines need nothing new


async def test_another_name_is_another_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path, SettableClock(TODAY))
    assert authority.renew(["a.example", "10.0.0.5"])
    assert not authority.renew(["10.0.0.5", "a.example"])
    assert authority.renew(["b.example"])
    authority.server_file.write_bytes(b"torn")
    assert authority.renew(["b.example"])
    strange = Authority(tmp_path / "strange", SettableClock(TODAY))
    strange.renew(["b.example"])
    authority.server_file.write_bytes(strange.server_file.read_bytes())
    assert authority.renew(["b.example"])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "COINSLOT_DEVICES_MQTT_URL"),
        ({"COINSLOT_DEVICES_MQTT_URL": "mqtt://a.example:1883"}, "mqtts://"),
        ({"COINSLOT_MQTT_BIND": "everywhere"}, "no address"),
        ({"MQTT_BROKER_URL": "mqtt://a:b@broker:1883"}, "embedded broker"),
    ],
)
def test_a_bind_address_that_would_help_nobody_is_said_at_once(
    more: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        read({"COINSLOT_MQTT_BIND": "0.0.0.0", **more})


def test_a_bind_address_of_its_own_needs_no_name() -> None:
    reach = mqtt_reach(read({"COINSLOT_MQTT_BIND": "10.0.0.5"}))
    assert reach == Reach("10.0.0.5", ())
