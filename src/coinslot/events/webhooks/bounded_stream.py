"""A connection to a stranger that is read in small pieces and up to a limit: each line it sends
costs work, and nothing else runs in this process meanwhile."""

import asyncio
import ssl
from typing import Any, Final

import httpcore

_SIP_BYTES: Final = 2 * 1024
_ANSWER_MAX_BYTES: Final = 32 * 1024


class BoundedStream(httpcore.AsyncNetworkStream):
    """Lets other tasks run after each piece, and ends an answer that is too long, whatever it
    consists of. A write resets the count: of the answer to it nothing is read yet."""

    def __init__(self, beneath: httpcore.AsyncNetworkStream) -> None:
        self._beneath = beneath
        self._left_bytes = _ANSWER_MAX_BYTES

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._left_bytes <= 0:
            raise httpcore.ReadError(f"the answer is longer than {_ANSWER_MAX_BYTES} bytes")
        sip = await self._beneath.read(min(max_bytes, _SIP_BYTES), timeout)
        self._left_bytes -= len(sip)
        await asyncio.sleep(0)  # bytes that are there already are read without waiting
        return sip

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._left_bytes = _ANSWER_MAX_BYTES
        await self._beneath.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._beneath.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return BoundedStream(await self._beneath.start_tls(ssl_context, server_hostname, timeout))

    def told_of(self, info: str) -> Any:
        return self._beneath.get_extra_info(info)

    get_extra_info = told_of  # httpcore's name for it
