"""Forms: read with bounds, and worked once for each key that a page put into them. A double click,
or a form that is sent again after an answer was lost, gets the first answer."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from litestar.datastructures import UploadFile
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from msgspec import Struct

from coinslot.context import Context
from coinslot.pages import cookies
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.payments import idempotency
from coinslot.payments.idempotency import Answer, IdempotentCall, KeyBusyError, KeyReusedError
from coinslot.people.audit_log import Act, record
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
    """What became of a form: where to go, and what the audit log says of it."""

    to: Redirect
    act: Act | None = None


Work = Callable[[], Awaitable[Done]]


async def once(
    context: Context, who: SignedIn, request: AnyRequest, form: Form, work: Work
) -> Redirect:
    """Work a form once for its key. Raises RefusedError, and what the work raises: then it may be
    sent again."""
    assert who.merchant is not None
    key = form.one("key")
    if not KEY.fullmatch(key):
        raise RefusedError(400, "bad_request", "This form has no key: load its page again.")
    fields: Sequence[object] = [
        (name, context.vault.digest(value, "form") if name.startswith(SECRET) else value)
        for name, value in form.pairs if name not in _SESSION
    ]  # fmt: skip
    call = IdempotentCall(
        merchant=who.merchant, endpoint=f"console {who.person} {request.url.path}", key=key,
        request_hash=idempotency.hash_of(fields),
    )  # fmt: skip
    known = await _begun(context, call)
    if known is not None:
        return Redirect(known, status_code=303)
    try:
        done = await work()
    except BaseException:
        async with context.db.as_merchant(call.merchant) as conn:
            await idempotency.release(conn, context, call)
        raise
    async with context.db.as_merchant(call.merchant) as conn:
        if done.act is not None:
            await record(conn, who.actor, done.act, context.now())
        answer = Answer(status=303, body={"to": done.to.url})
        await idempotency.finish(conn, context, call, answer)
    return done.to


async def _begun(context: Context, call: IdempotentCall) -> str | None:
    """Where the first answer led; None when this is the first, or goes on with one that died."""
    for _ in range(_LOOKS):
        try:
            async with context.db.as_merchant(call.merchant) as conn:
                begun = await idempotency.begin(conn, context, call)
            return str(begun.body["to"]) if isinstance(begun, Answer) else None
        except KeyReusedError:
            raise RefusedError(
                409, "form_changed", "This page was sent before with other content: load it again.",
                sentence="form_changed",
            ) from None  # fmt: skip
        except KeyBusyError:  # the first click is being worked: its answer is the answer
            await asyncio.sleep(_LOOK_S)
    raise RefusedError(409, "form_running", "The first click is still being worked.").with_header(
        "Retry-After", "1"
    )
