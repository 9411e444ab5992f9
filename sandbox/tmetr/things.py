"""What is kept: machines, drinks, codes on screens, commands to make, and cups that were brewed."""

from typing import ClassVar, Literal

from sandbox.shelf import Thing
from sandbox.tmetr.settings import Faults, Size


class Device(Thing):
    """A coffee machine. `seen_at` is its last heartbeat before it went offline."""

    kind: ClassVar[str] = "tmetr.device"
    name: str
    faults: Faults = Faults()
    seen_at: int = 0
    shown: str | None = None  # the order whose code stands on its screen


class Drink(Thing):
    kind: ClassVar[str] = "tmetr.drink"
    name: str
    prices: dict[Size, int]


class Order(Thing):
    """Somebody chose a drink at the machine: the machine gave it this id and shows a code."""

    kind: ClassVar[str] = "tmetr.order"
    device: str
    drink: str
    size: Size
    url: str

    @property
    def parent(self) -> str:
        return self.device


class Make(Thing):
    """A command to make a drink, as it came. `repeat` counts those before it for the same order."""

    kind: ClassVar[str] = "tmetr.make"
    order_id: str
    device: str
    drink: str
    size: Size
    price: int
    repeat: int
    fate: Literal["brewed", "lost", "waiting"] = "lost"

    @property
    def parent(self) -> str:
        return f"{self.device}/{self.order_id}"


class Cup(Thing):
    """A cup that was brewed: the physical truth."""

    kind: ClassVar[str] = "tmetr.cup"
    order_id: str
    device: str
    drink: str
    size: Size

    @property
    def parent(self) -> str:
        return self.device
