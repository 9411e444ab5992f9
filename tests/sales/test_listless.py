"""A gateway that keeps no list of refunds (T-Bank): its silence is no proof, its sum is one."""

import pytest
from msgspec.structs import replace

from coinslot.gateways.base import Absent, PaymentFact, Refunds, Unclear
from tests.sales.stage import MockAccounts, Stage
from tests.sales.test_hints import Hinting, hint
from tests.sales.weather import DONE_AND_LOST, LOST

DAY_S = 86_400


class Listless(Hinting):
    """Asked for refunds it shows none; a look states the sum, or not even that."""

    states_sums = True

    async def refunds(self, gateway_payment_id: str) -> Refunds | Absent | Unclear:
        return Refunds((), complete=False)

    async def look(self, gateway_payment_id: str) -> PaymentFact | Absent | Unclear:
        fact = await super().look(gateway_payment_id)
        blind = isinstance(fact, PaymentFact) and not self.states_sums
        return replace(fact, refunded=None) if blind else fact


@pytest.fixture
def gateway(stage: Stage) -> Listless:
    gateway = Listless(stage)
    stage.gateway = gateway
    stage.account = replace(stage.account, driver=gateway)
    assert isinstance(stage.context.accounts, MockAccounts)
    stage.context.accounts.account = stage.account
    return gateway


async def owing(stage: Stage, gateway: Listless, *words: str) -> PaymentFact:
    """A payment that buys nothing; what becomes of the first sends of its refund."""
    gateway.fails("give_back", *words)
    paid = await stage.pay(5000)
    await hint(stage, paid.gateway_payment_id)
    await stage.sweep("inbox")
    await stage.sweep("refunds")
    return paid


async def refund_state(stage: Stage) -> str:
    return str(await stage.value("SELECT state FROM refunds WHERE origin = 'ours'"))


async def test_within_the_keys_life_the_same_key_is_sent_again(
    stage: Stage, gateway: Listless
) -> None:
    gateway.states_sums = False
    await owing(stage, gateway, DONE_AND_LOST)
    stage.later(600)
    await stage.sweep()
    assert len({order.key for order in gateway.sent}) == 1
    assert (await refund_state(stage), stage.refunded()) == ("succeeded", 5000)


async def test_past_the_keys_life_nothing_is_sent_blindly_but_a_person_is_called(
    stage: Stage, gateway: Listless
) -> None:
    gateway.states_sums = False
    await owing(stage, gateway, DONE_AND_LOST)
    stage.later(2 * DAY_S)
    await stage.sweep()
    assert len(gateway.sent) == 1
    assert await refund_state(stage) == "owed"
    assert await stage.value("SELECT kind FROM cases WHERE closed_at IS NULL") == "refund_owed"


@pytest.mark.parametrize("word", [LOST, DONE_AND_LOST])
async def test_past_it_a_sum_proves_whether_it_was_made(
    stage: Stage, gateway: Listless, word: str
) -> None:
    await owing(stage, gateway, word)
    stage.later(2 * DAY_S)
    await stage.sweep()
    assert len({order.key for order in gateway.sent}) == 1
    assert (await refund_state(stage), stage.refunded()) == ("succeeded", 5000)


async def test_a_sum_that_fits_nothing_proves_nothing(stage: Stage, gateway: Listless) -> None:
    paid = await owing(stage, gateway, LOST)
    gateway.refund_in_dashboard(paid, 1234)
    stage.later(2 * DAY_S)
    await stage.sweep()
    assert len(gateway.sent) == 1
    assert await refund_state(stage) == "owed"


async def test_what_went_back_in_its_dashboard_is_seen_in_the_sum_and_booked(
    stage: Stage, gateway: Listless
) -> None:
    paid = await stage.pay()
    await hint(stage, paid.gateway_payment_id)
    await stage.sweep("inbox")
    gateway.refund_in_dashboard(paid, 4000)
    for _ in range(2):
        await hint(stage, paid.gateway_payment_id)
        await stage.sweep("inbox")
    (booked,) = await stage.rows("SELECT origin, amount_minor, gateway_refund_id FROM refunds")
    assert booked == {
        "origin": "gateway", "amount_minor": 4000, "gateway_refund_id": "pay_1:to:4000",
    }  # fmt: skip
    assert await stage.value("SELECT state FROM fulfillments") == "failed"
    assert gateway.sent == []


async def test_a_sum_is_left_unexplained_while_a_refund_of_ours_is_under_way(
    stage: Stage, gateway: Listless
) -> None:
    paid = await owing(stage, gateway, DONE_AND_LOST)
    await hint(stage, paid.gateway_payment_id)
    await stage.sweep("inbox")
    assert await stage.value("SELECT count(*) FROM refunds WHERE origin = 'gateway'") == 0
    assert await stage.value("SELECT failure FROM inbox WHERE due_at IS NOT NULL") == "unexplained"
    for _ in range(2):
        stage.later(600)
        await stage.sweep()
    assert await stage.value("SELECT count(*) FROM inbox WHERE due_at IS NOT NULL") == 0
    assert (await refund_state(stage), stage.refunded()) == ("succeeded", 5000)


async def test_a_payment_given_back_by_hand_before_our_refund_goes_back_once(
    stage: Stage, gateway: Listless
) -> None:
    paid = await stage.pay(5000)
    await hint(stage, paid.gateway_payment_id)
    await stage.sweep("inbox")
    gateway.refund_in_dashboard(paid, 5000)
    await stage.sweep("refunds")
    assert gateway.sent == []
    assert await refund_state(stage) == "succeeded"
