"""The API keeps what its own description promises: judged by schemathesis, over real HTTP."""

import asyncio
import re
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from coinslot.app.routes import build
from coinslot.merchants.keys import SCOPES, KeyRequest, issue_key
from coinslot.people.members import NewMember, add_member
from coinslot.people.passwords import Passwords
from tests.sales.stage import Stage
from tests.sales.taking import Taking
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE

PATIENCE_S = 400  # 67 s in a run of all tests; a busy computer took more than 150
CASES_LEAST = 300
# Without the calls that end the session that the others need.
PEOPLE = "^/(people|audit-log|auth/(?!logout|step-up|password$|device-profile))"
STORES = "^/api/"
# Judged side by side; only payments link to calls that follow.
PATHS = {
    "^/(payments|refunds)": "examples,coverage,fuzzing,stateful",
    "^/(events/|webhook_)": "examples,coverage,fuzzing",
    "^/(machines/|orders)": "examples,coverage,fuzzing",
    "^/(picklists|routes|templates|slots)": "examples,coverage,fuzzing",
    PEOPLE: "examples,coverage,fuzzing",
    STORES: "examples,fuzzing",  # its coverage takes half a minute
}
JUDGE = Path(sys.executable).with_name("schemathesis")


class _Server(uvicorn.Server):
    """Signals stay the test's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture
async def url(stage: Stage, gateway: Taking) -> AsyncIterator[str]:
    """The application, started and listening."""
    app = build(FakeBackend(), SITE, stage.clock, stage.context)
    server = _Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    with socket.create_server(("127.0.0.1", 0)) as ear:
        serving = asyncio.create_task(server.serve([ear]))
        yield "http://{}:{}".format(*ear.getsockname())
        server.should_exit = True
        await serving


async def judged(url: str, key: str, paths: str, folder: Path) -> str:
    """What it found, or how many calls it judged and found good."""
    judge = await asyncio.create_subprocess_exec(
        str(JUDGE), "run", f"{url}/openapi.json",
        "--header", f"Authorization: Bearer {key}",
        "--include-path-regex", paths, "--phases", PATHS[paths],
        "--checks", "all", "--exclude-checks", "positive_data_acceptance,allow_header_conformance",
        "--max-examples", "10", "--workers", "1", "--seed", "7", "--generation-deterministic",
        "--continue-on-failure", "--warnings", "off", "--no-color",
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE_S):
            said = (await judge.communicate())[0].decode()
    finally:
        if judge.returncode is None:
            judge.kill()
    found = re.search(r"(\d+) generated", said)
    return found[1] if found and judge.returncode == 0 else said


async def test_no_answer_is_a_fault_or_undocumented(stage: Stage, url: str, tmp_path: Path) -> None:
    every = KeyRequest(scopes=SCOPES)
    key = await issue_key(stage.context.db, stage.merchant, stage.clock.now(), every)
    keys = dict.fromkeys(PATHS, key) | dict.fromkeys(
        (PEOPLE, STORES), await _admins_token(stage, url)
    )
    # Each with one thread: Python before 3.11.8 reads no source in two threads at once (gh-106905).
    said = await asyncio.gather(*(judged(url, keys[paths], paths, tmp_path) for paths in PATHS))
    faults = [text[-8000:] for text in said if not text.isdecimal()]
    assert not faults, "\n".join(faults)
    assert sum(int(text) for text in said) >= CASES_LEAST


async def _admins_token(stage: Stage, url: str) -> str:
    """Of someone who may call everything of people."""
    member = NewMember(login="asha", password="cold masala cola", role="admin")
    passwords, now = Passwords(stage.context.hasher), stage.clock.now()
    await add_member(stage.context.db, passwords, stage.merchant, member, now)
    async with httpx.AsyncClient(trust_env=False) as client:
        body = {"login": member.login, "password": member.password}
        answer = await client.post(f"{url}/auth/login", json=body)
    return str(answer.raise_for_status().json()["access_token"])
