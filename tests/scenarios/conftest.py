"""One running demo for a file of scenarios; each ends with the books looked through."""

from collections.abc import Iterator

import pytest

from tests.scenarios.running import DemoProcess


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    running = DemoProcess(tmp_path_factory.mktemp("demo") / "data")
    try:
        yield running.start()
    finally:
        running.stop()
