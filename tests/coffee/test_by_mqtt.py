"""A paid cup whose command goes by MQTT over TLS: a real Mosquitto with an authority of its own, a
client's certificate or a password, and a machine that listens there and brews what it is told."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from coinslot.app.kinds import KINDS
from coinslot.channels.tmetr import Broker, Settings, frame
from coinslot.coffee.fulfillment import Coffee
from coinslot.coffee.vendors import OpenVendors
from coinslot.db.pool import Database
from coinslot.kit.clock import SystemClock
from coinslot.kit.secrets import Secret
from coinslot.orders.fulfillment import registered
from tests.channels.brokers import Mosquitto
from tests.coffee.authority import Authority
from tests.coffee.stage import PRICE, Cafe, add_coffee, set_cafe
from tests.coffee.test_over_sockets import Foyer
from tests.conftest import DatabaseUrls
from tests.kept_database import KeptDatabase
from tests.ports import free_port
from tests.sales.conftest import close_the_books
from tests.sandbox.running import SandboxProcess

pytestmark = pytest.mark.skipif(not Mosquitto.installed(), reason="no mosquitto here")
SLOW_S = 0.7  # how late the broker's answers are on a bad line


class TlsMosquitto(Mosquitto):
    """Lets in who has a certificate of its authority, or a password."""

    def __init__(self, folder: Path, authority: Authority, *, certificates: bool) -> None:
        super().__init__(folder)
        self.authority, self.certificates = authority, certificates

    def command(self) -> list[str]:
        command = list(super().command())
        config = self.folder / "mosquitto.conf"
        own = self.authority.issued("127.0.0.1")
        more = [f"cafile {self.authority.file}", f"certfile {own.file}", f"keyfile {own.key}"]
        if self.certificates:
            more += ["require_certificate true", "use_identity_as_username true"]
        config.write_text(config.read_text() + "\n".join(more) + "\n", encoding="ascii")
        return command


@dataclass
class Machine:
    """Listens on its topic, and brews each command that it is told; a second one, too."""

    brewed: list[str] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def listening(self, broker: TlsMosquitto, device: str) -> AsyncIterator[None]:
        trusted = ssl.create_default_context(cafile=broker.authority.file)
        own = broker.authority.issued("M01")
        trusted.load_cert_chain(own.file, own.key)
        login: dict[str, Any] = {"username": "M01", "password": broker.logins["M01"]}
        client = aiomqtt.Client(
            "127.0.0.1", broker.port, tls_context=trusted, **({} if broker.certificates else login)
        )
        async with client:
            await client.subscribe(f"devices/M01/commands/{device}", qos=1)
            reading = asyncio.create_task(self._read(client))
            try:
                yield
            finally:
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading

    async def _read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload
            assert isinstance(payload, bytes)
            body = payload[6:-2]
            assert payload == frame.frame(body), "head, length, CRC-8 and tail are right"
            assert body[0] == 0x22
            self.frames.append(payload)
            self.brewed.append(json.loads(body[1:])["orderUuid"])
            self.told.set()


@dataclass
class Line:
    """A line between a client and the broker: what the broker says arrives late, and the line can
    be cut."""

    broker: TlsMosquitto
    port: int = field(default_factory=free_port)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Line"]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def _connected(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, on = await asyncio.open_connection("127.0.0.1", self.broker.port)
        self.writers += [back, on]
        self.begun.set()
        await asyncio.gather(carried(here, on, 0), carried(there, back, SLOW_S))


async def carried(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, late_s: float
) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            await asyncio.sleep(late_s)
            writer.write(data)
            await writer.drain()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(params=["certificate", "password"])
async def broker(
    request: pytest.FixtureRequest, tmp_path: Path, authority: Authority
) -> AsyncIterator[TlsMosquitto]:
    made = TlsMosquitto(tmp_path, authority, certificates=request.param == "certificate")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def cafe(
    database: Database, urls: DatabaseUrls, kept_database: KeptDatabase
) -> AsyncIterator[Cafe]:
    made = await set_cafe(database)
    stage = made.stage
    await stage.lent_by(kept_database, urls.owner)
    stage.clock.advance(SystemClock().now() - stage.clock.now())
    yield made
    await close_the_books(stage)


@pytest.fixture
def foyer(sandbox: SandboxProcess) -> Foyer:
    return Foyer(sandbox)


async def commanded_at(cafe: Cafe, foyer: Foyer, broker: TlsMosquitto, **more: Any) -> None:
    """K01's commands go to this broker from now on."""
    own = broker.authority.issued("coinslot")
    by_certificate = {"certificate_file": str(own.file), "key_file": str(own.key)}
    by_password = {"login": "coinslot", "password": Secret("of-the-server")}
    known: dict[str, Any] = {
        "host": "127.0.0.1", "port": broker.port, "topic": "devices/M01/commands/{device}",
        "ca_file": str(broker.authority.file),
    } | (by_certificate if broker.certificates else by_password)  # fmt: skip
    settings = Settings(
        host=f"{foyer.sandbox.base_url}/tmetr", token=Secret(foyer.token),
        mqtt=Broker(**(known | more)),
    )  # fmt: skip
    await add_coffee(cafe.stage, settings, device=foyer.device, again=True)
    cafe.vendors = OpenVendors()
    others = [kind for name, kind in KINDS.items() if name != "coffee"]
    cafe.stage.context.kinds = registered(*others, Coffee(cafe.vendors))


async def ends(cafe: Cafe, token: str) -> tuple[Any, ...]:
    for _ in range(15):
        cafe.stage.later(60)
        await cafe.stage.sweep()
    return await cafe.ends(token)


async def test_a_paid_cup_is_commanded_by_mqtt_over_tls_once_and_handed_over(
    cafe: Cafe, foyer: Foyer, broker: TlsMosquitto
) -> None:
    await commanded_at(cafe, foyer, broker)
    machine = Machine()
    async with machine.listening(broker, foyer.device):
        code = foyer.choose()
        token = await cafe.sell(code=code)
        assert (await cafe.ends(token))[0] == "in_grace"
        await asyncio.wait_for(machine.told.wait(), 5)
        assert await ends(cafe, token) == ("made", "fulfilled", "command_taken")
    assert machine.brewed == [code.order]
    said = json.loads(machine.frames[0][7:-2])
    assert (said["drinkNo"], said["textFlag"], said["price"]) == (code.drink, "1", PRICE)
    assert foyer.makes == [], "and none over HTTP beside it"
    assert cafe.stage.refunded() == 0


@pytest.mark.parametrize("broker", ["certificate"], indirect=True)
async def test_a_line_that_breaks_after_the_command_leaves_doubt_and_no_second_cup(
    cafe: Cafe, foyer: Foyer, broker: TlsMosquitto
) -> None:
    """The machine brews, and the broker's acknowledgement never arrives."""
    machine = Machine()
    async with machine.listening(broker, foyer.device), Line(broker).open() as line:
        await commanded_at(cafe, foyer, broker, port=line.port, answer_s=5)
        code = foyer.choose()
        token = await cafe.paid(code=code)
        sold = asyncio.create_task(cafe.stage.sweep("fulfillments"))
        await asyncio.wait_for(machine.told.wait(), 15)
        line.cut()
        await sold
        assert await cafe.ends(token) == ("in_doubt", None, None)
        await commanded_at(cafe, foyer, broker)  # the line is whole again
        assert await ends(cafe, token) == ("not_made", "refund_due", "policy")
    assert machine.brewed == [code.order]
    assert cafe.stage.refunded() == PRICE


@pytest.mark.parametrize("broker", ["certificate"], indirect=True)
async def test_a_line_that_breaks_before_the_command_proves_that_nothing_was_made(
    cafe: Cafe, foyer: Foyer, broker: TlsMosquitto
) -> None:
    machine = Machine()
    async with machine.listening(broker, foyer.device), Line(broker).open() as line:
        await commanded_at(cafe, foyer, broker, port=line.port, answer_s=5)
        token = await cafe.paid(code=foyer.choose())
        sold = asyncio.create_task(cafe.stage.sweep("fulfillments"))
        await line.begun.wait()
        line.cut()  # in the middle of the handshake
        await sold
    assert await ends(cafe, token) == ("not_made", "refund_due", "refused")
    assert (machine.brewed, cafe.stage.refunded()) == ([], PRICE)


@pytest.mark.parametrize("broker", ["certificate"], indirect=True)
async def test_a_broker_that_is_away_takes_no_command_and_the_money_goes_back(
    cafe: Cafe, foyer: Foyer, broker: TlsMosquitto
) -> None:
    await commanded_at(cafe, foyer, broker)
    token = await cafe.paid(code=foyer.choose())
    await broker.stop()
    await cafe.stage.sweep()
    assert await cafe.ends(token) == ("not_made", "refund_due", "refused")
    assert cafe.stage.refunded() == PRICE


@pytest.mark.parametrize("wrong", ["authority", "client"])
async def test_a_stranger_at_either_end_is_told_nothing(
    cafe: Cafe, foyer: Foyer, broker: TlsMosquitto, tmp_path: Path, wrong: str
) -> None:
    """A broker whose certificate our authority did not sign learns no order; a client without ours
    is not let in."""
    stranger = Authority(tmp_path / "stranger")
    own = stranger.issued("coinslot")
    more: dict[str, Any] = {"ca_file": str(stranger.file)}
    if wrong == "client":
        more = (
            {"certificate_file": str(own.file), "key_file": str(own.key)}
            if broker.certificates
            else {"password": Secret("guessed")}
        )
    await commanded_at(cafe, foyer, broker, answer_s=2, **more)
    machine = Machine()
    async with machine.listening(broker, foyer.device):
        token = await cafe.paid(code=foyer.choose())
        await cafe.stage.sweep("fulfillments")
        state, *_ = await cafe.ends(token)
        assert machine.brewed == []
        # With TLS 1.3 a client learns after its first words that its certificate was refused.
        assert state in ("not_made", "in_doubt")
        assert (await ends(cafe, token))[1] == "refund_due"
    assert (machine.brewed, cafe.stage.refunded()) == ([], PRICE)
