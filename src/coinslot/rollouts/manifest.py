"""The manifest of a build: what it is, and for which machines. It is signed as the text that it is,
so nobody has to write the same JSON twice. docs/fleet.md says what each field means."""

import hashlib
from datetime import datetime
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta, Struct

IMAGE_BYTES_AT_MOST: Final = 3 * 1024 * 1024  # twice what the chip has room for
MANIFEST_BYTES_AT_MOST: Final = 2048  # a chip reads it whole

Word = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,31}\Z")]
Number = Annotated[int, Meta(ge=1, le=2**53)]
Format = Annotated[int, Meta(ge=1, le=255)]


class ManifestError(Exception):
    """The manifest, its signature or its image is not as it should be. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`sequence` grows with every build of a hardware and kind, also where one brings older code
    back. `min_from`: the lowest sequence that a machine may come from. `journal_formats`: the
    formats of the journal that the code reads, the one that it writes last."""

    version: Word
    sequence: Number
    hardware: Word
    kind: Word
    size: Annotated[int, Meta(ge=1, le=IMAGE_BYTES_AT_MOST)]
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    min_from: Annotated[int, Meta(ge=0, le=2**53)] = 0
    journal_formats: Annotated[list[Format], Meta(min_length=1, max_length=16)]
    expires: datetime

    def __post_init__(self) -> None:
        if self.expires.tzinfo is None:
            raise ValueError("expires names no zone")
        if self.min_from > self.sequence:
            raise ValueError("min_from is above sequence")

    @property
    def writes(self) -> int:
        """The format of the journal that this code writes."""
        return self.journal_formats[-1]

    def text(self) -> str:
        """What is signed."""
        return msgspec.json.encode(self).decode()


def read_manifest(text: bytes) -> Manifest:
    """Raises ManifestError: bad_manifest."""
    if len(text) > MANIFEST_BYTES_AT_MOST:
        raise ManifestError(
            "bad_manifest", f"A manifest has at most {MANIFEST_BYTES_AT_MOST} bytes."
        )
    try:
        return msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ManifestError("bad_manifest", f"The manifest cannot be read: {error}.") from None


def sign(key: Ed25519PrivateKey, manifest: Manifest) -> tuple[str, bytes]:
    """The text, and its signature."""
    text = manifest.text()
    return text, key.sign(text.encode())


def is_signed(public_key: bytes, text: bytes, signature: bytes) -> bool:
    """Whether this key signed exactly these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_image(manifest: Manifest, image: bytes) -> None:
    """Raises ManifestError: other_image."""
    if len(image) != manifest.size:
        raise ManifestError(
            "other_image", f"The image has {len(image)} bytes, and was signed with {manifest.size}."
        )
    if hashlib.sha256(image).hexdigest() != manifest.sha256:
        raise ManifestError("other_image", "The image is not the one that was signed.")
