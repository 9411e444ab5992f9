"""The API's front door: who is calling, which keys are in use, the answer on disk."""

from typing import Any

import msgspec

from sandbox.front import Answered, Asked, through_weather
from sandbox.shelf import new_id
from sandbox.stripe import accounts, api, keys
from sandbox.stripe.desk import Gateway
from sandbox.stripe.forms import unflattened
from sandbox.stripe.refusals import ApiError, in_trouble, invalid, key_in_use
from sandbox.stripe.settings import Account
from sandbox.stripe.wire import VERSION


class FrontDoor:
    """Holds which idempotency keys are being worked on right now; all else is in the store."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._working: set[tuple[str, str]] = set()

    async def answer(self, asked: Asked) -> Answered:
        """Answer one call, through the weather."""
        key = asked.key if asked.method == "POST" else None
        try:
            with self._gateway.store.read() as look:
                account = accounts.authenticate(look, asked.authorization)
            claim = (account.account_id, key or "")
            if key and claim in self._working:
                raise key_in_use(key)
            tree = _tree(asked)
        except ApiError as refusal:
            return _dressed(refusal.answered())
        if key:
            self._working.add(claim)
        try:
            answered = await through_weather(
                self._gateway.store,
                lambda: self._applied(account, asked, tree),
                lambda: self._broken(account, asked, tree),
            )
        finally:
            self._working.discard(claim)
        return _dressed(answered)

    def _applied(self, account: Account, asked: Asked, tree: dict[str, Any]) -> Answered:
        """Do it and commit, with the answer under its key."""
        key = asked.key if asked.method == "POST" else None
        request = [asked.method, asked.path, tree]
        try:
            with self._gateway.change(key) as desk:
                if key and (kept := keys.replayed(desk, account.account_id, key, request)):
                    return kept
                call = api.Call(desk, account, asked.method, asked.path, tree)
                status, entity = api.answer(call)
                answered = Answered(status, msgspec.json.encode(entity))
                if key:
                    keys.keep(desk, account.account_id, key, request, answered)
                if asked.method != "GET":
                    desk.change.tell(f"{asked.method} /v1{asked.path}: {status}")
        except ApiError as refusal:
            answered = refusal.answered()
            if key and keys.is_kept(refusal):
                with self._gateway.change() as desk:
                    keys.keep(desk, account.account_id, key, request, answered)
        return answered

    def _broken(self, account: Account, asked: Asked, tree: dict[str, Any]) -> Answered:
        """An execution that broke before its effect: its 500 is what the key answers from now."""
        key, request = asked.key, [asked.method, asked.path, tree]
        answered = in_trouble().answered()
        if key is None or asked.method != "POST":
            return answered
        try:
            with self._gateway.change() as desk:
                kept = keys.replayed(desk, account.account_id, key, request)
                if kept is None:
                    keys.keep(desk, account.account_id, key, request, answered)
        except ApiError as refusal:
            return refusal.answered()
        return kept or answered


def _tree(asked: Asked) -> dict[str, Any]:
    try:
        text = asked.query_text if asked.method == "GET" else asked.body.decode()
        return unflattened(text)
    except (UnicodeDecodeError, ValueError) as problem:
        raise invalid("Invalid request body") from problem


def _dressed(answered: Answered) -> Answered:
    headers = {"Request-Id": new_id("req_"), "Stripe-Version": VERSION, **answered.headers}
    return msgspec.structs.replace(answered, headers=headers)
