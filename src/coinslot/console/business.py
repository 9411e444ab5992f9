"""A business is named, and a person goes from one that they work for to another."""

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID, uuid5
from zoneinfo import available_timezones

from litestar import Response

from coinslot.console import forms
from coinslot.console.forms import Form
from coinslot.console.frame import Frame
from coinslot.fleet import setup
from coinslot.fleet.config import Editor
from coinslot.gateways.mock import Mock
from coinslot.kit.clock import UnknownZoneError, known_zone
from coinslot.pages import cookies
from coinslot.pages.access import allowed, client_of, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import sign_in as signing_in
from coinslot.people.business import NewBusiness, open_business

CURRENCIES: Final = tuple(sorted(Mock.currencies))  # in which one can practise
_NAME, _CONTACT, _ZONE = 100, 200, 64
_KEY, _MOST = 16, 64


class BusinessPages(SharedHandler):
    """Each reads a form and calls one verb of `people`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._auth = frame.auth

    async def ask(self, request: AnyRequest) -> Response[str]:
        return await self._asked(request, Form(()))

    async def make(self, request: AnyRequest) -> Response[Any]:
        """The business, and on to its first steps, signed in for it."""
        form, who = await forms.read(request), signed_in(request)
        key, name = form.one("key", _MOST), form.one("name", _NAME)
        if len(key) < _KEY:
            raise RefusedError(400, "bad_request", "This form has no key: load its page again.")
        currency = form.one("currency", 3)
        try:
            zone = known_zone(form.one("zone", _ZONE))
            assert zone is not None
        except UnknownZoneError:
            return await self._asked(request, form, "problem_zone")
        if not name or currency not in CURRENCIES:
            return await self._asked(request, form, "problem_business")
        wanted = NewBusiness(
            id=uuid5(who.person, key), name=name, contact=form.one("contact", _CONTACT), zone=zone,
            currency=currency,
        )  # fmt: skip
        await open_business(self._auth, who, wanted)
        await setup.begin(self._auth.context, Editor(wanted.id, who.login, who.actor))
        return await self._switched(request, wanted.id, "start")

    async def switch(self, request: AnyRequest) -> Response[Any]:
        form = await forms.read(request)
        text = form.one("merchant", _MOST)
        try:
            merchant = None if text == "installation" else UUID(text)
        except ValueError:
            raise RefusedError(400, "bad_request", "This form is none of ours.") from None
        return await self._switched(request, merchant)

    async def _switched(
        self, request: AnyRequest, merchant: UUID | None, *place: str
    ) -> Response[Any]:
        who, client = signed_in(request), client_of(request)
        opened = await allowed(signing_in.switch(self._auth, who, merchant, client))
        answer = self._frame.to(request, *place)
        life = self._auth.context.windows.span("session_life_s")
        cookies.put(answer, self._auth.base_url, opened.cookie, life)
        return answer

    async def _asked(self, request: AnyRequest, form: Form, problem: str = "") -> Response[str]:
        texts = self._frame.texts(request)
        typed = {
            name: form.one(name, most)
            for name, most in (("name", _NAME), ("contact", _CONTACT), ("zone", _ZONE))
        }
        return await self._frame.page(
            request, "business.html", typed=typed, chosen=form.one("currency", 3),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
            problem=texts[problem] if problem else "", currencies=CURRENCIES,
            zones=sorted(available_timezones()),
        )  # fmt: skip
