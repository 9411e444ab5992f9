"""What every call of the merchants' API shares, each part with all of its sides: whose key it is,
what a body may say, the key that makes it count once, and how a refusal is answered."""

from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

import pytest
from msgspec import Meta, Struct

from coinslot.api import api_calls
from coinslot.merchants.keys import LARGE_REFUNDS, SCOPES, Caller, KeyRequest, issue_key
from coinslot.pages.errors import INVALID, RefusedError
from coinslot.payments.idempotency import (
    Answer,
    IdempotentCall,
    KeyBusyError,
    KeyReusedError,
    hash_of,
)
from coinslot.payments.merchant_api import AboveLimitError
from coinslot.people.merchant_settings import RefundLimit
from tests.sales.conftest import stage as stage
from tests.sales.neighbours import chandras_machine
from tests.sales.stage import Stage

WHO = Caller(merchant=UUID(int=1), key=UUID(int=2), scopes=frozenset(), live=True)


class Part(Struct, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1)] = 1


class Body(Struct, forbid_unknown_fields=True):
    amount: int
    parts: list[Part] = []


def asks(authorization: str | None, caller: Caller | None = None, body: bytes = b"") -> Any:
    async def sent() -> bytes:
        return body

    headers = {} if authorization is None else {"authorization": authorization}
    state = {} if caller is None else {"caller": caller}
    return SimpleNamespace(headers=headers, scope={"state": state}, body=sent)


def said(error: RefusedError) -> tuple[int, str, dict[str, str]]:
    return error.status, error.code, dict(error.headers)


@pytest.mark.parametrize("key", ["k", "k" * 255])
@pytest.mark.parametrize("live", [True, False])
def test_a_call_counts_once_by_its_key_endpoint_body_and_mode(key: str, live: bool) -> None:
    who = Caller(merchant=UUID(int=1), key=UUID(int=2), scopes=frozenset(), live=live)
    body = Body(amount=5)
    assert api_calls.idempotent_call(who, "POST /x", key, body) == IdempotentCall(
        merchant=UUID(int=1), endpoint="POST /x", key=key, request_hash=hash_of("POST /x", body),
        live=live,
    )  # fmt: skip
    assert hash_of("POST /x", body) not in (
        hash_of("POST /y", body), hash_of("POST /x", Body(amount=6)), hash_of("POST /x", None),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("key", "code"),
    [(None, "missing"), ("", "missing"), ("k" * 256, "too_long")],
)
def test_a_call_without_such_a_key_is_refused(key: str | None, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        api_calls.idempotent_call(WHO, "POST /x", key, None)
    assert said(refused.value) == (400, f"idempotency_key_{code}", {})


def test_each_refusal_of_a_call_has_its_status_code_and_words() -> None:
    busy = api_calls.busy(KeyBusyError(7))
    assert said(busy) == (409, "idempotency_key_busy", {"Retry-After": "7"})
    assert busy.message == "the first call with this key is still running"
    reused = api_calls.reused(KeyReusedError("for another"))
    assert (said(reused), reused.message) == (
        (422, "idempotency_key_reused", {}), "for another",
    )  # fmt: skip
    above = api_calls.above_limit(AboveLimitError())
    assert said(above) == (403, "refund_above_limit", {})
    assert above.message == (
        "That is above the merchant's limit for refunds. This key needs refunds:large."
    )


@pytest.mark.parametrize(("replayed", "headers"), [
    (True, {"Idempotency-Replayed": "true"}), (False, {}),
])  # fmt: skip
def test_a_kept_answer_is_given_as_it_was(replayed: bool, headers: dict[str, str]) -> None:
    answer = api_calls.replied(Answer(status=202, body={"a": 1}, replayed=replayed))
    assert (answer.status_code, answer.content, dict(answer.headers)) == (202, {"a": 1}, headers)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (b'{"amount":5,"parts":[{"count":2}]}', None),
        (b'{"amount":"5"}', {"amount": "Expected `int`, got `str`"}),
        (b'{"amount":5,"parts":[{},{"count":0}]}', {"parts[1].count": "Expected `int` >= 1"}),
        (b"[]", {"body": "Expected `object`, got `array`"}),
    ],
)
async def test_a_body_is_read_strictly_and_what_is_wrong_is_named_by_its_path(
    body: bytes, details: dict[str, str] | None
) -> None:
    request = asks(None, body=body)
    if details is None:
        return await api_calls.strictly(request, Body(amount=1))
    with pytest.raises(RefusedError) as refused:
        await api_calls.strictly(request, Body(amount=1))
    assert said(refused.value) == (400, "bad_request", {})
    assert (refused.value.message, refused.value.details) == (INVALID, details)
    return None


async def test_a_key_is_looked_up_once_and_lets_in_for_its_scopes_alone(stage: Stage) -> None:
    context, now = stage.context, stage.clock.now()
    chandra = (await chandras_machine(stage)).merchant_id
    mine = await issue_key(context.db, stage.merchant, now, KeyRequest(scopes=("events:read",)))
    hers = await issue_key(context.db, chandra, now, KeyRequest(scopes=SCOPES, live=True))
    handler: Any = None
    for key, merchant, scopes in ((mine, stage.merchant, {"events:read"}),
                                  (hers, chandra, set(SCOPES))):  # fmt: skip
        for shown in (f"Bearer {key}", f"bearer  {key} "):
            request = asks(shown)
            await api_calls.with_key_only(context)(request, handler)  # type: ignore[misc]
            found = request.scope["state"]["caller"]
            assert found == Caller(
                merchant=merchant, key=found.key, scopes=frozenset(scopes), live=key == hers
            )
            assert api_calls.admitted(request) is found
            assert await api_calls.caller_of(context, request, "events:read") is found
            asked = await api_calls.caller_of(context, asks(shown), "events:read")
            assert asked == found
            for of in (request, asks(shown)):
                if key == mine:
                    with pytest.raises(RefusedError) as refused:
                        await api_calls.caller_of(context, of, "payments:read")
                    assert said(refused.value) == (403, "forbidden", {})
                    assert "payments:read" in refused.value.message
    for wrong in (None, "", mine, f"Basic {mine}", "Bearer", "Bearer sk_test_x", f"Bearer{mine}"):
        with pytest.raises(RefusedError) as refused:
            await api_calls.caller_of(context, asks(wrong), "events:read")
        assert said(refused.value) == (401, "unauthorized", {"WWW-Authenticate": "Bearer"})


async def test_a_key_without_that_scope_gives_back_no_more_than_the_limit(stage: Stage) -> None:
    await chandras_machine(stage)

    def who(*scopes: str) -> Caller:
        return Caller(merchant=stage.merchant, key=UUID(int=2), scopes=frozenset(scopes), live=True)

    async def limits() -> list[RefundLimit | None]:
        held = ((), ("refunds:write",), ("refunds:write", LARGE_REFUNDS))
        return [await api_calls.limit_of_key(stage.context, who(*scopes)) for scopes in held]

    assert await limits() == [None, None, None]
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "UPDATE merchants SET refund_proof_minor = 700, currency = 'INR' WHERE id = $1",
            stage.merchant,
        )
    limit = RefundLimit(minor=700, currency="INR")
    assert await limits() == [limit, limit, None]


async def test_a_token_of_a_person_is_not_taken_for_a_key_nor_a_key_for_a_token(
    stage: Stage,
) -> None:
    """`needs`: which of the two a call shows is told by how it begins."""
    asked: list[str] = []

    class People:
        def may(self, permission: str, *, fresh: bool = False) -> Any:
            async def guard(request: Any, handler: Any) -> None:
                asked.append(f"{permission} {fresh} {request.headers['authorization']}")

            return guard

    people: Any = People()
    handler: Any = None
    key = await issue_key(
        stage.context.db, stage.merchant, stage.clock.now(), KeyRequest(scopes=("machines:read",))
    )
    guard: Any = api_calls.needs(stage.context, people, "machines:read", fresh=True)
    for shown in ("Bearer ey.J.x", "bearer dk_1"):
        await guard(asks(shown), handler)
    assert asked == ["machines:read True Bearer ey.J.x", "machines:read True bearer dk_1"]
    request = asks(f"Bearer {key}")
    await guard(request, handler)
    assert api_calls.admitted(request) == request.scope["state"]["caller"]
    other: Any = api_calls.needs(stage.context, people, "payments:read")
    for shown, code in ((f"Bearer {key}", "forbidden"), ("Bearer sk_live_x", "unauthorized"),
                        ("Bearer sk_test_x", "unauthorized"), ("", "unauthorized")):  # fmt: skip
        with pytest.raises(RefusedError) as refused:
            await other(asks(shown), handler)
        assert refused.value.code == code
    await other(asks("Bearer sk_other"), handler)
    assert asked[2:] == ["payments:read False Bearer sk_other"]
