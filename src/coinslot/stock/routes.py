"""Routes, and what to pack for one: what each slot lacks to its par level on the day of the visit,
when until then is sold what is usually sold."""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Final
from uuid import UUID

import asyncpg
from msgspec import Meta, Struct

from coinslot.context import Context
from coinslot.stock import store
from coinslot.stock.forecast import expected
from coinslot.stock.slots import Recorder, demand_of

MACHINES_AT_MOST: Final = 500
DAYS_AT_MOST: Final = 60
RouteName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\A[^\x00/]*[^\s\x00/]\Z")]


class Route(Struct, frozen=True, kw_only=True):
    """Machines in the order in which somebody drives to them."""

    name: str
    machines: tuple[str, ...]


class PickLine(Struct, frozen=True, kw_only=True):
    """One slot: what it can sell now, what will be asked for until the visit, what to bring."""

    slot: str
    sku: str
    product: str
    left: int
    par: int
    will_sell: float | None  # None: nothing is known yet
    bring: int


class PickStop(Struct, frozen=True, kw_only=True):
    code: str
    name: str
    place: str
    lines: tuple[PickLine, ...]

    @property
    def bring(self) -> int:
        return sum(line.bring for line in self.lines)


class PickSum(Struct, frozen=True, kw_only=True):
    """Of one product, for all machines together."""

    sku: str
    product: str
    bring: int


class PickList(Struct, frozen=True, kw_only=True):
    """What to pack for a route, in its order; without a route for every machine, by code."""

    route: str | None
    on: date
    stops: tuple[PickStop, ...]
    products: tuple[PickSum, ...]

    @property
    def bring(self) -> int:
        return sum(one.bring for one in self.products)


class UnknownRouteError(LookupError):
    """There is no such route."""


class RouteError(ValueError):
    """A route names a machine twice, or one that there is not."""


class DayError(ValueError):
    """The day of the visit is over, or too far away to say anything."""


async def routes(context: Context, merchant: UUID) -> list[Route]:
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.ROUTES, merchant)
    return [Route(name=row["name"], machines=tuple(row["machines"])) for row in rows]


async def put_route(context: Context, who: Recorder, name: str, machines: Sequence[str]) -> Route:
    """A new one, or another order of one that there is. Raises RouteError."""
    if len(set(machines)) != len(machines):
        raise RouteError("a machine is named twice")
    async with context.db.as_merchant(who.merchant) as conn:
        rows = await conn.fetch(store.MACHINES, who.merchant, list(machines), MACHINES_AT_MOST)
        if missing := set(machines) - {row["code"] for row in rows}:
            raise RouteError(f"there is no machine {min(missing)}")
        now = context.now()
        await conn.execute(store.PUT_ROUTE, who.merchant, name, list(machines), who.name, now)
        said = {"route": name, "machines": list(machines)}
        await who.note(conn, "route.changed", name, said, now)
    return Route(name=name, machines=tuple(machines))


async def drop_route(context: Context, who: Recorder, name: str) -> None:
    """Raises UnknownRouteError."""
    async with context.db.as_merchant(who.merchant) as conn:
        now = context.now()
        if await conn.fetchval(store.DROP_ROUTE, who.merchant, name, now) is None:
            raise UnknownRouteError(f"there is no route {name}")
        await who.note(conn, "route.dropped", name, {"route": name}, now)


async def pick_list(
    context: Context, merchant: UUID, route: str | None, on: date | None = None
) -> PickList:
    """For a visit on this day; None: today. Raises UnknownRouteError, DayError."""
    async with context.db.as_merchant(merchant) as conn:
        codes = None
        if route is not None:
            row = await conn.fetchrow(store.ROUTE, merchant, route)
            if row is None:
                raise UnknownRouteError(f"there is no route {route}")
            codes = list(row["machines"])
        machines = await conn.fetch(store.MACHINES, merchant, codes, MACHINES_AT_MOST)
        slots = await conn.fetch(store.SLOTS, [machine["code"] for machine in machines])
    stops, day = [], on
    for machine in machines:
        today = context.now().astimezone(context.zone_of(machine["zone"])).date()
        day = day or today
        if not today - timedelta(days=1) <= day <= today + timedelta(days=DAYS_AT_MOST):
            raise DayError("the day of the visit is over, or more than 60 days away")
        ahead = [today + timedelta(days=n) for n in range(max((day - today).days, 0))]
        lines = tuple(_line(slot, ahead) for slot in slots if slot["outlet_id"] == machine["code"])
        stops.append(PickStop(code=machine["code"], name=machine["name"],
                              place=machine["place"], lines=lines))  # fmt: skip
    day = day or context.now().astimezone(context.zone).date()
    return PickList(route=route, on=day, stops=tuple(stops), products=_summed(stops))


def _line(slot: asyncpg.Record, ahead: Sequence[date]) -> PickLine:
    demand, weekdays = demand_of(slot)
    left = max(slot["stock"] - slot["promised"], 0)
    will_sell = None if demand is None else expected(demand, weekdays, ahead)
    at_visit = left if will_sell is None else max(math.floor(left - will_sell), 0)
    full = slot["par"] if slot["capacity"] is None else min(slot["par"], slot["capacity"])
    return PickLine(
        slot=slot["slot"], sku=slot["sku"], product=slot["product"], left=left, par=slot["par"],
        will_sell=None if will_sell is None else round(will_sell, 1),
        bring=max(full - at_visit, 0),
    )  # fmt: skip


def _summed(stops: Sequence[PickStop]) -> tuple[PickSum, ...]:
    found: dict[str, PickSum] = {}
    for line in (line for stop in stops for line in stop.lines if line.bring):
        before = found[line.sku].bring if line.sku in found else 0
        found[line.sku] = PickSum(sku=line.sku, product=line.product, bring=before + line.bring)
    return tuple(sorted(found.values(), key=lambda one: (-one.bring, one.product)))
