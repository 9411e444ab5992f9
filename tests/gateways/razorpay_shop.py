"""An account of its own at the emulated Razorpay that collects by links, with its payer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import httpx
from msgspec.structs import replace

from coinslot.gateways import razorpay
from coinslot.gateways.base import Verdict
from coinslot.gateways.collecting import Charge
from coinslot.gateways.wire import Exchange, Wire
from coinslot.kit.clock import monotonic_ms
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.collectors import Keeps, fresh_charge
from tests.gateways.mailbox import Delivery, Mailbox
from tests.gateways.rigs import DEAD_END, TIMEOUT_S

CURRENT, STRANGE = "razorpay-webhook-secret-now", "razorpay-webhook-secret-of-chandra"


OF_A_PAYMENT = ("payment.captured", "order.paid", "payment_link.paid")


def _tells(found: list[Delivery], event: str) -> bool:
    return any(f'"event":"{event}"'.encode() in one.body for one in found)


class RazorpayShop:
    """A `Collector`."""

    currency = "INR"
    methods: tuple[str, str] | None = None
    stops = True
    keeps = Keeps()

    def __init__(self, sandbox_url: str, mailbox: Mailbox) -> None:
        name = uuid4().hex
        self._sandbox = httpx.AsyncClient(base_url=sandbox_url, timeout=10)
        self._mailbox = mailbox
        self._paid: list[str] = []
        self.exchanges: list[Exchange] = []
        self.settings = razorpay.Settings(
            key_id=f"rzp_test_{name[:14]}",
            key_secret=Secret(f"secret-{name}"),
            webhook_secrets=(Secret(CURRENT),),
            account_id=f"acc_{name[:14]}",
            base_url=f"{sandbox_url}/razorpay",
        )
        self.secrets: tuple[str, ...] = (self.settings.key_secret.reveal(), CURRENT)
        self.till = self.opened(self.settings)

    @property
    def name(self) -> str:
        return str(self.settings.account_id)

    def opened(self, settings: razorpay.Settings) -> razorpay.Razorpay:
        async def record(exchange: Exchange) -> None:
            self.exchanges.append(exchange)

        address = razorpay.address(settings)
        wire = Wire.to(address, timeout_s=TIMEOUT_S, record=record, now_ms=monotonic_ms)
        return razorpay.Razorpay(settings, wire)

    async def sign_up(self) -> None:
        account = {
            "account_id": self.name,
            "key_id": self.settings.key_id,
            "key_secret": self.settings.key_secret.reveal(),
            "webhook_url": self._mailbox.url(self.name),
            "webhook_secret": CURRENT,
        }
        await self.ask("accounts", account)

    async def ask(self, door: str, body: Mapping[str, object]) -> dict[str, Any]:
        answer = await self._sandbox.post(f"/razorpay/{door}", json=body)
        assert answer.status_code == 200, answer.text
        return cast(dict[str, Any], answer.json())

    def charge(self, price: str = "40.00", *, method: str | None = None) -> Charge:
        return fresh_charge(Money.parse(price, self.currency), method)

    async def pay(self, reference: str, **more: object) -> str:
        said = await self.ask("scan", {"payment_link_id": reference} | more)
        self._paid.append(str(said["reference"]))
        return self._paid[-1]

    async def told(self, reference: str) -> list[Delivery]:
        """They come in any order; the link's own is put last."""
        found: list[Delivery] = []
        while any(not _tells(found, event) for event in OF_A_PAYMENT):
            found.append(await self._mailbox.next_for(self.name))
        found.sort(key=lambda one: bool(_tells([one], OF_A_PAYMENT[-1])))
        assert reference.encode() in found[-1].body
        return found

    def forgeries(self, delivery: Delivery) -> Mapping[str, Verdict]:
        headers, body = delivery
        strange = replace(self.settings, webhook_secrets=(Secret(STRANGE),))
        return {
            "altered amount": self.till.read_webhook(headers, body.replace(b"4000", b"9000")),
            "no headers": self.till.read_webhook({}, body),
            "another's secret": self.opened(strange).read_webhook(headers, body),
        }

    async def in_trouble(self, charge: Charge, *, done: bool) -> tuple[Charge, object]:
        if not done:
            lost = self.opened(replace(self.settings, base_url=DEAD_END))
            return charge, await lost.collect(charge)
        async with self.weather(drop_response=1):
            return charge, await self.till.collect(charge)

    async def books(self) -> list[dict[str, object]]:
        rows = (await self._sandbox.get("/books")).json()["razorpay"]["payments"]
        return [row for row in rows if row["reference"] in self._paid]

    @asynccontextmanager
    async def weather(self, **api: float) -> AsyncIterator[None]:
        await self._sandbox.post("/weather", json={"api": api, "seed": 1})
        try:
            yield
        finally:
            await self._sandbox.post("/weather", json={"api": dict.fromkeys(api, 0)})

    async def close(self) -> None:
        await self._sandbox.aclose()
