"""The three calls that one public client shows: a drink's price, make, and the last heartbeat."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from sandbox.clock import now_s
from sandbox.front import Answered
from sandbox.shelf import find, new_id
from sandbox.store import Change
from sandbox.tmetr import machine
from sandbox.tmetr.refusals import ApiError, in_trouble
from sandbox.tmetr.settings import Account, Id, Kopecks, Size
from sandbox.tmetr.things import Device, Drink, Make

MOST = 100  # of a list
W = TypeVar("W")


class AskedDrink(msgspec.Struct, frozen=True, rename="camel"):
    device_id: Id
    drink_id_at_device: Id
    drink_size: Size


class AskedMake(msgspec.Struct, frozen=True, rename="camel"):
    device_id: Id
    order_uuid: Id
    drink_uuid: Id
    size: Literal["small", "medium", "big"]
    price: Kopecks


class AskedHeartbeats(msgspec.Struct, frozen=True, rename="camel"):
    device_ids: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=MOST)]
    offset: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1


class Call(msgspec.Struct, frozen=True):
    """One request of who may ask."""

    change: Change
    account: Account
    body: bytes

    def read(self, wanted: type[W]) -> W:
        try:
            return msgspec.json.decode(self.body, type=wanted)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as problem:
            raise ApiError(400, f"Bad Request: {problem}") from problem

    def device(self, device_id: str) -> Device:
        """The account's own machine; another's does not exist."""
        found = find(self.change, Device, device_id, self.account.account_id)
        if found is None:
            raise ApiError(404, "Device not found")
        return found

    def drink(self, drink_id: str) -> Drink:
        found = find(self.change, Drink, drink_id)
        if found is None:
            raise ApiError(404, "Drink not found")
        return found


class Said(msgspec.Struct, frozen=True):
    """An answer, and how long the machine it is about makes it wait."""

    answered: Answered
    wait_ms: int = 0


def drink(call: Call) -> Said:
    asked = call.read(AskedDrink)
    device, found = call.device(asked.device_id), call.drink(asked.drink_id_at_device)
    said: dict[str, Any] = {"drink_id": found.id, "name": found.name}
    price = machine.price(device, found, asked.drink_size)
    if price is not None:
        said["price"] = price
    return Said(_json(said), device.faults.slow_ms)


def make(call: Call) -> Said:
    """Each command of the array, or none of them: a bad one refuses all."""
    asked = call.read(list[AskedMake])
    if not 1 <= len(asked) <= MOST:
        raise ApiError(400, f"1 to {MOST} commands are sent in one array")
    pairs = [(call.device(one.device_id), call.drink(one.drink_uuid), one) for one in asked]
    troubles = [device.faults.make for device, _, _ in pairs]
    if "refused_500" in troubles:
        raise in_trouble()
    for device, found, one in pairs:
        machine.command(call.change, device, _made(call, device, found, one))
    return Said(_troubled(troubles), max(device.faults.slow_ms for device, _, _ in pairs))


def _made(call: Call, device: Device, found: Drink, asked: AskedMake) -> Make:
    before = call.change.one(
        "SELECT count(*) AS n FROM things WHERE kind = ? AND parent = ?",
        (Make.kind, f"{device.id}/{asked.order_uuid}"),
    )
    return Make(
        id=new_id("make_"), account_id=device.account_id, created_at=now_s(),
        order_id=asked.order_uuid, device=device.id, drink=found.id,
        size=machine.SIZE_WORDS[asked.size], price=asked.price, repeat=before["n"],
    )  # fmt: skip


def _troubled(troubles: list[Any]) -> Answered:
    """How the answer to commands that were passed on looks to who sent them."""
    if "brewed_cut" in troubles:
        return Answered(0, b"", cut=True)
    if "brewed_500" in troubles:
        return in_trouble().answered()
    if "not_json" in troubles:
        return Answered(200, b"<html>OK</html>", "text/html")
    return _json([])


def heartbeats(call: Call) -> Said:
    """The newest of each machine that is asked about; one that is not known is not in the list."""
    asked = call.read(AskedHeartbeats)
    names = dict.fromkeys(asked.device_ids)
    found = [find(call.change, Device, name, call.account.account_id) for name in names]
    devices = [device for device in found if device is not None]
    shown = devices[asked.offset : asked.offset + asked.limit]
    content = [
        {
            "deviceId": device.id,
            "deviceIotName": device.name,
            "heartbeatCreatedAt": machine.heartbeat_at(device),
        }
        for device in shown
    ]
    said = {
        "content": content, "totalElements": len(devices), "offset": asked.offset,
        "limit": asked.limit,
    }  # fmt: skip
    return Said(_json(said), max((device.faults.slow_ms for device in shown), default=0))


def _json(said: object) -> Answered:
    return Answered(200, msgspec.json.encode(said))


VERBS: Mapping[str, Callable[[Call], Said]] = {
    "/api/ui/v1/static/drink": drink,
    "/api/commander/v1/command/make": make,
    "/api/ui/v1/stat/heartbeat/recent": heartbeats,
}
