"""What the gateway's own lists say is kept as if its webhook had come, once, when it changed
something here."""

from msgspec.structs import replace

from coinslot.gateways.base import DisputeFact, DisputeStage, Fact
from coinslot.kit.money import Money
from coinslot.payments.gateway_webhooks import work_facts
from tests.sales.stage import Stage


async def kept(stage: Stage, fact: Fact) -> int:
    """How many rows it adds when it is found twice."""
    counted = "SELECT count(*) FROM inbox WHERE verdict = 'own'"
    before = await stage.value(counted)
    for _ in range(2):
        await work_facts(stage.context, stage.account, (fact,))
    return int(await stage.value(counted) - before)


async def test_whatever_changes_something_is_kept_once(stage: Stage) -> None:
    bought = await stage.pay()
    assert await kept(stage, bought) == 1, "paid"
    assert await kept(stage, await stage.pay(3900)) == 1, "returned"
    claim = DisputeFact(
        gateway_dispute_id="d", gateway_payment_id=bought.gateway_payment_id,
        money=Money(4000, "INR"), stage=DisputeStage.OPEN, reason="fraud", at=bought.at,
    )  # fmt: skip
    assert await kept(stage, claim) == 1, "dispute"
    stage.qr_code_id = "qr_of_a_stranger"
    assert await kept(stage, await stage.pay()) == 1, "parked"


async def test_what_is_known_already_is_not_kept_again(stage: Stage) -> None:
    bought = await stage.pay()
    await stage.webhook(bought)
    assert await kept(stage, bought) == 0
    assert await kept(stage, replace(bought, money=Money(0, "INR"))) == 0
