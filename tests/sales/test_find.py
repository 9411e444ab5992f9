"""Who paid a printed code finds the order by machine, amount and minute, and no other order."""

from datetime import timedelta

from coinslot.orders import outlet_pages
from coinslot.payments import provision
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage


async def found(stage: Stage, outlet: str, minor: int = 4000, later_s: float = 0) -> int:
    minute = stage.clock.now() + timedelta(seconds=later_s)
    return len(await outlet_pages.find(stage.context, outlet, minor, [minute]))


async def test_an_order_is_found_at_its_own_machine_only(stage: Stage) -> None:
    second = await a_second_machine(stage)
    await provision.print_qr(stage.context, second.outlet, 4000)
    await stage.sell()
    assert await found(stage, "M01") == 1
    assert await found(stage, second.outlet) == 0


async def test_an_order_is_found_by_its_own_amount_only(stage: Stage) -> None:
    await stage.sell()
    assert await found(stage, "M01", 3999) == 0
    assert await found(stage, "M01", 4001) == 0
