"""The page of profit and its files: what is not known is said, and never shown as nothing."""

from html import unescape

from tests.console.conftest import Browser, signed_in
from tests.console.test_money import sold
from tests.people.conftest import Staffed


async def fees(staffed: Staffed, minor: int) -> None:
    """The gateway says what it keeps of each payment."""
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("SELECT book_fee(c, $1, now()) FROM captures c", minor)


async def sale(staffed: Staffed) -> None:
    """A can at 40 rupees that cost 15."""
    async with staffed.stage.context.db.as_merchant(staffed.merchant) as conn:
        await conn.execute("UPDATE products SET cost_minor = 1500")
    await sold(staffed)


async def profit_page(asha: Browser) -> str:
    page = await asha.look("/console/money/profit")
    assert page.status_code == 200
    return unescape(page.text).replace("\xa0", " ")


async def test_a_profit_that_rests_on_an_unknown_fee_is_the_most_that_it_can_be(
    staffed: Staffed,
) -> None:
    await sale(staffed)
    asha = await signed_in(staffed, "asha")
    shown = await profit_page(asha)
    assert "at most ₹" in shown
    assert "Payments whose fee the gateway has not stated: 1." in shown
    await fees(staffed, 94)
    shown = await profit_page(asha)
    assert "at most" not in shown
    assert "₹24.06" in shown  # 40.00 less 15.00 and 0.94
    assert "<svg" in shown


async def test_each_order_is_a_line_of_a_file_and_what_is_unknown_is_empty_there(
    staffed: Staffed,
) -> None:
    await sale(staffed)
    asha = await signed_in(staffed, "asha")
    told = await asha.client.get("/console/money/profits/export?as=csv")
    lines = [line.split(",") for line in told.text.splitlines()]
    at = {name: place for place, name in enumerate(lines[0])}
    assert (lines[1][at["Fee"]], lines[1][at["Profit"]]) == ("", "")
    assert int(lines[1][at["Not known yet"]]) > 0
    await fees(staffed, 94)
    told = await asha.client.get("/console/money/profits/export?as=csv")
    line = told.text.splitlines()[1].split(",")
    assert (line[at["Fee"]], line[at["Profit"]], line[at["Not known yet"]]) == (
        "0.94",
        "24.06",
        "0",
    )
    by_day = await asha.client.get("/console/money/profit/export?as=csv")
    assert by_day.status_code == 200
    assert by_day.text.splitlines()[-1].split(",")[-3:] == ["24.06", "0", "INR"]


async def test_a_page_without_orders_says_so(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    assert "No order ended on these days." in await profit_page(asha)
