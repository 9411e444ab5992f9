"""Idempotence: the same key with the same data is answered with the first result, for a day."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.clock import now_ms
from sandbox.shelf import find, put
from sandbox.yookassa.desk import Desk
from sandbox.yookassa.refusals import ApiError, key_reused
from sandbox.yookassa.settings import Account
from sandbox.yookassa.things import FirstAnswer

KEY_CHARS = 64


def once(
    desk: Desk,
    account: Account,
    key: str | None,
    request: Mapping[str, Any],
    make: Callable[[], dict[str, Any]],
) -> dict[str, Any]:
    """What `make` answers, made once per key. A refusal leaves the key free."""
    if not key:
        raise ApiError("Idempotence-Key is missing.", "Idempotence-Key")
    if len(key) > KEY_CHARS:
        raise ApiError("Idempotence-Key is too long.", "Idempotence-Key")
    name = hashlib.sha256(f"{account.account_id}:{key}".encode()).hexdigest()
    asked = json.dumps(request, sort_keys=True)
    first = find(desk.change, FirstAnswer, name)
    if first is not None and now_ms() - first.created_at < desk.tempo.key_life_ms:
        if first.request != asked:
            raise key_reused()
        return first.answer
    answer = make()
    if first is not None:
        desk.change.run("DELETE FROM things WHERE id = ?", (name,))
    put(
        desk.change,
        FirstAnswer(
            id=name,
            account_id=account.account_id,
            created_at=now_ms(),
            request=asked,
            answer=answer,
        ),
    )
    return answer
