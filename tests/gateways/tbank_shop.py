"""A terminal of its own at the emulated T-Bank, with its payer, its troubles and its books."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import httpx
from msgspec.structs import replace

from coinslot.gateways import tbank
from coinslot.gateways.base import PaymentFact, Verdict
from coinslot.gateways.collecting import Charge
from coinslot.gateways.wire import Exchange, Wire
from coinslot.kit.clock import SettableClock, SystemClock, monotonic_ms
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.collectors import Keeps, fresh_charge
from tests.gateways.mailbox import Delivery, Mailbox
from tests.gateways.rigs import DEAD_END, TIMEOUT_S

SEED, SHARE = 8, 0.5  # the dice let the first answer through, and lose the second
PATIENCE_S, POLL_S = 10, 0.02


class TBankShop:
    """A `Collector`."""

    currency = "RUB"
    methods: tuple[str, str] | None = None  # a payer always confirms
    stops = True
    keeps = Keeps(refunds=False, actions=False, keys=False)

    def __init__(self, sandbox_url: str, mailbox: Mailbox) -> None:
        name = uuid4().hex[:10]
        self._sandbox = httpx.AsyncClient(base_url=sandbox_url, timeout=10)
        self._mailbox = mailbox
        self.clock = SettableClock(SystemClock().now())  # T-Bank tells no times
        self.exchanges: list[Exchange] = []
        self.settings = tbank.Settings(
            terminal_key=f"{name}DEMO",
            password=Secret(f"password-{name}"),
            base_url=f"{sandbox_url}/tbank/v2",
        )
        self.secrets: tuple[str, ...] = (self.settings.password.reveal(),)
        self.till = self.opened(self.settings)

    def opened(self, settings: tbank.Settings, timeout_s: float = TIMEOUT_S) -> Any:
        """The same terminal with other settings."""

        async def record(exchange: Exchange) -> None:
            self.exchanges.append(exchange)

        address = tbank.address(settings)
        wire = Wire.to(address, timeout_s=timeout_s, record=record, now_ms=monotonic_ms)
        return cast(Any, tbank.TBank(settings, wire, self.clock))

    async def sign_up(self, **more: object) -> None:
        account = {
            "account_id": self.settings.terminal_key,
            "password": self.settings.password.reveal(),
            "webhook_url": self._mailbox.url(self.settings.terminal_key),
        }
        await self.ask("accounts", account | more)

    async def ask(self, door: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Use a door of the gateway that is not its API: the payer's, the dashboard's."""
        answer = await self._sandbox.post(f"/tbank/{door}", json=body)
        assert answer.status_code == 200, answer.text
        return cast(dict[str, Any], answer.json())

    def charge(self, price: str = "40.00", *, method: str | None = None) -> Charge:
        return fresh_charge(Money.parse(price, self.currency), method)

    async def pay(self, reference: str, **how: object) -> str:
        return str((await self.ask("pay", {"reference": reference, **how}))["reference"])

    async def told(self, reference: str) -> list[Delivery]:
        """All deliveries up to the one that says that this payment was taken."""
        return await self.told_until(reference, "CONFIRMED")

    async def told_until(self, reference: str, status: str) -> list[Delivery]:
        found: list[Delivery] = []
        wanted = (reference.encode(), f'"{status}"'.encode())
        while not found or not all(part in found[-1].body for part in wanted):
            found.append(await self._mailbox.next_for(self.settings.terminal_key))
        return found

    def forgeries(self, delivery: Delivery) -> Mapping[str, Verdict]:
        headers, body = delivery
        strange = self.opened(replace(self.settings, password=Secret("of chandra")))
        other = self.opened(replace(self.settings, terminal_key="OtherTerminal"))
        return {
            "altered amount": self.till.read_webhook(headers, body.replace(b"4000", b"9000")),
            "no token": self.till.read_webhook(headers, body.replace(b'"Token"', b'"Taken"')),
            "another's password": strange.read_webhook(headers, body),
            "of another terminal": other.read_webhook(headers, body),
        }

    async def in_trouble(self, charge: Charge, *, done: bool) -> tuple[Charge, object]:
        if not done:
            lost = self.opened(replace(self.settings, base_url=DEAD_END))
            return charge, await lost.collect(charge)
        async with self.second_answer_lost():
            return charge, await self.till.collect(charge)

    @asynccontextmanager
    async def second_answer_lost(self) -> AsyncIterator[None]:
        """The driver looks, and what it sends then has its effect and no answer."""
        async with self.weather(SEED, drop_response=SHARE):
            yield

    async def settled(self, payment: str) -> PaymentFact:
        """The payment once all its refunds are through, which take their time at SBP."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                fact = await self.till.look(payment)
                if isinstance(fact, PaymentFact) and fact.refunded is not None:
                    return fact
                await asyncio.sleep(POLL_S)

    async def books(self) -> list[dict[str, object]]:
        rows = (await self._sandbox.get("/books")).json()["tbank"]["payments"]
        return [row for row in rows if row["account_id"] == self.settings.terminal_key]

    @asynccontextmanager
    async def weather(self, seed: int = 1, **api: float) -> AsyncIterator[None]:
        await self._sandbox.post("/weather", json={"api": api, "seed": seed})
        try:
            yield
        finally:
            await self._sandbox.post("/weather", json={"api": dict.fromkeys(api, 0)})

    async def close(self) -> None:
        await self._sandbox.aclose()
