"""Pictures of a merchant, under names made of their content; ended when no product and no brand
shows them. The row is committed before the files are stored, and goes after they are gone: a
process that dies in between leaves a row, which the sweep finds."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from coinslot.db.pool import AWAY, Connection, Database
from coinslot.pictures.decode import Small, made_small
from coinslot.storage.base import Storage, StorageAwayError

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 100
_DECODING = asyncio.Semaphore(1)  # one at a time needs the memory of one

_BEGIN: Final = """
INSERT INTO pictures (merchant_id, digest, width, height, widths, used_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (merchant_id, digest) DO UPDATE SET used_at = $6 WHERE pictures.ending_at IS NULL
RETURNING true
"""
_STORED: Final = """
UPDATE pictures SET stored_at = coalesce(stored_at, $3) WHERE merchant_id = $1 AND digest = $2
    AND ending_at IS NULL RETURNING true
"""


class PictureBusyError(Exception):
    """The same picture is being ended at this moment; a minute later it can be kept again."""


class Kept(Struct, frozen=True, kw_only=True):
    """A stored picture: `widths` are those that there are, the largest last."""

    digest: str
    width: int
    height: int
    widths: tuple[int, ...]


class PictureView(Struct, frozen=True, kw_only=True):
    """What a page shows of it."""

    digest: str
    width: int
    height: int
    widths: tuple[int, ...]

    def src(self, prefix: str) -> str:
        """The address of the smallest; `prefix` names a CDN in front of us, or nothing."""
        return f"{prefix}/pictures/{file_name(self.digest, self.widths[0])}"

    def srcset(self, prefix: str) -> str:
        return ", ".join(f"{prefix}/pictures/{file_name(self.digest, w)} {w}w" for w in self.widths)


def file_name(digest: str, width: int) -> str:
    return f"{digest}-{width}.webp"


def view_of(row: asyncpg.Record, prefix: str = "picture_") -> PictureView | None:
    """From the columns `<prefix>digest`, `width`, `height`, `widths` of a row."""
    if row[f"{prefix}digest"] is None:
        return None
    return PictureView(
        digest=row[f"{prefix}digest"], width=row[f"{prefix}width"],
        height=row[f"{prefix}height"], widths=tuple(row[f"{prefix}widths"]),
    )  # fmt: skip


async def keep(db: Database, storage: Storage, merchant: UUID, body: bytes, now: datetime) -> Kept:
    """Store what somebody uploaded. The same picture again is the same one.

    Raises UnreadablePictureError, StorageAwayError and PictureBusyError."""
    async with _DECODING:
        small = await asyncio.to_thread(made_small, body)
    kept = Kept(
        digest=_digest(merchant, small), width=small.width, height=small.height,
        widths=tuple(sorted(small.files)),
    )  # fmt: skip
    async with db.as_merchant(merchant) as conn:
        begun = await conn.fetchval(
            _BEGIN, merchant, kept.digest, kept.width, kept.height, list(kept.widths), now
        )
    if not begun:
        raise PictureBusyError
    for width, file in small.files.items():
        await storage.put(file_name(kept.digest, width), file)
    async with db.as_merchant(merchant) as conn:
        if not await conn.fetchval(_STORED, merchant, kept.digest, now):
            raise PictureBusyError
    return kept


def _digest(merchant: UUID, small: Small) -> str:
    """Two merchants with the same picture have two: the end of one is not that of the other."""
    return hashlib.sha256(merchant.bytes + small.files[small.width]).hexdigest()


async def shown(conn: Connection, digests: Sequence[str]) -> dict[str, PictureView]:
    """What pages show of these, by digest."""
    rows = await conn.fetch(
        "SELECT digest AS picture_digest, width AS picture_width, height AS picture_height,"
        " widths AS picture_widths FROM pictures WHERE digest = ANY ($1)",
        list(digests),
    )
    return {row["picture_digest"]: view for row in rows if (view := view_of(row)) is not None}


async def stored(conn: Connection, merchant: UUID, digest: str) -> bool:
    """Whether a product or brand may show it; it is locked against ending until then."""
    found = await conn.fetchval(
        "SELECT true FROM pictures WHERE merchant_id = $1 AND digest = $2"
        " AND stored_at IS NOT NULL AND ending_at IS NULL FOR KEY SHARE",
        merchant,
        digest,
    )
    return bool(found)


async def sweep(db: Database, storage: Storage, now: datetime, kept_for: timedelta) -> int:
    """End pictures that nothing has shown for so long; how many ended. What is interrupted is taken
    up again by a later sweep."""
    async with db.system_transaction() as conn:
        rows = await conn.fetch("SELECT * FROM end_pictures($1, $2, $3)", now - kept_for, now,
                                _AT_ONCE)  # fmt: skip
    ended = 0
    for row in rows:
        try:
            for width in row["widths"]:
                await storage.remove(file_name(row["digest"], width))
            async with db.system_transaction() as conn:
                await conn.execute("SELECT picture_ended($1, $2)", row["merchant_id"],
                                   row["digest"])  # fmt: skip
            ended += 1
        except (StorageAwayError, asyncpg.PostgresError, *AWAY) as error:
            log.warning("picture_not_ended", digest=row["digest"], error=repr(error))
    return ended
