"""Tablets behind a counter: enrolled on the spot, signed in to by a PIN, ended from anywhere."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Form
from coinslot.console.frame import Frame
from coinslot.console.sign_in import SignInPages
from coinslot.counter import printers
from coinslot.counter.staff import staff_of
from coinslot.pages import cookies
from coinslot.pages.access import allowed, client_of, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.people import tablets
from coinslot.people.tablets import Tablet

_LIFE: Final = timedelta(days=400)
_PIN: Final = 8


class TabletPages(SignInPages):
    """Each reads a form, and calls one verb of `people/tablets.py`."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame)

    async def show(self, request: AnyRequest) -> Response[str]:
        return await self._page(request)

    async def enrol(self, request: AnyRequest) -> Response[Any]:
        """This browser is a tablet of the counter from now on."""
        form, who = await forms.read(request), signed_in(request)
        merchant_of(who)
        outlets = form.all("outlet")
        try:
            secret = await allowed(tablets.enrol(self._auth, who, form.one("name", 40), outlets))
        except RefusedError as error:
            return await self._page(request, error)
        answer = self._frame.to(request, "board", "tablets", done="tablet")
        cookies.put_tablet(answer, self._auth.base_url, secret, _LIFE)
        return answer

    async def end(self, request: AnyRequest, tablet: FromPath[UUID]) -> Redirect:
        """One that is over is over: a second click says the same."""
        await tablets.end(self._auth, signed_in(request), tablet)
        return self._frame.to(request, "board", "tablets", done="tablet_ended")

    async def set_pin(self, request: AnyRequest) -> Response[Any]:
        form, who = await forms.read(request), signed_in(request)
        merchant_of(who)
        try:
            await allowed(tablets.set_pin(self._auth, who, form.raw("secret-pin")[: _PIN + 1]))
        except RefusedError as error:
            return await self._page(request, error)
        return self._frame.to(request, "board", "tablets", done="pin")

    async def ask_pin(self, request: AnyRequest) -> Response[str]:
        """Who works here now; on a tablet that is enrolled."""
        return await self._pin(request, await self._tablet(request))

    async def enter_pin(self, request: AnyRequest) -> Response[Any]:
        form, tablet = await self._own_form(request), await self._tablet(request)
        if tablet is None:
            return await self._pin(request, None)
        try:
            person = UUID(form.one("person"))
        except ValueError:
            raise RefusedError(400, "bad_request", "This form is none of ours.") from None
        pin, client = form.raw("secret-pin")[: _PIN + 1], client_of(request)
        try:
            opened = await allowed(tablets.sign_in(self._auth, tablet, person, pin, client))
        except RefusedError as error:
            return await self._pin(request, tablet, error)
        return await self._in(request, Form((("next", "/console/board"),)), opened)

    async def _tablet(self, request: AnyRequest) -> Tablet | None:
        secret = cookies.tablet_of(request, self._auth.base_url)
        return await tablets.by_secret(self._auth, secret)

    async def _pin(
        self, request: AnyRequest, tablet: Tablet | None, error: RefusedError | None = None
    ) -> Response[str]:
        status = HTTPStatus.NOT_FOUND if tablet is None else HTTPStatus.OK
        c = self._frame.texts(request)
        problem = (
            ""
            if error is None
            else c.get(f"problem_pin_{error.code}") or self._problem(request, error)
        )
        return await self._frame.page(
            request, "pin.html", status=status if error is None else error.status,
            tablet=tablet, problem=problem,
            colleagues=[] if tablet is None else await tablets.colleagues(self._auth, tablet),
        )  # fmt: skip

    async def _page(self, request: AnyRequest, error: RefusedError | None = None) -> Response[str]:
        who = signed_in(request)
        assert who.merchant is not None
        return await self._frame.page(
            request, "tablets.html", status=200 if error is None else error.status,
            problem=self._problem(request, error), this=await self._tablet(request),
            tablets=await tablets.listed(self._auth, who.merchant),
            places=await printers.places(self._auth.context, staff_of(who)),
        )  # fmt: skip
