"""Settings, times and limits: how long a machine is given, and how many orders may wait for their
payment; for all machines of a kind, and for one. People type minutes where minutes are meant."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.context import Windows
from coinslot.fleet.machines import WantedMachines, listed
from coinslot.kit.numbers import whole
from coinslot.orders import selling_rules
from coinslot.orders.outlet_windows import (
    OutletWindow,
    StaleWindowsError,
    WindowError,
    WindowForm,
    change_windows,
    windows_of,
)
from coinslot.orders.selling_rules import LIMITS, WINDOWS, SellingRules
from coinslot.outlets.machines import UnknownOutletError
from coinslot.pages.access import allowed, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn

_PAGE: Final = 100
_VERSION_MOST: Final = 999_999_999
_NUMBER: Final = re.compile(r"\d{1,6}([.,]\d{1,2})?")
_MINUTES: Final = ("in_doubt_s", "order_s", "unpaid_s")


class Field(Struct, frozen=True, kw_only=True):
    """A number that a person types, in its unit: minutes, seconds, or so many orders. `usual` is
    what holds while it is empty."""

    name: str  # of the setting
    at: str  # in the form
    least: float
    most: float
    usual: float
    typed: str = ""

    @property
    def unit(self) -> str:
        if self.name in _MINUTES:
            return "minutes"
        return "seconds" if self.name.endswith("_s") else "orders"

    @property
    def per(self) -> int:
        return 60 if self.name in _MINUTES else 1

    def shown(self, value: float) -> str:
        return f"{value / self.per:g}"

    def read(self, form: Form) -> float | None:
        """None where it is left empty. Raises WindowError."""
        typed = form.one(self.at, 12)
        if not typed:
            return None
        if not _NUMBER.fullmatch(typed):
            raise WindowError(f"{self.name}: {typed!r} is no number")
        value = round(float(typed.replace(",", ".")) * self.per, 2)
        if not self.least <= value <= self.most or (self.unit == "orders" and value % 1):
            raise WindowError(f"{self.name}: {self.least:g} to {self.most:g}, not {value:g}")
        return int(value) if value % 1 == 0 else value


class MachineWindows(Struct, frozen=True, kw_only=True):
    """How long a machine is given, and which of it is its own."""

    code: str
    name: str
    fields: Sequence[Field]
    own: frozenset[str]


class SellingPages(SharedHandler):
    """Each page asks one verb of `orders`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def selling(self, request: AnyRequest) -> Response[str]:
        return await self._selling(request)

    async def set_selling(self, request: AnyRequest) -> Response[str] | Redirect:
        """For orders from now on."""
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        version = whole(form.one("version"), _VERSION_MOST)
        if version is None:
            raise RefusedError(400, "bad_request", "This form is none of ours.")
        kinds = await self._kinds(request)

        async def work(who: SignedIn) -> Done:
            wanted = SellingRules(
                windows={kind: _read(form, fields) for kind, fields in kinds.items()},
                limits=_read(form, self._limits()), version=version,
            )  # fmt: skip
            await allowed(selling_rules.set_rules(self._context, who.actor, merchant, wanted))
            return Done(to=self._frame.to(request, "settings", "selling", done="settings"))

        try:
            return await once(self._context, request, form, work)
        except (RefusedError, WindowError) as error:
            return await self._selling(request, form, self._problem(request, error))

    async def windows(self, request: AnyRequest) -> Response[str]:
        return await self._windows(request)

    async def set_windows(
        self, request: AnyRequest, machine: FromPath[str]
    ) -> Response[str] | Redirect:
        """What is paid already keeps what it was paid under."""
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        try:
            there = await windows_of(self._context, machine, merchant)
        except UnknownOutletError:
            raise RefusedError(404, "not_found", "There is no such machine.") from None
        fields = _fields(there)

        async def work(who: SignedIn) -> Done:
            wanted = {field.name: field.read(form) for field in fields}
            before = {field.name: _seen(form, field) for field in fields}
            change = WindowForm(wanted, before)
            await change_windows(self._context, machine, change, merchant, who.actor)
            return Done(to=self._frame.to(request, "settings", "windows", done="settings"))

        try:
            return await once(self._context, request, form, work)
        except (RefusedError, WindowError) as error:
            return await self._windows(request, self._problem(request, error))

    def _problem(self, request: AnyRequest, error: RefusedError | WindowError) -> str:
        """What the page says of a form that was refused. Raises what is no fault of the form."""
        c = self._frame.texts(request)
        if isinstance(error, StaleWindowsError):
            return c["problem_stale_settings"]
        if isinstance(error, WindowError):
            return c["problem_bad_window"]
        return self._frame.problem(request, error)

    async def _kinds(
        self, request: AnyRequest, rules: SellingRules | None = None
    ) -> Mapping[str, Sequence[Field]]:
        """Of each kind of outlet that the merchant has, the times that may be set."""
        merchant, rules = merchant_of(signed_in(request)), rules or SellingRules()
        there = await selling_rules.kinds_of(self._context, merchant)
        usual, found = self._context.windows, {}
        for kind in sorted(there):
            names = sorted(self._context.kinds[kind].windows & WINDOWS.keys())
            own, of_kind = rules.windows.get(kind, {}), usual.at(kind, {})
            found[kind] = [field_of(n, f"{kind}-{n}", WINDOWS[n], of_kind, own) for n in names]
        return found

    def _limits(self, rules: SellingRules | None = None) -> Sequence[Field]:
        own = rules.limits if rules else {}
        return [
            field_of(name, name, bounds, self._context.windows, own)
            for name, bounds in LIMITS.items()
        ]

    async def _selling(
        self, request: AnyRequest, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        """What somebody typed is kept, and so is the version that they saw."""
        rules = await selling_rules.rules_of(self._context, merchant_of(signed_in(request)))
        kinds, limits = await self._kinds(request, rules), self._limits(rules)
        return await self._frame.page(
            request, "selling.html", problem=problem,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            kinds={kind: again(fields, form) for kind, fields in kinds.items()},
            limits=again(limits, form), version=form.one("version") if form else rules.version,
        )  # fmt: skip

    async def _windows(self, request: AnyRequest, problem: str = "") -> Response[str]:
        merchant = merchant_of(signed_in(request))
        wanted = WantedMachines(after=request.query_params.get("after") or None, limit=_PAGE)
        found = await listed(self._context, merchant, wanted)
        machines = []
        for one in found:
            there = await windows_of(self._context, one.code, merchant)
            own = frozenset(window.name for window in there if window.own)
            machines.append(
                MachineWindows(code=one.code, name=one.name, fields=_fields(there), own=own)
            )
        return await self._frame.page(
            request, "windows.html", problem=problem, machines=machines,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            following=found[-1].code if len(found) == _PAGE else "",
        )  # fmt: skip


def field_of(
    name: str, at: str, bounds: tuple[int, int], usual: Windows, own: Mapping[str, float]
) -> Field:
    found = Field(
        name=name, at=at, least=bounds[0], most=bounds[1], usual=float(getattr(usual, name))
    )
    return with_typed(found, found.shown(own[name]) if name in own else "")


def with_typed(field: Field, typed: str) -> Field:
    return Field(
        name=field.name, at=field.at, least=field.least, most=field.most, usual=field.usual,
        typed=typed,
    )  # fmt: skip


def _fields(there: Sequence[OutletWindow]) -> list[Field]:
    """Of one machine. Where it has none of its own, what it has now is the usual."""
    found = []
    for one in there:
        if one.name in WINDOWS:
            least, most = WINDOWS[one.name]
            field = Field(name=one.name, at=one.name, least=least, most=most, usual=one.seconds)
            found.append(with_typed(field, field.shown(one.seconds) if one.own else ""))
    return found


def again(fields: Sequence[Field], form: Form | None) -> Sequence[Field]:
    """As they were typed, where that was refused."""
    if form is None:
        return fields
    return [with_typed(field, form.one(field.at, 12)) for field in fields]


def _read(form: Form, fields: Sequence[Field]) -> dict[str, float]:
    """Raises WindowError."""
    found = {field.name: field.read(form) for field in fields}
    return {name: value for name, value in found.items() if value is not None}


def _seen(form: Form, field: Field) -> float | None:
    """What the page had shown. Raises WindowError."""
    shown = Form(tuple((field.at, text) for text in form.all(f"seen-{field.at}")))
    return field.read(shown)
