"""QR codes: as a picture, as SVG, on a sheet to be printed; and read back from a picture."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

import segno

if TYPE_CHECKING:
    import zxingcpp
    from PIL import Image

# ISO 18004 asks for four free modules around the code; scanners in bad light need them.
_BORDER_MODULES = 4

# A6 in millimetres: the sheet fits a sticker, and four fit an A4 page.
_SHEET_WIDTH_MM, _SHEET_HEIGHT_MM = 105, 148
_CODE_TOP_MM, _CODE_MM = 18, 70
_LINE_MM = 6
_SMALL_MM = 3.6  # the largest of the small words, which still are read at arm's length


def png(text: str, scale: int = 8) -> bytes:
    """A PNG in which one module is `scale` pixels wide."""
    out = io.BytesIO()
    _code(text).save(out, kind="png", scale=scale, border=_BORDER_MODULES)
    return out.getvalue()


def read(picture: bytes) -> str | None:
    """The text of the one QR code in a picture (PNG, JPEG, ...); None: no such code, or no picture.

    Of several, the largest: a poster may carry a small one for its own app."""
    # Loaded where they are needed: few processes ever read a picture.
    import zxingcpp
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture)) as opened:
            found = zxingcpp.read_barcodes(opened.convert("L"))
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    codes = [code for code in found if code.format == zxingcpp.BarcodeFormat.QRCode]
    return max(codes, key=_height_px).text if codes else None


def read_all(picture: "Image.Image") -> list[str]:
    """The texts of all QR codes in a drawn picture."""
    import zxingcpp

    found = zxingcpp.read_barcodes(picture)
    return [code.text for code in found if code.format == zxingcpp.BarcodeFormat.QRCode]


def _height_px(code: "zxingcpp.Barcode") -> int:
    return abs(code.position.bottom_left.y - code.position.top_left.y)


def svg(text: str, error: str = "m") -> str:
    """An SVG without a size of its own: it fills the box it is put in."""
    return str(_code(text, error).svg_inline(border=_BORDER_MODULES, omitsize=True, light="#fff"))


def poster_svg(
    text: str,
    title: str,
    lines: Sequence[str] = (),
    blocks: Sequence[Sequence[str]] = (),
    foot: Sequence[str] = (),
) -> str:
    """A sheet in A6: the title, the code, lines of plain words under it; then blocks of smaller
    ones, as large as they fit, and the foot."""
    middle = _SHEET_WIDTH_MM // 2
    below = _CODE_TOP_MM + _CODE_MM + 6
    words = [
        f'<text x="{middle}" y="{below + number * _LINE_MM}" font-size="{_fitting_mm(line, 5)}"'
        f' font-weight="{"bold" if number == 0 else "normal"}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]
    words += _small(blocks, foot, below + len(lines) * _LINE_MM - 3)
    drawing = svg(text).replace(
        "<svg ",
        f'<svg x="{(_SHEET_WIDTH_MM - _CODE_MM) / 2}" y="{_CODE_TOP_MM}" width="{_CODE_MM}" '
        f'height="{_CODE_MM}" ',
        1,
    )
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
            f"aria-label={quoteattr(title)} "
            f'width="{_SHEET_WIDTH_MM}mm" height="{_SHEET_HEIGHT_MM}mm" '
            f'viewBox="0 0 {_SHEET_WIDTH_MM} {_SHEET_HEIGHT_MM}" '
            'text-anchor="middle" font-family="sans-serif">',
            '<rect width="100%" height="100%" fill="#fff"/>',
            f'<text x="{middle}" y="14" font-size="{_fitting_mm(title, 9)}" font-weight="bold">'
            f"{escape(title)}</text>",
            drawing,
            *words,
            "</svg>\n",
        ]
    )


def _small(blocks: Sequence[Sequence[str]], foot: Sequence[str], top: float) -> list[str]:
    """Blocks and the foot between `top` and the lower edge, a rule above each."""
    parts = [list(part) for part in (*blocks, foot) if part]
    rows = sum(map(len, parts)) + 0.6 * len(parts)
    if not rows:
        return []
    step = min((_SHEET_HEIGHT_MM - 3 - top) / rows, _SMALL_MM * 1.35)
    drawn, y = [], top
    for part in parts:
        drawn.append(
            f'<path d="M12 {y + 0.3 * step:.2f}H{_SHEET_WIDTH_MM - 12}" stroke="#bbb"'
            ' stroke-width=".25"/>'
        )
        y += 0.6 * step
        for line in part:
            y += step
            size = _fitting_mm(line, step / 1.35)
            drawn.append(
                f'<text x="{_SHEET_WIDTH_MM // 2}" y="{y:.2f}" font-size="{size}">'
                f"{escape(line)}</text>"
            )
    return drawn


def _code(text: str, error: str = "m") -> segno.QRCode:
    # Level M survives 15 % of dirt and still reads at arm's length on an A6 sheet.
    return segno.make(text, error=error, micro=False)


def _fitting_mm(line: str, largest_mm: float) -> float:
    """A font size at which the line stays on the sheet; a letter is at most 0.6 of it wide."""
    widest = (_SHEET_WIDTH_MM - 10) / (0.6 * max(len(line), 1))
    return round(min(largest_mm, widest), 2)
