"""What a machine waits for before it sells by a new configuration; what a practice machine and the
templates that are shipped begin with."""

import pytest

from coinslot.fleet import practice, pushing
from coinslot.fleet.pushing import SlotDifference, Waiting
from coinslot.fleet.templates import SHIPPED, Template, TemplateSlot
from coinslot.kit.money import Money
from coinslot.telemetry.food import FOOD_LOCK
from tests.fleet.test_config import changed
from tests.fleet.test_pushing import TEA
from tests.fleet.test_pushing import aware as aware
from tests.sales.stage import Stage

ROWS_OF_SIX = [f"{row}{n}" for row in "ABCD" for n in range(1, 7)]


@pytest.mark.parametrize(
    ("name", "slots", "par"),
    [
        ("one-slot", ["A1"], 20), ("cans-6", ROWS_OF_SIX[:6], 8), ("snacks-24", ROWS_OF_SIX, 10),
        ("cooled-24", ROWS_OF_SIX, 8), ("relay-board-4", ["A1", "A2", "A3", "A4"], 10),
    ],
)  # fmt: skip
def test_a_shipped_template_has_the_slots_that_its_name_says(
    name: str, slots: list[str], par: int
) -> None:
    device = {"limit_c": 5, "warm_s": 900, "grace_s": 1800, "silent_s": 900}
    assert SHIPPED[name] == Template(
        slots=[TemplateSlot(slot=slot, par=par) for slot in slots],
        channel="socketio" if name == "relay-board-4" else "mqtt",
        dialect="simple" if name == "relay-board-4" else "leased",
        device={FOOD_LOCK: device} if name == "cooled-24" else {},
    )
    assert len(SHIPPED) == 5


async def test_a_practice_machine_gives_up_before_somebody_who_watches_does(stage: Stage) -> None:
    async with stage.context.db.as_merchant(stage.merchant) as conn:
        await practice.prepare(conn, stage.merchant, "M01")
    (row,) = await stage.rows("SELECT windows FROM outlets")
    assert row["windows"] == {"dispatch_s": 20, "in_doubt_s": 30, "offer_s": 3, "run_s": 5}


async def test_what_is_not_sold_yet_is_shown_with_all_that_it_waits_for(aware: Stage) -> None:
    assert await pushing.waiting(aware.context, aware.merchant, "M01") is None
    began = aware.clock.now()
    await aware.sell()
    made = await changed(aware, TEA)
    aware.later(5)

    def waits(units: int) -> Waiting:
        return Waiting(
            version=made.version, applied_version=1, since=began, sent_at=None, units=units,
            slots=[
                SlotDifference(
                    slot="A1", product="Cola", price=Money(4000, "INR"), wanted_product="tea",
                    wanted_price=Money(4000, "INR"),
                )
            ],
        )  # fmt: skip

    assert await pushing.waiting(aware.context, aware.merchant, "M01") == waits(1)
    await aware.sell()
    found = await pushing.waiting(aware.context, aware.merchant, "M01")
    assert found is not None
    assert (found.units, found.sent_at) == (2, None)
