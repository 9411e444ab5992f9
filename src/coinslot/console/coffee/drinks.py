"""Which drinks coffee machines sell, and at which prices."""

from collections.abc import Sequence
from typing import Any

from litestar import Response
from litestar.response import Redirect, Stream

from coinslot.coffee import imports, management
from coinslot.coffee.imports import Change, DrinkLine, TooManyLinesError
from coinslot.console import exports, forms
from coinslot.console.coffee.parts import (
    PAGE,
    TABLE_CHARS,
    CoffeePages,
    TableError,
    act_of,
    csv_file,
)
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, Form
from coinslot.console.uploads import FieldError
from coinslot.pages.access import signed_in
from coinslot.pages.rendering import AnyRequest
from coinslot.people.audit_log import record
from coinslot.people.sessions import SignedIn


class CoffeeDrinkPages(CoffeePages):
    """Drinks as they are known, and as the vendor says them now."""

    async def drinks(self, request: AnyRequest) -> Response[str]:
        return await self._drinks(request)

    async def ask_drinks(self, request: AnyRequest) -> Response[str]:
        """What the vendor says of some drinks now, beside what there is; nothing is changed."""
        form = await forms.read(request, TABLE_CHARS)
        try:
            told = await self._told(signed_in(request), form)
        except FieldError as error:
            return await self._drinks(request, problem=error, form=form)
        return await self._drinks(request, told=told, form=form)

    async def keep_drinks(self, request: AnyRequest) -> Response[str] | Redirect:
        """What was shown, and nothing else."""
        form = await forms.read(request, TABLE_CHARS)
        told: list[DrinkLine] = []

        async def work(who: SignedIn) -> Done:
            merchant = merchant_of(who)
            told[:] = await self._told(who, form)
            if imports.digest(told) != form.one("shown"):
                raise FieldError("problem_coffee_changed")
            async with self._context.db.as_merchant(merchant) as conn:
                await imports.keep_drinks(conn, self._context, merchant, told)
                act = act_of("coffee.drinks_set", who, ", ".join(one.drink for one in told)[:200])
                await record(conn, who.actor, act, self._context.now())
            return Done(to=self._frame.to(request, "coffee", "drinks", done="saved"))

        async def again(request: AnyRequest, **more: Any) -> Response[str]:
            return await self._drinks(request, form=form, told=told, **more)

        return await self.worked(request, form, work, again)

    async def _told(self, who: SignedIn, form: Form) -> list[DrinkLine]:
        try:
            return await imports.drinks(
                self._context, self.vendors, merchant_of(who), form.one("machine", 32),
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
            act = act_of("coffee.drinks_exported", who, text)
            await record(conn, who.actor, act, self._context.now())
        lines = [
            [one.drink, one.name, *(price.decimal() if price else "" for price in one.prices)]
            for one in found
        ]
        names = ("drink", "name", "small", "medium", "big")
        return csv_file("coffee-drinks.csv", exports.plain_csv(names, lines))

    async def _drinks(
        self, request: AnyRequest, *, problem: FieldError | None = None, form: Form | None = None,
        told: Sequence[DrinkLine] = (),
    ) -> Response[str]:  # fmt: skip
        merchant = merchant_of(signed_in(request))
        text = request.query_params.get("q", "").strip()[:100]
        after = request.query_params.get("after", "")[:255]
        found = await management.drinks_known(self._context, merchant, text, after, PAGE)
        return await self.page(
            request, "drinks", "coffee_drinks.html", problem, found=found, text=text, typed=form,
            told=told, shown=imports.digest(told),
            changes=sum(one.change in (Change.NEW, Change.CHANGED) for one in told),
            machines=await management.machines(self._context, merchant, limit=PAGE * 4),
            following=found[-1].drink if len(found) == PAGE else "",
        )  # fmt: skip
