"""A merchant's brand: readable in every colour, and edited with a look first."""

import colorsys
import re
from itertools import product
from pathlib import Path

import pytest

from coinslot.merchants.brand import ColourError, colour_named
from coinslot.orders import outlet_pages
from coinslot.pages import colours, rendering
from tests.console.conftest import form, signed_in
from tests.people.conftest import Staffed

BRAND = "/console/settings/brand"
FIELDS = {
    "name": "Chai & Cans", "colour": "#ffee00", "banded": "1", "ground": "#101080",
    "support": "+91 98765 43210", "nothing_out": "help@asha.example", "do": "save",
}  # fmt: skip


def wheel() -> list[str]:
    """Colours of every hue, pale to deep, and the greys."""
    parts = product(range(0, 360, 15), (0.0, 0.4, 1.0), (0.0, 0.15, 0.35, 0.5, 0.65, 0.85, 1.0))
    return sorted(
        {
            "#" + "".join(f"{round(255 * v):02x}" for v in colorsys.hls_to_rgb(h / 360, light, s))
            for h, s, light in parts
        }
    )


def test_any_colour_is_readable_on_light_and_dark_pages() -> None:
    for colour, under in product(wheel(), (colours.LIGHT, colours.DARK)):
        paint = colours.palette(colour, colour)
        shade = paint.light if under is colours.LIGHT else paint.dark
        assert None not in (shade.go, shade.on_go, shade.band, shade.on_band)
        go, on_go, band, on_band = map(str, (shade.go, shade.on_go, shade.band, shade.on_band))
        for ground in under:
            assert colours.contrast(go, ground) >= 4.5, (colour, ground)
        assert colours.contrast(go, on_go) >= 4.5, colour
        assert colours.contrast(band, on_band) >= 4.5, colour


def test_a_colour_that_can_be_read_stays_as_it_was_chosen() -> None:
    kept = [one for one in wheel() if colours.palette(one, None).light.go == one]
    assert colours.OURS in (*kept, colours.palette(colours.OURS, None).light.go)
    assert 0.2 < len(kept) / len(wheel()) < 0.8


def test_a_corrected_colour_keeps_its_hue() -> None:
    for colour in ("#ffee00", "#ff9ecb", "#7fd4ff", "#3a0ca3"):
        shades = colours.palette(colour, None)
        for shade in (shades.light.go, shades.dark.go):
            assert shade
            assert abs(_hue(shade) - _hue(colour)) < 0.06, (colour, shade)


def _hue(colour: str) -> float:
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    return colorsys.rgb_to_hls(red, green, blue)[0]


def test_contrast_is_computed_as_wcag_does() -> None:
    assert colours.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colours.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_the_grounds_are_those_of_the_style() -> None:
    look = Path(rendering.__file__).parent / "static/look"
    style = "".join(path.read_text() for path in sorted(look.iterdir()))
    found = set(re.findall(r"--(?:paper|card|tint): (#[0-9a-f]{6})", style))
    assert found == {*colours.LIGHT, *colours.DARK}


@pytest.mark.parametrize("wrong", ["red", "#fff", "#12345g", "#0b6b4f;}*{display:none", ""])
def test_what_is_no_colour_is_refused(wrong: str) -> None:
    with pytest.raises(ColourError):
        colour_named(wrong)


def test_a_colour_may_be_typed_with_spaces_and_in_capitals() -> None:
    assert colour_named(" #0B6B4F\n") == "#0b6b4f"


async def test_a_brand_is_saved_shown_first_and_on_record(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    saved = await asha.press(await asha.look(BRAND), BRAND, FIELDS)
    assert saved.headers["location"] == f"{BRAND}?done=brand"
    (entry,) = await staffed.log("brand.changed")
    assert (entry["after"]["colour"], entry["before"]["colour"]) == ("#ffee00", None)
    page = await asha.look(BRAND)
    assert 'value="#ffee00"' in page.text
    view = await outlet_pages.outlet(staffed.stage.context, "M01")
    assert view is not None
    assert (view.brand.name, view.brand.ground) == ("Chai & Cans", "#101080")
    assert view.operator_contact == "+91 98765 43210"
    assert (view.brand.nothing_out, view.merchant_name) == ("help@asha.example", "Asha")


async def test_a_look_shows_what_was_typed_and_saves_nothing(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    shown = await asha.press(await asha.look(BRAND), BRAND, FIELDS | {"do": "look"})
    assert shown.status_code == 200
    assert "Chai &amp; Cans" in shown.text
    assert "hard to read" in shown.text
    assert f"--go:{colours.palette('#ffee00', None).light.go};" in shown.text
    assert await staffed.stage.rows("SELECT * FROM brands") == []
    saved = await asha.press(shown, BRAND, FIELDS)  # the look kept what was typed
    assert saved.status_code == 303


async def test_a_colour_that_is_none_is_refused_with_a_sentence(staffed: Staffed) -> None:
    asha = await signed_in(staffed, "asha")
    wrong = FIELDS | {"colour": "#zzzzzz"}
    answer = await asha.press(await asha.look(BRAND), BRAND, wrong)
    assert (answer.status_code, "written like" in answer.text) == (422, True)


async def test_chandra_changes_her_own_brand_alone(staffed: Staffed) -> None:
    chandra = await signed_in(staffed, "chandra")
    page = await chandra.look(BRAND)
    assert "Asha" not in page.text
    await chandra.press(page, BRAND, FIELDS)
    async with staffed.stage.context.db.system_transaction() as conn:
        rows = await conn.fetch("SELECT merchant_id FROM brands")
    assert [row["merchant_id"] for row in rows] == [staffed.chandra]
    view = await outlet_pages.outlet(staffed.stage.context, "M01")
    assert view is not None
    assert view.brand.name == "Asha"


async def test_boris_does_not_change_it(staffed: Staffed) -> None:
    boris = await signed_in(staffed, "boris")
    fields = form(await boris.look("/console/products"), "/console/sign-out") | {"key": "k" * 20}
    assert (await boris.send(BRAND, fields | FIELDS)).status_code == 403
