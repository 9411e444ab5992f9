"""Who hears of an alert: notices are queued for every member who may hear of it and wants to, in
the transaction that marks it as told. What comes together, or soon after, is one notice."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import asyncpg
from msgspec import Struct
from msgspec.structs import replace

from coinslot.context import Context
from coinslot.db.pool import Connection
from coinslot.events.notices import preferences
from coinslot.events.notices.alerts import AILING, DRIFT, LOW, SILENT, SLOT, SOON, WARM
from coinslot.events.notices.browsers import SHOWS
from coinslot.events.notices.preferences import DIGEST, MEMBERS, NEEDS, NOW, PUSH, Listener
from coinslot.events.notices.words import DIGEST as DIGEST_TITLE
from coinslot.events.notices.words import NOT_YOU, Reader, text
from coinslot.notices.base import Form
from coinslot.people.outbox import EMAIL, Letter, post
from coinslot.people.roles import PERMISSIONS

_BODY_MAX_CHARS: Final = 20_000
_TOLD_AT_ONCE: Final = 5_000

# Kinds of a merchant of which something is to be told: the first has waited for the others, and the
# last notice of this kind is not too fresh.
_WAITING = """
WITH waiting AS (
    SELECT DISTINCT merchant_id, kind, told_at IS NOT NULL AS over FROM alerts
    WHERE end_told_at IS NULL AND merchant_id IS NOT NULL
    AND CASE WHEN told_at IS NULL THEN opened_at ELSE ended_at END <= $1
)
SELECT * FROM waiting w WHERE NOT EXISTS (SELECT FROM alerts t WHERE t.merchant_id = w.merchant_id
    AND t.kind = w.kind AND t.told_at IS NOT NULL
    AND CASE WHEN w.over THEN t.end_told_at ELSE t.told_at END > $2)
"""
_BEGUN = """
SELECT id, data, ended_at FROM alerts WHERE merchant_id = $1 AND kind = $2 AND told_at IS NULL
AND end_told_at IS NULL AND (ended_at IS NOT NULL OR back_since IS NULL)
ORDER BY opened_at, id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
"""
_OVER = """
SELECT id, data, ended_at FROM alerts WHERE merchant_id = $1 AND kind = $2 AND told_at IS NOT NULL
AND end_told_at IS NULL AND ended_at IS NOT NULL
ORDER BY opened_at, id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
"""
_TOLD = "UPDATE alerts SET told_at = $2 WHERE id = ANY ($1)"
_END_TOLD = "UPDATE alerts SET end_told_at = $2 WHERE id = ANY ($1)"
_OWN = """
SELECT id, person_id, kind, data FROM alerts WHERE merchant_id IS NULL AND end_told_at IS NULL
ORDER BY opened_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED
"""
_BROWSERS = f"""
SELECT u.id FROM push_subscriptions u JOIN people p ON p.id = u.person_id
WHERE u.person_id = $1 AND {SHOWS} ORDER BY u.id
"""
# What is held until later grows, until it is claimed: the same row is never sent in two states.
_ADD_LINE = """
UPDATE notices SET body = left(body || E'\\n' || $2, $3), permission = CASE
    WHEN $5 = ANY (string_to_array(permission, ' ')) THEN permission
    ELSE trim(permission || ' ' || $5) END
WHERE dedup = $1 AND outcome IS NULL AND tries = 0 AND leased_until IS NULL AND due_at > $4
"""


class Said(Struct, frozen=True, kw_only=True):
    """What is told to one person: one sentence, more to it, and where it leads."""

    purpose: str
    title: str
    more: str
    path: str
    permission: str = ""


class Group(Struct, frozen=True, kw_only=True):
    """Alerts of one kind that are told together."""

    merchant: UUID
    kind: str
    over: bool
    rows: Sequence[asyncpg.Record]


async def plan(context: Context) -> int:
    """Queue what is to be told; how many notices."""
    now = context.now()
    gathered = now - context.windows.span("notice_gather_s")
    paused = now - context.windows.span("notice_pause_s")
    async with context.db.system_connection() as conn:
        waiting = await conn.fetch(_WAITING, gathered, paused)
    queued = 0
    for row in waiting:
        async with context.db.system_transaction() as conn:
            queued += await _tell_merchant(context, conn, row)
    async with context.db.system_transaction() as conn:
        for row in await conn.fetch(_OWN, _TOLD_AT_ONCE):
            queued += await _tell_owner(context, conn, row)
    if queued:
        context.wakes.wake("notices")
    return queued


async def _tell_merchant(context: Context, conn: Connection, row: asyncpg.Record) -> int:
    merchant, kind, over, now = row["merchant_id"], row["kind"], row["over"], context.now()
    rows = await conn.fetch(_OVER if over else _BEGUN, merchant, kind, _TOLD_AT_ONCE)
    # What was over before anyone heard of it is no news.
    passed = [] if over else [one["id"] for one in rows if one["ended_at"] is not None]
    told = [one for one in rows if over or one["ended_at"] is None]
    await conn.execute(_END_TOLD, passed, now)
    if not told:
        return 0
    ids = [one["id"] for one in told]
    await conn.execute(_END_TOLD if over else _TOLD, ids, now)
    if over and kind != SILENT:
        return 0  # an end that a person brought about needs no notice
    group = Group(merchant=merchant, kind=kind, over=over, rows=told)
    members = await conn.fetch(MEMBERS, merchant)
    return sum([await _tell_member(context, conn, group, member) for member in members])


async def _tell_member(
    context: Context, conn: Connection, group: Group, member: asyncpg.Record
) -> int:
    permissions = PERMISSIONS[member["role"]]
    if NEEDS[group.kind] not in permissions:
        return 0
    choice = preferences.choice_of(member["choices"], member["role"], group.kind)
    who = preferences.listener(member, context.zone_of(member["merchant_zone"]))
    reader = Reader(who.language, who.hours.zone, sees_money="money:read" in permissions)
    said = _said(group, reader)
    told = Telling(context, conn, who, said, group.merchant)
    mark = f"{group.kind}.{'over' if group.over else 'began'}.{group.rows[0]['id'].hex}"
    queued, now = 0, context.now()
    if choice.mail == NOW:
        queued += await told.mail(mark, who.hours.free(now))
    elif choice.mail == DIGEST:
        queued += await told.mail(mark, who.hours.digest(now))
    if choice.push:
        queued += await told.push(mark, member["browsers"], who.hours.free(now))
    return queued


async def _tell_owner(context: Context, conn: Connection, row: asyncpg.Record) -> int:
    """What happened to someone's account is told at once, by every way, whatever they chose."""
    now = context.now()
    await conn.execute(_END_TOLD, [row["id"]], now)
    settings = await preferences.one(conn, row["person_id"])
    if settings is None:
        return 0
    who = preferences.listener(settings, context.zone)
    reader = Reader(who.language, who.hours.zone, sees_money=False)
    said = Said(
        purpose=row["kind"], title=reader.about_account(row["kind"], row["data"]),
        more=text(NOT_YOU, who.language), path="/console/account",
    )  # fmt: skip
    told = Telling(context, conn, who, said, None)
    browsers = [one["id"] for one in await conn.fetch(_BROWSERS, who.person)]
    mark = f"{row['kind']}.{row['id'].hex}"
    return await told.mail(mark, now) + await told.push(mark, browsers, now)


_OF_MACHINES: Final = (SILENT, SLOT, LOW, SOON, DRIFT, WARM, AILING)


def _said(group: Group, reader: Reader) -> Said:
    told: list[dict[str, Any]] = [row["data"] for row in group.rows]
    title = (reader.ended if group.over else reader.began)(group.kind, told)
    path = "/console/machines" if group.kind in _OF_MACHINES else "/console/inbox"
    if len(told) == 1 and "machine" in told[0]:
        path = f"{path}/{told[0]['machine']}"
    more = "" if group.over else reader.hint(group.kind, told)
    return Said(purpose=group.kind, title=title, more=more, path=path, permission=NEEDS[group.kind])


class Telling:
    """One thing that is told to one person."""

    def __init__(
        self, context: Context, conn: Connection, who: Listener, said: Said, merchant: UUID | None
    ) -> None:
        self._context, self._conn, self._who = context, conn, who
        self._said, self._merchant = said, merchant

    async def mail(self, mark: str, due_at: datetime) -> int:
        if not self._who.address or Form.EMAIL not in self._context.notifiers:
            return 0
        return await self._queue(EMAIL, self._who.address, mark, due_at)

    async def push(self, mark: str, browsers: Sequence[UUID], due_at: datetime) -> int:
        if Form.PUSH not in self._context.notifiers:
            return 0
        return sum([await self._queue(PUSH, str(one), mark, due_at) for one in browsers])

    async def _queue(self, channel: str, target: str, mark: str, due_at: datetime) -> int:
        now, said = self._context.now(), self._said
        to = f"{self._who.person.hex}.{sha256(f'{channel} {target}'.encode()).hexdigest()[:16]}"
        letter = Letter(
            purpose=said.purpose, channel=channel, target=target, dedup=f"{mark}.{to}",
            merchant=self._merchant, person=self._who.person, permission=said.permission,
            subject=said.title, body=f"{said.title}\n{said.more}".strip(),
            link=self._context.public_url + said.path, language=self._who.language, due_at=due_at,
        )  # fmt: skip
        if due_at > now and (grown := await self._held(letter, to)) is not None:
            return grown
        return int(await post(self._conn, letter, now))

    async def _held(self, letter: Letter, to: str) -> int | None:
        """What waits for the same moment is one notice. None: that one is on its way already."""
        now, due_at = self._context.now(), letter.due_at
        assert due_at is not None
        held = replace(
            letter, purpose="digest", dedup=f"held.{self._merchant}.{due_at.isoformat()}.{to}",
            subject=text(DIGEST_TITLE, self._who.language),
            link=f"{self._context.public_url}/console/today",
        )  # fmt: skip
        for _ in range(2):  # another planner may write its first line at this moment
            done: str = await self._conn.execute(
                _ADD_LINE, held.dedup, letter.body, _BODY_MAX_CHARS, now, letter.permission
            )
            if done != "UPDATE 0":
                return 0
            if await post(self._conn, held, now):
                return 1
        return None
