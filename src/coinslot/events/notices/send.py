"""Sends one notice: the chore of its row. A notice may be sent again after a process died behind
the call: a mail keeps its Message-ID and a push its topic, so that a mailbox and a phone show it
once."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct
from prometheus_client import Counter

from coinslot.context import Context
from coinslot.events.notices.browsers import SHOWS
from coinslot.events.notices.words import FOOT, text
from coinslot.notices.base import Cause, Form, Notice, Notifier, Refused, Sent, Unclear
from coinslot.people import resets
from coinslot.people.authentication import Authentication
from coinslot.people.outbox import EMAIL, seal, sealed_as
from coinslot.people.roles import PERMISSIONS

log = structlog.get_logger(__name__)

_ENDED = Counter("coinslot_notices_total", "Notices to people, by their end", ("outcome",))
SENT, WITHDRAWN, GIVEN_UP = "sent", "withdrawn", "given_up"
# Before each try after the first; after the last of them it is given up.
PAUSES_S: Final = (30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600)
_REASON_CHARS: Final = 300
_NEVER: Final = (Cause.RECIPIENT, Cause.OPTED_OUT, Cause.CONTENT)

_ROLE = """
SELECT m.role FROM memberships m JOIN people p ON p.id = m.person_id AND p.disabled_at IS NULL
WHERE m.person_id = $1 AND m.merchant_id = $2 AND m.ended_at IS NULL
"""
_BROWSER = f"""
SELECT u.id, u.endpoint, u.p256dh, u.auth FROM push_subscriptions u
JOIN people p ON p.id = u.person_id AND p.disabled_at IS NULL WHERE u.id = $1 AND {SHOWS}
"""
_END = """
UPDATE notices SET outcome = $3, failure = $4, ended_at = $5, due_at = NULL, leased_until = NULL,
    sealed = NULL, tries = tries + $6
WHERE id = $1 AND lease = $2 AND outcome IS NULL RETURNING true
"""
_AGAIN = """
UPDATE notices SET tries = tries + 1, failure = $3, due_at = $4, leased_until = NULL
WHERE id = $1 AND lease = $2 AND outcome IS NULL RETURNING true
"""
_LINKED = """
UPDATE notices SET target = $3, subject = $4, sealed = $5
WHERE id = $1 AND lease = $2 AND outcome IS NULL RETURNING *
"""
_GONE = """
UPDATE push_subscriptions SET ended_at = $2, ended_because = 'gone'
WHERE id = $1 AND ended_at IS NULL
"""


class Target(Struct, frozen=True):
    """Where it goes, as the driver wants it; and the browser's row."""

    to: str
    browser: UUID | None = None


async def send_due(context: Context, row: asyncpg.Record) -> None:
    """One try of a claimed row. The network is asked outside of any transaction."""
    form = Form.EMAIL if row["channel"] == EMAIL else Form.PUSH
    notifier = context.notifiers.get(form)
    if context.now() >= row["expires_at"]:
        return await _end(context, row, GIVEN_UP, row["failure"] or "it waited for too long")
    if notifier is None:
        return await _again(context, row, f"this process sends no {form}")
    if row["purpose"] == resets.ASKED and row["sealed"] is None:
        found = await _with_link(context, row)
        if found is None:
            return await _end(context, row, WITHDRAWN, None)
        row = found
    target = await _target(context, row)
    if target is None:
        return await _end(context, row, WITHDRAWN, None)
    await _carry(context, row, notifier, target)


async def _with_link(context: Context, row: asyncpg.Record) -> asyncpg.Record | None:
    """The link is made when its mail goes out, so that asking for it tells nothing of whom there
    is. None where there is nobody to send it to."""
    auth = Authentication(context, context.public_url)
    mail = await resets.mail_for(auth, row["target"], row["language"])
    if mail is None:
        return None
    address, subject, text = mail
    sealed = seal(context.vault, row["id"], text)
    async with context.db.system_connection() as conn:
        return await conn.fetchrow(_LINKED, row["id"], row["lease"], address, subject, sealed)


async def _carry(context: Context, row: asyncpg.Record, notifier: Notifier, target: Target) -> None:
    form = Form.EMAIL if row["channel"] == EMAIL else Form.PUSH
    context.db.reached("before_send")
    answer = await notifier.send(form, _notice(context, row, form, target.to))
    context.db.reached("after_send")
    match answer:
        case Sent():
            await _end(context, row, SENT, None, tried=1)
        case Refused(cause=cause, reason=reason) if cause in _NEVER:
            if target.browser is not None and cause is Cause.RECIPIENT:
                async with context.db.system_connection() as conn:
                    await conn.execute(_GONE, target.browser, context.now())
            await _end(context, row, GIVEN_UP, reason, tried=1)
        case Refused(reason=reason) | Unclear(reason=reason):
            await _again(context, row, reason)


def _notice(context: Context, row: asyncpg.Record, form: Form, to: str) -> Notice:
    body = row["body"]
    if row["sealed"] is not None:
        body = context.vault.open(row["sealed"], sealed_as(row["id"])).decode()
    if form is Form.EMAIL:
        parts = [body, row["link"]]
        if row["person_id"] is not None and row["sealed"] is None:
            settings = f"{context.public_url}/console/notices"
            parts.append("-- \n" + text(FOOT, row["language"]).format(link=settings))
        body = "\n\n".join(filter(None, parts)) + "\n"
    return Notice(
        key=row["id"].hex, to=to, text=body, subject=row["subject"], language=row["language"],
        link=row["link"], valid_s=_left_s(row, context.now()),
    )  # fmt: skip


def _left_s(row: asyncpg.Record, now: datetime) -> int:
    return max(60, int((row["expires_at"] - now).total_seconds()))


async def _target(context: Context, row: asyncpg.Record) -> Target | None:
    """None for someone who may not hear of it any more, or a browser that is signed out."""
    async with context.db.system_connection() as conn:
        if row["merchant_id"] is not None and row["person_id"] is not None:
            role = await conn.fetchval(_ROLE, row["person_id"], row["merchant_id"])
            if not set(row["permission"].split()) <= PERMISSIONS.get(role, frozenset()):
                return None
            if role is None:
                return None
        if row["channel"] == EMAIL:
            return Target(row["target"])
        found = await conn.fetchrow(_BROWSER, UUID(row["target"]))
    if found is None:
        return None
    return Target(f"{found['endpoint']} {found['p256dh']} {found['auth']}", found["id"])


async def _again(context: Context, row: asyncpg.Record, reason: str) -> None:
    """Later, as often as there are pauses."""
    if row["tries"] >= len(PAUSES_S):
        return await _end(context, row, GIVEN_UP, reason, tried=1)
    due_at = context.now() + timedelta(seconds=PAUSES_S[row["tries"]])
    async with context.db.system_connection() as conn:
        kept = await conn.fetchval(_AGAIN, row["id"], row["lease"], reason[:_REASON_CHARS], due_at)
    log.info("notice_tried", notice=str(row["id"]), reason=reason, kept=bool(kept))
    return None


async def _end(
    context: Context, row: asyncpg.Record, outcome: str, reason: str | None, *, tried: int = 0
) -> None:
    """Only who holds the row's lease writes its end."""
    kept_reason = reason and reason[:_REASON_CHARS]
    async with context.db.system_connection() as conn:
        kept = await conn.fetchval(
            _END, row["id"], row["lease"], outcome, kept_reason, context.now(), tried
        )
    if kept:
        _ENDED.labels(outcome).inc()
    if outcome == GIVEN_UP:
        log.warning("notice_given_up", notice=str(row["id"]), reason=reason)
