"""Whatever comes in is answered in the API's own error form, and never with a 5xx."""

import string
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.sandbox.running import SandboxProcess

NAMES = ["type", "usage", "fixed_amount", "payment_amount", "close_by", "notes", "amount"]
NAMES += ["currency", "receipt", "customer_id", "name", "speed", "colour"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["upi_qr", "single_use", "multiple_use", "INR", "normal", 4000, "4000", True]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES) | VALUES
PATHS = st.sampled_from(["/payments/qr_codes", "/orders", "/payments/PAID/refund"])
QUERIES = st.dictionaries(
    st.sampled_from(["from", "to", "count", "skip", "payment_id", "receipt", "x"]),
    st.text(string.digits + "-a٣", max_size=25),
)


@pytest.fixture
def call(sandbox: SandboxProcess, keys: tuple[str, str], foreign: dict[str, Any]) -> Any:
    """Ask the API anything; the status and the answer."""
    reference = sandbox.scan(**foreign)

    def ask(method: str, path: str, **more: Any) -> tuple[int, Any]:
        url = "/razorpay/v1" + path.replace("PAID", reference)
        answer = sandbox.http.request(method, url, auth=keys, **more)
        return answer.status_code, answer.json()

    return ask


relaxed = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@relaxed
@given(path=PATHS, body=BODIES)
def test_any_body_is_done_or_refused_in_form(call: Any, path: str, body: Any) -> None:
    status, answer = call("POST", path, json=body)

    assert status in (200, 400)
    assert status == 200 or answer["error"]["code"] == "BAD_REQUEST_ERROR"


@relaxed
@given(path=st.sampled_from(["/payments", "/refunds", "/orders"]), query=QUERIES)
def test_any_query_is_done_or_refused_in_form(call: Any, path: str, query: Any) -> None:
    status, answer = call("GET", path, params=query)

    assert status in (200, 400)
    assert status == 200 or answer["error"]["code"] == "BAD_REQUEST_ERROR"


@pytest.mark.parametrize("amount", [0, -1, 10**13, "forty", 1.5])
def test_a_customer_cannot_pay_an_absurd_amount(
    sandbox: SandboxProcess, foreign: dict[str, Any], amount: Any
) -> None:
    answer = sandbox.http.post("/razorpay/scan", json=foreign | {"amount": amount})

    assert answer.status_code == 400
    assert "amount" in answer.json()["error"]
