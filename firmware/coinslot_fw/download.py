"""The download of an update: the manifest's answer, and the image into its slot. In memory only
while something is downloaded."""

import asyncio
import json
from binascii import unhexlify

from coinslot_fw.flash import SECTOR, FlashError
from coinslot_fw.update import RefusedError

_READ_S = 20
_MANIFEST_MAX = 4096
_PIECE = 512
_SAVED_EVERY = 65536  # so much may be downloaded again after a power cut


class Receiver:
    """Writes an image into a slot, piece by piece, and saves how far it came."""

    def __init__(self, flash, size, start, save):
        self._flash = flash
        self._size = size
        self._save = save
        self.got = start  # bytes that are on the flash
        self._piece = bytearray(_PIECE)  # one for all: memory is short
        self._filled = 0

    def write(self, data):
        if self.got + self._filled + len(data) > self._size:
            raise RefusedError("SIZE")
        taken = 0
        while taken < len(data):
            more = min(_PIECE - self._filled, len(data) - taken)
            self._piece[self._filled : self._filled + more] = data[taken : taken + more]
            self._filled += more
            taken += more
            if self._filled == _PIECE or self.got + self._filled == self._size:
                self._put()

    def _put(self):
        part = bytes(self._piece[: self._filled])
        if self.got % SECTOR == 0:
            self._flash.erase(self.got)
        self._flash.write(self.got, part)
        if self._flash.read(self.got, len(part)) != part:
            raise FlashError
        self.got += len(part)
        self._filled = 0
        if self.got % _SAVED_EVERY == 0:
            self._save(self.got)

    def begin(self, whole):
        """A new connection: it goes on at the last whole sector. `whole`: from the beginning."""
        self._filled = 0
        self.got = 0 if whole else self.got - self.got % SECTOR


def parts_of(url):
    """(host, port, path, whether TLS). Raises ValueError."""
    scheme, _, rest = url.partition("://")
    where, _, path = rest.partition("/")
    host, _, port = where.partition(":")
    if scheme not in ("http", "https") or not host:
        raise ValueError("no URL")
    secure = scheme == "https"
    return host, int(port or (443 if secure else 80)), "/" + path, secure


class Body:
    """A small answer, kept in memory."""

    def __init__(self):
        self.data = bytearray()

    def begin(self, whole):
        self.data = bytearray()

    def write(self, part):
        self.data += part
        if len(self.data) > _MANIFEST_MAX:
            raise RefusedError("MANIFEST")


def opened(body):
    """The text, its signature and the address in a store, as an answer has them; nothing of it is
    believed yet. Raises RefusedError."""
    try:
        answer = json.loads(body.data)
        text, signature = answer["manifest"].encode(), unhexlify(answer["signature"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError("MANIFEST")
    return text, signature, answer.get("image_url")


async def fetch(tls, url, start, receiver):
    """Writes what a GET answers, from `start` on, to the receiver. A server that ignores the range
    begins anew. Raises OSError, EOFError, ValueError and TimeoutError."""
    host, port, path, secure = parts_of(url)
    options = {"ssl": tls(), "server_hostname": host} if secure else {}
    opening = asyncio.open_connection(host, port, **options)
    reader, writer = await asyncio.wait_for(opening, _READ_S)
    try:
        wanted = "Range: bytes=%d-\r\n" % start if start else ""
        head = "GET %s HTTP/1.1\r\nHost: %s\r\n%sConnection: close\r\n\r\n"
        if port != (443 if secure else 80):  # else a store, which signs the host, refuses it
            host = "%s:%d" % (host, port)
        writer.write((head % (path, host, wanted)).encode())
        await writer.drain()
        status, left = await _head(reader)
        if status not in (200, 206):
            raise OSError("status %d" % status)
        if status == 200 and start:
            receiver.begin(True)
        while left:
            part = await asyncio.wait_for(reader.read(min(left, _PIECE)), _READ_S)
            if not part:
                raise EOFError
            left -= len(part)
            receiver.write(part)
    finally:
        writer.close()


async def _head(reader):
    """The status and the length of the body, which must be said."""
    line = await asyncio.wait_for(reader.readline(), _READ_S)
    status, length = int(line.split()[1]), None
    for _ in range(50):
        line = await asyncio.wait_for(reader.readline(), _READ_S)
        name, _, value = line.decode().partition(":")
        if name.lower() == "content-length":
            length = int(value)
        if line in (b"\r\n", b""):
            break
    if length is None:
        raise ValueError("no length")
    return status, length
