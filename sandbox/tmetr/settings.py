"""The section `tmetr` of the configuration: who may call, which machines there are, what they brew.

Tmetr publishes no documents: what is emulated is what one public client sends and reads."""

from typing import Annotated, Literal

import msgspec

from sandbox import accounts

Size = Literal["SMALL", "MEDIUM", "BIG"]
SIZES: tuple[Size, ...] = ("SMALL", "MEDIUM", "BIG")  # the QR code of a machine numbers them so
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Kopecks = Annotated[int, msgspec.Meta(ge=0, le=100_000_000)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=31_536_000)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=60_000)]


class Account(accounts.Account, frozen=True, kw_only=True):
    """Whoever holds this token sees and commands this account's machines, and no other's."""

    token: str

    @property
    def login(self) -> str:
        return self.token


class Drink(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One drink of the catalogue, which all machines share. A size without a price has none."""

    drink_id: Id
    name: str
    prices: dict[Size, Kopecks]


class Device(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One coffee machine."""

    device_id: Annotated[str, msgspec.Meta(pattern=r"^[^/]{1,255}$")]  # it stands in our URLs
    account_id: str
    name: str = ""


class Faults(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is wrong with a machine, until it is set right."""

    offline: bool = False  # no heartbeats, and commands do not reach it
    silent_s: Seconds = 0  # its last heartbeat is at least so old, whatever else it does
    clock_off_s: Annotated[int, msgspec.Meta(ge=-86_400, le=86_400)] = 0  # of its heartbeats
    keeps_commands: bool = False  # what was sent while it was offline is brewed when it is back
    no_water: bool = False  # it takes the command and brews nothing
    price: Literal["zero", "absent"] | None = None
    make: Literal["refused_500", "brewed_500", "brewed_cut", "not_json"] | None = None
    slow_ms: Milliseconds = 0  # every answer about it, after the effect


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    accounts: list[Account] = []
    devices: list[Device] = []
    drinks: list[Drink] | None = None  # the catalogue below, unless another is given


def _drink(number: int, name: str, *prices: int) -> Drink:
    return Drink(drink_id=f"{number:032x}", name=name, prices=dict(zip(SIZES, prices, strict=True)))


CATALOGUE = [
    _drink(0xA1, "Эспрессо", 9_000, 12_000, 15_000),
    _drink(0xA2, "Американо", 11_000, 14_000, 17_000),
    _drink(0xA3, "Капучино", 14_000, 17_500, 21_000),
    _drink(0xA4, "Латте", 15_000, 18_500, 22_000),
    _drink(0xA5, "Какао с молоком", 13_000, 16_000, 19_900),
]
