"""The URLs of orders, one line each, with the permission that each needs."""

from typing import Any

from litestar import get, post

from coinslot.api.api_calls import needs
from coinslot.api.openapi.orders import NEEDS
from coinslot.api.orders import ApiOrders
from coinslot.app.urls import Urls
from coinslot.context import Context
from coinslot.pages.access import Access
from coinslot.pages.errors import refusals
from coinslot.people.authentication import Authentication


def order_routes(context: Context, auth: Authentication) -> Urls:
    """For keys, and for people who are signed in."""
    access = Access(auth)
    calls, one = ApiOrders(context, access), "/orders/{order:uuid}"

    def named(name: str, *statuses: int) -> dict[str, Any]:
        return {
            "operation_id": name,
            "guards": [needs(context, access, permission) for permission in NEEDS[name]],
            "responses": refusals(*statuses),
        }

    return Urls(
        "/", tags=["orders"], security=[{"apiKey": []}, {"accessToken": []}],
        route_handlers=[
            get("/orders", **named("listOrders", 400, 401, 403))(calls.listed),
            get(one, **named("readOrder", 400, 401, 403, 404))(calls.one),
            get(f"{one}/refunds",
                **named("listOrderRefunds", 400, 401, 403, 404))(calls.refunds),
            post(f"{one}/refunds",
                 **named("refundOrder", 400, 401, 403, 404, 409, 422))(calls.refund),
        ],
    )  # fmt: skip
