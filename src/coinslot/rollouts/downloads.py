"""What a machine loads: the manifest of its attempt, and the image, a part at a time.

The address is of one attempt and cannot be guessed. It carries a proof that it is ours, so that a
stranger's guess costs no look at the database; and it ends with its attempt."""

import hmac
import re
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
from msgspec import Struct

from coinslot.context import Context
from coinslot.rollouts import store
from coinslot.rollouts.flow import AFTER_GO, BEFORE_GO

_NAME: Final = re.compile(r"([0-9a-f]{32})-([0-9]{1,4})-([0-9a-f]{32})")
PART_BYTES_AT_MOST: Final = 256 * 1024
# Enough for a slow line: a download that broke asks for the manifest, and an address, again.
ADDRESS_LIFE: Final = timedelta(hours=1)
_RANGE: Final = re.compile(r"bytes=([0-9]{1,9})-([0-9]{0,9})")


class NoDownloadError(Exception):
    """The address is not ours, or was withdrawn, or its attempt is over."""


class RangeError(Exception):
    """No such part of the image; it has `size` bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the image has {size} bytes")
        self.size = size


class Download(Struct, frozen=True, kw_only=True):
    """What one attempt loads."""

    manifest: str
    signature: str  # hex
    image: str  # its name in the storage
    size: int
    image_url: str | None  # in a store that machines reach by themselves


class Part(Struct, frozen=True, kw_only=True):
    """Bytes of the image, the last one included."""

    body: bytes
    first: int
    size: int  # of the whole

    @property
    def content_range(self) -> str:
        return f"bytes {self.first}-{self.first + len(self.body) - 1}/{self.size}"


def image_name(sha256: str) -> str:
    """In the storage."""
    return f"{sha256}.bin"


def _proof(context: Context, update: UUID, attempt: int) -> str:
    return context.vault.digest(f"{update.hex} {attempt}", "firmware download")


def manifest_url(context: Context, update: UUID, attempt: int) -> str:
    """The image is below it, at `/image`."""
    name = f"{update.hex}-{attempt}-{_proof(context, update, attempt)}"
    return f"{context.public_url}/firmware/downloads/{name}"


async def download(context: Context, name: str) -> Download:
    """Raises NoDownloadError."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise NoDownloadError
    update, attempt = UUID(found[1]), int(found[2])
    if not hmac.compare_digest(_proof(context, update, attempt), found[3]):
        raise NoDownloadError
    async with context.db.system_transaction() as conn:
        row = await conn.fetchrow(store.DOWNLOAD, update)
    if row is None or row["attempt"] != attempt or row["state"] not in (*BEFORE_GO, *AFTER_GO):
        raise NoDownloadError
    if context.now() >= row["expires_at"]:
        raise NoDownloadError
    if row["state"] in BEFORE_GO and context.now() >= row["attempt_until"]:
        raise NoDownloadError
    image = image_name(row["sha256"])
    return Download(
        manifest=row["manifest"], signature=row["signature"].hex(), image=image, size=row["size"],
        image_url=context.storage.address(image, _life(context, row)),
    )  # fmt: skip


def _life(context: Context, row: asyncpg.Record) -> timedelta:
    """Of an address in the store: it cannot be taken back, so it ends with the attempt at the
    latest."""
    until: datetime = row["attempt_until"] if row["state"] in BEFORE_GO else row["expires_at"]
    return min(ADDRESS_LIFE, until - context.now())


def asked_for(header: str | None, size: int) -> tuple[int, int]:
    """The first byte and the one after the last of a `Range`, a bounded part at most. Without one,
    and with one that is not understood: from the start. Raises RangeError."""
    found = _RANGE.fullmatch((header or "").strip())
    if found is None:
        return 0, size
    first = int(found[1])
    last = int(found[2]) if found[2] else size - 1
    if first >= size or last < first:
        raise RangeError(size)
    return first, min(last + 1, size, first + PART_BYTES_AT_MOST)


async def part(context: Context, found: Download, header: str | None) -> Part:
    """Raises RangeError, StorageAwayError, and NoDownloadError where the storage lost the image."""
    first, end = asked_for(header, found.size)
    body = await context.storage.read_part(found.image, first, end)
    if body is None or len(body) != end - first:
        raise NoDownloadError
    return Part(body=body, first=first, size=found.size)
