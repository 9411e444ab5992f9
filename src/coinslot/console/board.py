"""The board behind a counter: what is new, in the making, and to be picked up. Orders go on by one
tap, and out against the code that their customers show."""

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from markupsafe import Markup

from coinslot.console import forms
from coinslot.console.board_parts import STAGES, BoardParts, Loaded, audience_of, dressed
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.counter import boards, menu, reprints, staff
from coinslot.counter.boards import Said
from coinslot.counter.menu import UnknownItemError
from coinslot.counter.staff import CounterError, Missing, Staff, Status, Why, staff_of
from coinslot.kit.numbers import whole
from coinslot.pages import cookies
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

_SCANNED: Final = re.compile(r"([0-9a-f-]{36}):([0-9]{6})")

Step = Callable[[Staff], Awaitable[None]]


class BoardPages(SharedHandler):
    """Each form runs one verb of `counter/staff.py`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context
        self._parts = BoardParts(frame)

    async def show(self, request: AnyRequest) -> Response[str]:
        return await self._board(request)

    async def _board(
        self, request: AnyRequest, problem: str = "", status: int = HTTPStatus.OK
    ) -> Response[str]:
        loaded = await self._parts.load(request, audience_of(self._frame, request))
        parts = self._dressed(request, loaded)
        return await self._frame.page(
            request, "board.html", status=status, problem=problem, stores=loaded.stores,
            now=self._context.now(), parts=parts,
            columns=[f"board-{stage.value}" for stage in STAGES],
            menus=[id_ for id_ in parts if id_.startswith("menu-of-")],
        )  # fmt: skip

    def _dressed(self, request: AnyRequest, loaded: Loaded) -> dict[str, Markup]:
        secret = cookies.secret_of(request, self._frame.auth.base_url)
        return {id_: Markup(html) for id_, html in dressed(loaded.parts, secret).items()}

    async def accept(self, request: AnyRequest, order: FromPath[UUID]) -> Response[str] | Redirect:
        return await self._do(
            request, lambda who: staff.accept(self._context, who, order), repeats=True
        )

    async def ready(self, request: AnyRequest, order: FromPath[UUID]) -> Response[str] | Redirect:
        return await self._do(
            request, lambda who: staff.ready(self._context, who, order), repeats=True
        )

    async def back(self, request: AnyRequest, order: FromPath[UUID]) -> Response[str] | Redirect:
        form = await forms.read(request)
        to = Status.PREPARING if form.one("to") == "PREPARING" else Status.PLACED
        return await self._do(request, lambda who: staff.undo(self._context, who, order, to))

    async def reject(self, request: AnyRequest, order: FromPath[UUID]) -> Response[str] | Redirect:
        """All of it, or the pieces that are named, and those with a choice that is."""
        form = await forms.read(request)
        pairs = [text.partition(":") for text in form.all("out")]
        missing = Missing(
            units=tuple(_uuid(text) for text in form.all("unit")),
            choices=frozenset((_uuid(item), choice) for item, _, choice in pairs),
        )
        reason = form.one("reason")
        return await self._do(
            request, lambda who: staff.reject_missing(self._context, who, order, reason, missing)
        )

    async def complete(
        self, request: AnyRequest, order: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Digits as they were typed, or what the picture on the customer's page holds."""
        typed = (await forms.read(request)).one("code")
        scanned = _SCANNED.fullmatch(typed)
        digits = scanned[2] if scanned else re.sub(r"\D", "", typed)
        found = _uuid(scanned[1]) if scanned else order
        return await self._do(
            request, lambda who: staff.complete(self._context, who, found, digits), repeats=True
        )

    async def vouch(self, request: AnyRequest, order: FromPath[UUID]) -> Response[str] | Redirect:
        reason = (await forms.read(request)).one("reason")
        return await self._do(request, lambda who: staff.vouch(self._context, who, order, reason))

    async def tick(self, request: AnyRequest, order: FromPath[UUID]) -> Response[str] | Redirect:
        form = await forms.read(request)
        unit, is_done = _uuid(form.one("unit")), form.one("done") == "1"
        return await self._do(
            request, lambda who: staff.tick(self._context, who, order, unit, done=is_done),
            repeats=True, to=_kitchen(form),
        )  # fmt: skip

    async def paper(self, request: AnyRequest, order: FromPath[UUID]) -> Response[str] | Redirect:
        """A copy of its ticket, or a receipt."""
        kind = "receipt" if (await forms.read(request)).one("kind") == "receipt" else "ticket"

        async def work(who: Staff) -> None:
            await reprints.again(self._context, who, order, kind)

        return await self._do(request, work)

    async def looked(self, request: AnyRequest, job: FromPath[UUID]) -> Response[str] | Redirect:
        """Somebody saw the paper, or does without it."""
        return await self._do(request, lambda who: reprints.settle(self._context, who, job))

    async def paper_again(
        self, request: AnyRequest, job: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """What did not come out, whatever it was."""
        return await self._do(request, lambda who: reprints.repeat(self._context, who, job))

    async def here(self, request: AnyRequest) -> None:
        """An open board says that it is there, which orders it shows, and over which it was
        touched."""
        form, who = await forms.read(request), staff_of(signed_in(request))
        if form.one("shift") != "1":
            return  # nobody has begun a shift at it: it only asked whether we are here
        shown = [_uuid(text) for text in form.all("shown")]
        touched = [_uuid(text) for text in form.all("touched")]
        await boards.here(self._context, who, Said(shown=shown, touched=touched))

    async def pause(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str] | Redirect:
        form = await forms.read(request)
        now, minutes = self._context.now(), whole(form.one("minutes", 3))
        at = now if form.one("paused") == "1" else None
        until = now + timedelta(minutes=minutes) if at and minutes is not None else None
        action = "store.resumed" if at is None else "store.paused"

        async def work(who: Staff) -> None:
            _must_be_theirs(who, outlet)
            async with self._context.db.as_merchant(who.merchant) as conn:
                await menu.pause(conn, outlet, at, until)
                after = {"until": until.isoformat()} if until else None
                act = Act(action=action, merchant=who.merchant, subject=outlet, after=after)
                await record(conn, who.actor, act, self._context.now())

        return await self._do(request, work)

    async def item(
        self, request: AnyRequest, outlet: FromPath[str], item: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Sold out, or so many are there again; an empty field is not counted. The same of one of
        its choices, where one is named."""
        form = await forms.read(request)
        gone, typed = form.one("sold_out") == "1", form.one("stock", 6)
        choice = form.one("choice", 40)
        stock = whole(typed)
        if typed and stock is None:
            said = self._frame.texts(request)["board_problem_stock"]
            return await self._board(request, said, HTTPStatus.UNPROCESSABLE_ENTITY)

        async def work(who: Staff) -> None:
            _must_be_theirs(who, outlet)
            async with self._context.db.as_merchant(who.merchant) as conn:
                now = self._context.now()
                match choice, gone:
                    case "", True:
                        await menu.sold_out(conn, outlet, item, now)
                    case "", False:
                        await menu.back_on_sale(conn, outlet, item, stock)
                    case _, True:
                        await menu.choice_out(conn, outlet, item, choice)
                    case _:
                        await menu.choice_back(conn, outlet, item, choice, stock)
                of_choice = {"choice": choice} if choice else {}
                act = Act(
                    action="item.sold_out" if gone else "item.on_sale", merchant=who.merchant,
                    subject=outlet, after={"item": str(item), **of_choice, "stock": typed},
                )  # fmt: skip
                await record(conn, who.actor, act, now)

        return await self._do(request, work)

    async def _do(
        self,
        request: AnyRequest,
        step: Step,
        *,
        repeats: bool = False,
        to: Mapping[str, str] | None = None,
    ) -> Response[str] | Redirect:
        form: Form = await forms.read(request)
        merchant_of(signed_in(request))

        async def work(who: SignedIn) -> Done:
            await step(staff_of(who))
            if to is not None:
                return Done(to=self._frame.to(request, "board", "kitchen", **to))
            return Done(to=self._frame.to(request, "board"))

        try:
            return await once(self._context, request, form, work, repeats=repeats)
        except CounterError as error:
            said = self._said(request, error)
            return await self._board(request, said, HTTPStatus.CONFLICT)
        except UnknownItemError:
            raise _unknown() from None

    def _said(self, request: AnyRequest, error: CounterError) -> str:
        c = self._frame.texts(request)
        if error.was_before:
            return c["board_problem_code_before"].format(left=error.left)
        return c[f"board_problem_{error.why.value}"].format(left=error.left)


def _must_be_theirs(who: Staff, outlet: str) -> None:
    """Raises CounterError for an outlet of other staff."""
    if who.outlets is not None and outlet not in who.outlets:
        raise CounterError(Why.UNKNOWN)


def _kitchen(form: Form) -> dict[str, str] | None:
    """Back to the view of a kitchen, where a tick was made there."""
    if form.one("view") != "kitchen":
        return None
    station = form.one("station")
    return {"station": station} if station else {}


def _uuid(text: str) -> UUID:
    found = forms.uuid_of(text)
    if found is None:
        raise _unknown()
    return found


def _unknown() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such thing on this board.")
