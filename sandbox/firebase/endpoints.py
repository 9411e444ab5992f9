"""The database's URLs in the sandbox, and the ways to a service account and its token."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import HttpMethod, Request, Response, Router, get, post, route
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Stream
from litestar.types import ASGIApp, Receive, Scope, Send

from sandbox.firebase import access, tree
from sandbox.firebase.front import admitted, answer
from sandbox.firebase.refusals import RefusedError
from sandbox.firebase.stream import Listeners
from sandbox.firebase.verbs import Call
from sandbox.front import sent
from sandbox.store import Store

Plain = dict[str, Any]


@route(
    "/{path:path}",
    http_method=[HttpMethod.GET, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.POST,
                 HttpMethod.DELETE],
)  # fmt: skip
async def node(
    request: Request[Any, Any, Any], path: str, store: Store, listeners: Listeners
) -> Response[Any]:
    """The emulated API: a node of the tree, once or for as long as someone listens."""
    try:
        call = await admitted(store, request, path)
    except RefusedError as refusal:
        return await sent(request, refusal.answered())
    if call.verb == "GET" and "text/event-stream" in call.headers.get("accept", ""):
        return Stream(_messages(listeners, call), media_type="text/event-stream", status_code=200)
    return await sent(request, await answer(store, listeners, call))


async def _messages(listeners: Listeners, call: Call) -> AsyncIterator[bytes]:
    """With bare line feeds: Firebase's own client takes a carriage return for content."""
    async for name, data in listeners.listen(call.database, call.path):
        yield f"event: {name}\ndata: {data}\n\n".encode()


@get("/")
async def list_databases(store: Store) -> dict[str, int]:
    """Every database that holds something, and how many plain values."""
    with store.read() as look:
        return tree.databases(look)


@post("/accounts", status_code=200)
async def make_account(
    data: dict[str, str], request: Request[Any, Any, Any], store: Store
) -> Plain:
    """A service account of a project, as the file that the console lets one download."""
    with store.change() as change:
        return access.new_account(change, data.get("project", "demo"), _token_url(request))


@post("/token", status_code=200)
async def token(
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
    store: Store,
) -> Response[Plain]:
    """Google's token endpoint: a signed assertion for a token that lives an hour."""
    with store.change() as change:
        given = (
            access.granted(change, data.get("assertion", ""))
            if data.get("grant_type") == access.JWT_GRANT
            else None
        )
    if given is None:
        told = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        return Response(told, status_code=400)
    return Response(given)


@post("/expire", status_code=200)
async def expire(store: Store) -> Plain:
    """Every token that was given ends now, as after an hour."""
    with store.change() as change:
        access.expire_tokens(change)
    return {}


def _token_url(request: Request[Any, Any, Any]) -> str:
    return f"{str(request.base_url).rstrip('/')}/firebase/token"


def at_the_root(app: ASGIApp) -> ASGIApp:
    """Clients know an emulator by host and port alone: `/x.json?ns=...` is `/firebase/x.json`."""

    async def found(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        named = b"&ns=" in b"&" + scope.get("query_string", b"")
        if named and path.endswith(".json") and not path.startswith("/firebase/"):
            scope["path"] = f"/firebase{path}"
            scope["raw_path"] = b"/firebase" + scope["raw_path"]
        await app(scope, receive, send)

    return found


ROUTER = Router("/firebase", route_handlers=[node, list_databases, make_account, token, expire])
