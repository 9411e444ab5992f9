"""The URLs of machines, one line each, with the permission that each needs."""

from typing import Any

from litestar import Router, delete, get, post, put

from coinslot.api.api_calls import needs
from coinslot.api.machines import Machines
from coinslot.api.openapi.machines import FRESH, NEEDS
from coinslot.context import Context
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.pages.access import Access
from coinslot.pages.errors import refusals
from coinslot.people.authentication import Authentication

_FOUND = (400, 401, 403, 404)


def machine_routes(context: Context, auth: Authentication, addresses: DeviceAddresses) -> Router:
    """For keys, and for people who are signed in."""
    calls, one = Machines(context, addresses), "/machines/{machine:str}"
    access = Access(auth)

    def named(name: str, *statuses: int) -> dict[str, Any]:
        return {
            "operation_id": name,
            "guards": [needs(context, access, NEEDS[name], fresh=name in FRESH)],
            "responses": refusals(*statuses),
        }

    return Router(
        "/", tags=["machines"], security=[{"apiKey": []}, {"accessToken": []}],
        route_handlers=[
            post("/machines/onboard",
                 **named("onboardMachine", 400, 401, 403, 409, 422))(calls.onboard),
            get(f"{one}/config", **named("readMachineConfig", *_FOUND))(calls.read_config),
            put(f"{one}/config",
                **named("writeMachineConfig", *_FOUND, 409, 412, 422, 428))(calls.put_config),
            get(f"{one}/status", **named("readMachineStatus", *_FOUND))(calls.status),
            post(f"{one}/provision-device",
                 **named("provisionDevice", *_FOUND, 409))(calls.provision),
            delete(f"{one}/decommission",
                   **named("decommissionMachine", *_FOUND, 409))(calls.decommission),
        ],
    )  # fmt: skip
