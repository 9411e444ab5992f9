"""A printed code holds its text and its sheet is a drawing any printer reads."""

from xml.etree import ElementTree

import pytest

from coinslot.kit.qr import png, poster_svg, svg

LINK = "https://example.test/q/M01"


def test_a_png_grows_with_its_scale() -> None:
    small, large = png(LINK, 2), png(LINK, 8)
    assert small.startswith(b"\x89PNG\r\n\x1a\n")
    width_small, width_large = (int.from_bytes(data[16:20]) for data in (small, large))
    assert width_large == 4 * width_small


def test_a_drawing_takes_the_size_of_its_box() -> None:
    root = ElementTree.fromstring(svg(LINK))
    assert "viewBox" in root.attrib
    assert "width" not in root.attrib


def test_different_texts_make_different_codes() -> None:
    assert svg(LINK) != svg(LINK + "2")


@pytest.mark.parametrize("title", ["Cans & bottles <M01>", 'Say "tea"', "पानी", "Вода", "x" * 200])
def test_any_title_makes_a_readable_sheet(title: str) -> None:
    root = ElementTree.fromstring(poster_svg(LINK, title, ["₹40", "M01 < M02"]))
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == [title, "₹40", "M01 < M02"]
    assert root.attrib["aria-label"] == title
    assert root.attrib["width"].endswith("mm")


def test_the_sheet_carries_the_code_with_a_place_of_its_own() -> None:
    root = ElementTree.fromstring(poster_svg(LINK, "M01"))
    inner = root.find("{http://www.w3.org/2000/svg}svg")
    assert inner is not None
    assert float(inner.attrib["x"]) + float(inner.attrib["width"]) <= 105
