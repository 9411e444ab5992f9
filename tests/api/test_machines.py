"""Machines over HTTP: each call as each key, answered once, refused by one format, and never
Chandra's business."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from coinslot.api.openapi.machines import NEEDS
from coinslot.channels import messages as wire
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.merchants.keys import SCOPES, KeyRequest, issue_key
from coinslot.outlets.machines import is_device
from coinslot.telemetry import dex
from tests.kept_app import lent_app
from tests.people.conftest import Staffed
from tests.people.conftest import staffed as staffed
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage

Client = httpx.AsyncClient
PRICE = {"amount": 4000, "currency": "INR"}
COLA = {"slot": "A1", "sku": "cola", "par": 8}
NEW = {"code": "M07", "name": "Platform 7", "slots": [COLA]}
CONFIG = {"name": "Platform 1", "slots": [{"slot": "A1", "sku": "cola", "price": PRICE}]}
CALLS: dict[str, tuple[str, str, Any]] = {
    "onboardMachine": ("POST", "/machines/onboard", NEW),
    "readMachineConfig": ("GET", "/machines/M01/config", None),
    "writeMachineConfig": ("PUT", "/machines/M01/config", CONFIG),
    "readMachineStatus": ("GET", "/machines/M01/status", None),
    "provisionDevice": ("POST", "/machines/M01/provision-device", {}),
    "readMachineStock": ("GET", "/machines/M01/stock", None),
    "refillMachine": ("POST", "/machines/M01/refills", {"slots": [{"slot": "A1", "after": 9}]}),
    "readMachineHealth": ("GET", "/machines/M01/health?span=year", None),
    "readMachineLogs": ("GET", "/machines/M01/logs?text=motor&level=warning", None),
    "unlockMachine": ("POST", "/machines/M01/unlock", {"note": "looked"}),
    "readMachineCounts": ("GET", "/machines/M01/dex", None),
    "compareMachineCounts": ("POST", "/machines/M01/dex", {"file": "ST*1\r\nSE*2*1\r\n"}),
    "decommissionMachine": ("DELETE", "/machines/M01/decommission", None),
}


async def key_of(stage: Stage, merchant: Any, *scopes: str) -> str:
    wish = KeyRequest(scopes=scopes or SCOPES)
    return await issue_key(stage.context.db, merchant, stage.clock.now(), wish)


@pytest.fixture
async def api(stage: Stage) -> AsyncIterator[Client]:
    """Asha's server, with a key that may do everything."""
    addresses = DeviceAddresses(mqtt="mqtt://broker.example:1883", login_per_secret=True)
    app: Any = lent_app(stage, devices=addresses)
    wire = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=wire, base_url="http://coinslot.test") as client:
        client.headers["authorization"] = f"Bearer {await key_of(stage, stage.merchant)}"
        yield client


async def call(api: Client, name: str, key: str | None = None, **headers: str) -> httpx.Response:
    method, path, body = CALLS[name]
    sent = {"idempotency-key": "k", "if-match": "*", **headers}
    if key is not None:
        sent["authorization"] = f"Bearer {key}" if key else ""
    return await api.request(method, path, headers=sent, json=body)


async def put(api: Client, tag: str, query: str = "", **changes: Any) -> httpx.Response:
    path = f"/machines/M01/config{query}"
    return await api.put(path, headers={"if-match": tag}, json=CONFIG | changes)


def at(minor: int) -> list[dict[str, Any]]:
    return [{"slot": "A1", "sku": "cola", "price": {"amount": minor, "currency": "INR"}}]


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert answer.json()["success"] is False
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("name", list(NEEDS))
async def test_each_call_needs_a_key_with_its_permission_and_no_other(
    stage: Stage, api: Client, name: str
) -> None:
    assert refused(await call(api, name, key="")) == (401, "unauthorized")
    others = await key_of(stage, stage.merchant, *(set(SCOPES) - {NEEDS[name]}))
    assert refused(await call(api, name, key=others)) == (403, "forbidden")
    own = await key_of(stage, stage.merchant, NEEDS[name])
    good = (409,) if name == "unlockMachine" else (200, 201, 204)  # there is no lock
    assert (await call(api, name, key=own)).status_code in good


@pytest.mark.parametrize("name", [name for name in NEEDS if name != "onboardMachine"])
async def test_chandra_is_told_of_ashas_machine_what_she_is_told_of_none(
    stage: Stage, api: Client, name: str
) -> None:
    hers = await key_of(stage, (await chandras_machine(stage)).merchant_id)
    before = await stage.rows("SELECT * FROM outlets, devices, slots")
    answer = await call(api, name, key=hers)
    assert refused(answer) == (404, "not_found")
    method, path, body = CALLS[name]
    for nowhere in ("M99", "M%2001", "x" * 33, "%00"):
        sent = {"authorization": f"Bearer {hers}", "if-match": "*", "idempotency-key": "n"}
        there = path.replace("M01", nowhere)
        other = await api.request(method, there, headers=sent, json=body)
        assert other.json()["error"]["message"] == answer.json()["error"]["message"]
    assert await stage.rows("SELECT * FROM outlets, devices, slots") == before


async def test_a_new_keys_permissions_are_those_of_a_shop(stage: Stage, api: Client) -> None:
    key = await issue_key(stage.context.db, stage.merchant, stage.clock.now())
    for name in NEEDS:
        assert refused(await call(api, name, key=key)) == (403, "forbidden")


async def test_a_machine_is_set_up_once_and_its_secret_shown_once(
    stage: Stage, api: Client
) -> None:
    first = await call(api, "onboardMachine")
    assert (first.status_code, first.headers["cache-control"]) == (201, "no-store")
    enrolment = first.json()["enrolment"]
    assert (enrolment["machine"], enrolment["broker"]) == ("M07", "mqtt://broker.example:1883")
    assert await is_device(stage.context.db, "M07", enrolment["secret"]) == stage.merchant
    assert first.json()["machine"]["slots"] == [COLA | {"price": PRICE}]
    again = await call(api, "onboardMachine")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json() == first.json() | {"enrolment": None}
    kept = await stage.value("SELECT body FROM idempotency_keys")
    assert enrolment["secret"] not in str(kept)
    other = await call(api, "onboardMachine", **{"idempotency-key": "another"})
    assert refused(other) == (409, "machine_exists")
    missing = await api.post("/machines/onboard", json=NEW)
    assert refused(missing) == (400, "idempotency_key_missing")


async def test_of_two_calls_at_once_one_machine_comes(stage: Stage, api: Client) -> None:
    both = await asyncio.gather(*(call(api, "onboardMachine") for _ in range(2)))
    assert [answer.status_code for answer in both] == [201, 201]
    shown = [answer.json()["enrolment"] for answer in both]
    assert sorted(enrolment is None for enrolment in shown) == [False, True]


async def test_what_cannot_be_set_up_is_named_by_its_field(api: Client) -> None:
    wrong = NEW | {"slots": [{"slot": "A1", "sku": "tea"}], "template": "nosuch"}
    answer = await api.post("/machines/onboard", json=wrong, headers={"idempotency-key": "wrong"})
    assert refused(answer) == (422, "invalid_machine")
    assert answer.json()["error"]["details"] == {"template": "there is no template nosuch."}
    # The key was not used up by what was refused.
    right = await api.post("/machines/onboard", json=NEW, headers={"idempotency-key": "wrong"})
    assert right.status_code == 201


async def test_a_configuration_is_replaced_by_who_has_seen_it(api: Client) -> None:
    read = await call(api, "readMachineConfig")
    assert read.headers["etag"] == '"1"'
    assert read.json()["device_version"] is None
    changed = await put(api, read.headers["etag"], name="Platform 2", device={"speed": 3})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (changed.json()["name"], changed.json()["device"]) == ("Platform 2", {"speed": 3})
    stale = await put(api, read.headers["etag"], name="Platform 3")
    assert refused(stale) == (412, "stale_config")
    assert stale.headers["etag"] == '"2"'
    assert refused(await put(api, '"x"')) == (412, "stale_config")
    blind = await api.put("/machines/M01/config", json=CONFIG)
    assert refused(blind) == (428, "if_match_missing")


async def test_of_two_who_replace_the_same_version_one_is_told(api: Client) -> None:
    both = await asyncio.gather(*(put(api, '"1"', name=name) for name in ("one", "two")))
    assert sorted(answer.status_code for answer in both) == [200, 412]


async def test_a_price_under_a_printed_code_says_what_happens_to_the_code(
    stage: Stage, api: Client
) -> None:
    asked = await put(api, '"1"', slots=at(4500))
    assert refused(asked) == (409, "printed_codes")
    assert (
        "it is retired, money paid through it goes back" in asked.json()["error"]["details"]["A1"]
    )
    done = await put(api, '"1"', "?codes=replace", slots=at(4500))
    assert done.json()["slots"][0]["price"]["amount"] == 4500
    await stage.sweep("qr_codes")
    code = (await call(api, "readMachineStatus")).json()["slots"][0]["code"]
    assert (code["takes"], code["stage"]) == ({"amount": 4500, "currency": "INR"}, "open")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"slots": []}, 422, "slots"),
        ({"slots": [{"slot": "A1", "sku": "tea", "price": PRICE}]}, 422, "slots[0].sku"),
        ({"zone": "Pune"}, 422, "zone"),
        ({"name": ""}, 400, "name"),
        ({"slots": [{"slot": "A 1", "sku": "cola", "price": PRICE}]}, 400, "slots[0].slot"),
        ({"slots": [{"slot": "A1", "sku": "cola", "price": 40}]}, 400, "slots[0].price"),
        ({"colour": "red"}, 400, "colour"),
        ({"name": "M\u0000"}, 400, "name"),
    ],
)
async def test_what_cannot_be_configured_is_named_by_its_field(
    api: Client, change: dict[str, Any], status: int, field: str
) -> None:
    answer = await put(api, '"1"', **change)
    assert answer.status_code == status
    assert field in answer.json()["error"]["details"]


async def test_a_device_says_which_version_it_has(stage: Stage, api: Client) -> None:
    await put(api, '"1"', name="Platform 2")
    hello = msgspec.convert(
        {"type": "HELLO", "journal_id": "j1", "boot_id": "b1", "mono_ms": 1, "last_seq": 0,
         "config_version": 1}, wire.Hello,
    )  # fmt: skip
    (sync,) = await stage.hear(hello)
    assert sync.config_version == 2
    read = (await call(api, "readMachineConfig")).json()
    assert (read["version"], read["device_version"]) == (2, 1)


async def test_a_devices_secret_is_shown_once_as_file_and_code(stage: Stage, api: Client) -> None:
    answer = await call(api, "provisionDevice")
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    shown = answer.json()
    assert msgspec.json.decode(shown["file"]) == shown["enrolment"]
    assert shown["qr_svg"].startswith("<svg ")
    assert (shown["enrolment"]["login"], shown["enrolment"]["replaces"]) == ("M01.2", 1)
    secret = shown["enrolment"]["secret"]
    for name in ("readMachineConfig", "readMachineStatus"):
        assert secret not in (await call(api, name)).text
    assert await is_device(stage.context.db, "M01", stage.secret) == stage.merchant
    assert await is_device(stage.context.db, "M01", secret) == stage.merchant
    assert await is_device(stage.context.db, "M01", stage.secret) is None


async def test_no_machine_goes_out_of_service_while_a_unit_is_open(
    stage: Stage, api: Client
) -> None:
    await stage.hello()
    await stage.sell()
    waits = await call(api, "decommissionMachine")
    assert refused(waits) == (409, "units_open")
    assert waits.json()["error"]["details"]["units"] == 1
    await stage.sweep("fulfillments")
    await stage.accept()
    await stage.result(event_seq=1)
    for _ in range(2):
        assert (await call(api, "decommissionMachine")).status_code == 204
    assert refused(await put(api, "*")) == (409, "out_of_service")
    assert refused(await call(api, "provisionDevice")) == (409, "out_of_service")
    status = (await call(api, "readMachineStatus")).json()
    assert status["machine"]["state"] == "out_of_service"


async def test_people_do_what_their_role_says_and_the_log_tells_who(
    staffed: Staffed, stage: Stage
) -> None:
    can: dict[str, set[str]] = {}
    for login in ("vera", "boris", "asha", "ravi", "meera"):
        token = await staffed.token(login)
        async with staffed.client() as client:
            answers = {name: await call(client, name, key=token) for name in NEEDS
                       if name != "decommissionMachine"}  # fmt: skip
        can[login] = {name for name, said in answers.items() if said.status_code != 403}
    reads = {name for name, needed in NEEDS.items() if needed == "machines:read"}
    writes = {
        *reads, "onboardMachine", "writeMachineConfig", "refillMachine", "unlockMachine",
        "compareMachineCounts",
    }  # fmt: skip
    assert can == {
        "vera": reads, "boris": writes, "asha": {*writes, "provisionDevice"},
        "ravi": set(), "meera": set(),
    }  # fmt: skip
    (onboarded,) = await staffed.log("machine.onboarded")
    assert (onboarded["person_id"], onboarded["subject"]) == (staffed.people["boris"], "M07")
    (given,) = await staffed.log("device.provisioned")
    assert given["person_id"] == staffed.people["asha"]
    assert given["after"] == {"key_id": 2, "replaces": 1, "at_once": False}


async def test_a_secret_is_given_out_only_on_a_fresh_proof(staffed: Staffed) -> None:
    tokens = (await staffed.login("asha")).json()
    staffed.later(staffed.stage.context.windows.step_up_s + 1)
    async with staffed.client() as client:
        body = {"refresh_token": tokens["refresh_token"]}
        token = (await client.post("/auth/refresh", json=body)).json()["access_token"]
        stale = await call(client, "provisionDevice", key=token)
        assert refused(stale) == (403, "step_up_required")
        assert (await call(client, "readMachineStatus", key=token)).status_code == 200


@pytest.mark.parametrize("name", [name for name in NEEDS if name != "onboardMachine"])
async def test_chandras_people_are_told_that_ashas_machine_is_not_there(
    staffed: Staffed, name: str
) -> None:
    token = await staffed.token("chandra")
    async with staffed.client() as client:
        assert refused(await call(client, name, key=token)) == (404, "not_found")


async def test_a_key_stands_in_the_log_by_its_id(stage: Stage, api: Client) -> None:
    for name in ("onboardMachine", "writeMachineConfig", "provisionDevice", "decommissionMachine"):
        assert (await call(api, name)).status_code < 300
    async with stage.context.db.system_transaction() as conn:
        rows = await conn.fetch("SELECT action, address, person_id FROM audit_log ORDER BY seq")
        key = await conn.fetchval("SELECT id FROM api_keys ORDER BY created_at LIMIT 1")
    assert [row["action"] for row in rows] == [
        "machine.onboarded",
        "machine.configured",
        "device.provisioned",
        "machine.decommissioned",
    ]
    assert {(row["address"], row["person_id"]) for row in rows} == {(f"API key {key}", None)}


async def test_a_file_of_counts_is_judged_by_its_own_length_not_by_that_of_its_escapes(
    api: Client,
) -> None:
    """The longest file, and one that is a character longer, each character an escape of JSON."""
    answers = []
    for file in ("\xe9" * dex.MOST_BYTES, "😀" * (dex.MOST_BYTES + 1)):
        answer = await api.post("/machines/M01/dex", content=json.dumps({"file": file}))
        answers.append((answer.status_code, answer.json()["error"]["code"]))
    assert answers == [(422, "invalid_counts"), (400, "bad_request")]
