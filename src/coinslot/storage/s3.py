"""Files in a bucket of an S3-compatible service, asked with AWS Signature Version 4."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
from msgspec import Struct

from coinslot.kit.clock import Clock
from coinslot.kit.secrets import Secret
from coinslot.kit.tls import trusted
from coinslot.storage.base import MOST_BYTES, StorageAwayError, known_name

_PATIENCE_S: Final = 5.0
_FOREVER: Final = "public, max-age=31536000, immutable"
_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_MOMENT: Final = "%Y%m%dT%H%M%SZ"
_LONGEST: Final = timedelta(days=7)  # that a service takes in a signed address


class Bucket(Struct, frozen=True, kw_only=True):
    """Where it is, and who asks. The bucket's name stands in the path: every service takes that."""

    endpoint: str  # https://s3.example.com
    devices_endpoint: str | None = None  # where machines reach it; None: they do not
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
        self._client = httpx.AsyncClient(
            timeout=_PATIENCE_S, follow_redirects=False, verify=trusted()
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def put(self, name: str, body: bytes) -> None:
        kind = "image/webp" if name.endswith(".webp") else "application/octet-stream"
        more = {"content-type": kind, "cache-control": _FOREVER}
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

    async def read_part(self, name: str, first: int, end: int) -> bytes | None:
        if end <= first:
            return b""
        status, body = await self._ask("GET", name, more={"range": f"bytes={first}-{end - 1}"})
        match status:
            case httpx.codes.PARTIAL_CONTENT:
                return body[: end - first]
            case httpx.codes.OK:  # it does not know Range
                return body[first:end]
            case httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return b""
            case httpx.codes.NOT_FOUND:
                return None
            case _:
                raise StorageAwayError(f"the bucket answered {status} to GET")

    def address(self, name: str, life: timedelta) -> str | None:
        if self._bucket.devices_endpoint is None:
            return None
        url = self._bucket.devices_endpoint.rstrip("/") + self._path(name)
        return signed_address(self._bucket, url, self._clock.now(), min(life, _LONGEST))

    async def remove(self, name: str) -> None:
        status, _ = await self._ask("DELETE", name)
        if status not in (httpx.codes.OK, httpx.codes.NO_CONTENT, httpx.codes.NOT_FOUND):
            raise StorageAwayError(f"the bucket answered {status} to DELETE")

    async def _ask(
        self, method: str, name: str, body: bytes = b"", more: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        url = self._bucket.endpoint.rstrip("/") + self._path(name)
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
                        raise StorageAwayError("the bucket sent more than was stored")
                return answer.status_code, bytes(found)
        except (httpx.HTTPError, TimeoutError) as error:
            raise StorageAwayError(f"the bucket does not answer: {error!r}") from error

    def _path(self, name: str) -> str:
        return quote(f"/{self._bucket.name}/{self._bucket.prefix}{known_name(name)}")


def signed(bucket: Bucket, method: str, url: str, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of a request without a query, signed: host, date and digest of the body are under
    the signature."""
    moment = at.strftime(_MOMENT)
    parts, digest = urlsplit(url), hashlib.sha256(body).hexdigest()
    named = {"host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": moment}
    names = ";".join(named)
    lines = [method, parts.path, "", *(f"{key}:{value}" for key, value in named.items())]
    canonical = "\n".join([*lines, "", names, digest])
    credential = f"Credential={bucket.key_id}/{_scope(bucket, at)}"
    return {
        **named,
        "authorization": f"{_ALGORITHM} {credential}, SignedHeaders={names},"
        f" Signature={_signature(bucket, canonical, at)}",
    }


def signed_address(bucket: Bucket, url: str, at: datetime, life: timedelta) -> str:
    """The address, without a query, from which anybody may GET for so long. Only the host is under
    the signature, so that the asker may name a Range."""
    parts = urlsplit(url)
    query = urlencode(
        {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{bucket.key_id}/{_scope(bucket, at)}",
            "X-Amz-Date": at.strftime(_MOMENT),
            "X-Amz-Expires": str(max(int(life.total_seconds()), 1)),
            "X-Amz-SignedHeaders": "host",
        },
        quote_via=quote, safe="",
    )  # fmt: skip
    lines = ["GET", parts.path, query, f"host:{parts.netloc}", "", "host", "UNSIGNED-PAYLOAD"]
    return f"{url}?{query}&X-Amz-Signature={_signature(bucket, chr(10).join(lines), at)}"


def _scope(bucket: Bucket, at: datetime) -> str:
    return f"{at.strftime('%Y%m%d')}/{bucket.region}/s3/aws4_request"


def _signature(bucket: Bucket, canonical: str, at: datetime) -> str:
    scope, hashed = _scope(bucket, at), hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{bucket.secret.reveal()}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    to_sign = "\n".join([_ALGORITHM, at.strftime(_MOMENT), scope, hashed])
    return _mac(key, to_sign).hex()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
