"""An account of its own at the emulated Stripe, with its payer, its troubles and its books."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import httpx
from msgspec.structs import replace

from coinslot.gateways import stripe
from coinslot.gateways.base import Verdict
from coinslot.gateways.collecting import Charge
from coinslot.gateways.wire import Exchange, Wire
from coinslot.kit.clock import Clock, SystemClock, monotonic_ms
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.collectors import Keeps, fresh_charge
from tests.gateways.mailbox import Delivery, Mailbox
from tests.gateways.rigs import DEAD_END, TIMEOUT_S

CURRENT, STRANGE = "whsec_webhookSecretOfNow", "whsec_webhookSecretOfChandra"


class StripeShop:
    """A `Collector`."""

    currency = "USD"
    methods: tuple[str, str] | None = ("pm_card_visa", "pm_card_chargeDeclined")
    stops = True
    keeps = Keeps()

    def __init__(self, sandbox_url: str, mailbox: Mailbox) -> None:
        name = uuid4().hex
        self._sandbox = httpx.AsyncClient(base_url=sandbox_url, timeout=10)
        self._mailbox = mailbox
        self.exchanges: list[Exchange] = []
        self.settings = stripe.Settings(
            secret_key=Secret(f"sk_test_{name}"),
            webhook_secrets=(Secret(CURRENT),),
            account_id=f"acct_{name[:16]}",
            base_url=f"{sandbox_url}/stripe",
        )
        self.secrets: tuple[str, ...] = (self.settings.secret_key.reveal(), CURRENT)
        self.till = self.opened(self.settings)

    @property
    def name(self) -> str:
        return str(self.settings.account_id)

    def wire(self, settings: stripe.Settings, timeout_s: float = TIMEOUT_S) -> Wire:
        async def record(exchange: Exchange) -> None:
            self.exchanges.append(exchange)

        address = stripe.address(settings)
        return Wire.to(address, timeout_s=timeout_s, record=record, now_ms=monotonic_ms)

    def opened(self, settings: stripe.Settings, clock: Clock | None = None) -> stripe.Stripe:
        """The same account with other settings, or at another time."""
        return stripe.Stripe(settings, self.wire(settings), clock or SystemClock())

    async def sign_up(self, **more: object) -> None:
        account = {
            "account_id": self.name,
            "secret_key": self.settings.secret_key.reveal(),
            "webhook_url": self._mailbox.url(self.name),
            "webhook_secret": CURRENT,
        }
        await self.ask("accounts", account | more)

    async def ask(self, door: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Use a door of the gateway that is not its API: the payer's, the dashboard's."""
        answer = await self._sandbox.post(f"/stripe/{door}", json=body)
        assert answer.status_code == 200, answer.text
        return cast(dict[str, Any], answer.json())

    def charge(self, price: str = "40.00", *, method: str | None = None) -> Charge:
        return fresh_charge(Money.parse(price, self.currency), method)

    async def pay(self, reference: str, outcome: str = "paid") -> str:
        said = await self.ask("pay", {"reference": reference, "outcome": outcome})
        return str(said["reference"])

    async def told(self, reference: str) -> list[Delivery]:
        deliveries = await self.told_until("checkout.session.completed")
        assert reference.encode() in deliveries[-1].body
        return deliveries

    async def told_until(self, event: str) -> list[Delivery]:
        """All deliveries up to the first one of this event."""
        found: list[Delivery] = []
        while not found or f'"type":"{event}"'.encode() not in found[-1].body:
            found.append(await self._mailbox.next_for(self.name))
        return found

    def forgeries(self, delivery: Delivery) -> Mapping[str, Verdict]:
        headers, body = delivery

        def by(*secrets: str) -> Verdict:
            kept = tuple(Secret(text) for text in secrets)
            till = self.opened(replace(self.settings, webhook_secrets=kept))
            return till.read_webhook(headers, body)

        return {
            "altered amount": self.till.read_webhook(headers, body.replace(b"4000", b"9000")),
            "no headers": self.till.read_webhook({}, body),
            "another's secret": by(STRANGE),
            "no secret": by(),
            "an empty secret": by(""),
        }

    async def in_trouble(self, charge: Charge, *, done: bool) -> tuple[Charge, object]:
        if not done:
            lost = self.opened(replace(self.settings, base_url=DEAD_END))
            return charge, await lost.collect(charge)
        async with self.weather(drop_response=1):
            return charge, await self.till.collect(charge)

    async def books(self) -> list[dict[str, object]]:
        rows = (await self._sandbox.get("/books")).json()["stripe"]["payments"]
        return [row for row in rows if row["account_id"] == self.name]

    @asynccontextmanager
    async def weather(self, **api: float) -> AsyncIterator[None]:
        await self._sandbox.post("/weather", json={"api": api, "seed": 1})
        try:
            yield
        finally:
            await self._sandbox.post("/weather", json={"api": dict.fromkeys(api, 0)})

    async def close(self) -> None:
        await self._sandbox.aclose()
