"""A desk without a heart: outlets and orders lie ready, and every question is written down."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from coinslot.orders.page_views import (
    Check,
    Devices,
    Health,
    NotNowError,
    OrderView,
    OutletView,
    WhyNot,
)
from coinslot.pages.backend import Basket
from coinslot.payments.gateway_webhooks import WebhookAnswer


class FakeBackend:
    """Keeps what it was asked in `asked`. `show` puts an order before the eyes of its pages."""

    def __init__(self) -> None:
        self.outlets: dict[str, OutletView] = {}
        self.orders: dict[str, OrderView] = {}
        self.placed: dict[str, str] = {}
        self.asked: list[tuple[str, ...]] = []
        self.webhooks: list[tuple[str, str | None, Mapping[str, str], bytes]] = []
        self.baskets: list[Basket] = []
        self.keys: list[str | None] = []
        self.versions_asked = self.orders_read = 0
        self.own: dict[str, list[OrderView]] = {}
        self.when_wanted: OrderView | None = None
        self.refuse: WhyNot | None = None
        self.broken: Exception | None = None
        self.answer = WebhookAnswer(status=200, code="taken", message="Kept.")
        self.paid_when_asked: OrderView | None = None
        self.healthy = "healthy"
        self._news = asyncio.Condition()
        self._waiting = 0

    async def outlet(self, code: str) -> OutletView | None:
        if self.broken:
            raise self.broken
        return self.outlets.get(code)

    async def order(self, token: str) -> OrderView | None:
        self.orders_read += 1
        return self.orders.get(token)

    async def version(self, token: str) -> int | None:
        self.versions_asked += 1
        order = self.orders.get(token)
        return None if order is None else order.version

    async def changed(self, token: str, seen: int, patience_s: float) -> OrderView | None:
        async with self._news:
            self._waiting += 1
            try:
                async with asyncio.timeout(patience_s):
                    await self._news.wait_for(lambda: self.orders[token].version != seen)
            except TimeoutError:
                return None
            finally:
                self._waiting -= 1
                self._news.notify_all()
            return self.orders[token]

    async def left(self) -> None:
        """Returns when no page waits for news any more."""
        async with self._news:
            await self._news.wait_for(lambda: self._waiting == 0)

    async def show(self, order: OrderView) -> None:
        """The order is now so; its version grows."""
        known = self.orders.get(order.token)
        version = known.version + 1 if known else order.version
        async with self._news:
            self.orders[order.token] = msgspec.structs.replace(order, version=version)
            self._news.notify_all()

    async def find(
        self, outlet: str, minor: int, minutes: Sequence[datetime]
    ) -> Sequence[OrderView]:
        self.asked.append(("find", outlet, str(minor), *(m.isoformat() for m in minutes)))
        return [
            order
            for order in self.orders.values()
            if (order.outlet_code, order.money.minor) == (outlet, minor) and order.paid_at
        ][:3]

    async def find_by_reference(self, outlet: str, reference: str) -> str | None:
        self.asked.append(("find_by_reference", outlet, reference))
        known = {
            order.gateway_payment_id: order.token
            for order in self.orders.values()
            if order.outlet_code == outlet
        }
        return known.get(reference)

    async def place(self, basket: Basket) -> str:
        self.asked.append(("place", basket.outlet, basket.slot))
        self.baskets.append(basket)
        if self.refuse:
            raise NotNowError(self.refuse)
        return self.placed.setdefault(basket.key, f"order-{len(self.placed) + 1}")

    async def pay(self, token: str, way: str, key: str | None) -> bool:
        self.asked.append(("pay", token, way))
        self.keys.append(key)
        if self.refuse:
            raise NotNowError(self.refuse)
        if self.when_wanted:
            await self.show(self.when_wanted)
        return self.keys.count(key) == 1

    async def own_orders(self, outlet: str, browser: str) -> Sequence[OrderView]:
        return [order for order in self.own.get(browser, ()) if order.outlet_code == outlet]

    async def ask_gateway(self, token: str) -> None:
        self.asked.append(("ask_gateway", token))
        if self.paid_when_asked:
            await self.show(self.paid_when_asked)

    async def ask_machine(self, token: str) -> None:
        self.asked.append(("ask_machine", token))

    async def has_come(self, token: str) -> None:
        self.asked.append(("has_come", token))

    async def take_webhook(
        self, gateway: str, account: str | None, headers: Mapping[str, str], body: bytes
    ) -> WebhookAnswer:
        self.webhooks.append((gateway, account, headers, body))
        return self.answer

    async def health(self) -> Health:
        checks = {"database": Check(status=self.healthy), "broker": Check(status="healthy")}
        return Health(
            status=self.healthy,
            version="1.2.3",
            checks=checks,
            devices=Devices(online=2, offline=1, total=3),
        )
