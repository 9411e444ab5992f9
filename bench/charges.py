"""(d): a merchant's own server makes a payment and confirms it at the mock gateway, over HTTP.

The mock answers at once and inside the process: what is measured is our own part."""

import asyncio
import re
from collections import deque
from time import perf_counter

from msgspec import Struct

from bench.goods import MINOR
from bench.hose import RefusedError, Tap
from bench.measure import WARM_S, Round
from coinslot.kit.ids import token

_TAPS = 64  # more than are ever under way at the pace measured, so that nobody waits for one
_HAPPENS_WITHIN_S = 30.0
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')
_CREATED = f'{{"amount":{MINOR},"currency":"INR","gateway":"mock"}}'.encode()
_CONFIRMED = b'{"method":"any card"}'


class Charged(Struct, frozen=True, kw_only=True):
    """One round: both calls, each from when it was due or sent to its whole answer."""

    create: Round
    confirm: Round
    both: Round


class _Purchase:
    """One payment under way on one connection."""

    def __init__(self, due: float) -> None:
        self.due = due
        self.created_ms = 0.0
        self.confirming = False


class Buyers:
    """Customers of one merchant's server, which speaks for them with its API key."""

    def __init__(self, api_key: str) -> None:
        self.paid = 0
        self._key = api_key
        # A key that was used before is answered with what it made then, and nothing is charged.
        self._keys = token()
        self._number = 0
        self._idle: deque[Tap] = deque()
        self._late: deque[_Purchase] = deque()
        self._busy: dict[Tap, _Purchase] = {}
        self._refused: list[bytes] = []
        self._changed = asyncio.Event()
        self._counts_from = 0.0
        self._counts_until = 0.0
        self._took: list[tuple[float, float]] = []

    async def open(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(_TAPS):
            await loop.create_connection(lambda: Tap(self._more, self._told), "127.0.0.1", port)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def paced(self, per_s: float, seconds: float) -> Charged:
        """Buyers who come when they come: a late answer makes nobody come later."""
        began = self._begin(seconds)
        for number in range(int(per_s * (WARM_S + seconds))):
            due = began + number / per_s
            await asyncio.sleep(max(0.0, due - perf_counter()))
            self._buy(due)
        return await self._counted(seconds)

    async def saturated(self, at_once: int, seconds: float) -> Charged:
        """So many at once; the next one buys when one has paid."""
        self._begin(seconds)
        while perf_counter() < self._counts_until:
            while len(self._busy) < at_once:
                self._buy(perf_counter())
            await self._change()
        return await self._counted(seconds)

    def _begin(self, seconds: float) -> float:
        began = perf_counter()
        self._took = []
        self._counts_from, self._counts_until = began + WARM_S, began + WARM_S + seconds
        return began

    async def _counted(self, seconds: float) -> Charged:
        while self._busy or self._late:
            await self._change()

        def of(took_ms: list[float]) -> Round:
            return Round(per_s=len(took_ms) / seconds, took_ms=took_ms)

        return Charged(
            create=of([created for created, _ in self._took]),
            confirm=of([confirmed for _, confirmed in self._took]),
            both=of([created + confirmed for created, confirmed in self._took]),
        )

    async def _change(self) -> None:
        if self._refused:
            raise RefusedError(self._refused[0].decode(errors="replace"))
        self._changed.clear()
        async with asyncio.timeout(_HAPPENS_WITHIN_S):
            await self._changed.wait()

    def _buy(self, due: float) -> None:
        purchase = _Purchase(due)
        if self._idle:
            self._start(self._idle.popleft(), purchase)
        else:
            self._late.append(purchase)

    def _start(self, tap: Tap, purchase: _Purchase) -> None:
        self._busy[tap] = purchase
        tap.pour(self._request("/payments", _CREATED))

    def _more(self, tap: Tap) -> None:
        purchase = self._busy.get(tap)
        if purchase is None:
            self._idle.append(tap)
            return
        now = perf_counter()
        if not purchase.confirming and (found := _ID.search(tap.answer)):
            purchase.confirming = True
            purchase.created_ms = (now - purchase.due) * 1000
            purchase.due = now
            path = f"/payments/{found[1].decode()}/confirm"
            tap.pour(self._request(path, _CONFIRMED))
            return
        self._paid(tap, purchase, now)

    def _paid(self, tap: Tap, purchase: _Purchase, now: float) -> None:
        del self._busy[tap]
        if b'"status":"succeeded"' not in tap.answer:
            self._refused.append(tap.answer)
        self.paid += 1
        if self._counts_from <= now < self._counts_until:
            self._took.append((purchase.created_ms, (now - purchase.due) * 1000))
        if self._late:
            self._start(tap, self._late.popleft())
        else:
            self._idle.append(tap)
        self._changed.set()

    def _told(self, status: int, _ms: float) -> None:
        if status >= 300:
            self._refused.append(f"answered {status}".encode())
            self._changed.set()

    def _request(self, path: str, body: bytes) -> bytes:
        self._number += 1
        lines = (
            f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json",
            f"authorization: Bearer {self._key}", f"idempotency-key: {self._keys}-{self._number}",
            f"content-length: {len(body)}",
        )  # fmt: skip
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
