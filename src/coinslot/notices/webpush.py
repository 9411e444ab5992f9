"""Web Push: a notice to one browser through its maker's service (RFC 8030), encrypted for that
browser (RFC 8291) and signed (VAPID, RFC 8292). Where a subscription leads was named by a stranger,
so app hands in the HTTP that checks every address."""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Final, Protocol
from urllib.parse import urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from coinslot.kit.clock import Clock
from coinslot.notices.base import Cause, Form, Notice, Powers, Refused, Sent, Stage, Unclear

AUTH_BYTES: Final = 16
_RECORD: Final = 4096
_LONGEST_S: Final = 28 * 86400
_TOKEN_LIFE: Final = timedelta(hours=12)
_BODY_CHARS: Final = 600  # of 3,993 bytes that every service takes
_TITLE_CHARS: Final = 200


class Answered(Protocol):
    """What became of one call. `status` is None when no answer came."""

    @property
    def status(self) -> int | None: ...

    @property
    def failure(self) -> str | None: ...


class Post(Protocol):
    """POSTs to addresses that strangers named, and to public ones alone."""

    private: bool

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Answered: ...

    async def close(self) -> None: ...


class Subscription(msgspec.Struct, frozen=True):
    """A browser: where it is reached, and what only it can open."""

    endpoint: str
    public: ec.EllipticCurvePublicKey
    auth: bytes


def subscription(endpoint: str, p256dh: str, auth: str) -> Subscription:
    """As a browser wrote it. Raises ValueError."""
    point, secret = _from_base64(p256dh), _from_base64(auth)
    if len(secret) != AUTH_BYTES:
        raise ValueError("the secret of a subscription has 16 bytes")
    return Subscription(
        endpoint, ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point), secret
    )


class WebPush:
    """One installation, to every push service."""

    name: ClassVar[str] = "webpush"
    powers: ClassVar[Mapping[Form, Powers]] = {Form.PUSH: Powers(most_chars=20_000)}

    def __init__(
        self, key: ec.EllipticCurvePrivateKey, contact: str, post: Post, clock: Clock
    ) -> None:
        """`contact`: a mailto: or https: address, for whoever runs a push service."""
        self._key, self._contact, self._post, self._clock = key, contact, post, clock
        self.public_key = _base64(_point(key.public_key()))
        self.private = post.private  # for tests: push services on this computer

    async def close(self) -> None:
        await self._post.close()

    async def send(self, form: Form, notice: Notice) -> Sent | Refused | Unclear:
        """`to` is the endpoint, the browser's key and its secret, separated by spaces."""
        if form is not Form.PUSH:
            return Refused(cause=Cause.CONTENT, reason=f"Web Push sends no {form}")
        if not notice.text.strip() or len(notice.text) > self.powers[form].most_chars:
            return Refused(cause=Cause.CONTENT, reason="the text is empty or too long")
        try:
            browser = subscription(*notice.to.split(" "))
        except (ValueError, TypeError):
            return Refused(cause=Cause.RECIPIENT, reason="this is no subscription")
        topic = _topic(notice.key)
        body = encrypted(browser, _shown(notice, topic), ec.generate_private_key(ec.SECP256R1()))
        headers = {
            "authorization": f"vapid t={self._token(browser.endpoint)}, k={self.public_key}",
            "content-encoding": "aes128gcm", "content-type": "application/octet-stream",
            "ttl": str(min(notice.valid_s, _LONGEST_S)), "urgency": "high", "topic": topic,
        }  # fmt: skip
        return _read(await self._post.post(browser.endpoint, headers, body), notice.key)

    def _token(self, endpoint: str) -> str:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}", "sub": self._contact,
            "exp": int((self._clock.now() + _TOKEN_LIFE).timestamp()),
        }  # fmt: skip
        return jwt.encode(claims, self._key, algorithm="ES256")


def encrypted(
    browser: Subscription, plain: bytes, own: ec.EllipticCurvePrivateKey, salt: bytes | None = None
) -> bytes:
    """One record that only this browser can open. `own` is used for it alone."""
    salt = os.urandom(16) if salt is None else salt
    ours, theirs = _point(own.public_key()), _point(browser.public)
    shared = own.exchange(ec.ECDH(), browser.public)
    secret = _expanded(browser.auth, shared, b"WebPush: info\0" + theirs + ours, 32)
    key = _expanded(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _expanded(salt, secret, b"Content-Encoding: nonce\0", 12)
    head = salt + _RECORD.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, plain + b"\x02", None)


def _expanded(salt: bytes, secret: bytes, info: bytes, size: int) -> bytes:
    """HKDF with SHA-256, of one block."""
    extracted = hmac.digest(salt, secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")[:size]


def _shown(notice: Notice, tag: str) -> bytes:
    """What the service worker shows. A notice with the same tag takes the place of the first."""
    title = notice.subject[:_TITLE_CHARS]
    body = notice.text.removeprefix(notice.subject).strip()[:_BODY_CHARS]
    said = {"title": title, "body": body, "url": notice.link, "tag": tag, "lang": notice.language}
    return msgspec.json.encode(said)


def _topic(key: str) -> str:
    """The same for a notice that is sent again: a service keeps the last one only."""
    return _base64(hashlib.sha256(key.encode()).digest())[:32]


def _read(answer: Answered, key: str) -> Sent | Refused | Unclear:
    status, failure = answer.status, answer.failure or ""
    if status is None:
        if failure.startswith("NotPublicError"):
            return Refused(cause=Cause.RECIPIENT, reason=failure)
        if failure.startswith(("ConnectError", "ConnectTimeout")):
            return Refused(cause=Cause.UNREACHED, reason=failure)
        return Unclear(failure)
    if 200 <= status < 300:
        return Sent(reference=key, stage=Stage.SENT)
    causes = {404: Cause.RECIPIENT, 410: Cause.RECIPIENT, 400: Cause.CONTENT, 413: Cause.CONTENT,
              429: Cause.BUSY}  # fmt: skip
    if 400 <= status < 500 and status != 408:
        cause = causes.get(status, Cause.ACCOUNT)
        return Refused(cause=cause, reason=f"HTTP {status}", code=str(status))
    return Unclear(f"HTTP {status}")


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _base64(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def _from_base64(text: str) -> bytes:
    if len(text) > 200 or not text.isascii():
        raise ValueError("this is no key")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
