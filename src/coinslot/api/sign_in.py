"""Signing in over HTTP: tokens for a login, the second factor, who one is, and where one is signed
in. Every answer of it is `no-store`."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from coinslot.api.api_calls import strictly
from coinslot.pages.access import allowed, client_of, signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import factors, passkeys, sessions
from coinslot.people import sign_in as signing_in
from coinslot.people.authentication import Authentication
from coinslot.people.factors import Enrolment, Factors
from coinslot.people.passkeys import NewPasskey, Question
from coinslot.people.sessions import Opened

_STORABLE = r"^[^\x00]*$"  # PostgreSQL has no room for a zero character
Login = Annotated[str, Meta(max_length=254, pattern=_STORABLE)]
Password = Annotated[str, Meta(max_length=1024)]
Code = Annotated[str, Meta(max_length=64, pattern=_STORABLE)]
Signed = Annotated[str, Meta(max_length=4096)]
Name = Annotated[str, Meta(max_length=100, pattern=_STORABLE)]
NO_STORE = {"Cache-Control": "no-store"}


class Credentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /auth/login takes: a login with its password, or the challenge of an earlier
    answer with what was missing."""

    login: Login = ""
    password: Password = ""
    challenge: Signed = ""
    code: Code = ""
    passkey: dict[str, Any] | None = None
    merchant: Login = ""


class StepUp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /auth/step-up takes: a code or a passkey, or the password of someone without."""

    password: Password = ""
    challenge: Signed = ""
    code: Code = ""
    passkey: dict[str, Any] | None = None


class RefreshRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /auth/refresh takes."""

    refresh_token: Annotated[str, Meta(max_length=128)]


class NewPassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /auth/password takes."""

    password: Password


class NewTotp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What POST /auth/factors/totp takes."""

    name: Name = ""


class TypedCode(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code of the app that was just set up."""

    code: Code


class PasskeyAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `navigator.credentials.create` answered."""

    challenge: Signed
    passkey: dict[str, Any]
    name: Name = ""


class SignInTokens(Struct, frozen=True, kw_only=True):
    """The tokens of a session."""

    access_token: str
    refresh_token: str
    expires_in: int


class Profile(Struct, frozen=True, kw_only=True):
    """Who is signed in, in the words of the token."""

    sub: str
    tenantId: UUID | None  # noqa: N815  the token's word
    role: str
    permissions: list[str]
    sid: UUID
    login: str
    name: str
    merchant: str | None
    outlets: list[str]
    factors: list[str]
    second_factor_missing: bool
    proved_at: datetime


class SessionPlace(Struct, frozen=True, kw_only=True):
    """A place where one is signed in."""

    id: UUID
    kind: str
    merchant: UUID | None
    address: str
    agent: str
    created_at: datetime
    used_at: datetime
    current: bool


class SessionList(Struct, frozen=True):
    """Where one is signed in, the last used first."""

    data: list[SessionPlace]


class RecoveryCodes(Struct, frozen=True):
    """New recovery codes, shown this once; none where there are some already."""

    recovery_codes: list[str]


class SignIn(SharedHandler):
    """Each call runs one verb of `people`."""

    def __init__(self, auth: Authentication) -> None:
        self._auth = auth

    async def login(
        self, request: AnyRequest, data: JSONBody[Credentials]
    ) -> Response[SignInTokens]:
        """Sign in. Someone with a second factor is answered 401 `second_factor_required` with a
        challenge, to be sent again with the code; someone of several merchants 422
        `merchant_required` with the list of them."""
        await strictly(request, data)
        attempt = signing_in.Attempt(
            login=data.login, password=data.password, challenge=data.challenge, code=data.code,
            passkey=data.passkey, merchant=data.merchant,
        )  # fmt: skip
        return _tokens(await allowed(signing_in.sign_in(self._auth, attempt, client_of(request))))

    async def challenge(self, request: AnyRequest) -> Response[Question]:
        """A challenge for a passkey that says who signs in."""
        return Response(await passkeys.ask(self._auth, None), headers=NO_STORE)

    async def logout(self, request: AnyRequest) -> None:
        """End this session: its tokens are worth nothing from now on."""
        who = signed_in(request)
        await sessions.end(self._auth, who, who.session)

    async def logout_everywhere(self, request: AnyRequest) -> None:
        """End every session of yours, this one too."""
        await sessions.end_everywhere(self._auth, signed_in(request))

    async def refresh(
        self, request: AnyRequest, data: JSONBody[RefreshRequest]
    ) -> Response[SignInTokens]:
        """The next tokens. Each refresh token is good once; for a moment it is answered again with
        the same successor, after that its session ends."""
        await strictly(request, data)
        return _tokens(
            await allowed(sessions.refresh(self._auth, data.refresh_token, client_of(request)))
        )

    async def profile(self, request: AnyRequest) -> Response[Profile]:
        """Who is signed in, and what they may do now."""
        who = signed_in(request)
        found = Profile(
            sub=str(who.person), tenantId=who.merchant, role=who.role,
            permissions=sorted(who.permissions), sid=who.session, login=who.login, name=who.name,
            merchant=who.merchant_name, outlets=list(who.outlets), factors=list(who.factors),
            second_factor_missing=who.second_factor_missing, proved_at=who.proved_at,
        )  # fmt: skip
        return Response(found, headers=NO_STORE)

    async def step_up(self, request: AnyRequest, data: JSONBody[StepUp]) -> Response[SignInTokens]:
        """Show a factor again, for what needs a fresh proof. Answered with new tokens; the old ones
        end."""
        await strictly(request, data)
        attempt = signing_in.Attempt(
            password=data.password, challenge=data.challenge, code=data.code, passkey=data.passkey
        )
        stepped = signing_in.step_up(self._auth, signed_in(request), attempt, client_of(request))
        return _tokens(await allowed(stepped))

    async def change_password(
        self, request: AnyRequest, data: JSONBody[NewPassword]
    ) -> Response[SignInTokens]:
        """A new password, after a fresh proof. Every session ends; these are the tokens of the new
        one."""
        await strictly(request, data)
        changed = signing_in.change_password(
            self._auth, signed_in(request), data.password, client_of(request)
        )
        return _tokens(await allowed(changed))

    async def places(self, request: AnyRequest) -> Response[SessionList]:
        """Where you are signed in."""
        found = await sessions.devices(self._auth, signed_in(request))
        shown = [
            SessionPlace(
                id=one.id, kind=one.kind, merchant=one.merchant, address=one.address,
                agent=one.agent, created_at=one.created_at, used_at=one.used_at,
                current=one.current,
            )
            for one in found
        ]  # fmt: skip
        return Response(SessionList(shown), headers=NO_STORE)

    async def end(self, request: AnyRequest, session: FromPath[UUID]) -> None:
        """End one of your sessions."""
        if not await sessions.end(self._auth, signed_in(request), session):
            raise RefusedError(404, "not_found", "There is no such session.")

    async def factors(self, request: AnyRequest) -> Response[Factors]:
        """Your second factors, and how many recovery codes are left."""
        return Response(await factors.listed(self._auth, signed_in(request)), headers=NO_STORE)

    async def begin_totp(self, request: AnyRequest, data: JSONBody[NewTotp]) -> Response[Enrolment]:
        """Begin to add an app that makes codes. It counts once a code of it was sent."""
        await strictly(request, data)
        made = await allowed(factors.begin_totp(self._auth, signed_in(request), data.name))
        return Response(made, headers=NO_STORE)

    async def confirm_totp(
        self, request: AnyRequest, factor: FromPath[UUID], data: JSONBody[TypedCode]
    ) -> Response[RecoveryCodes]:
        """Send a code of the app. The first factor comes with ten recovery codes."""
        await strictly(request, data)
        made = factors.confirm_totp(self._auth, signed_in(request), factor, data.code)
        return Response(RecoveryCodes(await allowed(made)), headers=NO_STORE)

    async def begin_passkey(self, request: AnyRequest) -> Response[Question]:
        """Options for a new passkey."""
        made = await allowed(passkeys.begin(self._auth, signed_in(request)))
        return Response(made, headers=NO_STORE)

    async def confirm_passkey(
        self, request: AnyRequest, data: JSONBody[PasskeyAnswer]
    ) -> Response[RecoveryCodes]:
        """Keep a new passkey. The first factor comes with ten recovery codes."""
        await strictly(request, data)
        answer = NewPasskey(challenge=data.challenge, passkey=data.passkey, name=data.name)
        made = passkeys.confirm(self._auth, signed_in(request), answer)
        return Response(RecoveryCodes(await allowed(made)), headers=NO_STORE)

    async def remove_factor(self, request: AnyRequest, factor: FromPath[UUID]) -> None:
        """Remove a second factor."""
        await allowed(factors.remove(self._auth, signed_in(request), factor))

    async def renew_codes(self, request: AnyRequest) -> Response[RecoveryCodes]:
        """Ten new recovery codes. The old ones end."""
        made = factors.renew_recovery_codes(self._auth, signed_in(request))
        return Response(RecoveryCodes(await allowed(made)), headers=NO_STORE)


def _tokens(opened: Opened) -> Response[SignInTokens]:
    told = SignInTokens(
        access_token=opened.access_token, refresh_token=opened.refresh_token,
        expires_in=opened.expires_in,
    )  # fmt: skip
    return Response(told, headers=NO_STORE)
