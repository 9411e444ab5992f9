"""What is made at one station of a kitchen, and orders that staff enter for whoever stands in
front of them."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.board import BoardPages
from coinslot.console.board_parts import KITCHEN, audience_of
from coinslot.console.forms import Form
from coinslot.console.frame import Frame
from coinslot.counter import board, reprints, walk_ins
from coinslot.counter.basket import PIECES, BasketError, Wish
from coinslot.counter.board import StoreMenu
from coinslot.counter.staff import Staff, staff_of
from coinslot.counter.walk_ins import Step
from coinslot.kit.numbers import whole
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest

_NOTE: Final = 200


class KitchenPages(BoardPages):
    """The board's forms, over another view of its orders."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame)

    async def kitchen(self, request: AnyRequest) -> Response[str]:
        """Without `station`: whatever is being made."""
        audience = audience_of(self._frame, request, KITCHEN)
        loaded = await self._parts.load(request, audience)
        return await self._frame.page(
            request, "kitchen.html", station=audience.station, stations=loaded.stations,
            parts=self._dressed(request, loaded),
        )  # fmt: skip

    async def new_walk_in(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str]:
        return await self._walk_in(request, await self._store(request, outlet))

    async def enter(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str] | Redirect:
        form, at = await forms.read(request), await self._store(request, outlet)

        async def work(who: Staff) -> None:
            wishes = _wishes(form, at)
            await walk_ins.enter(self._context, who, outlet, wishes, form.one("name", 80))

        try:
            return await self._do(request, work)
        except BasketError as error:
            c = self._frame.texts(request)
            said = c.get(f"walk_in_problem_{error.code}", c["walk_in_problem"])
            return await self._walk_in(request, at, said.format(item=_named(at, error.item)))

    async def step(self, request: AnyRequest, walk_in: FromPath[UUID]) -> Response[str] | Redirect:
        typed = (await forms.read(request)).one("step")
        if typed not in tuple(Step):
            raise RefusedError(400, "bad_request", "This form is none of ours.")
        return await self._do(
            request, lambda who: walk_ins.move(self._context, who, walk_in, Step(typed))
        )

    async def print_again(
        self, request: AnyRequest, walk_in: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """A copy of its ticket."""
        return await self._do(
            request, lambda who: reprints.walk_in_again(self._context, who, walk_in)
        )

    async def _store(self, request: AnyRequest, outlet: str) -> StoreMenu:
        found = await board.store_menu(self._context, staff_of(signed_in(request)), outlet)
        if found is None:
            raise RefusedError(404, "not_found", "There is no such counter here.")
        return found

    async def _walk_in(
        self, request: AnyRequest, at: StoreMenu, problem: str = ""
    ) -> Response[str]:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return await self._frame.page(
            request, "walk_in.html", status=status, problem=problem, at=at, most=PIECES
        )


def _wishes(form: Form, at: StoreMenu) -> list[Wish]:
    """What was typed for each item. Raises BasketError."""
    note, found = form.one("note", _NOTE), []
    for item in at.items:
        if quantity := whole(form.one(f"n.{item.sku}", 2)):
            found.append(
                Wish(
                    sku=item.sku, quantity=quantity,
                    choices=tuple(sorted(form.all(f"c.{item.sku}"))),
                    note=" ".join(note.split()),
                )
            )  # fmt: skip
    return found


def _named(at: StoreMenu, sku: str) -> str:
    return next((item.name for item in at.items if item.sku == sku), sku)
