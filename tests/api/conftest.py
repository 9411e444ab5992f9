"""The merchant API over HTTP, on a real database and a gateway that collects."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from coinslot.merchants.keys import issue_key
from tests.kept_app import lent_app
from tests.sales.conftest import stage as stage  # the books are closed after each test
from tests.sales.stage import Stage
from tests.sales.taking import Taking, taking

Client = httpx.AsyncClient


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


@pytest.fixture
async def api(stage: Stage, gateway: Taking) -> AsyncIterator[Client]:
    """Asha's server, with her key."""
    app: Any = lent_app(stage)
    wire = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=wire, base_url="http://coinslot.test") as client:
        key = await issue_key(stage.context.db, stage.merchant, stage.clock.now())
        client.headers["authorization"] = f"Bearer {key}"
        yield client
