"""The API's front door: a token, the weather, the answer on disk; then whatever makes it slow."""

import asyncio

from sandbox.front import Answered, through_weather
from sandbox.store import Store
from sandbox.tmetr import api
from sandbox.tmetr.accounts import authenticate
from sandbox.tmetr.refusals import ApiError, in_trouble


async def answer(store: Store, path: str, authorization: str, raw: bytes) -> Answered:
    """Answer one call, through the weather."""
    if path not in api.VERBS:
        return ApiError(404, "Not Found").answered()
    waits: list[int] = []

    def applied() -> Answered:
        try:
            with store.change() as change:
                account = authenticate(change, authorization)
                said = api.VERBS[path](api.Call(change, account, raw))
                change.tell(f"POST {path}: {said.answered.status or 'cut off'}")
        except ApiError as refusal:
            return refusal.answered()
        waits.append(said.wait_ms)
        return said.answered

    try:
        with store.read() as look:
            authenticate(look, authorization)
    except ApiError as refusal:
        return refusal.answered()
    answered = await through_weather(store, applied, lambda: in_trouble().answered())
    if waits and waits[0]:
        await asyncio.sleep(waits[0] / 1_000)
    return answered
