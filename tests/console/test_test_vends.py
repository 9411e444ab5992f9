"""A test vend sells nothing: no page counts it as a sale, neither from rows nor from kept sums."""

from coinslot.db.migrate import MIGRATIONS
from coinslot.oversight import day_sums, money, money_lists
from coinslot.oversight.money import Asked
from coinslot.oversight.today import today
from tests.console.conftest import signed_in
from tests.console.test_machine_page import drop, pressed
from tests.people.conftest import Staffed

DAY_S = 86_400


async def with_a_test_vend(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    await staffed.stage.hello()
    assert (await pressed(boris, "test-vend", {"slot": "A1"})).status_code == 303
    await drop(staffed, "b1")


async def test_a_test_vend_is_no_sale_of_the_day(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    await staffed.stage.hello()
    await pressed(boris, "test-vend", {"slot": "A1"})
    context = staffed.stage.context
    assert (await today(context, staffed.merchant)).unsettled == ()  # owed to nobody
    await drop(staffed, "b1")
    now = await today(context, staffed.merchant)
    assert (now.sold, now.unsettled, now.half_settled_s) == ((), (), None)


async def test_a_test_vend_is_in_no_report_before_and_after_the_day_is_summed(
    staffed: Staffed,
) -> None:
    await with_a_test_vend(staffed)
    context, merchant = staffed.stage.context, staffed.merchant
    staffed.later(2 * DAY_S)
    wanted = await money.filter_of(context, merchant, Asked())
    fresh = await money.report(context, merchant, wanted)
    assert (fresh.totals, fresh.machines, fresh.products) == ((), (), ())
    assert await day_sums.due(context) > 0
    assert await money.report(context, merchant, wanted) == fresh
    asked = money_lists.Wanted("orders", wanted)
    assert await money_lists.page(context, merchant, asked, "", 9) == []
    await staffed.stage.sweep()
    assert (await staffed.stage.audit()).red == set()


async def test_a_sale_beside_a_test_vend_is_counted_alone(staffed: Staffed) -> None:
    await with_a_test_vend(staffed)
    stage = staffed.stage
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept(boot="b1")
    await stage.started(event_seq=3)
    await stage.result(event_seq=4)
    await stage.sweep()
    (sold,) = (await today(stage.context, staffed.merchant)).sold
    assert (sold.count, sold.money.minor) == (1, 4000)
    asked = await money.filter_of(stage.context, staffed.merchant, Asked())
    (total,) = (await money.report(stage.context, staffed.merchant, asked)).totals
    assert (total.sold, total.sold_minor) == (1, 4000)
    staffed.later(2 * DAY_S)
    await day_sums.due(stage.context)
    await stage.sweep()
    assert (await stage.audit()).red == set()


async def test_a_day_that_counted_one_before_the_update_is_summed_again(staffed: Staffed) -> None:
    await with_a_test_vend(staffed)
    context, merchant, owner = staffed.stage.context, staffed.merchant, staffed.stage.owner
    staffed.later(2 * DAY_S)
    await day_sums.due(context)
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(
            "INSERT INTO unit_days (merchant_id, day, outlet_id, sku, currency, sold, sold_minor,"
            " failed, failed_minor, waits) SELECT merchant_id, day, 'M01', 'cola', 'INR', 1, 0, 0,"
            " 0, '{1,0,0,0,0,0,0,0,0,0,0,0,0,0,0}' FROM summed_days ORDER BY day LIMIT 1"
        )
    assert (await staffed.stage.audit()).red >= {"kept_sums_of_days_are_those_of_the_rows"}
    assert owner is not None
    await owner.execute((MIGRATIONS / "0043_test_vends_sell_nothing.sql").read_text())
    assert await day_sums.due(context) == 1
    await staffed.stage.sweep()
    assert (await staffed.stage.audit()).red == set()
