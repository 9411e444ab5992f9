"""A payment of a merchant's server: told in any order, any number of times, it ends the same."""

from itertools import permutations
from uuid import UUID

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Mark, Taken
from coinslot.kit.money import Money
from coinslot.payments import merchant_api
from coinslot.payments.attempts import PaymentRequest
from tests.sales.stage import Stage
from tests.sales.taking import Taking, confirmed, once, taking


@pytest.fixture
def gateway(stage: Stage) -> Taking:
    return taking(stage)


async def test_every_order_of_events_and_looks_ends_alike(stage: Stage, gateway: Taking) -> None:
    """Failed, held and taken are told, the second of them twice; once in between we look."""
    for number, order in enumerate(permutations(("failed", "held", "taken", "again", "look"))):
        ask = PaymentRequest(money=Money(5010, "INR"))
        made = await merchant_api.create(
            stage.context, once(stage, "create", f"{number}", number), ask
        )
        payment = UUID(made.body["id"])
        await confirmed(stage, payment)
        key = f"at_{(await _attempt(stage, payment)).hex}"
        mark = Mark(installation="test", payment=str(payment))
        taken = gateway.payer_pays(key, mark, Money(5010, "INR"))
        facts = {
            "failed": replace(taken, taken=Taken.FAILED),
            "held": replace(taken, taken=Taken.AUTHORIZED),
            "taken": taken,
            "again": taken,
        }
        for name in order:
            if name == "look":
                stage.later(6)
                await stage.sweep("attempts")
            else:
                await stage.webhook(facts[name], event=f"{name} {number}")
        found = await merchant_api.payment(stage.context, stage.merchant, payment)
        assert (found.status, found.amount_captured) == ("succeeded", 5010), order
        assert [one.status for one in found.attempts] == ["succeeded"]
    captures = await stage.value("SELECT count(*) FROM captures")
    assert captures == number + 1


async def _attempt(stage: Stage, payment: UUID) -> UUID:
    found: UUID = await stage.value("SELECT id FROM attempts WHERE payment_id = $1", payment)
    return found
