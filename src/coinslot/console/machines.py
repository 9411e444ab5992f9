"""Machines: which fail? Machine: can it sell now? Prices, slots in and out of sale, refills."""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final, cast

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from coinslot.channels.practice_machine import Broken
from coinslot.console import forms
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.drawing import drawn
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.fleet import config, practice, pushing, slots
from coinslot.fleet.config import (
    Codes,
    ConfigChange,
    ConfigError,
    Editor,
    OutOfServiceError,
    PrintedCode,
    PrintedCodesError,
    SlotChange,
    StaleConfigError,
)
from coinslot.fleet.machines import MachineStatus, WantedMachines, listed, status
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError
from coinslot.kit.numbers import whole
from coinslot.outlets.machines import UnknownOutletError, UnknownSlotError
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn

_PAGE: Final = 100
_STOCK_MOST: Final = 10_000
_CODES: Final = ("ask", "replace", "keep")


class SlotFormError(Exception):
    """The form's field cannot be read; `text` names which."""

    def __init__(self, text: str, **details: str) -> None:
        super().__init__(text)
        self.text = text
        self.details = details


class Untrue(Struct, frozen=True, kw_only=True):
    """A price that waits until a person says what becomes of the printed code."""

    slot: str
    amount: str
    version: str
    codes: Sequence[PrintedCode]


class MachinePages(SharedHandler):
    """Each page asks one verb of `fleet` or `outlets`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def all(self, request: AnyRequest) -> Response[str]:
        wanted = WantedMachines(
            after=request.query_params.get("after") or None, limit=_PAGE,
            with_out_of_service=request.query_params.get("all") == "1",
            failing=request.query_params.get("show") == "failing",
        )  # fmt: skip
        found = await listed(self._context, merchant_of(signed_in(request)), wanted)
        return await self._frame.page(
            request, "machines.html", found=found, everything=wanted.with_out_of_service,
            failing=wanted.failing,
            following=found[-1].code if len(found) == _PAGE else "",
        )  # fmt: skip

    async def one(self, request: AnyRequest, machine: FromPath[str]) -> Response[str] | Redirect:
        try:
            return await self._machine(request, machine)
        except RefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return self._frame.to(request, "outlets", machine)  # a counter's, or nobody's

    async def price(
        self, request: AnyRequest, machine: FromPath[str], slot: FromPath[str]
    ) -> Response[str] | Redirect:
        """No price changes behind the back of a printed code: where there is one, this asks."""
        known = await self._known(request, machine)
        form = await forms.read(request)

        async def change(editor: Editor) -> None:
            wanted = _price(form, slot, known.machine.currency)
            await config.change(self._context, editor, machine, wanted)

        try:
            return await self._changed(request, machine, form, change)
        except PrintedCodesError as error:
            asked = Untrue(
                slot=slot, amount=form.one("amount"), version=form.one("version"),
                codes=error.codes,
            )  # fmt: skip
            return await self._machine(request, machine, status=HTTPStatus.CONFLICT, asked=asked)

    async def sale(
        self, request: AnyRequest, machine: FromPath[str], slot: FromPath[str]
    ) -> Response[str] | Redirect:
        await self._known(request, machine)
        form = await forms.read(request)

        async def change(editor: Editor) -> None:
            match form.one("to"):
                case "off":
                    await slots.withhold(self._context, editor, machine, slot)
                case "on":
                    await slots.put_on_sale(self._context, editor, machine, slot)
                case _:
                    raise SlotFormError("refused_other")

        return await self._changed(request, machine, form, change)

    async def refill(
        self, request: AnyRequest, machine: FromPath[str], slot: FromPath[str]
    ) -> Response[str] | Redirect:
        await self._known(request, machine)
        form = await forms.read(request)

        async def change(editor: Editor) -> None:
            stock = whole(form.one("stock"), _STOCK_MOST)
            if stock is None:
                raise SlotFormError("problem_stock", most=str(_STOCK_MOST))
            await slots.fill(self._context, editor, machine, slot, stock)

        return await self._changed(request, machine, form, change)

    async def break_it(self, request: AnyRequest, machine: FromPath[str]) -> Redirect:
        """A practice machine: broken on purpose, or mended."""
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            try:
                broken = Broken(form.one("broken"))
                await practice.set_broken(self._context, editor_of(who), machine, broken)
            except (ValueError, UnknownOutletError):
                raise RefusedError(404, "not_found", "There is no such machine.") from None
            if form.one("back") == "start":
                return Done(to=self._frame.to(request, "start", step="sell"))
            return Done(to=self._frame.to(request, "machines", machine))

        return await once(self._context, request, form, work)

    async def _changed(
        self,
        request: AnyRequest,
        machine: str,
        form: Form,
        change: Callable[[Editor], Awaitable[None]],
    ) -> Response[str] | Redirect:
        """Raises PrintedCodesError."""
        done = request.url.path.rpartition("/")[2]

        async def work(who: SignedIn) -> Done:
            await change(editor_of(who))
            return Done(to=self._frame.to(request, "machines", machine, done=f"slot_{done}"))

        try:
            return await once(self._context, request, form, work)
        except UnknownSlotError:
            raise RefusedError(404, "not_found", "There is no such slot.") from None
        except (SlotFormError, StaleConfigError, OutOfServiceError, ConfigError) as error:
            problem = self._problem(request, error)
            return await self._machine(request, machine, problem, HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _known(self, request: AnyRequest, machine: str) -> MachineStatus:
        try:
            return await status(self._context, merchant_of(signed_in(request)), machine)
        except UnknownOutletError:
            raise RefusedError(404, "not_found", "There is no such machine.") from None

    async def _machine(
        self,
        request: AnyRequest,
        machine: str,
        problem: str = "",
        status: int = HTTPStatus.OK,
        *,
        asked: Untrue | None = None,
    ) -> Response[str]:
        found = await self._known(request, machine)
        merchant = merchant_of(signed_in(request))
        configured = await config.read(self._context, merchant, machine)
        view = await practice.look(self._context, merchant, machine)
        picture = None if view is None else drawn(view, found.slots, self._context.now())
        return await self._frame.page(
            request, "machine.html", status=status, found=found, asked=asked,
            version=configured.version, contact=configured.contact, problem=problem,
            picture=picture, ways_to_break=tuple(Broken),
            waiting=await pushing.waiting(self._context, merchant, machine),
        )  # fmt: skip

    def _problem(self, request: AnyRequest, error: Exception) -> str:
        c = self._frame.texts(request)
        match error:
            case SlotFormError():
                return c[error.text].format(**error.details)
            case StaleConfigError():
                return c["problem_stale"]
            case OutOfServiceError():
                return c["problem_out_of_service"]
            case _:
                return f"{c['problem_config']} {error}"


def _price(form: Form, slot: str, currency: str) -> ConfigChange:
    """What the form asks for. Raises SlotFormError."""
    typed, codes = form.one("amount", 40), form.one("codes") or "ask"
    version = whole(form.one("version"))
    if codes not in _CODES or version is None:
        raise SlotFormError("refused_other")
    try:
        price = Money.typed(typed, currency)
    except (MoneyTextError, MoneyRangeError):
        raise SlotFormError("problem_amount", currency=currency) from None
    change = SlotChange(slot=slot, price=price)
    return ConfigChange(slots=(change,), version=version, codes=cast(Codes, codes))
