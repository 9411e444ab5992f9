"""ESC/POS as a printer of 80 mm reads it: raster images, plain text, QR codes, cuts, status.

What it does not know it prints as rubbish, as a real one does."""

from collections.abc import Callable, Iterator

import msgspec
import segno
from PIL import Image, ImageDraw, ImageFont

ESC, GS, FS, DLE, LF = 0x1B, 0x1D, 0x1C, 0x10, 0x0A
MOST_BYTES, MOST_ROWS = 8_000_000, 20_000
FONT_PX, LINE_PX = 24, 30
WHITE = 1

# How many bytes follow the two of a command that has always the same length.
ESC_LENGTHS = dict.fromkeys(b"@2SLim<", 0) | dict.fromkeys(b"adJ3!EG-tRM{Vr =T%?KeU", 1)
ESC_LENGTHS |= {ord("$"): 2, ord("\\"): 2, ord("c"): 2, ord("p"): 3}
GS_LENGTHS = dict.fromkeys(b":", 0) | dict.fromkeys(b"!BhwHfraIb/", 1)
GS_LENGTHS |= dict.fromkeys(b"LWP$\\", 2) | {ord("^"): 3}
FS_LENGTHS = dict.fromkeys(b".&", 0) | dict.fromkeys(b"C!-W", 1) | dict.fromkeys(b"Sp", 2)
LENGTHS = {ESC: ESC_LENGTHS, GS: GS_LENGTHS, FS: FS_LENGTHS}


class Printed(msgspec.Struct, frozen=True):
    """A piece of paper; `cut` off, or torn off when the sender hung up."""

    picture: Image.Image
    cut: bool
    unknown: int  # bytes that meant nothing


class Confirm(msgspec.Struct, frozen=True):
    """The sender wants to hear this name back once all before it is printed (GS ( H)."""

    job: str


class Ask(msgspec.Struct, frozen=True):
    """A question about the printer's state: `kind` and number of the command."""

    kind: str
    number: int


Event = Printed | Confirm | Ask


class Roll:
    """One connection: bytes go in as they come, and what happens comes out."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._waiting = bytearray()
        self._taken = 0
        self._reset()

    def _reset(self) -> None:
        self._strips: list[tuple[Image.Image, int]] = []
        self._rows = self._align = self._unknown = 0
        self._text = bytearray()
        self._stored: Image.Image | None = None
        self._code = b""
        self._after_image = False

    @property
    def is_overfull(self) -> bool:
        return self._taken > MOST_BYTES

    def feed(self, data: bytes) -> Iterator[Event]:
        """Every event that these bytes complete."""
        self._taken += len(data)
        self._waiting += data
        while self._waiting:
            used, event = self._next(bytes(self._waiting[:64]))
            if used == 0:
                return
            del self._waiting[:used]
            if event is not None:
                yield event

    def end(self) -> Iterator[Event]:
        """The sender has hung up: what is left hangs out of the printer."""
        self._end_line()
        if self._strips:
            yield self._cut(cut=False)

    def _next(self, head: bytes) -> tuple[int, Event | None]:
        """How many bytes the next command takes (0: more must come), and what it leads to."""
        lead = head[0]
        if lead == LF:
            self._line_feed()
            return 1, None
        if lead == DLE:
            return self._real_time(head)
        if lead not in LENGTHS:
            if lead >= 0x20:
                self._text.append(lead)
            return 1, None
        if len(head) < 2:
            return 0, None
        length = LENGTHS[lead].get(head[1])
        if length is not None:
            if len(head) < 2 + length:
                return 0, None
            return 2 + length, self._fixed(lead, chr(head[1]), head[2 : 2 + length])
        return self._long(lead, chr(head[1]))

    def _fixed(self, lead: int, name: str, args: bytes) -> Event | None:
        match lead, name:
            case (0x1B, "@"):
                self._text.clear()
                self._align = 0
            case (0x1B, "a"):
                self._align = args[0] % 48 % 3
            case (0x1B, "d"):
                self._end_line()
                self._blank(args[0] * LINE_PX)
            case (0x1B, "J"):
                self._end_line()
                self._blank(args[0])
            case (0x1B, "i" | "m"):
                return self._cut(cut=True)
            case (0x1D, "r" | "a" | "I"):
                return Ask(f"GS {name}", args[0])
            case _:
                pass  # how text looks, and drawers
        return None

    def _real_time(self, head: bytes) -> tuple[int, Event | None]:
        if len(head) < 3:
            return 0, None
        if head[1] == 0x04:
            extra = 1 if head[2] in (7, 8, 18) else 0
            return (3 + extra, Ask("DLE EOT", head[2])) if len(head) >= 3 + extra else (0, None)
        length = {0x05: 3, 0x14: 5}.get(head[1], 1)
        return (length, None) if len(head) >= length else (0, None)

    def _long(self, lead: int, name: str) -> tuple[int, Event | None]:
        """Commands whose length stands in them."""
        readers: dict[tuple[int, str], Callable[[bytes], tuple[int, Event | None]]] = {
            (GS, "v"): self._raster,
            (GS, "V"): self._cutter,
            (GS, "("): lambda data: self._extended(data, 5, data[3:5], data[2:3]),
            (GS, "8"): lambda data: self._extended(data, 7, data[3:7], data[2:3]),
            (GS, "k"): self._bar_code,
            (ESC, "*"): self._columns,
            (ESC, "D"): lambda data: ((data.find(0) + 1) if 0 in data[2:34] else 0, None),
            (FS, "("): lambda data: self._extended(data, 5, data[3:5], b"FS"),
        }
        reader = readers.get((lead, name))
        if reader is None:
            self._unknown += 2
            self._text += b"?"
            return 2, None
        return reader(bytes(self._waiting))

    def _cutter(self, data: bytes) -> tuple[int, Event | None]:
        if len(data) < 3:
            return 0, None
        length = 4 if data[2] in (65, 66, 97, 98, 103, 104) else 3
        return (length, self._cut(cut=True)) if len(data) >= length else (0, None)

    def _raster(self, data: bytes) -> tuple[int, Event | None]:
        """GS v 0: rows of bits, a one is black."""
        if len(data) < 8:
            return 0, None
        mode, across, rows = data[3], _two(data[4:6]), _two(data[6:8])
        end = 8 + across * rows
        if len(data) < end:
            return (0, None) if end <= MOST_BYTES else (2, None)
        self._draw(_bits(data[8:end], across, rows), 1 + (mode & 1), 1 + (mode >> 1 & 1))
        return end, None

    def _columns(self, data: bytes) -> tuple[int, Event | None]:
        """ESC *: columns of 8 or 24 dots, a one is black."""
        if len(data) < 5:
            return 0, None
        mode, count = data[2], _two(data[3:5])
        deep = 3 if mode in (32, 33) else 1
        end = 5 + count * deep
        if len(data) < end:
            return 0, None
        if count:
            # Turned by a quarter, a column is a row; mirrored, its first dot is at the top.
            turned = _bits(data[5:end], deep, count)
            drawn = turned.transpose(Image.Transpose.TRANSPOSE)
            self._draw(drawn, 1 if mode in (1, 33) else 2, 1 if deep == 3 else 3)
            self._after_image = True
        return end, None

    def _extended(
        self, data: bytes, start: int, length: bytes, group: bytes
    ) -> tuple[int, Event | None]:
        if len(data) < start:
            return 0, None
        end = start + int.from_bytes(length, "little")
        if len(data) < end:
            return (0, None) if end <= MOST_BYTES else (2, None)
        body = data[start:end]
        match group, body[:2]:
            case b"L", b"\x30\x70" if len(body) > 10:
                across = -(-_two(body[6:8]) // 8)
                rows = _two(body[8:10])
                if len(body) >= 10 + across * rows and across and rows:
                    self._stored = _bits(body[10:], across, rows)
            case b"L", b"\x30\x32" | b"\x30\x02" if self._stored is not None:
                self._draw(self._stored, 1, 1)
                self._stored = None
            case b"k", b"\x31\x50":
                self._code = body[3:]
            case b"k", b"\x31\x51" if self._code:
                self._draw(_qr(self._code), 1, 1)
            case b"H", b"\x30\x30" if len(body) >= 6:
                return end, Confirm(body[2:6].decode("latin-1"))
        return end, None

    def _bar_code(self, data: bytes) -> tuple[int, Event | None]:
        """Not drawn: its text is."""
        if len(data) < 4:
            return 0, None
        if data[2] <= 6:
            end = data.find(0, 3) + 1
            said = data[3 : end - 1]
        else:
            end = 4 + data[3]
            said = data[4:end]
        if end == 0 or len(data) < end:
            return 0, None
        self._text += said
        self._end_line()
        return end, None

    def _line_feed(self) -> None:
        if self._text or not self._after_image:
            if not self._text:
                self._blank(LINE_PX)
            self._end_line()
        self._after_image = False

    def _end_line(self) -> None:
        if not self._text:
            return
        line = Image.new("1", (self._width, LINE_PX), WHITE)
        words = bytes(self._text).decode("cp437")
        font = ImageFont.load_default(FONT_PX)
        ImageDraw.Draw(line).text((0, 0), words, font=font, fill=0)
        self._text.clear()
        self._add(line)

    def _draw(self, image: Image.Image, wide: int, high: int) -> None:
        self._end_line()
        if (wide, high) != (1, 1):
            image = image.resize((image.width * wide, image.height * high))
        self._add(image)

    def _blank(self, rows: int) -> None:
        if rows:
            self._add(Image.new("1", (1, rows), WHITE))

    def _add(self, image: Image.Image) -> None:
        if self._rows + image.height <= MOST_ROWS:
            self._strips.append((image, self._align))
            self._rows += image.height

    def _cut(self, *, cut: bool) -> Printed:
        self._end_line()
        paper = Image.new("1", (self._width, max(self._rows, 1)), WHITE)
        y = 0
        for strip, align in self._strips:
            x = max(0, (0, (self._width - strip.width) // 2, self._width - strip.width)[align])
            paper.paste(strip, (x, y))
            y += strip.height
        printed, align = Printed(paper, cut, self._unknown), self._align
        self._reset()
        self._align = align
        return printed


def _two(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _bits(data: bytes, across: int, rows: int) -> Image.Image:
    """Rows of so many bytes; in them a one is black, in Pillow it is white."""
    if not across or not rows:
        return Image.new("1", (1, 1), WHITE)
    wanted = data[: across * rows]
    return Image.frombytes("1", (across * 8, rows), bytes(byte ^ 0xFF for byte in wanted))


def _qr(text: bytes) -> Image.Image:
    code = segno.make(text, micro=False, error="m")
    rows = [[0 if dark else 1 for dark in row] for row in code.matrix_iter(scale=6, border=2)]
    image = Image.new("1", (len(rows[0]), len(rows)), WHITE)
    image.putdata([dot for row in rows for dot in row])
    return image
