"""One sandbox process for many tests; each test has accounts, a receiver and fair weather anew."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import razorpay

from tests.sandbox.receiver import Receiver
from tests.sandbox.running import SandboxProcess, account

FAST = {"retry_base_ms": 50, "retry_cap_ms": 200, "late_ms": 200}
FAIR_WEATHER = {
    "webhooks": {"lose": 0, "repeat": 0, "reorder": 0, "forge": 0, "hold": False},
    "api": {"latency_ms": 0, "error_5xx": 0, "drop_response": 0, "refund_fails_later": 0},
}
numbers = count(1)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session")
def kept_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("kept")
    outlets = [{"id": "M01"}, {"id": "M02"}]
    with SandboxProcess(folder / "s", folder / "m", tempo=FAST, outlets=outlets) as sandbox:
        yield sandbox


@pytest.fixture
def shop(receiver: Receiver) -> dict[str, Any]:
    """The test's own merchant account; its webhooks go to the receiver."""
    return account(next(numbers), webhook_url=receiver.url)


@pytest.fixture
def sandbox(kept_sandbox: SandboxProcess, shop: dict[str, Any]) -> Iterator[SandboxProcess]:
    kept_sandbox.ensure()
    kept_sandbox.weather(**FAIR_WEATHER, seed=1)
    kept_sandbox.ask("POST", "/razorpay/accounts", shop)
    yield kept_sandbox
    kept_sandbox.ensure()
    # What is still on its way must not knock on the door of a later test.
    kept_sandbox.ask("POST", "/razorpay/accounts", shop | {"webhook_url": None})


@pytest.fixture
def sdk(sandbox: SandboxProcess, shop: dict[str, Any]) -> Any:
    """The official client of the test's merchant."""
    return client(sandbox, shop)


@pytest.fixture
def keys(shop: dict[str, Any]) -> tuple[str, str]:
    """User and password of the API."""
    return (shop["key_id"], shop["key_secret"])


@pytest.fixture
def foreign(shop: dict[str, Any]) -> dict[str, Any]:
    """A payment on the account without any QR code, told by a single event."""
    return {"account_id": shop["account_id"], "amount": 4000, "events": ["payment.captured"]}


def client(sandbox: SandboxProcess, keys: dict[str, Any]) -> Any:
    return razorpay.Client(
        auth=(keys["key_id"], keys["key_secret"]), base_url=f"{sandbox.base_url}/razorpay"
    )
