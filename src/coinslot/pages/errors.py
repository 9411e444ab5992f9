"""One format for every error, Litestar's own included: JSON for programs, a page in the usual
layout for people."""

import gzip
import re
from datetime import datetime
from http import HTTPStatus
from typing import Any, Self

import structlog
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.utils.scope.state import ScopeState
from msgspec import Struct

from coinslot.kit.clock import Clock
from coinslot.pages import security
from coinslot.pages.rendering import Answer, AnyRequest, Renderer
from coinslot.pages.shared_handler import SharedHandler

_log = structlog.get_logger(__name__)

# Of what is refused or fails before, or without, an endpoint that names a code.
CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal",
    503: "unavailable",
}
_FIELD = re.compile(r"Object (missing required|contains unknown) field `([^`]+)`")
INVALID = "The request is not valid: details names what, by the path of the field."
_SHOP = re.compile(r"/s/([a-z0-9-]{1,63})/")
_PLACE = re.compile(r"/([qo])/([A-Za-z0-9_-]{1,64})(/|\Z)")
_NOT_THERE = ("no_such_outlet", "no_such_order")
# Which text a person reads; every other code shows "in the way".
_SENTENCES = {400: "unreadable", 404: "nothing_here", 405: "nothing_here", 429: "too_often"}


class RefusedError(Exception):
    """An answer that is not 2xx, with a code. Raised by endpoints.

    `sentence` names what a person reads instead of the message: a title and a `_lead` of Words,
    with the details filled in."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: dict[str, object] | None = None,
        *,
        sentence: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}
        self.headers: dict[str, str] = {}
        self.sentence = sentence or _SENTENCES.get(status, "in_the_way")

    def with_header(self, name: str, value: str) -> Self:
        """The same answer with one more header."""
        self.headers[name] = value
        return self


class Wrong(Struct, frozen=True, rename="camel"):
    """The content of "error"."""

    code: str
    message: str
    details: dict[str, object]
    timestamp: datetime
    request_id: str


class WrongAnswer(Struct, frozen=True):
    """The body of every answer that is not 2xx."""

    error: Wrong
    success: bool = False


def refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """For the schema: answers that are not 2xx, all in the one format."""
    return {status: ResponseSpec(WrongAnswer, generate_examples=False) for status in statuses}


class Errors(SharedHandler):
    """The exception handler of the whole application."""

    def __init__(self, renderer: Renderer, clock: Clock) -> None:
        self._renderer = renderer
        self._clock = clock

    def answer(self, request: AnyRequest, error: Exception) -> Response[Any]:
        refused = self._read(request, error)
        if refused.status >= HTTPStatus.INTERNAL_SERVER_ERROR and error is not refused:
            _log.error(
                "request_failed",
                request_id=security.request_id(request.scope),
                path=request.url.path,
                status=refused.status,
                exc_info=error,
            )
        asked = error.headers if isinstance(error, HTTPException | RefusedError) else None
        headers = dict(asked or {})
        if "text/html" in request.headers.get("accept", ""):
            response: Response[Any] = self._page(request, refused)
        else:
            response = Response(self._body(request, refused), status_code=refused.status)
        response.headers.update(headers)
        return response

    def _read(self, request: AnyRequest, error: Exception) -> RefusedError:
        match error:
            case RefusedError():
                return error
            case ValidationException():
                return RefusedError(400, CODES[400], INVALID, _fields(error))
            case HTTPException() if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                code = CODES.get(error.status_code, CODES[400])
                return RefusedError(error.status_code, code, f"{error.detail}.".replace("..", "."))
            case UnicodeError() if _is_not_utf_8(request):
                return RefusedError(400, CODES[400], INVALID, {"body": "It is not UTF-8."})
            case RecursionError():  # for a body that is nested without end
                return RefusedError(400, CODES[400], "This is nested too deep.")
            case _ if isinstance(error, self._renderer.site.outages):
                return RefusedError(503, CODES[503], "Out of reach for a moment. Try again.")
            case _:
                return RefusedError(500, CODES[500], "Something failed here, not at your side.")

    def _body(self, request: AnyRequest, refused: RefusedError) -> WrongAnswer:
        return WrongAnswer(
            Wrong(
                refused.code,
                refused.message,
                refused.details,
                self._clock.now(),
                security.request_id(request.scope),
            )
        )

    def _page(self, request: AnyRequest, refused: RefusedError) -> Response[bytes]:
        """In the usual layout, with links: back to the machine, to the order, to the start."""
        words = self._renderer.words(request)
        title: str = getattr(words, refused.sentence)
        lead: str = getattr(words, f"{refused.sentence}_lead")
        console = f"{request.url.path}/".startswith("/console/")
        if console and refused.sentence == "nothing_here":  # no code on a machine leads on here
            lead = words.not_in_console
        machine, order = _ways_out(request.url.path, refused)
        page = self._renderer.page(
            request,
            "error.html",
            Answer(status=refused.status),
            title=title.format(**refused.details),
            lead=lead,
            console=console,
            request_id=security.request_id(request.scope),
            machine=machine,
            order=order,
            shop=_shop(request.url.path, refused),
        )
        return _packed(request, page)


def _is_not_utf_8(request: AnyRequest) -> bool:
    """Whether the request body caused it; text that breaks anywhere else is a fault of ours."""
    body = ScopeState.from_scope(request.scope).body
    try:
        (body if isinstance(body, bytes) else b"").decode()
    except UnicodeDecodeError:
        return True
    return False


def _fields(error: ValidationException) -> dict[str, object]:
    """Which field is wrong and why, without its value, which may be a secret."""
    extra = error.extra if isinstance(error.extra, list) else []
    return dict(
        at_field(str(field.get("key", "")), str(field.get("message", "")))
        for field in extra
        if isinstance(field, dict)
    )


def at_field(place: str, message: str) -> tuple[str, str]:
    """The path of a field and what is wrong there, from msgspec's message."""
    place = "" if place == "data" else place.removesuffix("[...]")
    if message == "'data'":
        return "body", "A JSON object is needed here, if only {}."
    if (found := _FIELD.match(message)) is None:
        return place or "body", message
    path = f"{place}.{found[2]}" if place else found[2]
    missing = found[1] == "missing required"
    return path, "It is missing." if missing else "There is no such field."


def _ways_out(path: str, refused: RefusedError) -> tuple[str | None, str | None]:
    """The machine and the order that an address names; not one that does not exist."""
    found = _PLACE.match(path)
    if found is None or refused.code in _NOT_THERE:
        return None, None
    return (found[2], None) if found[1] == "q" else (None, found[2])


def _shop(path: str, refused: RefusedError) -> str | None:
    """The place whose menu an address lies below, where there is one."""
    found = _SHOP.match(path)
    return None if found is None or refused.code == "no_such_store" else found[1]


def _packed(request: AnyRequest, page: Response[str]) -> Response[bytes]:
    """A request without a route does not reach the compression of other answers."""
    body, headers = page.content.encode(), dict(page.headers)
    packs = "gzip" in request.headers.get("accept-encoding", "")
    if packs and "route_handler" not in dict(request.scope):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, mtime=0)
    return Response(body, status_code=page.status_code, media_type=page.media_type, headers=headers)
