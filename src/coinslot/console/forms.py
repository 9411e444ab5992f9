"""Forms: read with bounds, and worked once for each key that a page put into them. A double click,
or a form that is sent again after an answer was lost, gets the first answer."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from operator import itemgetter
from typing import Final
from urllib.parse import urlencode

import msgspec
from litestar.datastructures import UploadFile
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from msgspec import Struct
from msgspec.structs import replace

from coinslot.console.frame import HOME, TABS
from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.kit.ids import uuid_of as uuid_of
from coinslot.pages import cookies
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.payments import idempotency
from coinslot.payments.idempotency import (
    Answer,
    FirstCall,
    IdempotentCall,
    KeyBusyError,
    KeyReusedError,
    Resumed,
    WorkedBeforeError,
)
from coinslot.people.sessions import SignedIn

KEY: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_PATH: Final = re.compile(r"/console(/[A-Za-z0-9/_.%-]*)?(\?[A-Za-z0-9/_.%=&+-]*)?")
_UP: Final = re.compile(
    r"/(\.|%2e){1,2}(/|\?|\Z)", re.IGNORECASE
)  # browsers leave the console by it
_FIELDS: Final = 300
_CHARS: Final = 4096
_SESSION: Final = (cookies.FORM_TOKEN, "password", "code")
OF_A_SESSION: Final = _SESSION
SAME_SITE: Final = "same-origin"  # what a browser says of a form of ours
SECRET: Final = "secret-"  # how the name of a field begins that no page shows again
_LOOKS, _LOOK_S = 50, 0.1
_WORKERS: Final = 3  # of one form, each of which lost to another


class Form(Struct, frozen=True):
    """The fields of a form, as they were typed, with white space around them removed. Of a file
    the field has its digest, so that the same key with another file is another form."""

    pairs: tuple[tuple[str, str], ...]
    files: Mapping[str, bytes] = {}

    def one(self, name: str, most: int = 200) -> str:
        """The value of a field; empty when there is none. Raises RefusedError when it is longer
        than its field takes."""
        found = self.raw(name).strip()
        if len(found) > most:
            raise RefusedError(400, "bad_request", f"{name} is too long.")
        return found

    def raw(self, name: str) -> str:
        return next((value for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.pairs if key == name)

    def without(self, *names: str) -> "Form":
        return Form(tuple(pair for pair in self.pairs if pair[0] not in names), self.files)

    def kept(self) -> str:
        """What is sent again after someone signed in: everything but what belongs to a session,
        and secrets, which are typed once more."""
        return msgspec.json.encode([p for p in self.pairs if not _is_private(p[0])]).decode()


async def read(request: AnyRequest, most_chars: int = _CHARS) -> Form:
    """Raises RefusedError for one that no page of ours has, or that is larger than its route
    takes."""
    try:
        typed = await request.form()
    except HTTPException as error:
        if error.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            raise
        raise RefusedError(413, "too_large", "This file is too large.") from None
    pairs, files = [], {}
    for name, value in typed.multi_items():
        if isinstance(value, UploadFile):
            body = await value.read()
            files[str(name)] = body
            pairs.append((str(name), hashlib.sha256(body).hexdigest() if body else ""))
        else:
            pairs.append((str(name), str(value)))
    if len(pairs) > _FIELDS or any(len(value) > most_chars or "\0" in value for _, value in pairs):
        raise RefusedError(400, "bad_request", "This form is none of ours.")
    # Litestar gives them in the order of a set, which another process has otherwise: the same form
    # that is sent again after a restart would be another one. Values of one name keep their order.
    pairs.sort(key=itemgetter(0))
    return Form(tuple(pairs), {name: body for name, body in files.items() if body})


def again(kept: str) -> tuple[tuple[str, str], ...]:
    """The fields of a form that waited for a sign-in. Raises RefusedError."""
    try:
        return msgspec.json.decode(kept, type=tuple[tuple[str, str], ...])
    except msgspec.DecodeError:
        raise RefusedError(400, "bad_request", "This form is none of ours.") from None


def own_path(text: str) -> str:
    """An address of the console, and of nothing else; empty for any other."""
    ours = _PATH.fullmatch(text) and "//" not in text and not _UP.search(text)
    return text if ours else ""


def _is_private(name: str) -> bool:
    return name in _SESSION or name.startswith(SECRET)


class Done(Struct, frozen=True, kw_only=True):
    """What became of a form: where to go."""

    to: Redirect


# For whom: their `actor` makes the work count once, in the transaction that records it.
Work = Callable[[SignedIn], Awaitable[Done]]


async def once(
    context: Context, request: AnyRequest, form: Form, work: Work, *, repeats: bool = False
) -> Redirect:
    """Work a form once for its key. Raises RefusedError, and what the work raises: then it may be
    sent again.

    The process may die after the work and before its answer is kept, or stand still for so long
    that a second click begins anew. So the transaction that does the work marks the key as worked,
    where it writes the audit log; of two only one commits. Who finds the mark without an answer is
    led back, except where the work `repeats`: run again, it does nothing and finds what it made."""
    call = _call(context, request, form)
    for _ in range(_WORKERS):
        begun = await _begun(context, call)
        if isinstance(begun, Answer):
            return Redirect(str(begun.body["to"]), status_code=303)
        if isinstance(begun, Resumed) and begun.worked and not repeats:
            done = Done(to=_back(request))
        else:
            try:
                done = await work(replace(signed_in(request), once=partial(_mark, call)))
            except WorkedBeforeError:
                continue
            except BaseException:
                async with context.db.as_merchant(call.merchant) as conn:
                    await idempotency.release(conn, context, call)
                raise
        async with context.db.as_merchant(call.merchant) as conn:
            answer = Answer(status=303, body={"to": done.to.url})
            await idempotency.finish(conn, context, call, answer)
        return done.to
    raise _running()


def _call(context: Context, request: AnyRequest, form: Form) -> IdempotentCall:
    """Raises RefusedError for a form without a key."""
    who, key = signed_in(request), form.one("key")
    assert who.merchant is not None
    if not KEY.fullmatch(key):
        raise RefusedError(400, "bad_request", "This form has no key: load its page again.")
    fields: Sequence[object] = [
        (name, context.vault.digest(value, "form") if name.startswith(SECRET) else value)
        for name, value in form.pairs if name not in _SESSION
    ]  # fmt: skip
    return IdempotentCall(
        merchant=who.merchant, endpoint=f"console {who.person} {request.url.path}", key=key,
        request_hash=idempotency.hash_of(fields),
    )  # fmt: skip


async def _mark(call: IdempotentCall, conn: Connection) -> None:
    await idempotency.work(conn, call)


def _back(request: AnyRequest) -> Redirect:
    """The list that the form belongs to, which shows what became of it."""
    path = next((tab.path for tab in TABS if tab.is_at(request.url.path)), HOME)
    spoken = request.query_params.get("lang", "")
    query = urlencode({"done": "worked", **({"lang": spoken} if spoken else {})})
    return Redirect(f"{path}?{query}", status_code=303)


def _running() -> RefusedError:
    return RefusedError(409, "form_running", "The first click is still being worked.").with_header(
        "Retry-After", "1"
    )


async def _begun(context: Context, call: IdempotentCall) -> Answer | FirstCall | Resumed:
    """The first answer; or that this is the first, or goes on with one that died."""
    for _ in range(_LOOKS):
        try:
            async with context.db.as_merchant(call.merchant) as conn:
                return await idempotency.begin(conn, context, call)
        except KeyReusedError:
            raise RefusedError(
                409, "form_changed", "This page was sent before with other content: load it again.",
                sentence="form_changed",
            ) from None  # fmt: skip
        except KeyBusyError:  # the first click is being worked: its answer is the answer
            await asyncio.sleep(_LOOK_S)
    raise _running()
