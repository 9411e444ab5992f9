"""Keys: who may call for us? A merchant's API keys, shown once, each for what it needs."""

from collections.abc import Awaitable
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from uuid import UUID

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.current_merchant import merchant_of
from coinslot.console.forms import Done, once
from coinslot.console.frame import Frame
from coinslot.merchants.keys import SCOPES, USUAL_SCOPES
from coinslot.pages.access import allowed, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import api_keys
from coinslot.people.api_keys import MadeKey, NewKey
from coinslot.people.sessions import SignedIn

_DAYS: Final = ("30", "90", "365", "")  # empty: until it is revoked


class KeyPages(SharedHandler):
    """Each page asks one verb of `people/api_keys.py`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def all(self, request: AnyRequest) -> Response[str]:
        return await self._keys(request)

    async def make(self, request: AnyRequest) -> Response[str] | Redirect:
        """The key is shown this once: a second click is led to the list."""
        form = await forms.read(request)
        made: list[MadeKey] = []

        async def work(who: SignedIn) -> Done:
            days = form.one("days", 4)
            if days not in _DAYS:
                raise RefusedError(422, "bad_expiry", "Choose one of the list.")
            wanted = NewKey(
                name=form.one("name", 100), scopes=form.all("scope")[: len(SCOPES)],
                live=form.one("live") == "yes",
                lasts=timedelta(days=int(days)) if days else None,
            )  # fmt: skip
            verb = api_keys.make(self._context, who.actor, merchant_of(who), wanted)
            made.append(await allowed(verb))
            return Done(to=self._frame.to(request, "keys", done="key_made"))

        answer = await self._worked(request, once(self._context, request, form, work))
        return await self._keys(request, made=made[0]) if made else answer

    async def rotate(
        self, request: AnyRequest, api_key: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Like a new key: shown once."""
        form = await forms.read(request)
        made: list[MadeKey] = []

        async def work(who: SignedIn) -> Done:
            verb = api_keys.rotate(self._context, who.actor, merchant_of(who), api_key)
            made.append(await allowed(verb))
            return Done(to=self._frame.to(request, "keys", done="key_made"))

        answer = await self._worked(request, once(self._context, request, form, work))
        return await self._keys(request, made=made[0]) if made else answer

    async def revoke(
        self, request: AnyRequest, api_key: FromPath[UUID]
    ) -> Response[str] | Redirect:
        form = await forms.read(request)

        async def work(who: SignedIn) -> Done:
            verb = api_keys.revoke(self._context, who.actor, merchant_of(who), api_key)
            await allowed(verb)
            return Done(to=self._frame.to(request, "keys", done="key_revoked"))

        return await self._worked(request, once(self._context, request, form, work))

    async def _worked(
        self, request: AnyRequest, work: Awaitable[Redirect]
    ) -> Response[str] | Redirect:
        try:
            return await work
        except RefusedError as error:
            problem = self._frame.problem(request, error)
            return await self._keys(request, problem=problem, status=error.status)

    async def _keys(
        self,
        request: AnyRequest,
        *,
        made: MadeKey | None = None,
        problem: str = "",
        status: int = HTTPStatus.OK,
    ) -> Response[str]:
        now = self._context.now()
        found = await api_keys.listed(self._context, merchant_of(signed_in(request)))
        return await self._frame.page(
            request, "keys.html", status=status, problem=problem, made=made, scopes=SCOPES,
            usual=USUAL_SCOPES, days=_DAYS, now=now,
            in_use=[one for one in found if one.works(now)],
            over=[one for one in found if not one.works(now)][:50],
        )  # fmt: skip
