"""One rig per gateway: the contract holds over all of them."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.gateways.mailbox import Mailbox
from tests.gateways.rigs import MockRig, RazorpayRig, Rig

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The emulated outside world as a process, on a free port."""
    data = tmp_path_factory.mktemp("sandbox")
    folders = ["--data", str(data / "books"), "--machines", str(data / "machines")]
    command = [sys.executable, "-m", "sandbox", "--port", "0", *folders]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("Sandbox ready: "), ready
        yield ready.removeprefix("Sandbox ready: ").strip()
        process.terminate()


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    yield box
    box.close()


@pytest.fixture
async def at_razorpay(sandbox_url: str, mailbox: Mailbox) -> AsyncIterator[RazorpayRig]:
    """A fresh account at the emulated Razorpay."""
    rig = RazorpayRig(sandbox_url, mailbox)
    await rig.sign_up()
    yield rig
    await rig.close()


@pytest.fixture(params=["mock", "razorpay"])
def rig(request: pytest.FixtureRequest) -> Rig:
    """Every gateway."""
    if request.param == "mock":
        return MockRig()
    made: Rig = request.getfixturevalue("at_razorpay")
    return made
