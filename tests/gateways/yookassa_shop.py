"""A shop of its own at the emulated YooKassa, with its payer, its troubles and its books."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import httpx
from msgspec.structs import replace

from coinslot.gateways import yookassa
from coinslot.gateways.base import PEER, Verdict
from coinslot.gateways.collecting import Charge
from coinslot.gateways.wire import Exchange, Wire
from coinslot.kit.clock import monotonic_ms
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.collectors import Keeps, fresh_charge
from tests.gateways.mailbox import Delivery, Mailbox
from tests.gateways.rigs import DEAD_END, TIMEOUT_S

HOME = ("127.0.0.0/8",)  # where the emulator's notifications come from
ELSEWHERE = "203.0.113.7"


class YooKassaShop:
    """A `Collector`."""

    currency = "RUB"
    methods: tuple[str, str] | None = None  # a payer always confirms
    stops = False
    keeps = Keeps()

    def __init__(self, sandbox_url: str, mailbox: Mailbox) -> None:
        name = uuid4().hex[:10]
        self._sandbox = httpx.AsyncClient(base_url=sandbox_url, timeout=10)
        self._mailbox = mailbox
        self.exchanges: list[Exchange] = []
        self.settings = yookassa.Settings(
            shop_id=f"shop{name}",
            secret_key=Secret(f"test_key-{name}"),
            networks=HOME,
            base_url=f"{sandbox_url}/yookassa/v3",
        )
        self.secrets: tuple[str, ...] = (self.settings.secret_key.reveal(),)
        self.till = self.opened(self.settings)

    def opened(self, settings: yookassa.Settings, timeout_s: float = TIMEOUT_S) -> Any:
        """The same shop with other settings."""

        async def record(exchange: Exchange) -> None:
            self.exchanges.append(exchange)

        address = yookassa.address(settings)
        wire = Wire.to(address, timeout_s=timeout_s, record=record, now_ms=monotonic_ms)
        return cast(Any, yookassa.open(settings, wire))

    async def sign_up(self, **more: object) -> None:
        account = {
            "account_id": self.settings.shop_id,
            "secret_key": self.settings.secret_key.reveal(),
            "webhook_url": self._mailbox.url(self.settings.shop_id),
        }
        await self.ask("accounts", account | more)

    async def ask(self, door: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Use a door of the gateway that is not its API: the payer's, the dashboard's."""
        answer = await self._sandbox.post(f"/yookassa/{door}", json=body)
        assert answer.status_code == 200, answer.text
        return cast(dict[str, Any], answer.json())

    def charge(self, price: str = "40.00", *, method: str | None = None) -> Charge:
        return fresh_charge(Money.parse(price, self.currency), method)

    async def pay(self, reference: str) -> str:
        return str((await self.ask("pay", {"reference": reference}))["reference"])

    async def told(self, reference: str) -> list[Delivery]:
        """All deliveries up to the first one of this payment."""
        found: list[Delivery] = []
        while not found or reference.encode() not in found[-1].body:
            found.append(await self._mailbox.next_for(self.settings.shop_id))
        return found

    def forgeries(self, delivery: Delivery) -> Mapping[str, Verdict]:
        headers, body = delivery
        other = self.settings.shop_id[::-1].encode()
        without = {name: value for name, value in headers.items() if name != PEER}
        return {
            "from elsewhere": self.till.read_webhook(headers | {PEER: ELSEWHERE}, body),
            "from nowhere": self.till.read_webhook(without, body),
            "of another shop": self.till.read_webhook(
                headers, body.replace(self.settings.shop_id.encode(), other)
            ),
        }

    async def in_trouble(self, charge: Charge, *, done: bool) -> tuple[Charge, object]:
        if not done:
            lost = self.opened(replace(self.settings, base_url=DEAD_END))
            return charge, await lost.collect(charge)
        async with self.weather(drop_response=1):
            return charge, await self.till.collect(charge)

    async def books(self) -> list[dict[str, object]]:
        rows = (await self._sandbox.get("/books")).json()["yookassa"]["payments"]
        return [row for row in rows if row["account_id"] == self.settings.shop_id]

    @asynccontextmanager
    async def weather(self, **api: float) -> AsyncIterator[None]:
        await self._sandbox.post("/weather", json={"api": api, "seed": 1})
        try:
            yield
        finally:
            await self._sandbox.post("/weather", json={"api": dict.fromkeys(api, 0)})

    async def close(self) -> None:
        await self._sandbox.aclose()
