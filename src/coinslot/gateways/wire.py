"""The only way a driver reaches its gateway: one HTTP call, limited in time, every exchange
recorded.

The core passes `record`, which stores each exchange with its secrets removed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from typing import Self

import httpx
import msgspec
from msgspec import Struct

from coinslot.kit.clock import RemoteClock, SystemClock
from coinslot.kit.faults import Reached, no_fault
from coinslot.kit.secrets import Secret
from coinslot.kit.tls import trusted

PICTURE_TIMEOUT_S = 15.0
PICTURE_MOST_BYTES = 5_000_000
_PART_BYTES = 65_536


class Address(Struct, frozen=True):
    """Where an account's API answers, and the user and password of HTTP Basic if it wants them.

    `answers_within_s` is what the gateway itself says it may take: it is waited for at least so
    long, whatever the installation's own time-out is. `live` says whether real money moves there,
    as the credentials tell; None where they do not."""

    base_url: str
    auth: tuple[str | Secret, Secret] | None = None
    answers_within_s: float = 0
    live: bool | None = None


class Reply(Struct, frozen=True):
    """What came back: any status below 500 with a body that is JSON (or empty)."""

    status: int
    body: dict[str, object]
    headers: Mapping[str, str] = {}  # names in lower case


class NoReply(Struct, frozen=True):
    """No reliable answer came; the call may have taken effect."""

    reason: str
    headers: Mapping[str, str] = {}  # of the unusable answer, if there was one


class Exchange(Struct, frozen=True, kw_only=True):
    """One call and its answer, for the record. Header values are never kept."""

    method: str
    url: str
    request: object
    status: int | None
    response: object
    failure: str | None
    took_ms: int


Record = Callable[[Exchange], Awaitable[None]]


class Exchanges:
    """Calls and their answers, stored only where they were `news`."""

    def __init__(self) -> None:
        self.news = False
        self.waiting: list[tuple[Record, Exchange]] = []


_IF_NEWS: ContextVar[Exchanges | None] = ContextVar("_IF_NEWS", default=None)


@asynccontextmanager
async def if_news() -> AsyncIterator[Exchanges]:
    """Inside it a successful exchange is stored only if the block says that it was news: polling
    three times a minute would fill the disk with answers that say nothing."""
    exchanges = Exchanges()
    before = _IF_NEWS.set(exchanges)
    try:
        yield exchanges
    except BaseException:
        exchanges.news = True  # on any error the answers so far may explain it
        raise
    finally:
        _IF_NEWS.reset(before)
        for record, exchange in exchanges.waiting if exchanges.news else ():
            await record(exchange)


class Call(Struct, frozen=True, kw_only=True):
    """One request to send."""

    method: str
    path: str
    params: Mapping[str, str | int] | None = None
    body: Mapping[str, object] | None = None
    headers: Mapping[str, str] | None = None
    form: bool = False  # the body goes as a form, its names written as the gateway nests them


class Wire:
    """One gateway account's HTTP client: base URL, credentials, time-out."""

    def __init__(
        self,
        base_url: str,
        auth: tuple[str, str] | None,
        *,
        timeout_s: float,
        record: Record,
        now_ms: Callable[[], int],
    ) -> None:
        self.reached: Reached = no_fault  # called at every call; for the storms
        self.there = RemoteClock(SystemClock())
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/"),
            auth=auth,
            timeout=httpx.Timeout(timeout_s),
            verify=trusted(),
        )
        self._timeout_s = timeout_s
        self._record = record
        self._now_ms = now_ms

    @classmethod
    def to(
        cls, address: Address, *, timeout_s: float, record: Record, now_ms: Callable[[], int]
    ) -> Self:
        """A wire to what a driver's `address` names."""
        auth = None
        if address.auth:
            user, password = address.auth
            auth = (user.reveal() if isinstance(user, Secret) else user, password.reveal())
        return cls(address.base_url, auth, timeout_s=timeout_s, record=record, now_ms=now_ms)

    async def send(self, call: Call) -> Reply | NoReply:
        """Send once. 5xx, time-outs, cut connections and bodies that are not JSON are NoReply."""
        began = self._now_ms()
        status: int | None = None
        headers: dict[str, str] = {}
        response: object = None
        failure: str | None = None
        self.reached("before_send")
        try:
            # httpx limits each read, not their sum: a gateway that trickles would hold us for ever.
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.request(
                    call.method,
                    call.path,
                    params=dict(call.params) if call.params else None,
                    json=_plain(call) if not call.form else None,
                    data=_plain(call) if call.form else None,
                    headers=dict(call.headers) if call.headers else None,
                )
            status, headers = answer.status_code, dict(answer.headers)
            self._note_time(headers, self._now_ms() - began)
            response = msgspec.json.decode(answer.content) if answer.content else {}
        except httpx.HTTPError as error:
            failure = f"{type(error).__name__}: {error}".rstrip(": ")
        except TimeoutError:
            failure = f"no whole answer within {self._timeout_s} s"
        except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or nested too deep
            failure = f"HTTP {status} with an unreadable body: {error}"
        self.reached("after_send")
        exchange = Exchange(
            method=call.method,
            url=call.path,
            request=call.body,
            status=status,
            response=response,
            failure=failure,
            took_ms=self._now_ms() - began,
        )
        waiting = _IF_NEWS.get()
        if waiting is not None and failure is None and status is not None and status < 400:
            waiting.waiting.append((self._record, exchange))
        else:
            await self._record(exchange)
        if failure is None and status is not None and status >= 500:
            failure = f"HTTP {status}"
        if failure is not None or status is None:
            return NoReply(failure or "no answer", headers)
        if not isinstance(response, dict):
            return NoReply("the body is not an object", headers)
        return Reply(status, response, headers)

    def _note_time(self, headers: Mapping[str, str], took_ms: int) -> None:
        """What time it is there. A cache's answer has the time when it was first given."""
        if "date" not in headers or "age" in headers:
            return
        try:
            date = parsedate_to_datetime(headers["date"])
        except ValueError:
            return
        if date.tzinfo is not None:
            self.there.record_answer(date, took_ms)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _plain(call: Call) -> dict[str, object] | None:
    return None if call.body is None else dict(call.body)


async def picture(url: str) -> bytes | NoReply:
    """The picture that a gateway links to, fetched without credentials."""
    try:
        async with (
            asyncio.timeout(PICTURE_TIMEOUT_S),
            httpx.AsyncClient(verify=trusted()) as client,
            client.stream("GET", url, follow_redirects=True) as answer,
        ):
            answer.raise_for_status()
            read = bytearray()
            async for part in answer.aiter_bytes(_PART_BYTES):
                read += part  # as it is unpacked: a small answer may be a large picture
                if len(read) > PICTURE_MOST_BYTES:
                    return NoReply(f"more than {PICTURE_MOST_BYTES} bytes")
            return bytes(read)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return NoReply(f"{type(error).__name__}: {error}".rstrip(": "))
    except TimeoutError:
        return NoReply(f"no whole answer within {PICTURE_TIMEOUT_S} s")
