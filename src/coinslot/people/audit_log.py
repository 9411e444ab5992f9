"""The audit log: who did what, when, from where, and what was before and after. Append-only. An
entry is written in the transaction of what it tells."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from coinslot.db.pool import Connection, Database

_WRITE = """
INSERT INTO audit_log (merchant_id, person_id, session_id, factors, address, action, subject,
    before, after, reason, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
READ = """
SELECT a.seq, a.at, a.person_id, p.login, a.session_id, a.factors, a.address, a.action, a.subject,
    a.before, a.after, a.reason
FROM audit_log a LEFT JOIN people p ON p.id = a.person_id
WHERE a.merchant_id = $1 AND ($2::bigint IS NULL OR a.seq < $2)
    AND ($3::uuid IS NULL OR a.person_id = $3) AND ($4::text IS NULL OR a.action = $4)
ORDER BY a.seq DESC LIMIT $5
"""


# Called in the transaction of what is recorded. Raises when that was done before.
Once = Callable[[Connection], Awaitable[None]]


class Actor(Struct, frozen=True, kw_only=True):
    """Who acts: a person in a session, or the command line, which is nobody's session. `once` is
    there where they act by a form that counts once."""

    person: UUID | None = None
    session: UUID | None = None
    factors: tuple[str, ...] = ()
    address: str = ""
    once: Once | None = None


COMMAND_LINE = Actor(address="command line")


class Act(Struct, frozen=True, kw_only=True):
    """What was done, to whom or what. `merchant` is None where it is no merchant's."""

    action: str
    merchant: UUID | None = None
    subject: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reason: str = ""


class Entry(Struct, frozen=True, kw_only=True):
    """A line of the log, as it is shown. `login` is None where nobody was signed in."""

    seq: int
    at: datetime
    person: UUID | None
    login: str | None
    session: UUID | None
    factors: tuple[str, ...]
    address: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str


class LogQuery(Struct, frozen=True, kw_only=True):
    """Which entries: newest first, those before `before`, of one person or action."""

    before: int | None = None
    person: UUID | None = None
    action: str | None = None
    limit: int


async def record(conn: Connection, who: Actor, act: Act, now: datetime) -> None:
    """Write an entry, in the transaction of what was done. What a form asked for is refused when
    another process did it meanwhile: the transaction ends with what `who.once` raises."""
    if who.once is not None:
        await who.once(conn)
    await conn.execute(
        _WRITE, act.merchant, who.person, who.session, list(who.factors), who.address, act.action,
        act.subject, act.before, act.after, act.reason, now,
    )  # fmt: skip


async def entries(db: Database, merchant: UUID, query: LogQuery) -> list[Entry]:
    """Of one merchant."""
    async with db.as_merchant(merchant) as conn:
        rows = await conn.fetch(
            READ, merchant, query.before, query.person, query.action, query.limit
        )
    return [
        Entry(
            seq=row["seq"], at=row["at"], person=row["person_id"], login=row["login"],
            session=row["session_id"], factors=tuple(row["factors"]), address=row["address"],
            action=row["action"], subject=row["subject"], before=row["before"],
            after=row["after"], reason=row["reason"],
        )
        for row in rows
    ]  # fmt: skip
