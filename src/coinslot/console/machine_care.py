"""A machine's life: set up (one, or a table of fifty), tested, taken out of sale, given a new
secret, withdrawn. What needs a question asks it on a page of its own."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import UNSET

from coinslot import channels
from coinslot.channels.base import PRACTICE
from coinslot.console import forms
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.product_lines import CODE, LineError, slots_of, typed_lines
from coinslot.fleet import config, onboarding, setup, sheet, slots, templates
from coinslot.fleet.config import ConfigChange, ConfigError, OutOfServiceError, StaleConfigError
from coinslot.fleet.decommission import UnitsOpenError, decommission
from coinslot.fleet.enrolment import DeviceAddresses, DeviceEnrolment, provision_device
from coinslot.fleet.machines import MachineStatus, status
from coinslot.fleet.machines import sales as machine_sales
from coinslot.fleet.onboarding import OnboardError
from coinslot.fleet.planning import NewMachine
from coinslot.fleet.sheet import Sheet
from coinslot.fleet.vend_tests import EmptySlotError, SilentMachineError, vend_as_test
from coinslot.kit.numbers import whole
from coinslot.merchants.merchants import usual_currency
from coinslot.outlets.machines import UnknownOutletError, UnknownSlotError
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn

_TABLE_CHARS: Final = 100_000
_EXAMPLE: Final = (
    "code,name,place,slot,product,price,stock\n"
    "M01,Platform 1,Pune,A1,Masala cola,40,8\n"
    "M01,,,A2,Lime soda,35,8\n"
    "M02,Lobby,Nashik,A1,Masala cola,40,8"
)
_ORDERS, _VERSIONS = 10, 10


class MachineCare(SharedHandler):
    """Each form calls one verb of `fleet`."""

    def __init__(self, frame: Frame, addresses: DeviceAddresses) -> None:
        self._frame = frame
        self._context = frame.auth.context
        self._addresses = addresses

    async def new(self, request: AnyRequest) -> Response[str]:
        return await self._new(request)

    async def make(self, request: AnyRequest) -> Response[str] | Redirect:
        """One machine. What its device needs is shown this once."""
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        code, name = form.one("code", 40), form.one("name", 100)
        if not CODE.fullmatch(code) or not name:
            return await self._new(request, form, self._frame.texts(request)["problem_code"])
        known = await setup.progress(self._context, merchant)
        currency = form.one("currency", 3) or await usual_currency(self._context.db, merchant)
        channel, _, dialect = form.one("speaks", 40).partition(" ")
        try:
            wanted = NewMachine(
                code=code, name=name, place=form.one("place"),
                contact=known.contact, template=form.one("template", 40) or None,
                channel=channel or UNSET, dialect=dialect or UNSET,
                currency=currency or UNSET, slots=list(slots_of(form, currency)),
            )  # fmt: skip
        except LineError as error:
            text = self._frame.texts(request)[error.text].format(line=error.line)
            return await self._new(request, form, text)
        return await self._set_up(request, form, [wanted])

    async def table(self, request: AnyRequest) -> Response[str] | Redirect:
        """A table: what would be set up, or by line what is wrong; then all of it, or nothing."""
        form = await forms.read(request, most_chars=_TABLE_CHARS)
        merchant = merchant_of(signed_in(request))
        raw = form.files.get("file") or form.raw("table").encode()
        text = raw.decode("utf-8-sig", errors="replace")
        read = sheet.read(raw, await usual_currency(self._context.db, merchant))
        planned = await onboarding.plan(self._context, merchant, read.machines)
        problems = read.all_problems(planned.problems)
        if problems or form.one("do") != "apply":
            return await self._frame.page(
                request, "machine_table.html", planned=planned.machines, problems=problems,
                table=text, columns=sheet.COLUMNS,
                status=HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
            )  # fmt: skip
        return await self._set_up(request, form, read.machines, read)

    async def _set_up(
        self, request: AnyRequest, form: Form, wanted: Sequence[NewMachine],
        read: Sheet | None = None,
    ) -> Response[str] | Redirect:  # fmt: skip
        made: list[DeviceEnrolment] = []

        async def work(who: SignedIn) -> Done:
            made.extend(
                await onboarding.onboard(
                    self._context, editor_of(who), wanted, self._addresses
                )
            )  # fmt: skip
            return Done(to=self._frame.to(request, "machines", done="onboarded"))

        try:
            answer = await once(self._context, request, form, work)
        except OnboardError as error:
            if read is None:
                return await self._new(request, form, self._said(request, error))
            return await self._frame.page(
                request, "machine_table.html", planned=(), table=form.raw("table"),
                problems=read.all_problems(error.problems), columns=sheet.COLUMNS,
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )  # fmt: skip
        return await self._enrolled(request, made) if made else answer

    def _said(self, request: AnyRequest, error: OnboardError) -> str:
        taken = any(problem.code == "machine_exists" for problem in error.problems)
        return self._frame.texts(request)["problem_code_taken"] if taken else setup.said(error)

    async def provision(self, request: AnyRequest, machine: FromPath[str]) -> Any:
        """A new secret, shown this once. The one in use ends when this one is first used, or at
        once."""
        form, made = await forms.read(request), list[DeviceEnrolment]()

        async def work(who: SignedIn) -> Done:
            made.append(
                await provision_device(
                    self._context, editor_of(who), machine, self._addresses,
                    at_once=form.one("when") == "at_once",
                )
            )  # fmt: skip
            return Done(to=self._frame.to(request, "machines", machine, done="provisioned"))

        answer = await self._worked(request, machine, form, work)
        return await self._enrolled(request, made) if made else answer

    async def test_vend(self, request: AnyRequest, machine: FromPath[str]) -> Any:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            slot = form.one("slot", 40)
            order = await vend_as_test(self._context, editor_of(who), machine, slot)
            return Done(to=self._frame.to(request, "orders", str(order), done="test_vend"))

        return await self._worked(request, machine, form, work)

    async def sale(self, request: AnyRequest, machine: FromPath[str]) -> Any:
        """All slots at once."""
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            on = form.one("to") == "on"
            change = slots.put_all_on_sale if on else slots.withhold_all
            await change(self._context, editor_of(who), machine)
            return Done(to=self._frame.to(request, "machines", machine, done="machine_sale"))

        return await self._worked(request, machine, form, work)

    async def configure(self, request: AnyRequest, machine: FromPath[str]) -> Any:
        """Its name, its place, where customers write."""
        form = await forms.read(request)
        version = whole(form.one("version", 9))
        if version is None:
            raise RefusedError(400, "bad_request", "This form is none of ours.")
        name = form.one("name", 100)
        if not name:
            return await self._refused(request, machine, "problem_machine_name")

        async def work(who: SignedIn) -> Done:
            change = ConfigChange(
                name=name, place=form.one("place"), contact=form.one("contact"),
                version=version,
            )  # fmt: skip
            await config.change(self._context, editor_of(who), machine, change)
            return Done(to=self._frame.to(request, "machines", machine, done="configured"))

        return await self._worked(request, machine, form, work)

    async def ask_to_withdraw(
        self, request: AnyRequest, machine: FromPath[str]
    ) -> Response[str]:  # fmt: skip
        return await self._question(request, machine)

    async def withdraw(self, request: AnyRequest, machine: FromPath[str]) -> Any:
        """Out of service for good: whoever does it types its code."""
        form = await forms.read(request)
        if form.one("code", 40) != machine:
            return await self._question(request, machine, "problem_code_differs")

        async def work(who: SignedIn) -> Done:
            await decommission(
                self._context, editor_of(who), machine,
                even_if_open=form.one("even_if_open") == "yes",
            )  # fmt: skip
            return Done(to=self._frame.to(request, "machines", machine, done="withdrawn"))

        try:
            return await once(self._context, request, form, work)
        except UnknownOutletError:
            raise RefusedError(404, "not_found", "There is no such machine.") from None
        except UnitsOpenError:
            return await self._question(request, machine, "problem_units_open", is_open=True)

    async def history(self, request: AnyRequest, machine: FromPath[str]) -> Response[str]:
        """What was changed, by whom, and what was sold: the newest first."""
        merchant = merchant_of(signed_in(request))
        known = await self._known(request, machine)
        return await self._frame.page(
            request, "machine_history.html", found=known,
            versions=await config.versions(self._context, merchant, machine, None, _VERSIONS),
            sales=await machine_sales(self._context, merchant, machine, _ORDERS),
        )  # fmt: skip

    async def _question(
        self, request: AnyRequest, machine: str, problem: str = "", *, is_open: bool = False
    ) -> Response[str]:
        found = await self._known(request, machine)
        return await self._frame.page(
            request, "machine_withdraw.html", found=found, is_open=is_open,
            problem=self._frame.texts(request)[problem] if problem else "",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip

    async def _known(self, request: AnyRequest, machine: str) -> MachineStatus:
        try:
            return await status(self._context, merchant_of(signed_in(request)), machine)
        except UnknownOutletError:
            raise RefusedError(404, "not_found", "There is no such machine.") from None

    async def _worked(
        self, request: AnyRequest, machine: str, form: Form, work: forms.Work
    ) -> Response[Any]:
        try:
            return await once(self._context, request, form, work)
        except (UnknownOutletError, UnknownSlotError):
            raise RefusedError(404, "not_found", "There is no such machine or slot.") from None
        except _REFUSALS as error:
            return await self._refused(request, machine, error)

    async def _refused(
        self, request: AnyRequest, machine: str, error: Exception | str
    ) -> Response[str]:
        c = self._frame.texts(request)
        text = error if isinstance(error, str) else _SAID.get(type(error), "")
        said = c[text] if text else f"{c['problem_config']} {error}"
        found = await self._known(request, machine)
        return await self._frame.page(
            request, "machine_refused.html", found=found, problem=said, status=HTTPStatus.CONFLICT
        )

    async def _new(
        self, request: AnyRequest, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        currency = await usual_currency(self._context.db, merchant)
        speaks = [
            (name, dialect) for name, driver in sorted(channels.drivers().items())
            for dialect in driver.powers if name != PRACTICE
        ]  # fmt: skip
        return await self._frame.page(
            request, "machine_new.html", form=form, problem=problem, speaks=speaks,
            templates=await templates.listed(self._context, merchant),
            currency=form.one("currency", 3) if form else currency,
            lines=typed_lines(form), columns=sheet.COLUMNS, example=_EXAMPLE,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip

    async def _enrolled(
        self, request: AnyRequest, made: Sequence[DeviceEnrolment]
    ) -> Response[str]:  # fmt: skip
        shown = [(one, one.svg(), one.file().decode()) for one in made]
        return await self._frame.page(request, "machine_enrolled.html", made=shown)


_SAID: Final[dict[type[Exception], str]] = {
    SilentMachineError: "problem_silent",
    EmptySlotError: "problem_empty_slot",
    OutOfServiceError: "problem_out_of_service",
    StaleConfigError: "problem_stale",
    UnitsOpenError: "problem_units_open",
}
_REFUSALS: Final[tuple[type[Exception], ...]] = (*_SAID, ConfigError)
