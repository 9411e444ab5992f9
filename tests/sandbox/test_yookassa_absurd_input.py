"""Whatever is asked of the emulated YooKassa is answered in its own form, and never with a 5xx."""

from typing import Any
from uuid import uuid4

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.sandbox.running import SandboxProcess

AMOUNTS = st.fixed_dictionaries(
    {
        "value": st.sampled_from(["1.00", "0", "-1", "1e9", "٣", "9" * 30, 5, None]),
        "currency": st.sampled_from(["RUB", "USD", "", None]),
    }
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | AMOUNTS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
LINES = st.fixed_dictionaries(
    {"description": VALUES, "quantity": VALUES, "amount": AMOUNTS, "vat_code": VALUES}
)
FIELDS = {
    "amount": AMOUNTS,
    "confirmation": st.just({"type": "redirect", "return_url": "https://a.example"}) | VALUES,
    "capture": VALUES,
    "metadata": VALUES,
    "description": VALUES,
    "receipt": st.fixed_dictionaries(
        {"customer": st.just({"email": "a@a.example"}), "items": st.lists(LINES, max_size=2)}
    ),
    "payment_id": VALUES,
}
BODIES = st.fixed_dictionaries({}, optional=FIELDS) | VALUES
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "cursor", "created_at.gte", "created_at.lt", "status", "x"]),
    st.sampled_from(["", "-1", "5", "٣", "2026-01-01", "2026-01-01T00:00:00Z", "9999-99", "'"]),
)
relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def call(sandbox: SandboxProcess) -> Any:
    """Ask the API anything; the status and the answer."""
    shop = {"account_id": "absurd", "secret_key": "test_absurd"}
    sandbox.ask("POST", "/yookassa/accounts", shop)

    def ask(method: str, path: str, **more: Any) -> tuple[int, Any]:
        url, keys = f"/yookassa/v3{path}", ("absurd", "test_absurd")
        headers = {"idempotence-key": uuid4().hex}
        answer = sandbox.http.request(method, url, auth=keys, headers=headers, **more)
        return answer.status_code, answer.json()

    return ask


def in_form(status: int, answer: Any) -> bool:
    return status == 200 or (status == 400 and answer["code"] == "invalid_request")


@relaxed
@given(path=st.sampled_from(["/payments", "/refunds"]), body=BODIES)
def test_any_body_is_done_or_refused_in_form(call: Any, path: str, body: Any) -> None:
    assert in_form(*call("POST", path, json=body))


@relaxed
@given(path=st.sampled_from(["/payments", "/refunds"]), query=QUERIES)
def test_any_query_is_done_or_refused_in_form(call: Any, path: str, query: Any) -> None:
    assert in_form(*call("GET", path, params=query))
