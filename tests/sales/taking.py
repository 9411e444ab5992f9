"""A gateway that collects, in weather: the key decides what is the same charge, the last two digits
of the amount what becomes of it: 01 is declined, 10 needs the payer's hand, 11 waits without saying
for whom, all else succeeds."""

from typing import Any, ClassVar
from uuid import UUID

from msgspec.structs import replace

from coinslot.gateways.base import Absent, Declined, PaymentFact, Taken, Unclear
from coinslot.gateways.collecting import Charge, Closed, Pending, Progress, Redirect
from coinslot.gateways.receipts import Receipt
from coinslot.kit.money import Money
from coinslot.payments import merchant_api
from coinslot.payments.attempts import PaymentRequest
from coinslot.payments.idempotency import Answer, IdempotentCall, hash_of
from tests.sales.stage import Stage
from tests.sales.weather import Weather


class Taking(Weather):
    """Its charges stand in `charges`, by key."""

    collect_key_life_s: ClassVar[int] = 3600
    charges: dict[str, Progress]
    asked: list[Charge]
    tells_once = False  # the payer's way is in the first answer alone

    async def collect(self, charge: Charge) -> Progress | Declined | Unclear:
        answer: Progress | Declined | Unclear = await self._through(
            "collect", lambda: self._collect(charge)
        )
        return answer

    async def _collect(self, charge: Charge) -> Progress | Declined:
        if charge.key in self.charges:
            return self._again(charge.key)
        match charge.money.minor % 100:
            case 1:
                return Declined("the bank says no", "declined")
            case 10:
                there = Redirect("https://pay.example.test/1")
                made: Progress = Pending(reference=f"session_{charge.key}", action=there)
            case 11:
                made = Pending(reference=f"session_{charge.key}")
            case _:
                made = self._paid(charge)
        self.charges[charge.key] = made
        return made

    def _paid(self, charge: Charge) -> PaymentFact:
        fact = PaymentFact(
            gateway_payment_id=f"pay_{charge.key}",
            taken=Taken.CAPTURED if charge.capture else Taken.AUTHORIZED,
            money=charge.money,
            at=self.books.clock.now(),
            mark=charge.mark,
            gateway_order_id=f"session_{charge.key}",
            refunded=Money.zero(charge.money.currency),
        )
        self.books.payments[fact.gateway_payment_id] = fact
        return fact

    def payer_pays(self, key: str, charge_mark: Any, money: Money) -> PaymentFact:
        """The payer acts at the gateway's page; no webhook yet."""
        fact = PaymentFact(
            gateway_payment_id=f"pay_{key}", taken=Taken.CAPTURED, money=money,
            at=self.books.clock.now(), mark=charge_mark, gateway_order_id=f"session_{key}",
            refunded=Money.zero(money.currency),
        )  # fmt: skip
        self.books.payments[fact.gateway_payment_id] = fact
        self.charges[key] = fact
        return fact

    async def follow(self, reference: str) -> Progress | Absent | Unclear:
        answer: Progress | Absent | Unclear = await self._through(
            "follow", lambda: self._find(self._key(reference))
        )
        return answer

    async def find_charge(self, charge: Charge) -> Progress | Absent | Unclear:
        answer: Progress | Absent | Unclear = await self._through(
            "find_charge", lambda: self._find(charge.key)
        )
        return answer

    async def _find(self, key: str) -> Progress | Absent:
        return self._again(key) if key in self.charges else Absent()

    def _again(self, key: str) -> Progress:
        made = self.charges[key]
        if self.tells_once and isinstance(made, Pending):
            return replace(made, action=None)
        return made

    async def capture(
        self, reference: str, money: Money, key: str, receipt: Receipt | None = None
    ) -> PaymentFact | Declined | Unclear:
        async def call() -> PaymentFact | Declined:
            made = self.charges[self._key(reference)]
            if not isinstance(made, PaymentFact):
                return Declined("nothing is held", "not_held")
            if made.taken is Taken.CAPTURED:
                return made if made.money == money else Declined("captured", "captured")
            taken = replace(made, taken=Taken.CAPTURED, money=money)
            self.books.payments[taken.gateway_payment_id] = taken
            self.charges[self._key(reference)] = taken
            return taken

        answer: PaymentFact | Declined | Unclear = await self._through("take", call)
        return answer

    async def void(self, reference: str, key: str) -> Closed | Declined | Unclear:
        async def call() -> Closed | Declined:
            made = self.charges[self._key(reference)]
            if isinstance(made, PaymentFact) and made.taken is Taken.CAPTURED:
                return Declined("captured", "captured")
            self.books.payments.pop(f"pay_{self._key(reference)}", None)
            gone = Closed(reference=reference, reason="let go")
            self.charges[self._key(reference)] = gone
            return gone

        answer: Closed | Declined | Unclear = await self._through("let_go", call)
        return answer

    def lapses(self) -> None:
        """Everything held is held no longer."""
        for key in self.charges:
            self.books.payments.pop(f"pay_{key}", None)
            self.charges[key] = Closed(reference=f"pay_{key}", reason="it lapsed")

    @staticmethod
    def _key(reference: str) -> str:
        return reference.removeprefix("session_").removeprefix("pay_")

    async def cancel(self, reference: str) -> Progress | Declined | Unclear:
        key = reference.removeprefix("session_")
        made = self.charges[key]
        if isinstance(made, Pending):
            made = self.charges[key] = Closed(reference=reference, reason="called off")
        return made


def taking(stage: Any) -> Taking:
    """Put the stage's account behind a gateway that collects."""
    gateway = Taking(stage)
    gateway.charges = {}
    stage.gateway = gateway
    stage.account = replace(stage.account, driver=gateway)
    stage.context.accounts.account = stage.account
    return gateway


def once(stage: Stage, endpoint: str, key: str, body: object = None) -> IdempotentCall:
    return IdempotentCall(
        merchant=stage.merchant, endpoint=endpoint, key=key, request_hash=hash_of(endpoint, body)
    )


async def made(stage: Stage, minor: int = 5000, key: str = "k") -> UUID:
    ask = PaymentRequest(money=Money(minor, "INR"), reference="order-7", metadata={"basket": "7"})
    answer = await merchant_api.create(stage.context, once(stage, "create", key, minor), ask)
    assert answer.status == 201
    return UUID(answer.body["id"])


async def confirmed(stage: Stage, payment: UUID, key: str = "c") -> Answer:
    return await merchant_api.confirm(
        stage.context, once(stage, f"POST /payments/{payment}/confirm", key), payment, None
    )


async def collected(stage: Stage) -> None:
    """A payment of a merchant's own server, paid."""
    taking(stage)
    await confirmed(stage, await made(stage))
