"""Who may come in: the emulators' `owner`, and service accounts by tokens, as Google gives them."""

import base64
import secrets
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.clock import now_s
from sandbox.firebase.refusals import RefusedError
from sandbox.store import Change

OWNER = "owner"
TOKEN_LIFE_S = 3_600
KEY_BITS = 2_048
NEEDED_SCOPES = frozenset(
    f"https://www.googleapis.com/auth/{name}" for name in ("userinfo.email", "firebase.database")
)
AUDIENCE = "https://oauth2.googleapis.com/token"  # Google's client says so wherever it asks
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Key(msgspec.Struct):
    """A service account as the sandbox keeps it: whose it is, and what proves it."""

    email: str
    public_key: str


def admit(look: Change, bearer: str | None) -> None:
    """Let an administrator in. Raises RefusedError."""
    if bearer is None:
        raise RefusedError(401, "Permission denied")
    if bearer == OWNER:
        return
    row = look.one("SELECT body FROM facts WHERE name = ?", (f"firebase.token.{bearer}",))
    if row is None:
        raise RefusedError(401, "Unauthorized request.")
    if msgspec.json.decode(row["body"], type=int) <= now_s():
        raise RefusedError(401, "Auth token is expired")


def new_account(change: Change, project: str, token_url: str) -> dict[str, Any]:
    """A service account's file, as the console lets one download it."""
    private = rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
    email = f"firebase-adminsdk-{secrets.token_hex(3)}@{project}.iam.gserviceaccount.com"
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    _keep(change, f"firebase.account.{email}", Key(email, public.decode()))
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": secrets.token_hex(20),
        "private_key": private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        "client_email": email,
        "client_id": str(secrets.randbelow(10**20)),
        "token_uri": token_url,
    }


def key_of(look: Change, email: str) -> Key | None:
    row = look.one("SELECT body FROM facts WHERE name = ?", (f"firebase.account.{email}",))
    return msgspec.json.decode(row["body"], type=Key) if row else None


def new_token(change: Change, life_s: int = TOKEN_LIFE_S) -> dict[str, Any]:
    token = f"ya29.{secrets.token_urlsafe(32)}"
    _keep(change, f"firebase.token.{token}", now_s() + life_s)
    return {"access_token": token, "expires_in": life_s, "token_type": "Bearer"}


def expire_tokens(change: Change) -> None:
    """Every token that was given ends now."""
    change.run("UPDATE facts SET body = '0' WHERE name LIKE 'firebase.token.%'")


def _keep(change: Change, name: str, body: object) -> None:
    change.run(
        "INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
        (name, msgspec.json.encode(body)),
    )


def granted(change: Change, assertion: str) -> dict[str, Any] | None:
    """A token for who signed this JWT (RS256) with a key that we gave, for Google; else None."""
    try:
        head, claims, signature = (_unpacked(part) for part in assertion.split("."))
        said = msgspec.json.decode(claims, type=dict[str, Any])
        key = key_of(change, str(said.get("iss")))
        if key is None or msgspec.json.decode(head, type=dict[str, Any]).get("alg") != "RS256":
            return None
        public = serialization.load_pem_public_key(key.public_key.encode())
        assert isinstance(public, rsa.RSAPublicKey)
        signed = assertion.rpartition(".")[0].encode()
        public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, msgspec.MsgspecError, InvalidSignature):
        return None
    scopes = str(said.get("scope", "")).split()
    if said.get("aud") != AUDIENCE or int(said.get("exp", 0)) <= now_s():
        return None
    return new_token(change) if set(scopes) >= NEEDED_SCOPES else None


def _unpacked(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
