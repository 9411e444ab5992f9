"""A mirror over the stage of the heart's tests, and the emulated database that it writes to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import firebase_admin  # type: ignore[import-untyped]
import httpx
import pytest
from firebase_admin import db

from coinslot.events.mirror.firebase import Remote, Tokens, address
from coinslot.events.mirror.mirror import Mirror
from coinslot.events.mirror.rows import Rows
from tests.sales.stage import Stage
from tests.sandbox.conftest import FAIR_WEATHER
from tests.sandbox.running import SandboxProcess

names = count(1)
SOON_S = 0.05


class Interrupted(Remote):
    """The database as one reaches it who is slow: something happens before the first write below
    a branch arrives."""

    def __init__(self, url: str, branch: str, happens: Callable[[], Awaitable[None]]) -> None:
        super().__init__(address(url), Tokens(None), timeout_s=5)
        self._branch = branch
        self._happens: Callable[[], Awaitable[None]] | None = happens

    async def write(self, nodes: Mapping[str, Any]) -> None:
        happens = self._happens
        if happens is not None and any(path.startswith(self._branch) for path in nodes):
            self._happens = None
            await happens()
        await super().write(nodes)


@dataclass
class Rig:
    """What one test mirrors, and where to."""

    stage: Stage
    sandbox: SandboxProcess
    name: str
    mirror: Mirror

    @property
    def url(self) -> str:
        return f"{self.sandbox.base_url}/?ns={self.name}"

    async def follow(self) -> None:
        """Mirror whatever the log holds now."""
        while (batch := await self.mirror.cursor.next_batch()) is not None:
            await self.mirror.write_batch(batch)

    def ask(self, method: str, path: str = "", body: Any = None) -> Any:
        """As a person with curl looks at it, or spoils it."""
        answer = httpx.request(
            method, f"{self.sandbox.base_url}/{path}.json", params={"ns": self.name}, json=body,
            headers={"Authorization": "Bearer owner"}, verify=False,
        )  # fmt: skip
        assert answer.is_success, answer.text
        return answer.json()

    def tree(self, path: str = "") -> Any:
        return self.ask("GET", path)

    def another(self, credentials: Path | None = None) -> Mirror:
        """A mirror as another process has it, or the same one after a restart."""
        return mirror_of(self.stage, self.url, credentials)


def mirror_of(stage: Stage, url: str, credentials: Path | None = None) -> Mirror:
    return mirror_through(stage, Remote(address(url), Tokens(credentials), timeout_s=5))


def mirror_through(stage: Stage, remote: Remote) -> Mirror:
    context = stage.context
    rows = Rows(context.db, context.clock, context.windows.span("online_s"))
    return Mirror(context.db, rows, remote, context.clock)


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One sandbox for all these tests; each has a database of its own in it."""
    folder = tmp_path_factory.mktemp("outside")
    with SandboxProcess(folder / "s", folder / "m") as sandbox:
        yield sandbox


@pytest.fixture
async def rig(stage: Stage, outside: SandboxProcess) -> AsyncIterator[Rig]:
    outside.ensure()
    outside.weather(**FAIR_WEATHER, seed=1)
    name = f"mirror{next(names)}"
    mirror = mirror_of(stage, f"{outside.base_url}/?ns={name}")
    yield Rig(stage, outside, name, mirror)
    await mirror.remote.close()


@pytest.fixture
def client(rig: Rig) -> Iterator[Any]:
    """Firebase's own, as another program uses it."""
    app = firebase_admin.initialize_app(options={"databaseURL": rig.url, "httpTimeout": 5})
    yield db
    firebase_admin.delete_app(app)


@asynccontextmanager
async def running(mirror: Mirror) -> AsyncIterator["asyncio.Task[None]"]:
    """The mirror as a worker runs it, ended politely."""
    task = asyncio.create_task(mirror.run(SOON_S))
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await mirror.remote.close()


async def vend(stage: Stage) -> None:
    """A can that is paid for and drops."""
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    await stage.started()
    await stage.result()
