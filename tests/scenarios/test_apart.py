"""Web, two device processes and two workers, each alone, on one PostgreSQL and one broker of an
operator's: what is paid comes out once, and the death of some does not stop the others."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import quote

import aiomqtt
import msgspec
import pytest
import pytest_asyncio

from coinslot.app.demo_world import MERCHANTS
from coinslot.channels.addresses import places
from coinslot.channels.mqtt import MqttOptions, connection
from coinslot.db.embedded import EmbeddedPostgres
from coinslot.pages.site import WEBHOOK_MAX_BYTES
from tests.channels.brokers import Mosquitto as InstalledMosquitto
from tests.channels.machines import RefusedError, SocketIoMachine
from tests.scenarios.external import Mosquitto, Nats
from tests.scenarios.installation import Installation, eventually
from tests.scenarios.strangers import (
    GARBAGE,
    NESTED,
    PACKETS,
    Postman,
    die_with_will,
    signed,
)
from tests.storms.part import Part

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROCESSES = ("web", "device-1", "device-2", "worker-1", "worker-2")
# Two behind the broker; the one by Socket.IO hangs on the device process that is not killed.
MACHINES = {"M01": "", "M02": "", "M03": "device-2"}
VEND_S = 60
STATE = (
    "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM orders),"
    " (SELECT count(*) FROM ledger), (SELECT count(*) FROM events), (SELECT count(*) FROM strays)"
)
needs_mosquitto = pytest.mark.skipif(
    not InstalledMosquitto.installed(), reason="mosquitto is not installed"
)


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[
        pytest.param(Nats, id="nats"),
        pytest.param(Mosquitto, id="mosquitto", marks=needs_mosquitto),
    ],
)
async def apart(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    folder = tmp_path_factory.mktemp("apart")
    server = EmbeddedPostgres(folder / "server", durable=False)
    await server.start()
    running = Installation(folder / "home", request.param(folder / "broker"), server)
    try:
        await running.open()
        await asyncio.gather(*(running.start(name) for name in PROCESSES))
        await running.power_on(MACHINES)
        yield running
    finally:
        await running.close()
        await server.stop()


async def test_a_machine_cannot_speak_for_another(apart: Installation) -> None:
    apart.sandbox.fault("M02", offline=True)
    await eventually(lambda: not apart.simulator.state("M02")["connected"], 10)
    reference = apart.scan("M02")
    await eventually(lambda: _unit(apart, reference), VEND_S)
    unit = await _unit(apart, reference)
    lies = [
        {"type": "REJECT", "unit_id": unit, "seq": 1, "code": "SOLD_OUT"},
        {"type": "RESULT", "unit_id": unit, "outcome": "VENDED", "event_seq": 1},
    ]
    async with _to(apart.broker.url) as ours, _as(apart, "M01") as liar:
        await ours.subscribe([("devices/+/status/#", 1)])
        for lie in lies:
            await liar.publish("devices/M02/status/dispense", msgspec.json.encode(lie), qos=1)
            login = ("M01", apart.world.known.devices["M01"])
            topic = "devices/M02/status/dispense"
            await die_with_will(apart.broker.port, login, topic, msgspec.json.encode(lie))
        await liar.publish("devices/M01/status/inventory", b"the end", qos=1)
        async for message in ours.messages:
            assert not message.topic.matches("devices/M02/status/dispense")
            if message.topic.matches("devices/M01/status/inventory"):
                break
    found = await apart.rows("SELECT settlement FROM fulfillments WHERE id = $1", unit)
    assert found[0]["settlement"] is None
    apart.sandbox.fault("M02", offline=False)
    await eventually(lambda: apart.simulator.drops("M02"), VEND_S)
    assert [drop["unit_id"] for drop in apart.simulator.drops("M02")] == [str(unit)]
    await eventually(lambda: _is(apart, reference, "completed"), VEND_S)


async def test_a_webhook_that_is_not_the_gateways_is_refused_kept_and_touches_nothing(
    apart: Installation,
) -> None:
    postman = Postman(apart.http, apart.web_url)
    secrets = {slug: apart.world.account(slug)["webhook_secret"] for slug in MERCHANTS}
    body = b'{"entity":"event","event":"payment.captured","payload":{}}'
    await eventually(lambda: _all_is_over(apart), VEND_S)  # of the payments before
    before = await apart.rows(STATE)
    assert await postman.brings(body, None) == (401, "bad_signature")
    assert await postman.brings(body, "0" * 64) == (401, "bad_signature")
    assert await postman.brings(body, signed(secrets["chandra"], body)) == (401, "bad_signature")
    for unreadable in (b"", b"{", NESTED):
        signature = signed(secrets["asha"], unreadable)
        assert await postman.brings(unreadable, signature) == (200, "taken")
    long = b" " * (WEBHOOK_MAX_BYTES + 1)
    assert await postman.brings(long, signed(secrets["asha"], long)) == (413, "too_large")
    for path in ("razorpay/nobody", "nogateway/asha"):
        assert await postman.brings(body, None, path) == (404, "unknown_account")
    # What the installation found itself ("own") may lie before them, of a payment asked about.
    kept = await apart.rows(
        "SELECT verdict FROM inbox WHERE verdict NOT IN ('genuine', 'own') ORDER BY id"
    )
    assert [row["verdict"] for row in kept] == ["forged"] * 3 + ["unreadable"] * 3
    assert await apart.rows(STATE) == before


@pytest.mark.parametrize("login", [("M01", "a guess"), ("M99", "a guess"), ("", "")])
async def test_a_machine_without_the_right_secret_is_not_let_in_by_the_broker(
    apart: Installation, login: tuple[str, str]
) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with _connected(apart, *login):
            pass


async def test_a_machine_without_the_right_secret_is_refused_and_logged(
    apart: Installation,
) -> None:
    port, device = apart.ports["device-2"], apart.parts["device-2"]
    for outlet, secret in (("M03", "a guess"), ("M99", apart.world.known.devices["M03"])):
        with pytest.raises(RefusedError):
            await SocketIoMachine(port, outlet, secret).connect()
        refused = {"event": "machine_refused", "outlet": outlet}
        assert any(refused.items() <= line.items() for line in _lines(device))
    assert "a guess" not in device.said()


async def test_a_machine_that_talks_garbage_is_logged_and_sells_all_the_same(
    apart: Installation,
) -> None:
    async with _as(apart, "M01") as machine:
        for topic in ("status/dispense", "status/health", "logs"):
            for body in GARBAGE:
                await machine.publish(f"devices/M01/{topic}", body, qos=1)
    apart.sandbox.fault("M03", offline=True)
    await eventually(lambda: not apart.simulator.state("M03")["connected"], VEND_S)
    for packet in PACKETS:
        broken = SocketIoMachine(apart.ports["device-2"], "M03", apart.world.known.devices["M03"])
        await broken.connect()
        await broken.raw(packet)
        assert await broken.understood()
        await broken.close()
    apart.sandbox.fault("M03", offline=False)
    for code in ("M01", "M03"):
        await eventually(partial(_logged, apart, code), VEND_S)
        reference = apart.scan(code)
        await eventually(partial(_is, apart, reference, "completed"), VEND_S)
    await apart.assert_books_are_right()


async def test_the_others_go_on_when_a_device_process_and_a_worker_are_killed(
    apart: Installation,
) -> None:
    before = {code: len(apart.simulator.drops(code)) for code in MACHINES}
    wanted = {"M01": 6, "M02": 2, "M03": 2}
    paid = await asyncio.gather(
        *(asyncio.to_thread(apart.scan, code) for code, n in wanted.items() for _ in range(n))
    )

    def fallen() -> Counter[str]:
        return Counter({c: len(apart.simulator.drops(c)) - before[c] for c in MACHINES})

    await eventually(lambda: fallen().total() > 0, VEND_S)
    apart.parts["device-1"].kill()
    apart.parts["worker-1"].kill()
    assert fallen().total() < sum(wanted.values())  # they died in the middle
    for reference in paid:
        await eventually(partial(_is, apart, reference, "completed"), VEND_S)
    assert fallen() == Counter(wanted)
    for code in MACHINES:
        units = [drop["unit_id"] for drop in apart.simulator.drops(code)]
        assert len(units) == len(set(units))
    assert {apart.sandbox.payment(reference)["refunded"] for reference in paid} == {0}
    await apart.assert_books_are_right()


async def test_the_surviving_worker_gives_money_back(apart: Installation) -> None:
    for name in ("device-1", "worker-1"):
        assert not apart.parts[name].runs
    apart.sandbox.fault("M01", jam=True)
    reference = apart.scan("M01")
    await eventually(lambda: apart.sandbox.payment(reference)["refunded"] == 4000, VEND_S)
    apart.sandbox.fault("M01", jam=False)
    await apart.assert_books_are_right()


async def test_every_process_ends_in_order(apart: Installation) -> None:
    survivors = [part for part in apart.parts.values() if part.runs]
    assert len(survivors) == len(PROCESSES) - 2
    for part in survivors:
        await part.stop()
        assert "Traceback" not in part.said()
        assert '"level": "error"' not in part.said()


def _as(apart: Installation, code: str) -> aiomqtt.Client:
    return _connected(apart, code, apart.world.known.devices[code])


def _connected(apart: Installation, login: str, secret: str) -> aiomqtt.Client:
    place = f"127.0.0.1:{apart.broker.port}"
    return _to(f"mqtt://{login}:{quote(secret)}@{place}")


def _to(url: str) -> aiomqtt.Client:
    return connection(MqttOptions(url=url), places(url)[0])


def _logged(apart: Installation, code: str) -> bool:
    """Whether a device process said that this machine talks garbage."""
    lines = [line for name in ("device-1", "device-2") for line in _lines(apart.parts[name])]
    said = {"event": "machine_message_unreadable", "outlet": code}
    return any(said.items() <= line.items() for line in lines)


def _lines(part: Part) -> list[dict[str, Any]]:
    """What it logged; a line may be half written."""
    whole = [line for line in part.said().split("\n")[:-1] if line.startswith("{")]
    return [msgspec.json.decode(line, type=dict[str, Any]) for line in whole]


async def _unit(apart: Installation, reference: str) -> str | None:
    found = await apart.rows(
        "SELECT f.id FROM fulfillments f JOIN captures c ON c.id = f.capture_id"
        " WHERE c.gateway_payment_id = $1",
        reference,
    )
    return str(found[0]["id"]) if found else None


async def _is(apart: Installation, reference: str, state: str) -> bool:
    return await apart.order(reference) == state


async def _all_is_over(apart: Installation) -> bool:
    """Told and settled: nothing is written any more by itself."""
    busy = "SELECT 1 FROM fulfillments WHERE settlement IS NULL OR state IN ('started', 'going')"
    return _all_is_told(apart) and not await apart.rows(busy)


def _all_is_told(apart: Installation) -> bool:
    told = apart.sandbox.ask("GET", "/razorpay/deliveries?limit=10000")
    return all(delivery["state"] != "pending" for delivery in told)
