"""What every call of the merchant API shares: it checks the key, or who is signed in, and makes
the call count once."""

import re
from typing import Annotated, Any

import msgspec
from litestar import Response
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter
from litestar.types import Guard
from msgspec import Struct

from coinslot.context import Context
from coinslot.merchants.keys import LARGE_REFUNDS, LIVE, TEST, Caller, caller
from coinslot.pages.access import Access, signed_in
from coinslot.pages.errors import INVALID, RefusedError, at_field
from coinslot.pages.rendering import AnyRequest
from coinslot.payments import idempotency
from coinslot.payments.idempotency import Answer, IdempotentCall, KeyBusyError
from coinslot.payments.merchant_api import AboveLimitError
from coinslot.people.merchant_settings import RefundLimit, settings
from coinslot.people.sessions import SignedIn

AnyCall = ASGIConnection[Any, Any, Any, Any]
_CALLER = "caller"
_PLACE = re.compile(r" - at .*`\$\.?([^`]*)`$")
_KEY_MAX = 255
IdempotencyKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        required=False,
        description="Required. The same key with the same body counts once, and is answered alike.",
    ),
]


def with_key_only(context: Context) -> Guard:
    """Nothing of a call is read before its key is known."""

    async def guard(request: AnyCall, _handler: BaseRouteHandler) -> None:
        request.scope["state"][_CALLER] = await _known(context, request)

    return guard


def needs(context: Context, access: Access, permission: str, *, fresh: bool = False) -> Guard:
    """Lets in who may do this: a key with that scope, or someone signed in with that permission,
    and with a `fresh` proof. Nothing of a call is read before."""
    by_person = access.may(permission, fresh=fresh)

    async def guard(request: AnyCall, handler: BaseRouteHandler) -> None:
        token = _bearer(request)
        if token and not token.startswith((TEST, LIVE)):
            await by_person(request, handler)
            return
        request.scope["state"][_CALLER] = found = await _known(context, request)
        _check(found, permission)

    return guard


def admitted(request: AnyRequest) -> Caller | SignedIn:
    """Who was let in by the guard of the route."""
    found: Caller | None = request.scope["state"].get(_CALLER)
    return found or signed_in(request)


def _check(found: Caller, scope: str) -> None:
    if scope not in found.scopes:
        raise RefusedError(403, "forbidden", f"This key may not do that; it needs {scope}.")


async def caller_of(context: Context, request: AnyRequest, scope: str) -> Caller:
    """Raises RefusedError: 401 without a key, 403 for a key that may not do this."""
    found: Caller | None = request.scope["state"].get(_CALLER)
    if found is None:
        found = await _known(context, request)
    _check(found, scope)
    return found


async def _known(context: Context, request: AnyCall) -> Caller:
    key = _bearer(request)
    found = await caller(context.db, key, context.now()) if key else None
    if found is None:
        raise RefusedError(
            401, "unauthorized", "This needs an API key: Authorization: Bearer sk_..."
        ).with_header("WWW-Authenticate", "Bearer")
    return found


def _bearer(request: AnyCall) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def strictly(request: AnyRequest, read: Struct) -> None:
    """Litestar reads "5000" as a number, and 1 as a text: in the body of a call neither is."""
    try:
        msgspec.json.decode(await request.body(), type=type(read))
    except msgspec.ValidationError as error:
        said = str(error)
        place = _PLACE.search(said)
        path, wrong = at_field(place[1] if place else "", said.split(" - at ", maxsplit=1)[0])
        raise RefusedError(400, "bad_request", INVALID, {path: wrong}) from None


def idempotent_call(
    who: Caller, endpoint: str, key: str | None, body: Struct | None
) -> IdempotentCall:
    """Raises RefusedError without a key, or with one that is too long."""
    if not key:
        raise RefusedError(
            400, "idempotency_key_missing", "Send an Idempotency-Key of at most 255 characters."
        )
    if len(key) > _KEY_MAX:
        raise RefusedError(
            400, "idempotency_key_too_long", "An Idempotency-Key has at most 255 characters."
        )
    return IdempotentCall(
        merchant=who.merchant, endpoint=endpoint, key=key,
        request_hash=idempotency.hash_of(endpoint, body), live=who.live,
    )  # fmt: skip


async def limit_of_key(context: Context, who: Caller) -> RefundLimit | None:
    """What a person needs a fresh proof for is not done by a key that may give back less."""
    if LARGE_REFUNDS in who.scopes:
        return None
    return (await settings(context.db, who.merchant)).refund_limit


def above_limit(error: AboveLimitError) -> RefusedError:
    """The answer to a key that may give back less."""
    return RefusedError(403, error.code, f"{error} This key needs {LARGE_REFUNDS}.")


def reused(error: Exception) -> RefusedError:
    """The answer to a key that was used for something else."""
    return RefusedError(422, "idempotency_key_reused", str(error))


def busy(error: KeyBusyError) -> RefusedError:
    """The answer to a key whose first call still runs."""
    return RefusedError(409, "idempotency_key_busy", str(error)).with_header(
        "Retry-After", str(error.retry_after_s)
    )


def replied(answer: Answer) -> Response[object]:
    """The kept answer, marked when it was given before."""
    headers = {"Idempotency-Replayed": "true"} if answer.replayed else {}
    return Response(answer.body, status_code=answer.status, headers=headers)
