"""What our account at any emulated gateway has: its driver, its webhooks, its troubles, its books.

Each gateway's own file says only its own words."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Generic, TypeVar, cast

import httpx
from msgspec import Struct
from msgspec.structs import replace

from coinslot.gateways import drivers
from coinslot.gateways.collecting import Charge
from coinslot.gateways.wire import Exchange, Wire
from coinslot.kit.clock import monotonic_ms
from coinslot.kit.money import Money
from tests.gateways.collectors import Keeps, fresh_charge
from tests.gateways.mailbox import Delivery, Mailbox

TIMEOUT_S = 30.0  # no answer is late where the machine is loaded, unless a test has it so
DEAD_END = "http://127.0.0.1:9"  # nothing listens on the port of `discard`

S = TypeVar("S", bound=Struct)
T = TypeVar("T")  # the driver, as far as the tests of this gateway ask it


class SandboxAccount(Generic[S, T]):
    """A fresh account of ours at the sandbox, which runs as a process of its own."""

    gateway: ClassVar[str]  # the driver's name, and the root of its URLs at the sandbox

    def __init__(self, sandbox_url: str, mailbox: Mailbox, settings: S) -> None:
        self._sandbox = httpx.AsyncClient(base_url=sandbox_url, timeout=10, verify=False)
        self._mailbox = mailbox
        self.exchanges: list[Exchange] = []
        self.settings = settings
        self.till = self.opened(settings)

    @property
    def name(self) -> str:
        """What the gateway calls the account."""
        raise NotImplementedError

    def opened(self, settings: S) -> T:
        """The same account with other settings."""
        raise NotImplementedError

    def credentials(self) -> dict[str, object]:
        """What the emulator has to know of the account beside its name."""
        raise NotImplementedError

    def wire(self, settings: S, timeout_s: float = TIMEOUT_S) -> Wire:
        async def record(exchange: Exchange) -> None:
            self.exchanges.append(exchange)

        address = drivers()[self.gateway].address(settings)
        return Wire.to(address, timeout_s=timeout_s, record=record, now_ms=monotonic_ms)

    async def sign_up(self, **more: object) -> None:
        named = {"account_id": self.name, "webhook_url": self._mailbox.url(self.name)}
        await self.ask("accounts", named | self.credentials() | more)

    async def ask(self, door: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Use a door of the gateway that is not its API: the payer's, the dashboard's."""
        answer = await self._sandbox.post(f"/{self.gateway}/{door}", json=body)
        assert answer.status_code == 200, answer.text
        return cast(dict[str, Any], answer.json())

    async def deliveries(self, is_last: Callable[[Delivery], bool]) -> list[Delivery]:
        """All deliveries up to the first one of which this holds."""
        found: list[Delivery] = []
        while not found or not is_last(found[-1]):
            found.append(await self._mailbox.next_for(self.name))
        return found

    async def payments(self) -> list[dict[str, object]]:
        """The gateway's own truth about all payments of all accounts."""
        said = (await self._sandbox.get("/books")).json()
        return cast(list[dict[str, object]], said[self.gateway]["payments"])

    @asynccontextmanager
    async def weather(self, seed: int = 1, **api: float) -> AsyncIterator[None]:
        await self._sandbox.post("/weather", json={"api": api, "seed": seed})
        try:
            yield
        finally:
            await self._sandbox.post("/weather", json={"api": dict.fromkeys(api, 0)})

    async def close(self) -> None:
        await self._sandbox.aclose()


class SandboxCollector(SandboxAccount[S, T]):
    """The part of a `Collector` that is the same at every emulated gateway."""

    currency: str
    methods: tuple[str, str] | None = None  # a payer always confirms
    stops = True
    keeps = Keeps()

    def charge(self, price: str = "40.00", *, method: str | None = None) -> Charge:
        return fresh_charge(Money.parse(price, self.currency), method)

    async def in_trouble(self, charge: Charge, *, done: bool) -> tuple[Charge, object]:
        if not done:
            lost = cast(Any, self.opened(replace(self.settings, base_url=DEAD_END)))
            return charge, await lost.collect(charge)
        async with self.answer_lost():
            return charge, await cast(Any, self.till).collect(charge)

    @asynccontextmanager
    async def answer_lost(self) -> AsyncIterator[None]:
        """What the driver sends has its effect, and no answer."""
        async with self.weather(drop_response=1):
            yield

    async def books(self) -> list[dict[str, object]]:
        return [row for row in await self.payments() if row["account_id"] == self.name]

    async def registered(self) -> list[tuple[str, int]]:
        """Which receipts its till has registered: kind and sum."""
        said = (await self._sandbox.get("/books")).json()[self.gateway]["receipts"]
        return sorted(
            (one["kind"], one["amount"])
            for one in said
            if one["account_id"] == self.name and one["status"] == "succeeded"
        )
