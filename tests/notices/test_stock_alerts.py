"""Low stock, and a machine that shows other prices than ours: told once, and over by itself."""

from uuid import UUID

from coinslot.channels import messages as wire
from tests.notices.telling import Told
from tests.notices.test_telling import told as told
from tests.people.conftest import staffed as staffed
from tests.sales.conftest import stage as stage


async def stock(told: Told, *slots: tuple[int, int]) -> None:
    """M01's one slot holds so many of its par level."""
    async with told.context.db.as_merchant(told.staffed.merchant) as conn:
        for held, par in slots:
            await conn.execute("UPDATE slots SET stock = $1, par = $2", held, par)


async def test_a_machine_that_is_nearly_sold_out_is_told_once_until_it_is_filled(
    told: Told,
) -> None:
    await stock(told, (6, 20))
    await told.heard("M01")
    assert await told.pass_(120) == []
    await stock(told, (5, 20))
    heard = await told.pass_(120)
    assert sorted(heard)[0] == ("asha", "Nearly sold out: M01 (Platform 1): A1")
    await told.heard("M01")
    await stock(told, (0, 20))
    assert await told.pass_(120) == [], "it is told already"
    await stock(told, (20, 20))
    await told.pass_(7200, step=1200)
    await stock(told, (2, 20))
    again = [said for _, said in await told.pass_(120)]
    assert any(said.startswith("Nearly sold out") for said in again), again


async def test_a_slot_without_a_par_level_or_out_of_sale_is_not_low(told: Told) -> None:
    await stock(told, (0, 0))
    await told.heard("M01")
    assert await told.pass_(120) == []
    async with told.context.db.as_merchant(told.staffed.merchant) as conn:
        await conn.execute(
            "UPDATE slots SET stock = 0, par = 20, withheld_at = now(), out_of_sale_at = now()"
        )
    await told.heard("M01")
    assert await told.pass_(120) == []


async def test_a_machine_that_refuses_our_price_is_told(told: Told) -> None:
    stage = told.staffed.stage
    await stage.hello()
    await stage.sell()
    await stage.sweep("fulfillments")
    offer = stage.offered()
    await stage.hear(
        wire.Reject(unit_id=UUID(offer["unit_id"]), seq=offer["seq"], journal_id="j1",
                    code=wire.Refusal.PRICE_VERSION)
    )  # fmt: skip
    await told.heard("M01")
    heard = [said for _, said in await told.pass_(120)]
    assert any(said.startswith("M01 (Platform 1) shows other prices") for said in heard), heard
