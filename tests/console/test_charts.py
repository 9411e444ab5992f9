"""Charts: heights that are true, in an SVG that the policy of our pages lets through."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest

from coinslot.console.charts import Bar, Chart, drawn
from tests.console.conftest import signed_in
from tests.console.test_money import three_days
from tests.people.conftest import Staffed


def chart(*heights: Sequence[int], told: str = "40") -> Chart:
    bars = [Bar(label=str(at), parts=tuple(parts), told=told) for at, parts in enumerate(heights)]
    return Chart(name="Sales", kinds=("sales", "back")[: len(heights[0])], bars=bars, scale=str)


def bars_of(svg: str) -> list[list[float]]:
    """The heights of the parts of each bar."""
    tree = ElementTree.fromstring(svg)
    return [[float(rect.get("height", "")) for rect in group.iter("rect")] for group in tree]


def test_a_bar_is_twice_as_high_as_one_of_half_as_much() -> None:
    small, large, *_ = [bar for bar in bars_of(drawn(chart([20], [40]))) if bar]
    assert large[0] == pytest.approx(2 * small[0], abs=0.2)


def test_parts_stand_on_each_other_and_a_little_is_still_seen() -> None:
    (bar, _) = [bar for bar in bars_of(drawn(chart([1_000_000, 1], [1_000_000, 0]))) if bar]
    assert bar[1] >= 1


def test_days_without_anything_have_their_place_and_no_bar() -> None:
    svg = drawn(chart([40], [0], [40]))
    assert svg.count("<g>") == 3
    assert svg.count("<rect") == 2


def test_nothing_at_all_is_drawn_as_nothing() -> None:
    assert drawn(chart([0], [0])) == ""
    assert drawn(Chart(name="Sales", kinds=(), bars=(), scale=str)) == ""


def test_what_a_merchant_calls_a_thing_is_no_markup() -> None:
    svg = drawn(chart([1], told="<script>alert('x')</script>&"))
    assert "<script" not in svg
    ElementTree.fromstring(svg)


def test_a_year_of_days_has_few_labels() -> None:
    svg = drawn(chart(*[[n + 1] for n in range(365)]))
    assert svg.count('text-anchor="middle"') <= 8
    assert len(svg) < 80_000


async def test_the_reports_draw_what_their_tables_say_and_need_no_style_or_script_of_their_own(
    staffed: Staffed,
) -> None:
    await three_days(staffed)
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/money/reports")
    drawings = re.findall(r"<svg class=\"chart\".*?</svg>", page.text, re.DOTALL)
    assert len(drawings) == 3
    for svg in drawings:
        assert not re.search(r"style=|<script|onload|href", svg)
    sales = re.findall(r"<title>([^<]*)</title>", drawings[0])
    assert sales == ["21 Nov: ₹80.00", "22 Nov: ₹0.00", "23 Nov: ₹40.00"]
    assert '<td class="sum">₹80.00</td>' in page.text
    today = await asha.look("/console/today")
    assert today.text.count('<svg class="chart"') == 1


async def test_half_of_all_and_nearly_all_are_settled_within_what_the_page_says(
    staffed: Staffed,
) -> None:
    await three_days(staffed)  # three cans took two seconds, one took forty
    asha = await signed_in(staffed, "asha")
    page = await asha.look("/console/money/reports")
    assert "Half settled within 2 s" in page.text
    assert '<p class="big">60 s</p>' in page.text
