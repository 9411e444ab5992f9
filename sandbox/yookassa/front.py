"""The API's front door: who is calling, the weather, the answer on disk."""

from typing import Any

import msgspec

from sandbox.front import Answered, Asked, through_weather
from sandbox.yookassa import accounts, api
from sandbox.yookassa.desk import Gateway
from sandbox.yookassa.fields import INVALID
from sandbox.yookassa.refusals import ApiError, in_trouble
from sandbox.yookassa.settings import Account

NOT_FINISHED = {"type": "processing", "description": "Request accepted", "retry_after": 1_800}


async def answer(gateway: Gateway, asked: Asked) -> Answered:
    """Answer one call, through the weather."""
    try:
        with gateway.store.read() as look:
            account = accounts.authenticate(look, asked.authorization)
    except ApiError as refusal:
        return refusal.answered()
    if account.holds_back and asked.method == "POST":
        return Answered(202, msgspec.json.encode(NOT_FINISHED))
    return await through_weather(
        gateway.store,
        lambda: _applied(gateway, account, asked),
        lambda: in_trouble().answered(),
    )


def _applied(gateway: Gateway, account: Account, asked: Asked) -> Answered:
    """Do it and commit; the answer is made of what is on disk already."""
    try:
        with gateway.change() as desk:
            call = api.Call(
                desk=desk,
                account=account,
                method=asked.method,
                path=asked.path,
                query=asked.query,
                body=_object(asked.body),
                key=asked.key,
            )
            said = api.answer(call)
            if asked.method != "GET":
                desk.change.tell(f"{asked.method} /v3{asked.path}: 200")
    except ApiError as refusal:
        return refusal.answered()
    return Answered(200, msgspec.json.encode(said))


def _object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        said: dict[str, Any] | None = msgspec.json.decode(body, type=dict[str, Any] | None)
    except msgspec.MsgspecError as problem:
        raise ApiError(INVALID) from problem
    return said or {}
