"""A gateway that lists what happened, and says what it paid out, over the mock's own books."""

from datetime import datetime

from msgspec.structs import replace

from coinslot.gateways.base import PaymentFact, Payments, Unclear
from coinslot.gateways.listing import SettledLine, Settlements
from coinslot.kit.money import Money
from tests.sales.stage import MockAccounts, Stage
from tests.sales.weather import Weather


class Nightly(Weather):
    """What it paid out stands in `paid_out`, by payment: the fee that it kept."""

    paid_out: dict[str, Money]

    async def payments_between(self, since: datetime, until: datetime) -> Payments | Unclear:
        calm = super().payments_between
        answer: Payments | Unclear = await self._through(
            "payments_between", lambda: calm(since, until)
        )
        return answer

    async def settled_between(self, since: datetime, until: datetime) -> Settlements | Unclear:
        return Settlements(
            tuple(
                SettledLine(
                    gateway_payment_id=name, gross=self.books.payments[name].money, fee=fee,
                    settlement="setl_1", at=self.books.clock.now(),
                )
                for name, fee in self.paid_out.items()
            )
        )  # fmt: skip

    def forget(self, paid: PaymentFact) -> None:
        """The gateway never had it, it says now."""
        del self.books.payments[paid.gateway_payment_id]

    def restate(self, paid: PaymentFact, minor: int) -> None:
        money = Money(minor, paid.money.currency)
        self.books.payments[paid.gateway_payment_id] = replace(paid, money=money)


def nightly_gateway(stage: Stage) -> Nightly:
    """Put the stage's account behind it."""
    gateway = Nightly(stage)
    gateway.paid_out = {}
    stage.gateway = gateway
    stage.account = replace(stage.account, driver=gateway)
    assert isinstance(stage.context.accounts, MockAccounts)
    stage.context.accounts.account = stage.account
    return gateway
