"""The embedded broker: every device reaches its own topics and no other's, whatever it tries."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt
import pytest

from coinslot.device.broker import BrokerUser, EmbeddedNats, hashed

M01 = BrokerUser("M01", hashed("secret-one"))
M02 = BrokerUser("M02", hashed("secret-two"))
M03 = BrokerUser("M03", hashed("secret-three"))


def device(nats: EmbeddedNats, login: str, secret: str, **how: object) -> aiomqtt.Client:
    return aiomqtt.Client(
        nats.host,
        nats.listening,
        username=login,
        password=secret,
        **how,  # type: ignore[arg-type]
    )


def server(nats: EmbeddedNats) -> aiomqtt.Client:
    return aiomqtt.Client(
        nats.host, nats.listening, username=nats.server_login, password=nats.server_password
    )


async def next_message(client: aiomqtt.Client) -> tuple[str, bytes]:
    message = await asyncio.wait_for(anext(client.messages), 5)
    assert isinstance(message.payload, bytes)
    return str(message.topic), message.payload


async def granted(client: aiomqtt.Client, topic: str) -> bool:
    answers = await client.subscribe(topic, qos=1)
    return all(not getattr(answer, "is_failure", answer == 128) for answer in answers)


@pytest.fixture(autouse=True)
async def two_devices(nats: EmbeddedNats) -> None:
    await nats.reload([M01, M02])


async def test_a_device_talks_with_the_server_on_its_own_topics(nats: EmbeddedNats) -> None:
    async with server(nats) as us, device(nats, "M01", "secret-one") as machine:
        await us.subscribe("devices/+/status/#", qos=1)
        assert await granted(machine, "devices/M01/commands/#")
        assert await granted(machine, "devices/M01/config/#")
        await us.publish("devices/M01/commands/dispense", b"offer", qos=1)
        assert await next_message(machine) == ("devices/M01/commands/dispense", b"offer")
        await machine.publish("devices/M01/status/dispense", b"accept", qos=1)
        assert await next_message(us) == ("devices/M01/status/dispense", b"accept")


@pytest.mark.parametrize(
    "topic",
    [
        "devices/M02/status/dispense",
        "devices/M02/commands/dispense",
        "devices/M01/commands/dispense",
        "devices/M02/logs",
        "devices/M01/status/made-up",
        "devices/M01/status/dispense/below",
        "$MQTT/msgs/devices/M02/status/dispense",
    ],
)
async def test_what_a_device_says_on_another_topic_reaches_nobody(
    nats: EmbeddedNats, topic: str
) -> None:
    async with (
        server(nats) as us,
        device(nats, "M01", "secret-one") as liar,
        device(nats, "M02", "secret-two") as other,
    ):
        await us.subscribe("devices/#", qos=1)
        await other.subscribe("devices/M02/commands/#", qos=1)
        for qos, retain in ((0, False), (1, False), (1, True)):
            await liar.publish(topic, b"forged", qos=qos, retain=retain)
        await liar.publish("devices/M01/logs", b"the end", qos=1)
        assert await next_message(us) == ("devices/M01/logs", b"the end")
        await us.publish("devices/M02/commands/dispense", b"true", qos=1)
        assert (await next_message(other))[1] == b"true"


async def test_what_a_device_has_retained_fills_no_more_than_its_few_topics(
    nats: EmbeddedNats,
) -> None:
    async with device(nats, "M01", "secret-one") as hoarder:
        for number in range(20):
            topic = f"devices/M01/status/hoard{number}"
            await hoarder.publish(topic, b"mine" * 1000, qos=1, retain=True)
        await hoarder.publish("devices/M01/logs", b"the end", qos=1, retain=True)
    async with server(nats) as us:
        await us.subscribe("devices/#", qos=1)
        assert await next_message(us) == ("devices/M01/logs", b"the end")
        await us.publish("devices/M01/commands/dispense", b"nothing before this", qos=1)
        assert (await next_message(us))[1] == b"nothing before this"


@pytest.mark.parametrize(
    "topic",
    ["#", "devices/#", "devices/+/commands/#", "devices/M02/commands/#", "devices/M02/status/#",
     "$MQTT/#", "$MQTT/sub/#", "$JS/#", "$SYS/#", "+/M02/commands/dispense"],
)  # fmt: skip
async def test_a_device_cannot_listen_elsewhere(nats: EmbeddedNats, topic: str) -> None:
    async with device(nats, "M01", "secret-one") as spy:
        assert not await granted(spy, topic)


async def test_a_will_on_a_foreign_topic_is_dropped_and_the_own_one_is_heard(
    nats: EmbeddedNats,
) -> None:
    async with server(nats) as us:
        await us.subscribe("devices/#", qos=1)
        await die_with_will(nats, aiomqtt.Will("devices/M02/status/dispense", b"forged", qos=1))
        await die_with_will(nats, aiomqtt.Will("devices/M01/status/health", b"gone", qos=1))
        assert await next_message(us) == ("devices/M01/status/health", b"gone")


async def die_with_will(nats: EmbeddedNats, will: aiomqtt.Will) -> None:
    """Connects as M01, then cuts the line without a good-bye."""
    reader, writer = await asyncio.open_connection(nats.host, nats.listening)
    assert isinstance(will.payload, bytes)
    fields = [b"dying-machine", will.topic.encode(), will.payload, b"M01", b"secret-one"]
    body = b"\x00\x04MQTT\x04" + bytes([0b11001110]) + b"\x00\x3c"  # will at QoS 1, clean session
    body += b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    writer.write(b"\x10" + bytes([len(body)]) + body)
    assert await reader.readexactly(4) == b"\x20\x02\x00\x00"
    writer.transport.abort()


@pytest.mark.parametrize(
    ("login", "secret"),
    [("M01", "secret-two"), ("M01", ""), ("M09", "secret-one"), ("coinslot", "")],
)
async def test_a_wrong_password_is_refused(nats: EmbeddedNats, login: str, secret: str) -> None:
    assert not await lets_in(nats, login, secret)


async def test_the_hash_is_no_password(nats: EmbeddedNats) -> None:
    assert not await lets_in(nats, "M01", M01.bcrypt_hash)


async def test_a_stranger_with_anothers_client_id_does_not_push_it_out(nats: EmbeddedNats) -> None:
    async with server(nats) as us, device(nats, "M01", "secret-one", identifier="same") as machine:
        await machine.subscribe("devices/M01/commands/#", qos=1)
        with pytest.raises(aiomqtt.MqttError):
            async with device(nats, "M01", "guessed", identifier="same"):
                pass
        await us.publish("devices/M01/commands/dispense", b"still there", qos=1)
        assert (await next_message(machine))[1] == b"still there"


async def test_a_new_device_is_let_in_without_dropping_the_others(nats: EmbeddedNats) -> None:
    async with server(nats) as us, device(nats, "M01", "secret-one") as machine:
        await machine.subscribe("devices/M01/commands/#", qos=1)
        await nats.reload([M01, M02, M03])
        async with device(nats, "M03", "secret-three"):
            await us.publish("devices/M01/commands/dispense", b"unbroken", qos=1)
            assert (await next_message(machine))[1] == b"unbroken"


async def test_a_removed_device_is_dropped_and_stays_out(nats: EmbeddedNats) -> None:
    machine = device(nats, "M01", "secret-one")
    await machine.__aenter__()
    await nats.reload([M02])
    with pytest.raises(aiomqtt.MqttError):
        await next_message(machine)
    assert not await lets_in(nats, "M01", "secret-one")
    assert await lets_in(nats, "M02", "secret-two")


async def test_a_broker_that_dies_starts_again_with_the_same_users(nats: EmbeddedNats) -> None:
    pid = int((nats.home / "server.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(0.05)
            restarted = int((nats.home / "server.pid").read_text()) != pid
            # One that dies or starts may take a connection and never answer it.
            if restarted and await lets_in(nats, "M02", "secret-two", within_s=2):
                break


async def lets_in(nats: EmbeddedNats, login: str, secret: str, within_s: float = 10) -> bool:
    try:
        async with device(nats, login, secret, timeout=within_s):
            return True
    except aiomqtt.MqttError:
        return False


async def test_a_newer_secret_has_a_login_of_its_own_for_the_same_topics(
    nats: EmbeddedNats,
) -> None:
    newer = BrokerUser("M01.2", hashed("secret-anew"), "M01")
    await nats.reload([M01, newer, M02])
    async with (
        server(nats) as us,
        device(nats, "M01", "secret-one") as old,
        device(nats, "M01.2", "secret-anew") as new,
    ):
        await us.subscribe("devices/+/status/#", qos=1)
        for machine in (old, new):
            assert await granted(machine, "devices/M01/commands/#")
            assert not await granted(machine, "devices/M02/commands/#")
            await machine.publish("devices/M02/status/dispense", b"forged", qos=1)
            await machine.publish("devices/M01/status/dispense", b"true", qos=1)
            assert await next_message(us) == ("devices/M01/status/dispense", b"true")
        await nats.reload([newer, M02])
        with pytest.raises(aiomqtt.MqttError):  # the old one is hung up, the new one goes on
            await next_message(old)
        await us.publish("devices/M01/commands/dispense", b"offer", qos=1)
        assert await next_message(new) == ("devices/M01/commands/dispense", b"offer")
    assert not await lets_in(nats, "M01", "secret-one")


async def test_more_than_a_thousand_machines_may_listen(nats: EmbeddedNats) -> None:
    async with AsyncExitStack() as stack:
        for session in range(22):  # a session has room for some sixty subscriptions
            client = await stack.enter_async_context(device(nats, "M01", "secret-one"))
            topics = [(f"devices/M01/commands/{session}-{n}", 1) for n in range(50)]
            answers = await client.subscribe(topics)
            assert not any(getattr(answer, "is_failure", answer == 128) for answer in answers)


async def test_a_broker_that_was_killed_forgets_who_was_connected(nats: EmbeddedNats) -> None:
    async with device(nats, "M01", "secret-one", identifier="once-only") as machine:
        await machine.subscribe("devices/M01/commands/#", qos=1)
        assert knows(nats, b"once-only")
        os.kill(int((nats.home / "server.pid").read_text()), signal.SIGKILL)
        with pytest.raises(aiomqtt.MqttError):
            await next_message(machine)
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(0.05)
            if await lets_in(nats, "M01", "secret-one", within_s=2):
                break
    assert not knows(nats, b"once-only")


def knows(nats: EmbeddedNats, client: bytes) -> bool:
    """Whether the broker keeps anything of a client on its disk."""
    kept = (nats.home / "jetstream").rglob("*")
    return any(client in path.read_bytes() for path in kept if path.is_file())


async def test_the_servers_password_is_the_same_after_a_restart(tmp_path: Path) -> None:
    passwords = []
    for _ in range(2):
        broker = EmbeddedNats(tmp_path / "other")
        await broker.start([M01])
        async with server(broker):
            passwords.append(broker.server_password)
        await broker.stop()
    assert passwords[0] == passwords[1]


@pytest.mark.parametrize("login", ["", "a.b", "M*", ">", "M 1", "coinslot", "x" * 33, "M1\n"])
def test_a_login_that_would_be_a_pattern_is_refused(login: str) -> None:
    with pytest.raises(ValueError, match="login"):
        BrokerUser(login, M01.bcrypt_hash)


@pytest.mark.parametrize("login", ["M02", "M02.2", "M01.", "M01.x", "M01.2.3", "M01.*", "M012"])
def test_a_newer_login_begins_with_the_code_of_its_machine(login: str) -> None:
    with pytest.raises(ValueError, match="login"):
        BrokerUser(login, M01.bcrypt_hash, "M01")


def test_a_secret_that_is_not_hashed_is_refused() -> None:
    with pytest.raises(ValueError, match="bcrypt"):
        BrokerUser("M01", "secret-one")


@pytest.mark.parametrize(
    "half", [b"", b"\x10", b"\x10\xff\xff\xff\x7f", b"\x10\x20\x00\x04MQTT", b"GET / HTTP/1.1\r\n"]
)
async def test_a_connection_that_never_says_who_it_is_is_hung_up(
    nats: EmbeddedNats, half: bytes
) -> None:
    reader, writer = await asyncio.open_connection(nats.host, nats.listening)
    writer.write(half)
    async with asyncio.timeout(10):
        await reader.read()  # what it says, until it hangs up
    writer.close()


async def test_hundreds_of_silent_connections_keep_no_device_out(nats: EmbeddedNats) -> None:
    silent = [await asyncio.open_connection(nats.host, nats.listening) for _ in range(300)]
    async with device(nats, "M01", "secret-one") as machine:
        assert await granted(machine, "devices/M01/commands/#")
    for reader, writer in silent:
        async with asyncio.timeout(10):
            await reader.read()
        writer.close()


async def test_a_message_without_end_ends_its_connection(nats: EmbeddedNats) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with device(nats, "M01", "secret-one", timeout=3) as machine:
            await machine.publish("devices/M01/status/dispense", b"x" * 1_000_000, qos=1)
