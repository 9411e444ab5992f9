"""One answer per idempotency key: stored with the work of the call, and returned again as it was.

A key is claimed in a transaction. If the process that claimed it dies, the same call, sent again,
continues what was begun (`Resumed`), and begins nothing new."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.db.pool import Connection

# Once an answer is stored, it is never changed.
_CLAIM = """
INSERT INTO idempotency_keys (merchant_id, endpoint, key, request_hash, started_at, locked_until)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING key
"""
_FIND = """
SELECT * FROM idempotency_keys WHERE merchant_id = $1 AND endpoint = $2 AND key = $3
FOR NO KEY UPDATE
"""
_GO_ON = """
UPDATE idempotency_keys SET locked_until = $4 WHERE merchant_id = $1 AND endpoint = $2 AND key = $3
"""
# Whoever works it meanwhile has answered: that stands.
_LET_GO = """
UPDATE idempotency_keys SET locked_until = $4, subject_id = NULL
WHERE merchant_id = $1 AND endpoint = $2 AND key = $3 AND done_at IS NULL
"""
_WORK = """
UPDATE idempotency_keys SET worked_by = pg_current_xact_id()
WHERE merchant_id = $1 AND endpoint = $2 AND key = $3 AND done_at IS NULL
    AND (worked_by IS NULL OR worked_by = pg_current_xact_id()) RETURNING true
"""
_NAME = """
UPDATE idempotency_keys SET subject_id = $4 WHERE merchant_id = $1 AND endpoint = $2 AND key = $3
"""
_FINISH = """
UPDATE idempotency_keys SET status = $4, body = $5, done_at = $6,
    subject_id = coalesce($7, subject_id)
WHERE merchant_id = $1 AND endpoint = $2 AND key = $3 AND done_at IS NULL
"""


class KeyReusedError(Exception):
    """This key was used for another request."""


class KeyBusyError(Exception):
    """The call with this key is still running."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("the first call with this key is still running")
        self.retry_after_s = retry_after_s


class WorkedBeforeError(Exception):
    """Another process did the work of this key meanwhile."""


class IdempotentCall(Struct, frozen=True, kw_only=True):
    """A call that must count once: the merchant, the endpoint, its key, and the hash of its
    body."""

    merchant: UUID
    endpoint: str
    key: str
    request_hash: bytes
    live: bool = False  # as the API key is: what was tried with a test key is not done with it

    @property
    def id(self) -> tuple[UUID, str, str]:
        endpoint = f"live {self.endpoint}" if self.live else self.endpoint
        return self.merchant, endpoint, self.key


class Answer(Struct, frozen=True, kw_only=True):
    """The answer to a call; `replayed` when an earlier call with its key got it."""

    status: int
    body: Any
    replayed: bool = False


class FirstCall(Struct, frozen=True):
    """The first call with this key."""


class Resumed(Struct, frozen=True):
    """The process of an earlier call died; `subject` is what it had made by then, if anything.
    `worked`: it had done all of its work, and only the answer is missing."""

    subject: UUID | None
    worked: bool = False


def hash_of(*parts: object) -> bytes:
    """The hash of a request as it was parsed: the order of its fields does not matter."""
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).digest()


async def begin(
    conn: Connection, context: Context, once: IdempotentCall
) -> Answer | FirstCall | Resumed:
    """Claim the key inside the caller's transaction. Raises KeyReusedError and KeyBusyError."""
    until = context.now() + timedelta(seconds=context.windows.answer_s)
    if await conn.fetchval(_CLAIM, *once.id, once.request_hash, context.now(), until) is not None:
        return FirstCall()
    row = await conn.fetchrow(_FIND, *once.id)
    if row is None:
        raise KeyBusyError(1)  # its first call was rolled back just now
    if row["request_hash"] != once.request_hash:
        raise KeyReusedError("this Idempotency-Key was used with another request")
    if row["done_at"] is not None:
        return Answer(status=row["status"], body=row["body"], replayed=True)
    left = (row["locked_until"] - context.now()).total_seconds()
    if left > 0:
        raise KeyBusyError(max(1, min(int(left), 5)))
    await conn.execute(_GO_ON, *once.id, until)
    return Resumed(row["subject_id"], worked=row["worked_by"] is not None)


async def release(conn: Connection, context: Context, once: IdempotentCall) -> None:
    """The call ended without an answer to keep: the key may run again, from the start."""
    await conn.execute(_LET_GO, *once.id, context.now())


async def work(conn: Connection, once: IdempotentCall) -> None:
    """This transaction does the work of the key, and no other does. Raises WorkedBeforeError."""
    if not await conn.fetchval(_WORK, *once.id):
        raise WorkedBeforeError("the work of this key was done meanwhile")


async def name(conn: Connection, once: IdempotentCall, subject: UUID) -> None:
    """Record what the call made, before any gateway is called for it."""
    await conn.execute(_NAME, *once.id, subject)


async def finish(
    conn: Connection,
    context: Context,
    once: IdempotentCall,
    answer: Answer,
    subject: UUID | None = None,
) -> Answer:
    """Store the answer, and what the call made where that was not recorded before. An answer that
    was stored before stays."""
    await conn.execute(_FINISH, *once.id, answer.status, answer.body, context.now(), subject)
    return answer
