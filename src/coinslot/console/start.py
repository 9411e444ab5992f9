"""The first steps: from an empty installation to a can that dropped in practice, and then for real.
Each page asks one question; what is done is looked up, so that one comes back to where one was."""

from http import HTTPStatus
from pathlib import Path
from typing import Final

from litestar import Response
from litestar.response import Redirect

from coinslot.channels.practice_machine import Broken
from coinslot.console import forms
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.drawing import drawn
from coinslot.console.forms import Done, Form, once
from coinslot.console.frame import Frame
from coinslot.console.product_lines import CODE, LineError, slots_of, typed_lines
from coinslot.console.reach import Reach, reach_of
from coinslot.console.settings import languages_of
from coinslot.fleet import practice, setup
from coinslot.fleet.enrolment import DeviceAddresses
from coinslot.fleet.machines import status
from coinslot.fleet.onboarding import OnboardError
from coinslot.fleet.setup import Draft
from coinslot.kit import qr
from coinslot.merchants.accounts import SlugTakenError
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.pages.texts import LANGUAGES
from coinslot.people import merchant_settings
from coinslot.people.sessions import SignedIn

_STEPS: Final = ("practice", "machine", "products", "sell", "books", "gateway", "real")


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

        async def work(who: SignedIn) -> Done:
            if not self._folder:
                raise RefusedError(409, "no_practice", "Nobody practises on this installation.")
            await setup.open_practice(self._context, editor_of(who), Path(self._folder))
            return self._next(request)

        try:
            return await once(self._context, request, form, work)
        except SlugTakenError:
            raise RefusedError(409, "no_practice", "Another account has this name.") from None

    async def machine(self, request: AnyRequest) -> Response[str] | Redirect:
        form = await forms.read(request)
        code = form.one("code", 40)
        draft = Draft(code=code, name=form.one("name", 100), place=form.one("place", 200))
        if not CODE.fullmatch(code) or not draft.name:
            return await self._page(request, "machine", form, "problem_code")

        async def work(who: SignedIn) -> Done:
            await setup.keep_draft(self._context, editor_of(who), draft)
            return self._next(request)

        return await once(self._context, request, form, work)

    async def products(self, request: AnyRequest) -> Response[str] | Redirect:
        form, merchant = await forms.read(request), merchant_of(signed_in(request))
        known = await setup.progress(self._context, merchant)
        if known.practice_account is None or not known.draft.code or not known.currency:
            return self._next(request).to
        try:
            slots = list(slots_of(form, known.currency))
        except LineError as error:
            return await self._page(request, "products", form, error.text, error.line)
        if not slots:
            return await self._page(request, "products", form, "problem_no_line")

        async def work(who: SignedIn) -> Done:
            editor = editor_of(who)
            await setup.set_up_machine(self._context, editor, slots, DeviceAddresses())
            return self._next(request)

        try:
            return await once(self._context, request, form, work, repeats=True)
        except OnboardError as error:
            if any(problem.code == "machine_exists" for problem in error.problems):
                return await self._page(request, "machine", None, "problem_code_taken")
            return await self._page(request, "products", form, problem=setup.said(error))

    async def books(self, request: AnyRequest) -> Redirect:
        """To the record of the first sale."""
        form, merchant = await forms.read(request), merchant_of(signed_in(request))

        async def work(who: SignedIn) -> Done:
            await setup.note_books_seen(self._context, editor_of(who))
            known = await setup.progress(self._context, merchant)
            if known.order is None:
                return self._next(request)
            return Done(to=self._frame.to(request, "orders", str(known.order.id)))

        return await once(self._context, request, form, work)

    async def languages(self, request: AnyRequest) -> Redirect:
        """In which languages customers read; and on to the sheets for the machines."""
        form, merchant = await forms.read(request), merchant_of(signed_in(request))

        async def work(who: SignedIn) -> Done:
            await merchant_settings.set_languages(
                self._context.db, who.actor, merchant, languages_of(form), self._context.now()
            )
            return Done(to=self._frame.to(request, "codes"))

        return await once(self._context, request, form, work)

    async def put_away(self, request: AnyRequest) -> Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            await setup.put_away(self._context, editor_of(who))
            return Done(to=self._frame.to(request, "today"))

        return await once(self._context, request, form, work)

    def _next(self, request: AnyRequest) -> Done:
        return Done(to=self._frame.to(request, "start"))

    async def _page(
        self, request: AnyRequest, step: str = "", form: Form | None = None, problem: str = "",
        line: int = 0,
    ) -> Response[str]:  # fmt: skip
        merchant, c = merchant_of(signed_in(request)), self._frame.texts(request)
        said = await merchant_settings.settings(self._context.db, merchant)
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
            form=form, lines=typed_lines(form),
            problem=(c.get(problem, problem).format(line=line) if problem else ""),
            tongues=tuple(LANGUAGES.values()), spoken=said.languages or tuple(LANGUAGES),
            address=address, code_svg=qr.svg(address) if known.machine else "",
            only_here=reach_of(self._base_url) is Reach.COMPUTER, ways_to_break=tuple(Broken),
        )  # fmt: skip
