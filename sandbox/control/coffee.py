"""A coffee machine as it is drawn: what its screen shows, and how many cups it has brewed."""

from typing import Any, NamedTuple

import msgspec

from sandbox.control.ledger import money
from sandbox.shelf import everything, find
from sandbox.store import Change
from sandbox.tmetr.things import Cup, Device, Drink, Order

SIZES = (("SMALL", "Small"), ("MEDIUM", "Medium"), ("BIG", "Big"))


class CoffeeDrawing(NamedTuple):
    """Everything that the picture of one coffee machine shows."""

    number: int
    device: str
    name: str
    lit: bool
    says: str
    words: str  # the same for those who do not see it
    order: str | None  # whose code is on the screen
    url: str
    chosen: str
    cups: int
    drinks: list[tuple[str, str]]
    faults: dict[str, Any]


def drawings(look: Change) -> list[CoffeeDrawing]:
    """All of them, in the order in which they were put up."""
    drinks = {drink.id: drink for drink in everything(look, Drink)}
    cups = [cup.device for cup in everything(look, Cup)]
    return [
        _drawn(look, number, device, drinks, cups.count(device.id))
        for number, device in enumerate(everything(look, Device))
    ]


def _drawn(
    look: Change, number: int, device: Device, drinks: dict[str, Drink], cups: int
) -> CoffeeDrawing:
    order = find(look, Order, device.shown) if device.shown else None
    drink = drinks.get(order.drink) if order else None
    chosen = _chosen(order, drink) if order and drink else ""
    says = "OFFLINE" if device.faults.offline else "SCAN AND PAY" if order else "CHOOSE A DRINK"
    name = device.name or device.id
    showing = f"its screen shows the code for {chosen}" if chosen else says.lower()
    return CoffeeDrawing(
        number=number,
        device=device.id,
        name=name,
        lit=not device.faults.offline,
        says=says,
        words=f"Coffee machine {name}: {showing}. {cups} brewed.",
        order=order.id if order else None,
        url=order.url if order else "",
        chosen=chosen,
        cups=cups,
        drinks=[(one.id, one.name) for one in drinks.values()],
        faults=msgspec.to_builtins(device.faults),
    )


def _chosen(order: Order, drink: Drink) -> str:
    size = dict(SIZES)[order.size].lower()
    price = drink.prices.get(order.size)
    return f"{drink.name}, {size}" + (f", {money(price, 'RUB')}" if price else "")
