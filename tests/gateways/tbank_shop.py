"""A terminal of its own at the emulated T-Bank, with its payer, its troubles and its books."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from coinslot.gateways import tbank
from coinslot.gateways.base import PaymentFact, Verdict
from coinslot.kit.clock import SettableClock, SystemClock
from coinslot.kit.secrets import Secret
from tests.gateways.collectors import Keeps
from tests.gateways.mailbox import Delivery, Mailbox
from tests.gateways.sandbox_account import TIMEOUT_S, SandboxCollector

SEED, SHARE = 8, 0.5  # the dice let the first answer through, and lose the second
PATIENCE_S, POLL_S = 10, 0.02


class TBankShop(SandboxCollector[tbank.Settings, Any]):
    """A `Collector`."""

    gateway = "tbank"
    currency = "RUB"
    keeps = Keeps(refunds=False, actions=False, keys=False)

    def __init__(self, sandbox_url: str, mailbox: Mailbox) -> None:
        name = uuid4().hex[:10]
        self.clock = SettableClock(SystemClock().now())  # T-Bank tells no times
        settings = tbank.Settings(
            terminal_key=f"{name}DEMO",
            password=Secret(f"password-{name}"),
            base_url=f"{sandbox_url}/tbank/v2",
        )
        self.secrets: tuple[str, ...] = (settings.password.reveal(),)
        super().__init__(sandbox_url, mailbox, settings)

    @property
    def name(self) -> str:
        return self.settings.terminal_key

    def opened(self, settings: tbank.Settings, timeout_s: float = TIMEOUT_S) -> Any:
        return tbank.TBank(settings, self.wire(settings, timeout_s), self.clock)

    def credentials(self) -> dict[str, object]:
        return {"password": self.settings.password.reveal()}

    async def pay(self, reference: str, **how: object) -> str:
        return str((await self.ask("pay", {"reference": reference, **how}))["reference"])

    async def told(self, reference: str) -> list[Delivery]:
        """All deliveries up to the one that says that this payment was taken."""
        return await self.told_until(reference, "CONFIRMED")

    async def told_until(self, reference: str, status: str) -> list[Delivery]:
        wanted = (reference.encode(), f'"{status}"'.encode())
        return await self.deliveries(lambda one: all(part in one.body for part in wanted))

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

    @asynccontextmanager
    async def answer_lost(self) -> AsyncIterator[None]:
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
