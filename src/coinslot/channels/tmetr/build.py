"""The requests: settings of one account at Tmetr, headers and bodies.

The vendor publishes no documents. What is sent is what one public client sends, and all of it can
be changed by settings."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Literal

from msgspec import Struct

from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret

CURRENCY = "RUB"


class Size(IntEnum):
    """A drink's size, by the number in the machine's code."""

    SMALL = 0
    MEDIUM = 1
    BIG = 2


class Broker(Struct, frozen=True, kw_only=True):
    """Where commands are published instead: by TLS unless that is switched off, with a password or
    with a certificate. `{device}` in the topic is the machine's id."""

    host: str
    port: int = 8883
    topic: str = "technical"
    login: str = ""
    password: Secret | None = None
    tls: bool = True
    ca_file: str | None = None  # Yandex Cloud has one of its own; None: the system's
    certificate_file: str | None = None
    key_file: str | None = None
    answer_s: float = 10


class Settings(Struct, frozen=True, kw_only=True):
    """One account at Tmetr. Words of sizes are in the order of `Size`."""

    host: str
    token: Secret
    connect_s: float = 3
    read_s: float = 10
    drink_path: str = "/api/ui/v1/static/drink"
    make_path: str = "/api/commander/v1/command/make"
    heartbeat_path: str = "/api/ui/v1/stat/heartbeat/recent"
    zone_headers: tuple[str, ...] = ("TimeZoneOffset", "X-TimeZoneOffset")
    zone_hours: int = 3
    asked_sizes: tuple[str, str, str] = ("SMALL", "MEDIUM", "BIG")
    made_sizes: tuple[str, str, str] = ("small", "medium", "big")
    price_unit: Literal["kopecks", "roubles"] = "kopecks"
    mqtt: Broker | None = None  # commands go this way; prices and heartbeats over HTTP
    heartbeat_ahead_s: int = 0  # how far its heartbeats are ahead of UTC


class Make(Struct, frozen=True, kw_only=True):
    """One drink to make, for the order id that the machine gave."""

    device: str
    order: str
    drink: str
    size: Size
    price: Money


def headers(settings: Settings) -> dict[str, str]:
    """Of every call."""
    zones = dict.fromkeys(settings.zone_headers, str(settings.zone_hours))
    return zones | {"Authorization": f"Bearer {settings.token.reveal()}"}


def drink(settings: Settings, device: str, drink_id: str, size: Size) -> Mapping[str, object]:
    return {
        "deviceId": device,
        "drinkIdAtDevice": drink_id,
        "drinkSize": settings.asked_sizes[size],
    }


def heartbeat(device: str) -> Mapping[str, object]:
    return {"deviceIds": [device], "offset": 0, "limit": 1}


def make(settings: Settings, wanted: Make) -> list[Mapping[str, object]]:
    """An array, also for one command."""
    return [
        {
            "deviceId": wanted.device,
            "orderUuid": wanted.order,
            "drinkUuid": wanted.drink,
            "size": settings.made_sizes[wanted.size],
            "price": price(settings, wanted.price),
        }
    ]


def price(settings: Settings, money: Money) -> int:
    """Raises ValueError for another currency, and where whole roubles are wanted for kopecks."""
    if money.currency != CURRENCY or money.minor <= 0:
        raise ValueError(f"a drink is not made for {money}")
    if settings.price_unit == "kopecks":
        return money.minor
    whole, rest = divmod(money.minor, 10**2)
    if rest:
        raise ValueError(f"{money} is not a price in whole roubles")
    return whole
