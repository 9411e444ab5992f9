"""A change that a machine has not applied yet stands on its page beside what is sold."""

from coinslot.fleet import pushing
from tests.console.conftest import form, signed_in
from tests.people.conftest import Staffed

M01 = "/console/machines/M01"


async def test_the_page_shows_what_is_wanted_beside_what_is_sold_until_the_machine_has_it(
    staffed: Staffed,
) -> None:
    stage = staffed.stage
    boris = await signed_in(staffed, "boris")
    assert 'id="waiting"' not in (await boris.look(M01)).text
    await pushing.heard(stage.context, stage.merchant, "M01", 1)
    page = await boris.look(M01)
    price = f"{M01}/slots/A1/price"
    assert form(page, price)
    answer = await boris.press(page, price, {"amount": "45", "codes": "keep"})
    assert answer.status_code == 303, answer.text
    shown = (await boris.look(M01)).text
    assert 'id="waiting"' in shown
    assert "₹40" in shown
    assert "₹45" in shown
    assert "Version 2; sold is version 1" in shown
    assert "The machine is silent" in shown
    await pushing.heard(stage.context, stage.merchant, "M01", 2)
    assert 'id="waiting"' not in (await boris.look(M01)).text
