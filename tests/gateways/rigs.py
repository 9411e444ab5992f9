"""One account at each gateway, its customer and its weather, behind the same few verbs."""

from datetime import datetime, timedelta
from typing import Protocol, cast
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from coinslot.gateways import base, mock, razorpay
from coinslot.gateways.base import Declined, Mark, PaymentFact, QrFact, QrOrder, Unclear
from coinslot.gateways.wire import Exchange, Wire
from coinslot.kit.clock import SettableClock, SystemClock, monotonic_ms
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.mailbox import Delivery, Mailbox
from tests.gateways.sandbox_account import DEAD_END, TIMEOUT_S, SandboxAccount

CURRENT, OLD, STRANGE = "webhook-secret-now", "webhook-secret-old", "webhook-secret-of-chandra"


class Till(base.Gateway, base.PrintsQr, Protocol):
    """What both gateways can do."""


def rupees(text: str) -> Money:
    return Money.parse(text, "INR")


def fresh_mark(installation: str = "here") -> Mark:
    return Mark(installation=installation, qr=str(uuid4()))


def qr_order(price: str = "40.00", *, reusable: bool = True, mark: Mark | None = None) -> QrOrder:
    return QrOrder(
        money=rupees(price),
        reusable=reusable,
        name="Cola at the gate",
        description="Slot A1 of M01",
        mark=mark or fresh_mark(),
        outlet="M01",
        slot="A1",
        close_by=None if reusable else SystemClock().now() + timedelta(minutes=10),
    )


def printed(answer: QrFact | Declined | Unclear) -> QrFact:
    assert isinstance(answer, QrFact), answer
    return answer


def silent_wire(address: str = DEAD_END, kept: list[Exchange] | None = None) -> Wire:
    async def record(exchange: Exchange) -> None:
        if kept is not None:
            kept.append(exchange)

    return Wire(address, None, timeout_s=TIMEOUT_S, record=record, now_ms=monotonic_ms)


class Rig(Protocol):
    """An account with a customer who pays and a network that fails when asked to."""

    till: Till
    since: datetime  # before anything happened here
    secrets: tuple[str, ...]
    exchanges: list[Exchange]

    @property
    def settings(self) -> Struct: ...

    async def pay(self, qr: QrFact, price: str | None = None) -> str: ...

    async def told(self, gateway_payment_id: str) -> list[Delivery]:
        """The webhooks of one payment, as they arrive."""
        ...

    async def print_in_trouble(self, order: QrOrder, *, done: bool) -> object:
        """The answer to a call that timed out, after the effect or before it."""
        ...

    def reopened(self, *webhook_secrets: str, account_id: str | None = None) -> base.Gateway:
        """The same account with other settings."""
        ...


class MockRig:
    """The mock gateway: its last two digits are its weather."""

    def __init__(self) -> None:
        self.secrets: tuple[str, ...] = (CURRENT, OLD)
        self.exchanges: list[Exchange] = []
        self._books = mock.Books(SettableClock(SystemClock().now()))
        self.since = self._books.clock.now() - timedelta(days=1)
        self._mock = self._opened((CURRENT, OLD), "mock")
        self.settings: Struct = self._settings((CURRENT, OLD), "mock")
        self.till: Till = self._mock

    async def pay(self, qr: QrFact, price: str | None = None) -> str:
        money = rupees(price) if price else qr.money
        assert money is not None
        fact = await self._mock.pay(f"pay_{uuid4().hex}", money, qr_code_id=qr.qr_code_id)
        assert isinstance(fact, PaymentFact), fact
        return fact.gateway_payment_id

    async def told(self, gateway_payment_id: str) -> list[Delivery]:
        fact = self._books.payments[gateway_payment_id]
        return [Delivery(*self._mock.webhook("paid", fact))]

    async def print_in_trouble(self, order: QrOrder, *, done: bool) -> object:
        return await self.till.print_qr(replace(order, money=rupees("40.02" if done else "40.03")))

    def reopened(self, *webhook_secrets: str, account_id: str | None = None) -> base.Gateway:
        return self._opened(webhook_secrets, account_id or "mock")

    def _opened(self, webhook_secrets: tuple[str, ...], account_id: str) -> mock.Mock:
        return mock.Mock(self._settings(webhook_secrets, account_id), self._books)

    def _settings(self, webhook_secrets: tuple[str, ...], account_id: str) -> mock.Settings:
        kept = tuple(Secret(text) for text in webhook_secrets)
        return mock.Settings(webhook_secrets=kept, account_id=account_id)


class RazorpayRig(SandboxAccount[razorpay.Settings, Till]):
    """An account of its own at the emulated Razorpay, which runs as a process of its own."""

    gateway = "razorpay"

    def __init__(self, sandbox_url: str, mailbox: Mailbox) -> None:
        name = uuid4().hex[:14]
        self.since = SystemClock().now() - timedelta(days=1)
        settings = razorpay.Settings(
            key_id=f"rzp_test_{name}",
            key_secret=Secret(f"key-secret-{name}"),
            webhook_secrets=(Secret(CURRENT), Secret(OLD)),
            account_id=f"acc_{name}",
            base_url=f"{sandbox_url}/razorpay",
        )
        self.secrets: tuple[str, ...] = (CURRENT, OLD, settings.key_secret.reveal())
        super().__init__(sandbox_url, mailbox, settings)

    @property
    def name(self) -> str:
        return str(self.settings.account_id)

    def opened(self, settings: razorpay.Settings, *, timeout_s: float = TIMEOUT_S) -> Till:
        return cast(Till, razorpay.open(settings, self.wire(settings, timeout_s)))

    def credentials(self) -> dict[str, object]:
        return {
            "key_id": self.settings.key_id,
            "key_secret": self.settings.key_secret.reveal(),
            "webhook_secret": CURRENT,
        }

    async def pay(self, qr: QrFact, price: str | None = None) -> str:
        body: dict[str, object] = {"qr_code_id": qr.qr_code_id}
        if price:
            body["amount"] = rupees(price).minor
        return str((await self.ask("scan", body))["reference"])

    async def told(self, gateway_payment_id: str) -> list[Delivery]:
        found = await self.told_until("qr_code.credited")
        return [one for one in found if gateway_payment_id.encode() in one.body]

    async def told_until(self, event: str) -> list[Delivery]:
        """All deliveries up to the first one of this event."""
        return await self.deliveries(lambda one: f'"event":"{event}"'.encode() in one.body)

    async def books(self, gateway_payment_id: str) -> dict[str, object]:
        """The gateway's own truth about one payment."""
        return next(r for r in await self.payments() if r["reference"] == gateway_payment_id)

    async def print_in_trouble(self, order: QrOrder, *, done: bool) -> object:
        if not done:
            return await self.opened(replace(self.settings, base_url=DEAD_END)).print_qr(order)
        async with self.weather(drop_response=1):
            return await self.till.print_qr(order)

    def reopened(self, *webhook_secrets: str, account_id: str | None = None) -> base.Gateway:
        kept = tuple(Secret(text) for text in webhook_secrets)
        account = account_id or self.settings.account_id
        return self.opened(replace(self.settings, webhook_secrets=kept, account_id=account))
