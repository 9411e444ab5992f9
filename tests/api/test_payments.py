"""What a merchant's server sees of the API: bodies, codes, headers."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from msgspec.structs import replace

from coinslot.kit.ids import uuid7
from coinslot.merchants.keys import LARGE_REFUNDS, KeyRequest, issue_key
from coinslot.merchants.merchants import Merchant, open_merchant
from tests.api.conftest import Client
from tests.sales.stage import Stage
from tests.sales.taking import Taking
from tests.sales.weather import LOST

CAN = {"amount": 5000, "currency": "INR", "reference": "order-7"}


async def post(api: Client, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
    return await api.post(path, json=body, headers={"Idempotency-Key": key or uuid4().hex})


async def made(api: Client, **more: Any) -> str:
    answer = await post(api, "/payments", {**CAN, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_from_the_payment_to_the_refund(api: Client) -> None:
    payment = await made(api, metadata={"table": "4"})
    confirmed = (await post(api, f"/payments/{payment}/confirm", {})).json()
    assert (confirmed["status"], confirmed["amount_captured"]) == ("succeeded", 5000)
    refund = await post(api, f"/payments/{payment}/refunds", {"amount": 2000, "reason": "cold"})
    assert refund.status_code == 201
    assert refund.json()["status"] == "pending"
    again = await api.get(f"/refunds/{refund.json()['id']}")
    assert (again.json()["amount"], again.json()["reason"]) == (2000, "cold")
    found = (await api.get(f"/payments/{payment}")).json()
    assert (found["metadata"], found["reference"]) == ({"table": "4"}, "order-7")


async def test_a_call_sent_again_is_answered_again_and_says_so(api: Client) -> None:
    first = await post(api, "/payments", CAN, "k1")
    again = await post(api, "/payments", CAN, "k1")
    assert (again.status_code, again.json()) == (201, first.json())
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = await post(api, "/payments", {**CAN, "amount": 1}, "k1")
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "idempotency_key_reused"


async def test_a_post_without_a_key_is_refused(api: Client) -> None:
    payment = await made(api)
    for path in ("", f"/{payment}/confirm", f"/{payment}/cancel", f"/{payment}/refunds"):
        answer = await api.post(f"/payments{path}", json=CAN if not path else {})
        assert answer.status_code == 400, path
        assert answer.json()["error"]["code"] == "idempotency_key_missing"


@pytest.mark.parametrize(
    "body",
    [
        {**CAN, "amount": 0},
        {**CAN, "amount": -1},
        {**CAN, "amount": 50.5},
        {**CAN, "amount": 50.0},
        {**CAN, "amount": "5000"},
        {**CAN, "amount": True},
        {**CAN, "amount": 10**30},
        {**CAN, "currency": "rupees"},
        {**CAN, "surprise": True},
        {**CAN, "metadata": {"a": 1}},
        {"currency": "INR"},
        [],
        None,
    ],
)
async def test_what_cannot_be_read_is_a_400_in_the_one_format(api: Client, body: Any) -> None:
    answer = await post(api, "/payments", body)
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message", "details", "timestamp", "requestId"}


@pytest.mark.parametrize("amount", ["1000", 1000.0, True])
async def test_an_amount_to_give_back_is_a_whole_number(api: Client, amount: Any) -> None:
    payment = await made(api)
    await post(api, f"/payments/{payment}/confirm", {})
    assert (await post(api, f"/payments/{payment}/refunds", {"amount": amount})).status_code == 400


@pytest.mark.parametrize(
    ("more", "code"),
    [({"currency": "XXX"}, "unknown_currency"), ({"currency": "JPY"}, "no_gateway"),
     ({"gateway": "stripe"}, "no_gateway")],
)  # fmt: skip
async def test_what_no_gateway_can_do_is_a_422(api: Client, more: Any, code: str) -> None:
    answer = await post(api, "/payments", {**CAN, **more})
    if answer.status_code == 201:
        answer = await post(api, f"/payments/{answer.json()['id']}/confirm", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)


async def test_a_gateway_that_there_is_not_is_refused_when_the_payment_is_made(
    api: Client,
) -> None:
    for name, code in (("stirpe", "unknown_gateway"), ("", "unknown_gateway"),
                       ("stripe", "no_gateway")):  # fmt: skip
        answer = await post(api, "/payments", {**CAN, "gateway": name})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    answer = await post(api, "/payments", {**CAN, "gateway": "mock", "currency": "JPY"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "no_gateway")
    assert (await api.get("/payments")).json()["data"] == []


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"metadata": {f"k{n}": "x" for n in range(48)}}, {"metadata": "at most 47 entries"}),
        ({"metadata": {"n" * 41: "x"}}, {"metadata." + "n" * 41: "a name of 1 to 40 characters"}),
        ({"description": "d" * 251}, {"description": "at most 250 characters"}),
    ],
)
async def test_what_the_named_gateway_does_not_take_is_refused_when_the_payment_is_made(
    api: Client, more: Any, fields: dict[str, str]
) -> None:
    answer = await post(api, "/payments", {**CAN, **more, "gateway": "mock"}, "k")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "gateway_limit")
    assert error["details"] == fields
    mended = await post(api, "/payments", {**CAN, "gateway": "mock"}, "k")
    assert mended.status_code == 201


async def test_without_a_named_gateway_metadata_stays_whole_and_the_payment_is_collected(
    api: Client,
) -> None:
    many = {f"items[{n}][id]": "x" for n in range(50)}
    payment = await made(api, metadata=many, description="d" * 255)
    confirmed = (await post(api, f"/payments/{payment}/confirm", {})).json()
    assert (confirmed["status"], confirmed["metadata"]) == ("succeeded", many)


async def test_a_payment_once_made_is_answered_again_whatever_the_gateways_are_now(
    api: Client, stage: Stage
) -> None:
    body = {**CAN, "gateway": "mock"}
    first = await post(api, "/payments", body, "k")
    stage.context.accounts.account = replace(stage.account, live=True)  # type: ignore[attr-defined]
    assert (await post(api, "/payments", body, "other")).status_code == 422
    assert (await post(api, "/payments", body, "k")).json() == first.json()


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer sk_test_wrong", "Basic c2s6", "Bearer é"])
async def test_without_a_key_of_ours_nothing_is_told(api: Client, header: str) -> None:
    payment = await made(api)
    answer = await api.get(f"/payments/{payment}", headers={b"authorization": header.encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_nothing_of_a_call_is_read_before_its_key_is_known(api: Client) -> None:
    del api.headers["authorization"]
    assert (await post(api, "/payments", {"amount": "x"})).status_code == 401
    assert (await api.get("/payments?limit=0")).status_code == 401


@pytest.mark.parametrize("name", ["reference", "gateway", "description", "return_url"])
async def test_a_zero_character_is_no_fault_of_ours(api: Client, name: str) -> None:
    assert (await post(api, "/payments", {**CAN, name: "https://a\0"})).status_code == 400
    assert (await post(api, "/payments", {**CAN, "metadata": {"a\0": "b"}})).status_code == 400
    assert (await api.get("/payments?reference=%00")).status_code == 400
    assert (await api.get("/payments?status=paid")).status_code == 400


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/\r\nSet-Cookie: a=b",
        "https://shop.example/\n",
        "https://shop.example\r",
        "https://shop.example/a b",
        "https://shop.example/\ta",
        "https://shop.example/\x7f",
        "https://shop.example/\u0085",
        "https://shop.example/\u2028",
        "https://shop.example/\u202ecod",
        "https://shop.example\\@evil.example/",
        "https:///nowhere",
        "https://",
        "//shop.example/",
        "javascript:alert(1)//https://shop.example/",
        "data:text/html,hello",
        "ftp://shop.example/",
        "\nhttps://shop.example/",
        "",
    ],
)
async def test_a_page_to_return_to_is_a_plain_web_address(api: Client, url: str) -> None:
    answer = await post(api, "/payments", {**CAN, "return_url": url})
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["return_url"])


@pytest.mark.parametrize(
    "url", ["https://shop.example", "http://127.0.0.1:8000/a?b=c#d", "https://кофе.example/чек?n=1"]
)
async def test_a_web_address_to_return_to_is_taken_as_it_is(api: Client, url: str) -> None:
    assert await made(api, return_url=url)


async def test_a_revoked_key_opens_nothing(api: Client, stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE api_keys SET revoked_at = now()")
    assert (await api.get("/payments")).status_code == 401


async def test_a_key_may_do_what_its_scopes_say(api: Client, stage: Stage) -> None:
    payment = await made(api)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE api_keys SET scopes = '{payments:read}'")
    assert (await api.get(f"/payments/{payment}")).status_code == 200
    answer = await post(api, f"/payments/{payment}/confirm", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


async def test_another_merchants_payment_is_not_there(api: Client, stage: Stage) -> None:
    payment = await made(api)
    chandra = Merchant(id=uuid7(stage.clock.now()), name="Chandra", slug="chandra")
    await open_merchant(stage.context.db, chandra, stage.clock.now())
    hers = await issue_key(stage.context.db, chandra.id, stage.clock.now())
    api.headers["authorization"] = f"Bearer {hers}"
    assert (await api.get(f"/payments/{payment}")).status_code == 404
    assert (await post(api, f"/payments/{payment}/confirm", {})).status_code == 404
    assert (await api.get("/payments")).json() == {"data": [], "next": None}


async def test_a_list_is_read_page_by_page(api: Client, gateway: Taking) -> None:
    ids = [await made(api, reference=f"r{n}") for n in range(5)]
    await post(api, f"/payments/{ids[0]}/confirm", {})
    first = (await api.get("/payments?limit=3")).json()
    rest = (await api.get(f"/payments?limit=3&after={first['next']}")).json()
    assert {p["id"] for p in first["data"]} | {p["id"] for p in rest["data"]} == set(ids)
    assert rest["next"] is None
    done = (await api.get("/payments?status=succeeded")).json()["data"]
    assert [p["id"] for p in done] == [ids[0]]
    assert len((await api.get("/payments?reference=r3")).json()["data"]) == 1


async def test_a_key_gives_back_no_more_of_a_payment_than_the_limit_in_one_refund_or_in_several(
    stage: Stage, api: Client
) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE merchants SET currency = coalesce(currency, 'INR')")
        await conn.execute("UPDATE merchants SET refund_proof_minor = 3000")
    payment = await made(api)
    await post(api, f"/payments/{payment}/confirm", {})
    place = f"/payments/{payment}/refunds"
    whole = await post(api, place, {})
    assert (whole.status_code, whole.json()["error"]["code"]) == (403, "refund_above_limit")
    parts = await asyncio.gather(*(post(api, place, {"amount": 2000}) for _ in range(2)))
    assert sorted(answer.status_code for answer in parts) == [201, 403]
    assert (await post(api, place, {"amount": 1000})).status_code == 201
    assert (await post(api, place, {"amount": 1})).status_code == 403
    large = KeyRequest(scopes=("refunds:write", LARGE_REFUNDS))
    key = await issue_key(stage.context.db, stage.merchant, stage.clock.now(), large)
    api.headers["authorization"] = f"Bearer {key}"
    assert (await post(api, place, {})).status_code == 201


async def test_more_than_was_paid_cannot_go_back(api: Client) -> None:
    payment = await made(api)
    answer = await post(api, f"/payments/{payment}/refunds", {"amount": 1})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "refund_exceeds_payment")
    await post(api, f"/payments/{payment}/confirm", {})
    answer = await post(api, f"/payments/{payment}/refunds", {"amount": 5001})
    assert answer.status_code == 422


async def test_a_payment_names_its_refunds_and_they_can_be_listed(
    stage: Stage, api: Client
) -> None:
    payment = await made(api)
    assert (await api.get(f"/payments/{payment}/refunds")).json() == {"data": []}
    await post(api, f"/payments/{payment}/confirm", {})
    made_here = []
    for amount in (1000, 1500):
        stage.later(1)  # ids of one moment have no order
        made_here.append(
            (await post(api, f"/payments/{payment}/refunds", {"amount": amount})).json()
        )
    assert (await api.get(f"/payments/{payment}/refunds")).json() == {"data": made_here}
    found = (await api.get(f"/payments/{payment}")).json()
    assert found["refunds"] == [refund["id"] for refund in made_here]
    assert (await api.get(f"/payments/{uuid4()}/refunds")).status_code == 404


async def test_what_was_paid_cannot_be_called_off(api: Client) -> None:
    payment = await made(api)
    await post(api, f"/payments/{payment}/confirm", {})
    answer = await post(api, f"/payments/{payment}/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "not_canceled")


async def test_what_is_held_is_captured_in_part_or_canceled(api: Client) -> None:
    first, second = [await made(api, capture_method="manual") for _ in range(2)]
    for payment in (first, second):
        held = (await post(api, f"/payments/{payment}/confirm", {})).json()
        assert (held["status"], held["amount_capturable"]) == ("authorized", 5000)
    taken = await post(api, f"/payments/{first}/capture", {"amount": 3000}, "k")
    assert (taken.status_code, taken.json()["amount_captured"]) == (200, 3000)
    again = await post(api, f"/payments/{first}/capture", {"amount": 3000}, "k")
    assert again.headers["idempotency-replayed"] == "true"
    gone = await post(api, f"/payments/{second}/cancel")
    assert (gone.status_code, gone.json()["status"]) == (200, "canceled")
    late = await post(api, f"/payments/{second}/capture", {})
    assert (late.status_code, late.json()["error"]["code"]) == (422, "not_captured")
    for amount in ("3000", 0, 10**30):
        answer = await post(api, f"/payments/{first}/capture", {"amount": amount})
        assert answer.status_code == 400
    assert (await api.post(f"/payments/{first}/capture", json={})).status_code == 400


async def test_a_gateway_that_is_away_is_a_503_that_says_when_to_come_again(
    api: Client, stage: Stage, gateway: Taking
) -> None:
    stage.context.windows = replace(stage.context.windows, breaker_failures=1)
    gateway.fails("collect", LOST)
    await post(api, f"/payments/{await made(api)}/confirm", {})
    payment = await made(api)
    answer = await post(api, f"/payments/{payment}/confirm", {}, "k")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert answer.json()["error"]["code"] == "gateway_unavailable"
    stage.later(30)
    assert (await post(api, f"/payments/{payment}/confirm", {}, "k")).json()[
        "status"
    ] == "succeeded"


async def test_the_schema_tells_of_it(api: Client) -> None:
    schema = (await api.get("/openapi.json")).json()
    assert schema["paths"]["/payments"]["post"]["security"] == [{"apiKey": []}]
    assert {"200", "401", "404", "409", "422"} <= set(
        schema["paths"]["/payments/{payment}/confirm"]["post"]["responses"]
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**CAN, "amount": "5000"}, "amount"),
        ({**CAN, "amount": 50.5}, "amount"),
        ({"currency": "INR"}, "amount"),
        ({**CAN, "surprise": True}, "surprise"),
        ({**CAN, "metadata": {"a": 1}}, "metadata"),
        ({**CAN, "metadata": {"a": []}}, "metadata"),
        ([], "body"),
        (None, "body"),
    ],
)
async def test_a_field_that_is_wrong_is_named_in_one_way(
    api: Client, body: Any, field: str
) -> None:
    error = (await post(api, "/payments", body)).json()["error"]
    assert (error["code"], list(error["details"])) == ("bad_request", [field])


async def test_a_key_that_is_too_long_is_not_called_missing(api: Client) -> None:
    answer = await post(api, "/payments", CAN, "k" * 256)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "idempotency_key_too_long")


async def test_a_body_without_end_and_metadata_without_measure_are_refused(api: Client) -> None:
    deep = b'{"amount":5000,"currency":"INR","metadata":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    headers = {"idempotency-key": "deep", "content-type": "application/json"}
    assert (await api.post("/payments", content=deep, headers=headers)).status_code == 400
    many = {f"name {number}": "x" for number in range(51)}
    body = {"amount": 5000, "currency": "INR", "metadata": many}
    answer = await api.post("/payments", json=body, headers={"idempotency-key": "many"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("named", "status"),
    [("ivan@example.com", 201), ("8 916 123-45-67", 201), (None, 201), ("Ivan", 422), ("", 422)],
)
async def test_a_payment_may_name_where_its_receipt_goes(
    api: Client, named: str | None, status: int
) -> None:
    said = await post(api, "/payments", {**CAN, "receipt_contact": named})
    assert said.status_code == status
    assert "ivan" not in said.text
    if status == 422:
        assert said.json()["error"]["code"] == "bad_receipt_contact"
