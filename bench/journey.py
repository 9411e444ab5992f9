"""(c): from a webhook's first byte to the OFFER at its machine, while the machines vend."""

import asyncio
from collections import deque
from collections.abc import Iterator
from time import perf_counter

from bench import webhooks
from bench.fleet import Fleet
from bench.ground import Base
from bench.hose import RefusedError, Tap
from bench.measure import Round

_TAPS = 16
_ARRIVES_WITHIN_S = 20.0


class Journey:
    """A fleet behind one installation, and customers who pay at its machines in turn."""

    def __init__(self, base: Base, outlets: list[str]) -> None:
        self.fleet = Fleet({code: base.devices[code] for code in outlets}, self._offered)
        self._base = base
        self._port = 0
        self._next: Iterator[str] = webhooks.around(outlets)
        self._paid_at: dict[str, deque[float]] = {code: deque() for code in outlets}
        self._idle: deque[Tap] = deque()
        self._waiting: deque[bytes] = deque()
        self._took_ms: list[float] = []
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
        await self._connect()
        self._took_ms.clear()
        began = perf_counter()
        for number in range(int(per_s * seconds)):
            due = began + number / per_s
            await asyncio.sleep(max(0.0, due - perf_counter()))
            self._buy(due, now_s)
        await self._all_arrived()
        return Round(per_s=len(self._took_ms) / seconds, took_ms=self._took_ms[:])

    async def saturated(self, at_once: int, seconds: float, now_s: int) -> Round:
        """So many customers at once; the next one pays when a machine got its OFFER."""
        await self._connect()
        self._took_ms.clear()
        began = perf_counter()
        while perf_counter() - began < seconds:
            while self._under_way < at_once:
                self._buy(perf_counter(), now_s)
            self._changed.clear()
            async with asyncio.timeout(_ARRIVES_WITHIN_S):
                await self._changed.wait()
        took_ms, took_s = self._took_ms[:], perf_counter() - began
        await self._all_arrived()
        return Round(per_s=len(took_ms) / took_s, took_ms=took_ms)

    def _buy(self, at: float, now_s: int) -> None:
        outlet = next(self._next)
        self._paid_at[outlet].append(at)
        self._under_way += 1
        text = webhooks.request(outlet, webhooks.fresh_payment(), self._base.installation, now_s)
        if self._idle:
            self._idle.popleft().pour(text)
        else:
            self._waiting.append(text)

    async def _all_arrived(self) -> None:
        """The round is over when every OFFER is there and every machine is free again."""
        async with asyncio.timeout(_ARRIVES_WITHIN_S):
            while self._under_way:
                self._changed.clear()
                await self._changed.wait()
        if self._refused:
            raise RefusedError(f"{self._refused} webhooks were not taken")

    def _offered(self, outlet: str, at: float) -> None:
        if not self._paid_at[outlet]:
            return  # a unit left over from before this round
        self._took_ms.append((at - self._paid_at[outlet].popleft()) * 1000)
        self._under_way -= 1
        self._changed.set()

    def _more(self, tap: Tap) -> None:
        if self._waiting:
            tap.pour(self._waiting.popleft())
        else:
            self._idle.append(tap)

    def _told(self, status: int, _ms: float) -> None:
        self._refused += status != 200
