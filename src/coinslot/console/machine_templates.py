"""Templates of machines: made from a machine, edited, and given to many machines after a look at
what changes."""

import csv
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec.structs import replace

from coinslot.console import device_fields, forms
from coinslot.console.bulk import SETS_TIMES, codes_of, of_versions, shown
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.device_fields import DeviceFieldError
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.selling import Field, again, field_of
from coinslot.fleet import bulk, templates
from coinslot.fleet.bulk import BulkError
from coinslot.fleet.config import SLOTS_AT_MOST, ConfigError
from coinslot.fleet.machines import WantedMachines, listed
from coinslot.fleet.templates import (
    SHIPPED,
    StaleTemplateError,
    Template,
    TemplateSlot,
    UnknownTemplateError,
)
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError, UnknownCurrencyError
from coinslot.kit.numbers import whole
from coinslot.merchants.merchants import usual_currency
from coinslot.orders.outlet_windows import WindowError
from coinslot.orders.selling_rules import WINDOWS
from coinslot.outlets.machines import UnknownOutletError
from coinslot.pages.access import Access, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn

_CHARS: Final = 40_000
_CELLS: Final = 4


class SlotLineError(Exception):
    """A line of the template's slots cannot be read."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


class TemplatePages(SharedHandler):
    """Each form calls one verb of `fleet.templates`, or of `fleet.bulk`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def all(self, request: AnyRequest) -> Response[str]:
        return await self._all(request)

    async def make(self, request: AnyRequest) -> Response[str] | Redirect:
        """From a machine, under a name that no template has."""
        form, c = await forms.read(request), self._frame.texts(request)
        name, machine = form.one("name", 40), form.one("machine", 40)
        if name in SHIPPED:
            return await self._all(request, form, c["problem_template_there"])

        async def work(who: SignedIn) -> Done:
            await templates.save_from(self._context, editor_of(who), name, machine, anew=True)
            return Done(to=self._frame.to(request, "templates", name, done="template"))

        try:
            return await once(self._context, request, form, work)
        except StaleTemplateError:
            return await self._all(request, form, c["problem_template_there"])
        except UnknownOutletError:
            return await self._all(request, form, c["problem_template_machine"])
        except ConfigError:
            return await self._all(request, form, c["problem_template_name"])

    async def ask(self, request: AnyRequest, template: FromPath[str]) -> Response[str]:
        return await self._one(request, template)

    async def save(self, request: AnyRequest, template: FromPath[str]) -> Response[str] | Redirect:
        form = await forms.read(request, most_chars=_CHARS)
        await self._known(request, template)
        c, merchant = self._frame.texts(request), merchant_of(signed_in(request))
        seen = _seen(form)
        try:
            slots = _slots(form.raw("slots"), await usual_currency(self._context.db, merchant))
            device = device_fields.read(form, seen.device)
            windows = self._windows(request, form, seen)
        except SlotLineError as error:
            said = c["problem_template_line"].format(line=error.line, why=error)
            return await self._one(request, template, form, said)
        except DeviceFieldError as error:
            return await self._one(request, template, form, error.said(c))
        except WindowError:
            return await self._one(request, template, form, c["problem_bad_window"])

        async def work(who: SignedIn) -> Done:
            wanted = replace(seen, slots=slots, device=device, windows=windows)
            await templates.save(self._context, editor_of(who), template, wanted, seen)
            return Done(to=self._frame.to(request, "templates", template, done="template"))

        try:
            return await once(self._context, request, form, work)
        except StaleTemplateError:
            return await self._one(request, template, form, c["problem_stale"])
        except ConfigError as error:
            return await self._one(request, template, form, f"{c['problem_config']} {error}")

    async def assign(
        self, request: AnyRequest, template: FromPath[str]
    ) -> Response[str] | Redirect:
        """What each machine would get; `do=apply` does what was shown, of the template and the
        versions that were shown."""
        form = await forms.read(request, most_chars=_CHARS)
        kept = await self._known(request, template)
        machines = form.raw("machines").replace(",", " ").split()
        c, merchant = self._frame.texts(request), merchant_of(signed_in(request))
        if not 0 < len(machines) <= bulk.MACHINES_AT_MOST:
            return await self._one(request, template, None, c["problem_template_machines"])
        if form.one("do") != "apply":
            return await self._planned(request, template, kept, machines)
        if _seen(form) != kept:
            return await self._planned(request, template, kept, machines, c["problem_stale"])
        changes = await templates.changes(self._context, merchant, kept, machines)
        wanted = of_versions(changes, form)

        async def work(who: SignedIn) -> Done:
            await bulk.apply(self._context, editor_of(who), wanted, codes_of(form))
            return Done(to=self._frame.to(request, "templates", template, done="bulk"))

        try:
            return await once(self._context, request, form, work)
        except BulkError as error:
            said = c["problem_bulk"].format(why=error)
            return await self._planned(request, template, kept, machines, said)

    async def _planned(
        self, request: AnyRequest, name: str, template: Template, machines: Sequence[str],
        problem: str = "",
    ) -> Response[str]:  # fmt: skip
        who = signed_in(request)
        wanted = await templates.changes(self._context, merchant_of(who), template, machines)
        plans = await bulk.plan(self._context, editor_of(who), wanted)
        wrong = problem or any(one.problem for one in plans)
        return await self._frame.page(
            request, "template_preview.html", called=name, problem=problem,
            machines=" ".join(machines), seen=_encoded(template), **shown(plans),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        )  # fmt: skip

    def _windows(self, request: AnyRequest, form: Form, seen: Template) -> dict[str, float]:
        """Who may not set machines' times leaves them as they are. Raises WindowError, and
        RefusedError without a fresh proof."""
        who = signed_in(request)
        if SETS_TIMES not in who.permissions:
            return seen.windows
        typed = {one.name: one.read(form) for one in self._times(seen.windows)}
        windows = {name: value for name, value in seen.windows.items() if name not in typed}
        windows |= {name: value for name, value in typed.items() if value is not None}
        if windows != seen.windows:
            Access(self._frame.auth, cookies=True).must_be_fresh(who)
        return windows

    def _times(self, windows: Mapping[str, float]) -> list[Field]:
        """Those that a page may set."""
        usual = self._context.windows.at("vending", {})
        return [
            field_of(name, name, WINDOWS[name], usual, windows)
            for name in sorted(self._context.kinds["vending"].windows & WINDOWS.keys())
        ]

    async def _known(self, request: AnyRequest, name: str) -> Template:
        merchant = merchant_of(signed_in(request))
        try:
            return await templates.template_of(self._context, merchant, name)
        except UnknownTemplateError:
            raise RefusedError(404, "not_found", "There is no such template.") from None

    async def _all(
        self, request: AnyRequest, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        return await self._frame.page(
            request, "templates.html", form=form, problem=problem,
            found=await templates.listed(self._context, merchant), shipped=SHIPPED,
            machines=await self._machines(request),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip

    async def _one(
        self, request: AnyRequest, name: str, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        kept = await self._known(request, name)
        currency = await usual_currency(self._context.db, merchant_of(signed_in(request)))
        device = device_fields.typed_device(form) if form else device_fields.shown(kept.device)
        return await self._frame.page(
            request, "template.html", called=name, problem=problem, fields=device,
            slots=form.raw("slots") if form else _written(kept.slots, currency),
            seen=form.raw("seen") if form else _encoded(kept), most=_CHARS,
            times=self._shown_times(request, kept, form), own_times=bool(kept.windows or form),
            machines=await self._machines(request),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip

    def _shown_times(
        self, request: AnyRequest, kept: Template, form: Form | None
    ) -> Sequence[Field]:
        if SETS_TIMES not in signed_in(request).permissions:
            return ()
        return again(self._times(kept.windows), form)

    async def _machines(self, request: AnyRequest) -> list[str]:
        wanted = WantedMachines(limit=bulk.MACHINES_AT_MOST)
        found = await listed(self._context, merchant_of(signed_in(request)), wanted)
        return [one.code for one in found if one.kind == "vending"]


def _encoded(template: Template) -> str:
    return msgspec.json.encode(template).decode()


def _seen(form: Form) -> Template:
    """The template that the page had shown. Raises RefusedError."""
    try:
        return msgspec.json.decode(form.raw("seen"), type=Template)
    except msgspec.MsgspecError:
        raise RefusedError(400, "bad_request", "This form is none of ours.") from None


def _written(slots: Sequence[TemplateSlot], currency: str) -> str:
    """A line for each slot, as `_slots` reads it."""
    lines = []
    for one in slots:
        price = ""
        if one.price is not None:
            other = "" if one.price.currency == currency else f" {one.price.currency}"
            price = one.price.decimal() + other
        lines.append(f"{one.slot}, {one.sku or ''}, {price}, {'' if one.par is None else one.par}")
    return "\n".join(lines)


def _slots(text: str, currency: str) -> list[TemplateSlot]:
    """Raises SlotLineError."""
    found: dict[str, TemplateSlot] = {}
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) > _CELLS:
            raise SlotLineError(number, "slot, sku, price, par")
        slot, sku, price, par = [*cells, "", "", ""][:_CELLS]
        if slot in found or len(found) == SLOTS_AT_MOST:
            raise SlotLineError(number, slot)
        count = whole(par, _PAR_MOST) if par else None
        if par and count is None:
            raise SlotLineError(number, par)
        found[slot] = TemplateSlot(
            slot=slot, sku=sku or None, price=_price(number, price, currency), par=count
        )
    return list(found.values())


_PAR_MOST: Final = 99_999
_CURRENCY: Final = 3


def _price(line: int, text: str, currency: str) -> Money | None:
    amount, _, named = text.rpartition(" ")
    try:
        if len(named) == _CURRENCY and named.isalpha():
            return Money.typed(amount, named.upper())
        return Money.typed(text, currency) if text else None
    except (MoneyTextError, MoneyRangeError, UnknownCurrencyError) as error:
        raise SlotLineError(line, str(error)) from None
