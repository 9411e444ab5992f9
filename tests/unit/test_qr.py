"""A printed code holds its text and its sheet is a drawing any printer reads."""

import io
from xml.etree import ElementTree

import pytest
from PIL import Image

from coinslot.kit.qr import png, poster_svg, read, svg

LINK = "https://example.test/q/M01"


def test_a_png_grows_with_its_scale() -> None:
    small, large = png(LINK, 2), png(LINK, 8)
    assert small.startswith(b"\x89PNG\r\n\x1a\n")
    width_small, width_large = (int.from_bytes(data[16:20]) for data in (small, large))
    assert width_large == 4 * width_small


@pytest.mark.parametrize(
    "text", [LINK, "upi://pay?pa=coinslot@upi&pn=Asha&am=40.00&cu=INR&tr=RZPqr1qrv2"]
)
def test_a_code_is_read_again_from_its_picture(text: str) -> None:
    assert read(png(text)) == text


def test_of_two_codes_in_a_poster_the_large_one_is_read() -> None:
    large, small = (
        Image.open(io.BytesIO(png(text, scale))) for text, scale in ((LINK, 8), ("x", 3))
    )
    poster = Image.new("L", (large.width + small.width + 40, large.height + 40), 200)
    poster.paste(small, (10, 10))
    poster.paste(large, (small.width + 20, 20))
    saved = io.BytesIO()
    poster.save(saved, "JPEG")
    assert read(saved.getvalue()) == LINK


@pytest.mark.parametrize("picture", [b"", b"<html>", png(LINK)[:100]])
def test_where_there_is_no_code_none_is_read(picture: bytes) -> None:
    assert read(picture) is None


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


@pytest.mark.parametrize("languages", [1, 2, 3])
def test_all_words_stay_on_the_sheet_below_the_code(languages: int) -> None:
    block = [
        "1. Scan with your payment app and pay exactly 40.00 INR.",
        "2. Wait.",
        "3. " + "x" * 70,
    ]
    drawn = poster_svg(LINK, "M01", ["M01", "Cola"], [block] * languages, ["https://x.test", "?"])
    root = ElementTree.fromstring(drawn)
    texts = list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert len(texts) == 3 + 3 * languages + 2
    below = [float(node.attrib["y"]) for node in texts[1:]]
    assert below == sorted(below)
    assert below[0] > 18 + 70
    assert below[-1] < 148
    for node in texts:
        assert len(node.text or "") * 0.6 * float(node.attrib["font-size"]) <= 95.1
