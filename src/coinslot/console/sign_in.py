"""Signing in and out in a browser, the first account, taking up an invitation, and one's own
account: who one is and where one is signed in."""

from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect

from coinslot.console import forms
from coinslot.console.account import account_page
from coinslot.console.forms import Form
from coinslot.console.frame import HOME, Frame, tabs_of
from coinslot.pages import cookies
from coinslot.pages.access import allowed, client_of, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import business, factors, first_run, invitations, resets, sessions
from coinslot.people import sign_in as signing_in
from coinslot.people.sessions import Opened

_LOGIN, _PASSWORD, _CODE, _SIGNED = 254, 1024, 64, 4096
_FOREIGN: Final = ("cross-site", "same-site")


class SignInPages(SharedHandler):
    """Each reads a form, calls one verb of `people`, and answers with a page or a cookie."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._auth = frame.auth

    async def home(self, request: AnyRequest) -> Redirect:
        """The first page that someone may see. Whoever runs an installation in which nobody has
        opened a business goes on with that: no other page would lead there."""
        who = signed_in(request)
        if who.merchant is None and await business.is_wanted(self._auth):
            return self._frame.to(request, "business")
        return self._frame.to(request, tabs_of(who)[0].name)

    async def ask(self, request: AnyRequest) -> Response[str]:
        following = forms.own_path(request.query_params.get("next", ""))
        return await self._asked(request, Form((("next", following),)))

    async def sign_in(self, request: AnyRequest) -> Response[Any]:
        form = await self._own_form(request)
        attempt = _attempt(form)
        wanted = signing_in.sign_in(self._auth, attempt, client_of(request), "cookie")
        try:
            opened = await allowed(wanted)
        except RefusedError as error:
            return await self._asked(request, form, error)
        return await self._in(request, form, opened)

    async def step_up(self, request: AnyRequest) -> Response[Any]:
        """A factor again: the session is replaced by a new one, and what waited goes on."""
        form, who = await forms.read(request), signed_in(request)
        stepped = signing_in.step_up(self._auth, who, _attempt(form), client_of(request))
        try:
            opened = await allowed(stepped)
        except RefusedError as error:
            has_second = bool((await factors.listed(self._auth, who)).factors)
            return await self._frame.page(
                request, "step_up.html", status=error.status, has_second=has_second,
                problem=self._problem(request, error), **_again(form, error),
            )  # fmt: skip
        return await self._in(request, form, opened)

    async def sign_out(self, request: AnyRequest) -> Redirect:
        who = signed_in(request)
        await sessions.end(self._auth, who, who.session)
        answer = self._frame.to(request, "sign-in", done="signed_out")
        cookies.remove(answer, self._auth.base_url)
        return answer

    async def sign_out_everywhere(self, request: AnyRequest) -> Redirect:
        await sessions.end_everywhere(self._auth, signed_in(request))
        answer = self._frame.to(request, "sign-in", done="signed_out")
        cookies.remove(answer, self._auth.base_url)
        return answer

    async def end_session(self, request: AnyRequest, session: FromPath[UUID]) -> Redirect:
        """One that has ended meanwhile is ended: a second click says the same."""
        await sessions.end(self._auth, signed_in(request), session)
        return self._frame.to(request, "account", done="session_ended")

    async def account(self, request: AnyRequest) -> Response[str]:
        return await account_page(self._frame, request)

    async def first(self, request: AnyRequest) -> Response[str]:
        """The form for the first account. Looking at it uses nothing up."""
        return await self._frame.page(
            request, "first_run.html", token=request.query_params.get("token", ""), login=""
        )

    async def make_first(self, request: AnyRequest) -> Response[Any]:
        form = await self._own_form(request)
        wanted = first_run.FirstAccount(
            token=form.one("token", _SIGNED), login=form.one("login", _LOGIN),
            password=form.raw("password")[:_PASSWORD],
        )  # fmt: skip
        try:
            await allowed(first_run.make_first(self._auth, wanted, client_of(request)))
        except RefusedError as error:
            return await self._frame.page(
                request, "first_run.html", status=error.status, token=wanted.token,
                login=wanted.login, problem=self._problem(request, error, "first_run"),
            )  # fmt: skip
        named = (("next", f"{HOME}/business"),)
        return await self._new_person(request, Form((*form.pairs, *named)), "installation")

    async def forgot(self, request: AnyRequest) -> Response[str]:
        return await self._frame.page(request, "forgot.html", asked=False)

    async def ask_reset(self, request: AnyRequest) -> Response[str]:
        """One answer, whether or not there is such a login."""
        form = await self._own_form(request)
        login, language = form.one("login", _LOGIN), self._frame.language(request)
        await allowed(resets.ask(self._auth, login, client_of(request), language))
        return await self._frame.page(request, "forgot.html", asked=True)

    async def new_password(self, request: AnyRequest) -> Response[str]:
        """The form that a link leads to. Looking at it uses nothing up."""
        return await self._reset(request, request.query_params.get("token", ""))

    async def reset(self, request: AnyRequest) -> Response[Any]:
        form = await self._own_form(request)
        shown = form.one("token", _SIGNED)
        password = form.raw("password")[:_PASSWORD]
        try:
            await allowed(resets.reset(self._auth, shown, password, client_of(request)))
        except RefusedError as error:
            over = error.code == "invalid_token"
            problem = "" if over else self._problem(request, error)
            return await self._reset(request, "" if over else shown, problem, error.status)
        return self._frame.to(request, "sign-in", done="password_reset")

    async def _reset(
        self, request: AnyRequest, token: str, problem: str = "", status: int = 200
    ) -> Response[str]:
        return await self._frame.page(
            request, "reset.html", status=status, token=token[:_SIGNED], problem=problem
        )

    async def invited(self, request: AnyRequest) -> Response[str]:
        """What an invitation is for. Looking at it uses nothing up: mail scanners open links."""
        return await self._invitation(request, request.query_params.get("token", ""))

    async def join(self, request: AnyRequest) -> Response[Any]:
        form = await self._own_form(request)
        shown = invitations.Acceptance(
            login=form.one("login", _LOGIN), password=form.raw("password")[:_PASSWORD],
            token=form.one("token", _SIGNED), second_factor=form.one("code", _CODE),
        )  # fmt: skip
        try:
            await allowed(invitations.accept(self._auth, shown, client_of(request)))
        except RefusedError as error:
            problem = self._problem(request, error, "invitation")
            return await self._invitation(request, shown.token, problem, error.status)
        return await self._new_person(request, form)

    async def _invitation(
        self, request: AnyRequest, token: str, problem: str = "", status: int = 200
    ) -> Response[str]:
        found = await invitations.look(self._auth, token)
        status = HTTPStatus.NOT_FOUND if found is None and status == HTTPStatus.OK else status
        return await self._frame.page(
            request, "invitation.html", status=status, token=token, invitation=found,
            problem=problem,
        )  # fmt: skip

    async def _new_person(
        self, request: AnyRequest, form: Form, merchant: str = ""
    ) -> Response[Any]:
        """They have just shown their password: they are in."""
        attempt = signing_in.Attempt(
            login=form.one("login", _LOGIN), password=form.raw("password")[:_PASSWORD],
            merchant=merchant,
        )  # fmt: skip
        wanted = signing_in.sign_in(self._auth, attempt, client_of(request), "cookie")
        try:
            return await self._in(request, form, await allowed(wanted))
        except RefusedError as error:  # a second factor, or one of several merchants
            return await self._asked(request, form, error)

    async def _own_form(self, request: AnyRequest) -> Form:
        """Nobody is signed in yet, so there is no session's token: another site's form is known by
        what the browser says. Where it says nothing, no other form is kept with this one: another
        site must not have its form sent by whoever signs in. Raises RefusedError."""
        site = request.headers.get("sec-fetch-site")
        if site in _FOREIGN:
            raise RefusedError(403, "cross_site", "This came from another site's page.")
        form = await forms.read(request)
        return form if site == forms.SAME_SITE else form.without("resume", "resume_to")

    async def _asked(
        self, request: AnyRequest, form: Form, error: RefusedError | None = None
    ) -> Response[str]:
        shown = _again(form, error)
        return await self._frame.page(
            request, "sign_in.html", status=200 if error is None else error.status,
            problem=self._problem(request, error), merchants=_choice(error),
            nobody=await first_run.is_open(self._auth), **shown,
        )  # fmt: skip

    def _problem(self, request: AnyRequest, error: RefusedError | None, of: str = "") -> str:
        if error is None or error.code in ("second_factor_required", "merchant_required"):
            return ""
        c = self._frame.texts(request)
        return c.get(f"problem_{of}_{error.code}") or c.get(f"problem_{error.code}", error.message)

    async def _in(self, request: AnyRequest, form: Form, opened: Opened) -> Response[Any]:
        """Signed in: on to where they wanted to go, or to the form that waited."""
        waiting = forms.own_path(form.one("resume_to"))
        answer: Response[Any]
        if waiting:
            answer = await self._frame.page(
                request, "resume.html", to=waiting, fields=forms.again(form.raw("resume")),
                secret=opened.cookie,
            )  # fmt: skip
        else:
            answer = Redirect(forms.own_path(form.one("next")) or HOME, status_code=303)
        life = self._auth.context.windows.span("session_life_s")
        cookies.put(answer, self._auth.base_url, opened.cookie, life)
        return answer


def _attempt(form: Form) -> signing_in.Attempt:
    return signing_in.Attempt(
        login=form.one("login", _LOGIN), password=form.raw("password")[:_PASSWORD],
        code=form.one("code", _CODE), challenge=form.one("challenge", _SIGNED),
        passkey=_passkey(form.raw("passkey")), merchant=form.one("merchant", _LOGIN),
    )  # fmt: skip


def _passkey(text: str) -> dict[str, Any] | None:
    """What the browser's authenticator answered; None where there is none."""
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        raise RefusedError(400, "bad_request", "This form is none of ours.") from None


def _again(form: Form, error: RefusedError | None) -> dict[str, str]:
    """What the form has when it is shown again: a challenge while more is to be proven."""
    details = {} if error is None else error.details
    challenge = str(details.get("challenge", "")) or form.one("challenge", _SIGNED)
    begins_anew = error is not None and error.code in ("challenge_expired", "invalid_credentials")
    passkey = details.get("passkey")
    return {
        "challenge": "" if begins_anew else challenge,
        "passkey": msgspec.json.encode(passkey).decode() if passkey else "",
        "login": form.one("login", _LOGIN), "next": forms.own_path(form.one("next")),
        "resume": form.raw("resume"), "resume_to": forms.own_path(form.one("resume_to")),
    }  # fmt: skip


def _choice(error: RefusedError | None) -> object:
    return () if error is None else error.details.get("merchants", ())
