"""Opening an order by what only its payer knows."""

from msgspec.structs import replace

from coinslot.orders import outlet_pages
from tests.sales.stage import Stage


async def test_an_order_is_found_by_what_its_payers_bank_calls_the_payment(stage: Stage) -> None:
    await stage.webhook(replace(await stage.pay(), payer_reference="412345678901"))
    token = await stage.value("SELECT token FROM orders")
    for reference in ("412345678901", "pay_1"):
        assert await outlet_pages.find_by_reference(stage.context, "M01", reference) == token
    assert await outlet_pages.find_by_reference(stage.context, "M02", "412345678901") is None
    assert await outlet_pages.find_by_reference(stage.context, "M01", "412345678902") is None


async def test_a_reference_that_is_told_later_is_kept_and_never_overwritten(stage: Stage) -> None:
    """A poll may find the payment before the event that bears its reference comes."""
    paid = await stage.pay()
    await stage.webhook(paid)
    await stage.webhook(replace(paid, payer_reference="412345678901"), event="later")
    await stage.webhook(replace(paid, payer_reference="999999999999"), event="other")
    assert await stage.value("SELECT payer_reference FROM captures") == "412345678901"
