"""Secrets: encrypted at rest, wrapped in memory, removed from logs."""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable, Mapping
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
REDACTED = "***"

_FORMAT = b"\x01"
_NONCE_BYTES = 12
_MAX_KEY_ID_BYTES = 32


class SealBrokenError(ValueError):
    """The sealed bytes were changed, cut, or sealed for another context."""


class UnknownKeyError(LookupError):
    """Sealed with a key that this vault does not hold."""


class VaultKeyError(ValueError):
    """The vault's keys cannot be used."""


class Vault:
    """AES-256-GCM under the current key; older keys still decrypt what they encrypted.

    `context` binds encrypted bytes to their place (table, row, column): moved elsewhere, they do
    not decrypt. To rotate: add a key, make it current, encrypt again what is `stale`, drop the old
    key."""

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        for key_id, key in keys.items():
            if not 0 < len(key_id.encode()) <= _MAX_KEY_ID_BYTES:
                raise VaultKeyError(f"key id {key_id!r} must have 1 to {_MAX_KEY_ID_BYTES} bytes")
            if len(key) != KEY_BYTES:
                raise VaultKeyError(f"key {key_id!r} must have {KEY_BYTES} bytes")
        if current not in keys:
            raise VaultKeyError(f"the current key {current!r} is not among the keys")
        self._digest_key = hmac.digest(keys[current], b"digests", "sha256")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = current

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "id:base64,id:base64"; the first key is the current one."""
        keys: dict[str, bytes] = {}
        for part in text.split(","):
            key_id, colon, encoded = part.strip().partition(":")
            if not colon:  # it may be a bare key, which must not be repeated to anyone
                raise VaultKeyError("a key is written id:base64")
            try:
                keys[key_id] = base64.b64decode(encoded, validate=True)
            except ValueError:
                raise VaultKeyError(f"key {key_id!r} is not base64") from None
        return cls(keys, next(iter(keys)))

    @staticmethod
    def new_key() -> bytes:
        return os.urandom(KEY_BYTES)

    def seal(self, plain: bytes, context: str) -> bytes:
        key_id = self._current.encode()
        head = _FORMAT + bytes([len(key_id)]) + key_id
        nonce = os.urandom(_NONCE_BYTES)
        return (
            head
            + nonce
            + self._ciphers[self._current].encrypt(nonce, plain, head + context.encode())
        )

    def open(self, sealed: bytes, context: str) -> bytes:
        """Raises SealBrokenError or UnknownKeyError."""
        key_id, head_bytes = self._key_of(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnknownKeyError(f"sealed with key {key_id!r}, which this vault does not hold")
        head, rest = sealed[:head_bytes], sealed[head_bytes:]
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + context.encode())
        except (InvalidTag, ValueError):
            raise SealBrokenError(f"what was sealed for {context!r} does not open") from None

    def digest(self, text: str, context: str) -> str:
        """A digest of `text` that reveals nothing of it: the same in every process, another one
        after the key was changed."""
        named = f"{context}\0{text}".encode(errors="replace")
        return hmac.digest(self._digest_key, named, "sha256").hex()[:32]

    def derive(self, purpose: str) -> bytes:
        """A key for one purpose, from the current key."""
        return hmac.digest(self._digest_key, f"derived\0{purpose}".encode(), "sha256")

    @property
    def current(self) -> str:
        """The name of the key that seals."""
        return self._current

    @property
    def mark(self) -> bytes:
        """How everything begins that the current key sealed."""
        key_id = self._current.encode()
        return _FORMAT + bytes([len(key_id)]) + key_id

    def key_of(self, sealed: bytes) -> str:
        """The name of the key that sealed it; empty for what no vault sealed."""
        try:
            return self._key_of(sealed)[0]
        except SealBrokenError:
            return ""

    def stale(self, sealed: bytes) -> bool:
        """Whether another key than the current one sealed it."""
        return self._key_of(sealed)[0] != self._current

    def _key_of(self, sealed: bytes) -> tuple[str, int]:
        if len(sealed) < 2 or sealed[:1] != _FORMAT or len(sealed) < 2 + sealed[1]:
            raise SealBrokenError("these bytes were not sealed by a vault")
        head_bytes = 2 + sealed[1]
        try:
            return sealed[2:head_bytes].decode(), head_bytes
        except UnicodeDecodeError:
            raise SealBrokenError("these bytes were not sealed by a vault") from None


class Peppers:
    """Keys for digests of what is short enough to be guessed: who reads the database cannot try.

    A digest names its key, so that the key is rotated by naming a new one first: older digests are
    compared under theirs for as long as that is named too."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys, self._current = dict(keys), next(iter(keys))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "id:base64,id:base64"; the first is the current one. Raises VaultKeyError."""
        keys: dict[str, bytes] = {}
        for part in text.split(","):
            key_id, colon, encoded = part.strip().partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except ValueError:
                key = b""
            if not colon or not key_id or len(key) != KEY_BYTES:
                raise VaultKeyError("a pepper is written id:base64, of 32 bytes")
            keys[key_id] = key
        return cls(keys)

    @classmethod
    def of(cls, vault: Vault) -> Self:
        """Where none is named: one that comes from the vault's current key."""
        return cls({"vault": vault.derive("peppers")})

    def digest(self, text: str, context: str) -> str:
        return f"{self._current}:{self._made(self._current, text, context)}"

    def matches(self, kept: str, text: str, context: str) -> bool:
        """In constant time. False too where its key is not named any more."""
        key_id, _, made = kept.rpartition(":")
        if key_id not in self._keys:
            return False
        return hmac.compare_digest(self._made(key_id, text, context), made)

    def _made(self, key_id: str, text: str, context: str) -> str:
        named = f"{context}\0{text}".encode(errors="replace")
        return hmac.digest(self._keys[key_id], named, "sha256").hex()[:32]


class Secret:
    """Text that is shown only by `reveal`, never in a log, a repr or an f-string."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Secret({REDACTED})"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))


def hmac_hex(key: bytes, message: bytes) -> str:
    """HMAC-SHA-256 in lower-case hex."""
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def redact(value: object, names: Iterable[str]) -> object:
    """A copy of JSON-like data without the values of any of `names`.

    Names are compared without case, `-` and `_`: "api_key" also removes "Api-Key" and "apiKey"."""
    return _redact(value, frozenset(_folded(name) for name in names))


def _redact(value: object, names: frozenset[str]) -> object:
    match value:
        case Secret():
            return REDACTED
        case Mapping():
            return {
                key: REDACTED if _folded(str(key)) in names else _redact(inner, names)
                for key, inner in value.items()
            }
        case list() | tuple():
            return [_redact(inner, names) for inner in value]
        case _:
            return value


def _folded(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
