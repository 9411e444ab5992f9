"""What the command line does to coffee: an account from the environment, a merchant that pauses."""

import pytest

from coinslot.coffee.selling import NotSoldError, Why
from coinslot.merchants.merchants import pause_merchant
from coinslot.settings import read
from tests.coffee.stage import Cafe


def test_the_environment_names_tmetr() -> None:
    found = read({"TMETR_TOKEN": "jwt", "TMETR_HOST": "test.telemetry.fwsoft.ru"})
    assert (found.tmetr_token, found.tmetr_host) == ("jwt", "test.telemetry.fwsoft.ru")
    assert read({}).tmetr_token is None, "no token is a default one"


async def test_a_paused_merchant_sells_nothing_and_hands_over_what_was_paid(cafe: Cafe) -> None:
    context, merchant = cafe.stage.context, cafe.stage.merchant
    token = await cafe.paid()
    await pause_merchant(context.db, merchant, context.now())
    with pytest.raises(NotSoldError) as refused:
        await cafe.place(cafe.code())
    assert refused.value.why is Why.CLOSED
    await cafe.stage.sweep("fulfillments")
    assert (await cafe.ends(token))[0] == "in_grace"
    await pause_merchant(context.db, merchant, None)
    assert await cafe.place(cafe.code())
