"""Tmetr's URLs in the sandbox: the API, the machine's buttons, and what breaks a machine."""

import io
from pathlib import Path
from typing import Annotated, Any

import msgspec
import segno
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sandbox.control.view import Scene
from sandbox.errors import UnknownError, UnreadableError
from sandbox.front import sent
from sandbox.shelf import everything, find
from sandbox.store import Store
from sandbox.tmetr import front, machine, settings
from sandbox.tmetr.accounts import ACCOUNTS
from sandbox.tmetr.machine import Choice
from sandbox.tmetr.settings import Faults
from sandbox.tmetr.things import Device, Drink, Order

Plain = dict[str, Any]


@post("/api/{path:path}", status_code=200)
async def api(request: Request[Any, Any, Any], path: Path, store: Store) -> Response[bytes]:
    """The emulated API."""
    authorization = request.headers.get("authorization", "")
    asked = f"/api/{str(path).strip('/')}"
    return await sent(
        request, await front.answer(store, asked, authorization, await request.body())
    )


@post("/screen", status_code=200)
async def screen(data: Choice, store: Store, scene: Scene) -> Plain:
    """Somebody chooses a drink; the order's id, and the address in the code on the screen."""
    with store.change() as change:
        order = machine.choose(change, data, _coinslot(scene))
        return {"order_id": order.id, "url": order.url}


@post("/choose")
async def choose_by_form(
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
    store: Store,
    scene: Scene,
) -> Redirect:
    """The same from the control page, without any script."""
    try:
        choice = msgspec.convert(data, Choice)
    except msgspec.ValidationError as problem:
        raise UnreadableError(str(problem)) from problem
    with store.change() as change:
        machine.choose(change, choice, _coinslot(scene))
    return Redirect("/", status_code=303)


@get("/i/{order_id:str}")
async def picture(order_id: str, store: Store) -> Response[bytes]:
    """The code of an order as the machine's screen shows it."""
    with store.read() as look:
        order = find(look, Order, order_id)
    if order is None:
        raise UnknownError(f"no order {order_id}")
    drawn = io.BytesIO()
    segno.make(order.url, error="m", micro=False).save(drawn, kind="svg", scale=4)
    return Response(drawn.getvalue(), media_type="image/svg+xml")


@get("/devices")
async def list_devices(store: Store) -> list[Device]:
    with store.read() as look:
        return everything(look, Device)


@post("/devices", status_code=200)
async def install(data: settings.Device, store: Store) -> Device:
    """Put a machine up, or rename it."""
    with store.change() as change:
        ACCOUNTS.find(change, data.account_id)
        return machine.install(change, data)


@get("/drinks")
async def list_drinks(store: Store) -> list[Drink]:
    with store.read() as look:
        return everything(look, Drink)


@post("/drinks", status_code=200)
async def stock(data: settings.Drink, store: Store) -> Drink:
    """Add a drink to the catalogue, or change its name and prices."""
    with store.change() as change:
        return machine.stock(change, data)


@post("/accounts", status_code=200)
async def save_account(data: settings.Account, store: Store) -> Plain:
    with store.change() as change:
        ACCOUNTS.save(change, data, switch_on=True)
        change.tell(f"Tmetr account {data.account_id} set up")
    return {"account_id": data.account_id}


@get("/devices/{device:str}/fault")
async def faults(device: str, store: Store) -> Faults:
    with store.read() as look:
        return machine.known(look, device).faults


@post("/devices/{device:str}/fault", status_code=200)
async def break_it(device: str, data: Plain, store: Store) -> Faults:
    """Merge the named faults; answer all."""
    with store.change() as change:
        return machine.break_it(change, device, data)


def _coinslot(scene: Scene) -> str:
    """Where the codes lead; a sandbox that knows no Coinslot shows codes that lead nowhere."""
    return scene.config.coinslot_url or "http://coinslot.invalid"


ENDPOINTS = [
    api, screen, choose_by_form, picture, list_devices, install, list_drinks, stock, save_account,
    faults, break_it,
]  # fmt: skip
