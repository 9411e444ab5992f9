"""Today: is anything owed? Inbox: what needs me? Each case has one proposed action, and the others
below it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from litestar import Response
from litestar.params import PathParameter
from litestar.response import Redirect
from markupsafe import Markup
from msgspec import Struct

from coinslot.console import forms
from coinslot.console.charts import drawn
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.money_charts import sales_of
from coinslot.fleet import setup
from coinslot.kit.money import Money
from coinslot.oversight import cases, money
from coinslot.oversight.cases import (
    CONTRADICTED,
    OWED,
    UNDECIDED,
    UNRESOLVED,
    Case,
    CaseError,
    Person,
)
from coinslot.oversight.money import Asked
from coinslot.oversight.today import today
from coinslot.pages.access import Access, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import merchant_settings
from coinslot.people.sessions import SignedIn

_CHART_OF: Final = 14  # days
CaseId = Annotated[int, PathParameter(ge=1, le=2**63 - 1)]  # PostgreSQL's bigint


class Choice(Struct, frozen=True):
    """A way to end a case. `asks` names the field that must be filled in for it."""

    how: str
    asks: str = ""


_ENDS: Final[Mapping[str, tuple[Choice, ...]]] = {
    UNRESOLVED: (Choice("captured", "reference"), Choice("failed", "note")),
    OWED: (Choice("paid", "note"),),
    CONTRADICTED: (Choice("refund"), Choice("leave")),
    UNDECIDED: (Choice("refund"), Choice("leave")),
}
_CLOSE: Final = (Choice("close"),)


def ends_of(case: Case) -> tuple[Choice, ...]:
    """How a case may end, the proposed way first."""
    return _ENDS.get(case.kind, _CLOSE)


def until_of(case: Case) -> datetime | None:
    """When it ends by itself, where it does."""
    found = case.data.get("ends_by")
    return datetime.fromisoformat(str(found)) if found else None


class Overview(SharedHandler):
    """Each page asks one verb of `oversight`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def today(self, request: AnyRequest) -> Response[str]:
        who = signed_in(request)
        merchant = merchant_of(who)
        async with self._frame.heavy.turn(merchant):
            found = await today(self._context, merchant)
            charts = await self._charts(request, merchant)
        steps = None
        if "merchant:write" in who.permissions:
            steps = await setup.progress(self._context, merchant)
        return await self._frame.page(
            request, "today.html", now=found, setup=steps,
            charts=charts,
        )  # fmt: skip

    async def _charts(self, request: AnyRequest, merchant: UUID) -> Mapping[str, Markup]:
        """Sales of the last days, for each currency."""
        wanted = await money.filter_of(self._context, merchant, Asked(usual=_CHART_OF))
        days = await money.sales(self._context, merchant, wanted)
        of = {c: [day for day in days if day.currency == c] for c in {day.currency for day in days}}
        return {c: drawn(sales_of(self._frame, request, of[c])) for c in sorted(of)}

    async def inbox(self, request: AnyRequest) -> Response[str]:
        return await self._inbox(request)

    async def settle(self, request: AnyRequest, case: CaseId) -> Response[str] | Redirect:
        form = await forms.read(request)
        how = form.one("how")

        async def work(who: SignedIn) -> Done:
            known = await cases.one(self._context, merchant_of(who), case)
            if known is None:
                return Done(to=self._frame.to(request, "inbox", done="case_over"))
            await self._must_prove(request, known, how)
            hand = Person(who.login, form.one("note", 500), merchant_of(who), who.actor)
            await self._end(known, how, form, hand)
            return Done(to=self._frame.to(request, "inbox", done=f"case_{how}"))

        try:
            return await once(self._context, request, form, work)
        except CaseError as error:
            c = self._frame.texts(request)
            return await self._inbox(request, f"{c['problem_case']} {error}.", 409)

    async def _must_prove(self, request: AnyRequest, case: Case, how: str) -> None:
        """A large refund needs a fresh proof from here too. Raises RefusedError."""
        if how != "refund" or not case.amount or not case.currency:
            return
        who = signed_in(request)
        asked = await merchant_settings.settings(self._context.db, merchant_of(who))
        if asked.asks_proof_of(Money(case.amount, case.currency)):
            Access(self._frame.auth, cookies=True).must_be_fresh(who)

    async def _inbox(
        self, request: AnyRequest, problem: str = "", status: int = 200
    ) -> Response[str]:
        queue = await cases.of_merchant(self._context, merchant_of(signed_in(request)))
        return await self._frame.page(
            request,
            "inbox.html",
            status=status,
            queue=queue,
            ends_of=ends_of,
            until_of=until_of,
            problem=problem,
        )

    async def _end(self, case: Case, how: str, form: Form, hand: Person) -> None:
        choice = next((one for one in ends_of(case) if one.how == how), None)
        if choice is None:
            raise RefusedError(400, "bad_request", "This case does not end this way.")
        if choice.asks and not form.one(choice.asks):
            raise CaseError(f"case {case.id}: {choice.asks} is empty")
        context = self._context
        ends: Mapping[str, Callable[[], Awaitable[None]]] = {
            "captured": lambda: cases.find(context, case.id, form.one("reference"), hand),
            "failed": lambda: cases.call_off(context, case.id, hand),
            "paid": lambda: cases.paid_by_hand(context, case.id, hand),
            "refund": lambda: cases.refund(context, case.id, hand),
            "leave": lambda: cases.leave(context, case.id, hand),
            "close": lambda: cases.close(context, case.id, hand),
        }
        await ends[how]()
