"""The printers of a counter, and the phone that is called when nobody accepts an order."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.context import Context
from coinslot.counter import printers
from coinslot.counter.printers import NewPrinter, PrinterError
from coinslot.counter.staff import Staff, staff_of
from coinslot.kit.numbers import whole
from coinslot.pages.access import signed_in
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn

_HERE = ("board", "printers")
Work = Callable[[Context, Staff], Awaitable[None]]


class PrinterPages(SharedHandler):
    """Each form runs one verb of `counter/printers.py`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def show(self, request: AnyRequest) -> Response[str]:
        return await self._page(request)

    async def add(self, request: AnyRequest) -> Response[str] | Redirect:
        """The address of a printer that asks holds a secret: it is shown now, and never again."""
        form, made = await forms.read(request), ""

        async def work(context: Context, who: Staff) -> None:
            nonlocal made
            made = await printers.add(context, who, _new(form))

        answer = await self._do(request, form, work)
        if made:
            where = f"{self._context.public_url}/printers/{made}"
            return await self._page(request, secret=where)
        return answer

    async def retire(
        self, request: AnyRequest, printer: FromPath[UUID]
    ) -> Response[str] | Redirect:
        form = await forms.read(request)
        return await self._do(
            request, form, lambda context, who: printers.retire(context, who, printer)
        )

    async def test(self, request: AnyRequest, printer: FromPath[UUID]) -> Response[str] | Redirect:
        form = await forms.read(request)
        return await self._do(
            request, form, lambda context, who: printers.test(context, who, printer)
        )

    async def phone(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str] | Redirect:
        form = await forms.read(request)
        return await self._do(
            request, form,
            lambda context, who: printers.call_there(context, who, outlet, form.one("phone", 40)),
        )  # fmt: skip

    async def _do(self, request: AnyRequest, form: Form, step: Work) -> Response[str] | Redirect:
        merchant_of(signed_in(request))

        async def work(who: SignedIn) -> Done:
            await step(self._context, staff_of(who))
            return Done(to=self._frame.to(request, *_HERE, done="printers"))

        try:
            return await once(self._context, request, form, work)
        except PrinterError as error:
            said = self._frame.texts(request)[f"problem_{error.code}"]
            return await self._page(request, said, HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _page(
        self, request: AnyRequest, problem: str = "", status: int = HTTPStatus.OK, *,
        secret: str = "",
    ) -> Response[str]:  # fmt: skip
        who = staff_of(signed_in(request))
        return await self._frame.page(
            request, "printers.html", status=status, problem=problem, made=secret,
            printers=await printers.listed(self._context, who),
            places=await printers.places(self._context, who), widths=printers.WIDTHS,
            kinds=printers.KINDS,
        )  # fmt: skip


def _new(form: Form) -> NewPrinter:
    return NewPrinter(
        outlet=form.one("outlet"), name=form.one("name", 40), kind=form.one("kind"),
        address=form.one("address"), width=whole(form.one("width")) or 0,
        stations=tuple(form.all("station")), tickets=form.one("tickets") == "1",
    )  # fmt: skip
