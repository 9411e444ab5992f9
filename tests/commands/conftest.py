"""Commands run inside the tests' own process leave nothing behind: they say where the log goes."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def the_log_goes_where_it_went() -> Iterator[None]:
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)
