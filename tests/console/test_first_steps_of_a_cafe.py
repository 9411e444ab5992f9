"""A café's owner sets up a counter, and nobody leads them to a vending machine after that."""

from typing import Any

from tests.console.conftest import Browser
from tests.console.test_wizard import gita, staffed  # noqa: F401
from tests.people.conftest import Staffed

CAFE = {"name": "Gita's corner", "place": "Pune", "currency": "INR", "account": "practice",
        "tax": "included"}  # fmt: skip


async def gita_with_a_counter(staffed: Staffed, urls: Any) -> Browser:  # noqa: F811
    browser = await gita(staffed, urls)
    page = await browser.look("/console/new-counter")
    answer = await browser.press(page, "/console/new-counter", CAFE)
    assert answer.headers["location"] == "/console/menu/S01"
    return browser


async def test_after_a_counter_the_next_step_is_a_gateway_and_no_practice_machine(
    staffed: Staffed,  # noqa: F811
    urls: Any,
) -> None:
    browser = await gita(staffed, urls)
    before = (await browser.look("/console/today")).text
    assert "Done: 1 of 8." in before
    assert "Empty slots" in before
    page = await browser.look("/console/new-counter")
    answer = await browser.press(page, "/console/new-counter", CAFE)
    assert answer.headers["location"] == "/console/menu/S01"
    today = (await browser.look("/console/today")).text
    assert "Done: 2 of 3." in today
    assert "For real: a gateway" in today
    assert "practice machine" not in today
    assert "Empty slots" not in today, "it has no slot"
    assert "printed from its menu" in (await browser.look("/console/codes")).text
    assert "practice machine" not in (await browser.look("/console/start")).text


async def test_pasted_lines_say_how_many_items_came_and_which_lines_became_sections(
    staffed: Staffed,  # noqa: F811
    urls: Any,
) -> None:
    browser = await gita_with_a_counter(staffed, urls)
    menu, pasted = "/console/menu/S01", "Coffee\nLatte 350 ₹\nMocha 4,50\nCakes\nCroissant INR 260"
    answer = await browser.press(
        await browser.look(menu), f"{menu}/lines", {"lines": pasted, "tax": "5"}
    )
    said = (await browser.look(answer.headers["location"])).text
    assert "Items added: 3, in 2 sections." in said
    assert "taken as sections: Coffee, Cakes" in said
    lost = "Tea\nMint 2\nCroissant"
    refused = await browser.press(
        await browser.look(menu), f"{menu}/lines", {"lines": lost, "tax": "5"}
    )
    assert refused.status_code == 422
    assert "no item follows it in its section: 3: Croissant" in refused.text
    assert lost in refused.text
    percent = await browser.press(
        await browser.look(menu), f"{menu}/lines", {"lines": "Mint 2", "tax": "much"}
    )
    assert "price of this line" not in percent.text, "it is the tax that cannot be read"
