"""Where a counter delivers to, and what that costs: circles, polygons and postcodes of its
merchant. Off until there is one. A point in several of them pays the least of their fees."""

import re
from collections.abc import Sequence
from datetime import datetime
from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from coinslot.counter.menu import Store
from coinslot.db.pool import Connection
from coinslot.kit.ids import token, uuid7
from coinslot.kit.money import Money, MoneyTextError

_EARTH_M: Final = 6_371_008.8  # its mean radius
_ADDRESS: Final = 300
METRES: Final = 200_000
POSTCODES: Final = 200  # of one zone
_PARTS: Final = 3  # of a postcode: SW1A 1AA has two
_NEAR: Final = 1e-9  # degrees: a tenth of a millimetre

_ZONES = """
SELECT id, name, shape, fee_minor, least_minor FROM delivery_zones
WHERE outlet_id = $1 AND ended_at IS NULL ORDER BY fee_minor, least_minor, name, id
"""
_ADD = """
INSERT INTO delivery_zones (id, merchant_id, outlet_id, name, shape, fee_minor, least_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_END = """
UPDATE delivery_zones SET ended_at = $2
WHERE outlet_id = $1 AND ended_at IS NULL AND id <> ALL ($3)
"""
_KEEP = """
INSERT INTO counter_deliveries (order_id, merchant_id, zone_id, address, latitude, longitude,
    driver_token)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


_WORD: Final = re.compile(r"[^\W_]+")
_POINT: Final = re.compile(
    r"\s*([+-]?\d{1,2}(?:\.\d{1,12})?)\s*[,; ]\s*([+-]?\d{1,3}(?:\.\d{1,12})?)\s*"
)


class Point(Struct, frozen=True):
    """In degrees."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]

    @classmethod
    def read(cls, text: str) -> "Point | None":
        """As maps copy it: latitude, longitude. None for what is no place on Earth."""
        said = _POINT.fullmatch(text)
        if said is None:
            return None
        return cls.on_earth(float(said[1]), float(said[2]))

    @classmethod
    def on_earth(cls, latitude: float, longitude: float) -> "Point | None":
        """None for what is no place there."""
        if abs(latitude) > 90 or abs(longitude) > 180:
            return None
        return cls(latitude, longitude)

    def __str__(self) -> str:
        return f"{self.latitude:.12g}, {self.longitude:.12g}"


class Shape(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Within so many metres of a point, within the corners of a polygon, or at an address with one
    of these postcodes."""

    centre: Point | None = None
    metres: Annotated[int, Meta(ge=1, le=METRES)] = 1
    corners: Annotated[tuple[Point, ...], Meta(max_length=500)] = ()
    postcodes: Annotated[tuple[str, ...], Meta(max_length=POSTCODES)] = ()

    @property
    def is_nowhere(self) -> bool:
        return self.centre is None and len(self.corners) < 3 and not self.postcodes

    @property
    def is_by_postcode(self) -> bool:
        """Nothing but postcodes says where it is."""
        return self.centre is None and not self.corners

    def reaches(self, point: Point | None, address: str) -> bool:
        return (point is not None and self.holds(point)) or self.names(address)

    def names(self, address: str) -> bool:
        """Whether an address has one of its postcodes, however that is spaced."""
        words = _WORD.findall(address.upper())
        said = {
            "".join(words[at : at + parts])
            for at in range(len(words)) for parts in range(1, _PARTS + 1)
        }  # fmt: skip
        return any("".join(_WORD.findall(one.upper())) in said for one in self.postcodes)

    def holds(self, point: Point) -> bool:
        """Whoever stands on its edge is in it."""
        if self.centre is not None and metres_between(self.centre, point) <= self.metres:
            return True
        return _within(self.corners, point)


class NewZone(Struct, frozen=True, kw_only=True):
    """Amounts in minor units."""

    name: str
    shape: Shape
    fee: int
    least: int = 0


class Zone(Struct, frozen=True, kw_only=True):
    """One that is delivered to."""

    id: UUID
    name: str
    shape: Shape
    fee: int
    least: int


class Delivery(Struct, frozen=True, kw_only=True):
    """Where an order is to go: to a point, or into a zone that its customer named."""

    address: str
    point: Point | None = None
    zone: UUID | None = None


class DeliveryError(ValueError):
    """It is not delivered there. `code`: 'outside', 'least', 'postcode' or 'address'."""

    def __init__(self, code: str, least: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.least = least  # of the goods, in minor units


class ZoneError(ValueError):
    """This is no zone: it needs a centre, three corners or a postcode, a name and a fee."""


class StaleZonesError(Exception):
    """Somebody else changed them meanwhile."""


class _Written(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A zone in a file: amounts as people write them, points as [latitude, longitude]."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    fee: str
    least: str = "0"
    shape: dict[str, Any]


def read(text: bytes, currency: str) -> list[NewZone]:
    """The zones of a file. Raises ZoneError."""
    try:
        return [
            NewZone(
                name=one.name, fee=Money.parse(one.fee, currency).minor,
                least=Money.parse(one.least, currency).minor, shape=_shape(one.shape),
            )
            for one in msgspec.json.decode(text, type=list[_Written])
        ]  # fmt: skip
    except (msgspec.DecodeError, MoneyTextError, TypeError) as error:
        raise ZoneError(f"This is no list of zones: {error}") from error


def _shape(written: dict[str, Any]) -> Shape:
    found = dict(written)
    if "centre" in found:
        found["centre"] = Point(*found["centre"])
    found["postcodes"] = tuple(found.get("postcodes", ()))
    found["corners"] = tuple(Point(*corner) for corner in found.get("corners", ()))
    made: Shape = msgspec.convert(msgspec.to_builtins(Shape(**found)), Shape)
    return made


def metres_between(one: Point, other: Point) -> float:
    """Along the surface, by the haversine formula."""
    up = radians(other.latitude - one.latitude)
    along = radians(other.longitude - one.longitude)
    half = (
        sin(up / 2) ** 2
        + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(along / 2) ** 2
    )
    return 2 * _EARTH_M * asin(sqrt(min(half, 1)))


def cheapest(zones: Sequence[Zone], point: Point | None, goods: int, address: str = "") -> Zone:
    """Of those that hold the point or name the address's postcode, the one with the least fee for
    which the goods are enough. Raises DeliveryError."""
    here = [zone for zone in zones if zone.shape.reaches(point, address)]
    if not here:
        raise DeliveryError("outside")
    enough = [zone for zone in here if goods >= zone.least]
    if not enough:
        raise DeliveryError("least", min(zone.least for zone in here))
    return min(enough, key=lambda zone: (zone.fee, zone.name))


def named(zones: Sequence[Zone], wanted: UUID | None, goods: int) -> Zone:
    """The one that was named, for which the goods are enough. Raises DeliveryError."""
    for zone in zones:
        if zone.id == wanted:
            if goods < zone.least:
                raise DeliveryError("least", zone.least)
            return zone
    raise DeliveryError("outside")


async def zones(conn: Connection, outlet: str) -> list[Zone]:
    """The cheapest first; none: it delivers nowhere."""
    return [
        Zone(
            id=row["id"], name=row["name"], shape=msgspec.convert(row["shape"], Shape),
            fee=row["fee_minor"], least=row["least_minor"],
        )
        for row in await conn.fetch(_ZONES, outlet)
    ]  # fmt: skip


async def set_zones(
    conn: Connection, merchant: UUID, outlet: str, wanted: Sequence[NewZone], now: datetime
) -> None:
    """These from now on, and no others; one that is the same stays, and with it the baskets that
    name it. Orders that were placed keep theirs. Raises ZoneError."""
    for zone in wanted:
        if zone.shape.is_nowhere:
            raise ZoneError(zone.name)
    there = {_same(zone): zone.id for zone in await zones(conn, outlet)}
    kept = [there[_same(zone)] for zone in wanted if _same(zone) in there]
    await conn.execute(_END, outlet, now, kept)
    for zone in wanted:
        if _same(zone) in there:
            continue
        await conn.execute(
            _ADD, uuid7(now), merchant, outlet, zone.name, msgspec.to_builtins(zone.shape),
            zone.fee, zone.least,
        )  # fmt: skip


def _same(zone: Zone | NewZone) -> tuple[object, ...]:
    return zone.name, zone.shape, zone.fee, zone.least


async def quote(conn: Connection, at: Store, wanted: Delivery, goods: int) -> Zone:
    """Raises DeliveryError."""
    if not 0 < len(wanted.address.strip()) <= _ADDRESS:
        raise DeliveryError("address")
    there = await zones(conn, at.outlet.code)
    if wanted.point is not None:
        return cheapest(there, wanted.point, goods, wanted.address)
    zone = named(there, wanted.zone, goods)
    if zone.shape.is_by_postcode and not zone.shape.names(wanted.address):
        raise DeliveryError("postcode")
    return zone


async def keep(conn: Connection, at: Store, order: UUID, wanted: Delivery, zone: Zone) -> None:
    """Beside the order, in its transaction."""
    point = wanted.point
    await conn.execute(
        _KEEP, order, at.merchant, zone.id, wanted.address.strip(),
        None if point is None else point.latitude, None if point is None else point.longitude,
        token(),
    )  # fmt: skip


def _within(corners: Sequence[Point], point: Point) -> bool:
    """By ray casting. Corners are followed the short way round, so that a zone may lie across the
    date line."""
    if not corners:
        return False
    first, along, flat = corners[0], 0.0, []
    for before, corner in zip((first, *corners), corners, strict=False):
        along += _turn(corner.longitude - before.longitude)
        flat.append((along, corner.latitude))
    here = _turn(point.longitude - first.longitude)
    inside = False
    for place, (east, north) in enumerate(flat):
        x, y = east - here, north - point.latitude
        u, v = flat[place - 1][0] - here, flat[place - 1][1] - point.latitude
        if _on_edge((x, y), (u, v)):
            return True
        if (y > 0) != (v > 0) and x - y * (u - x) / (v - y) > 0:
            inside = not inside
    return inside


def _on_edge(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether nothing lies between them, to a tenth of a millimetre."""
    (x, y), (u, v) = one, other
    off = abs(x * v - u * y) <= _NEAR * (abs(x - u) + abs(y - v) + _NEAR)
    beside = min(x, u) > _NEAR or max(x, u) < -_NEAR or min(y, v) > _NEAR or max(y, v) < -_NEAR
    return off and not beside


def _turn(degrees: float) -> float:
    """The short way round."""
    return (degrees + 540) % 360 - 180
