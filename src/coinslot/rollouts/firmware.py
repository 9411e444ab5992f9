"""The builds of a merchant: each signed by a key that is not here, stored once, and unchanged."""

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from coinslot.context import Context
from coinslot.fleet.config import Editor
from coinslot.kit.ids import uuid7
from coinslot.people.audit_log import Act, record
from coinslot.rollouts import store
from coinslot.rollouts.downloads import image_name
from coinslot.rollouts.manifest import (
    Manifest,
    ManifestError,
    check_image,
    is_signed,
    read_manifest,
)

BUILDS_SHOWN = 100


class UnknownKeyError(LookupError):
    """There is no such key, or it was retired before."""


class KeyThereError(Exception):
    """This key is registered already, in use or retired."""


class SequenceTakenError(Exception):
    """Another build of this hardware and kind has this sequence: a build never changes."""


class UnknownBuildError(LookupError):
    """There is no such build."""


class FirmwareKey(Struct, frozen=True, kw_only=True):
    """The public half, in hex."""

    id: UUID
    name: str
    public_key: str
    added_at: datetime
    retired_at: datetime | None


class Build(Struct, frozen=True, kw_only=True):
    """A build as it was signed. `key`: the name of the key that signed it."""

    id: UUID
    version: str
    sequence: int
    hardware: str
    kind: str
    size: int
    sha256: str
    min_from: int
    journal_formats: list[int]
    expires: datetime
    key: str
    uploaded_by: str
    uploaded_at: datetime


class Upload(Struct, frozen=True, kw_only=True):
    """What `coinslot-sign` made, and the image."""

    manifest: bytes
    signature: bytes
    image: bytes


async def keys(context: Context, merchant: UUID) -> list[FirmwareKey]:
    """The oldest first, with those that are retired."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.KEYS, merchant)
    return [FirmwareKey(**{**row, "public_key": row["public_key"].hex()}) for row in rows]


async def add_key(context: Context, editor: Editor, name: str, public_key: bytes) -> UUID:
    """Builds that this key signs may be uploaded from now on. Raises KeyThereError."""
    now, made = context.now(), uuid7(context.now())
    async with context.db.as_merchant(editor.merchant) as conn:
        new = await conn.fetchval(store.ADD_KEY, made, editor.merchant, name, public_key, now)
        if new is None:
            raise KeyThereError
        act = Act(
            action="firmware_key.added", merchant=editor.merchant, subject=str(made),
            after={"name": name, "public_key": public_key.hex()},
        )  # fmt: skip
        await record(conn, editor.actor, act, now)
    return made


async def retire_key(context: Context, editor: Editor, key: UUID) -> None:
    """It signs no more builds; those that it signed stay. Raises UnknownKeyError."""
    now = context.now()
    async with context.db.as_merchant(editor.merchant) as conn:
        name = await conn.fetchval(store.RETIRE_KEY, key, editor.merchant, now)
        if name is None:
            raise UnknownKeyError
        act = Act(
            action="firmware_key.retired", merchant=editor.merchant, subject=str(key),
            after={"name": name},
        )  # fmt: skip
        await record(conn, editor.actor, act, now)


async def upload(context: Context, editor: Editor, sent: Upload) -> UUID:
    """Keep a build, once it is proved to be whole and signed by a key of the merchant. The same one
    again is the same build. The image is stored before the row says that it is there.

    Raises ManifestError, SequenceTakenError and StorageAwayError."""
    manifest = read_manifest(sent.manifest)
    check_image(manifest, sent.image)
    if context.now() >= manifest.expires:
        raise ManifestError(
            "expired", f"The manifest expired at {manifest.expires:%Y-%m-%d %H:%M}."
        )
    key = await _signer(context, editor.merchant, sent)
    await context.storage.put(image_name(manifest.sha256), sent.image)
    now, made = context.now(), uuid7(context.now())
    async with context.db.as_merchant(editor.merchant) as conn:
        new = await conn.fetchval(
            store.ADD_BUILD, made, editor.merchant, key, manifest.version, manifest.sequence,
            manifest.hardware, manifest.kind, manifest.size, manifest.sha256, manifest.min_from,
            manifest.journal_formats, manifest.expires, sent.manifest.decode(), sent.signature,
            editor.name, now,
        )  # fmt: skip
        if new is None:
            same: UUID | None = await conn.fetchval(
                store.SAME_BUILD, editor.merchant, manifest.hardware, manifest.kind,
                manifest.sequence, sent.manifest.decode(),
            )  # fmt: skip
            if same is None:
                raise SequenceTakenError(
                    f"another build for {manifest.hardware} has the sequence {manifest.sequence}"
                )
            return same
        act = Act(
            action="firmware.uploaded", merchant=editor.merchant, subject=str(made),
            after=_shown(manifest, sent),
        )  # fmt: skip
        await record(conn, editor.actor, act, now)
    return made


def _shown(manifest: Manifest, sent: Upload) -> dict[str, object]:
    digest = hashlib.sha256(sent.manifest).hexdigest()
    return {**msgspec.to_builtins(manifest), "manifest_sha256": digest}


async def _signer(context: Context, merchant: UUID, sent: Upload) -> UUID:
    """Raises ManifestError: not_signed."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.KEYS, merchant)
    for row in rows:
        in_use = row["retired_at"] is None
        if in_use and is_signed(row["public_key"], sent.manifest, sent.signature):
            found: UUID = row["id"]
            return found
    raise ManifestError("not_signed", "None of your keys signed this manifest.")


async def builds(context: Context, merchant: UUID) -> list[Build]:
    """The newest first."""
    async with context.db.as_merchant(merchant) as conn:
        rows = await conn.fetch(store.BUILDS, merchant, None, BUILDS_SHOWN)
    return [Build(**dict(row)) for row in rows]


async def build(context: Context, merchant: UUID, build_id: UUID) -> Build:
    """Raises UnknownBuildError."""
    async with context.db.as_merchant(merchant) as conn:
        row = await conn.fetchrow(store.BUILDS, merchant, build_id, 1)
    if row is None:
        raise UnknownBuildError
    return Build(**dict(row))
