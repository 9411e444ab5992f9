"""The API's front door: who is calling, keys in use, the answer on disk."""

from typing import Any

import msgspec

from sandbox.front import Answered, Asked, through_weather
from sandbox.razorpay import accounts, api
from sandbox.razorpay.desk import Gateway
from sandbox.razorpay.refusals import ApiError, in_trouble
from sandbox.razorpay.settings import Account


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
            claim = (account.account_id, asked.key or "")
            if claim in self._working:
                raise ApiError("Request with the same idempotency key is in progress.", status=409)
        except ApiError as refusal:
            return refusal.answered()
        if asked.key:
            self._working.add(claim)
        try:
            return await through_weather(
                self._store,
                lambda: self._applied(account, asked),
                lambda: in_trouble().answered(),
            )
        finally:
            self._working.discard(claim)

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
                    idempotency_key=asked.key,
                )
                entity = api.answer(call)
                if asked.method != "GET":
                    desk.change.tell(f"{asked.method} /v1{asked.path}: 200")
        except ApiError as refusal:
            return refusal.answered()
        return Answered(200, msgspec.json.encode(entity))


def _object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as problem:
        raise ApiError("The request body is not valid JSON.") from problem
