"""Stock, refills, routes and pick lists over HTTP."""

from typing import Any

import pytest

from coinslot.api.openapi.stock import NEEDS
from coinslot.merchants.keys import SCOPES
from tests.api.test_machines import Client, key_of, refused
from tests.api.test_machines import api as api
from tests.sales.stage import Stage

REFILL = {"slots": [{"slot": "A1", "before": 10, "after": 20, "expires_on": "2027-01-31"}]}
CALLS: dict[str, tuple[str, str, Any]] = {
    "listNearMachines": ("GET", "/machines/near?lat=18.5&lng=73.8", None),
    "listTemplates": ("GET", "/templates", None),
    "makeTemplate": ("PUT", "/templates/ours", {"machine": "M01"}),
    "applyTemplate": ("POST", "/templates/cans-6/apply", {"machines": ["M01"]}),
    "readSlotTable": ("GET", "/slots", None),
    "previewSlotTable": ("POST", "/slots/preview", {"table": "machine,slot,par\nM01,A1,9\n"}),
    "applySlotTable": (
        "POST",
        "/slots/apply",
        {"table": "machine,slot,par\nM01,A1,9\n", "versions": {"M01": 1}},
    ),
    "readPickList": ("GET", "/picklists", None),
    "listRoutes": ("GET", "/routes", None),
    "writeRoute": ("PUT", "/routes/North", {"machines": ["M01"]}),
    "deleteRoute": ("DELETE", "/routes/South", None),
}


async def refill(api: Client, key: str, body: Any = REFILL) -> Any:
    return await api.post("/machines/M01/refills", json=body, headers={"idempotency-key": key})


async def test_a_refill_is_recorded_once_however_often_it_is_sent(
    stage: Stage, api: Client
) -> None:
    first, again = await refill(api, "k"), await refill(api, "k")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert await stage.value("SELECT count(*) FROM refill_visits") == 1
    assert await stage.value("SELECT stock FROM slots") == 20
    (slot,) = (await api.get("/machines/M01/stock")).json()["slots"]
    assert (slot["stock"], slot["counted_by_machine"]) == (20, False)
    assert slot["lots"] == [
        {"pieces": 10, "expires_on": None}, {"pieces": 10, "expires_on": "2027-01-31"}
    ]  # fmt: skip
    other = {"slots": [{"slot": "A1", "after": 3}]}
    assert refused(await refill(api, "k", other)) == (422, "idempotency_key_reused")
    without = await api.post("/machines/M01/refills", json=REFILL)
    assert refused(without) == (400, "idempotency_key_missing")


async def test_what_no_machine_can_hold_is_refused(stage: Stage, api: Client) -> None:
    for slots, status in (
        ([], 400), ([{"slot": "A1", "after": -1}], 400), ([{"slot": "A1", "after": "9"}], 400),
        ([{"slot": "A1", "after": 10_001}], 400), ([{"slot": "Z9", "after": 1}], 422),
        ([{"slot": "A1", "after": 1}] * 2, 422),
    ):  # fmt: skip
        answer = await refill(api, f"{slots}"[:40], {"slots": slots})
        assert answer.status_code == status, slots
    assert await stage.value("SELECT stock FROM slots") == 10


async def test_a_route_is_made_read_packed_for_and_removed(stage: Stage, api: Client) -> None:
    await stage.rows("UPDATE slots SET par = 15 RETURNING slot")
    made = await api.put("/routes/North", json={"machines": ["M01"]})
    assert (made.status_code, made.json()) == (200, {"name": "North", "machines": ["M01"]})
    assert (await api.get("/routes")).json() == {"routes": [made.json()]}
    found = (await api.get("/picklists?route=North&on=2026-11-21")).json()
    assert (found["route"], found["products"][0]["bring"]) == ("North", 5)
    for query, code in (
        ("route=South", (404, "not_found")), ("on=2020-01-01", (422, "invalid_day")),
        ("on=soon", (400, "bad_request")),
    ):  # fmt: skip
        assert refused(await api.get(f"/picklists?{query}")) == code
    wrong = await api.put("/routes/North", json={"machines": ["M99"]})
    assert refused(wrong) == (422, "invalid_route")
    assert (await api.delete("/routes/North")).status_code == 204
    assert refused(await api.delete("/routes/North")) == (404, "not_found")


@pytest.mark.parametrize("name", list(NEEDS))
async def test_each_call_needs_its_permission(stage: Stage, api: Client, name: str) -> None:
    method, path, body = CALLS[name]

    async def asked(*scopes: str) -> Any:
        key = await key_of(stage, stage.merchant, *scopes)
        return await api.request(
            method, path, json=body,
            headers={"authorization": f"Bearer {key}", "idempotency-key": "k"},
        )  # fmt: skip

    others = set(SCOPES) - {NEEDS[name]}
    assert refused(await asked(*others)) == (403, "forbidden")
    assert (await asked(NEEDS[name])).status_code in (200, 404)
