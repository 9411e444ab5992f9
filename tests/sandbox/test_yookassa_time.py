"""What time does at the emulated YooKassa: charges lapse, keys die, and a kill loses nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.receiver import Receiver
from tests.sandbox.running import SandboxProcess, until

KEYS = ("100500", "test_secret")
WANTED = {
    "amount": {"value": "150.00", "currency": "RUB"},
    "confirmation": {"type": "redirect", "return_url": "https://shop.example"},
}


class Clockwork:
    """A sandbox of its own in which an hour is as short as the test says."""

    def __init__(self, folder: Path, url: str, **tempo: int) -> None:
        shop = {"account_id": KEYS[0], "secret_key": KEYS[1], "webhook_url": url}
        section = {"accounts": [shop], "tempo": tempo | {"retry_base_ms": 50}}
        self.sandbox = SandboxProcess(folder / "s", folder / "m", yookassa=section).start()

    def post(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        headers = {"idempotence-key": key}
        answer = self.sandbox.http.post(
            f"/yookassa/v3{path}", json=body, auth=KEYS, headers=headers
        )
        return dict(answer.json())

    def payments(self) -> list[dict[str, Any]]:
        return list(self.sandbox.ask("GET", "/books")["yookassa"]["payments"])


@pytest.fixture
def made(tmp_path: Path, receiver: Receiver) -> Iterator[Any]:
    made: list[Clockwork] = []

    def make(**tempo: int) -> Clockwork:
        made.append(Clockwork(tmp_path, receiver.url, **tempo))
        return made[-1]

    yield make
    for one in made:
        one.sandbox.stop()


def test_who_does_not_pay_and_who_does_not_capture_is_told_that_it_is_over(
    made: Any, receiver: Receiver
) -> None:
    at = made(time_to_pay_ms=1_000, hold_ms=300)
    held = at.post("/payments", WANTED, "held")["id"]
    at.sandbox.ask("POST", "/yookassa/pay", {"reference": held})
    at.post("/payments", WANTED, "slow")

    bodies = [one.body for one in receiver.wait(3)]

    assert [body.count("waiting_for_capture") > 0 for body in bodies] == [True, False, False]
    assert "expired_on_capture" in bodies[1]
    assert "expired_on_confirmation" in bodies[2]
    assert {row["status"] for row in at.payments()} == {"canceled"}


def test_a_key_that_is_dead_makes_another_payment(made: Any) -> None:
    at = made(key_life_ms=400)
    first = at.post("/payments", WANTED, "key")["id"]
    again = until(lambda: (other := at.post("/payments", WANTED, "key")["id"]) != first and other)
    assert len(at.payments()) == 2
    assert {row["reference"] for row in at.payments()} == {first, again}


def test_keys_payments_and_lapses_outlive_a_kill(made: Any) -> None:
    at = made(time_to_pay_ms=3_000)
    first = at.post("/payments", WANTED, "key")
    at.sandbox.kill()
    at.sandbox.start()
    assert at.post("/payments", WANTED, "key") == first
    until(lambda: [row["status"] for row in at.payments()] == ["canceled"])
