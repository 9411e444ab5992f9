"""Files in a bucket of an S3-compatible service, asked with AWS Signature Version 4."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

import httpx
from msgspec import Struct

from coinslot.kit.clock import Clock
from coinslot.kit.secrets import Secret
from coinslot.storage.base import MOST_BYTES, StorageAwayError, known_name

_PATIENCE_S: Final = 5.0
_FOREVER: Final = "public, max-age=31536000, immutable"


class Bucket(Struct, frozen=True, kw_only=True):
    """Where it is, and who asks. The bucket's name stands in the path: every service takes that."""

    endpoint: str  # https://s3.example.com
    name: str
    region: str
    key_id: str
    secret: Secret
    prefix: str = "pictures/"


class S3Storage:
    """One client for all calls; a call that gets no clear answer is a storage that is away."""

    def __init__(self, bucket: Bucket, clock: Clock) -> None:
        self._bucket = bucket
        self._clock = clock
        self._client = httpx.AsyncClient(timeout=_PATIENCE_S, follow_redirects=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def put(self, name: str, body: bytes) -> None:
        more = {"content-type": "image/webp", "cache-control": _FOREVER}
        status, _ = await self._ask("PUT", name, body, more)
        if status != httpx.codes.OK:
            raise StorageAwayError(f"the bucket answered {status} to PUT")

    async def read(self, name: str) -> bytes | None:
        status, body = await self._ask("GET", name)
        if status == httpx.codes.NOT_FOUND:
            return None
        if status != httpx.codes.OK:
            raise StorageAwayError(f"the bucket answered {status} to GET")
        return body

    async def remove(self, name: str) -> None:
        status, _ = await self._ask("DELETE", name)
        if status not in (httpx.codes.OK, httpx.codes.NO_CONTENT, httpx.codes.NOT_FOUND):
            raise StorageAwayError(f"the bucket answered {status} to DELETE")

    async def _ask(
        self, method: str, name: str, body: bytes = b"", more: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        path = f"/{self._bucket.name}/{self._bucket.prefix}{known_name(name)}"
        url = self._bucket.endpoint.rstrip("/") + quote(path)
        headers = signed(self._bucket, method, url, body, self._clock.now()) | dict(more or {})
        try:
            async with (
                asyncio.timeout(2 * _PATIENCE_S),
                self._client.stream(method, url, headers=headers, content=body) as answer,
            ):
                found = bytearray()
                async for part in answer.aiter_bytes():
                    found += part
                    if len(found) > MOST_BYTES:
                        raise StorageAwayError("the bucket sent more than a picture")
                return answer.status_code, bytes(found)
        except (httpx.HTTPError, TimeoutError) as error:
            raise StorageAwayError(f"the bucket does not answer: {error!r}") from error


def signed(bucket: Bucket, method: str, url: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of a request without a query, signed: host, date and digest of the body are under
    the signature."""
    day, moment = at.strftime("%Y%m%d"), at.strftime("%Y%m%dT%H%M%SZ")
    parts, digest = urlsplit(url), hashlib.sha256(body).hexdigest()
    named = {"host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": moment}
    names = ";".join(named)
    lines = [method, parts.path, "", *(f"{key}:{value}" for key, value in named.items())]
    canonical = "\n".join([*lines, "", names, digest])
    scope = f"{day}/{bucket.region}/s3/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashed])
    key = f"AWS4{bucket.secret.reveal()}".encode()
    for part in (day, bucket.region, "s3", "aws4_request"):
        key = _mac(key, part)
    credential = f"Credential={bucket.key_id}/{scope}"
    return {
        **named,
        "authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names},"
        f" Signature={_mac(key, to_sign).hex()}",
    }


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
