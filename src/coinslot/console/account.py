"""Account: how do I prove that it is me? Second factors, recovery codes, the password. What adds or
removes a proof needs a fresh one; what is shown once is in no other page."""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.frame import Frame
from coinslot.kit import qr
from coinslot.pages import cookies
from coinslot.pages.access import allowed, client_of, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import factors, passkeys, sessions
from coinslot.people import sign_in as signing_in
from coinslot.people.factors import Enrolment
from coinslot.people.passkeys import NewPasskey, Question

_NAME, _CODE, _SIGNED, _PASSWORD = 100, 64, 4096, 1024
_SHOWN: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.UNPROCESSABLE_ENTITY)


class AccountPages(SharedHandler):
    """Each page asks one verb of `people`. Sent twice, a form adds nothing twice: a code and a
    challenge are good once, and what was removed is gone."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._auth = frame.auth

    async def begin_app(self, request: AnyRequest) -> Response[str]:
        """A QR code for an app that makes codes; it counts once a code of it was typed."""
        form = await forms.read(request)
        name = form.one("name", _NAME)
        try:
            made = await allowed(factors.begin_totp(self._auth, signed_in(request), name))
        except RefusedError as error:
            return await self._refused(request, error)
        return await self._app(request, made.id, made)

    async def confirm_app(self, request: AnyRequest, factor: FromPath[UUID]) -> Response[str]:
        form, who = await forms.read(request), signed_in(request)
        try:
            verb = factors.confirm_totp(self._auth, who, factor, form.one("code", _CODE))
            codes = await allowed(verb)
        except RefusedError as error:
            if error.code != "invalid_code":
                return await self._refused(request, error)
            problem = self._frame.texts(request)["problem_invalid_code"]
            return await self._app(request, factor, None, problem, error.status)
        return await self._added(request, codes)

    async def begin_passkey(self, request: AnyRequest) -> Response[str]:
        """The browser asks for a finger, a face or a key; without scripts it cannot."""
        form = await forms.read(request)
        try:
            asked = await allowed(passkeys.begin(self._auth, signed_in(request)))
        except RefusedError as error:
            return await self._refused(request, error)
        return await self._frame.page(
            request, "factor_passkey.html", asked=asked, options=_options(asked),
            called=form.one("name", _NAME),
        )  # fmt: skip

    async def confirm_passkey(self, request: AnyRequest) -> Response[str]:
        form, who = await forms.read(request), signed_in(request)
        try:
            answer = NewPasskey(
                challenge=form.one("challenge", _SIGNED), passkey=_answer(form.raw("passkey")),
                name=form.one("name", _NAME),
            )  # fmt: skip
            codes = await allowed(passkeys.confirm(self._auth, who, answer))
        except RefusedError as error:
            return await self._refused(request, error)
        return await self._added(request, codes)

    async def remove(self, request: AnyRequest, factor: FromPath[UUID]) -> Redirect:
        await forms.read(request)
        await allowed(factors.remove(self._auth, signed_in(request), factor))
        return self._frame.to(request, "account", done="factor_removed")

    async def renew_codes(self, request: AnyRequest) -> Response[str]:
        """Ten new ones, shown once; the old ones end."""
        await forms.read(request)
        verb = factors.renew_recovery_codes(self._auth, signed_in(request))
        return await self._worked(request, self._renewed(request, verb))

    async def change_password(self, request: AnyRequest) -> Response[Any]:
        """Every other session ends; this one goes on, with a new cookie."""
        form, who = await forms.read(request), signed_in(request)
        password = form.raw(f"{forms.SECRET}password")[:_PASSWORD]
        if password != form.raw(f"{forms.SECRET}again")[:_PASSWORD]:
            error = RefusedError(422, "passwords_differ", "The two are not the same.")
            return await self._refused(request, error)
        try:
            verb = signing_in.change_password(self._auth, who, password, client_of(request))
            opened = await allowed(verb)
        except RefusedError as error:
            return await self._refused(request, error)
        answer = self._frame.to(request, "account", done="password_changed")
        life = self._auth.context.windows.span("session_life_s")
        cookies.put(answer, self._auth.base_url, opened.cookie, life)
        return answer

    async def _renewed(self, request: AnyRequest, verb: Awaitable[list[str]]) -> Response[str]:
        return await self._codes(request, await allowed(verb))

    async def _worked(self, request: AnyRequest, work: Awaitable[Response[str]]) -> Response[str]:
        try:
            return await work
        except RefusedError as error:
            return await self._refused(request, error)

    async def _app(
        self,
        request: AnyRequest,
        factor: UUID,
        made: Enrolment | None,
        problem: str = "",
        status: int = HTTPStatus.OK,
    ) -> Response[str]:
        """After a wrong code the QR code is not shown again: the app has it, or one begins anew."""
        return await self._frame.page(
            request, "factor_app.html", status=status, factor=factor, made=made, problem=problem,
            drawn=qr.svg(made.uri) if made is not None else "",
        )  # fmt: skip

    async def _added(self, request: AnyRequest, codes: list[str]) -> Response[str]:
        return await self._codes(request, codes, self._frame.texts(request)["factor_added"])

    async def _codes(self, request: AnyRequest, codes: list[str], done: str = "") -> Response[str]:
        return await self._frame.page(request, "factor_codes.html", codes=codes, done=done)

    async def _refused(self, request: AnyRequest, error: RefusedError) -> Response[str]:
        """Raises the error again where it is no rule of this page's."""
        problem = self._frame.problem(request, error, _SHOWN)
        return await account_page(self._frame, request, problem, error.status)


async def account_page(
    frame: Frame, request: AnyRequest, problem: str = "", status: int = HTTPStatus.OK
) -> Response[str]:
    """Who one is, how that is proved, and where one is signed in."""
    who, auth = signed_in(request), frame.auth
    return await frame.page(
        request, "account.html", status=status, problem=problem,
        places=await sessions.devices(auth, who), factors=await factors.listed(auth, who),
        choices=await signing_in.choices(auth, who),
    )  # fmt: skip


def _options(asked: Question) -> str:
    return msgspec.json.encode(asked.passkey).decode()


def _answer(text: str) -> dict[str, Any]:
    """What the browser's authenticator made. Raises RefusedError."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        raise RefusedError(422, "bad_passkey", "No passkey was made.") from None
