"""The API's front door: a true token, the weather, the answer on disk."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sandbox.front import Answered, through_weather
from sandbox.tbank import accounts, api
from sandbox.tbank.desk import Gateway
from sandbox.tbank.refusals import ApiError, in_trouble, unreadable

Verb = Callable[[api.Call], api.Answer]
Methods = Mapping[str, Verb]


async def answer(gateway: Gateway, method: str, raw: bytes, methods: Methods) -> Answered:
    """Answer one call, through the weather. Refusals come with 200, as successes do."""
    if method not in methods:
        return Answered(404, b"{}")
    try:
        body = _object(raw)
        with gateway.store.read() as look:
            accounts.authenticate(look, body)
    except ApiError as refusal:
        return refusal.answered()
    return await through_weather(
        gateway.store,
        lambda: _applied(gateway, method, body, methods[method]),
        lambda: in_trouble().answered(),
    )


def _applied(gateway: Gateway, method: str, body: dict[str, Any], verb: Verb) -> Answered:
    """Do it and commit; the answer is made of what is on disk already."""
    try:
        with gateway.change() as desk:
            account = accounts.authenticate(desk.change, body)
            said = verb(api.Call(desk=desk, account=account, body=body))
            if method not in ("GetState", "CheckOrder"):
                desk.change.tell(f"POST {method}: 200")
    except ApiError as refusal:
        return refusal.answered()
    return Answered(200, msgspec.json.encode(said))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.MsgspecError as problem:
        raise unreadable(problem) from problem
