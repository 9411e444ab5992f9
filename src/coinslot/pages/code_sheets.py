"""What stands on a printed sheet of codes: the machine, its page, how to pay, what happens when
nothing comes out, and where to write. As labels on A4, as a sticker in A6, as a poster in A5."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from coinslot.pages.drawing import BOLD, REGULAR, Code, Line, Rect, Sheet, width_of
from coinslot.pages.texts import LANGUAGES
from coinslot.payments.printed_codes import SlotCode

LAYOUTS: Final = ("a4", "a6", "a5")
_SIZES: Final = {"a4": (210.0, 297.0), "a6": (105.0, 148.0), "a5": (148.0, 210.0)}
_COLUMNS, _ROWS = 2, 4  # labels on A4
_SMALLEST_MM: Final = 1.7
_LEADING: Final = 1.36


class Label(Struct, frozen=True, kw_only=True):
    """One code with what is said beside it. `price` is empty where the code is that of a page."""

    payable: str  # what the code says
    machine: str
    name: str
    slot: str = ""
    product: str = ""
    price: str = ""
    page: str  # address of the machine's page
    merchant: str
    contact: str
    nothing_out: str = ""
    told: Mapping[str, tuple[str, ...]] = {}  # by language, in the place of a machine's words


def label_of(one: SlotCode, base_url: str, *, is_page: bool) -> Label:
    """The label of a slot's code, or of its machine's page, which shows what it sells."""
    page, takes = f"{base_url}/q/{one.outlet}", one.takes or one.price
    return Label(
        payable=page if is_page else one.payable or "", machine=one.outlet, name=one.outlet_name,
        slot="" if is_page else one.slot, product="" if is_page else one.product,
        price="" if is_page else f"{takes.decimal()} {takes.currency}", page=page,
        merchant=one.merchant, contact=one.contact, nothing_out=one.nothing_out,
    )  # fmt: skip


class Box(Struct, frozen=True):
    x: float
    y: float
    width: float
    height: float


class Words(Struct, frozen=True):
    """Lines to be fitted: each with its weight. An empty one is a gap with a rule in it."""

    lines: tuple[tuple[str, int], ...]
    centred: bool


def sheets(layout: str, labels: Sequence[Label], languages: Sequence[str]) -> list[Sheet]:
    """The pages. Raises KeyError for a layout or a language that there is not."""
    width, height = _SIZES[layout]
    if layout != "a4":
        found = []
        for label in labels:
            sheet = Sheet(width, height, f"{label.machine} {label.slot}".strip())
            _upright(sheet, label, languages)
            found.append(sheet)
        return found
    each = _COLUMNS * _ROWS
    return [_labels(labels[n : n + each], languages) for n in range(0, len(labels), each)]


def _labels(labels: Sequence[Label], languages: Sequence[str]) -> Sheet:
    """Eight to a page, with fine lines to cut along."""
    width, height = _SIZES["a4"]
    title = ", ".join(dict.fromkeys(label.machine for label in labels))
    sheet = Sheet(width, height, title)
    across, down = width / _COLUMNS, height / _ROWS
    sheet.rects += [Rect(n * across, 0, 0.15, height, "grey") for n in range(1, _COLUMNS)]
    sheet.rects += [Rect(0, n * down, width, 0.15, "grey") for n in range(1, _ROWS)]
    for number, label in enumerate(labels):
        row, column = divmod(number, _COLUMNS)
        _lying(sheet, Box(column * across, row * down, across, down), label, languages)
    return sheet


def _lying(sheet: Sheet, box: Box, label: Label, languages: Sequence[str]) -> None:
    """The code at the left, words at the right."""
    edge, code = 6.0, 42.0
    sheet.codes.append(Code(label.payable, box.x + edge - 2, box.y + edge - 2, code))
    below = Box(box.x + edge, box.y + edge + code - 1, code - 4, box.height - code - 2 * edge + 2)
    _fit(sheet, below, Words(_names(label), True), 4.2)
    x = box.x + edge + code
    beside = Box(x, box.y + edge, box.x + box.width - edge - x, box.height - 2 * edge)
    _fit(sheet, beside, Words(_told(label, languages), False), 3.1)


def _upright(sheet: Sheet, label: Label, languages: Sequence[str]) -> None:
    """The name, the code, and the words under it."""
    edge, unit = 7 * sheet.width / 105, sheet.width / 105
    inner = sheet.width - 2 * edge
    top = Box(edge, edge, inner, 11 * unit)
    _fit(sheet, top, Words(((label.name, BOLD),), True), 8 * unit)
    code = 66 * unit
    sheet.codes.append(Code(label.payable, (sheet.width - code) / 2, edge + 9 * unit, code))
    under = edge + 9 * unit + code - 2 * unit
    _fit(sheet, Box(edge, under, inner, 14 * unit), Words(_names(label)[:-1], True), 5 * unit)
    words = Box(edge, under + 15 * unit, inner, sheet.height - under - 15 * unit - edge)
    _fit(sheet, words, Words(_told(label, languages), True), 3.6 * unit)


def _names(label: Label) -> tuple[tuple[str, int], ...]:
    """Which code it is, what it sells, and whose machine it is."""
    which = " · ".join(part for part in (label.machine, label.slot) if part)
    sold = " · ".join(part for part in (label.product, label.price) if part)
    lines = [(which, BOLD), *([(sold, BOLD)] if sold else []), (label.name, REGULAR)]
    return tuple(lines)


def _told(label: Label, languages: Sequence[str]) -> tuple[tuple[str, int], ...]:
    lines: list[tuple[str, int]] = []
    for code in languages:
        t = LANGUAGES[code]
        pay = t.sheet_pay.format(price=label.price) if label.price else t.sheet_choose
        first, *rest = label.told.get(code) or (pay, t.sheet_wait, t.sheet_back)
        lines += [(first, BOLD), *((text, REGULAR) for text in rest), ("", REGULAR)]
    t = LANGUAGES[languages[0]]
    lines.append((f"{t.sheet_help} {label.page}", REGULAR))
    lines.append((f"{t.questions} {label.merchant} {label.contact}".strip(), REGULAR))
    if label.nothing_out and label.nothing_out != label.contact:
        lines.append((f"{t.nothing_out_write} {label.nothing_out}", REGULAR))
    return tuple(lines)


def _fit(sheet: Sheet, box: Box, words: Words, largest: float) -> None:
    """Put the words into the box, as large as they fit, the first line at its top."""
    size = largest
    while size > _SMALLEST_MM and _height(box, words, size) > box.height:
        size *= 0.96
    y = box.y
    for text, weight in words.lines:
        if not text:
            y += 0.8 * size
            sheet.rects.append(Rect(box.x, y - 0.25 * size, box.width, 0.15, "grey"))
            continue
        for line in _wrapped(text, box.width, size, weight):
            y += size * _LEADING
            left = (box.width - width_of(line, size, weight)) / 2 if words.centred else 0
            sheet.lines.append(Line(line, box.x + left, y - 0.3 * size, size, weight))


def _height(box: Box, words: Words, size: float) -> float:
    return sum(
        size * _LEADING * sum(1 for _ in _wrapped(text, box.width, size, weight))
        if text
        else 0.8 * size
        for text, weight in words.lines
    )


def _wrapped(text: str, width: float, size: float, weight: int) -> Iterator[str]:
    """Lines that fit; a word that is too long for one is broken."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if width_of(longer, size, weight) <= width:
            line = longer
            continue
        if line:
            yield line
        while width_of(word, size, weight) > width and len(word) > 1:
            fits = next(
                n for n in range(len(word) - 1, 0, -1)
                if n == 1 or width_of(word[:n], size, weight) <= width
            )  # fmt: skip
            yield word[:fits]
            word = word[fits:]
        line = word
    if line:
        yield line
