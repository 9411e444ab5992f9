"""Lines of text as a picture for a printer of 58 or 80 mm: printers' own code pages fail for most
languages. Scripts are shaped as they have to be; a sign that no font has is never a box."""

import io
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import segno
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

SMALL, PLAIN, LARGE, HUGE = 24, 30, 40, 88  # px, of 8 to a mm
_MARGIN: Final = 12
_REGULAR, _BOLD = 400, 700
_GAP: Final = 0.28  # of its size, below a line
_MOST_PX: Final = 12_000
_FAMILIES: Final = ("fontpkg_noto_sans", "fontpkg_noto_sans_arabic", "fontpkg_noto_sans_thai")
_JOINERS: Final = {0x200B, 0x200C, 0x200D, 0x2060, 0xFE0E, 0xFE0F}
_INK: Final = 128


class Row(Struct, frozen=True, kw_only=True):
    """One thought on a line of its own; it wraps. `turned`: white on black. `end` stands at the
    other end of the line."""

    text: str = ""
    size: int = PLAIN
    bold: bool = False
    indent: int = 0
    turned: bool = False
    end: str = ""
    rule: bool = False  # a line across the paper


class Font:
    """One family in one size and weight, and which signs it has."""

    def __init__(self, family: str, size: int, weight: int) -> None:
        body = _body(family)
        self._drawn = ImageFont.truetype(io.BytesIO(body), size)
        axes = [
            float(weight if axis["name"] == b"Weight" else axis["default"] or 0)
            for axis in self._drawn.get_variation_axes()
        ]
        self._drawn.set_variation_by_axes(axes)
        self.family = family

    def length(self, text: str) -> float:
        return self._drawn.getlength(text)

    def draw(self, pen: ImageDraw.ImageDraw, at: tuple[float, float], text: str, ink: int) -> None:
        pen.text(at, text, font=self._drawn, fill=ink, anchor="ls")


def draw(rows: Sequence[Row], width: int, code: str = "") -> Image.Image:
    """One piece of paper in black and white; `code` stands below as a QR code."""
    laid: list[tuple[Row, str, str]] = []
    for row in rows:
        laid += _wrapped(row, width)
    heights = [_height(row) for row, _, _ in laid]
    picture = Image.new("L", (width, min(sum(heights) + 2 * _MARGIN, _MOST_PX)), 255)
    pen, top = ImageDraw.Draw(picture), _MARGIN
    for (row, text, end), height in zip(laid, heights, strict=True):
        _put(pen, row, (text, end), (top, width))
        top += height
    return _with_code(picture, code).point(lambda grey: 255 if grey > _INK else 0).convert("1")


def printable(text: str) -> str:
    """What a font has, as it is; a picture by its name; letters that no font has are counted, so
    that whoever reads the paper looks at the board."""
    found, missing = [], 0
    for sign in unicodedata.normalize("NFC", " ".join(text.split())):
        if ord(sign) in _JOINERS or unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co"):
            continue
        if any(ord(sign) in signs(family) for family in _FAMILIES):
            found.append(sign)
        elif unicodedata.category(sign)[0] in "LMN":
            missing += 1
        else:
            found.append(f"[{unicodedata.name(sign, 'sign').lower()}]")
    if missing:
        found.append(f" [{missing} letters: see the board]")
    return "".join(found).strip()


@cache
def _body(family: str) -> bytes:
    folder = files(family).joinpath("files")
    return next(one for one in folder.iterdir() if "Italic" not in one.name).read_bytes()


@cache
def signs(family: str) -> frozenset[int]:
    """What a family can write."""
    import uharfbuzz as hb  # few processes print

    return frozenset(hb.Face(hb.Blob(_body(family))).unicodes)


@cache
def _font(family: str, size: int, weight: int) -> Font:
    return Font(family, size, weight)


def _runs(text: str, size: int, weight: int) -> list[tuple[Font, str]]:
    """Parts of one font each, as they follow each other on paper."""
    runs: list[tuple[Font, str]] = []
    for sign in text:
        known = runs[-1][0] if runs else None
        if known is not None and ord(sign) in signs(known.family):
            runs[-1] = (known, runs[-1][1] + sign)
            continue
        family = next((one for one in _FAMILIES if ord(sign) in signs(one)), _FAMILIES[0])
        runs.append((_font(family, size, weight), sign))
    return runs[::-1] if _from_right(text) else runs


def _from_right(text: str) -> bool:
    """Whether its first letter belongs to a script that is written from right to left."""
    strong = (unicodedata.bidirectional(sign) for sign in text)
    return next((one for one in strong if one in ("L", "R", "AL")), "L") != "L"


def _length(text: str, row: Row) -> float:
    weight = _BOLD if row.bold else _REGULAR
    return sum(font.length(part) for font, part in _runs(text, row.size, weight))


def _wrapped(row: Row, width: int) -> Iterator[tuple[Row, str, str]]:
    """The lines of a row; `end` stands on the first."""
    room = width - 2 * _MARGIN - row.indent
    text, end = printable(row.text), printable(row.end)
    first = room - (_length(end, row) + row.size if end else 0)
    line, lines = "", list[str]()
    for word in text.split(" "):
        for part in _broken(word, row, room):
            longer = f"{line} {part}".strip()
            if line and _length(longer, row) > (room if lines else first):
                lines.append(line)
                line = part
            else:
                line = longer
    for place, one in enumerate([*lines, line]):
        yield row, one, "" if place else end


def _broken(word: str, row: Row, room: int) -> Iterator[str]:
    """A word that is longer than the paper is wide, in parts."""
    part = ""
    for sign in word:
        if part and not unicodedata.combining(sign) and _length(part + sign, row) > room:
            yield part
            part = ""
        part += sign
    yield part


def _height(row: Row) -> int:
    return 20 if row.rule else round(row.size * (1 + _GAP) + (16 if row.turned else 0))


def _put(
    pen: ImageDraw.ImageDraw, row: Row, texts: tuple[str, str], place: tuple[int, int]
) -> None:
    (text, end), (top, width) = texts, place
    if row.rule:
        pen.line((_MARGIN, top + 8, width - _MARGIN, top + 8), fill=0, width=3)
        return
    if row.turned:
        pen.rectangle((0, top, width, top + _height(row) - 4), fill=0)
    ink = 255 if row.turned else 0
    base = top + row.size + (6 if row.turned else 0)
    left = _MARGIN + row.indent
    if row.turned:
        left = round((width - _length(text, row)) / 2)
    elif _from_right(text):
        left = round(width - _MARGIN - row.indent - _length(text, row))
    _write(pen, row, text, (left, base, ink))
    if end:
        _write(pen, row, end, (round(width - _MARGIN - _length(end, row)), base, ink))


def _write(pen: ImageDraw.ImageDraw, row: Row, text: str, at: tuple[float, int, int]) -> None:
    left, base, ink = at
    for font, part in _runs(text, row.size, _BOLD if row.bold else _REGULAR):
        font.draw(pen, (left, base), part, ink)
        left += font.length(part)


def _with_code(picture: Image.Image, code: str) -> Image.Image:
    if not code:
        return picture
    made = io.BytesIO()
    segno.make(code, micro=False, error="m").save(made, kind="png", scale=6, border=4)
    drawn = Image.open(made).convert("L")
    whole = Image.new("L", (picture.width, picture.height + drawn.height), 255)
    whole.paste(picture, (0, 0))
    whole.paste(drawn, ((picture.width - drawn.width) // 2, picture.height))
    return whole
