"""The API keeps what its own description promises: judged by schemathesis, over real HTTP."""

import asyncio
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from coinslot.merchants.keys import issue_key
from coinslot.web.routes import build
from tests.sales.stage import Stage
from tests.sales.taking import Taking
from tests.web.fake_desk import FakeDesk
from tests.web.serving import SITE

PATIENCE_S = 150
CASES_LEAST = 300
JUDGE = Path(sys.executable).with_name("schemathesis")


class _Server(uvicorn.Server):
    """Signals stay the test's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
async def url(stage: Stage, gateway: Taking) -> AsyncIterator[str]:
    """The application, started and listening."""
    app = build(FakeDesk(), SITE, stage.clock, stage.shop)
    server = _Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as ear:
        serving = asyncio.create_task(server.serve([ear]))
        yield "http://{}:{}".format(*ear.getsockname())
        server.should_exit = True
        await serving


async def test_no_answer_is_a_fault_or_undocumented(stage: Stage, url: str, tmp_path: Path) -> None:
    key = await issue_key(stage.shop.db, stage.merchant, stage.clock.now())
    judge = await asyncio.create_subprocess_exec(
        str(JUDGE), "run", f"{url}/openapi.json",
        "--header", f"Authorization: Bearer {key}",
        "--include-path-regex", "^/(payments|refunds|events/|webhook_)",
        "--checks", "all", "--exclude-checks", "positive_data_acceptance,allow_header_conformance",
        "--max-examples", "10", "--workers", "4", "--seed", "7", "--generation-deterministic",
        "--continue-on-failure", "--warnings", "off", "--no-color",
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = (await judge.communicate())[0].decode()
    finally:
        if judge.returncode is None:
            judge.kill()
    assert judge.returncode == 0, said[-8000:]
    found = re.search(r"(\d+) generated", said)
    assert found is not None, said[-2000:]
    assert int(found[1]) >= CASES_LEAST
