"""A counter's own pages: the first one, its opening hours, and the codes that hang at it."""

import asyncio
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec.structs import replace

from coinslot.console import forms
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.counter import gateway_move, hours_text, menu, pickup, setup, store
from coinslot.counter.hours import SPECIAL_DAYS, WeekInterval
from coinslot.counter.hours_text import HoursTextError
from coinslot.counter.menu import NewStore
from coinslot.counter.pickup import OpeningHours
from coinslot.counter.texts import ON_SHEETS
from coinslot.fleet import setup as practice
from coinslot.kit.money import EXPONENTS, Money
from coinslot.kit.numbers import whole
from coinslot.merchants.accounts import Account, SlugTakenError
from coinslot.merchants.merchants import currencies
from coinslot.outlets.machines import OutletTakenError
from coinslot.pages import code_sheets, drawing, printed_sheet
from coinslot.pages.access import signed_in
from coinslot.pages.code_sheets import LAYOUTS, Label
from coinslot.pages.drawing import Sheet, UnreadableSheetError
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.payments import ways_to_pay
from coinslot.payments.ways_to_pay import Form as PayForm
from coinslot.payments.ways_to_pay import UnfitWayError
from coinslot.people.audit_log import Act, record
from coinslot.people.sessions import SignedIn

_PRACTICE: Final = "practice"
_TABLES: Final = 200
_SLOTS: Final = (5, 10, 15, 20, 30, 60)  # minutes
_DAYS: Final = (
    "hours_day_0", "hours_day_1", "hours_day_2", "hours_day_3", "hours_day_4", "hours_day_5",
    "hours_day_6",
)  # fmt: skip
_ANY_SUM: Final = 2**53
_DRAWING: Final = asyncio.Semaphore(1)
_LAYOUTS: Final = {"a4": "layout_a4", "a6": "layout_a6", "a5": "layout_a5"}


class CounterSetup(SharedHandler):
    """Each form calls one verb of `counter`."""

    def __init__(self, frame: Frame, folder: str) -> None:
        self._frame = frame
        self._context = frame.auth.context
        self._folder = folder

    async def ask(self, request: AnyRequest) -> Response[str]:
        return await self._new(request)

    async def make(self, request: AnyRequest) -> Response[str] | Redirect:
        """A counter, paid at an account of the merchant's, or in practice."""
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        name, currency = form.one("name", 100), form.one("currency", 3).upper()
        if not name or currency not in EXPONENTS:
            return await self._new(request, "problem_counter_name", form)

        async def work(who: SignedIn) -> Done:
            account = await self._account(who, form.one("account", 40), currency)
            new = NewStore(
                code="", merchant=merchant, slug=setup.slug_of(name), name=name,
                place=form.one("place", 200), currency=currency, gateway_account=account.id,
                tax_added=form.one("tax") == "added",
            )  # fmt: skip
            code = await setup.open_store(self._context, who.actor, new, account)
            return Done(to=self._frame.to(request, "menu", code))

        try:
            return await once(self._context, request, form, work)
        except (UnfitWayError, OutletTakenError, SlugTakenError):
            return await self._new(request, "problem_counter_account", form)

    async def _account(self, who: SignedIn, named: str, currency: str) -> Account:
        """Raises RefusedError, UnfitWayError, SlugTakenError."""
        merchant = merchant_of(who)
        if named == _PRACTICE:
            if not self._folder:
                raise RefusedError(409, "no_practice", "Nobody practises on this installation.")
            # Made once, in a transaction of its own: the form is worked by the counter's.
            editor = editor_of(replace(who, once=None))
            made = await practice.open_practice(self._context, editor, Path(self._folder))
            return await self._context.accounts.by_id(made)
        for account in await self._payable(merchant, currency):
            if str(account.id) == named:
                return account
        raise UnfitWayError(named)

    async def _payable(self, merchant: Any, currency: str) -> list[Account]:
        """Those that can be paid at by a link, in this currency; in any, where none is said."""
        async with self._context.db.as_merchant(merchant) as conn:
            rows = await conn.fetch(store.ACCOUNTS)
        accounts = [await self._context.accounts.by_id(row["id"]) for row in rows]
        return [
            one for one in accounts
            if not currency or ways_to_pay.fits(one, PayForm.LINK, Money(_ANY_SUM, currency))
        ]  # fmt: skip

    async def _new(
        self, request: AnyRequest, problem: str = "", form: Form | None = None
    ) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        async with self._context.db.as_merchant(merchant) as conn:
            known = await currencies(conn)
        accounts = await self._payable(merchant, "")
        return await self._frame.page(
            request, "counter_new.html", form=form,
            problem=self._frame.texts(request)[problem] if problem else "",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            currencies=[*known, *sorted(set(EXPONENTS) - set(known))], accounts=accounts,
            practice=_PRACTICE if self._folder else "",
        )  # fmt: skip

    async def hours(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str]:
        return await self._hours(request, outlet)

    async def set_hours(
        self, request: AnyRequest, outlet: FromPath[str]
    ) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        await self._row(request, outlet)
        try:
            # "4/12" is the fourth of December for most, and April the twelfth for some.
            wanted = _typed(form, self._frame.language(request) != "en")
        except (HoursTextError, ValueError) as error:
            return await self._hours(request, outlet, form, str(error))

        async def work(who: SignedIn) -> Done:
            async with self._context.db.as_merchant(merchant) as conn:
                await pickup.set_hours(conn, outlet, wanted)
                after = {"week": hours_text.written_week(wanted.week), "lead": wanted.lead_min}
                act = Act(action="store.hours", merchant=merchant, subject=outlet, after=after)
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "menu", outlet, "hours", done="hours"))

        return await once(self._context, request, form, work)

    async def _hours(
        self, request: AnyRequest, outlet: str, form: Form | None = None, problem: str = ""
    ) -> Response[str]:
        row = await self._row(request, outlet)
        at = await menu.store_of(self._context, row["slug"])
        assert at is not None
        week = [
            hours_text.written([one for one in at.hours.week if one.day == day]) for day in range(7)
        ]
        special = hours_text.written_special(at.hours.special)
        said = self._frame.texts(request)["problem_counter_hours"].format(about=problem)
        return await self._frame.page(
            request, "menu_hours.html", outlet=outlet, row=row, at=at, week=week, form=form,
            special=special, problem=said if problem else "",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            opens=None if at.open else at.hours.opens_next(at.now),
            slot_sizes=_SLOTS, days=_DAYS,
        )  # fmt: skip

    async def codes(self, request: AnyRequest, outlet: FromPath[str]) -> Response[str]:
        """Which codes are to be printed: of the counter, and of tables."""
        row = await self._row(request, outlet)
        at = await menu.store_of(self._context, row["slug"])
        assert at is not None
        params = request.query_params
        tables, layout = params.get("tables", "")[:200], params.get("layout", "a6")
        problem = ""
        if "layout" in params:
            try:
                await self._sheets(row["slug"], tables, layout)
            except (UnreadableSheetError, ValueError) as error:
                problem = self._frame.texts(request)["problem_counter_tables"].format(about=error)
        merchant = merchant_of(signed_in(request))
        ready = await gateway_move.readiness(self._context, merchant, outlet)
        return await self._frame.page(
            request, "menu_codes.html", outlet=outlet, row=row, layouts=_LAYOUTS, tables=tables,
            layout=layout, problem=problem, ready="layout" in params and not problem,
            address=f"{self._frame.auth.base_url}/s/{row['slug']}",
            practises=ready is not None and ready.practises,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip

    async def sheet(self, request: AnyRequest, outlet: FromPath[str]) -> Response[bytes]:
        """One PDF. No code of it is offered that was not read back."""
        row, params = await self._row(request, outlet), request.query_params
        try:
            pages = await self._sheets(
                row["slug"], params.get("tables", "")[:200], params.get("layout", "a6")
            )
        except (UnreadableSheetError, ValueError) as error:
            raise RefusedError(409, "codes_unreadable", str(error)) from None
        headers = {"Cache-Control": "no-store"}
        if params.get("show"):
            svg = await asyncio.to_thread(drawing.svg, pages[0])
            return Response(svg.encode(), media_type="image/svg+xml", headers=headers)
        headers["Content-Disposition"] = f'attachment; filename="codes-{row["slug"]}.pdf"'
        body = await asyncio.to_thread(drawing.pdf, pages, "codes")
        return Response(body, media_type="application/pdf", headers=headers)

    async def _sheets(self, slug: str, tables: str, layout: str) -> list[Sheet]:
        """Raises UnreadableSheetError; ValueError for tables that cannot be read."""
        if layout not in LAYOUTS:
            raise ValueError(layout)
        at = await menu.store_of(self._context, slug)
        assert at is not None
        page = f"{self._frame.auth.base_url}/s/{slug}"
        spoken = printed_sheet.spoken(at.outlet.currency, at.outlet.brand.languages)
        labels = [
            Label(
                payable=f"{page}?spot={spot}" if spot else page, machine=spot, page=page,
                name=at.outlet.name, merchant=at.outlet.merchant_name,
                contact=at.outlet.operator_contact, told=ON_SHEETS,
            )
            for spot in spots_of(tables) or [""]
        ]  # fmt: skip
        async with _DRAWING:
            return await asyncio.to_thread(_read_sheets, layout, labels, spoken)

    async def _row(self, request: AnyRequest, outlet: str) -> Any:
        """Raises RefusedError for another merchant's."""
        async with self._context.db.as_merchant(merchant_of(signed_in(request))) as conn:
            for row in await conn.fetch(store.STORES):
                if row["outlet_id"] == outlet:
                    return row
        raise RefusedError(404, "not_found", "There is no such counter.")


def spots_of(text: str) -> list[str]:
    """Names of tables: `1-12, Terrace 3`. Raises ValueError."""
    found = list[str]()
    for part in filter(None, (part.strip() for part in text.split(","))):
        span = re.fullmatch(r"(\d{1,4})\s*-\s*(\d{1,4})", part)
        if span:
            found += [str(n) for n in range(int(span[1]), int(span[2]) + 1)]
        elif re.fullmatch(r"[\w .-]{1,20}", part):
            found.append(part)
        else:
            raise ValueError(part)
    if len(found) > _TABLES:
        raise ValueError(f"{len(found)} > {_TABLES}")
    return list(dict.fromkeys(found))


def _read_sheets(layout: str, labels: list[Label], spoken: tuple[str, ...]) -> list[Sheet]:
    pages = code_sheets.sheets(layout, labels, spoken)
    for page in pages:
        drawing.read_back(page)
    return pages


def _typed(form: Form, is_day_first: bool) -> OpeningHours:
    """Raises HoursTextError, ValueError."""
    several = hours_text.week(form.one("week", 200))
    named = {one.day for one in several}
    week = *several, *(
        WeekInterval(day=day, opens=one.opens, closes=one.closes)
        for day in range(7) if day not in named
        for one in hours_text.intervals(form.one(f"day{day}", 100))
    )  # fmt: skip
    special = hours_text.special(form.one("special", 4000), is_day_first=is_day_first)
    if len(special) > SPECIAL_DAYS:
        raise ValueError(f"{len(special)} > {SPECIAL_DAYS}")
    if form.one("slot", 2) not in map(str, _SLOTS):
        raise ValueError(form.one("slot", 2))
    room, ahead = form.one("slot_work", 5), form.one("ahead", 2)
    return OpeningHours(
        week=tuple(sorted(week, key=lambda one: one.day)), special=special,
        lead_min=_whole(form.one("lead", 4) or "0", 1440), slot_min=int(form.one("slot", 2)),
        slot_work_min=_whole(room, 10_000, 1) if room else None,
        days_ahead=_whole(ahead, 14) if ahead else None,
    )  # fmt: skip


def _whole(text: str, most: int, least: int = 0) -> int:
    """Raises ValueError."""
    found = whole(text, most, least=least)
    if found is None:
        raise ValueError(text)
    return found
