"""Asha with two gateway accounts: the first that can collect is asked first."""

from dataclasses import dataclass, field
from uuid import UUID

from msgspec.structs import replace

from coinslot.gateways.mock import Settings
from coinslot.kit.money import Money
from coinslot.merchants.accounts import Account, AccountName, save_account
from coinslot.payments import merchant_api
from coinslot.payments.attempts import PaymentRequest
from tests.sales.stage import Stage
from tests.sales.taking import Taking, once, taking


@dataclass
class Several:
    """More than one account, as the installation has them."""

    opened: dict[UUID, Account] = field(default_factory=dict)

    async def by_id(self, account_id: UUID) -> Account:
        return self.opened[account_id]

    async def by_slug(self, gateway: str, slug: str | None) -> Account | None:
        return next((a for a in self.opened.values() if slug in (None, a.slug)), None)


async def two_tills(stage: Stage) -> tuple[Taking, Taking]:
    """Each with books of its own."""
    first = taking(stage)
    stage.later(1)
    name = AccountName(stage.merchant, "flaky", "asha-second")
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        made = await save_account(conn, stage.context.vault, stage.clock.now(), name, Settings())
    second = Taking(stage)
    second.charges = {}
    second.books = second._books = type(stage.books)(stage.clock)
    other = replace(stage.account, id=made, gateway=name.gateway, slug=name.slug, driver=second)
    stage.context.accounts = Several({stage.account.id: stage.account, made: other})
    return first, second


async def another(stage: Stage, key: str, minor: int = 5000) -> UUID:
    """One more payment."""
    ask = PaymentRequest(money=Money(minor, "INR"))
    answer = await merchant_api.create(stage.context, once(stage, "create", key, minor), ask)
    return UUID(answer.body["id"])


def charged(till: Taking) -> int:
    return sum(paid.money.minor for paid in till.books.payments.values())
