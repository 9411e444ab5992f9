"""A coffee machine: its screen, its heartbeats, what it brews, and what is wrong with it.

It does not compare order ids: a command that comes twice is brewed twice, which the book shows."""

import secrets
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from sandbox.clock import iso, now_s
from sandbox.errors import RefusedError, UnknownError, UnreadableError
from sandbox.shelf import everything, find, new_id, put
from sandbox.store import Change
from sandbox.tmetr import settings
from sandbox.tmetr.settings import SIZES, Faults, Size
from sandbox.tmetr.things import Cup, Device, Drink, Make, Order

HEARTBEAT_S = 15
SIZE_WORDS = {word: size for size in SIZES for word in (size, size.lower())}


class Choice(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What somebody chooses at a machine: a drink by number or name, a size by word or number."""

    device: str
    drink: str
    size: str | int = "MEDIUM"


def install(change: Change, wanted: settings.Device) -> Device:
    """Put the machine up, or change its name and owner; what is wrong with it stays so."""
    known = find(change, Device, wanted.device_id)
    _must_be_free(change, wanted.device_id, Device.kind)
    if known is not None and known.account_id != wanted.account_id:
        raise RefusedError(f"machine {wanted.device_id} belongs to another account")
    device = known or Device(
        id=wanted.device_id, account_id=wanted.account_id, created_at=now_s(), name="",
        seen_at=now_s(),
    )  # fmt: skip
    device.name = wanted.name
    put(change, device)
    return device


def stock(change: Change, wanted: settings.Drink) -> Drink:
    """Put a drink into the catalogue, or change its name and prices."""
    _must_be_free(change, wanted.drink_id, Drink.kind)
    drink = Drink(
        id=wanted.drink_id, account_id="", created_at=now_s(), name=wanted.name,
        prices=dict(wanted.prices),
    )  # fmt: skip
    put(change, drink)
    return drink


def _must_be_free(change: Change, name: str, kind: str) -> None:
    """Ids are one's own choice here, and one of another kind must not be overwritten."""
    row = change.one("SELECT kind FROM things WHERE id = ?", (name,))
    if row is not None and row["kind"] != kind:
        raise RefusedError(f"{name!r} names something else already")


def known(look: Change, device_id: str) -> Device:
    device = find(look, Device, device_id)
    if device is None:
        raise UnknownError(f"no coffee machine {device_id!r}")
    return device


def choose(change: Change, choice: Choice, coinslot_url: str) -> Order:
    """The machine gives the order its id, and shows a code with the way to pay for it."""
    device = known(change, choice.device)
    drinks = everything(change, Drink)
    drink = next((one for one in drinks if choice.drink in (one.id, one.name)), None)
    if drink is None:
        raise UnknownError(f"no drink {choice.drink!r}")
    number = _size_number(choice.size)
    order_id = _order_id()
    query = {
        "deviceUuid": device.id,
        "drinkNo": drink.id,
        "size": number,
        "random": "".join(secrets.choice(string.ascii_letters) for _ in range(6)),
        "ts": now_s(),
        "salt": secrets.token_hex(16),
        "drinkName": drink.name,
        "uuid": order_id,
    }
    order = Order(
        id=order_id, account_id=device.account_id, created_at=now_s(), device=device.id,
        drink=drink.id, size=SIZES[number],
        url=f"{coinslot_url.rstrip('/')}/v1/pay?{urlencode(query, quote_via=quote)}",
    )  # fmt: skip
    put(change, order)
    device.shown = order.id
    put(change, device)
    change.tell(f"coffee {device.id}: {drink.name} chosen, the screen shows its code")
    return order


def _size_number(size: str | int) -> int:
    if isinstance(size, int) and 0 <= size < len(SIZES):
        return size
    word = SIZE_WORDS.get(str(size))
    if word is None:
        raise UnreadableError(f"a size is {', '.join(SIZES)} or 0 to {len(SIZES) - 1}")
    return SIZES.index(word)


def _order_id() -> str:
    """Of the form that real machines show, which is no UUID: `20250317110122659ba6d7-9ace-cndn`."""
    digits = "".join(sign for sign in iso(now_s())[:19] if sign.isdigit())
    tail = "".join(secrets.choice(string.ascii_lowercase) for _ in range(4))
    return f"{digits}{secrets.token_hex(4)}-{secrets.token_hex(2)}-{tail}"


def heartbeat_at(device: Device) -> int:
    """When it was last heard of, by its own clock."""
    now = now_s()
    at = device.seen_at if device.faults.offline else now - now % HEARTBEAT_S
    return min(at, now - device.faults.silent_s) + device.faults.clock_off_s


def price(device: Device, drink: Drink, size: Size) -> int | None:
    match device.faults.price:
        case "zero":
            return 0
        case "absent":
            return None
        case None:
            return drink.prices.get(size)


def command(change: Change, device: Device, make: Make) -> None:
    """The telemetry passes a command on. Nobody is told whether anything came of it."""
    faults = device.faults
    if not faults.offline and not faults.no_water:
        _brew(change, device, make)
    elif faults.offline and faults.keeps_commands:
        make.fate = "waiting"
    put(change, make)
    again = f", for the {make.repeat + 1}. time" if make.repeat else ""
    change.tell(f"coffee {device.id}: make {make.order_id}{again}: {make.fate}")


def _brew(change: Change, device: Device, make: Make) -> None:
    make.fate = "brewed"
    cup = Cup(
        id=new_id("cup_"), account_id=device.account_id, created_at=now_s(),
        order_id=make.order_id, device=device.id, drink=make.drink, size=make.size,
    )  # fmt: skip
    put(change, cup)
    if device.shown == make.order_id:
        device.shown = None
        put(change, device)
    change.tell(f"coffee {device.id}: a cup dropped out of the spout")


def break_it(change: Change, device_id: str, wanted: Mapping[str, Any]) -> Faults:
    """Change the named faults alone. A machine that is back brews the commands that it kept."""
    device = known(change, device_id)
    merged = {**msgspec.to_builtins(device.faults), **wanted}
    try:
        faults = msgspec.convert(merged, Faults)
    except msgspec.ValidationError as problem:
        raise UnreadableError(str(problem)) from problem
    if faults.offline and not device.faults.offline:
        device.seen_at = heartbeat_at(device)
    device.faults = faults
    put(change, device)
    if not faults.offline and not faults.no_water:
        for make in everything(change, Make):
            if make.device == device.id and make.fate == "waiting":
                _brew(change, device, make)
                put(change, make)
    change.tell(f"coffee {device.id}: {'offline' if faults.offline else 'online'}, faults changed")
    return faults
