"""Signed tokens: the access token of a session (a JWT that other programs can read too), and
challenges, which nobody stores before they are answered."""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import jwt
import msgspec
from msgspec import Struct

from coinslot.db.pool import Database
from coinslot.db.sealed import SealedColumn
from coinslot.kit.ids import token
from coinslot.kit.secrets import Secret, UnknownKeyError, Vault, VaultKeyError

_ALGORITHM: Final = "HS256"
_SEALED_AS: Final = "installation:jwt_secret"
# Times are compared with the clock that was passed in, not with that of this computer.
_CHECKED: Final[Any] = {
    "verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False,
    "verify_sub": False, "verify_jti": False,
    "require": ["exp"],
}  # fmt: skip
Read = TypeVar("Read", bound="Expiring")


class Expiring(Struct, frozen=True, kw_only=True):
    """What every signed token says: when it ends, in seconds since 1970."""

    exp: int


class AccessClaims(Expiring, frozen=True, kw_only=True):
    """The content of an access token. `sub` is a person or a machine, `sid` its session or key."""

    sub: str
    tenant: UUID | None = msgspec.field(name="tenantId")
    role: str
    permissions: tuple[str, ...]
    iat: int
    sid: UUID


class Challenge(Expiring, frozen=True, kw_only=True):
    """What was proven so far, by whom; nothing yet where a passkey is to say who it is."""

    purpose: str
    jti: UUID
    sub: UUID | None = None
    version: int = 0  # of the person: a changed password ends it
    factors: tuple[str, ...] = ()

    @property
    def nonce(self) -> bytes:
        """What a passkey signs."""
        return hashlib.sha256(b"passkey\0" + self.jti.bytes).digest()


class Tokens:
    """Signs and reads them with the installation's key."""

    def __init__(self, secret: Secret) -> None:
        self._key = secret.reveal().encode()
        # A challenge is never taken for an access token, whatever it says.
        self._challenge_key = hmac.digest(self._key, b"challenges", "sha256")

    def access(self, claims: AccessClaims) -> str:
        return _signed(claims, self._key)

    def read_access(self, text: str, now: datetime) -> AccessClaims | None:
        """None for anything that is not ours, was changed, or has expired."""
        return _read(text, self._key, AccessClaims, now)

    def challenge(self, content: Challenge) -> str:
        return _signed(content, self._challenge_key)

    def read_challenge(self, text: str, purpose: str, now: datetime) -> Challenge | None:
        """None for one of another purpose too."""
        found = _read(text, self._challenge_key, Challenge, now)
        return found if found is not None and found.purpose == purpose else None


def hashed(secret: str) -> bytes:
    """As a secret of 256 random bits is kept: nobody finds one by trying, so a fast hash is
    enough."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def whole_seconds(moment: datetime, *, later: timedelta = timedelta(0)) -> int:
    """As a JWT writes it."""
    return int((moment + later).timestamp())


def _signed(claims: Struct, key: bytes) -> str:
    return jwt.encode(msgspec.to_builtins(claims), key, algorithm=_ALGORITHM)


def _read(text: str, key: bytes, kind: type[Read], now: datetime) -> Read | None:
    try:
        # One algorithm, ours: a token does not choose how it is checked.
        said = jwt.decode(text, key, algorithms=[_ALGORITHM], options=_CHECKED)
        found = msgspec.convert(said, kind)
    except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError):
        return None
    return found if now.timestamp() < found.exp else None


async def signing_key(db: Database, vault: Vault) -> Secret:
    """The installation's own, made when it is first asked for. Raises VaultKeyError where it was
    sealed with a key that is gone."""
    async with db.system_transaction() as conn:
        sealed = await conn.fetchval("SELECT jwt_secret FROM installation")
        if sealed is None:  # only then a lock: a server that is read-only can still read
            sealed = await conn.fetchval("SELECT jwt_secret FROM installation FOR NO KEY UPDATE")
        if sealed is None:
            made = token(48)
            await conn.execute(
                "UPDATE installation SET jwt_secret = $1", vault.seal(made.encode(), _SEALED_AS)
            )
            return Secret(made)
    try:
        return Secret(vault.open(sealed, _SEALED_AS).decode())
    except UnknownKeyError as error:
        raise VaultKeyError(
            f"the key that signs people's tokens is {error}: name that key in COINSLOT_KEYS too,"
            " or set JWT_SECRET"
        ) from error


SEALED: Final = (
    SealedColumn(
        table="installation", column="jwt_secret", key="one", names=(),
        place=lambda _row: _SEALED_AS,
    ),
)  # fmt: skip
