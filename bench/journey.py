"""(c): from a webhook's first byte to the OFFER at its machine, while the machines vend."""

import asyncio
from collections import deque
from collections.abc import Iterator
from time import perf_counter

from bench import webhooks
from bench.fleet import Fleet
from bench.ground import Base
from bench.hose import RefusedError, Tap
from bench.measure import WARM_S, Round

_TAPS = 16
_HAPPENS_WITHIN_S = 30.0  # something, else all stands still


class Journey:
    """A fleet behind one installation, and customers who pay at its machines in turn."""

    def __init__(self, base: Base, outlets: list[str]) -> None:
        self.fleet = Fleet({code: base.devices[code] for code in outlets}, self)
        self.orders = 0
        self._base = base
        self._port = 0
        self._next: Iterator[str] = webhooks.around(outlets)
        self._paid_at: dict[str, deque[float]] = {code: deque() for code in outlets}
        self._idle: deque[Tap] = deque()
        self._waiting: deque[bytes] = deque()
        self._took_ms: list[float] = []
        self._ended: list[tuple[float, float]] = []  # seconds since the round began, and how long
        self._round_began = self._counts_from = 0.0
        self._under_way = 0
        self._refused = 0
        self._changed = asyncio.Event()

    async def open(self, port: int, mqtt_port: int) -> None:
        self._port = port
        await self.fleet.arrive(mqtt_port)

    async def close(self) -> None:
        self._disconnect()
        await self.fleet.leave()

    async def _connect(self) -> None:
        """Anew for each round: the server closes what was idle in between."""
        self._disconnect()
        loop = asyncio.get_running_loop()
        for _ in range(_TAPS):
            made = loop.create_connection(
                lambda: Tap(self._more, self._told), "127.0.0.1", self._port
            )
            await made

    def _disconnect(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def paced(self, per_s: float, seconds: float, now_s: int) -> Round:
        """Customers who come when they come: a late answer makes nobody come later."""
        began = await self._begin()
        self._counts_from = began + WARM_S
        for number in range(int(per_s * (WARM_S + seconds))):
            due = began + number / per_s
            await asyncio.sleep(max(0.0, due - perf_counter()))
            self._buy(due, now_s)
        await self._end()
        return Round(per_s=len(self._took_ms) / seconds, took_ms=self._took_ms)

    async def saturated(self, at_once: int, seconds: float, now_s: int) -> Round:
        """So many customers at once; the next one pays when a machine got its OFFER."""
        began = await self._begin()
        await self._keep_busy(at_once, began + WARM_S, now_s)
        self._took_ms = []
        await self._keep_busy(at_once, began + WARM_S + seconds, now_s)
        took_ms, self._took_ms = self._took_ms, []
        await self._end()
        return Round(per_s=len(took_ms) / seconds, took_ms=took_ms)

    async def _keep_busy(self, at_once: int, until: float, now_s: int) -> None:
        while perf_counter() < until:
            while self._under_way < at_once:
                self._buy(perf_counter(), now_s)
            await self._change()

    async def _begin(self) -> float:
        await self._connect()
        self._took_ms, self._ended, self._counts_from = [], [], 0.0
        self._round_began = perf_counter()
        return self._round_began

    def slowest(self, of: int = 5) -> list[tuple[float, float]]:
        """Of the round that ended: when each came, in seconds of it, and how many ms it took."""
        return sorted(sorted(self._ended, key=lambda one: -one[1])[:of])

    async def _end(self) -> None:
        """A round is over when every OFFER is there and every machine is free again."""
        while self._under_way or not self.fleet.at_rest:
            await self._change()
        if self._refused:
            raise RefusedError(f"{self._refused} webhooks were not taken")

    async def _change(self) -> None:
        self._changed.clear()
        async with asyncio.timeout(_HAPPENS_WITHIN_S):
            await self._changed.wait()

    def _buy(self, at: float, now_s: int) -> None:
        outlet = next(self._next)
        self._paid_at[outlet].append(at)
        self._under_way += 1
        self.orders += 1
        text = webhooks.request(outlet, webhooks.fresh_payment(), self._base.installation, now_s)
        if self._idle:
            self._idle.popleft().pour(text)
        else:
            self._waiting.append(text)

    def offered(self, outlet: str, at: float) -> None:
        if not self._paid_at[outlet]:
            return  # a unit left over from before this round
        paid_at = self._paid_at[outlet].popleft()
        if paid_at >= self._counts_from:
            self._took_ms.append((at - paid_at) * 1000)
            self._ended.append((paid_at - self._round_began, self._took_ms[-1]))
        self._under_way -= 1
        self._changed.set()

    def acknowledged(self) -> None:
        self._changed.set()

    def _more(self, tap: Tap) -> None:
        if self._waiting:
            tap.pour(self._waiting.popleft())
        else:
            self._idle.append(tap)

    def _told(self, status: int, _ms: float) -> None:
        self._refused += status != 200
