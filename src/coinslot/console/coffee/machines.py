"""Which coffee machines there are and can be heard: one by one, or a table of them."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect, Stream

from coinslot.coffee import imports, machines, management
from coinslot.coffee.imports import Change, Planned, TooManyLinesError
from coinslot.coffee.machines import (
    MachineFields,
    NewMachine,
    StaleMachineError,
    add_machine,
    change_machine,
    lock_machine,
    pay_at,
)
from coinslot.coffee.management import Asked, MachineLine, MachinePage
from coinslot.coffee.vendors import is_recent
from coinslot.console import exports, forms
from coinslot.console.coffee.parts import (
    PAGE,
    TABLE_CHARS,
    CoffeePages,
    TableError,
    act_of,
    csv_file,
    no_such_machine,
)
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form
from coinslot.console.uploads import FieldError
from coinslot.outlets.machines import OutletTakenError
from coinslot.pages.access import signed_in
from coinslot.pages.rendering import AnyRequest
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

# As an import takes it: what was downloaded can be changed, and sent back.
_MACHINE_COLUMNS: Final = ("code", "device", "name", "place")


class CoffeeMachinePages(CoffeePages):
    """Machines to list, add, change, import and export."""

    async def machines(self, request: AnyRequest) -> Response[str]:
        return await self._machines(request)

    async def machines_file(self, request: AnyRequest) -> Stream:
        """All of them, as an import takes them."""
        who, text = signed_in(request), request.query_params.get("q", "").strip()[:100]
        merchant = merchant_of(who)
        found = await management.machines(self._context, merchant, text)
        async with self._context.db.as_merchant(merchant) as conn:
            act = act_of("coffee.machines_exported", who, text)
            await record(conn, who.actor, act, self._context.now())
        lines = [[getattr(one, name) for name in _MACHINE_COLUMNS] for one in found]
        return csv_file("coffee-machines.csv", exports.plain_csv(_MACHINE_COLUMNS, lines))

    async def machine(self, request: AnyRequest, machine: FromPath[str]) -> Response[str]:
        return await self._machine(request, machine)

    async def add(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            one = Planned(
                code=form.one("code", 32), device=form.one("device", 255),
                name=form.one("name", 100), place=form.one("place", 100), change=Change.NEW,
            )  # fmt: skip
            bad = imports.bad_machine(one.code, one.device, one.name)
            if bad is not None:
                raise FieldError(f"problem_coffee_{bad.value}")
            await self._put_up(who, form, [one], only_new=True)
            return Done(to=self._frame.to(request, "coffee", "machines", one.code, done="saved"))

        async def again(request: AnyRequest, **more: Any) -> Response[str]:
            return await self._machines(request, form=form, **more)

        return await self.worked(request, form, work, again)

    async def change(self, request: AnyRequest, machine: FromPath[str]) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            wanted = MachineFields(
                account_id=await self.account_of(who, form), device=form.one("device", 255),
                name=form.one("name", 100), place=form.one("place", 100),
                contact=form.one("contact", 200),
            )  # fmt: skip
            bad = imports.bad_machine(machine, wanted.device, wanted.name)
            if bad is not None:
                raise FieldError(f"problem_coffee_{bad.value}")
            await self._change(who, machine, form, wanted)
            return Done(to=self._frame.to(request, "coffee", "machines", machine, done="saved"))

        async def again(request: AnyRequest, **more: Any) -> Response[str]:
            return await self._machine(request, machine, form=form, **more)

        return await self.worked(request, form, work, again)

    async def _change(self, who: SignedIn, code: str, form: Form, wanted: MachineFields) -> None:
        """Raises StaleMachineError where another person was first."""
        merchant = merchant_of(who)
        known = dict((await management.choices(self._context, merchant)).gateways)
        chosen = [one for one in known if str(one) in form.all("pay_at")]
        if not chosen:
            raise FieldError("problem_coffee_ways")
        async with self._context.db.as_merchant(merchant) as conn:
            before = await lock_machine(conn, code)
            if before is None:
                raise no_such_machine()
            if machines.version_of(before) != form.one("version"):
                raise StaleMachineError
            await change_machine(conn, merchant, code, wanted)
            await pay_at(conn, merchant, code, chosen)
            after = {"device": wanted.device, "name": wanted.name, "place": wanted.place}
            act = Act(
                action="coffee.machine_changed", merchant=merchant, subject=code, after=after,
                before={"device": before.device, "name": before.name, "place": before.place},
            )  # fmt: skip
            await record(conn, who.actor, act, self._context.now())

    async def plan(self, request: AnyRequest) -> Response[str]:
        """What a table would change; nothing is changed."""
        form = await forms.read(request, TABLE_CHARS)
        try:
            planned = await self._planned(signed_in(request), form)
        except FieldError as error:
            return await self._machines(request, problem=error, form=form)
        return await self._machines(request, planned=planned, form=form)

    async def apply(self, request: AnyRequest) -> Response[str] | Redirect:
        """What was shown, and nothing else."""
        form = await forms.read(request, TABLE_CHARS)
        planned: list[Planned] = []

        async def work(who: SignedIn) -> Done:
            planned[:] = await self._planned(who, form)
            if imports.digest(planned) != form.one("shown"):
                raise FieldError("problem_coffee_changed")
            wanted = [one for one in planned if one.change in (Change.NEW, Change.CHANGED)]
            await self._put_up(who, form, wanted)
            return Done(to=self._frame.to(request, "coffee", "machines", done="saved"))

        async def again(request: AnyRequest, **more: Any) -> Response[str]:
            return await self._machines(request, form=form, planned=planned, **more)

        return await self.worked(request, form, work, again)

    async def _planned(self, who: SignedIn, form: Form) -> list[Planned]:
        account = await self.account_of(who, form)
        try:
            return await imports.plan(
                self._context, self.vendors, merchant_of(who), account, form.raw("table")
            )
        except TooManyLinesError as error:
            raise TableError(error) from None

    async def _put_up(
        self, who: SignedIn, form: Form, wanted: Sequence[Planned], *, only_new: bool = False
    ) -> None:
        """All of them, or none; a new one can be paid at every account that takes roubles."""
        merchant, now = merchant_of(who), self._context.now()
        account = await self.account_of(who, form)
        gateways = [one for one, _ in (await management.choices(self._context, merchant)).gateways]
        if not gateways:
            raise FieldError("problem_coffee_choice")
        async with self._context.db.as_merchant(merchant) as conn:
            for one in wanted:
                new = NewMachine(
                    code=one.code, merchant_id=merchant, account_id=account, device=one.device,
                    name=one.name, place=one.place, gateway_account=gateways[0],
                )  # fmt: skip
                before = await lock_machine(conn, one.code)
                if before is None:
                    await add_machine(conn, new, now)
                    await pay_at(conn, merchant, one.code, gateways)
                elif only_new:
                    raise OutletTakenError(one.code)
                else:
                    changed = MachineFields(
                        account_id=account, device=one.device, name=one.name, place=one.place,
                        contact=before.contact,
                    )  # fmt: skip
                    await change_machine(conn, merchant, one.code, changed)
            act = act_of("coffee.machines_set", who, ", ".join(one.code for one in wanted)[:200])
            await record(conn, who.actor, act, now)

    async def _machines(
        self, request: AnyRequest, *, problem: FieldError | None = None, form: Form | None = None,
        planned: Sequence[Planned] = (),
    ) -> Response[str]:  # fmt: skip
        merchant = merchant_of(signed_in(request))
        text = request.query_params.get("q", "").strip()[:100]
        after = request.query_params.get("after", "")[:32]
        found = await management.machines(self._context, merchant, text, after, PAGE)
        return await self.page(
            request, "machines", "coffee_machines.html", problem, found=found, text=text,
            typed=form, planned=planned, shown=imports.digest(planned),
            changes=sum(one.change in (Change.NEW, Change.CHANGED) for one in planned),
            choices=await management.choices(self._context, merchant),
            following=found[-1].code if len(found) == PAGE else "", is_heard=self._is_heard,
        )  # fmt: skip

    async def _machine(
        self, request: AnyRequest, code: str, *, problem: FieldError | None = None,
        form: Form | None = None,
    ) -> Response[str]:  # fmt: skip
        merchant = merchant_of(signed_in(request))
        found: MachinePage | None = await management.machine(self._context, merchant, code)
        if found is None:
            raise no_such_machine()
        line = found.line
        fields = MachineFields(
            account_id=found.account_id, device=line.device, name=line.name, place=line.place,
            contact=line.contact,
        )  # fmt: skip
        newest = Asked(text=code, limit=10)
        return await self.page(
            request, "machines", "coffee_machine.html", problem, found=found, typed=form,
            version=machines.version_of(fields),
            choices=await management.choices(self._context, merchant),
            newest=await management.orders(self._context, merchant, newest),
            is_heard=self._is_heard,
        )  # fmt: skip

    def _is_heard(self, line: MachineLine) -> bool:
        """By its own times, where it has some."""
        windows = self._context.windows.at("coffee", line.windows)
        return line.heard_at is not None and is_recent(
            self._context, line.heard_at, windows.span("heard_s")
        )

    async def account_of(self, who: SignedIn, form: Form) -> UUID:
        found = await management.choices(self._context, merchant_of(who))
        chosen = [account for account, _ in found.vendors if str(account) == form.one("account")]
        if not chosen:
            raise FieldError("problem_coffee_choice")
        return chosen[0]
