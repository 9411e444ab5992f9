"""Calls to addresses that strangers named. Every address that a name resolves to is checked, and
the connection goes to the checked address; redirects are never followed."""

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
from msgspec import Struct

from coinslot.events.webhooks.bounded_stream import BoundedStream
from coinslot.events.webhooks.dns import Resolver
from coinslot.kit.clock import monotonic_ms
from coinslot.kit.tls import trusted

READ_MAX_BYTES: Final = 16 * 1024
KEPT_CHARS: Final = 500
_URL_MAX_CHARS: Final = 2048
_KEEPALIVE_S = 20.0
_POOLS_MAX = 200

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]

# IANA's registries of special-purpose addresses, written out: what `ipaddress` calls global differs
# between releases of Python. With them are public addresses that a cloud answers on inside.
_V4_SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "100.64.0.0/10",  # shared by carriers; Alibaba's metadata (100.100.100.200) is in it
        "192.0.0.0/24",  # of the IETF; Oracle's metadata (192.0.0.192) is in it
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's host answers here to each machine that it runs
    )
)  # fmt: skip
_V6_PUBLIC = ipaddress.ip_network("2000::/3")
_V6_SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})  # before an IPv4 address in the lower half
_LOW_32_BITS = 2**32 - 1


class NotPublicError(httpcore.ConnectError):
    """The name leads to an address that is not public."""


class BadUrlError(ValueError):
    """Webhooks cannot be sent to this address; the message says why."""


class TryOutcome(Struct, frozen=True, kw_only=True):
    """The outcome of one try. `status` is None when no answer came; `failure` says what broke."""

    status: int | None
    failure: str | None
    response: str | None
    took_ms: int
    retry_after: str | None = None

    @property
    def well(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def is_public(text: str) -> bool:
    """Whether an address is in the public internet; an address that contains another is checked for
    both."""
    try:
        found: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return _is_public(found)


def _is_public(found: Address) -> bool:
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in network for network in _V4_SPECIAL)
    inner = found.ipv4_mapped or found.sixtofour
    if found in _NAT64 or int(found) >> 32 & _LOW_32_BITS in _ISATAP:
        inner = ipaddress.IPv4Address(int(found) & _LOW_32_BITS)
    if inner is not None and not _is_public(inner):
        return False
    if found.ipv4_mapped is not None or found in _NAT64:
        return True  # only another notation of that one
    return found in _V6_PUBLIC and not any(found in network for network in _V6_SPECIAL)


def checked(url: str, *, private: bool) -> str:
    """The URL, when it may be called as far as its text says. Raises BadUrlError."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        raise BadUrlError(f"it is no URL: {error}") from None
    if len(url) > _URL_MAX_CHARS or not url.isascii() or not url.isprintable() or " " in url:
        raise BadUrlError("it is too long, or holds characters that a URL must not hold")
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise BadUrlError("it has to begin with https://")
    if not host or parts.username is not None or parts.password is not None:
        raise BadUrlError("it has to name a host, and no user")
    if not private and _is_literal(host) and not is_public(host):
        raise BadUrlError("it names an address that is not public")
    return url


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class _Checking(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only. TLS still verifies the name, which is requested later."""

    def __init__(self, private: bool, resolver: Resolve) -> None:
        self._private = private
        self._resolve = resolver
        self._beneath = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"the name does not resolve: {error}") from error
        if not self._private and not all(is_public(address) for address in addresses):
            raise NotPublicError("the name leads to an address that is not public")
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in addresses:
            try:
                stream = await self._beneath.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
                return BoundedStream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(self, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        raise NotPublicError("a socket of this computer is not public")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(slots=True)
class _Pool:
    connections: httpcore.AsyncConnectionPool
    users: int = 0


class SafeHttp:
    """POSTs, each limited in time and in what is read of the answer."""

    def __init__(
        self,
        *,
        timeout_s: float,
        private: bool = False,
        resolver: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self.private = private  # addresses inside the own network are called too
        self._tls = tls or trusted()
        self._names = Resolver()
        self._backend = _Checking(private, resolver or self._names.resolve)
        self._pools: dict[str, _Pool] = {}

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> TryOutcome:
        """One try. Nothing that the other side does makes it raise."""
        began = monotonic_ms()
        status: int | None = None
        failure: str | None = None
        read = bytearray()
        retry_after: str | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                async with (
                    self._to(url) as pool,
                    pool.stream("POST", url, headers=list(headers.items()), content=body) as answer,
                ):
                    status = answer.status
                    retry_after = _retry_after(answer.headers)
                    async for part in answer.aiter_stream():
                        read += part
                        if len(read) >= READ_MAX_BYTES:
                            break
        except TimeoutError:
            failure = f"no whole answer within {self._timeout_s:g} s"
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException,
                OSError, ValueError) as error:  # fmt: skip
            failure = f"{type(error).__name__}: {error}".rstrip(": ")[:KEPT_CHARS]
        text = bytes(read[: 4 * KEPT_CHARS]).decode(errors="replace").replace("\0", "\ufffd")
        return TryOutcome(
            status=status, failure=failure, response=text[:KEPT_CHARS] or None,
            took_ms=monotonic_ms() - began, retry_after=retry_after,
        )  # fmt: skip

    async def close(self) -> None:
        """Give the connections back."""
        while self._pools:
            await self._pools.popitem()[1].connections.aclose()
        self._names.close()

    @asynccontextmanager
    async def _to(self, url: str) -> AsyncIterator[httpcore.AsyncConnectionPool]:
        """The connections to one endpoint. A pool of httpcore compares all its connections whenever
        one is wanted: one pool for all endpoints would spend most of its work on that."""
        pool = self._pools.pop(url, None) or _Pool(
            httpcore.AsyncConnectionPool(
                ssl_context=self._tls,
                max_connections=None,
                keepalive_expiry=_KEEPALIVE_S,
                network_backend=self._backend,
            )
        )
        self._pools[url] = pool  # the last one used is the last
        pool.users += 1
        try:
            yield pool.connections
        finally:
            pool.users -= 1
            await self._forget_some()

    async def _forget_some(self) -> None:
        """Of many endpoints, drop those that were called longest ago."""
        for url, pool in list(self._pools.items()):
            if len(self._pools) <= _POOLS_MAX:
                return
            if not pool.users:
                del self._pools[url]
                await pool.connections.aclose()


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name.lower() == b"retry-after":
            return value.decode("latin-1").strip()
    return None
