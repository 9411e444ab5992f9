"""The parts of boards and kitchens that change by themselves. What is the same for all who see the
same is read and written once; what is of a session (its token, keys of forms) is put in for each,
and an open page is sent the parts that changed."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from coinslot.console.frame import Frame
from coinslot.context import Context
from coinslot.counter import board, reprints, walk_ins
from coinslot.counter.board import BoardItem, BoardOrder, BoardStore
from coinslot.counter.staff import Staff, Status, staff_of
from coinslot.counter.walk_ins import WalkIn
from coinslot.kit import qr
from coinslot.kit.ids import token
from coinslot.pages import cookies
from coinslot.pages.access import signed_in
from coinslot.pages.rendering import AnyRequest

STAGES: Final = (Status.PLACED, Status.PREPARING, Status.READY)
KITCHEN: Final = "kitchen"
_SLOW_MIN: Final = 5  # then a card is yellow
_LATE_MIN: Final = 8  # and then red
_ENDED_SHOWN: Final = 8
_GONE_NAMED: Final = 6
_PAUSES_MIN: Final = (15, 30, 60)
_MENUS_KEPT: Final = 200

# In place of a session's own. Nobody is sent them, so nothing that a customer types has them.
_TOKEN_MARK: Final = token(18)
_KEY_MARK: Final = token(18)
_numbers = count(1)


class Audience(Struct, frozen=True):
    """Who sees the same: at these outlets, in this language, with these rights, in this view."""

    merchant: UUID
    outlets: tuple[str, ...] | None
    language: tuple[str, str | None]  # of texts, and of links
    may: bool
    view: str = ""
    station: str = ""
    finds: bool = False  # they may open an order


class Part(Struct, frozen=True):
    """A region of a page. `live` differs where what it shows differs."""

    id: str
    live: str
    html: str


class Loaded(Struct, frozen=True, kw_only=True):
    """What a page shows beside its parts, and the parts."""

    stores: Sequence[BoardStore] = ()
    stations: Sequence[str] = ()
    parts: tuple[Part, ...]


def audience_of(frame: Frame, request: AnyRequest, view: str = "") -> Audience:
    who = signed_in(request)
    staff = staff_of(who)
    return Audience(
        merchant=staff.merchant, outlets=staff.outlets, may="board:write" in who.permissions,
        language=(frame.language(request), frame.formatter(request).lang), view=view,
        station=request.query_params.get("station", "") if view else "",
        finds="orders:read" in who.permissions,
    )  # fmt: skip


def dressed(parts: Sequence[Part], secret: str) -> dict[str, str]:
    """The parts as the page of one session has them: its token, and keys that no other page has."""
    form_token, key = cookies.form_token(secret), token(12)
    return {
        part.id: part.html.replace(_TOKEN_MARK, form_token).replace(_KEY_MARK, key)
        for part in parts
    }


def seen(*shown: object) -> str:
    """What a part of the board shows, for the page to compare. Minutes are counted by the page."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


class BoardParts:
    """Reads what an audience sees, and writes its parts."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context: Context = frame.auth.context
        self._menus: dict[tuple[object, ...], str] = {}

    async def load(self, request: AnyRequest, audience: Audience) -> Loaded:
        """`request`: of any of them; only its language counts."""
        who = staff_of(signed_in(request))
        pen = _Pen(self._frame, request, audience, await self._frame.zone(audience.merchant))
        if audience.view == KITCHEN:
            return await self._kitchen(pen, who)
        return await self._board(pen, who)

    async def _kitchen(self, pen: "_Pen", who: Staff) -> Loaded:
        station = pen.audience.station
        found = await board.orders(self._context, who, (Status.PREPARING,))
        orders = [(order, lines) for order in found if (lines := board.at_station(order, station))]
        entered = [
            (one, made) for one in await walk_ins.listed(self._context, who)
            if not one.ready
            and (made := [line for line in one.lines if station in ("", line.station)])
        ]  # fmt: skip
        shown = {"orders": orders, "walk_ins": entered, "station": station}
        part = pen.part("kitchen", KITCHEN, seen(orders, entered), now=self._context.now(), **shown)
        return Loaded(stations=await board.stations(self._context, who), parts=(part,))

    async def _board(self, pen: "_Pen", who: Staff) -> Loaded:
        context = self._context
        orders = await board.orders(context, who)
        entered = await walk_ins.listed(context, who)
        papers = await reprints.problems(context, who)
        stores = await board.stores(context, who)
        has_printer = await reprints.has_printer(context, who)
        pauses = [(shop.name, shop.paused, shop.until) for shop in stores]
        items = await board.items(context, who) if pen.audience.may else {}
        gone = {shop.outlet: _named(items.get(shop.outlet, ())) for shop in stores}
        ended = [order for order in orders if order.ended_at is not None][::-1][:_ENDED_SHOWN]
        parts = [
            pen.part("paper", "board-paper", seen(papers), papers=papers),
            pen.part("notes", "board-notes", seen(pauses, gone), stores=stores, gone=gone),
        ]
        parts += [self._stage(pen, one, orders, entered, has_printer) for one in STAGES]
        parts.append(pen.part("ended", "board-ended", seen(ended), ended=ended))
        if pen.audience.may:
            parts += [self._menu(pen, shop, items.get(shop.outlet, ())) for shop in stores]
        return Loaded(stores=stores, parts=tuple(parts))

    def _stage(
        self, pen: "_Pen", stage: Status, orders: Sequence[BoardOrder], entered: Sequence[WalkIn],
        has_printer: bool,
    ) -> Part:  # fmt: skip
        now = self._context.now()
        theirs = [order for order in orders if order.status is stage]
        walked = [
            one for one in entered
            if stage is not Status.PLACED and one.ready is (stage is Status.READY)
        ]  # fmt: skip
        old = [order.code_until <= now for order in theirs]

        def minutes(order: BoardOrder) -> int:
            return int((now - order.since).total_seconds() // 60)

        return pen.part(
            "stage", f"board-{stage.value}", seen(theirs, walked, old, has_printer), stage=stage,
            orders=theirs, entered=walked, minutes=minutes, now=now, has_printer=has_printer,
            drawn=lambda secret: qr.svg(f"{self._context.public_url}/driver/{secret}"),
        )  # fmt: skip

    def _menu(self, pen: "_Pen", shop: BoardStore, items: Sequence[BoardItem]) -> Part:
        """Written when it changed: one of 500 items is a large part of a board."""
        live = seen(items, shop.paused, shop.name)
        key = (pen.audience.language, pen.zone, shop.outlet, live)
        html = self._menus.get(key)
        if html is None:
            html = pen.html("menu", live, shop=shop, items=items, pauses=_PAUSES_MIN)
            while len(self._menus) >= _MENUS_KEPT:
                del self._menus[next(iter(self._menus))]
            self._menus[key] = html
        return Part(f"menu-of-{shop.outlet}", live, html)


def _named(items: Sequence[BoardItem]) -> tuple[Sequence[str], int]:
    """The first of what is sold out, and of how much more that is so."""
    names = [item.name for item in items if not item.available]
    names += [f"{item.name}: {one.name}" for item in items for one in item.choices if not one.there]
    return names[:_GONE_NAMED], max(len(names) - _GONE_NAMED, 0)


class _Pen:
    """Writes parts for one audience."""

    def __init__(
        self, frame: Frame, request: AnyRequest, audience: Audience, zone: str | None
    ) -> None:
        self.audience, self.zone = audience, zone
        self._frame, self._request = frame, request

    def part(self, name: str, id_: str, live: str, **values: Any) -> Part:
        return Part(id_, live, self.html(name, live, **values))

    def html(self, name: str, live: str, **values: Any) -> str:
        return self._frame.fragment(
            self._request, "board_part.html", part=name, live=live, zone=self.zone,
            may=self.audience.may, finds=self.audience.finds, slow=_SLOW_MIN,
            late=_LATE_MIN, form_token=_TOKEN_MARK,
            mint=lambda: f"{_KEY_MARK}{next(_numbers)}", **values,
        )  # fmt: skip


Make = Callable[[], Coroutine[Any, Any, Loaded]]


class SharedParts:
    """What audiences see, by version: the first page that asks for a version has it made, and the
    others are given the same."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._made: dict[Audience, tuple[str, asyncio.Task[Loaded]]] = {}
        self._watching: dict[Audience, int] = {}

    @contextmanager
    def watched(self, audience: Audience) -> Iterator[None]:
        """What nobody has open is not kept."""
        self._watching[audience] = self._watching.get(audience, 0) + 1
        try:
            yield
        finally:
            self._watching[audience] -= 1
            if not self._watching[audience]:
                del self._watching[audience]
                self._made.pop(audience, None)

    @property
    def kept(self) -> int:
        """Of how many audiences something is kept."""
        return len(self._made)

    async def at(self, audience: Audience, version: str, make: Make) -> Mapping[str, Part]:
        """As new as this version at least. Raises what reading it raises, for all who wait; the
        next who asks has it made anew."""
        known = self._made.get(audience)
        if known is None or known[0] != version or _failed(known[1]):
            known = version, self._context.background.start(make(), "write a board")
            self._made[audience] = known
        loaded = await asyncio.shield(known[1])
        return {part.id: part for part in loaded.parts}


def _failed(task: "asyncio.Task[Loaded]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
