"""What is to be sent to someone: a row that is written in the transaction of what it tells, and
sent by `events/notices`. And what concerns a person alone, for which that makes rows later."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from unicodedata import category
from uuid import UUID

from msgspec import Struct

from coinslot.db.pool import Connection
from coinslot.db.sealed import SealedColumn
from coinslot.kit.ids import uuid7
from coinslot.kit.secrets import Vault

EMAIL: Final = "email"
FACTOR_REMOVED, NEW_PLACE = "factor_removed", "new_place"
LIFE: Final = timedelta(days=1)

_POST = """
INSERT INTO notices (id, merchant_id, person_id, purpose, channel, target, dedup, permission,
    subject, body, sealed, link, language, created_at, expires_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (dedup) DO NOTHING
"""
_CONCERNS = """
INSERT INTO alerts (id, person_id, kind, subject, data, opened_at, ended_at)
VALUES ($1, $2, $3, '', $4, $5, $5)
"""


class Letter(Struct, frozen=True, kw_only=True):
    """One notice to one address or browser. `dedup` is its own for ever: the same one is not
    written again. `channel` is `email`, or `push` and the service's host."""

    purpose: str
    channel: str
    target: str
    dedup: str
    subject: str
    body: str
    link: str = ""
    language: str = "en"
    merchant: UUID | None = None
    person: UUID | None = None
    permission: str = ""
    due_at: datetime | None = None  # None: at once
    life: timedelta = LIFE


async def post(
    conn: Connection, letter: Letter, now: datetime, *, row: UUID | None = None,
    sealed: bytes | None = None,
) -> bool:  # fmt: skip
    """False where the same one was written before. `sealed`: a body with a secret in it, sealed
    for the id `row` (`sealed_as`)."""
    due_at, row = letter.due_at or now, row or uuid7(now)
    done: str = await conn.execute(
        _POST, row, letter.merchant, letter.person, letter.purpose, letter.channel, letter.target,
        letter.dedup, letter.permission, one_line(letter.subject), letter.body, sealed, letter.link,
        letter.language, now, due_at + letter.life, due_at,
    )  # fmt: skip
    return done == "INSERT 0 1"


def one_line(text: str) -> str:
    """As a subject has to be: names in it are what somebody typed, and no mail server takes a line
    feed there."""
    return "".join(sign for sign in " ".join(text.split()) if category(sign) != "Cc")


async def post_secret(
    conn: Connection, vault: Vault, letter: Letter, text: str, now: datetime
) -> None:
    """One whose body holds a secret: it is sealed, and gone when the notice is."""
    row = uuid7(now)
    await post(conn, letter, now, row=row, sealed=seal(vault, row, text))


def seal(vault: Vault, row: UUID, text: str) -> bytes:
    """A body that holds a secret, bound to its notice."""
    return vault.seal(text.encode(), sealed_as(row))


def sealed_as(row: object) -> str:
    """What binds a sealed body to its notice."""
    return f"notices/{row}/body"


async def concerns(
    conn: Connection, person: UUID, kind: str, data: Mapping[str, object], now: datetime
) -> None:
    """Note what happened to someone's account, in the transaction in which it did."""
    await conn.execute(_CONCERNS, uuid7(now), person, kind, dict(data), now)


SEALED: Final = (
    SealedColumn(
        table="notices", column="sealed", key="id", names=("id",),
        place=lambda row: sealed_as(row["id"]),
    ),
)  # fmt: skip
