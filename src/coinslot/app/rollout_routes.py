"""The URLs of firmware and roll-outs, one line each, with the permission that each needs."""

from typing import Any

from litestar import delete, get, post
from litestar.types import ControllerRouterHandler

from coinslot.api.api_calls import needs
from coinslot.api.openapi.rollouts import FRESH, NEEDS
from coinslot.api.rollouts import UPLOAD_BYTES, Downloads, Rollouts
from coinslot.app.urls import Urls
from coinslot.context import Context
from coinslot.pages.access import Access
from coinslot.pages.errors import refusals
from coinslot.people.authentication import Authentication

_FOUND = (400, 401, 403, 404)


def rollout_routes(context: Context, auth: Authentication) -> list[ControllerRouterHandler]:
    """For keys and people; the downloads are for machines, which have nothing but the address."""
    calls, access, one = Rollouts(context), Access(auth), "/rollouts/{rollout:uuid}"
    loads = Downloads(context)

    def named(name: str, *statuses: int, **more: Any) -> dict[str, Any]:
        return {
            "operation_id": name,
            "guards": [needs(context, access, NEEDS[name], fresh=name in FRESH)],
            "responses": refusals(*statuses),
            **more,
        }

    done: dict[str, Any] = {"status_code": 200}
    api = Urls(
        "/", tags=["firmware"], security=[{"apiKey": []}, {"accessToken": []}],
        route_handlers=[
            get("/firmware/keys", **named("listFirmwareKeys", 401, 403))(calls.keys),
            post("/firmware/keys",
                 **named("addFirmwareKey", 400, 401, 403, 409))(calls.add_key),
            delete("/firmware/keys/{key:uuid}",
                   **named("retireFirmwareKey", *_FOUND))(calls.retire_key),
            get("/firmware", **named("listFirmware", 401, 403))(calls.builds),
            post("/firmware", **named("uploadFirmware", 400, 401, 403, 409, 413, 422, 503,
                 request_max_body_size=UPLOAD_BYTES))(calls.upload),
            get("/rollouts", **named("listRollouts", 401, 403))(calls.listed),
            post("/rollouts", **named("createRollout", *_FOUND, 422))(calls.create),
            get(one, **named("readRollout", *_FOUND))(calls.one),
            post(f"{one}/start",
                 **named("startRollout", *_FOUND, 409, 422, **done))(calls.start),
            post(f"{one}/pause", **named("pauseRollout", *_FOUND, 409, **done))(calls.pause),
            post(f"{one}/resume", **named("resumeRollout", *_FOUND, 409, **done))(calls.resume),
            post(f"{one}/abort", **named("abortRollout", *_FOUND, 409, **done))(calls.abort),
            post(f"{one}/machines/{{machine:str}}/give-up",
                 **named("giveUpMachine", *_FOUND, 409, **done))(calls.give_up),
        ],
    )  # fmt: skip
    place = "/firmware/downloads/{name:str}"
    return [
        api,
        get(place, include_in_schema=False)(loads.manifest),
        get(f"{place}/image", include_in_schema=False)(loads.image),
    ]
