"""A slot that gets another product sells nothing until a person counted it, and a template leaves
par levels alone that its machine had none of."""

from coinslot.fleet import bulk, templates
from coinslot.fleet.bulk import Difference, MachineChange
from coinslot.fleet.config import ConfigChange, Editor, SlotChange
from coinslot.outlets.machines import refill
from tests.fleet.test_config import a_product, changed, price
from tests.sales.neighbours import a_second_machine
from tests.sales.stage import Stage
from tests.stock.test_counts import counted, sold, stock
from tests.stock.test_visits import filled

TEA = ConfigChange(slots=(SlotChange(slot="A1", sku="tea"),), codes="keep")


async def with_tea(stage: Stage) -> None:
    await a_product(stage, "tea")
    await stage.hello()
    assert await counted(stage, 7, seq=1, event_seq=0) == 7
    await changed(stage, TEA)


async def test_what_lies_in_a_slot_is_not_sold_as_its_next_product(stage: Stage) -> None:
    await with_tea(stage)
    assert await stock(stage) == 0


async def test_the_machines_own_count_does_not_say_of_what(stage: Stage) -> None:
    await with_tea(stage)
    assert await counted(stage, 7, seq=2, event_seq=0) == 0
    await filled(stage, after=12)
    assert await stock(stage) == 12
    assert await counted(stage, 11, seq=3, event_seq=0) == 11, "from now on it counts again"


async def test_a_count_that_is_typed_in_lets_the_slot_sell_again(stage: Stage) -> None:
    await with_tea(stage)
    await refill(stage.context.db, "M01", "A1", 5)
    assert await stock(stage) == 5
    await sold(stage, 1)
    assert await stock(stage) == 4
    assert await counted(stage, 4, seq=2, event_seq=2) == 4


async def test_a_new_price_leaves_the_stock_alone(stage: Stage) -> None:
    await stage.hello()
    await counted(stage, 7, seq=1, event_seq=0)
    await changed(stage, ConfigChange(slots=price(4500), codes="keep"))
    assert await stock(stage) == 7


async def test_back_to_the_product_before_is_another_product_too(stage: Stage) -> None:
    await with_tea(stage)
    await changed(stage, ConfigChange(slots=(SlotChange(slot="A1", sku="cola"),), codes="keep"))
    assert await stock(stage) == 0, "somebody may have been there meanwhile"


async def test_the_preview_says_that_the_slot_holds_nothing_then(stage: Stage) -> None:
    await a_product(stage, "tea")
    wanted = MachineChange(machine="M01", slots=TEA.slots)
    (plan,) = await bulk.plan(stage.context, Editor(stage.merchant, "asha"), [wanted])
    assert Difference(slot="A1", what="stock", before=None, after=0) in plan.differences


async def test_a_template_of_a_machine_without_par_levels_leaves_those_of_others(
    stage: Stage,
) -> None:
    await a_second_machine(stage)
    asha = Editor(stage.merchant, "asha")
    made = await templates.save_from(stage.context, asha, "plain", "M01")
    assert [slot.par for slot in made.slots] == [None]
    await changed(stage, ConfigChange(slots=(SlotChange(slot="A1", par=20),)))
    await templates.assign(stage.context, asha, "plain", ["M01"])
    table = await bulk.table(stage.context, stage.merchant, ["M01"])
    assert [slot.par for slot in table] == [20]
