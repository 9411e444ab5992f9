"""What an outlet offers: its accounts in order, those that fit and answer, links before codes."""

import pytest
from msgspec.structs import replace

from coinslot.kit.money import Money
from coinslot.payments import ways_to_pay
from coinslot.payments.ways_to_pay import Form, UnfitWayError
from tests.sales.narrow import without
from tests.sales.payers import Payers, two_ways
from tests.sales.stage import Stage
from tests.sales.tills import Several

PRICE = Money(4000, "INR")


async def names(stage: Stage, price: Money = PRICE) -> list[tuple[str, str]]:
    found = await ways_to_pay.offered(stage.context, stage.merchant, "M01", price)
    return [(way.form.value, way.gateway) for way in found]


@pytest.fixture
async def payers(stage: Stage) -> Payers:
    return await two_ways(stage)


async def test_a_machine_offers_its_accounts_code_until_it_is_told_more(stage: Stage) -> None:
    assert await names(stage) == [("code", "mock")]


async def test_links_come_first_and_each_kind_in_the_operators_order(payers: Payers) -> None:
    assert await names(payers.stage) == [("link", "flaky"), ("link", "mock"), ("code", "mock")]
    assert await ways_to_pay.listed(payers.stage.context, payers.stage.merchant, "M01") == [
        "mock/asha-mock:code", "flaky/asha-second:link", "mock/asha-mock:link",
    ]  # fmt: skip


async def test_what_is_offered_can_be_changed_and_offered_again(payers: Payers) -> None:
    stage, (first, second) = payers.stage, payers.accounts
    await ways_to_pay.offer(stage.context, stage.merchant, "M01", [(second.id, Form.LINK)])
    assert await names(stage) == [("link", "flaky")]
    again = [(first.id, Form.LINK), (second.id, Form.LINK)]
    await ways_to_pay.offer(stage.context, stage.merchant, "M01", again)
    assert await names(stage) == [("link", "mock"), ("link", "flaky")]


async def test_an_account_that_cannot_be_paid_so_or_in_this_currency_is_refused(
    payers: Payers,
) -> None:
    stage, first = payers.stage, payers.accounts[0]
    before = await names(stage)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE outlets SET currency = 'CHF'")
    for form in Form:
        with pytest.raises(UnfitWayError):
            await ways_to_pay.offer(stage.context, stage.merchant, "M01", [(first.id, form)])
    assert await names(stage) == before


async def test_a_way_that_the_gateway_does_not_have_is_not_shown(payers: Payers) -> None:
    stage, first = payers.stage, payers.accounts[0]
    assert isinstance(stage.context.accounts, Several)
    stage.context.accounts.opened[first.id] = replace(
        first, driver=without(payers.first, "print_qr")
    )
    assert await names(stage) == [("link", "flaky"), ("link", "mock")]
    assert await names(stage, Money(4000, "CHF")) == []
