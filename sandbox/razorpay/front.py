"""The API's front door: who is calling, what the weather does to the call, the answer on disk."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox import weather
from sandbox.config import Account
from sandbox.razorpay import accounts, api
from sandbox.razorpay.desk import Gateway
from sandbox.razorpay.refusals import ApiError, in_trouble
from sandbox.weather import Fate

BAD_GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>502</body></html>"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A raw request, after HTTP and before anything is believed."""

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str
    idempotency_key: str | None
    body: bytes


class Answered(msgspec.Struct, frozen=True):
    """What goes out; `cut` means that nothing does and the connection breaks."""

    status: int
    body: bytes
    media_type: str = "application/json"
    cut: bool = False


class FrontDoor:
    """Holds which idempotency keys are being worked on right now; all else is in the store."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._store = gateway.store
        self._working: set[tuple[str, str]] = set()

    async def answer(self, asked: Asked) -> Answered:
        """Answer one call, through the weather."""
        try:
            with self._store.read() as look:
                account = accounts.authenticate(look, asked.authorization)
            claim = (account.account_id, asked.idempotency_key or "")
            if claim in self._working:
                raise ApiError("Request with the same idempotency key is in progress.", status=409)
        except ApiError as refusal:
            return _refused(refusal)
        if asked.idempotency_key:
            self._working.add(claim)
        try:
            return await self._through_weather(account, asked)
        finally:
            self._working.discard(claim)

    async def _through_weather(self, account: Account, asked: Asked) -> Answered:
        with self._store.read() as look:
            api_weather = weather.current(look).api
        if api_weather.latency_ms:
            await asyncio.sleep(api_weather.latency_ms / 1_000)
        fate = Fate.FAIR
        if api_weather.error_5xx or api_weather.drop_response:
            with self._store.change() as change:
                fate = weather.fate_of_call(change)
        if fate is Fate.REFUSED:
            return _refused(in_trouble())
        answered = self._applied(account, asked)
        if fate is Fate.DONE_BUT_5XX:
            return Answered(502, BAD_GATEWAY, "text/html")
        if fate is Fate.DONE_BUT_CUT:
            return Answered(0, b"", cut=True)
        return answered

    def _applied(self, account: Account, asked: Asked) -> Answered:
        """Do it and commit; the answer is made of what is on disk already."""
        try:
            body = _object(asked.body)
            with self._gateway.change() as desk:
                call = api.Call(
                    desk=desk,
                    account=account,
                    method=asked.method,
                    path=asked.path,
                    query=asked.query,
                    body=body,
                    idempotency_key=asked.idempotency_key,
                )
                entity = api.answer(call)
                if asked.method != "GET":
                    desk.change.tell(f"{asked.method} /v1{asked.path}: 200")
        except ApiError as refusal:
            return _refused(refusal)
        return Answered(200, msgspec.json.encode(entity))


def _object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as problem:
        raise ApiError("The request body is not valid JSON.") from problem


def _refused(refusal: ApiError) -> Answered:
    return Answered(refusal.status, msgspec.json.encode(refusal.body()))
