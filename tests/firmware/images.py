"""Images as a roll-out serves them: built from the real modules, signed, fetched over HTTP."""

import asyncio
import contextlib
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from firmware.build import image

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


@cache
def built(version: str, sequence: int, module: str = "", source: str = "") -> bytes:
    return image(version, sequence, "unix", {module: source} if module else None)


def manifest_of(data: bytes, version: str, sequence: int, **changes: Any) -> dict[str, Any]:
    return {
        "version": version, "sequence": sequence, "hardware": "unix", "kind": "app",
        "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "min_from": 1,
        "journal_formats": [1], "expires": "2030-01-01T00:00:00Z", **changes,
    }  # fmt: skip


def signed(manifest: Mapping[str, Any], key: Ed25519PrivateKey = KEY, **more: object) -> bytes:
    text = json.dumps(manifest)
    answer = {"manifest": text, "signature": key.sign(text.encode()).hex(), **more}
    return json.dumps(answer).encode()


class Depot:
    """Serves manifests and images; `cuts` are lengths after which the next answers break off."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, int]] = []
        self.cuts: list[int] = []
        self.refused: set[str] = set()
        self.port = 0

    def put(self, name: str, manifest: bytes, data: bytes) -> str:
        self.files[f"/{name}"], self.files[f"/{name}/image"] = manifest, data
        return f"http://127.0.0.1:{self.port}/{name}"

    def put_good(self, name: str, version: str, sequence: int, **changed: str) -> str:
        data = built(version, sequence, **changed)
        return self.put(name, signed(manifest_of(data, version, sequence)), data)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        found = re.search(r"Range: bytes=(\d+)-", head)
        start = int(found[1]) if found else 0
        self.asked.append((path, start))
        if path in self.refused:
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        body = self.files[path][start:]
        status = "206 Partial Content" if start else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        is_image = path.endswith("/image")
        writer.write(body[: self.cuts.pop(0)] if is_image and self.cuts else body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            writer.close()


@contextlib.asynccontextmanager
async def depot() -> AsyncIterator[Depot]:
    made = Depot()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made
