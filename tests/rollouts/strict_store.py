"""A small S3-compatible store on a socket, which takes nobody's word: it computes each signature
anew with Amazon's own library, and refuses an address that is too old or was changed."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY_ID, SECRET, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "ap-south-1"
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")
_SIGNED_MOMENT: Final = "%Y%m%dT%H%M%SZ"


class StrictStore:
    """What it holds by path, and what was asked: how, where, which range, answered with what."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._credentials = Credentials(KEY_ID, SECRET)
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None, int, int]] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.rstrip().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        method, target, _ = first.split()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        status, sent, more = self._judge(method, target, headers, body)
        self.asked.append((method, headers.get("range"), status, len(sent)))
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(sent)}\r\n{more}"
            "Connection: close\r\n\r\n".encode()
            + sent
        )
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            writer.close()

    def _judge(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes, str]:
        path, query = urlsplit(target).path, dict(parse_qsl(urlsplit(target).query))
        if not self._is_signed(method, target, headers, query):
            return 403, b"<Error/>", ""
        if method == "PUT":
            self.objects[path] = body
            return 200, b"", ""
        found = self.objects.get(path)
        if found is None:
            return 404, b"<Error/>", ""
        asked = _RANGE.fullmatch(headers.get("range", ""))
        if asked is None:
            return 200, found, ""
        begin = int(asked[1])
        end = min(int(asked[2] or len(found)) + 1, len(found))
        if begin >= len(found):
            return 416, b"<Error/>", ""
        return 206, found[begin:end], f"Content-Range: bytes {begin}-{end - 1}/{len(found)}\r\n"

    def _is_signed(
        self, method: str, target: str, headers: dict[str, str], query: dict[str, str]
    ) -> bool:
        url = f"http://{headers['host']}{target}"
        if "authorization" in headers:
            request = AWSRequest(method=method, url=url)
            for name in ("host", "x-amz-content-sha256", "x-amz-date"):
                request.headers[name] = headers[name]
            request.context["timestamp"] = headers["x-amz-date"]
            judge = S3SigV4Auth(self._credentials, "s3", REGION)
            return headers["authorization"].endswith(self._signature(judge, request))
        if method != "GET" or "X-Amz-Signature" not in query:
            return False
        signature = query.pop("X-Amz-Signature")
        request = AWSRequest(method=method, url=url.partition("?")[0], params=query)
        request.headers["host"] = headers["host"]
        request.context["timestamp"] = query["X-Amz-Date"]
        judge = S3SigV4QueryAuth(self._credentials, "s3", REGION)
        at = datetime.strptime(query["X-Amz-Date"], _SIGNED_MOMENT).replace(tzinfo=UTC)
        until = at + timedelta(seconds=int(query["X-Amz-Expires"]))
        return self._now() < until and signature == self._signature(judge, request)

    def _signature(self, judge: S3SigV4Auth, request: AWSRequest) -> str:
        canonical = judge.canonical_request(request)
        return str(judge.signature(judge.string_to_sign(request, canonical), request))


@contextlib.asynccontextmanager
async def strict_store(now: Callable[[], datetime]) -> AsyncIterator[StrictStore]:
    made = StrictStore(now)
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made
