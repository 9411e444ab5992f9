"""Firmware and roll-outs over HTTP: uploaded once, refused with a reason, never Chandra's; and the
downloads of machines, whole and in parts."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from msgspec.structs import replace

from coinslot.api.openapi.rollouts import ANSWERED, NEEDS, SENT
from coinslot.api.rollouts import (
    Because,
    Builds,
    FirmwareKeys,
    FirmwareUpload,
    NewFirmwareKey,
    Resumption,
    RolloutList,
    WantedRollout,
)
from coinslot.merchants.keys import SCOPES, KeyRequest, issue_key
from coinslot.rollouts.downloads import PART_BYTES_AT_MOST
from coinslot.rollouts.firmware import Build
from coinslot.rollouts.manifest import sign
from coinslot.rollouts.rollouts import Wave
from tests.kept_app import lent_app
from tests.rollouts.fleet import KEY, PUBLIC, Fleet, manifest_of
from tests.sales.neighbours import chandras_machine

IMAGE = bytes(range(256)) * 2048  # half a megabyte


@pytest.fixture
async def api(fleet: Fleet) -> AsyncIterator[httpx.AsyncClient]:
    app: Any = lent_app(fleet.stage)
    wire = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=wire, base_url="http://coinslot.test") as client:
        client.headers["authorization"] = f"Bearer {await _key(fleet, fleet.stage.merchant)}"
        yield client


async def _key(fleet: Fleet, merchant: Any, *scopes: str) -> str:
    wish = KeyRequest(scopes=scopes or SCOPES)
    return await issue_key(fleet.stage.context.db, merchant, fleet.stage.clock.now(), wish)


def body_of(image: bytes = IMAGE, **more: Any) -> dict[str, str]:
    text, signature = sign(KEY, manifest_of(image, **more))
    encoded = base64.b64encode(image).decode()
    return {"manifest": text, "signature": signature.hex(), "image": encoded}


async def _uploaded(api: httpx.AsyncClient, **more: Any) -> str:
    said = {"name": "laptop", "public_key": PUBLIC.hex()}
    await api.post("/firmware/keys", json=said)
    answer = await api.post("/firmware", json=body_of(**more))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_build_is_uploaded_rolled_out_and_read_over_http(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    await fleet.add(1)
    build = await _uploaded(api)
    assert (await api.get("/firmware")).json()["data"][0]["sha256"] == hashlib.sha256(
        IMAGE
    ).hexdigest()
    draft = (await api.post("/rollouts", json={"firmware": build})).json()["rollout"]
    assert draft["state"] == "draft"
    path = f"/rollouts/{draft['id']}"
    started = await api.post(f"{path}/start")
    assert started.json()["rollout"]["state"] == "running"
    assert started.json()["rollout"]["counts"] == {"waiting": 1}
    assert (await api.post(f"{path}/pause")).json()["rollout"]["pause"]["reason"] == "person"
    assert (await api.post(f"{path}/resume", json={})).json()["rollout"]["state"] == "running"
    ended = await api.post(f"{path}/abort", json={"reason": "the display stays dark"})
    assert ended.json()["rollout"]["state"] == "aborted"
    again = await api.post(f"{path}/start")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "not_now")
    assert (await api.get("/rollouts")).json()["data"][0]["id"] == draft["id"]
    acts = await fleet.stage.rows("SELECT action FROM audit_log ORDER BY seq")
    assert [row["action"] for row in acts] == [
        "firmware_key.added", "firmware.uploaded", "rollout.created", "rollout.started",
        "rollout.paused", "rollout.resumed", "rollout.aborted",
    ]  # fmt: skip


async def test_a_build_that_is_not_whole_or_not_ours_is_not_kept(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    good = body_of()
    refused: list[tuple[dict[str, str], str]] = [
        (good, "not_signed"),  # before its key is registered
        (good | {"image": base64.b64encode(IMAGE[:-1]).decode()}, "other_image"),
        (good | {"image": base64.b64encode(b"x" + IMAGE[1:]).decode()}, "other_image"),
        (good | {"manifest": good["manifest"] + " "}, "not_signed"),
        (good | {"manifest": "{}"}, "bad_manifest"),
        (body_of(expires="2026-11-01T00:00:00Z"), "expired"),
    ]
    for number, (body, code) in enumerate(refused):
        answer = await api.post("/firmware", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
        if not number:
            said = {"name": "laptop", "public_key": PUBLIC.hex()}
            assert (await api.post("/firmware/keys", json=said)).status_code == 201
            assert (await api.post("/firmware/keys", json=said)).status_code == 409
    assert await fleet.stage.value("SELECT count(*) FROM firmware_builds") == 0


async def test_the_same_build_twice_is_one_and_a_sequence_is_never_given_away_again(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    first = await _uploaded(api)
    assert (await api.post("/firmware", json=body_of())).json()["id"] == first
    other = await api.post("/firmware", json=body_of(b"other"))
    assert (other.status_code, other.json()["error"]["code"]) == (409, "sequence_taken")


async def test_a_retired_key_signs_no_more(fleet: Fleet, api: httpx.AsyncClient) -> None:
    await _uploaded(api)
    (key,) = (await api.get("/firmware/keys")).json()["data"]
    assert (await api.delete(f"/firmware/keys/{key['id']}")).status_code == 204
    assert (await api.delete(f"/firmware/keys/{key['id']}")).status_code == 404
    answer = await api.post("/firmware", json=body_of(b"newer", sequence=3))
    assert answer.json()["error"]["code"] == "not_signed"


async def test_a_lower_sequence_is_refused_and_older_code_comes_back_with_a_higher_one(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    await fleet.add(1)
    await fleet.roll_out(await fleet.upload("2.0.0", sequence=5))
    await fleet.settle()
    assert fleet.versions() == {"2.0.0": 1}
    older = await _uploaded(api, sequence=4, version="1.9.0")
    answer = await api.post("/rollouts", json={"firmware": older})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "lower_sequence")
    await api.post(f"/rollouts/{fleet.rollout}/abort", json={})
    undo = await fleet.upload("1.0.0", sequence=6)
    await fleet.roll_out(undo)
    await fleet.settle()
    assert fleet.versions() == {"1.0.0": 1}


async def test_code_that_the_kept_one_could_not_read_after_is_refused(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    await fleet.add(1)
    await fleet.roll_out(await fleet.upload("2.0.0"))  # reads and writes format 1
    await fleet.settle()
    build = await _uploaded(api, sequence=3, journal_formats=[1, 2])
    answer = await api.post("/rollouts", json={"firmware": build})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "journal_unreadable")


async def test_what_a_machine_says_that_it_reads_counts_where_nobody_uploaded_its_code(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    (code,) = await fleet.add(1)  # as it left the factory
    build = await _uploaded(api, sequence=3, journal_formats=[1, 2])
    answer = await api.post("/rollouts", json={"firmware": build})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "journal_unreadable")
    hello = fleet.machines[code].hello()
    reads = replace(hello.capabilities, journal_formats=[1, 2])
    await fleet.tell(fleet.machines[code], replace(hello, capabilities=reads))
    assert (await api.post("/rollouts", json={"firmware": build})).status_code == 201


async def test_one_wave_at_a_time_reaches_machines_of_a_hardware(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    await fleet.add(1)
    await fleet.roll_out(await fleet.upload())
    build = await _uploaded(api, sequence=3)
    draft = (await api.post("/rollouts", json={"firmware": build})).json()["rollout"]["id"]
    answer = await api.post(f"/rollouts/{draft}/start")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "another_rollout")


@pytest.mark.parametrize("name", list(NEEDS))
async def test_a_key_needs_the_scope_of_its_call_and_chandra_finds_nothing(
    fleet: Fleet, api: httpx.AsyncClient, name: str
) -> None:
    await fleet.add(1)
    build = await fleet.upload()
    rollout = await fleet.roll_out(build)
    method, path, body = _call(name, str(rollout), str(build))
    others = await _key(fleet, fleet.stage.merchant, *(set(SCOPES) - {NEEDS[name]}))
    headers = {"authorization": f"Bearer {others}"}
    refused = await api.request(method, path, json=body, headers=headers)
    assert refused.status_code == 403
    await chandras_machine(fleet.stage)
    async with fleet.stage.context.db.system_transaction() as conn:
        chandra = await conn.fetchval("SELECT id FROM merchants WHERE slug = 'chandra'")
    headers = {"authorization": f"Bearer {await _key(fleet, chandra)}"}
    hers = await api.request(method, path, json=body, headers=headers)
    if path.count("/") == 1 or name.endswith("Keys"):
        found = hers.json().get("data", [])
        assert found == [] or hers.status_code in (404, 422)
    elif name != "addFirmwareKey":
        assert hers.status_code == 404


def _call(name: str, rollout: str, build: str) -> tuple[str, str, Any]:
    one = f"/rollouts/{rollout}"
    calls: dict[str, tuple[str, str, Any]] = {
        "listFirmwareKeys": ("GET", "/firmware/keys", None),
        "addFirmwareKey": ("POST", "/firmware/keys", {"name": "k", "public_key": "3f" * 32}),
        "retireFirmwareKey": ("DELETE", f"/firmware/keys/{uuid4()}", None),
        "listFirmware": ("GET", "/firmware", None),
        "uploadFirmware": ("POST", "/firmware", body_of()),
        "listRollouts": ("GET", "/rollouts", None),
        "createRollout": ("POST", "/rollouts", {"firmware": build}),
        "readRollout": ("GET", one, None),
        "startRollout": ("POST", f"{one}/start", None),
        "pauseRollout": ("POST", f"{one}/pause", None),
        "resumeRollout": ("POST", f"{one}/resume", {}),
        "abortRollout": ("POST", f"{one}/abort", {}),
        "giveUpMachine": ("POST", f"{one}/machines/V000/give-up", {}),
    }
    return calls[name]


# Downloads.


async def _address(fleet: Fleet, image: bytes = IMAGE) -> str:
    """Where a machine is told to load."""
    (code,) = await fleet.add(1)
    fleet.machines[code].deaf = True
    await fleet.roll_out(await fleet.upload_image(image))
    await fleet.settle()
    url = next(m["manifest_url"] for m in fleet.line.sent if "manifest_url" in m)
    return str(url).removeprefix(fleet.stage.context.public_url)


async def test_a_machine_loads_the_manifest_and_the_image_in_parts(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    place = await _address(fleet)
    del api.headers["authorization"]  # it has nothing but the address
    said = (await api.get(place)).json()
    assert hashlib.sha256(IMAGE).hexdigest() in said["manifest"]
    whole = await api.get(f"{place}/image")
    assert (whole.status_code, whole.content) == (200, IMAGE)
    assert "content-encoding" not in whole.headers
    loaded = b""
    while len(loaded) < len(IMAGE):
        part = await api.get(f"{place}/image", headers={"range": f"bytes={len(loaded)}-"})
        assert part.status_code == 206
        end = len(loaded) + len(part.content) - 1
        assert part.headers["content-range"] == f"bytes {len(loaded)}-{end}/{len(IMAGE)}"
        assert len(part.content) <= PART_BYTES_AT_MOST
        loaded += part.content
    assert loaded == IMAGE
    few = await api.get(f"{place}/image", headers={"range": "bytes=10-19"})
    assert few.content == IMAGE[10:20]


async def test_a_part_beyond_the_end_is_refused_with_the_size(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    place = await _address(fleet)
    beyond = await api.get(f"{place}/image", headers={"range": f"bytes={len(IMAGE)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(IMAGE)}"
    odd = await api.get(f"{place}/image", headers={"range": "bytes=1-2,5-6"})
    assert odd.status_code == 200


async def test_strangers_guess_nothing_and_ask_no_database(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    place = await _address(fleet)
    name = place.rpartition("/")[2]
    update, attempt, proof = name.split("-")
    other = "0" if proof[0] != "0" else "1"
    before = fleet.stage.context.db
    fleet.stage.context.db = None  # type: ignore[assignment]  # whoever asks it fails
    for wrong in (
        f"{update}-{attempt}-{other}{proof[1:]}", f"{update}-2-{proof}", f"{uuid4().hex}-1-{proof}",
        "..%2f..%2fetc%2fpasswd", f"{name}%2f..", name.upper(), "x",
    ):  # fmt: skip
        for path in (f"/firmware/downloads/{wrong}", f"/firmware/downloads/{wrong}/image"):
            assert (await api.get(path)).status_code in (400, 404), path
    fleet.stage.context.db = before


async def test_an_address_ends_with_its_attempt_and_with_its_roll_out(
    fleet: Fleet, api: httpx.AsyncClient
) -> None:
    place = await _address(fleet)
    assert (await api.get(place)).status_code == 200
    await api.post(f"/rollouts/{fleet.rollout}/abort", json={})
    assert (await api.get(place)).status_code == 404
    assert (await api.get(f"{place}/image")).status_code == 404


# The description.


TAKEN = {
    "addFirmwareKey": NewFirmwareKey, "uploadFirmware": FirmwareUpload,
    "createRollout": WantedRollout, "resumeRollout": Resumption, "abortRollout": Because,
    "giveUpMachine": Because,
}  # fmt: skip
GIVEN: dict[str, Any] = {
    "listFirmwareKeys": FirmwareKeys, "addFirmwareKey": FirmwareKeys, "listFirmware": Builds,
    "uploadFirmware": Build, "listRollouts": RolloutList,
}  # fmt: skip


def test_every_example_is_what_would_be_sent_or_answered() -> None:
    for name, examples in SENT.items():
        for one in examples.values():
            msgspec.convert(one, TAKEN[name], builtin_types=())
    for name, examples in ANSWERED.items():
        for one in examples.values():
            shape = GIVEN.get(name, Wave)
            read = msgspec.convert(one, shape)
            assert msgspec.json.decode(msgspec.json.encode(read)) == one
