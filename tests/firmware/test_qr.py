"""The display's QR code, read back by a scanner."""

import pytest
import zxingcpp
from coinslot_fw.qr import TooLongError, matrix
from PIL import Image


@pytest.mark.parametrize(
    "text",
    ["https://coinslot.example/q/M01", "x" * 53, "https://a.example/q/" + "y" * 58, "z" * 106],
)
def test_a_scanner_reads_what_the_display_shows(text: str) -> None:
    rows = matrix(text)
    size = len(rows) + 8
    picture = Image.new("L", (size, size), 255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            picture.putpixel((x + 4, y + 4), 0 if dark else 255)
    (found,) = zxingcpp.read_barcodes(
        picture.resize((size * 4, size * 4), Image.Resampling.NEAREST)
    )
    assert found.text == text


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(TooLongError):
        matrix("x" * 107)


def test_a_short_address_fits_a_display_of_64_lines() -> None:
    assert 2 * len(matrix("https://coinslot.example/q/M01")) <= 64
