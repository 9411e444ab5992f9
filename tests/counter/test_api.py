"""Programs of customers and of staff, and the examples of docs/counter.md."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.counter.stage import Counter, set_counter
from tests.people.conftest import Staffed, code_of
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage

DOCS = (Path(__file__).parents[2] / "docs/counter.md").read_text("utf-8")
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOCS, re.S)]
MENU, WANTED, SESSION, ORDERS = EXAMPLES[-4:]  # before them stand the zones of a file
STAFF = "/api/staff/orders"


@pytest.fixture
async def shop(staffed: Staffed) -> Counter:
    return await set_counter(staffed.stage)


def shape(value: Any) -> Any:
    """The names of fields, all the way down."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


async def ask(staffed: Staffed, method: str, path: str, body: Any = None, **more: str) -> Any:
    async with staffed.client() as client:
        return await client.request(method, path, json=body, headers=more)


async def item(staffed: Staffed, name: str) -> dict[str, Any]:
    answer = await ask(staffed, "GET", "/api/stores/corner/menu")
    return next(found for found in answer.json()["items"] if found["name"] == name)


async def wanted(staffed: Staffed, **more: Any) -> dict[str, Any]:
    latte = await item(staffed, "Latte")
    return {**WANTED, "items": [{**WANTED["items"][0], "menuItemId": latte["id"]}], **more}


async def placed(staffed: Staffed) -> httpx.Response:
    answer: httpx.Response = await ask(
        staffed, "POST", "/api/checkout-session", await wanted(staffed)
    )
    assert answer.status_code == 201, answer.text
    return answer


async def test_the_menu_has_the_documented_fields_and_no_cost(
    staffed: Staffed, shop: Counter
) -> None:
    answer = await ask(staffed, "GET", "/api/stores/corner/menu")
    assert shape(answer.json()["store"]) == shape(MENU["store"])
    assert shape(await item(staffed, "Tea")) == shape(MENU["items"][0])
    assert "cost" not in answer.text.lower()
    latte = await item(staffed, "Latte")
    assert latte["options"][0]["choices"][0] == {
        "id": "oat", "name": "Oat", "priceCents": 50, "isAvailable": True, "allergens": [],
    }  # fmt: skip
    assert (await ask(staffed, "GET", "/api/stores/nobody/menu")).status_code == 404


async def test_a_session_places_an_order_at_the_menus_prices_and_once_for_its_key(
    staffed: Staffed, shop: Counter
) -> None:
    body, key = await wanted(staffed), {"idempotency-key": "k" * 20}
    answers = [await ask(staffed, "POST", "/api/checkout-session", body, **key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert shape(answers[0].json()) == shape(SESSION)
    assert answers[0].json()["totalCents"] == 880
    assert answers[0].json()["orderUrl"] == answers[1].json()["orderUrl"]
    assert len(await shop.stage.rows("SELECT id FROM orders")) == 1


async def test_a_price_that_changed_answers_with_the_difference(
    staffed: Staffed, shop: Counter
) -> None:
    body = await wanted(staffed)
    await shop.stage.rows("UPDATE counter_items SET price_minor = price_minor + 10 RETURNING id")
    answer = await ask(staffed, "POST", "/api/checkout-session", body)
    assert (answer.status_code, code_of(answer)) == (409, "price_changed")
    assert answer.json()["error"]["details"] == {
        "shownCents": 880, "totalCents": 900, "differenceCents": 20,
    }  # fmt: skip
    assert await shop.stage.rows("SELECT id FROM orders") == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [({"items": []}, 400, "bad_request"), ({"total": 1}, 400, "bad_request"),
     ({"tipCents": -1}, 400, "bad_request"), ({"storeSlug": "nobody"}, 404, "no_such_store")],
)  # fmt: skip
async def test_a_session_that_cannot_be_read_places_nothing(
    staffed: Staffed, shop: Counter, change: dict[str, Any], status: int, code: str
) -> None:
    answer = await ask(staffed, "POST", "/api/checkout-session", await wanted(staffed, **change))
    assert (answer.status_code, code_of(answer)) == (status, code)


async def test_what_is_sold_out_and_choices_that_are_none_are_refused(
    staffed: Staffed, shop: Counter
) -> None:
    cake = (await item(staffed, "Carrot cake"))["id"]
    for line, status, code in (
        ({"menuItemId": cake, "quantity": 4}, 409, "sold_out"),
        ({"menuItemId": cake, "choices": ["gold"]}, 422, "options"),
        ({"menuItemId": "00000000-0000-7000-8000-000000000000"}, 422, "unknown_item"),
    ):
        body = await wanted(staffed, items=[line], totalCents=None)
        answer = await ask(staffed, "POST", "/api/checkout-session", body)
        assert (answer.status_code, code_of(answer)) == (status, code)
        assert answer.json()["error"]["details"] == {"menuItemId": line["menuItemId"]}


async def test_staff_take_an_order_from_paid_to_completed(staffed: Staffed, shop: Counter) -> None:
    await placed(staffed)
    boris = await staffed.token("boris")
    listed = (await staffed.call(boris, "GET", STAFF)).json()
    assert shape(listed) == shape(ORDERS)
    (order,) = listed["orders"]
    assert (order["status"], order["customerName"]) == ("PLACED", "Maria")
    one = f"{STAFF}/{order['id']}"
    for status in ("PREPARING", "READY", "PREPARING", "PLACED", "PREPARING", "READY"):
        answer = await staffed.call(boris, "POST", f"{one}/status", {"status": status})
        assert (answer.status_code, answer.json()["status"]) == (200, status)
    refused = await staffed.call(boris, "POST", f"{one}/status", {"status": "COMPLETED"})
    assert (refused.status_code, code_of(refused)) == (422, "code_needed")
    found = await shop.stage.value("SELECT id FROM orders")
    wrong = {"code": await shop.wrong_code(found)}
    answer = await staffed.call(boris, "POST", f"{one}/complete", wrong)
    assert (answer.status_code, code_of(answer)) == (422, "wrong_code")
    assert answer.json()["error"]["details"] == {"triesLeft": 4}
    digits = await shop.code(found)
    answer = await staffed.call(boris, "POST", f"{one}/complete", {"code": digits})
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")
    listed = await staffed.call(boris, "GET", f"{STAFF}?status=READY")
    assert listed.json() == {"orders": []}
    done = await staffed.log("order.completed")
    assert [entry["subject"] for entry in done] == [order["id"]]


async def test_nothing_that_staff_read_has_the_code_or_the_customers_link(
    staffed: Staffed, shop: Counter
) -> None:
    link = (await placed(staffed)).json()["orderUrl"].rpartition("/")[2]
    boris = await staffed.token("boris")
    found = await shop.stage.value("SELECT id FROM orders")
    said = [(await staffed.call(boris, "GET", STAFF)).text]
    for status in ("PREPARING", "READY"):
        answer = await staffed.call(boris, "POST", f"{STAFF}/{found}/status", {"status": status})
        said.append(answer.text)
    digits = await shop.code(found)
    assert not any(digits in text or link in text for text in said)


async def test_an_order_is_rejected_with_a_reason_alone(staffed: Staffed, shop: Counter) -> None:
    await placed(staffed)
    boris, found = await staffed.token("boris"), await shop.stage.value("SELECT id FROM orders")
    body = {"status": "CANCELLED"}
    answer = await staffed.call(boris, "POST", f"{STAFF}/{found}/status", body)
    assert (answer.status_code, code_of(answer)) == (422, "reason_missing")
    body["reason"] = "The oven is broken"
    answer = await staffed.call(boris, "POST", f"{STAFF}/{found}/status", body)
    assert (answer.status_code, answer.json()["status"]) == (200, "CANCELLED")
    await shop.stage.sweep()
    assert shop.stage.refunded() == 880


async def test_staff_of_another_outlet_see_nothing_of_it(staffed: Staffed, shop: Counter) -> None:
    await placed(staffed)
    ravi, found = await staffed.token("ravi"), await shop.stage.value("SELECT id FROM orders")
    assert (await staffed.call(ravi, "GET", STAFF)).json() == {"orders": []}
    answer = await staffed.call(ravi, "POST", f"{STAFF}/{found}/status", {"status": "PREPARING"})
    assert answer.status_code == 404


async def test_staff_filter_orders_by_status_store_name_and_time(
    staffed: Staffed, shop: Counter
) -> None:
    token = await staffed.token("boris")
    began = staffed.stage.context.now().isoformat().replace("+00:00", "Z")
    staffed.later(1)
    placed = await shop.paid(name="Maria")
    await shop.preparing(name="Noor")
    await shop.complete(await shop.ready(name="Ira"))

    async def found(query: str) -> list[str]:
        answer = await staffed.call(token, "GET", f"{STAFF}?{query}")
        assert answer.status_code == 200, answer.text
        return sorted(order["customerName"] for order in answer.json()["orders"])

    number = await shop.stage.value("SELECT number FROM orders WHERE id = $1", placed)
    assert await found("status=PLACED&status=PREPARING") == ["Maria", "Noor"]
    assert await found("status=COMPLETED") == ["Ira"]
    assert await found("store=corner&search=mAr") == ["Maria"]
    assert await found(f"search={number.lower()}") == ["Maria"]
    assert await found("store=elsewhere") == []
    staffed.later(3 * 3600)
    token = await staffed.token("boris")
    assert await found("status=COMPLETED") == [], "it ended long ago"
    assert await found(f"status=COMPLETED&since={began}") == ["Ira"]
    for wrong in ("status=DONE", "since=yesterday"):
        assert (await staffed.call(token, "GET", f"{STAFF}?{wrong}")).status_code == 400
