"""One sandbox and one receiver per test, joined by the first account's webhook."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import razorpay

from tests.sandbox.receiver import Receiver
from tests.sandbox.running import SandboxProcess, account

FAST = {"retry_base_ms": 50, "retry_cap_ms": 200, "late_ms": 200}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def sandbox(tmp_path: Path, receiver: Receiver) -> Iterator[SandboxProcess]:
    accounts = [account(1, webhook_url=receiver.url), account(2)]
    machines = tmp_path / "machines"
    with SandboxProcess(
        tmp_path / "sandbox", machines, accounts, tempo=FAST, outlets=[{"id": "M01"}]
    ) as sandbox:
        yield sandbox


@pytest.fixture
def sdk(sandbox: SandboxProcess) -> Any:
    """The official client of the first account."""
    return client(sandbox, 1)


def client(sandbox: SandboxProcess, number: int) -> Any:
    keys = account(number)
    return razorpay.Client(
        auth=(keys["key_id"], keys["key_secret"]), base_url=f"{sandbox.base_url}/razorpay"
    )
