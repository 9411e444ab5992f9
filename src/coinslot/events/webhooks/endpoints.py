"""Where a merchant wants webhooks: endpoints, which events they get, and the secrets that sign."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Struct, UnsetType

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.db.sealed import SealedColumn
from coinslot.events.announce import NAME as ANNOUNCE
from coinslot.events.public import TYPES
from coinslot.events.webhooks.deliver import secret_context
from coinslot.events.webhooks.safe_http import BadUrlError, checked
from coinslot.events.webhooks.signing import HookRules, new_secret
from coinslot.kit.ids import uuid7
from coinslot.payments import idempotency
from coinslot.payments.idempotency import Answer, IdempotentCall
from coinslot.people.audit_log import Act, Actor, record
from coinslot.states.store import TELL

_AT_MOST = 50  # endpoints of one merchant: each event costs a delivery for each
_TESTS_AT_MOST = 10  # of one endpoint on their way: each waits for the one before it

_MAKE = """
INSERT INTO webhook_endpoints
    (id, merchant_id, url, description, types, status, secret, secret_set_at, created_at)
VALUES ($1, $2, $3, $4, $5, 'enabled', $6, $7, $7)
"""
# Counting them and adding one exclude each other until the transaction ends.
_COUNTING = """
SELECT pg_advisory_xact_lock(hashtextextended('webhook_endpoints ' || $1::uuid::text, 0))
"""
_ONE = "SELECT * FROM webhook_endpoints WHERE id = $1 AND deleted_at IS NULL"
_LISTED = """
SELECT * FROM webhook_endpoints WHERE deleted_at IS NULL AND merchant_id = $1 ORDER BY id
"""
_CHANGE = """
UPDATE webhook_endpoints SET url = $2, description = $3, types = $4, status = $5,
    disabled_reason = CASE $5 WHEN 'disabled' THEN disabled_reason END,
    failing_since = CASE WHEN $6 THEN NULL ELSE failing_since END,
    not_before = CASE WHEN $6 THEN NULL ELSE not_before END
WHERE id = $1
"""
# It may have waited for days: it has all its tries again.
_ANEW = """
UPDATE deliveries SET tries = 0, due_at = $2 WHERE endpoint_id = $1 AND outcome IS NULL
"""
_REMOVE = """
UPDATE webhook_endpoints SET deleted_at = $2, secret = NULL, old_secret = NULL,
    old_secret_until = NULL WHERE id = $1 AND deleted_at IS NULL
"""
_WITHDRAW = """
UPDATE deliveries SET outcome = 'withdrawn', ended_at = $2, due_at = NULL, leased_until = NULL
WHERE endpoint_id = $1 AND outcome IS NULL
"""
_ROTATE = """
UPDATE webhook_endpoints SET old_secret = secret, old_secret_until = $3, secret = $2,
    secret_set_at = $4 WHERE id = $1
"""
# Requested and not announced yet, or announced and not ended. Their line is the endpoint itself.
_TESTS = """
SELECT (SELECT count(*) FROM events v WHERE v.subject_id = $1 AND v.machine = 'webhook'
        AND v.event = 'TEST' AND v.seq > (SELECT seq FROM feed_cursors WHERE name = $2))
    + (SELECT count(*) FROM deliveries WHERE endpoint_id = $1 AND line = $1 AND outcome IS NULL)
"""


SEALED: Final = tuple(
    SealedColumn(
        table="webhook_endpoints", column=column, key="id", names=("id",),
        place=lambda row: secret_context(row["id"]),
    )
    for column in ("secret", "old_secret")
)  # fmt: skip


class UnknownEndpointError(Exception):
    """There is no such endpoint of this merchant."""


class EndpointRuleError(Exception):
    """Understood, but against a rule; `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class EndpointStatement(Struct, frozen=True, kw_only=True):
    """An endpoint. `secret` is there only in the answers that made it or set it anew."""

    id: UUID
    url: str
    description: str
    types: list[str]
    status: str
    disabled_reason: str | None
    failing_since: datetime | None
    secret_set_at: datetime
    old_secret_until: datetime | None
    created_at: datetime
    secret: str | None = None


class EndpointRequest(Struct, frozen=True, kw_only=True):
    """A new endpoint; no types means all."""

    url: str
    description: str = ""
    types: tuple[str, ...] = ()


class Change(Struct, frozen=True, kw_only=True):
    """What changes."""

    url: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    types: tuple[str, ...] | UnsetType = UNSET
    status: str | UnsetType = UNSET


class Endpoints:
    """Each call is for one merchant. Raises UnknownEndpointError, EndpointRuleError, and what
    `payments.idempotency` raises for a key."""

    def __init__(self, context: Context, rules: HookRules) -> None:
        self._context = context
        self._rules = rules

    async def create(
        self, key: IdempotentCall, wish: EndpointRequest, who: Actor | None = None
    ) -> Answer:
        self._look_at(wish.url, wish.types)
        context, now = self._context, self._context.now()
        async with context.db.as_merchant(key.merchant) as conn:
            claimed = await idempotency.begin(conn, context, key)
            if isinstance(claimed, Answer):
                return await self._again(conn, claimed)
            await conn.execute(_COUNTING, key.merchant)
            if len(await conn.fetch(_LISTED, key.merchant)) >= _AT_MOST:
                raise EndpointRuleError("too_many_endpoints", f"At most {_AT_MOST} are possible.")
            made, secret = uuid7(now), new_secret()
            sealed = context.vault.seal(secret.encode(), secret_context(made))
            types = sorted(set(wish.types))
            await conn.execute(
                _MAKE, made, key.merchant, wish.url, wish.description, types, sealed, now
            )
            await idempotency.name(conn, key, made)
            await note(conn, who, self._act(key.merchant, "made", made, {"url": wish.url}), now)
            return await self._finish(conn, key, made, 201, secret)

    async def listed(self, merchant: UUID) -> list[EndpointStatement]:
        """Oldest first."""
        async with self._context.db.as_merchant(merchant) as conn:
            return [self._statement(row) for row in await conn.fetch(_LISTED, merchant)]

    async def one(self, merchant: UUID, endpoint: UUID) -> EndpointStatement:
        async with self._context.db.as_merchant(merchant) as conn:
            return self._statement(await found(conn, endpoint))

    async def change(
        self, merchant: UUID, endpoint: UUID, change: Change, who: Actor | None = None
    ) -> EndpointStatement:
        """While paused, it loses nothing; when enabled after it was disabled, everything it missed
        is due again."""
        self._look_at(change.url, change.types)
        async with self._context.db.as_merchant(merchant) as conn:
            row = await found(conn, endpoint, lock=True)
            wanted = {**row, **_given(change)}
            opened = row["status"] != "enabled" and wanted["status"] == "enabled"
            await conn.execute(
                _CHANGE, endpoint, wanted["url"], wanted["description"],
                sorted(set(wanted["types"])), wanted["status"], opened,
            )  # fmt: skip
            if opened and row["status"] == "disabled":
                await conn.execute(_ANEW, endpoint, self._context.now())
            after = {"url": change.url} if change.status is UNSET else {"status": change.status}
            act = self._act(merchant, "changed", endpoint, after)
            await note(conn, who, act, self._context.now())
            changed = self._statement(await found(conn, endpoint))
        self._context.wakes.wake("deliveries")
        return changed

    async def remove(self, merchant: UUID, endpoint: UUID, who: Actor | None = None) -> None:
        """Its pending deliveries are withdrawn; its log stays."""
        async with self._context.db.as_merchant(merchant) as conn:
            if await conn.execute(_REMOVE, endpoint, self._context.now()) != "UPDATE 1":
                raise UnknownEndpointError("There is no such endpoint.")
            await conn.execute(_WITHDRAW, endpoint, self._context.now())
            act = self._act(merchant, "removed", endpoint)
            await note(conn, who, act, self._context.now())

    async def rotate(self, key: IdempotentCall, endpoint: UUID, who: Actor | None = None) -> Answer:
        """A new secret; the one before also signs until the overlap ends."""
        context, now = self._context, self._context.now()
        async with context.db.as_merchant(key.merchant) as conn:
            claimed = await idempotency.begin(conn, context, key)
            if isinstance(claimed, Answer):
                return await self._again(conn, claimed)
            await found(conn, endpoint, lock=True)
            secret, until = new_secret(), now + timedelta(seconds=self._rules.overlap_s)
            sealed = context.vault.seal(secret.encode(), secret_context(endpoint))
            await conn.execute(_ROTATE, endpoint, sealed, until, now)
            await note(conn, who, self._act(key.merchant, "rotated", endpoint), now)
            return await self._finish(conn, key, endpoint, 200, secret)

    async def test(self, key: IdempotentCall, endpoint: UUID, who: Actor | None = None) -> Answer:
        """A `webhook.test` for this endpoint alone, sent like every event."""
        context = self._context
        async with context.db.as_merchant(key.merchant) as conn:
            claimed = await idempotency.begin(conn, context, key)
            if isinstance(claimed, Answer):
                return claimed
            await found(conn, endpoint, lock=True)
            if await conn.fetchval(_TESTS, endpoint, ANNOUNCE) >= _TESTS_AT_MOST:
                raise EndpointRuleError("too_many_tests", "Others are still on their way.")
            await conn.execute(TELL, key.merchant, "webhook", endpoint, "TEST", {}, context.now())
            act = self._act(key.merchant, "tested", endpoint)
            await note(conn, who, act, context.now())
            answer = await self._finish(conn, key, endpoint, 202, None)
        context.wakes.wake("events")
        return answer

    def _act(
        self, merchant: UUID, done: str, endpoint: UUID, after: Mapping[str, Any] | None = None
    ) -> Act:
        return Act(action=f"endpoint.{done}", merchant=merchant, subject=str(endpoint), after=after)

    def _look_at(self, url: str | UnsetType, types: tuple[str, ...] | UnsetType) -> None:
        if url is not UNSET:
            try:
                checked(url, private=self._rules.private_addresses)
            except BadUrlError as error:
                raise EndpointRuleError("bad_url", f"This URL cannot be used: {error}.") from None
        if types is not UNSET and (strange := set(types) - TYPES):
            names = ", ".join(sorted(strange)[:5])
            raise EndpointRuleError("unknown_type", f"There are no events of type {names}.")

    async def _finish(
        self, conn: Connection, key: IdempotentCall, endpoint: UUID, status: int, secret: str | None
    ) -> Answer:
        """The answer is kept without its secret, which is stored encrypted in the endpoint's row
        only."""
        body = msgspec.to_builtins(self._statement(await found(conn, endpoint)))
        answer = await idempotency.finish(
            conn, self._context, key, Answer(status=status, body=body)
        )
        return _with_secret(answer, secret)

    async def _again(self, conn: Connection, answer: Answer) -> Answer:
        """A repeated call with the same key had no answer yet: the secret is in it as long as it is
        the one that was made then."""
        row = await conn.fetchrow(_ONE, UUID(answer.body["id"]))
        if row is None or _text(row["secret_set_at"]) != answer.body["secret_set_at"]:
            return answer
        secret = self._context.vault.open(row["secret"], secret_context(row["id"])).decode()
        return _with_secret(answer, secret)

    def _statement(self, row: asyncpg.Record) -> EndpointStatement:
        until = row["old_secret_until"]
        return EndpointStatement(
            id=row["id"], url=row["url"], description=row["description"], types=row["types"],
            status=row["status"], disabled_reason=row["disabled_reason"],
            failing_since=row["failing_since"], secret_set_at=row["secret_set_at"],
            old_secret_until=until if until and until > self._context.now() else None,
            created_at=row["created_at"],
        )  # fmt: skip


async def note(conn: Connection, who: Actor | None, act: Act, now: datetime) -> None:
    """Write an entry of the audit log, in the transaction of what was done. A program (None)
    has no entry there."""
    if who is not None:
        await record(conn, who, act, now)


async def found(conn: Connection, endpoint: UUID, *, lock: bool = False) -> asyncpg.Record:
    """Within the merchant's transaction. Raises UnknownEndpointError."""
    row = await conn.fetchrow(_ONE + " FOR NO KEY UPDATE" if lock else _ONE, endpoint)
    if row is None:
        raise UnknownEndpointError("There is no such endpoint.")
    return row


def _given(change: Change) -> dict[str, Any]:
    fields = msgspec.structs.asdict(change)
    return {name: value for name, value in fields.items() if value is not UNSET}


def _with_secret(answer: Answer, secret: str | None) -> Answer:
    return msgspec.structs.replace(answer, body={**answer.body, "secret": secret})


def _text(at: datetime) -> str:
    text: str = msgspec.to_builtins(at)
    return text
