"""Bad weather at the mock gateway: a call may be lost, done and lost, declined, or never return."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from coinslot.gateways.base import (
    Absent,
    Declined,
    PaymentFact,
    Payments,
    QrFact,
    QrOrder,
    RefundFact,
    RefundOrder,
    Refunds,
    RefundStage,
    Unclear,
)
from coinslot.gateways.mock import Mock
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from tests.sales.stage import MockAccounts, Stage

# What may become of a call; a Declined stands for itself.
LOST, DONE_AND_LOST, DIES_BEFORE, DIES_AFTER = "lost", "done and lost", "dies before", "dies after"


class Weather(Mock):
    """The mock gateway with a script: for each verb, what becomes of its next calls."""

    def __init__(self, stage: Stage) -> None:
        settings = MockSettings(webhook_secrets=(Secret("whsec"),), fee_percent="unsaid")
        super().__init__(settings, stage.books)
        self.books = stage.books
        self.script: dict[str, list[object]] = {}
        self.sent: list[RefundOrder] = []
        self.pending_first = False  # a refund is taken up, and processed later

    def fails(self, verb: str, *words: object) -> None:
        self.script[verb] = list(words)

    async def _through(self, verb: str, call: Callable[[], Awaitable[Any]]) -> Any:
        words = self.script.get(verb)
        word = words.pop(0) if words else None
        if isinstance(word, Declined):
            return word
        if word == LOST:
            return Unclear("time-out")
        if word == DIES_BEFORE:
            raise asyncio.CancelledError
        answer = await call()
        if word == DIES_AFTER:
            raise asyncio.CancelledError
        return Unclear("time-out") if word == DONE_AND_LOST else answer

    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        calm = super().look
        answer: PaymentFact | Absent | Unclear = await self._through(
            "look", lambda: calm(gateway_payment_id)
        )
        return answer

    async def give_back(self, order: RefundOrder) -> RefundFact | Declined | Unclear:
        calm = super().give_back

        async def call() -> RefundFact | Declined | Unclear:
            known = order.key in self.books.refunds
            made = await calm(order)
            if isinstance(made, RefundFact) and self.pending_first and not known:
                made = replace(made, stage=RefundStage.PENDING)
                self.books.refunds[order.key] = made
            return made

        self.sent.append(order)
        answer: RefundFact | Declined | Unclear = await self._through("give_back", call)
        return answer

    async def refunds(self, gateway_payment_id: str) -> Refunds | Absent | Unclear:
        calm = super().refunds
        answer: Refunds | Absent | Unclear = await self._through(
            "refunds", lambda: calm(gateway_payment_id)
        )
        return answer

    async def print_qr(self, order: QrOrder) -> QrFact | Declined | Unclear:
        calm = super().print_qr
        answer: QrFact | Declined | Unclear = await self._through("print_qr", lambda: calm(order))
        return answer

    async def close_qr(self, qr_code_id: str) -> QrFact | Declined | Unclear:
        calm = super().close_qr
        answer: QrFact | Declined | Unclear = await self._through(
            "close_qr", lambda: calm(qr_code_id)
        )
        return answer

    async def qr_payments(self, qr_code_id: str, since: Any) -> Payments | Absent | Unclear:
        calm = super().qr_payments
        answer: Payments | Absent | Unclear = await self._through(
            "qr_payments", lambda: calm(qr_code_id, since)
        )
        return answer

    async def qr_of_payment(self, gateway_payment_id: str) -> QrFact | Absent | Unclear:
        calm = super().qr_of_payment
        answer: QrFact | Absent | Unclear = await self._through(
            "qr_of_payment", lambda: calm(gateway_payment_id)
        )
        return answer

    # What people and banks do at the gateway, without us.

    def refund_in_dashboard(
        self, payment: PaymentFact, minor: int, stage: RefundStage = RefundStage.PROCESSED
    ) -> RefundFact:
        fact = RefundFact(
            gateway_refund_id=self.books.new_id("dash"),
            gateway_payment_id=payment.gateway_payment_id, stage=stage,
            money=Money(minor, payment.money.currency), at=self.books.clock.now(),
        )  # fmt: skip
        self.books.refunds[fact.gateway_refund_id] = fact
        self._refunded(fact, 1)
        return fact

    def end_refund(self, key: str, stage: RefundStage) -> RefundFact:
        """A refund is processed at last, or fails after all."""
        fact = replace(self.books.refunds[key], stage=stage)
        self.books.refunds[key] = fact
        if stage is RefundStage.FAILED:
            self._refunded(fact, -1)
        return fact

    def _refunded(self, fact: RefundFact, sign: int) -> None:
        paid = self.books.payments[fact.gateway_payment_id]
        before = paid.refunded or Money.zero(paid.money.currency)
        after = Money(before.minor + sign * fact.money.minor, before.currency)
        self.books.payments[fact.gateway_payment_id] = replace(paid, refunded=after)


def in_weather(stage: Stage) -> Weather:
    """Put the stage's account behind the weather; its books stay."""
    weather = Weather(stage)
    stage.gateway = weather
    stage.account = replace(stage.account, driver=weather)
    assert isinstance(stage.context.accounts, MockAccounts)
    stage.context.accounts.account = stage.account
    return weather
