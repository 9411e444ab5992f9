"""Idempotency keys: the first answer, a 500 too, is kept and replayed until it is pruned."""

import json

from sandbox.clock import now_s
from sandbox.front import Answered
from sandbox.shelf import find, new_id, put
from sandbox.stripe.accounts import PARTY
from sandbox.stripe.desk import Desk
from sandbox.stripe.refusals import ApiError, invalid, other_parameters
from sandbox.stripe.things import Kept

CHARS_LIMIT = 255


def replayed(desk: Desk, account_id: str, key: str, request: object) -> Answered | None:
    """The answer kept under this key, if there is one; another request with it is refused."""
    if len(key) > CHARS_LIMIT:
        raise invalid("Idempotency keys can only be up to 255 characters long.")
    claim = desk.change.one(
        "SELECT request, thing_id FROM claims WHERE party = ? AND account_id = ? AND key = ?",
        (PARTY, account_id, key),
    )
    if claim is None:
        return None
    kept = find(desk.change, Kept, claim["thing_id"])
    if kept is None or kept.created_at + desk.tempo.key_life_s <= now_s():
        desk.change.run(
            "DELETE FROM claims WHERE party = ? AND account_id = ? AND key = ?",
            (PARTY, account_id, key),
        )
        return None
    if claim["request"] != json.dumps(request, sort_keys=True):
        raise other_parameters(key)
    headers = {"Idempotent-Replayed": "true", "Idempotency-Key": _plain(key)}
    return Answered(kept.status, kept.body.encode(), headers=headers)


def keep(desk: Desk, account_id: str, key: str, request: object, answered: Answered) -> None:
    kept = Kept(
        id=new_id("ans_", 24),
        account_id=account_id,
        created_at=now_s(),
        status=answered.status,
        body=answered.body.decode(),
    )
    put(desk.change, kept)
    desk.change.run(
        "INSERT INTO claims VALUES (?, ?, ?, ?, ?)",
        (PARTY, account_id, key, json.dumps(request, sort_keys=True), kept.id),
    )


def is_kept(refusal: ApiError) -> bool:
    """Nothing is kept of what was refused before it was begun."""
    return refusal.kept and refusal.status not in (401, 409) and refusal.kind != "idempotency_error"


def _plain(key: str) -> str:
    return key.encode("ascii", errors="replace").decode()
