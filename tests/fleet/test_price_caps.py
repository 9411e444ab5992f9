"""A machine sells for no more than its class allows: not when a price is set, not when one orders,
and not after its class fell."""

import pytest

from coinslot.channels.price_caps import PriceCapError, PriceCaps
from coinslot.fleet import bulk, config
from coinslot.fleet.bulk import MachineChange
from coinslot.fleet.config import ConfigChange, ConfigError
from coinslot.kit.money import Money
from coinslot.orders import checkout, outlet_pages
from coinslot.orders.checkout import OrderRequest
from coinslot.orders.page_views import NotNowError, WhyNot
from coinslot.settings import SettingsError, read
from tests.fleet.test_config import changed, editor, price
from tests.fleet.test_onboarding import COLA, machine, problems
from tests.sales.stage import Stage


def capped(stage: Stage, text: str) -> None:
    stage.context.price_caps = PriceCaps.parse(text)


async def order(stage: Stage, key: str) -> str:
    wish = OrderRequest(outlet="M01", slot="A1", key=key)
    return await checkout.place(stage.context, wish)


async def test_a_price_above_the_cap_of_its_class_is_refused_and_names_the_slot(
    stage: Stage,
) -> None:
    capped(stage, "G2:INR=4500,G3:INR=9000,G2:EUR=1")
    with pytest.raises(ConfigError) as refused:  # it said no HELLO yet: no sensor is known
        await changed(stage, ConfigChange(slots=price(4501), codes="replace"))
    assert (refused.value.code, refused.value.field) == ("price_above_cap", "slots[0].price")
    assert "G2" in str(refused.value)
    await changed(stage, ConfigChange(slots=price(4500), codes="replace"))
    await stage.hello()  # with a sensor: G3
    made = await changed(stage, ConfigChange(slots=price(9000), codes="replace"))
    assert made.version == 3


async def test_a_price_that_stands_above_it_refuses_no_other_change(stage: Stage) -> None:
    capped(stage, "G2:INR=100")
    await changed(stage, ConfigChange(name="Platform 2", slots=price(4000)))
    assert (await config.read(stage.context, stage.merchant, "M01")).name == "Platform 2"


async def test_a_change_of_many_says_it_before_anything_is_written(stage: Stage) -> None:
    capped(stage, "G2:INR=4500")
    wanted = [MachineChange(machine="M01", slots=price(5000))]
    (planned,) = await bulk.plan(stage.context, editor(stage), wanted)
    assert "at most" in planned.problem


async def test_a_machine_above_it_is_not_set_up(stage: Stage) -> None:
    capped(stage, "G0:INR=3999,G2:INR=4000")
    simple = machine(slots=[COLA], channel="socketio", dialect="simple")
    assert await problems(stage, simple) == [(0, "slots", "price_above_cap")]
    capped(stage, "G2:INR=3999")
    assert await problems(stage, machine(slots=[COLA])) == [(0, "slots", "price_above_cap")]


async def test_no_order_is_placed_once_the_class_fell_and_the_page_says_why(stage: Stage) -> None:
    capped(stage, "G1:INR=3999")
    await stage.hello()
    assert await order(stage, "seen by a sensor")
    await stage.hello(boot="b2", mdb=True)  # it is the slave of an old controller now
    with pytest.raises(NotNowError) as refused:
        await order(stage, "seen by nobody")
    assert refused.value.why_not is WhyNot.ABOVE_CAP
    view = await outlet_pages.outlet(stage.context, "M01")
    assert view is not None
    assert [item.available for item in view.items] == [False]
    capped(stage, "G1:INR=4000")
    assert await order(stage, "within it")


async def test_a_slot_above_it_is_refused_beside_one_that_is_not(stage: Stage) -> None:
    capped(stage, "G3:INR=3999")
    await stage.hello()
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, stock)"
            " SELECT merchant_id, outlet_id, 'A2', product_id, 3000, 5 FROM slots"
        )
    with pytest.raises(NotNowError) as refused:
        await order(stage, "the dear one")
    assert refused.value.why_not is WhyNot.ABOVE_CAP
    view = await outlet_pages.outlet(stage.context, "M01")
    assert view is not None
    assert {item.slot: item.available for item in view.items} == {"A1": False, "A2": True}


def test_without_the_setting_nothing_is_capped() -> None:
    assert PriceCaps().refusal("G0", Money(10**9, "INR")) is None


@pytest.mark.parametrize("text", ["G4:INR=1", "G0:XXQ=1", "G0=5", "G0:INR=1,G0:INR=2", "G0:INR=-1"])
def test_what_says_no_caps_stops_the_start_and_is_named(text: str) -> None:
    with pytest.raises(PriceCapError):
        PriceCaps.parse(text)
    with pytest.raises(SettingsError, match="COINSLOT_PRICE_CAPS"):
        read({"COINSLOT_PRICE_CAPS": text})
