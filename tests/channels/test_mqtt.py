"""What holds of MQTT besides the contract: topics, retained messages, a broker that is away."""

import asyncio
import socket

import pytest

from coinslot.channels.addresses import Place
from coinslot.channels.base import Guarantee, Sending, guarantee
from coinslot.channels.mqtt import Mqtt, MqttOptions, connection
from coinslot.kit.clock import SystemClock
from tests.channels.brokers import Broker
from tests.channels.machines import MqttMachine, result
from tests.channels.rigs import PATIENCE_S, MqttRig
from tests.channels.test_contract import GO, counted, heard, soon


async def boss(rig: MqttRig) -> MqttMachine:
    """A client that may write everywhere, as a broker without rights would let machines do."""
    machine = MqttMachine(rig.broker.port, "coinslot", "of-the-server")
    rig.machines.append(machine)
    await soon(machine.connect())
    return machine


async def test_starting_without_a_broker_is_normal(broker: Broker) -> None:
    rig = MqttRig(broker)
    running = asyncio.create_task(rig.edge.run())
    assert await rig.send("M01", GO) is Sending.UNREACHABLE
    try:
        await rig.start()
        machine = await rig.machine("M01")
        assert await rig.send("M01", GO) is Sending.SENT
        assert await soon(machine.received.get()) == GO
    finally:
        running.cancel()
        for each in rig.machines:
            await each.close()
        await rig.stop()


async def test_nothing_is_sent_after_the_broker_went_away(mqtt: MqttRig) -> None:
    machine = await mqtt.machine("M01")
    await mqtt.stop()
    async with asyncio.timeout(PATIENCE_S):
        while await mqtt.send("M01", GO) is Sending.SENT:
            pass  # the connection's end was not noticed yet
    assert not mqtt.channel.reaches("M01")
    await mqtt.start()
    await machine.say(result(1))
    assert await heard(mqtt.handler) == ("M01", 1)
    assert mqtt.channel.reaches("M01")
    await mqtt.send("M01", {"type": "QUERY"})
    assert (await soon(machine.received.get()))["type"] == "QUERY"


async def test_topics_of_no_machine_are_ignored(mqtt: MqttRig) -> None:
    writer = await boss(mqtt)
    body = b'{"type": "HEALTH"}'
    topics = (
        "devices/M01/status/a/b",
        "devices/M01/status/UP!",
        "devices/M01/status/dance",
        "devices/M$/status/dispense",
    )
    for topic in topics:
        await writer.publish(topic, body)
    machine = await mqtt.machine("M01")
    await machine.say(result(1))
    assert await heard(mqtt.handler) == ("M01", 1)
    await counted(lambda: mqtt.mqtt.ignored, len(topics))


async def test_what_somebody_retained_is_ignored(broker: Broker) -> None:
    rig = MqttRig(broker)
    await broker.start()
    writer = await boss(rig)
    await writer.publish("devices/M02/status/health", b"{}", retain=True)
    running = asyncio.create_task(rig.edge.run())
    try:
        await soon(rig.mqtt.standing.wait())
        machine = await rig.machine("M01")
        await machine.beat()
        assert await soon(rig.handler.batches.get()) == ["M01"]
        await counted(lambda: rig.mqtt.ignored, 1)
    finally:
        running.cancel()
        for each in rig.machines:
            await each.close()
        await broker.stop()


async def test_logs_and_bytes_of_no_json_end_no_loop(mqtt: MqttRig) -> None:
    machine = await mqtt.machine("M01")
    assert isinstance(machine, MqttMachine)
    for body in (b"", b"\xff\xfe", b"{", b"[" * 8_000, b'{"type": "RESULT"', b"\x00" * 100_000):
        await machine.say(body)
        await machine.publish("devices/M01/logs", body)
        await machine.publish("devices/M01/status/health", body)
    await machine.say(result(1))
    assert await heard(mqtt.handler) == ("M01", 1)
    await counted(lambda: mqtt.edge.counts["mqtt unreadable"], 3 * 6)


async def test_another_machine_s_topic_is_never_heard(mqtt: MqttRig) -> None:
    machine = await mqtt.machine("M02")
    assert isinstance(machine, MqttMachine)
    await machine.publish("devices/M01/status/dispense", b'{"type": "HEALTH"}')
    await machine.say(result(1))
    assert await heard(mqtt.handler) == ("M02", 1)
    assert mqtt.edge.counts["mqtt HEALTH"] == 0


@pytest.mark.parametrize("url", ["http://127.0.0.1", "mqtt://", "127.0.0.1:1883", ""])
async def test_an_address_that_is_none_is_said_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="mqtt://"):
        Mqtt(MqttOptions(url=url), SystemClock())


async def test_a_wrong_login_of_the_server_is_retried(broker: Broker) -> None:
    await broker.start()
    options = MqttOptions(url=f"mqtt://coinslot:wrong@127.0.0.1:{broker.port}", first_retry_s=0.01)
    channel = Mqtt(options, SystemClock())
    rig = MqttRig(broker)
    running = asyncio.create_task(channel.run(rig.inbox()))
    try:
        done, _ = await asyncio.wait({running}, timeout=0.5)
        assert not done
        assert not channel.standing.is_set()
        assert await channel.send("M01", GO) is Sending.UNREACHABLE
    finally:
        running.cancel()
        await broker.stop()


def test_a_leased_machine_with_a_sensor_is_of_the_best_class() -> None:
    assert guarantee(Mqtt.powers["leased"]) is Guarantee.G3


class AnsweringBroker:
    """A client of a broker whose answer comes when the test says so."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def publish(self, *_: object, **__: object) -> None:
        self.asked.set()
        await asyncio.wait_for(self.answer, PATIENCE_S)  # as the library waits


async def test_a_stop_at_the_moment_of_the_brokers_answer_is_still_a_stop() -> None:
    """Python 3.11 forgets it; a process that was told to end then never did."""
    mqtt, broker = Mqtt(MqttOptions(url="mqtt://127.0.0.1:1"), SystemClock()), AnsweringBroker()
    mqtt._client = broker  # type: ignore[assignment]
    sending = asyncio.create_task(mqtt.send("M01", GO))
    await soon(broker.asked.wait())
    broker.answer.set_result(None)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_no_message_is_kept_back_until_the_one_before_is_acknowledged(
    broker: Broker,
) -> None:
    """An OFFER of QoS 0 behind a GO would wait up to 40 ms for the other side's kernel."""
    await broker.start()
    try:
        options = MqttOptions(url=broker.url)
        async with connection(options, Place("127.0.0.1", broker.port)) as client:
            line = client._client.socket()
            assert isinstance(line, socket.socket)
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    finally:
        await broker.stop()
