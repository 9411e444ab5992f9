"""The emulated Tmetr: its three calls, what goes wrong with a coffee machine, and its own book."""

import json
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sandbox.clock import now_s
from tests.sandbox.running import SandboxProcess, until

numbers = count(1)
DRINK = f"{0xA3:032x}"  # a cappuccino of the catalogue
PRICES = {"SMALL": 14_000, "MEDIUM": 17_500, "BIG": 21_000}
MAKE = "/tmetr/api/commander/v1/command/make"
PRICE = "/tmetr/api/ui/v1/static/drink"
HEARTBEAT = "/tmetr/api/ui/v1/stat/heartbeat/recent"


class Cafe:
    """One coffee machine of an account of its own, and its merchant's token."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        number = next(numbers)
        self.sandbox, self.device, self.token = sandbox, f"device-{number}", f"jwt-{number}"
        account = {"account_id": f"cafe-{number}", "token": self.token}
        sandbox.ask("POST", "/tmetr/accounts", account)
        device = {"device_id": self.device, "account_id": f"cafe-{number}", "name": "Foyer"}
        sandbox.ask("POST", "/tmetr/devices", device)

    def call(self, path: str, body: Any, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "TimeZoneOffset": "3"}
        return self.sandbox.http.post(path, json=body, headers=headers, **more)

    def command(self, order: str = "ord-1", **more: Any) -> dict[str, Any]:
        made = {"deviceId": self.device, "orderUuid": order, "drinkUuid": DRINK}
        return made | {"size": "medium", "price": 17_500} | more

    def make(self, order: str = "ord-1", **more: Any) -> httpx.Response:
        return self.call(MAKE, [self.command(order, **more)])

    def price(self, **more: Any) -> httpx.Response:
        asked = {"deviceId": self.device, "drinkIdAtDevice": DRINK, "drinkSize": "SMALL"}
        return self.call(PRICE, asked | more)

    def heartbeat(self) -> int:
        asked = {"deviceIds": [self.device], "offset": 0, "limit": 1}
        (found,) = self.call(HEARTBEAT, asked).json()["content"]
        return int(found["heartbeatCreatedAt"])

    def fault(self, **wanted: Any) -> None:
        self.sandbox.ask("POST", f"/tmetr/devices/{self.device}/fault", wanted)

    def book(self, part: str) -> list[dict[str, Any]]:
        rows = self.sandbox.ask("GET", "/books")["tmetr"][part]
        return [row for row in rows if row["device"] == self.device]

    @property
    def cups(self) -> list[str]:
        """The orders whose cups were brewed."""
        return [cup["order_id"] for cup in self.book("cups")]


@pytest.fixture
def cafe(sandbox: SandboxProcess) -> Cafe:
    return Cafe(sandbox)


def test_a_drink_has_a_price_for_each_size(cafe: Cafe) -> None:
    for size, price in PRICES.items():
        said = cafe.price(drinkSize=size).json()
        assert (said["price"], said["name"]) == (price, "Капучино")


def test_a_command_brews_one_cup_and_is_in_the_book(cafe: Cafe) -> None:
    assert cafe.make().status_code == 200
    (make,) = cafe.book("makes")
    assert make["price"] == 17_500
    assert (make["order_id"], make["size"], make["repeat"], make["fate"]) == (
        "ord-1", "MEDIUM", 0, "brewed",
    )  # fmt: skip
    (cup,) = cafe.book("cups")
    assert (cup["order_id"], cup["drink"]) == ("ord-1", DRINK)


def test_a_command_that_comes_twice_brews_twice_and_is_counted(cafe: Cafe) -> None:
    for _ in range(3):
        cafe.make("ord-1")
    cafe.make("ord-2")
    assert [make["repeat"] for make in cafe.book("makes")] == [0, 1, 2, 0]
    assert cafe.cups == ["ord-1"] * 3 + ["ord-2"]


@pytest.mark.parametrize("path", [MAKE, PRICE, HEARTBEAT])
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic dTpw"])
def test_nothing_is_told_or_brewed_without_the_token(cafe: Cafe, path: str, header: str) -> None:
    body = [cafe.command()] if path == MAKE else {"deviceId": cafe.device}
    answer = cafe.sandbox.http.post(path, json=body, headers={"Authorization": header})
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert cafe.cups == []


def test_a_strangers_token_reaches_no_machine_of_mine(cafe: Cafe, sandbox: SandboxProcess) -> None:
    chandra = Cafe(sandbox)
    assert chandra.call(MAKE, [cafe.command()]).status_code == 404
    assert chandra.price(deviceId=cafe.device).status_code == 404
    asked = {"deviceIds": [cafe.device], "offset": 0, "limit": 1}
    assert chandra.call(HEARTBEAT, asked).json()["content"] == []
    assert cafe.cups == []


def test_a_command_outside_of_an_array_is_refused(cafe: Cafe) -> None:
    assert cafe.call(MAKE, cafe.command()).status_code == 400
    assert cafe.call(MAKE, []).status_code == 400
    assert cafe.cups == []


def test_one_bad_command_refuses_the_whole_array(cafe: Cafe) -> None:
    for bad in ({"deviceId": "nobody"}, {"drinkUuid": "tea"}, {"size": "BIG"}, {"price": "1"}):
        answer = cafe.call(MAKE, [cafe.command("ord-1"), cafe.command("ord-2", **bad)])
        assert answer.status_code in (400, 404)
    assert cafe.book("makes") == []


@pytest.mark.parametrize(("fault", "price"), [("zero", 0), ("absent", None)])
def test_a_price_can_be_zero_or_missing(cafe: Cafe, fault: str, price: int | None) -> None:
    cafe.fault(price=fault)
    assert cafe.price().json().get("price") == price


def test_a_machine_that_is_online_was_heard_of_just_now(cafe: Cafe) -> None:
    assert 0 <= now_s() - cafe.heartbeat() < 60


def test_a_machine_that_is_offline_falls_silent_and_loses_the_command(cafe: Cafe) -> None:
    cafe.fault(offline=True, silent_s=600)
    assert now_s() - cafe.heartbeat() >= 600
    assert cafe.make().status_code == 200
    assert [make["fate"] for make in cafe.book("makes")] == ["lost"]
    cafe.fault(offline=False, silent_s=0)
    assert now_s() - cafe.heartbeat() < 60
    assert cafe.cups == []


def test_a_machine_may_brew_what_was_sent_while_it_was_offline(cafe: Cafe) -> None:
    cafe.fault(offline=True, keeps_commands=True)
    cafe.make()
    assert cafe.cups == []
    cafe.fault(offline=False)
    assert cafe.cups == ["ord-1"]
    cafe.fault(offline=True)
    cafe.fault(offline=False)
    assert cafe.cups == ["ord-1"]


def test_a_machine_without_water_takes_the_command_and_brews_nothing(cafe: Cafe) -> None:
    cafe.fault(no_water=True)
    assert cafe.make().status_code == 200
    assert cafe.cups == []


def test_an_error_may_come_before_the_cup_or_after_it(cafe: Cafe) -> None:
    cafe.fault(make="refused_500")
    assert cafe.make("before").status_code == 500
    cafe.fault(make="brewed_500")
    assert cafe.make("after").status_code == 500
    cafe.fault(make="not_json")
    assert cafe.make("odd").headers["content-type"].startswith("text/html")
    cafe.fault(make="brewed_cut")
    with pytest.raises(httpx.TransportError):
        cafe.make("cut")
    assert cafe.cups == ["after", "odd", "cut"]


def test_a_slow_answer_comes_after_the_cup(cafe: Cafe) -> None:
    cafe.fault(slow_ms=1_500)
    with pytest.raises(httpx.ReadTimeout):
        cafe.call(MAKE, [cafe.command()], timeout=0.3)
    assert cafe.cups == ["ord-1"]


def test_the_weather_reaches_coffee_too(cafe: Cafe, sandbox: SandboxProcess) -> None:
    sandbox.weather(api={"error_5xx": 1}, seed=5)
    statuses = {cafe.make(f"ord-{number}").status_code for number in range(12)}
    assert statuses == {500, 502}
    assert 0 < len(cafe.cups) < 12


def test_a_heartbeat_may_be_told_by_a_wrong_clock(cafe: Cafe) -> None:
    cafe.fault(clock_off_s=10_800)
    assert 10_700 < cafe.heartbeat() - now_s() <= 10_800


def test_the_screen_shows_a_code_that_leads_to_coinslot(cafe: Cafe) -> None:
    chosen = {"device": cafe.device, "drink": "Капучино", "size": "big"}
    shown = cafe.sandbox.ask("POST", "/tmetr/screen", chosen)
    address = urlsplit(shown["url"])
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert address.path == "/v1/pay"
    assert query["uuid"] == shown["order_id"]
    assert (query["deviceUuid"], query["drinkNo"], query["size"]) == (cafe.device, DRINK, "2")
    assert query["drinkName"] == "Капучино"
    assert abs(int(query["ts"]) - now_s()) < 5
    assert (len(query["random"]), len(query["salt"])) == (6, 32)
    assert "<svg" in cafe.sandbox.http.get(f"/tmetr/i/{shown['order_id']}").text


def test_no_two_orders_of_a_machine_have_one_id(cafe: Cafe) -> None:
    chosen = {"device": cafe.device, "drink": DRINK, "size": 0}
    shown = [cafe.sandbox.ask("POST", "/tmetr/screen", chosen)["order_id"] for _ in range(20)]
    assert len(set(shown)) == 20


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"device": "none"}, 404), ({"drink": "tea"}, 404), ({"size": 3}, 400), ({"size": -1}, 400),
     ({"size": "huge"}, 400), ({"more": 1}, 400), ({"drink": None}, 400)],
)  # fmt: skip
def test_nobody_chooses_what_there_is_not(cafe: Cafe, wrong: Any, status: int) -> None:
    chosen = {"device": cafe.device, "drink": DRINK, "size": "SMALL"} | wrong
    assert cafe.sandbox.http.post("/tmetr/screen", json=chosen).status_code == status


def test_a_machines_name_does_not_overwrite_a_drink(cafe: Cafe) -> None:
    device = {"device_id": DRINK, "account_id": cafe.device.replace("device", "cafe")}
    assert cafe.sandbox.http.post("/tmetr/devices", json=device).status_code == 409
    assert cafe.price().json()["price"] == PRICES["SMALL"]


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[SandboxProcess]:
    """A sandbox of the test's own, whose machines and drinks come from its file."""
    section = {
        "accounts": [{"account_id": "a", "token": "jwt"}],
        "devices": [{"device_id": "d1", "account_id": "a", "name": "Foyer"}],
        "drinks": [{"drink_id": "tea", "name": "Чай", "prices": {"BIG": 5_000}}],
    }
    coinslot = "http://coinslot.example/"
    with SandboxProcess(
        tmp_path / "s", tmp_path / "m", tmetr=section, coinslot_url=coinslot
    ) as sandbox:
        yield sandbox


def test_cups_and_what_is_broken_outlive_a_kill(mortal: SandboxProcess) -> None:
    mortal.ask("POST", "/tmetr/devices/d1/fault", {"make": "brewed_cut"})
    chosen = {"device": "d1", "drink": "tea", "size": 2}
    shown = mortal.ask("POST", "/tmetr/screen", chosen)
    assert shown["url"].startswith("http://coinslot.example/v1/pay?")
    command = {"deviceId": "d1", "orderUuid": shown["order_id"], "drinkUuid": "tea"}
    with pytest.raises(httpx.TransportError):
        mortal.http.post(
            MAKE, json=[command | {"size": "big", "price": 5_000}],
            headers={"Authorization": "Bearer jwt"},
        )  # fmt: skip
    before = mortal.ask("GET", "/books")["tmetr"]
    mortal.kill()
    mortal.start()
    assert mortal.ask("GET", "/books")["tmetr"] == before
    assert [cup["order_id"] for cup in before["cups"]] == [shown["order_id"]]
    assert mortal.ask("GET", "/tmetr/devices/d1/fault")["make"] == "brewed_cut"


def test_two_commands_at_once_are_both_in_the_book(cafe: Cafe) -> None:
    threads = [threading.Thread(target=cafe.make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(make["repeat"] for make in cafe.book("makes")) == list(range(6))


def test_the_books_page_names_the_cups(cafe: Cafe) -> None:
    cafe.make("for-the-page")

    def page() -> str:
        return cafe.sandbox.http.get("/books", headers={"accept": "text/html"}).text

    until(lambda: "for-the-page" in page())


ABSURD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NAMES = [
    *("deviceId", "orderUuid", "drinkUuid", "size", "price", "drinkIdAtDevice", "drinkSize"),
    *("deviceIds", "offset", "limit"),
]
BODIES = st.dictionaries(st.sampled_from(NAMES), ABSURD)


RAW = (BODIES | st.lists(BODIES, max_size=3) | ABSURD).map(lambda body: json.dumps(body).encode())


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(path=st.sampled_from([MAKE, PRICE, HEARTBEAT]), raw=RAW | st.binary(max_size=20))
def test_any_body_is_answered_in_form(cafe: Cafe, path: str, raw: bytes) -> None:
    headers = {"Authorization": f"Bearer {cafe.token}"}
    answer = cafe.sandbox.http.post(path, content=raw, headers=headers)
    assert answer.status_code in (200, 400, 404)
    assert answer.status_code == 200 or list(answer.json()) == ["message"]
    assert cafe.cups == []


def test_a_body_of_brackets_is_refused(cafe: Cafe) -> None:
    headers = {"Authorization": f"Bearer {cafe.token}"}
    answer = cafe.sandbox.http.post(MAKE, content=b"[" * 100_000, headers=headers)
    assert answer.status_code == 400
