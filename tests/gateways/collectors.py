"""One account at each gateway that collects, with its payer and its troubles: the same verbs."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from coinslot.gateways import base, flaky, mock
from coinslot.gateways.base import Mark, PaymentFact, Verdict
from coinslot.gateways.collecting import Charge, Collects
from coinslot.gateways.wire import Exchange
from coinslot.kit.clock import SettableClock, SystemClock
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.gateways.mailbox import Delivery

CURRENT, STRANGE = "webhook-secret-now", "webhook-secret-of-chandra"


class Till(base.Gateway, Collects, Protocol):
    """A driver that takes money when asked to."""


class Keeps(Struct, frozen=True):
    """What a gateway remembers for those who ask later; a driver makes up for what it does not."""

    refunds: bool = True  # a list of them, and not only how much went back
    actions: bool = True  # the payer's way to pay, and does not tell it once alone
    keys: bool = True  # a key apart from its amount: with another amount it is the same key


class Collector(Protocol):
    """An account at a gateway. A book's row has reference, amount, currency, captured, refunded;
    `reference` is the gateway's payment id, and numbers are minor units."""

    till: Till
    currency: str
    methods: tuple[str, str] | None  # an instrument that pays at once, and one that is declined
    stops: bool  # whether it can end what waits for its payer; else that lapses by itself
    keeps: Keeps
    secrets: tuple[str, ...]
    exchanges: list[Exchange]

    @property
    def settings(self) -> Struct: ...

    def charge(self, price: str = "40.00", *, method: str | None = None) -> Charge:
        """A new one; `with_` what a test changes."""
        ...

    async def pay(self, reference: str) -> str:
        """The payer pays what was made; answers with the payment's id."""
        ...

    async def told(self, reference: str) -> list[Delivery]:
        """The webhooks of what was made and paid, as they arrive; the last tells of the payment."""
        ...

    def forgeries(self, delivery: Delivery) -> Mapping[str, Verdict]:
        """What the driver says to a delivery that is not the gateway's, by the kind of forgery."""
        ...

    async def in_trouble(self, charge: Charge, *, done: bool) -> tuple[Charge, object]:
        """The charge as it was sent, and the answer to a call that timed out, done or not."""
        ...

    async def books(self) -> list[dict[str, object]]:
        """The gateway's own truth about the payments of this account."""
        ...


def fresh_charge(money: Money, method: str | None = None) -> Charge:
    return Charge(
        money=money,
        key=str(uuid4()),
        mark=Mark(installation="here", payment=str(uuid4())),
        description="Cola at the gate",
        return_url="https://shop.example/thanks",
        method=method,
        metadata={"table": "7", "qr": "table-7", "refund": "none", "payment": "cash"},
    )


class MockCollector:
    """The mock gateway: the last two digits of an amount are its weather."""

    currency = "INR"
    methods: tuple[str, str] | None = ("card", "declined")
    stops = True
    keeps = Keeps()

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.secrets: tuple[str, ...] = (CURRENT,)
        self._books = mock.Books(SettableClock(SystemClock().now()))
        self.settings: Struct = self._settings(CURRENT)
        self._mock = mock.Mock(self._settings(CURRENT), self._books)
        self.till: Till = self._mock
        self.since = self._books.clock.now() - timedelta(days=1)

    def charge(self, price: str = "40.00", *, method: str | None = None) -> Charge:
        return fresh_charge(Money.parse(price, self.currency), method)

    async def pay(self, reference: str) -> str:
        fact = await self._mock.pay(reference, self._books.charges[reference].money)
        assert isinstance(fact, PaymentFact), fact
        return fact.gateway_payment_id

    async def told(self, reference: str) -> list[Delivery]:
        return [Delivery(*self._mock.webhook("paid", self._books.payments[reference]))]

    def forgeries(self, delivery: Delivery) -> Mapping[str, Verdict]:
        strange = mock.Mock(self._settings(STRANGE), self._books)
        headers, body = delivery
        return {
            "altered amount": self.till.read_webhook(headers, body.replace(b"4000", b"9000")),
            "no headers": self.till.read_webhook({}, body),
            "another's secret": strange.read_webhook(headers, body),
        }

    async def in_trouble(self, charge: Charge, *, done: bool) -> tuple[Charge, object]:
        amount = Money.parse("40.02" if done else "40.03", self.currency)
        sent = replace(charge, money=amount)
        return sent, await self.till.collect(sent)

    async def books(self) -> list[dict[str, object]]:
        return [
            {
                "reference": fact.gateway_payment_id,
                "amount": fact.money.minor,
                "currency": fact.money.currency,
                "captured": fact.money.minor if fact.taken is base.Taken.CAPTURED else 0,
                "refunded": fact.refunded.minor if fact.refunded else 0,
            }
            for fact in self._books.payments.values()
        ]

    def _settings(self, secret: str) -> mock.Settings:
        return mock.Settings(webhook_secrets=(Secret(secret),))


class FlakyCollector(MockCollector):
    """The flaky gateway on a fair day, until it is to be in trouble."""

    def __init__(self) -> None:
        super().__init__()
        self.till = self._in(drops_percent=0)

    async def in_trouble(self, charge: Charge, *, done: bool) -> tuple[Charge, object]:
        weather = {"drops_percent": 100} if done else {"timeouts_percent": 100}
        return charge, await self._in(**weather).collect(charge)

    def _in(self, **weather: int) -> flaky.Flaky:
        fair = {"timeouts_percent": 0, "errors_percent": 0, "drops_percent": 0}
        settings = flaky.Settings(webhook_secrets=(Secret(CURRENT),))
        return flaky.Flaky(replace(settings, **(fair | weather)), self._books)
