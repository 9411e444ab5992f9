"""What a machine's configuration says of the device, where it uses these names. Other names are the
device's own, and go to it as they are."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from coinslot.telemetry.food import FOOD_LOCK, FoodRule

Word = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"\A[^\x00]*\Z")]


class Gps(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it stands, in degrees."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lng: Annotated[float, Meta(ge=-180, le=180)]


class DeviceSettings(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """The names that every device may share."""

    gps: Gps | None = None
    device_type: Word | None = None  # such as esp32
    pins: Annotated[dict[Word, Annotated[int, Meta(ge=0, le=255)]], Meta(max_length=64)] = {}
    sensors: Annotated[list[dict[str, Any]], Meta(max_length=64)] = []
    actuators: Annotated[list[dict[str, Any]], Meta(max_length=64)] = []
    payment_hardware: dict[str, Any] = {}
    ui_theme: Word | None = None
    features: Annotated[list[Word], Meta(max_length=64)] = []
    maintenance: bool = False  # the device shows that somebody works at it
    food_lock: FoodRule | None = field(default=None, name=FOOD_LOCK)


def checked_settings(device: dict[str, Any]) -> DeviceSettings:
    """Those of its names that are shared. Raises msgspec.ValidationError."""
    return msgspec.convert(device, DeviceSettings)
