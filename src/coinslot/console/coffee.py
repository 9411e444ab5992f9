"""Coffee: what became of each cup? Which machines can be heard, what do they sell, and what is done
where nobody knows? Each question has a page of its own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from babel.numbers import get_decimal_symbol
from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from msgspec.structs import replace

from coinslot.channels.tmetr import Settings
from coinslot.coffee import imports, machines, management
from coinslot.coffee.fulfillment import Coffee
from coinslot.coffee.imports import Change, DrinkLine, Planned, TooManyLinesError
from coinslot.coffee.machines import (
    DeviceTakenError,
    MachineFields,
    NewMachine,
    StaleMachineError,
    add_machine,
    change_machine,
    lock_machine,
    pay_at,
)
from coinslot.coffee.management import Asked, MachineLine, MachinePage
from coinslot.coffee.rules import Rule, Rules, save_rules
from coinslot.coffee.statuses import Status
from coinslot.coffee.vendors import (
    AccountTakenError,
    OpenVendors,
    VendorAccount,
    is_recent,
    kept_settings,
    save_vendor_account,
)
from coinslot.console import exports, forms
from coinslot.console.exports import Row, Sheet
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.uploads import FieldError
from coinslot.console.whose import merchant_of
from coinslot.kit.secrets import Secret
from coinslot.merchants.merchants import zone_of_merchant
from coinslot.orders.fulfillment import handler
from coinslot.outlets.machines import OutletTakenError
from coinslot.oversight.money_lists import Column
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

_PAGE: Final = 50
_TABLE_CHARS: Final = 60_000
_ORDER_COLUMNS: Final = (
    Column("placed_at", "time"), Column("number"), Column("machine"), Column("device"),
    Column("machine_order"), Column("drink"), Column("size"), Column("amount", "money", True),
    Column("status", "word"), Column("basis", "word"),
)  # fmt: skip
# As an import takes it: what was downloaded can be changed, and sent back.
_MACHINE_COLUMNS: Final = ("code", "device", "name", "place")


class TableError(FieldError):
    """A table has more lines than are read at once; none of them is."""

    def __init__(self, error: TooManyLinesError) -> None:
        super().__init__("problem_coffee_many")
        self.lines, self.most = error.lines, error.most


class CoffeePages(SharedHandler):
    """Each page asks one verb of `coffee`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    @property
    def _vendors(self) -> OpenVendors:
        kind: Coffee = handler(self._context, "coffee")  # type: ignore[assignment]
        return kind.vendors

    # Orders.

    async def orders(self, request: AnyRequest) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        given, asked = await self._asked(request, merchant)
        found = await management.orders(self._context, merchant, asked)
        return await self._page(
            request, "orders", "coffee.html", found=found, given=given, statuses=tuple(Status),
            waiting=await management.to_decide(self._context, merchant),
            has_machines=bool(await management.machines(self._context, merchant, limit=1)),
            following=str(found[-1].id) if len(found) == _PAGE else "",
        )  # fmt: skip

    async def export(self, request: AnyRequest) -> Stream:
        """The whole of what the list shows the first page of. It is on record who took it."""
        who = signed_in(request)
        merchant, c = merchant_of(who), self._frame.texts(request)
        given, asked = await self._asked(request, merchant)
        async with self._context.db.as_merchant(merchant) as conn:
            act = Act(action="coffee.exported", merchant=merchant, after=given)
            await record(conn, who.actor, act, self._context.now())
        sheet = Sheet(
            columns=_ORDER_COLUMNS, heading=lambda name: c.get(f"col_coffee_{name}") or c[
                f"col_{name}"
            ],
            word=lambda column, value: c[f"coffee_status_{value}"] if column == "status"
            else c[f"basis_{value}"],
            zone=self._context.zone_of(await zone_of_merchant(self._context.db, merchant)),
            comma=get_decimal_symbol(self._frame.words(request).locale) == ",",
        )  # fmt: skip
        rows = _rows(management.chunks(self._context, merchant, asked))
        return _file("coffee-orders.csv", exports.as_csv(sheet, rows))

    async def _asked(self, request: AnyRequest, merchant: UUID) -> tuple[dict[str, str], Asked]:
        """What is filtered, as it was given and as it is meant."""
        query = request.query_params
        given = {name: query.get(name, "").strip()[:100] for name in ("q", "status", "from", "to")}
        zone = self._context.zone_of(await zone_of_merchant(self._context.db, merchant))
        before = query.get("before", "")

        def day(name: str, more: int) -> datetime | None:
            if not given[name]:
                return None
            begun = datetime.combine(date.fromisoformat(given[name]), datetime.min.time(), zone)
            return (begun + timedelta(days=more)).astimezone(UTC)

        try:
            asked = Asked(
                text=given["q"], status=Status(given["status"]) if given["status"] else None,
                since=day("from", 0), until=day("to", 1), limit=_PAGE,
                before=UUID(before) if before else None,
            )  # fmt: skip
        except (ValueError, OverflowError):
            raise RefusedError(400, "bad_request", "No page of ours asks for that.") from None
        return {name: value for name, value in given.items() if value}, asked

    # Machines.

    async def machines(self, request: AnyRequest) -> Response[str]:
        return await self._machines(request)

    async def machines_file(self, request: AnyRequest) -> Stream:
        """All of them, as an import takes them."""
        who, text = signed_in(request), request.query_params.get("q", "").strip()[:100]
        merchant = merchant_of(who)
        found = await management.machines(self._context, merchant, text)
        async with self._context.db.as_merchant(merchant) as conn:
            act = _act("coffee.machines_exported", who, text)
            await record(conn, who.actor, act, self._context.now())
        lines = [[getattr(one, name) for name in _MACHINE_COLUMNS] for one in found]
        return _file("coffee-machines.csv", exports.plain_csv(_MACHINE_COLUMNS, lines))

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

        return await self._worked(request, form, work, again)

    async def change(self, request: AnyRequest, machine: FromPath[str]) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            wanted = MachineFields(
                account_id=await self._account_of(who, form), device=form.one("device", 255),
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

        return await self._worked(request, form, work, again)

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
                raise _no_such()
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
        form = await forms.read(request, _TABLE_CHARS)
        try:
            planned = await self._planned(signed_in(request), form)
        except FieldError as error:
            return await self._machines(request, problem=error, form=form)
        return await self._machines(request, planned=planned, form=form)

    async def apply(self, request: AnyRequest) -> Response[str] | Redirect:
        """What was shown, and nothing else."""
        form = await forms.read(request, _TABLE_CHARS)
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

        return await self._worked(request, form, work, again)

    async def _planned(self, who: SignedIn, form: Form) -> list[Planned]:
        account = await self._account_of(who, form)
        try:
            return await imports.plan(
                self._context, self._vendors, merchant_of(who), account, form.raw("table")
            )
        except TooManyLinesError as error:
            raise TableError(error) from None

    async def _account_of(self, who: SignedIn, form: Form) -> UUID:
        found = await management.choices(self._context, merchant_of(who))
        chosen = [account for account, _ in found.vendors if str(account) == form.one("account")]
        if not chosen:
            raise FieldError("problem_coffee_choice")
        return chosen[0]

    async def _put_up(
        self, who: SignedIn, form: Form, wanted: Sequence[Planned], *, only_new: bool = False
    ) -> None:
        """All of them, or none; a new one can be paid at every account that takes roubles."""
        merchant, now = merchant_of(who), self._context.now()
        account = await self._account_of(who, form)
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
            act = _act("coffee.machines_set", who, ", ".join(one.code for one in wanted)[:200])
            await record(conn, who.actor, act, now)

    async def _machines(
        self, request: AnyRequest, *, problem: FieldError | None = None, form: Form | None = None,
        planned: Sequence[Planned] = (),
    ) -> Response[str]:  # fmt: skip
        merchant = merchant_of(signed_in(request))
        text = request.query_params.get("q", "").strip()[:100]
        after = request.query_params.get("after", "")[:32]
        found = await management.machines(self._context, merchant, text, after, _PAGE)
        return await self._page(
            request, "machines", "coffee_machines.html", problem, found=found, text=text,
            typed=form, planned=planned, shown=imports.digest(planned),
            changes=sum(one.change in (Change.NEW, Change.CHANGED) for one in planned),
            choices=await management.choices(self._context, merchant),
            following=found[-1].code if len(found) == _PAGE else "", is_heard=self._is_heard,
        )  # fmt: skip

    async def _machine(
        self, request: AnyRequest, code: str, *, problem: FieldError | None = None,
        form: Form | None = None,
    ) -> Response[str]:  # fmt: skip
        merchant = merchant_of(signed_in(request))
        found: MachinePage | None = await management.machine(self._context, merchant, code)
        if found is None:
            raise _no_such()
        line = found.line
        fields = MachineFields(
            account_id=found.account_id, device=line.device, name=line.name, place=line.place,
            contact=line.contact,
        )  # fmt: skip
        newest = Asked(text=code, limit=10)
        return await self._page(
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

    # Drinks.

    async def drinks(self, request: AnyRequest) -> Response[str]:
        return await self._drinks(request)

    async def ask_drinks(self, request: AnyRequest) -> Response[str]:
        """What the vendor says of some drinks now, beside what there is; nothing is changed."""
        form = await forms.read(request, _TABLE_CHARS)
        try:
            told = await self._told(signed_in(request), form)
        except FieldError as error:
            return await self._drinks(request, problem=error, form=form)
        return await self._drinks(request, told=told, form=form)

    async def keep_drinks(self, request: AnyRequest) -> Response[str] | Redirect:
        """What was shown, and nothing else."""
        form = await forms.read(request, _TABLE_CHARS)
        told: list[DrinkLine] = []

        async def work(who: SignedIn) -> Done:
            merchant = merchant_of(who)
            told[:] = await self._told(who, form)
            if imports.digest(told) != form.one("shown"):
                raise FieldError("problem_coffee_changed")
            async with self._context.db.as_merchant(merchant) as conn:
                await imports.keep_drinks(conn, self._context, merchant, told)
                act = _act("coffee.drinks_set", who, ", ".join(one.drink for one in told)[:200])
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "coffee", "drinks", done="saved"))

        async def again(request: AnyRequest, **more: Any) -> Response[str]:
            return await self._drinks(request, form=form, told=told, **more)

        return await self._worked(request, form, work, again)

    async def _told(self, who: SignedIn, form: Form) -> list[DrinkLine]:
        try:
            return await imports.drinks(
                self._context, self._vendors, merchant_of(who), form.one("machine", 32),
                form.raw("table"),
            )  # fmt: skip
        except TooManyLinesError as error:
            raise TableError(error) from None

    async def drinks_file(self, request: AnyRequest) -> Stream:
        """All of them, as an import takes them, with what they cost."""
        who, text = signed_in(request), request.query_params.get("q", "").strip()[:100]
        merchant = merchant_of(who)
        found = await management.drinks_known(self._context, merchant, text)
        async with self._context.db.as_merchant(merchant) as conn:
            act = _act("coffee.drinks_exported", who, text)
            await record(conn, who.actor, act, self._context.now())
        lines = [
            [one.drink, one.name, *(price.decimal() if price else "" for price in one.prices)]
            for one in found
        ]
        names = ("drink", "name", "small", "medium", "big")
        return _file("coffee-drinks.csv", exports.plain_csv(names, lines))

    async def _drinks(
        self, request: AnyRequest, *, problem: FieldError | None = None, form: Form | None = None,
        told: Sequence[DrinkLine] = (),
    ) -> Response[str]:  # fmt: skip
        merchant = merchant_of(signed_in(request))
        text = request.query_params.get("q", "").strip()[:100]
        after = request.query_params.get("after", "")[:255]
        found = await management.drinks_known(self._context, merchant, text, after, _PAGE)
        return await self._page(
            request, "drinks", "coffee_drinks.html", problem, found=found, text=text, typed=form,
            told=told, shown=imports.digest(told),
            changes=sum(one.change in (Change.NEW, Change.CHANGED) for one in told),
            machines=await management.machines(self._context, merchant, limit=_PAGE * 4),
            following=found[-1].drink if len(found) == _PAGE else "",
        )  # fmt: skip

    # Rules and accounts.

    async def setup(self, request: AnyRequest) -> Response[str]:
        return await self._setup(request)

    async def rules(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            rules = _rules(form)
            async with self._context.db.as_merchant(merchant_of(who)) as conn:
                await save_rules(conn, merchant_of(who), rules)
                told = {"denied": rules.denied.value, "unclear": rules.unclear.value}
                act = _act("coffee.rules_set", who, "", told)
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "coffee", "setup", done="saved"))

        return await self._worked(request, form, work, self._setup)

    async def account(self, request: AnyRequest) -> Response[str] | Redirect:
        """A new one, or another address or token for the one of this name; what else it has been
        set up with, such as a broker, stays."""
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            name, host = form.one("name", 40), form.one("host", 200)
            if not name or not host.startswith(("https://", "http://")):
                raise FieldError("problem_coffee_account")
            merchant, token = merchant_of(who), Secret(form.one("secret-token", 4000))
            async with self._context.db.as_merchant(merchant) as conn:
                known = await kept_settings(conn, self._context.vault, name)
                settings = (
                    replace(known, host=host, token=token)
                    if known
                    else Settings(host=host, token=token)
                )
                account = VendorAccount(merchant_id=merchant, slug=name, settings=settings)
                await save_vendor_account(conn, self._context.vault, self._context.clock, account)
                act = _act("coffee.account_set", who, name, {"host": host})
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "coffee", "setup", done="saved"))

        return await self._worked(request, form, work, self._setup)

    async def _setup(
        self, request: AnyRequest, *, problem: FieldError | None = None
    ) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        return await self._page(
            request, "setup", "coffee_setup.html", problem,
            kinds=(Rule.REFUND, Rule.GOODS, Rule.PERSON),
            rules=await management.rules(self._context, merchant),
            accounts=await management.accounts(self._context, self._vendors, merchant),
            site_url=self._frame.auth.base_url,
        )  # fmt: skip

    # What they share.

    async def _worked(
        self, request: AnyRequest, form: Form, work: forms.Work, again: Any
    ) -> Response[str] | Redirect:
        try:
            return await once(self._context, request, form, work)
        except FieldError as error:
            problem = error
        except (AccountTakenError, DeviceTakenError, OutletTakenError):
            problem = FieldError("problem_coffee_taken")
        except StaleMachineError:
            problem = FieldError("problem_coffee_stale")
        answer: Response[str] = await again(request, problem=problem)
        return answer

    async def _page(
        self, request: AnyRequest, part: str, name: str, problem: FieldError | None = None,
        **values: Any,
    ) -> Response[str]:  # fmt: skip
        c = self._frame.texts(request)
        said = _said(problem, c) if problem else ""
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return await self._frame.page(
            request, name, status=status, problem=said, part=part, **values
        )


def _said(problem: FieldError, c: Mapping[str, str]) -> str:
    if isinstance(problem, TableError):
        return c[problem.text].format(lines=problem.lines, most=problem.most)
    return c[problem.text]


def _file(name: str, content: AsyncIterator[bytes]) -> Stream:
    return Stream(
        content, media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store",
        },
    )  # fmt: skip


async def _rows(
    chunks: AsyncIterator[Sequence[management.OrderLine]],
) -> AsyncIterator[Sequence[Row]]:
    async for found in chunks:
        yield [
            {
                "placed_at": one.placed_at, "number": one.number, "machine": one.machine,
                "device": one.device, "machine_order": one.machine_order, "drink": one.drink,
                "size": one.size, "amount": one.money.minor, "currency": one.money.currency,
                "status": one.status.value, "basis": one.basis,
            }
            for one in found
        ]  # fmt: skip


def _rules(form: Form) -> Rules:
    try:
        limits = {
            name: int(form.one(name, 6))
            for name in ("contact_limit", "browser_limit", "device_limit", "day_limit")
        }
        denied, unclear = Rule(form.one("denied")), Rule(form.one("unclear"))
    except ValueError:
        raise FieldError("problem_coffee_rules") from None
    if Rule.LIMIT in (denied, unclear) or any(
        not 0 <= limit <= 99_999 for limit in limits.values()
    ):
        raise FieldError("problem_coffee_rules")
    return Rules(denied=denied, unclear=unclear, **limits)


def _act(action: str, who: SignedIn, subject: str, after: dict[str, str] | None = None) -> Act:
    return Act(action=action, merchant=merchant_of(who), subject=subject, after=after)


def _no_such() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such coffee machine.")
