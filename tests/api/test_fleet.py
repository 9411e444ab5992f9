"""Machines by distance and templates over HTTP: the verbs of the console, for programs."""

import pytest

from coinslot.fleet import config
from coinslot.fleet.config import ConfigChange
from coinslot.kit.money import Money
from tests.api.test_machines import Client, key_of, refused
from tests.api.test_machines import api as api
from tests.fleet.test_config import changed, price
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage


async def test_machines_are_listed_by_distance_and_none_of_another_merchant(
    stage: Stage, api: Client
) -> None:
    await changed(stage, ConfigChange(device={"gps": {"lat": 18.5, "lng": 73.8}}))
    found = (await api.get("/machines/near?lat=18.5&lng=73.81")).json()["machines"]
    assert [(one["code"], 1000 < one["metres"] < 1100) for one in found] == [("M01", True)]
    hers = await key_of(stage, (await chandras_machine(stage)).merchant_id)
    none = await api.get(
        "/machines/near?lat=18.5&lng=73.81", headers={"authorization": f"Bearer {hers}"}
    )
    assert none.json() == {"machines": []}


@pytest.mark.parametrize(
    "query", ["", "lat=91&lng=0", "lat=0&lng=181", "lat=nan&lng=0", "lat=0&lng=inf",
              "lat=0&lng=0&limit=201", "lat=0&lng=0&limit=0"],
)  # fmt: skip
async def test_no_point_on_earth_is_refused(api: Client, query: str) -> None:
    assert refused(await api.get(f"/machines/near?{query}")) == (400, "bad_request")


async def test_a_template_is_made_listed_and_applied_once_however_often_it_is_sent(
    stage: Stage, api: Client
) -> None:
    for _ in range(2):
        made = await api.put("/templates/ours", json={"machine": "M01"})
        assert (made.status_code, made.json()["shipped"]) == (200, False)
    listed = (await api.get("/templates")).json()["templates"]
    assert made.json() in listed
    assert {one["name"] for one in listed if one["shipped"]} >= {"cans-6", "snacks-24"}
    await changed(stage, ConfigChange(slots=price(4500), codes="replace"))
    for _ in range(2):
        done = await api.post(
            "/templates/ours/apply?codes=replace", json={"machines": ["M01", "M99"]}
        )
        assert done.status_code == 200
        fine, missing = done.json()["machines"]
        assert (fine["machine"], fine["version"]) == ("M01", 3)
        assert (missing["version"], missing["problem"]) == (None, "no machine has the code M99")
    now = await config.read(stage.context, stage.merchant, "M01")
    assert now.slots[0].price == Money(4000, "INR")


async def test_what_is_no_template_is_refused(api: Client) -> None:
    shipped = await api.put("/templates/cans-6", json={"machine": "M01"})
    assert refused(shipped) == (422, "invalid_template")
    badly = await api.put("/templates/Not%20a%20name", json={"machine": "M01"})
    assert refused(badly) == (400, "bad_request")
    nobodys = await api.put("/templates/ours", json={"machine": "M99"})
    assert refused(nobodys) == (404, "not_found")
    wrong: list[dict[str, list[str]]] = [
        {"machines": []}, {"machines": ["M 1"]}, {"machines": ["M01"] * 501}, {},
    ]  # fmt: skip
    for body in wrong:
        assert refused(await api.post("/templates/cans-6/apply", json=body)) == (400, "bad_request")
    for name in ("none", "%00"):
        gone = await api.post(f"/templates/{name}/apply", json={"machines": ["M01"]})
        assert refused(gone) == (404, "not_found")
