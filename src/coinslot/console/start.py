"""The first steps: from an empty installation to a can that dropped in practice, and then for real.
Each page asks one question; what is done is looked up, so that one comes back to where one was."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

from litestar import Response
from litestar.response import Redirect

from coinslot.channels.practice import Broken
from coinslot.console import forms
from coinslot.console.drawing import drawn
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.whose import editor_of, merchant_of
from coinslot.fleet import practice, setup
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.fleet.machines import status
from coinslot.fleet.onboarding import NewSlot, OnboardError
from coinslot.fleet.setup import Draft
from coinslot.kit import qr
from coinslot.kit.money import Money, MoneyRangeError, MoneyTextError
from coinslot.merchants.accounts import SlugTakenError
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler

_LINES: Final = 4
_COUNT_MOST: Final = 10_000
_SLOT: Final = re.compile(r"[A-Za-z0-9_-]{1,16}")
_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_STEPS: Final = ("practice", "machine", "products", "sell", "books", "gateway", "real")
_LOOPBACK: Final = ("//127.", "//localhost", "//[::1]")


class LineError(Exception):
    """A line of the form cannot be read; `text` names why, `line` counts from 1."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.text = text
        self.line = line


class StartPages(SharedHandler):
    """Each form calls one verb of `fleet.setup`."""

    def __init__(self, frame: Frame, folder: str, base_url: str) -> None:
        self._frame = frame
        self._context = frame.auth.context
        self._folder = folder
        self._base_url = base_url

    async def show(self, request: AnyRequest) -> Response[str]:
        return await self._page(request)

    async def practise(self, request: AnyRequest) -> Response[str] | Redirect:
        """The mock gateway: money of no worth."""
        form = await forms.read(request)

        async def work() -> Done:
            if not self._folder:
                raise RefusedError(409, "no_practice", "Nobody practises on this installation.")
            await setup.open_practice(self._context, editor_of(request), Path(self._folder))
            return self._next(request)

        try:
            return await once(self._context, signed_in(request), request, form, work)
        except SlugTakenError:
            raise RefusedError(409, "no_practice", "Another account has this name.") from None

    async def machine(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)
        code = form.one("code", 40)
        draft = Draft(code=code, name=form.one("name", 100), place=form.one("place", 200))
        if not _CODE.fullmatch(code) or not draft.name:
            return await self._page(request, "machine", form, "problem_code")

        async def work() -> Done:
            await setup.keep_draft(self._context, editor_of(request), draft)
            return self._next(request)

        return await once(self._context, signed_in(request), request, form, work)

    async def products(self, request: AnyRequest) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        known = await setup.progress(self._context, merchant)
        if known.practice_account is None or not known.draft.code or not known.currency:
            return self._next(request).to
        try:
            slots = list(_slots(form, known.currency))
        except LineError as error:
            return await self._page(request, "products", form, error.text, error.line)
        if not slots:
            return await self._page(request, "products", form, "problem_no_line")

        async def work() -> Done:
            editor = editor_of(request)
            await setup.set_up_machine(self._context, editor, slots, DeviceAddresses())
            return self._next(request)

        try:
            return await once(self._context, signed_in(request), request, form, work)
        except OnboardError as error:
            if any(problem.code == "machine_exists" for problem in error.problems):
                return await self._page(request, "machine", None, "problem_code_taken")
            return await self._page(request, "products", form, problem=setup.said(error))

    async def books(self, request: AnyRequest) -> Redirect:
        """To the record of the first sale."""
        form, merchant = await forms.read(request), merchant_of(signed_in(request))

        async def work() -> Done:
            await setup.note_books_seen(self._context, editor_of(request))
            known = await setup.progress(self._context, merchant)
            if known.order is None:
                return self._next(request)
            return Done(to=self._frame.to(request, "orders", str(known.order.id)))

        return await once(self._context, signed_in(request), request, form, work)

    async def put_away(self, request: AnyRequest) -> Redirect:
        form = await forms.read(request)

        async def work() -> Done:
            await setup.put_away(self._context, editor_of(request))
            return Done(to=self._frame.to(request, "today"))

        return await once(self._context, signed_in(request), request, form, work)

    def _next(self, request: AnyRequest) -> Done:
        return Done(to=self._frame.to(request, "start"))

    async def _page(
        self, request: AnyRequest, step: str = "", form: Form | None = None, problem: str = "",
        line: int = 0,
    ) -> Response[str]:  # fmt: skip
        merchant, c = merchant_of(signed_in(request)), self._frame.texts(request)
        known = await setup.progress(self._context, merchant)
        asked = request.query_params.get("step", "")
        step = step or (asked if asked in _STEPS else known.following)
        picture, status_ = None, HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        if step in ("sell", "books") and known.machine is not None:
            view = await practice.look(self._context, merchant, known.machine)
            there = await status(self._context, merchant, known.machine)
            if view is not None:
                picture = drawn(view, there.slots, self._context.now())
        address = f"{self._base_url}/q/{known.machine}"
        return await self._frame.page(
            request, "start.html", status=status_, setup=known, step=step, picture=picture,
            form=form, lines=_typed(form),
            problem=(c.get(problem, problem).format(line=line) if problem else ""),
            address=address, code_svg=qr.svg(address) if known.machine else "",
            only_here=any(one in self._base_url for one in _LOOPBACK), ways_to_break=tuple(Broken),
        )  # fmt: skip


def _typed(form: Form | None) -> list[dict[str, str]]:
    """The lines of the products' form, with examples in an empty one."""
    empty = {"slot": "", "product": "", "price": "", "count": ""}
    if form is None:
        return [{**empty, "slot": "A1", "count": "8"}, *({**empty} for _ in range(_LINES - 1))]
    return [
        {name: form.one(f"{name}{line}", 100) for name in empty} for line in range(1, _LINES + 1)
    ]


def _slots(form: Form, currency: str) -> Iterator[NewSlot]:
    """What is in the machine; an empty line is none. Raises LineError."""
    seen: set[str] = set()
    for line in range(1, _LINES + 1):
        slot, product = form.one(f"slot{line}", 40), form.one(f"product{line}", 100)
        price, count = form.one(f"price{line}", 40), form.one(f"count{line}", 10)
        if not product and not price:
            continue
        if not _SLOT.fullmatch(slot) or slot in seen:
            raise LineError("problem_slot", line)
        if not product:
            raise LineError("problem_product_name", line)
        if not count.isdecimal() or int(count) > _COUNT_MOST:
            raise LineError("problem_count", line)
        seen.add(slot)
        try:
            money = Money.typed(price, currency)
        except (MoneyTextError, MoneyRangeError):
            raise LineError("problem_price", line) from None
        if money.minor <= 0:
            raise LineError("problem_price", line)
        yield NewSlot(
            slot=slot, sku=_sku(product), product=product, price=money, par=int(count),
            stock=int(count),
        )  # fmt: skip


def _sku(product: str) -> str:
    plain = unicodedata.normalize("NFKD", product).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40]
    return found or f"p-{hashlib.sha256(product.encode()).hexdigest()[:8]}"
