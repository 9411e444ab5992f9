"""What a device is told: its enrolment, and configurations that it applies whole and while idle."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from coinslot_fw.config import EnrolmentError, broker_of, checked
from coinslot_fw.food import Food
from coinslot_fw.setup import Setup, fields_of
from coinslot_fw.wire import picked

from tests.firmware.running import Bench, running
from tests.simulator.mini_server import Message

ENROLMENT = {
    "machine": "M01", "login": "M01", "secret": "s3cret", "key_id": "1", "dialect": "leased",
    "broker": "mqtt://127.0.0.1:1883",
}  # fmt: skip


def update(version: int, **content: Any) -> Message:
    text = json.dumps({"slots": [{"slot": "A1", "price_version": 99}], **content})
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"type": "CONFIG", "version": version, "sha256": digest, "config": text}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    async with running(tmp_path_factory.mktemp("config")) as made:
        await made.server.expect("HELLO", config_version=0)
        yield made


@pytest.mark.asyncio(loop_scope="module")
async def test_a_configuration_is_applied_whole_newer_and_with_no_unit_open(bench: Bench) -> None:
    server = bench.server
    damaged = update(7, price_version=7, planogram_version=7) | {"sha256": "0" * 64}
    await bench.say("config/update", damaged)
    bench.fault(slow=True)
    unit_id = await server.vend()
    await server.expect("STARTED", unit_id=unit_id)
    await bench.say("config/update", update(5, price_version=4, planogram_version=1))
    bench.fault()
    result = await server.expect("RESULT", unit_id=unit_id, outcome="VENDED")
    hello = await server.expect("HELLO", config_version=5)
    assert server.heard.index(hello) > server.heard.index(result)  # rule 7
    await bench.say("config/update", update(4, price_version=1, planogram_version=1))
    unit_id, _ = await server.offer()  # under price version 1
    assert (await server.expect("REJECT", unit_id=unit_id))["code"] == "PRICE_VERSION"
    await bench.board.cut()
    again = await server.rebooted(hello)
    assert again["config_version"] == 5
    assert server.all("HELLO", config_version=7) == []
    assert server.all("HELLO", config_version=4) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": ""}, {"machine": None}, {"dialect": "simple"}, {"broker": "http://x"},
        {"broker": "mqtts://broker:8883"}, {"firmware_key": "abc"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_enrolment_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(EnrolmentError):
        checked(ENROLMENT | changes)


def test_an_enrolment_names_its_broker_with_the_port_that_is_usual() -> None:
    assert broker_of({"broker": "mqtts://broker.example"}) == ("broker.example", 8883, True)
    assert broker_of({"broker": "mqtt://10.0.0.1:1884"}) == ("10.0.0.1", 1884, False)


def test_the_setup_page_keeps_an_enrolment_with_the_wifi_and_nothing_else() -> None:
    kept: list[tuple[Any, str, str]] = []
    page = Setup(lambda *said: kept.append(said))
    assert "no enrolment" in page.taken("e=%7B%7D&s=home&p=x")
    assert kept == []
    assert not page.done.is_set()
    body = urlencode({"e": json.dumps(ENROLMENT), "s": "café", "p": "a&b +%"})
    assert "Saved" in page.taken(body)
    assert kept == [(ENROLMENT, "café", "a&b +%")]
    assert page.done.is_set()
    assert fields_of("")[""] == ""


def test_fields_are_picked_without_reading_the_rest() -> None:
    text = json.dumps({"a": 'x"}{,', "b": {"a": 1, "c": [1, {"b": 2}]}, "c": None, "d": "\\"})
    assert picked(text, {"b": None, "c": None}) == {"b": {"a": 1, "c": [1, {"b": 2}]}, "c": None}
    assert picked(text, {"a": None, "d": None}) == {"a": 'x"}{,', "d": "\\"}
    within = {"b": {"a": None}, "c": {"a": None}}
    assert picked(text, within) == {"b": {"a": 1}, "c": None}
    for broken in ("", "[]", "{", '{"a": "', '{"a": 1}}{'):
        with pytest.raises(ValueError):
            picked(broken, {"z": None})


def test_food_locks_after_a_quarter_of_an_hour_and_a_door_gives_it_time_to_cool() -> None:
    warm = Food({"limit_c": 5})
    assert [warm.due(9.0, False, minute * 60) for minute in (0, 14, 15)] == [False, False, True]
    opened = Food({})
    assert not opened.due(3.0, True, 0)
    assert [opened.due(9.0, False, minute * 60) for minute in (1, 29, 31)] == [False, False, True]
    silent = Food({})
    assert not silent.due(9.0, False, 0)
    assert silent.due(None, False, 16 * 60)  # a sensor that says nothing ends no warmth
    assert not Food(None).due(40.0, False, 10**6)
    wrong: list[Any] = ["on", True, {"limit_c": "five", "warm_s": None, "grace_s": []}]
    for unreadable in wrong:
        lock = Food(unreadable)
        assert [lock.due(9.0, False, minute * 60) for minute in (0, 14, 15)] == [
            False, False, True
        ]  # fmt: skip
