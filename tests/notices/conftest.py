"""One sandbox for all tests of notices, with fair weather for each."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.notices.rigs import RIGS, Rig, SmtpRig, TwilioRig
from tests.ports import free_port
from tests.sandbox.running import SandboxProcess

FAST = {"sent_ms": 20, "delivered_ms": 20, "ring_ms": 20, "answer_ms": 20, "talk_ms": 20,
        "price_ms": 20, "retry_base_ms": 30}  # fmt: skip


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("notices")
    mail = {"port": free_port(), "starttls": True, "users": {"cafe": "smtp-password"}}
    with SandboxProcess(folder / "s", folder / "m", smtp=mail, twilio={"tempo": FAST}) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(kept: SandboxProcess) -> SandboxProcess:
    webhooks = {"lose": 0, "repeat": 0, "reorder": 0, "forge": 0, "hold": False}
    calm = {"latency_ms": 0, "error_5xx": 0, "drop_response": 0}
    kept.weather(webhooks=webhooks, api=calm, seed=1)
    return kept


@pytest.fixture(params=list(RIGS))
async def rig(request: pytest.FixtureRequest, sandbox: SandboxProcess) -> AsyncIterator[Rig]:
    """Every driver, in every form that has a service behind it."""
    made: Rig = RIGS[request.param](sandbox, free_port)
    yield made
    await made.driver.close()


@pytest.fixture
async def phone(sandbox: SandboxProcess) -> AsyncIterator[TwilioRig]:
    made = TwilioRig(sandbox, free_port)
    yield made
    await made.driver.close()


@pytest.fixture
def post(sandbox: SandboxProcess) -> SmtpRig:
    return SmtpRig(sandbox, free_port)
