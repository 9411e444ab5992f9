"""Two of a kind side by side: what happens to one is not told, counted or taken of the other."""

from datetime import datetime

import pytest

from coinslot.orders import outlet_pages
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage
from tests.sales.test_page_orders import pay, placed


async def test_each_order_shows_its_own_code(stage: Stage) -> None:
    tokens = [await placed(stage, f"tap {n}") for n in range(3)]
    codes = []
    for token in tokens:
        view = await outlet_pages.order(stage.context, token)
        assert view is not None
        assert view.pay is not None
        codes.append(view.pay.qr_code_id)
    assert len(set(codes)) == 3


async def test_the_version_of_a_page_grows_by_its_own_order_alone(stage: Stage) -> None:
    first, second = [await placed(stage, f"tap {n}") for n in range(2)]

    async def versions() -> list[int]:
        views = [await outlet_pages.order(stage.context, token) for token in (first, second)]
        return [view.version for view in views if view is not None]

    before = await versions()
    await stage.webhook(await pay(stage, first))
    after = await versions()
    assert after[0] > before[0]
    assert after[1] == before[1]


async def test_a_can_that_drops_is_taken_from_its_own_slot(stage: Stage) -> None:
    second = await a_second_machine(stage)
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute(
            "INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, stock)"
            " SELECT merchant_id, outlet_id, 'B1', product_id, price_minor, 7 FROM slots"
            " WHERE outlet_id = 'M01'"
        )
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.accept()
    await stage.result()
    rows = await stage.rows("SELECT outlet_id, slot, stock FROM slots ORDER BY 1, 2")
    assert [tuple(row.values()) for row in rows] == [
        ("M01", "A1", 9), ("M01", "B1", 7), (second.outlet, "A1", 10),
    ]  # fmt: skip


@pytest.mark.parametrize(("heard_ago_s", "soon"), [(5, True), (25, False)])
async def test_a_machine_at_another_process_is_looked_after_soon_and_a_silent_one_is_not(
    stage: Stage, heard_ago_s: float, soon: bool
) -> None:
    await stage.hello()
    stage.line.connected = False  # here; by its last word it is online at another process
    stage.later(heard_ago_s)
    await stage.sell()
    await stage.sweep("fulfillments")
    due: datetime = await stage.value("SELECT due_at FROM fulfillments")
    pause_s = (due - stage.clock.now()).total_seconds()
    assert (pause_s < stage.context.windows.offer_s) is soon


async def test_a_machine_that_is_here_is_not_looked_for_elsewhere(stage: Stage) -> None:
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    await stage.sell()  # the second waits for the first
    await stage.sweep("fulfillments")
    due = await stage.value("SELECT due_at FROM fulfillments WHERE state = 'queued'")
    assert due == stage.context.after("offer_s")
