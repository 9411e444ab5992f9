"""Who may call a route: the guard that every route of people and of the console names, with the
permission that it needs. The menu of a page decides nothing."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from coinslot.pages import peer
from coinslot.pages.cookies import from_own_page, secret_of
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.people.authentication import (
    Authentication,
    Client,
    ForbiddenError,
    NotAllowedError,
    NotThereError,
    RuleError,
    SignInError,
)
from coinslot.people.device_keys import SignedInDevice, by_device_token
from coinslot.people.limits import TooOftenError
from coinslot.people.passwords import BusyError, WeakPasswordError
from coinslot.people.sessions import SignedIn, by_access_token, by_cookie

_WHO, _DEVICE = "signed_in", "signed_in_device"
_STATUS: dict[type[NotAllowedError], int] = {
    SignInError: 401,
    ForbiddenError: 403,
    NotThereError: 404,
    RuleError: 422,
}
_AnyCall = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[_AnyCall, BaseRouteHandler], Awaitable[None]]
Found = TypeVar("Found")


class Access:
    """Makes guards: `may("people:write", fresh=True)` lets in whoever has that permission and has
    shown a factor within `step_up_s`. A guard runs before anything of the body is read."""

    def __init__(self, auth: Authentication, *, cookies: bool = False) -> None:
        """With `cookies`, sessions of browsers; else access tokens, which no other site can make a
        browser send."""
        self._auth = auth
        self._cookies = cookies

    def may(self, permission: str | None = None, *, fresh: bool = False) -> Guard:
        """Without a permission: whoever is signed in, also who must add a second factor first."""

        async def guard(request: _AnyCall, _handler: BaseRouteHandler) -> None:
            who = await self._signed_in(request)
            request.scope["state"][_WHO] = who
            if permission is not None and permission not in who.permissions:
                raise _forbidden(permission, who)
            if fresh:
                self.must_be_fresh(who)

        return guard

    def device(self, permission: str | None = None) -> Guard:
        """For a machine's own programs, with a token of their API key."""

        async def guard(request: _AnyCall, _handler: BaseRouteHandler) -> None:
            text = _bearer(request)
            if not text:
                raise refused(SignInError("invalid_token", "Ask POST /auth/device-token for one."))
            who = await allowed(by_device_token(self._auth, text))
            request.scope["state"][_DEVICE] = who
            if permission is not None and permission not in who.permissions:
                raise RefusedError(
                    403, "forbidden", f"This device may not do that; it needs {permission}."
                )

        return guard

    def must_be_fresh(self, who: SignedIn) -> None:
        """For what needs a fresh proof only sometimes (a refund above a limit). A session with the
        password alone, of someone who has a second factor by now, is never fresh.

        Raises RefusedError."""
        if not self.is_fresh(who):
            raise RefusedError(403, "step_up_required", "Show a factor again: POST /auth/step-up.")

    def is_fresh(self, who: SignedIn) -> bool:
        age = self._auth.now() - who.proved_at
        return who.strongly and age <= self._auth.context.windows.span("step_up_s")

    async def _signed_in(self, request: _AnyCall) -> SignedIn:
        asked: Any = request
        if not self._cookies:
            text = _bearer(request)
            if not text:
                raise refused(SignInError("invalid_token", "Sign in: POST /auth/login."))
            return await allowed(by_access_token(self._auth, text, client_of(asked)))
        secret = secret_of(asked, self._auth.base_url)
        if not secret:
            raise refused(SignInError("invalid_token", "Sign in first."))
        who = await allowed(by_cookie(self._auth, secret, client_of(asked)))
        if not await from_own_page(asked, secret):
            raise RefusedError(403, "cross_site", "This came from another site's page.")
        return who


async def storable(request: _AnyCall, _handler: BaseRouteHandler) -> None:
    """Refuses an address with a zero character, for which PostgreSQL has no room."""
    if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise RefusedError(400, "bad_request", "No address has a zero character.")


def signed_in(request: AnyRequest) -> SignedIn:
    """Whose request this is; the route's guard has looked it up."""
    who: SignedIn = request.scope["state"][_WHO]
    return who


def device_of(request: AnyRequest) -> SignedInDevice:
    """Which device calls; the route's guard has looked it up."""
    who: SignedInDevice = request.scope["state"][_DEVICE]
    return who


def client_of(request: AnyRequest) -> Client:
    """Where a request comes from."""
    return Client(
        address=peer.address(request),
        network=peer.network(request),
        agent=request.headers.get("user-agent", ""),
    )


async def allowed(call: Awaitable[Found]) -> Found:
    """The answer of a verb of `people`, its refusals as answers over HTTP."""
    try:
        return await call
    except (NotAllowedError, TooOftenError, BusyError, WeakPasswordError) as error:
        raise refused(error) from None


def refused(error: Exception) -> RefusedError:
    """How a refusal is answered."""
    match error:
        case NotAllowedError():
            status = _STATUS[type(error)]
            answer = RefusedError(status, error.code, str(error), error.details)
            if status == HTTPStatus.UNAUTHORIZED:
                answer.with_header("WWW-Authenticate", "Bearer")
            return answer
        case TooOftenError():
            return RefusedError(429, "too_many_tries", str(error)).with_header(
                "Retry-After", str(error.retry_after_s)
            )
        case BusyError():
            return RefusedError(503, "busy", "Many sign in at this moment. Try again.").with_header(
                "Retry-After", "1"
            )
        case _:
            return RefusedError(422, "weak_password", str(error))


def _bearer(request: _AnyCall) -> str:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip() if kind.lower() == "bearer" else ""


def _forbidden(permission: str, who: SignedIn) -> RefusedError:
    if who.second_factor_missing:
        return RefusedError(
            403, "second_factor_missing", "Your merchant asks for a second factor: add one first."
        )
    return RefusedError(403, "forbidden", f"Your role may not do that; it needs {permission}.")
