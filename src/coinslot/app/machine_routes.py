"""The URLs of machines, one line each, with the permission that each needs."""

from collections.abc import Callable
from typing import Any

from litestar import delete, get, post, put
from litestar.types import ControllerRouterHandler

from coinslot.api.api_calls import needs
from coinslot.api.fleet import Fleet
from coinslot.api.machines import Machines
from coinslot.api.openapi import stock as stock_words
from coinslot.api.openapi.machines import FRESH, NEEDS
from coinslot.api.slots import TABLE_BYTES, SlotTables
from coinslot.api.stock import Stock
from coinslot.api.telemetry import Telemetry
from coinslot.app.urls import Urls
from coinslot.context import Context
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.pages.access import Access
from coinslot.pages.errors import refusals
from coinslot.people.authentication import Authentication
from coinslot.telemetry.dex import MOST_BYTES

_FOUND = (400, 401, 403, 404)
# JSON may write each character of a file as an escape; a longer file is said to be too long.
COUNTS_BYTES = 12 * MOST_BYTES + 4_096


def _slot_tables(
    slots: SlotTables, named: Callable[..., dict[str, Any]]
) -> list[ControllerRouterHandler]:
    return [
        get("/slots", **named("readSlotTable", 401, 403))(slots.read),
        post("/slots/preview", status_code=200, request_max_body_size=TABLE_BYTES,
             **named("previewSlotTable", 400, 401, 403, 422))(slots.preview),
        post("/slots/apply", status_code=200, request_max_body_size=TABLE_BYTES,
             **named("applySlotTable", 400, 401, 403, 409, 412, 422))(slots.apply),
    ]  # fmt: skip


def machine_routes(context: Context, auth: Authentication, addresses: DeviceAddresses) -> Urls:
    """For keys, and for people who are signed in."""
    calls, one = Machines(context, addresses), "/machines/{machine:str}"
    stock, route = Stock(context), "/routes/{route:str}"
    telemetry, fleet = Telemetry(context), Fleet(context)
    access, of_all = Access(auth), {**NEEDS, **stock_words.NEEDS}

    def named(name: str, *statuses: int) -> dict[str, Any]:
        return {
            "operation_id": name,
            "guards": [needs(context, access, of_all[name], fresh=name in FRESH)],
            "responses": refusals(*statuses),
        }

    return Urls(
        "/", tags=["machines"], security=[{"apiKey": []}, {"accessToken": []}],
        route_handlers=[
            post("/machines/onboard",
                 **named("onboardMachine", 400, 401, 403, 409, 422))(calls.onboard),
            get("/machines/near", **named("listNearMachines", 400, 401, 403))(fleet.near),
            get("/templates", **named("listTemplates", 401, 403))(fleet.list_templates),
            put("/templates/{template:str}",
                **named("makeTemplate", *_FOUND, 422))(fleet.make_template),
            post("/templates/{template:str}/apply", status_code=200,
                 **named("applyTemplate", *_FOUND))(fleet.apply_template),
            *_slot_tables(SlotTables(context), named),
            get(f"{one}/config", **named("readMachineConfig", *_FOUND))(calls.read_config),
            put(f"{one}/config",
                **named("writeMachineConfig", *_FOUND, 409, 412, 422, 428))(calls.put_config),
            get(f"{one}/status", **named("readMachineStatus", *_FOUND))(calls.status),
            post(f"{one}/provision-device",
                 **named("provisionDevice", *_FOUND, 409))(calls.provision),
            delete(f"{one}/decommission",
                   **named("decommissionMachine", *_FOUND, 409))(calls.decommission),
            get(f"{one}/stock", **named("readMachineStock", *_FOUND))(stock.read),
            post(f"{one}/refills",
                 **named("refillMachine", *_FOUND, 409, 422))(stock.refill),
            get(f"{one}/health", **named("readMachineHealth", *_FOUND))(telemetry.health),
            get(f"{one}/logs", **named("readMachineLogs", *_FOUND))(telemetry.logs),
            post(f"{one}/unlock", status_code=200,
                 **named("unlockMachine", *_FOUND, 409))(telemetry.unlock),
            get(f"{one}/dex", **named("readMachineCounts", *_FOUND))(telemetry.read_counts),
            post(f"{one}/dex", status_code=200, request_max_body_size=COUNTS_BYTES,
                 **named("compareMachineCounts", *_FOUND, 422))(telemetry.compare_counts),
            get("/picklists", **named("readPickList", *_FOUND, 422))(stock.pick_list),
            get("/routes", **named("listRoutes", 401, 403))(stock.list_routes),
            put(route, **named("writeRoute", 400, 401, 403, 422))(stock.put_route),
            delete(route, **named("deleteRoute", *_FOUND))(stock.drop_route),
        ],
    )  # fmt: skip
