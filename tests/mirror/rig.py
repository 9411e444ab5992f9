"""A mirror over the stage of the heart's tests, and the emulated database that it writes to."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import firebase_admin  # type: ignore[import-untyped]
import httpx
import pytest
from firebase_admin import db

from coinslot.feeds.firebase import Remote, Tokens, address
from coinslot.feeds.mirror import Mirror
from coinslot.feeds.mirror_rows import Rows
from tests.sales.stage import Stage
from tests.sandbox.conftest import FAIR_WEATHER
from tests.sandbox.running import SandboxProcess

names = count(1)


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
        while (batch := await self.mirror.cursor.take()) is not None:
            await self.mirror.tell(batch)

    def ask(self, method: str, path: str = "", body: Any = None) -> Any:
        """As a person with curl looks at it, or spoils it."""
        answer = httpx.request(
            method, f"{self.sandbox.base_url}/{path}.json", params={"ns": self.name}, json=body,
            headers={"Authorization": "Bearer owner"},
        )  # fmt: skip
        assert answer.is_success, answer.text
        return answer.json()

    def tree(self, path: str = "") -> Any:
        return self.ask("GET", path)

    def another(self, credentials: Path | None = None) -> Mirror:
        """A mirror as another process has it, or the same one after a restart."""
        return mirror_of(self.stage, self.url, credentials)


def mirror_of(stage: Stage, url: str, credentials: Path | None = None) -> Mirror:
    shop = stage.shop
    remote = Remote(address(url), Tokens(credentials), timeout_s=5)
    rows = Rows(shop.db, shop.clock, shop.windows.span("online_s"))
    return Mirror(shop.db, rows, remote, shop.clock)


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


async def vend(stage: Stage) -> None:
    """A can that is paid for and drops."""
    await stage.hello()
    await stage.sell()
    await stage.sweep()
    await stage.accept()
    await stage.started()
    await stage.result()
