"""A webhook that nothing proves is kept, and the gateway is asked: what it answers counts."""

from collections.abc import Mapping

import msgspec
import pytest
from msgspec.structs import replace

from coinslot.gateways import base
from coinslot.gateways.base import Hint, Mark, RefundOrder
from coinslot.payments.gateway_webhooks import WebhookAnswer, take_webhook
from tests.sales.stage import MockAccounts, Stage
from tests.sales.weather import LOST, Weather


class Hinting(Weather):
    """A gateway like YooKassa: its webhooks are unsigned, and name a payment."""

    webhook_reply = "OK"

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> base.Verdict:
        if headers.get(base.PEER) != "192.0.2.1":
            return base.Forged("not from the gateway's networks")
        said = msgspec.json.decode(body)
        return Hint(event="payment.succeeded", reference=said["id"], delivery_id=said["delivery"])


@pytest.fixture
def gateway(stage: Stage) -> Hinting:
    gateway = Hinting(stage)
    stage.gateway = gateway
    stage.account = replace(stage.account, driver=gateway)
    assert isinstance(stage.context.accounts, MockAccounts)
    stage.context.accounts.account = stage.account
    return gateway


async def hint(
    stage: Stage, reference: str, peer: str = "192.0.2.1", delivery: str | None = None
) -> WebhookAnswer:
    headers = {base.PEER: peer, "content-type": "application/json"}
    body = msgspec.json.encode({"id": reference, "delivery": delivery})
    return await take_webhook(stage.context, stage.account, headers, body)


async def test_the_gateways_answer_pays_and_the_webhook_gets_the_text_it_wants(
    stage: Stage, gateway: Hinting
) -> None:
    paid = await stage.pay()
    answer = await hint(stage, paid.gateway_payment_id)
    assert (answer.status, answer.text) == (200, "OK")
    assert await stage.value("SELECT count(*) FROM captures") == 0
    await stage.sweep("inbox")
    assert await stage.value("SELECT state FROM orders") == "paid"
    assert await stage.value("SELECT worked_at IS NOT NULL AND due_at IS NULL FROM inbox")


async def test_a_hint_is_true_only_as_far_as_the_gateway_says_so(
    stage: Stage, gateway: Hinting
) -> None:
    await hint(stage, "pay_nobody_made")
    await stage.sweep("inbox")
    assert await stage.value("SELECT count(*) FROM captures") == 0
    assert await stage.value("SELECT worked_at IS NOT NULL FROM inbox")


async def test_a_hint_that_came_too_early_does_not_hide_the_true_one(
    stage: Stage, gateway: Hinting
) -> None:
    await hint(stage, "pay_1")
    await stage.sweep("inbox")
    await stage.pay()
    await hint(stage, "pay_1")
    await stage.sweep("inbox")
    assert await stage.value("SELECT state FROM orders") == "paid"


async def test_a_gateway_that_does_not_answer_is_asked_again(
    stage: Stage, gateway: Hinting
) -> None:
    paid = await stage.pay()
    gateway.fails("look", LOST, LOST)
    await hint(stage, paid.gateway_payment_id)
    await stage.sweep("inbox")
    assert await stage.value("SELECT count(*) FROM orders") == 0
    assert await stage.value("SELECT worked_at IS NULL AND due_at IS NOT NULL FROM inbox")
    for _ in range(2):
        stage.later(5)
        await stage.sweep("inbox")
    assert await stage.value("SELECT state FROM orders") == "paid"


async def test_the_same_hint_ten_times_is_one_sale(stage: Stage, gateway: Hinting) -> None:
    paid = await stage.pay()
    for _ in range(10):
        await hint(stage, paid.gateway_payment_id)
    await stage.sweep("inbox")
    assert await stage.value("SELECT count(*) FROM orders") == 1


async def test_a_hint_counts_how_often_it_was_told(stage: Stage, gateway: Hinting) -> None:
    for again in range(3):
        await hint(stage, "pay_1", delivery="payment.succeeded pay_1")
        (row,) = await stage.rows("SELECT told, told_at, lease FROM inbox")
        assert (row["told"], row["lease"]) == (again + 1, again)
        assert (row["told_at"] is None) == (again == 0)


async def test_a_hint_brings_the_refunds_of_its_payment_too(stage: Stage, gateway: Hinting) -> None:
    paid = await stage.pay()
    made_in_the_dashboard = RefundOrder(
        gateway_payment_id=paid.gateway_payment_id,
        money=paid.money,
        key="of the dashboard",
        mark=Mark(installation="elsewhere"),
    )
    await gateway.give_back(made_in_the_dashboard)
    await hint(stage, paid.gateway_payment_id)
    await stage.sweep("inbox")
    assert await stage.value("SELECT outside FROM captures") == paid.money.minor


async def test_a_hint_from_elsewhere_is_refused_and_asks_nobody(
    stage: Stage, gateway: Hinting
) -> None:
    paid = await stage.pay()
    assert (await hint(stage, paid.gateway_payment_id, peer="198.51.100.7")).status == 401
    await stage.sweep("inbox")
    assert await stage.value("SELECT count(*) FROM captures") == 0
    assert await stage.value("SELECT verdict FROM inbox") == "forged"


async def test_a_flood_of_hints_is_turned_away_and_found_by_asking(
    stage: Stage, gateway: Hinting
) -> None:
    stage.context.hints.per_minute = 3
    answers = [(await hint(stage, f"pay_{n}")).status for n in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert await stage.value("SELECT count(*) FROM inbox") == 3
    forged = await hint(stage, "pay_1", peer="198.51.100.1")
    assert forged.status == 401
    paid = await stage.pay()
    assert (await hint(stage, paid.gateway_payment_id)).status == 429
    stage.later(60)
    await stage.sweep()
    assert await stage.value("SELECT state FROM orders") == "paid"
    assert (await hint(stage, paid.gateway_payment_id)).status == 200
