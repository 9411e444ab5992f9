"""The description of counters' calls: every one is there, and every example is what would be sent
or answered."""

import re
from typing import Any, cast

import msgspec
from litestar.routes import HTTPRoute

from coinslot.api import staff_orders
from coinslot.api import stores as calls
from coinslot.api.openapi import stores
from coinslot.app.routes import build
from coinslot.context import Context
from tests.web.fake_backend import FakeBackend
from tests.web.serving import SITE
from tests.web.test_described import schema as schema

SENT: dict[str, Any] = {
    "createCheckoutSession": calls.WantedSession,
    "moveStaffOrder": staff_orders.NewStatus,
    "completeStaffOrder": staff_orders.PickupCode,
}
ANSWERED: dict[str, Any] = {
    "readMenu": calls.MenuStatement,
    "createCheckoutSession": calls.SessionStatement,
    "listStaffOrders": staff_orders.StaffOrderList,
    "moveStaffOrder": staff_orders.StaffOrderStatement,
    "completeStaffOrder": staff_orders.StaffOrderStatement,
}


def test_every_call_for_programs_below_api_is_described(schema: dict[str, Any]) -> None:
    app = build(FakeBackend(), SITE, context=cast(Context, object()))
    served = {
        f"{method} {re.sub(r':[a-z]+', '', route.path)}"
        for route in app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/")
        for method in route.methods - {"OPTIONS", "HEAD"}
    }
    described = {
        f"{method.upper()} {path}"
        for path, methods in schema["paths"].items() if path.startswith("/api/")
        for method in methods
    }  # fmt: skip
    assert served == described
    assert len(served) == 5


def test_every_example_of_counters_is_what_the_api_takes_and_gives() -> None:
    for name, examples in stores.SENT.items():
        for example in examples.values():
            msgspec.convert(example, SENT[name])
    assert set(stores.ANSWERED) == set(ANSWERED)
    for name, examples in stores.ANSWERED.items():
        fields = {f.encode_name for f in msgspec.structs.fields(ANSWERED[name])}
        for example in examples.values():
            msgspec.json.decode(msgspec.json.encode(example), type=ANSWERED[name])
            assert set(example) == fields


def test_customers_programs_need_no_sign_in_and_those_of_staff_do(schema: dict[str, Any]) -> None:
    said = {one["operationId"]: one for path in schema["paths"].values() for one in path.values()}
    for name in stores.OPEN:
        assert not said[name].get("security")
        assert "401" not in said[name]["responses"]
    for name in stores.NEEDS:
        assert said[name]["security"] == [{"accessToken": []}]
        assert {"401", "403"} <= set(said[name]["responses"])


def test_the_key_of_a_checkout_may_be_left_out(schema: dict[str, Any]) -> None:
    said = schema["paths"]["/api/checkout-session"]["post"]["parameters"]
    (key,) = [one for one in said if one["name"] == "Idempotency-Key"]
    assert not key["required"]
