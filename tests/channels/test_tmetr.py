"""Tmetr's client: what an answer, an error or silence proves of a cup; and the old binary frame."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec.structs import replace

from coinslot.channels.tmetr import (
    CodeError,
    Drink,
    Heartbeat,
    Make,
    NoPrice,
    Refused,
    Settings,
    Silent,
    Size,
    Taken,
    Tmetr,
    Unclear,
    connect,
    frame,
    parse,
    read_code,
)
from coinslot.channels.tmetr.parse import Reply
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.canned import Asked, Canned, serving
from tests.sandbox.running import SandboxProcess

SETTINGS = Settings(host="http://127.0.0.1:9", token=Secret("jwt"), connect_s=2.0, read_s=0.5)
WANTED = Make(
    device="d1", order="20250317110122659ba6d7-9ace-cndn", drink=f"{0xA3:032x}", size=Size.BIG,
    price=Money(21_000, "RUB"),
)  # fmt: skip


@asynccontextmanager
async def told(*answers: Canned, **more: Any) -> AsyncIterator[tuple[Tmetr, list[Asked]]]:
    """A client whose service gives these answers."""
    async with serving(*answers) as (url, asked):
        settings = replace(SETTINGS, host=url, **more)
        async with connect(settings) as http:
            yield Tmetr(settings, http), asked


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("tmetr")
    section = {
        "accounts": [{"account_id": "a", "token": "jwt"}],
        "devices": [{"device_id": "d1", "account_id": "a"}],
    }
    with SandboxProcess(folder / "s", folder / "m", tmetr=section) as sandbox:
        yield sandbox


@pytest.fixture
async def tmetr(sandbox: SandboxProcess) -> AsyncIterator[Tmetr]:
    """A client of the emulated service, whose machine is well."""
    well = {"offline": False, "silent_s": 0, "price": None, "make": None, "slow_ms": 0}
    sandbox.ask("POST", "/tmetr/devices/d1/fault", well)
    settings = replace(SETTINGS, host=f"{sandbox.base_url}/tmetr/")
    async with connect(settings) as http:
        yield Tmetr(settings, http)


def brewed(sandbox: SandboxProcess, order: str) -> int:
    cups = sandbox.ask("GET", "/books")["tmetr"]["cups"]
    return sum(cup["order_id"] == order for cup in cups)


async def test_a_drink_is_priced_looked_after_and_made(
    tmetr: Tmetr, sandbox: SandboxProcess
) -> None:
    assert await tmetr.drink("d1", WANTED.drink, Size.BIG) == Drink("Капучино", WANTED.price)
    beat = await tmetr.last_heartbeat("d1")
    assert isinstance(beat, Heartbeat)
    assert await tmetr.make(WANTED) == Taken()
    assert brewed(sandbox, WANTED.order) == 1


async def test_a_machine_that_the_service_does_not_know_makes_nothing(tmetr: Tmetr) -> None:
    assert await tmetr.last_heartbeat("nobody") == Silent()
    for answer in (
        await tmetr.make(replace(WANTED, device="nobody")),
        await tmetr.drink("nobody", WANTED.drink, Size.BIG),
    ):
        assert isinstance(answer, Refused)
        assert (answer.status, answer.alarm) == (404, False)


@pytest.mark.parametrize("fault", ["zero", "absent"])
async def test_a_drink_without_a_price_has_no_default(
    tmetr: Tmetr, sandbox: SandboxProcess, fault: str
) -> None:
    sandbox.ask("POST", "/tmetr/devices/d1/fault", {"price": fault})
    assert await tmetr.drink("d1", WANTED.drink, Size.BIG) == NoPrice()


@pytest.mark.parametrize(
    ("fault", "cups"),
    [({"make": "refused_500"}, 0), ({"make": "brewed_500"}, 1), ({"make": "brewed_cut"}, 1),
     ({"make": "not_json"}, 1), ({"slow_ms": 3_000}, 1)],
)  # fmt: skip
async def test_trouble_around_make_leaves_it_in_doubt_whether_or_not_there_is_a_cup(
    tmetr: Tmetr, sandbox: SandboxProcess, fault: dict[str, Any], cups: int
) -> None:
    order = f"in-doubt-{fault}"
    sandbox.ask("POST", "/tmetr/devices/d1/fault", fault)
    assert isinstance(await tmetr.make(replace(WANTED, order=order)), Unclear)
    assert brewed(sandbox, order) == cups


async def test_a_service_that_is_not_reached_made_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = replace(SETTINGS, host=f"http://127.0.0.1:{port}")
    async with connect(settings) as http:
        answer = await Tmetr(settings, http).make(WANTED)
    assert isinstance(answer, Refused)
    assert answer.status is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429])
async def test_what_was_refused_made_nothing(status: int) -> None:
    async with told(Canned(status, {"message": "no\n such  token"})) as (tmetr, _):
        answer = await tmetr.make(WANTED)
    assert answer == Refused(f"HTTP {status} no such token", status, alarm=status in (401, 403))


@pytest.mark.parametrize(
    "said",
    [Canned(500), Canned(502, b"<html>"), Canned(503), Canned(302, b""), Canned(408),
     Canned(409, {"message": "duplicate"}), Canned(200, b"<html>sign in</html>"), Canned(200, b""),
     Canned(200, b"[" * 100_000), Canned(200, b"\xff"), Canned(0),
     Canned(200, b"[]" + b" " * 40, delay_s=0.1)],
)  # fmt: skip
async def test_whatever_proves_nothing_leaves_make_in_doubt(said: Canned) -> None:
    async with told(said) as (tmetr, _):
        assert isinstance(await tmetr.make(WANTED), Unclear)


async def test_make_is_sent_once_whatever_comes_back() -> None:
    for said in (Canned(500), Canned(429), Canned(302, b"", header="Location: /again"), Canned(0)):
        async with told(said) as (tmetr, asked):
            await tmetr.make(WANTED)
        assert len(asked) == 1


async def test_a_command_has_the_form_of_the_public_client() -> None:
    async with told(Canned(200, {})) as (tmetr, asked):
        assert await tmetr.make(WANTED) == Taken()
        await tmetr.drink("d1", "tea", Size.MEDIUM)
        await tmetr.last_heartbeat("d1")
    assert [one.line.split()[1] for one in asked] == [
        "/api/commander/v1/command/make",
        "/api/ui/v1/static/drink",
        "/api/ui/v1/stat/heartbeat/recent",
    ]
    assert [json.loads(one.body) for one in asked] == [
        [
            {
                "deviceId": "d1",
                "orderUuid": "20250317110122659ba6d7-9ace-cndn",
                "drinkUuid": "000000000000000000000000000000a3",
                "size": "big",
                "price": 21_000,
            }
        ],
        {"deviceId": "d1", "drinkIdAtDevice": "tea", "drinkSize": "MEDIUM"},
        {"deviceIds": ["d1"], "offset": 0, "limit": 1},
    ]
    for one in asked:
        assert one.headers["authorization"] == "Bearer jwt"
        assert one.headers["content-type"] == "application/json"
        assert (one.headers["timezoneoffset"], one.headers["x-timezoneoffset"]) == ("3", "3")


async def test_everything_on_the_wire_is_a_setting() -> None:
    more: dict[str, Any] = {
        "make_path": "/v2/make", "zone_headers": ("Zone",), "zone_hours": -2,
        "made_sizes": ("s", "m", "l"), "price_unit": "roubles",
    }  # fmt: skip
    async with told(Canned(200, {}), **more) as (tmetr, asked):
        await tmetr.make(WANTED)
    assert asked[0].line.startswith("POST /v2/make ")
    assert asked[0].headers["zone"] == "-2"
    (said,) = json.loads(asked[0].body)
    assert (said["size"], said["price"]) == ("l", 210)


@pytest.mark.parametrize(
    ("unit", "price"),
    [("roubles", Money(21_050, "RUB")), ("kopecks", Money(0, "RUB")),
     ("kopecks", Money(-1, "RUB")), ("kopecks", Money(21_000, "INR"))],
)  # fmt: skip
async def test_a_price_that_cannot_be_said_sends_no_command(unit: Any, price: Money) -> None:
    async with told(Canned(200, {}), price_unit=unit) as (tmetr, asked):
        assert isinstance(await tmetr.make(replace(WANTED, price=price)), Refused)
    assert asked == []


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"price": 1}, Drink("", Money(1, "RUB"))),
        ({"price": 1, "name": 7}, Drink("", Money(1, "RUB"))),
        ({"price": 0}, NoPrice()),
        ({"price": -5}, NoPrice()),
        ({"price": None}, NoPrice()),
        ({"name": "Чай"}, NoPrice()),
    ],
)
async def test_a_price_is_a_positive_number_of_kopecks(said: Any, expected: Any) -> None:
    async with told(Canned(200, said)) as (tmetr, _):
        assert await tmetr.drink("d1", "tea", Size.SMALL) == expected


@pytest.mark.parametrize(
    "said",
    [{"price": "150"}, {"price": 150.0}, {"price": True}, {"price": [1]}, {"price": 10**30},
     b'{"price": 1e3}', [], "150", b"", b"<html>"],
)  # fmt: skip
async def test_a_price_that_is_no_whole_number_sells_nothing(said: Any) -> None:
    async with told(Canned(200, said)) as (tmetr, _):
        assert isinstance(await tmetr.drink("d1", "tea", Size.SMALL), Unclear)


def beats(*pairs: tuple[str, Any]) -> Canned:
    content = [{"deviceId": device, "heartbeatCreatedAt": at} for device, at in pairs]
    return Canned(200, {"content": content, "totalElements": len(content)})


async def test_the_newest_heartbeat_of_this_machine_counts() -> None:
    said = beats(("d2", 1_900_000_000), ("d1", 1_700_000_000), ("d1", 1_800_000_000))
    async with told(said, heartbeat_ahead_s=10_800) as (tmetr, _):
        answer = await tmetr.last_heartbeat("d1")
        assert await tmetr.last_heartbeat("d3") == Silent()
    there = datetime.fromtimestamp(1_800_000_000, UTC)
    assert answer == Heartbeat(there - timedelta(hours=3))


@pytest.mark.parametrize("at", ["1700000000", 1.5, None, 0, -1, 1_700_000_000_000, 10**30, True])
async def test_a_heartbeat_at_no_time_is_not_believed(at: Any) -> None:
    async with told(beats(("d1", at))) as (tmetr, _):
        assert isinstance(await tmetr.last_heartbeat("d1"), Unclear)


@given(status=st.integers(100, 999), body=st.binary(max_size=30))
def test_no_answer_makes_the_client_raise(status: int, body: bytes) -> None:
    reply = Reply(status, body)
    parse.drink(SETTINGS, reply)
    parse.heartbeat(SETTINGS, "d1", reply)
    if isinstance(parse.made(reply), Refused):
        assert status in parse.REFUSALS


def test_the_old_frame_is_the_published_one() -> None:
    wanted = Make(
        device="d", order="ord-1", drink="d1", size=Size.MEDIUM, price=Money(15_000, "RUB")
    )
    assert frame.make(SETTINGS, wanted).hex() == (
        "aa5501004260227b226f7264657255756964223a226f72642d31222c226472696e6b4e6f223a226431222c2274"
        "657874466c6167223a2231222c227072696365223a31353030307d8866"
    )


def test_every_changed_bit_of_a_body_changes_its_check() -> None:
    body = b'"{"orderUuid":"ord-1"}'
    for bit in range(len(body) * 8):
        spoiled = bytearray(body)
        spoiled[bit // 8] ^= 1 << bit % 8
        assert frame.crc8(bytes(spoiled)) != frame.crc8(body)


def test_a_frame_says_how_long_its_body_is() -> None:
    assert frame.frame(b"x" * 0x1234)[3:5] == b"\x12\x34"
    with pytest.raises(ValueError, match="does not fit"):
        frame.frame(b"x" * 0x10000)


CODE = {
    "deviceUuid": "d1", "drinkNo": "a3", "size": "1", "random": "abcdef", "ts": "1742206882",
    "salt": "00", "drinkName": "Бесплатно", "uuid": "20250317110122659ba6d7-9ace-cndn",
    "price": "1",
}  # fmt: skip


def test_the_code_on_the_screen_names_everything_but_the_price(sandbox: SandboxProcess) -> None:
    code = read_code(CODE)
    assert (code.device, code.drink, code.size) == ("d1", "a3", Size.MEDIUM)
    assert code.order == CODE["uuid"]
    assert code.made_at == datetime(2025, 3, 17, 10, 21, 22, tzinfo=UTC)
    assert not hasattr(code, "price")
    shown = sandbox.ask("POST", "/tmetr/screen", {"device": "d1", "drink": "Латте", "size": 2})
    read = read_code(dict(parse_qsl(urlsplit(shown["url"]).query)))
    assert (read.order, read.device, read.size) == (shown["order_id"], "d1", Size.BIG)


@pytest.mark.parametrize(
    "wrong",
    [{"size": "3"}, {"size": "٢"}, {"size": "-1"}, {"size": ""}, {"ts": "soon"}, {"ts": "-5"},
     {"ts": "9" * 40}, {"uuid": ""}, {"uuid": "x" * 256}, {"uuid": "a\x00b"}, {"drinkNo": "a\nb"},
     {"deviceUuid": "\ud800"}],
)  # fmt: skip
def test_no_other_link_is_taken_for_a_code(wrong: dict[str, str]) -> None:
    with pytest.raises(CodeError):
        read_code(CODE | wrong)
    with pytest.raises(CodeError):
        read_code({name: value for name, value in CODE.items() if name not in wrong})
