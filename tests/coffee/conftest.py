"""What these tests share: a coffee machine, and the sandbox that emulates its vendor."""

from collections.abc import Iterator

import pytest

from tests.coffee.stage import cafe
from tests.sandbox.running import SandboxProcess

__all__ = ["cafe"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Prices, heartbeats and cups are asked there, over HTTP."""
    folder = tmp_path_factory.mktemp("sandbox")
    with SandboxProcess(
        folder / "s", folder / "m", coinslot_url="http://coinslot.test", tmetr={}
    ) as running:
        yield running
