"""What an order was placed under goes with it to the machine, and a refusal of versions is no fault
of the slot."""

from uuid import UUID

import pytest

from coinslot.channels import messages as wire
from coinslot.channels.messages import Refusal
from tests.sales.stage import Stage

_BUMP = "UPDATE outlets SET price_version = 7, planogram_version = 8"


def versions(stage: Stage) -> tuple[int, int]:
    offer = stage.offered()
    return offer["price_version"], offer["planogram_version"]


async def test_an_offer_says_the_versions_of_its_order_and_not_those_of_the_moment(
    stage: Stage,
) -> None:
    stage.line.connected = False
    await stage.sell()
    await stage.value(_BUMP)
    stage.line.connected = True
    await stage.hello()
    assert versions(stage) == (1, 1)
    stage.later(6)
    await stage.sweep("fulfillments")  # offered again
    assert len([m for m in stage.line.sent if m["type"] == "OFFER"]) == 2
    assert versions(stage) == (1, 1)


async def test_an_order_placed_after_a_change_says_the_new_versions(stage: Stage) -> None:
    await stage.value(_BUMP)
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    assert versions(stage) == (7, 8)


@pytest.mark.parametrize("code", [Refusal.PRICE_VERSION, Refusal.PLANOGRAM])
async def test_refusals_of_versions_give_the_money_back_and_leave_the_slot_on_sale(
    stage: Stage, code: Refusal
) -> None:
    await stage.hello()
    for _ in range(3):
        await stage.sell()
        await stage.sweep("fulfillments")
        offer = stage.offered()
        await stage.hear(wire.Reject(
            unit_id=UUID(offer["unit_id"]), seq=offer["seq"], journal_id="j1", code=code,
        ))  # fmt: skip
        await stage.sweep()
    assert stage.refunded() == 3 * 4000
    (slot,) = await stage.rows("SELECT failures_in_row, out_of_sale_at FROM slots")
    assert (slot["failures_in_row"], slot["out_of_sale_at"]) == (0, None)
    assert (await stage.audit()).ok
