"""A push service on a real socket, and the browser behind it: it opens what comes with the library
of Mozilla's (http-ece), and has the sender's token judged by theirs (py-vapid)."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import http_ece
import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class PushService:
    """`status` answers every call."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.secret = os.urandom(16)
        self.status = 201
        self.answers = asyncio.Event()
        self.answers.set()
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.origin = ""

    @property
    def endpoint(self) -> str:
        return f"{self.origin}/push/one"

    @property
    def p256dh(self) -> str:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return b64(point)

    @property
    def json(self) -> str:
        """As a browser writes it."""
        keys = {"p256dh": self.p256dh, "auth": b64(self.secret)}
        said = {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}
        return msgspec.json.encode(said).decode()

    @property
    def to(self) -> str:
        return f"{self.endpoint} {self.p256dh} {b64(self.secret)}"

    def opened(self, number: int = -1) -> dict[str, Any]:
        """What the browser shows."""
        plain = http_ece.decrypt(
            self.got[number][1], private_key=self.key, auth_secret=self.secret,
            version="aes128gcm",
        )  # fmt: skip
        found: dict[str, Any] = msgspec.json.decode(plain)
        return found

    def claims(self, number: int = -1) -> dict[str, Any]:
        """Of the token, after the signature fits the key beside it."""
        said = self.got[number][0]["authorization"]
        token, _, key = said.removeprefix("vapid t=").partition(", k=")
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(key))
        off: Any = {"verify_exp": False, "verify_aud": False}
        found: dict[str, Any] = jwt.decode(token, public, algorithms=["ES256"], options=off)
        return found

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append((headers, await request.read()))
        await self.answers.wait()
        return web.Response(status=self.status)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["PushService"]:
        app = web.Application()
        app.router.add_post("/push/one", self._take)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.origin = f"http://{host}:{port}"
        yield self
        self.answers.set()
        await runner.cleanup()
