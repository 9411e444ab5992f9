"""Sheets to be printed, in millimetres: rectangles, words and codes, written as SVG and as PDF.
Words are shaped as their script wants it and drawn as outlines, so a printer needs no font; codes
are read back from the drawn sheet."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from itertools import groupby
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape

import segno

from coinslot.kit import qr

REGULAR, BOLD = 400, 700
_PT_PER_MM: Final = 72 / 25.4
_READ_AT_PX_PER_MM: Final = 6  # as a phone sees a sheet, not as a press prints it
_BORDER_MODULES: Final = 4


class UnreadableSheetError(Exception):
    """A scanner does not read from the drawn sheet what its codes should say."""


class Rect(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    shade: str  # black, grey


class Line(NamedTuple):
    """Words in one line; `y` is where they stand on."""

    text: str
    x: float
    y: float
    size: float  # of the letters, in mm
    weight: int


class Code(NamedTuple):
    """A QR code with its free border, in a square."""

    text: str
    x: float
    y: float
    size: float


@dataclass
class Sheet:
    """One page."""

    width: float
    height: float
    title: str
    rects: list[Rect] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    codes: list[Code] = field(default_factory=list)


class Glyph(NamedTuple):
    number: int
    x: float  # in the font's units, from the beginning of the line
    y: float


Step = tuple[Any, ...]


class Letters:
    """One font in two weights: Latin, Cyrillic and Devanagari. Made when a sheet is drawn first."""

    def __init__(self) -> None:
        import uharfbuzz as hb  # few processes draw sheets

        self._hb = hb
        folder = files("fontpkg_noto_sans").joinpath("files")
        body = next(one for one in folder.iterdir() if "Italic" not in one.name).read_bytes()
        face = hb.Face(hb.Blob(body))
        self.units: float = face.upem
        self._fonts = {}
        for weight in (REGULAR, BOLD):
            self._fonts[weight] = hb.Font(face)
            self._fonts[weight].set_variations({"wght": weight})

    @cached_property
    def _pen(self) -> Any:
        pen = self._hb.DrawFuncs()
        pen.set_move_to_func(lambda x, y, steps: steps.append(("M", x, y)))
        pen.set_line_to_func(lambda x, y, steps: steps.append(("L", x, y)))
        pen.set_quadratic_to_func(lambda a, b, x, y, steps: steps.append(("Q", a, b, x, y)))
        pen.set_cubic_to_func(lambda a, b, c, d, x, y, steps: steps.append(("C", a, b, c, d, x, y)))
        pen.set_close_path_func(lambda steps: steps.append(("Z",)))
        return pen

    @cache  # noqa: B019  there is one, for the life of the process
    def outline(self, number: int, weight: int) -> tuple[Step, ...]:
        steps: list[Step] = []
        self._fonts[weight].draw_glyph(number, self._pen, steps)
        return tuple(steps)

    def shaped(self, text: str, weight: int) -> tuple[list[Glyph], float]:
        """The glyphs of a line, and its width in the font's units. Each script is shaped by its
        own rules."""
        found, at = [], 0.0
        for part in _scripts(text):
            buffer = self._hb.Buffer()
            buffer.add_str(part)
            buffer.guess_segment_properties()
            self._hb.shape(self._fonts[weight], buffer)
            for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
                found.append(Glyph(info.codepoint, at + place.x_offset, place.y_offset))
                at += place.x_advance
        return found, at


@cache
def letters() -> Letters:
    return Letters()


def width_of(text: str, size: float, weight: int = REGULAR) -> float:
    """In mm."""
    return letters().shaped(text, weight)[1] * size / letters().units


def _scripts(text: str) -> Iterator[str]:
    """Runs of one script; spaces, digits and signs go with what is before them."""
    kinds, last = [], "other"
    for sign in text:
        if "\u0900" <= sign <= "\u097f":
            last = "devanagari"
        elif "\u0400" <= sign <= "\u052f":
            last = "cyrillic"
        elif sign.isalpha():
            last = "other"
        kinds.append(last)
    for _, pairs in groupby(zip(kinds, text, strict=True), key=lambda pair: pair[0]):
        yield "".join(sign for _, sign in pairs)


def svg(sheet: Sheet) -> str:
    """One page as a file of its own."""
    shapes: dict[str, str] = {}
    drawn = [
        f'<rect x="{r.x:.2f}" y="{r.y:.2f}" width="{r.width:.2f}" height="{r.height:.2f}"'
        f' fill="{_FILLS[r.shade]}"/>'
        for r in sheet.rects
    ]
    for line in sheet.lines:
        scale = line.size / letters().units
        glyphs, _ = letters().shaped(line.text, line.weight)
        for glyph in glyphs:
            name = f"g{glyph.number}-{line.weight}"
            if name not in shapes:
                shapes[name] = _path(letters().outline(glyph.number, line.weight))
            x, y = line.x + glyph.x * scale, line.y - glyph.y * scale
            if shapes[name]:
                drawn.append(
                    f'<use href="#{name}" transform="translate({x:.3f} {y:.3f})'
                    f' scale({scale:.6f} {-scale:.6f})"/>'
                )
    for code in sheet.codes:
        runs = "".join(
            f"M{x:.3f} {y:.3f}h{width:.3f}v{height:.3f}h{-width:.3f}z"
            for x, y, width, height in _modules(code)
        )
        drawn.append(f'<path d="{runs}"/>')
    defs = "".join(f'<path id="{name}" d="{path}"/>' for name, path in shapes.items() if path)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img"'
        f' width="{sheet.width}mm" height="{sheet.height}mm"'
        f' viewBox="0 0 {sheet.width} {sheet.height}"><title>{escape(sheet.title)}</title>'
        f'<defs>{defs}</defs><rect width="100%" height="100%" fill="#fff"/>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


_FILLS: Final = {"black": "#000", "grey": "#bbb"}


def _path(steps: Sequence[Step]) -> str:
    return "".join(f"{step[0]}{' '.join(f'{value:g}' for value in step[1:])}" for step in steps)


def pdf(sheets: Sequence[Sheet], title: str) -> bytes:
    """All pages in one file."""
    from reportlab.pdfgen.canvas import Canvas  # few processes draw sheets

    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=1, invariant=1)
    canvas.setTitle(title)
    canvas.setProducer("Coinslot")
    _shape(canvas, sheets)
    for sheet in sheets:
        canvas.setPageSize((sheet.width * _PT_PER_MM, sheet.height * _PT_PER_MM))
        canvas.translate(0, sheet.height * _PT_PER_MM)
        canvas.scale(_PT_PER_MM, -_PT_PER_MM)  # from here as in SVG: millimetres, y downwards
        _draw(canvas, sheet)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _shape(canvas: Any, sheets: Sequence[Sheet]) -> None:
    """Each letter once; the pages only say where it stands."""
    used = {
        (glyph.number, line.weight)
        for sheet in sheets
        for line in sheet.lines
        for glyph in letters().shaped(line.text, line.weight)[0]
    }
    for number, weight in sorted(used):
        canvas.beginForm(f"g{number}-{weight}", -2000, -2000, 6000, 6000)
        path = canvas.beginPath()
        _trace(path, letters().outline(number, weight))
        canvas.drawPath(path, stroke=0, fill=1, fillMode=1)  # overlaps of one letter stay black
        canvas.endForm()


def _draw(canvas: Any, sheet: Sheet) -> None:
    for rect in sheet.rects:
        canvas.setFillGray(0 if rect.shade == "black" else 0.73)
        canvas.rect(*rect[:4], stroke=0, fill=1)
    canvas.setFillGray(0)
    for line in sheet.lines:
        scale = line.size / letters().units
        for glyph in letters().shaped(line.text, line.weight)[0]:
            canvas.saveState()
            x, y = line.x + glyph.x * scale, line.y - glyph.y * scale
            canvas.transform(scale, 0, 0, -scale, x, y)
            canvas.doForm(f"g{glyph.number}-{line.weight}")
            canvas.restoreState()
    for code in sheet.codes:
        path = canvas.beginPath()
        for run in _modules(code):
            path.rect(*run)
        canvas.drawPath(path, stroke=0, fill=1)


def _trace(path: Any, steps: Sequence[Step]) -> None:
    here = (0.0, 0.0)
    for name, *values in steps:
        points = list(zip(values[::2], values[1::2], strict=True))
        match name:
            case "M":
                path.moveTo(*points[0])
            case "L":
                path.lineTo(*points[0])
            case "Q":  # a PDF knows cubic curves alone
                (a, b), (x, y) = points
                first = (here[0] + 2 / 3 * (a - here[0]), here[1] + 2 / 3 * (b - here[1]))
                second = (x + 2 / 3 * (a - x), y + 2 / 3 * (b - y))
                path.curveTo(*first, *second, x, y)
            case "C":
                path.curveTo(*points[0], *points[1], *points[2])
            case _:
                path.close()
        here = points[-1] if points else here


def _modules(code: Code) -> Iterator[tuple[float, float, float, float]]:
    """Runs of dark modules, as rectangles."""
    rows = [bytes(row) for row in _made(code.text).matrix]
    module = code.size / (len(rows) + 2 * _BORDER_MODULES)
    for number, row in enumerate(rows):
        at = 0
        for dark, run in groupby(row):
            length = len(list(run))
            if dark:
                x = code.x + (at + _BORDER_MODULES) * module
                yield x, code.y + (number + _BORDER_MODULES) * module, length * module, module
            at += length


@cache
def _made(text: str) -> segno.QRCode:
    # Level M survives 15 % of dirt and still reads at arm's length.
    return segno.make(text, error="m", micro=False)


def read_back(sheet: Sheet) -> None:
    """Draws the sheet as pixels and scans it. Raises UnreadableSheetError unless each code says
    what it should."""
    from PIL import Image, ImageDraw

    scale = _READ_AT_PX_PER_MM
    picture = Image.new("L", (round(sheet.width * scale), round(sheet.height * scale)), 255)
    pen = ImageDraw.Draw(picture)
    for rect in sheet.rects:
        _fill(pen, rect[:4], 0 if rect.shade == "black" else 187)
    for line in sheet.lines:  # as a bar: what stands too near to a code disturbs its reading
        width = width_of(line.text, line.size, line.weight)
        _fill(pen, (line.x, line.y - 0.7 * line.size, width, 0.7 * line.size), 90)
    for code in sheet.codes:
        for run in _modules(code):
            _fill(pen, run, 0)
    found = sorted(qr.read_all(picture))
    if found != sorted(code.text for code in sheet.codes):
        raise UnreadableSheetError(
            f"{len(found)} of {len(sheet.codes)} codes can be read from {sheet.title}"
        )


def _fill(pen: Any, box: tuple[float, ...], shade: int) -> None:
    x, y, width, height = (value * _READ_AT_PX_PER_MM for value in box)
    right, below = max(round(x + width) - 1, round(x)), max(round(y + height) - 1, round(y))
    pen.rectangle((round(x), round(y), right, below), fill=shade)
