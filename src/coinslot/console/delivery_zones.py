"""Where a counter delivers to: zones by postcodes, by a circle, or both, with fee and least sum;
and a place to try. No service of maps is asked."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.menu_fields import FieldsError
from coinslot.counter import delivery, store
from coinslot.counter.delivery import (
    METRES,
    POSTCODES,
    DeliveryError,
    NewZone,
    Point,
    Shape,
    StaleZonesError,
    Zone,
    ZoneError,
)
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError
from coinslot.kit.numbers import whole
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

ZONES: Final = 20
_FIELDS: Final = ("id", "name", "postcodes", "centre", "metres", "fee", "least")
_POSTCODE: Final = re.compile(r"(?=.*\d)[\w -]{2,12}")


class Tried(Struct, frozen=True, kw_only=True):
    """What a place that was tried comes to."""

    place: str
    goods: str
    said: str = ""
    good: bool = False


class DeliveryPages(SharedHandler):
    """One page, its form, and a field to try a place in."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def show(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str]:
        return await self._page(request, outlet)

    async def set_zones(
        self, request: AnyRequest, outlet: FromPath[str]
    ) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        _, currency, known = await self._known(request, outlet)

        async def work(who: SignedIn) -> Done:
            wanted = _typed(form, currency, known)
            async with self._context.db.as_merchant(merchant) as conn:
                now = self._context.now()
                await conn.execute(store.LOCK_STORE, outlet)
                if _seen(await delivery.zones(conn, outlet)) != form.one("seen", 2000):
                    raise StaleZonesError(outlet)
                await delivery.set_zones(conn, merchant, outlet, wanted, now)
                after = {"zones": [zone.name for zone in wanted]}
                act = Act(action="store.zones", merchant=merchant, subject=outlet, after=after)
                await record(conn, who.actor, act, now)
            return Done(to=self._frame.to(request, "menu", outlet, "delivery", done="settings"))

        c = self._frame.texts(request)
        try:
            return await once(self._context, request, form, work)
        except StaleZonesError:
            return await self._page(request, outlet, form, c["problem_stale_settings"])
        except FieldsError as error:
            return await self._page(request, outlet, form, error.said(c))
        except ZoneError as error:
            said = c["problem_zone_shape"].format(name=error)
            return await self._page(request, outlet, form, said)

    async def _known(self, request: AnyRequest, outlet: str) -> tuple[str, str, list[Zone]]:
        """Its name, its currency and its zones. Raises RefusedError for another merchant's."""
        async with self._context.db.as_merchant(merchant_of(signed_in(request))) as conn:
            for row in await conn.fetch(store.STORES):
                if row["outlet_id"] == outlet:
                    return row["name"], row["currency"], await delivery.zones(conn, outlet)
        raise RefusedError(404, "not_found", "There is no such counter.")

    async def _page(
        self, request: AnyRequest, outlet: str, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        """What somebody typed is kept, and so is what they had seen."""
        name, currency, known = await self._known(request, outlet)
        rows = [_shown(zone, currency) for zone in known]
        if form is not None:
            rows = _rows(form)
        rows.append(dict.fromkeys((*_FIELDS, "corners"), ""))  # a new one
        return await self._frame.page(
            request, "delivery_zones.html", outlet=outlet, shop=name, currency=currency,
            zones=known, problem=problem, rows=rows[:ZONES], most=METRES,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            seen=_seen(known) if form is None else form.one("seen", 2000),
            tried=self._tried(request, currency, known),
        )  # fmt: skip

    def _tried(self, request: AnyRequest, currency: str, known: Sequence[Zone]) -> Tried:
        c, money = self._frame.texts(request), self._frame.formatter(request).money
        tried = Tried(
            place=request.query_params.get("place", "")[:300],
            goods=request.query_params.get("goods", "")[:20],
        )  # fmt: skip
        if not tried.place.strip():
            return tried

        def said(text: str, *, good: bool = False) -> Tried:
            return Tried(place=tried.place, goods=tried.goods, said=text, good=good)

        try:
            goods = Money.typed(tried.goods, currency).minor if tried.goods else None
        except (MoneyTextError, MoneyRangeError):
            return said(c["problem_menu_price"].format(about=tried.goods))
        point = Point.read(tried.place)
        here = [zone for zone in known if zone.shape.reaches(point, tried.place)]
        enough = max((zone.least for zone in here), default=0) if goods is None else goods
        try:
            zone = delivery.cheapest(known, point, enough, tried.place)
        except DeliveryError as error:
            least = money(Money(error.least, currency))
            text = c["zone_tried_least" if error.code == "least" else "zone_tried_outside"]
            return said(text.format(least=least))
        fee, least = (money(Money(one, currency)) for one in (zone.fee, zone.least))
        text = c["zone_tried_in"].format(name=zone.name, fee=fee)
        return said(f"{text} {c['zone_tried_from'].format(least=least)}" if zone.least else text,
                    good=True)  # fmt: skip


def _seen(known: Sequence[Zone]) -> str:
    return " ".join(sorted(str(zone.id) for zone in known))


def _shown(zone: Zone, currency: str) -> dict[str, Any]:
    shape = zone.shape
    centre = shape.centre
    return {
        "id": str(zone.id), "name": zone.name, "postcodes": ", ".join(shape.postcodes),
        "centre": "" if centre is None else str(centre),
        "metres": "" if centre is None else str(shape.metres), "corners": len(shape.corners) or "",
        "fee": Money(zone.fee, currency).decimal(),
        "least": Money(zone.least, currency).decimal() if zone.least else "",
    }  # fmt: skip


def _rows(form: Form) -> list[dict[str, Any]]:
    """Those in which something was typed."""
    rows = [{name: form.one(f"z{n}_{name}", 2000) for name in _FIELDS} for n in range(ZONES)]
    return [{**row, "corners": ""} for row in rows if any(row.values())]


def _typed(form: Form, currency: str, known: Sequence[Zone]) -> list[NewZone]:
    """A row without a name is no zone any more. Raises FieldsError."""
    corners = {str(zone.id): zone.shape.corners for zone in known}
    found = list[NewZone]()
    for row in _rows(form):
        name = row["name"][:80]
        if not name:
            if any(row[field] for field in _FIELDS if field != "id") and not row["id"]:
                raise FieldsError("problem_zone_name")
            continue
        found.append(
            NewZone(
                name=name, shape=_shape(row, name, corners.get(row["id"], ())),
                fee=_amount(row["fee"] or "0", name, currency),
                least=_amount(row["least"] or "0", name, currency),
            )
        )  # fmt: skip
    return found


def _shape(row: dict[str, Any], name: str, corners: tuple[Point, ...]) -> Shape:
    """Raises FieldsError."""
    postcodes = tuple(dict.fromkeys(
        " ".join(one.upper().split()) for one in re.split(r"[,;\n]", row["postcodes"])
        if one.strip()
    ))  # fmt: skip
    if len(postcodes) > POSTCODES or not all(_POSTCODE.fullmatch(one) for one in postcodes):
        raise FieldsError("problem_zone_postcodes", name)
    if not row["centre"] and not row["metres"]:
        return Shape(corners=corners, postcodes=postcodes)
    centre, metres = Point.read(row["centre"]), whole(row["metres"], METRES, least=1)
    if centre is None:
        raise FieldsError("problem_zone_centre", name)
    if metres is None:
        raise FieldsError("problem_zone_metres", name)
    return Shape(centre=centre, metres=metres, corners=corners, postcodes=postcodes)


def _amount(text: str, name: str, currency: str) -> int:
    """Raises FieldsError."""
    try:
        found: int = Money.typed(text, currency).minor
    except (MoneyTextError, MoneyRangeError):
        raise FieldsError("problem_zone_amount", name) from None
    return found
