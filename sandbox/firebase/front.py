"""The door: which node is meant, who asks, and the weather in front of the answer."""

from typing import Any

import msgspec
from litestar import Request

from sandbox.firebase import access, tree
from sandbox.firebase.refusals import RefusedError, in_trouble
from sandbox.firebase.stream import Listeners
from sandbox.firebase.verbs import VERBS, Call, push_id
from sandbox.front import Answered, through_weather
from sandbox.store import Store


async def admitted(store: Store, request: Request[Any, Any, Any], path: str) -> Call:
    """The call of somebody who may make it. Raises RefusedError."""
    call = await _read(request, path)
    with store.read() as look:
        access.admit(look, _bearer(call))
    return call


async def answer(store: Store, listeners: Listeners, call: Call) -> Answered:
    """Answer one request, through the weather."""
    return await through_weather(store, lambda: _applied(store, listeners, call), in_trouble)


def _applied(store: Store, listeners: Listeners, call: Call) -> Answered:
    """Do it and commit; what is refused leaves nothing behind."""
    try:
        if call.verb == "GET":
            with store.read() as look:
                return VERBS["GET"](look, call)
        with store.change() as change:
            if call.verb == "POST":
                call = msgspec.structs.replace(call, path=(*call.path, push_id(change)))
            answered = VERBS[call.verb](change, call)
            change.tell(f"{call.verb} {call.database}/{'/'.join(call.path)}: {answered.status}")
        listeners.tell(call)
        return answered
    except RefusedError as refusal:
        return refusal.answered()


async def _read(request: Request[Any, Any, Any], path: str) -> Call:
    if not path.endswith(".json"):
        raise RefusedError(404, "append .json to your request URI to use the REST API")
    asked = dict(request.query_params.items())
    database = asked.get("ns", "")
    if not database:
        raise RefusedError(404, "no database is named: ?ns=<database>")
    override = request.headers.get("x-http-method-override", "").upper()
    verb = override if request.method == "POST" and override in VERBS else request.method
    return Call(
        verb=verb,
        database=database,
        path=tree.path_of(path.removesuffix(".json")),
        asked={name: str(value) for name, value in asked.items()},
        headers=dict(request.headers.items()),
        body=await request.body(),
    )


def _bearer(call: Call) -> str | None:
    """The token, in the header or in the address; the emulators' owner may come so too."""
    kind, _, token = call.headers.get("authorization", "").partition(" ")
    return token if kind.lower() == "bearer" and token else call.asked.get("access_token")
