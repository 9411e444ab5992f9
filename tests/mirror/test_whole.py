"""The mirror written afresh and compared, while it runs and while it does not."""

import asyncio

from coinslot.events.mirror.rebuild import differences, write_whole
from tests.mirror.rig import Interrupted, Rig, mirror_through, running, vend
from tests.scenarios.installation import eventually


async def test_a_wiped_database_is_as_before_after_a_rebuilding(rig: Rig) -> None:
    await vend(rig.stage)
    await rig.mirror.round()
    await rig.follow()
    before = rig.tree()
    rig.ask("DELETE", "")

    done = await write_whole(rig.mirror)
    assert rig.tree() == before
    assert (done.written, done.removed) == (4, 0)


async def test_what_belongs_to_nothing_is_taken_away_and_what_is_not_ours_stays(rig: Rig) -> None:
    await vend(rig.stage)
    rig.ask("PUT", "", {
        "orders": {"gone": {"status": "PAID"}}, "machines": [{"status": "IDLE"}],
        "theirs": {"kept": True},
    })  # fmt: skip

    done = await write_whole(rig.mirror)
    assert done.removed == 2
    assert rig.tree("theirs") == {"kept": True}
    assert list(rig.tree("machines")) == ["M01"]
    assert "gone" not in rig.tree("orders")


async def test_after_a_rebuilding_the_log_is_read_from_where_it_began(rig: Rig) -> None:
    await vend(rig.stage)
    await write_whole(rig.mirror)
    assert await rig.mirror.cursor.next_batch() is None

    await rig.stage.sell()
    batch = await rig.mirror.cursor.next_batch()
    assert batch is not None
    assert len(batch.entries) < 8


async def test_sales_during_a_rebuilding_are_not_missed(rig: Rig) -> None:
    await rig.stage.hello()

    async def sell() -> None:
        for _ in range(10):
            await rig.stage.sell()

    async def told() -> bool:
        return (await rig.mirror.lag()).entries == 0

    async with running(rig.another()):
        for _ in range(3):
            await asyncio.gather(write_whole(rig.mirror), sell())
        await eventually(told, 20)

    assert await differences(rig.mirror) == []
    assert len(rig.tree("orders")) == 30


async def test_a_page_that_arrives_behind_the_mirror_is_set_right_by_the_log(rig: Rig) -> None:
    await rig.stage.hello()
    await rig.stage.sell()
    await rig.follow()

    async def it_drops() -> None:
        await rig.stage.sweep()
        await rig.stage.accept()
        await rig.stage.started()
        await rig.stage.result()
        await rig.follow()

    slow = mirror_through(rig.stage, Interrupted(rig.url, "orders/", it_drops))
    await write_whole(slow)
    await slow.remote.close()
    assert [order["status"] for order in rig.tree("orders").values()] == ["PAID"]

    await rig.follow()
    assert [order["status"] for order in rig.tree("orders").values()] == ["COMPLETED"]


async def test_a_machine_shown_too_late_is_set_right_by_the_next_round(rig: Rig) -> None:
    await rig.stage.hello()
    async with running(rig.another()):

        async def it_goes_offline() -> None:
            rig.stage.later(60)
            await eventually(lambda: rig.tree("machines/M01/status") == "OFFLINE", 10)

        slow = mirror_through(rig.stage, Interrupted(rig.url, "machines/", it_goes_offline))
        await write_whole(slow)
        await slow.remote.close()
        await eventually(lambda: rig.tree("machines/M01/status") == "OFFLINE", 10)

    assert await differences(rig.mirror) == []


async def test_a_comparison_names_what_differs(rig: Rig) -> None:
    await vend(rig.stage)
    await write_whole(rig.mirror)
    assert await differences(rig.mirror) == []
    (order_id,) = rig.tree("orders")
    rig.ask("PUT", f"orders/{order_id}/status", "PAID")
    rig.ask("DELETE", "paymentEvents/pay_1")
    rig.ask("PUT", "machines/M99", {"status": "IDLE"})
    rig.ask("PUT", "machines/M01/lastSeenAt", "2026-11-21T11:59:00.000Z")

    wrong = [f"orders/{order_id}", "paymentEvents/pay_1", "machines/M99"]
    assert await differences(rig.mirror) == sorted(wrong)
