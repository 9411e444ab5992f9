"""Pages of other websites: those that a store lists may read its menu and order, and no others."""

from typing import Any

import httpx
import pytest

from coinslot.counter import store
from tests.counter.stage import Counter, set_counter
from tests.counter.test_api import WANTED
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

OURS, STRANGE = "https://cafe.example", "https://evil.example"
MENU, SESSION = "/api/stores/corner/menu", "/api/checkout-session"
ALLOWS = "access-control-allow-origin"


@pytest.fixture
async def shop(staffed: Staffed) -> Counter:
    made = await set_counter(staffed.stage)
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute(store.SET_STORE, "S01", [10], False, [OURS])
    return made


async def ask(
    staffed: Staffed, method: str, path: str, origin: str, body: Any = None
) -> httpx.Response:
    async with staffed.client() as client:
        return await client.request(method, path, json=body, headers={"origin": origin})


@pytest.mark.parametrize("path", [MENU, SESSION])
async def test_a_browser_is_told_which_websites_may_call(
    staffed: Staffed, shop: Counter, path: str
) -> None:
    answer = await ask(staffed, "OPTIONS", path, OURS)
    assert answer.status_code == 204, (answer.text, answer.headers)
    assert answer.headers.get(ALLOWS) == OURS, answer.headers
    assert "Idempotency-Key" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]
    refused = await ask(staffed, "OPTIONS", path, STRANGE)
    assert ALLOWS not in refused.headers


async def test_answers_and_refusals_are_read_by_pages_of_listed_websites_alone(
    staffed: Staffed, shop: Counter
) -> None:
    menu = await ask(staffed, "GET", MENU, OURS)
    assert menu.headers[ALLOWS] == OURS
    assert ALLOWS not in (await ask(staffed, "GET", MENU, STRANGE)).headers
    tea = next(item["id"] for item in menu.json()["items"] if item["name"] == "Tea")
    body = {**WANTED, "items": [{"menuItemId": tea}], "tipCents": 0, "totalCents": 250}
    placed = await ask(staffed, "POST", SESSION, OURS, body)
    assert (placed.status_code, placed.headers[ALLOWS]) == (201, OURS)
    changed = await ask(staffed, "POST", SESSION, OURS, {**body, "totalCents": 1})
    assert (changed.status_code, changed.headers[ALLOWS]) == (409, OURS)
    assert changed.json()["error"]["details"]["differenceCents"] == 249
    strange = await ask(staffed, "POST", SESSION, STRANGE, {**body, "totalCents": 1})
    assert ALLOWS not in strange.headers
