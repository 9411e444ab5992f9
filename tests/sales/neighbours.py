"""More machines for the stage: Asha's second one, and the one of Chandra, who is a stranger."""

from uuid import UUID

from coinslot.catalog.products import Product, add_product
from coinslot.channels import messages as wire
from coinslot.gateways.mock import Settings as MockSettings
from coinslot.kit.ids import uuid7
from coinslot.kit.money import Money
from coinslot.kit.secrets import Secret
from coinslot.merchants.accounts import AccountName, save_account
from coinslot.merchants.merchants import Merchant, open_merchant
from coinslot.outlets.machines import Outlet, Slot, add_outlet, issue_device
from coinslot.vending.journal import Machine
from tests.sales.stage import Stage


async def a_second_machine(stage: Stage) -> Machine:
    """M02 of Asha's."""
    return await _machine(stage, stage.merchant, stage.account.id, "M02")


async def chandras_machine(stage: Stage) -> Machine:
    """C01 of Chandra's own shop, with her own account."""
    merchant = uuid7(stage.clock.now())
    chandra = Merchant(id=merchant, name="Chandra", slug="chandra")
    await open_merchant(stage.context.db, chandra, stage.clock.now())
    settings = MockSettings(webhook_secrets=(Secret("hers"),))
    async with stage.context.db.as_merchant(merchant) as conn:
        name = AccountName(merchant, "mock", "chandra-mock")
        account = await save_account(conn, stage.context.vault, stage.clock.now(), name, settings)
    return await _machine(stage, merchant, account, "C01")


async def _machine(stage: Stage, merchant: UUID, account: UUID, code: str) -> Machine:
    now = stage.clock.now()
    async with stage.context.db.as_merchant(merchant) as conn:
        price = Money(4000, "INR")
        product = Product(id=uuid7(now), sku=f"tea-{code}", name="Tea", price=price)
        await add_product(conn, merchant, product)
        outlet = Outlet(
            code=code, merchant_id=merchant, name=code, place="Pune", kind="vending",
            channel="mqtt", dialect="leased", currency="INR", account_id=account,
        )  # fmt: skip
        slots = [Slot(slot="A1", product_id=product.id, price_minor=4000, stock=10)]
        await add_outlet(conn, outlet, slots, now)
        await issue_device(conn, stage.context.vault, merchant, code, now)
    return Machine(code, merchant)


def greeting(journal: str = "j9") -> wire.Hello:
    return wire.Hello(
        journal_id=journal, boot_id="b9", mono_ms=1, last_seq=0,
        capabilities=wire.Capabilities(journal=True, sensor=True),
    )  # fmt: skip
