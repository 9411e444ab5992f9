"""Coffee: which machines can be heard, what became of each cup, and what has a person to decide?"""

import csv
from http import HTTPStatus
from io import StringIO
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.response import Redirect

from coinslot.catalog.products import Product, ProductChange, add_product, edit_product
from coinslot.channels.tmetr import Settings
from coinslot.coffee import management
from coinslot.coffee.fulfillment import Coffee
from coinslot.coffee.machines import DeviceTakenError, NewMachine, add_machine, change_machine
from coinslot.coffee.management import Asked, Change, Planned
from coinslot.coffee.rules import Rule, Rules, save_rules
from coinslot.coffee.statuses import Status
from coinslot.coffee.vendors import (
    AccountTakenError,
    OpenVendors,
    VendorAccount,
    save_vendor_account,
)
from coinslot.console import forms
from coinslot.console.exports import harmless
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.uploads import FieldError
from coinslot.console.whose import merchant_of
from coinslot.kit.ids import uuid7
from coinslot.kit.secrets import Secret
from coinslot.orders.fulfillment import handler
from coinslot.outlets.machines import OutletTakenError
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

_PAGE: Final = 50
_EXPORTED: Final = 10_000
_TABLE_CHARS: Final = 60_000
_COLUMNS: Final = (
    "placed_at", "number", "machine", "device", "machine_order", "drink", "size", "money",
    "currency", "status", "basis",
)  # fmt: skip


class CoffeePages(SharedHandler):
    """Each page asks one verb of `coffee`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    @property
    def _vendors(self) -> OpenVendors:
        kind: Coffee = handler(self._context, "coffee")  # type: ignore[assignment]
        return kind.vendors

    async def all(self, request: AnyRequest) -> Response[str]:
        return await self._all(request)

    async def export(self, request: AnyRequest) -> Response[str]:
        """What the list shows, up to so many, as CSV. It is on record who took it."""
        asked, who = _asked(request, _EXPORTED), signed_in(request)
        found = await management.orders(self._context, merchant_of(who), asked)
        wanted = {"text": asked.text, "status": asked.status.value if asked.status else ""}
        act = Act(
            action="coffee.exported", merchant=merchant_of(who),
            after={name: value for name, value in wanted.items() if value},
        )  # fmt: skip
        async with self._context.db.as_merchant(merchant_of(who)) as conn:
            await record(conn, who.actor, act, self._context.now())
        told = StringIO()
        lines = csv.writer(told)
        lines.writerow(_COLUMNS)
        for one in found:
            cells = (
                one.placed_at.isoformat(), one.number, one.machine, one.device, one.machine_order,
                one.drink, one.size, one.money.decimal(), one.money.currency, one.status.value,
                one.basis or "",
            )  # fmt: skip
            lines.writerow([harmless(cell) for cell in cells])
        return Response(
            "\ufeff" + told.getvalue(), media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": 'attachment; filename="coffee.csv"',
                "Cache-Control": "no-store",
            },
        )  # fmt: skip

    async def account(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            name, host = form.one("name", 40), form.one("host", 200)
            if not name or not host.startswith(("https://", "http://")):
                raise FieldError("problem_coffee_account")
            settings = Settings(host=host, token=Secret(form.one("secret-token", 4000)))
            account = VendorAccount(merchant_id=merchant_of(who), slug=name, settings=settings)
            async with self._context.db.as_merchant(merchant_of(who)) as conn:
                await save_vendor_account(conn, self._context.vault, self._context.clock, account)
                act = _act("coffee.account_set", who, name, {"host": host})
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "coffee", done="saved"))

        return await self._worked(request, form, work)

    async def machine(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            one = Planned(
                code=form.one("code", 32), device=form.one("device", 255),
                name=form.one("name", 100), place=form.one("place", 100), change=Change.NEW,
            )  # fmt: skip
            await self._put_up(who, form, (one,))
            return Done(to=self._frame.to(request, "coffee", done="saved"))

        return await self._worked(request, form, work)

    async def plan(self, request: AnyRequest) -> Response[str]:
        """What a table would change; nothing is changed."""
        form = await forms.read(request, _TABLE_CHARS)
        try:
            planned = await self._planned(signed_in(request), form)
        except FieldError as error:
            return await self._all(request, problem=error, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        return await self._all(
            request, planned=planned, table=form.raw("table"), account=form.one("account"),
            gateway=form.one("gateway"),
        )  # fmt: skip

    async def apply(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request, _TABLE_CHARS)

        async def work(who: SignedIn) -> Done:
            planned = await self._planned(who, form)
            wanted = [one for one in planned if one.change in (Change.NEW, Change.CHANGED)]
            await self._put_up(who, form, tuple(wanted))
            return Done(to=self._frame.to(request, "coffee", done="saved"))

        return await self._worked(request, form, work)

    async def _planned(self, who: SignedIn, form: Form) -> list[Planned]:
        account = await self._account_of(who, form)
        return await management.plan(
            self._context, self._vendors, merchant_of(who), account, form.raw("table")
        )

    async def _account_of(self, who: SignedIn, form: Form) -> UUID:
        found = await management.choices(self._context, merchant_of(who))
        chosen = [account for account, _ in found.vendors if str(account) == form.one("account")]
        if not chosen:
            raise FieldError("problem_coffee_choice")
        return chosen[0]

    async def _put_up(self, who: SignedIn, form: Form, wanted: tuple[Planned, ...]) -> None:
        """All of them, or none."""
        merchant, now = merchant_of(who), self._context.now()
        account = await self._account_of(who, form)
        gateways = (await management.choices(self._context, merchant)).gateways
        gateway = [one for one, _ in gateways if str(one) == form.one("gateway")]
        if not gateway or any(not (one.code and one.device and one.name) for one in wanted):
            raise FieldError("problem_coffee_choice")
        async with self._context.db.as_merchant(merchant) as conn:
            for one in wanted:
                new = NewMachine(
                    code=one.code, merchant_id=merchant, account_id=account, device=one.device,
                    name=one.name, place=one.place, gateway_account=gateway[0],
                )  # fmt: skip
                if not await add_machine(conn, new, now):
                    await change_machine(conn, new)
            act = _act("coffee.machines_set", who, ", ".join(one.code for one in wanted)[:200])
            await record(conn, who.actor, act, now)
        for one in wanted:
            await management.offer_all(self._context, merchant, one.code)

    async def drinks(self, request: AnyRequest) -> Response[str]:
        """What the vendor says of some drinks now, beside what there is; nothing is changed."""
        form = await forms.read(request, _TABLE_CHARS)
        found = await self._drinks(signed_in(request), form)
        return await self._all(
            request, drinks=found, ids=form.raw("ids"), machine=form.one("machine")
        )

    async def keep_drinks(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request, _TABLE_CHARS)

        async def work(who: SignedIn) -> Done:
            merchant, now = merchant_of(who), self._context.now()
            found = await self._drinks(who, form)
            async with self._context.db.as_merchant(merchant) as conn:
                for one in found:
                    price = next((price for price in one.prices if price is not None), None)
                    if price is None or one.change not in (Change.NEW, Change.CHANGED):
                        continue
                    product = Product(id=uuid7(now), sku=one.drink, name=one.name, price=price)
                    await add_product(conn, merchant, product)
                    change = ProductChange(name=one.name)
                    await edit_product(conn, merchant, one.drink, change)
                act = _act("coffee.drinks_set", who, ", ".join(one.drink for one in found)[:200])
                await record(conn, who.actor, act, now)
            return Done(to=self._frame.to(request, "coffee", done="saved"))

        return await self._worked(request, form, work)

    async def _drinks(self, who: SignedIn, form: Form) -> list[management.DrinkLine]:
        ids = form.raw("ids").split()
        return await management.drinks(
            self._context, self._vendors, merchant_of(who), form.one("machine", 32), ids
        )

    async def rules(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            rules = _rules(form)
            async with self._context.db.as_merchant(merchant_of(who)) as conn:
                await save_rules(conn, merchant_of(who), rules)
                told = {"denied": rules.denied.value, "unclear": rules.unclear.value}
                act = _act("coffee.rules_set", who, "", told)
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "coffee", done="saved"))

        return await self._worked(request, form, work)

    async def _worked(
        self, request: AnyRequest, form: Form, work: forms.Work
    ) -> Response[str] | Redirect:
        try:
            return await once(self._context, request, form, work)
        except FieldError as error:
            problem: Exception = error
        except (AccountTakenError, DeviceTakenError, OutletTakenError):
            problem = FieldError("problem_coffee_taken")
        return await self._all(request, problem=problem, status=HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _all(
        self,
        request: AnyRequest,
        *,
        problem: Exception | None = None,
        status: int = HTTPStatus.OK,
        **more: Any,
    ) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        asked, c = _asked(request, _PAGE), self._frame.texts(request)
        found = await management.orders(self._context, merchant, asked)
        shown = {
            "planned": (), "table": "", "account": "", "gateway": "", "drinks": (), "ids": "",
            "machine": "",
        } | more  # fmt: skip
        return await self._frame.page(
            request, "coffee.html", status=status, problem=c[str(problem)] if problem else "",
            machines=await management.machines(self._context, merchant, asked.text),
            waiting=await management.to_decide(self._context, merchant), found=found,
            asked=asked, statuses=tuple(Status), rules=await management.rules(
                self._context, merchant
            ),
            kinds=(Rule.REFUND, Rule.GOODS, Rule.PERSON),
            choices=await management.choices(self._context, merchant),
            following=found[-1].id if len(found) == _PAGE else None, now=self._context.now(),
            heard_within=self._context.windows.span("heard_s"), **shown,
        )  # fmt: skip


def _asked(request: AnyRequest, limit: int) -> Asked:
    query = request.query_params
    status, before = query.get("status", ""), query.get("before", "")
    try:
        return Asked(
            text=query.get("q", "").strip()[:100], limit=limit,
            status=Status(status) if status else None, before=UUID(before) if before else None,
        )  # fmt: skip
    except ValueError:
        raise RefusedError(400, "bad_request", "No page of ours asks for that.") from None


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
