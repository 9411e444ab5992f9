"""Whatever comes in, Stripe's emulator answers it in Stripe's own error form, never with a 5xx."""

import string
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.sandbox.running import SandboxProcess

NAMES = ["mode", "amount", "currency", "confirm", "payment_method", "metadata[a]", "metadata"]
NAMES += ["line_items[0][quantity]", "line_items[0][price_data][unit_amount]", "line_items[]"]
NAMES += ["success_url", "expires_at", "payment_intent", "expand[]", "expand[0]", "a[b][c]"]
NAMES += ["line_items[0][price_data][currency]", "reason", "charge", "colour", "[", "]", "x[["]
VALUES = st.text(max_size=20) | st.sampled_from(
    ["payment", "usd", "true", "4000", "-1", "pm_card_visa", "data.x", "payment_intent", "1e9", "٣"]
)
BODIES = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=8)
VERBS = [f"payment_intents/PAID/{verb}" for verb in ("capture", "cancel", "confirm")]
PATHS = st.sampled_from(["checkout/sessions", "payment_intents", "refunds", *VERBS])
LISTS = st.sampled_from(["checkout/sessions", "payment_intents", "refunds", "events", "charges"])
QUERIES = st.lists(
    st.tuples(
        st.sampled_from(["limit", "starting_after", "ending_before", "created[gte]", "created"])
        | st.sampled_from(["created[x]", "type", "payment_intent", "expand[]", "x"]),
        st.text(string.digits + "-a٣_", max_size=25),
    ),
    max_size=4,
)
relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def call(sandbox: SandboxProcess) -> Any:
    """Ask the API anything; the status and the answer."""
    key, account = f"sk_test_{uuid4().hex}", f"acct_{uuid4().hex[:16]}"
    sandbox.ask("POST", "/stripe/accounts", {"account_id": account, "secret_key": key})
    form = {"amount": "4000", "currency": "usd", "payment_method": "pm_card_visa"}
    auth = (key, "")
    made = sandbox.http.post("/stripe/v1/payment_intents", data=form, auth=auth).json()["id"]

    def ask(method: str, path: str, **more: Any) -> tuple[int, Any]:
        url = "/stripe/v1/" + path.replace("PAID", made)
        answer = sandbox.http.request(method, url, auth=auth, **more)
        return answer.status_code, answer.json()

    return ask


@relaxed
@given(path=PATHS, body=BODIES)
def test_any_form_is_done_or_refused_in_form(
    call: Any, path: str, body: list[tuple[str, str]]
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    status, answer = call("POST", path, content=urlencode(body), headers=form)
    assert status in (200, 400, 402, 404)
    assert status == 200 or answer["error"]["type"] in ("invalid_request_error", "card_error")


@relaxed
@given(path=PATHS, body=st.binary(max_size=100))
def test_any_bytes_are_done_or_refused_in_form(call: Any, path: str, body: bytes) -> None:
    status, answer = call("POST", path, content=body)
    assert status in (200, 400, 404)
    assert status == 200 or answer["error"]["type"] == "invalid_request_error"


@relaxed
@given(path=LISTS, query=QUERIES)
def test_any_query_lists_or_is_refused_in_form(
    call: Any, path: str, query: list[tuple[str, str]]
) -> None:
    status, answer = call("GET", f"{path}?{urlencode(query)}")
    assert status in (200, 400)
    assert answer["object"] == "list" if status == 200 else "error" in answer
