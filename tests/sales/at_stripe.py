"""Asha's shop with an account at the emulated Stripe, over real sockets; and death at any step."""

from collections.abc import Awaitable
from dataclasses import dataclass
from uuid import UUID

from msgspec.structs import replace

from coinslot.gateways import stripe
from coinslot.kit.clock import SettableClock, SystemClock
from coinslot.kit.faults import no_fault
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Account, AccountName, save_account
from coinslot.payments import merchant_api
from coinslot.payments.attempts import PaymentRequest
from coinslot.payments.idempotency import Answer
from coinslot.worker import sweep
from tests.gateways.stripe_shop import StripeShop
from tests.sales.stage import Stage
from tests.sales.taking import once
from tests.sales.tills import Several

PACE = sweep.Pace()


class DiedError(Exception):
    """The process is gone."""


@dataclass
class Asha:
    """Her server's calls, each of which may be cut short at its n-th commit or send."""

    stage: Stage
    context: StripeShop
    account: Account

    async def dies_at(self, step: int, call: Awaitable[object]) -> bool:
        """Whether there was such a step."""
        left = step

        def reached(_point: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise DiedError

        wire = self.account.driver._client.wire  # type: ignore[attr-defined]  # of a driver with a wire
        wire.reached = self.stage.context.db.reached = reached
        try:
            await call
        except DiedError:
            return True
        finally:
            wire.reached = self.stage.context.db.reached = no_fault
        return False

    async def made(self, key: str, *, held: bool = False) -> UUID:
        method = "manual" if held else "automatic"
        ask = PaymentRequest(money=Money(5000, "USD"), gateway="stripe", capture_method=method)
        answer = await merchant_api.create(
            self.stage.context, once(self.stage, "create", key, key), ask
        )
        return UUID(answer.body["id"])

    async def confirmed(
        self, payment: UUID, key: str = "c", method: str | None = "pm_card_visa"
    ) -> Answer:
        ticket = once(self.stage, f"POST /payments/{payment}/confirm", key)
        return await merchant_api.confirm(self.stage.context, ticket, payment, method)

    async def captured(self, payment: UUID) -> Answer:
        ticket = once(self.stage, f"POST /payments/{payment}/capture", "t")
        return await merchant_api.capture(self.stage.context, ticket, payment, 3000)

    async def voided(self, payment: UUID) -> Answer:
        ticket = once(self.stage, f"POST /payments/{payment}/cancel", "v")
        return await merchant_api.cancel(self.stage.context, ticket, payment)

    async def given_back(self, payment: UUID) -> None:
        ticket = once(self.stage, f"POST /payments/{payment}/refunds", "r")
        await merchant_api.request_refund(
            self.stage.context, ticket, payment, merchant_api.RefundRequest(amount=2000)
        )
        await self.sweep("refunds")

    async def begun(self, payment: UUID, verb: str) -> bool:
        """Whether a call that died had committed anything: else only its sender can go on."""
        if verb == "confirm":
            found = await self.stage.value(
                "SELECT count(*) FROM attempts WHERE payment_id = $1", payment
            )
        else:
            found = await self.stage.value(
                "SELECT count(*) FROM idempotency_keys WHERE endpoint LIKE '%' || $1 || '%'"
                " AND subject_id IS NOT NULL AND key <> 'c'", str(payment),
            )  # fmt: skip
        return bool(found)

    async def sweep(self, *tables: str) -> None:
        """The leases of who died have ended."""
        for _ in range(5):
            for name in tables:
                async with self.stage.context.db.as_merchant(self.stage.merchant) as conn:
                    await conn.execute(f"UPDATE {name} SET leased_until = NULL")
                await sweep.sweep_once(self.stage.context, name, PACE)

    async def state(self, payment: UUID) -> str:
        return (await merchant_api.payment(self.stage.context, self.stage.merchant, payment)).status

    async def books(self) -> dict[str, tuple[int, int]]:
        """Stripe's own, by its payment: captured, refunded."""
        rows = await self.context.books()
        return {
            str(row["reference"]): (int(str(row["captured"])), int(str(row["refunded"])))
            for row in rows
        }


async def at_stripe(stage: Stage, context: StripeShop) -> Asha:
    """The stage at the time of the emulator, with this account beside the one it has."""
    stage.clock = SettableClock(SystemClock().now())
    stage.context.clock = stage.books.clock = stage.clock
    assert isinstance(context.settings, stripe.Settings)
    name = AccountName(stage.merchant, "stripe", "asha-stripe")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        made = await save_account(
            conn, stage.context.vault, stage.clock.now(), name, context.settings
        )
    account = replace(
        stage.account,
        id=made,
        gateway="stripe",
        slug=name.slug,
        driver=context.opened(context.settings),
    )
    stage.context.accounts = Several({stage.account.id: stage.account, made: account})
    return Asha(stage, context, account)
