"""How the console answers what it refuses: someone who is not signed in is led to signing in, with
what they had typed kept; someone whose proof is old shows a factor; all else is a page."""

from collections.abc import Coroutine
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response
from litestar.response import Redirect
from litestar.types import Receive, Scope, Send

from coinslot.console import forms, live
from coinslot.console.frame import SIGN_IN, Frame
from coinslot.pages import security
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.form_request import WITHOUT_FILES
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people import factors
from coinslot.people.sessions import SignedIn

_READS: Final = ("GET", "HEAD")
_TEXTS: Final = {
    403: "refused_forbidden", 404: "refused_not_found", 429: "refused_too_often",
    503: "refused_busy",
}  # fmt: skip


class Later(Response[Any]):
    """A response that is made while it is sent: an exception handler cannot wait for the database,
    nor for the rest of a form."""

    def __init__(self, made: Coroutine[Any, Any, Response[Any]]) -> None:
        super().__init__(None)
        self._made = made

    def to_asgi_response(self, app: Any, request: AnyRequest, **more: Any) -> Any:
        async def send_it(scope: Scope, receive: Receive, send: Send) -> None:
            response = await self._made
            await response.to_asgi_response(app, request, **more)(scope, receive, send)

        return send_it


class Refusals(SharedHandler):
    """The exception handler of the console's routes."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def answer(self, request: AnyRequest, error: RefusedError) -> Response[Any]:
        return Later(self._answer(request, error))

    async def _answer(self, request: AnyRequest, error: RefusedError) -> Response[Any]:
        if error.code in ("invalid_token", "address_not_allowed"):
            return await self._sign_in(request)
        if error.code == "step_up_required":
            return await self._step_up(request, signed_in(request))
        return await self.page(request, error)

    async def page(self, request: AnyRequest, error: RefusedError) -> Response[str]:
        """A page that says what is not possible."""
        c = self._frame.texts(request)
        text = f"refused_{error.code}"
        said = c.get(text) or c[_TEXTS.get(error.status, "refused_other")]
        page = await self._frame.page(
            request, "refused.html", status=error.status, said=said,
            request_id=security.request_id(request.scope),
        )  # fmt: skip
        page.headers.update({**page.headers, **error.headers})
        return page

    async def _sign_in(self, request: AnyRequest) -> Response[Any]:
        if request.url.path in live.PATHS:  # a stream follows no redirect: it would try for ever
            return Response(live.OVER, media_type="text/event-stream")
        if request.method in _READS:
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            asked = {"next": forms.own_path(path)} if forms.own_path(path) else {}
            lang = request.query_params.get("lang")
            query = urlencode(asked | ({"lang": lang} if lang else {}))
            return Redirect(f"{SIGN_IN}?{query}" if query else SIGN_IN, status_code=303)
        return await self._frame.page(
            request, "sign_in.html", status=401, next="", problem="", challenge="", passkey="",
            merchants=(), **await kept(request),
        )  # fmt: skip

    async def _step_up(self, request: AnyRequest, who: SignedIn) -> Response[Any]:
        found = await factors.listed(self._frame.auth, who)
        waiting = {"resume": "", "resume_to": ""}
        if request.method not in _READS:
            waiting = await kept(request)
        return await self._frame.page(
            request, "step_up.html", status=403, has_second=bool(found.factors), challenge="",
            passkey="", next=forms.own_path(request.url.path), **waiting,
        )  # fmt: skip


async def kept(request: AnyRequest) -> dict[str, str]:
    """A form that is to be sent again after a sign-in. Only what a page of ours sent is kept:
    another site must not have its form sent by whoever signs in next. Files do not wait: nobody has
    said who they are, and many large ones would fill the memory."""
    path = forms.own_path(request.url.path)
    if request.headers.get("sec-fetch-site") != forms.SAME_SITE or not path:
        return {"resume": "", "resume_to": ""}
    request.scope["state"][WITHOUT_FILES] = True
    return {"resume": (await forms.read(request)).kept(), "resume_to": path}
