"""What happens around an attempt to pay an order: taps twice and at once, webhooks before answers,
twice and late, and processes that die after any commit or call."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from coinslot.kit.faults import no_fault
from coinslot.payments.ways_to_pay import Form
from tests.sales.payers import Payers, two_ways
from tests.sales.stage import Stage
from tests.sales.weather import DIES_AFTER, DIES_BEFORE, DONE_AND_LOST, LOST


@pytest.fixture
async def payers(stage: Stage) -> Payers:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await conn.execute("UPDATE slots SET stock = 500")  # a can for each step at which one dies
    return await two_ways(stage)


class DiedError(Exception):
    """The process is gone."""


async def dies_at(stage: Stage, step: int, doing: Awaitable[object]) -> bool:
    """Whether there was such a step: a moment before or after a commit."""
    left = step

    def reached(_point: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise DiedError

    stage.context.db.reached = reached
    try:
        await doing
    except (DiedError, asyncio.CancelledError):
        return True
    finally:
        stage.context.db.reached = no_fault
    return False


async def taken_over(stage: Stage) -> None:
    """Another process works what is owed, when the leases of who died have ended."""
    for _ in range(2):
        stage.later(11)
        await stage.hello()
        for table in ("attempts", "qr_codes", "captures", "refunds", "orders", "inbox"):
            async with stage.context.db.as_merchant(stage.merchant) as conn:
                await conn.execute(f"UPDATE {table} SET leased_until = NULL")
        await stage.sweep()


async def ends(payers: Payers, order: str) -> None:
    """The can drops for one of the captures, and every other has gone back."""
    await payers.stage.hello()
    await payers.stage.sweep()
    await payers.stage.accept()
    drops = await payers.stage.value("SELECT coalesce(max(event_seq), 0) FROM device_events")
    await payers.stage.result(event_seq=drops + 1)
    await payers.stage.sweep()
    assert (await payers.view(order)).state == "completed"
    captures = await payers.stage.rows(
        "SELECT c.* FROM captures c JOIN orders o ON o.id = c.order_id WHERE o.token = $1", order
    )
    assert [row["fulfilled"] for row in captures if row["reason"] is None] == [4000]
    assert all(row["surplus"] == row["captured"] for row in captures if row["reason"] is not None)
    assert await payers.stage.value("SELECT count(*) FROM strays") == 0


Doing = Callable[[Payers, str], Awaitable[object]]


async def begins(payers: Payers, order: str) -> None:
    await payers.tap(order, 1)


async def begins_a_code(payers: Payers, order: str) -> None:
    await payers.tap(order, 0, Form.CODE)


async def changes(payers: Payers, order: str) -> None:
    await payers.tap(order, 0)
    await payers.stage.sweep("attempts")


@pytest.mark.parametrize(
    ("before", "doing"),
    [((), begins), ((), begins_a_code), ((begins,), changes), ((begins_a_code,), changes)],
    ids=["a link", "a code", "from a link to another", "from a code to a link"],
)
async def test_a_process_that_dies_at_any_commit_of_a_tap_leaves_an_order_that_can_be_paid(
    payers: Payers, before: tuple[Doing, ...], doing: Doing
) -> None:
    died = True
    step = 0
    while died:
        step += 1
        payers.stage.later(61)
        order = await payers.order(f"order {step}")
        for earlier in before:
            await earlier(payers, order)
        died = await dies_at(payers.stage, step, doing(payers, order))
        await taken_over(payers.stage)
        open_ = await payers.stage.rows(
            "SELECT a.id FROM attempts a JOIN payments p ON p.id = a.payment_id"
            " JOIN orders o ON o.id = p.order_id WHERE o.token = $1 AND a.retired_at IS NULL"
            " AND a.state IN ('started', 'pending', 'unknown')", order,
        )  # fmt: skip
        assert len(open_) <= 1
        await payers.tap(order, 1)
        view = await payers.view(order)
        assert view.pay is not None
        await payers.tells(1, payers.pays(payers.second), f"paid {step}")
        await ends(payers, order)
    assert step > 4


async def test_a_process_that_dies_at_any_commit_of_a_webhook_is_told_again_and_sells_once(
    payers: Payers,
) -> None:
    died = True
    step = 0
    while died:
        step += 1
        payers.stage.later(61)
        order = await payers.order(f"order {step}")
        await payers.tap(order, 1)
        paid = payers.pays(payers.second)
        died = await dies_at(payers.stage, step, payers.tells(1, paid, f"paid {step}"))
        await taken_over(payers.stage)
        await payers.tells(1, paid, f"paid {step}")
        await payers.tells(1, paid, f"once more {step}")
        await ends(payers, order)
    assert step > 2
    assert payers.refunded() == [0, 0]


@pytest.mark.parametrize("word", [LOST, DONE_AND_LOST, DIES_BEFORE, DIES_AFTER])
async def test_an_answer_that_is_lost_is_asked_for_again_and_makes_one_page(
    payers: Payers, word: str
) -> None:
    order = await payers.order()
    payers.second.fails("collect", word)
    with contextlib.suppress(asyncio.CancelledError):
        await payers.tap(order, 1)
    assert (await payers.view(order)).pay is None
    await taken_over(payers.stage)
    assert (await payers.view(order)).pay is not None
    assert len(payers.second.asked) == 1
    await payers.tells(1, payers.pays(payers.second))
    await ends(payers, order)


async def test_a_webhook_that_comes_before_the_answer_buys_the_goods(payers: Payers) -> None:
    order = await payers.order()
    payers.second.fails("collect", DONE_AND_LOST)
    await payers.tap(order, 1)
    assert await payers.stage.value("SELECT reference FROM attempts") is None
    await payers.tells(1, payers.pays(payers.second))
    assert (await payers.view(order)).state == "paid"
    await taken_over(payers.stage)
    await ends(payers, order)
    assert payers.refunded() == [0, 0]


async def test_what_was_made_and_never_answered_is_found_and_closed_when_the_way_is_changed(
    payers: Payers,
) -> None:
    order = await payers.order()
    payers.second.fails("collect", DONE_AND_LOST)
    await payers.tap(order, 1)
    await payers.tap(order, 0)
    await payers.stage.sweep("attempts")
    assert await payers.states() == [("link", "failed"), ("link", "pending")]
    assert len(payers.second.asked) == 1  # it was looked for, and not sent again


async def test_what_may_still_be_on_its_way_to_the_gateway_is_looked_for_until_it_cannot_be(
    payers: Payers,
) -> None:
    order = await payers.order()
    payers.second.fails("collect", LOST)
    await payers.tap(order, 1)
    await payers.tap(order, 0)
    await payers.stage.sweep("attempts")
    assert (await payers.states())[0] == ("link", "unknown")
    payers.stage.later(3600)  # the life of its key
    await payers.stage.sweep("attempts")
    assert (await payers.states())[0] == ("link", "failed")
    assert payers.second.asked == []


async def test_a_page_of_the_same_gateway_that_was_left_and_chosen_again_buys_and_ends(
    payers: Payers,
) -> None:
    """Some gateways name the payment in a webhook, and neither the link nor the session: then it
    counts for the newest attempt there."""
    order = await payers.order()
    await payers.tap(order, 1)
    left = replace(payers.pays(payers.second), gateway_order_id=None)
    payers.stage.later(5)
    await payers.tap(order, 0)
    await payers.tap(order, 1)
    await payers.tells(1, left)
    assert (await payers.view(order)).state == "paid"
    await taken_over(payers.stage)
    assert await payers.states() == [
        ("link", "succeeded"),
        ("link", "failed"),
        ("link", "succeeded"),
    ]
    await payers.tells(1, payers.pays(payers.second), "the second page too")
    await ends(payers, order)
    assert payers.refunded() == [0, 4000]


async def test_a_double_tap_begins_one_attempt(payers: Payers) -> None:
    order = await payers.order()
    await asyncio.gather(*(payers.tap(order, 1, key="one") for _ in range(4)))
    assert await payers.states() == [("link", "pending")]
    await payers.tap(order, 1, key="another key, the same way")
    assert await payers.states() == [("link", "pending")]
    await payers.tap(order, 0)
    await payers.tap(order, 1, key="one")  # an old page, from the browser's history
    await payers.stage.sweep("attempts")
    assert await payers.states() == [("link", "failed"), ("link", "pending")]


async def test_of_taps_on_two_ways_at_once_one_stays_open(payers: Payers) -> None:
    order = await payers.order()
    await asyncio.gather(
        payers.tap(order, 0), payers.tap(order, 1), payers.tap(order, 0, Form.CODE)
    )
    await taken_over(payers.stage)
    states = [state for _, state in await payers.states()]
    assert states.count("failed") == 2
    view = await payers.view(order)
    assert view.pay is not None


async def test_captures_at_two_gateways_at_once_are_one_sale_and_one_refund(
    payers: Payers,
) -> None:
    payers.first.cancels = payers.second.cancels = False
    order = await payers.order()
    await payers.tap(order, 1)
    early = payers.pays(payers.second)
    payers.stage.later(5)
    await payers.tap(order, 0)
    await asyncio.gather(
        *(payers.tells(1, early, f"early {n}") for n in range(3)),
        *(payers.tells(0, payers.pays(payers.first), f"late {n}") for n in range(3)),
    )
    await ends(payers, order)
    assert sum(payers.refunded()) == 4000


async def test_a_capture_and_the_end_of_the_order_at_once_are_goods_or_money(
    payers: Payers,
) -> None:
    order = await payers.order()
    await payers.tap(order, 1)
    payers.stage.later(899)
    paid = payers.pays(payers.second)
    payers.stage.later(2)
    await asyncio.gather(payers.stage.sweep("orders"), payers.tells(1, paid))
    state = (await payers.view(order)).state
    await payers.stage.sweep()
    assert (state, payers.refunded()) in [("paid", [0, 0]), ("expired", [0, 4000])]


async def test_a_capture_and_a_change_of_the_way_at_once_are_goods_or_money(
    payers: Payers,
) -> None:
    order = await payers.order()
    await payers.tap(order, 1)
    payers.stage.later(5)
    paid = payers.pays(payers.second)
    await asyncio.gather(payers.tap(order, 0), payers.tells(1, paid))
    await payers.stage.sweep()
    if (await payers.view(order)).state == "placed":
        assert payers.refunded() == [0, 4000]
        await payers.tells(0, payers.pays(payers.first))
    else:
        assert payers.refunded() == [0, 0]
    await ends(payers, order)
