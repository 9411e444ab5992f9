"""Files of a machine's own counts by EVA-DTS (DEX): read strictly within bounds, and written. Lines
end with CRLF, fields are separated by `*`; the set is from ST to SE, and G85 is the CRC-16/ARC of
what is between ST and itself."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

MOST_BYTES: Final = 65_536
MOST_SLOTS: Final = 400
_MOST_LINES, _MOST_FIELDS, _MOST_EVENTS, _MOST_WARNINGS = 4_000, 64, 200, 20
_NUMBER: Final = re.compile(r"\d{1,12}\Z")
_SLOT: Final = re.compile(r"[!-)+-~]{1,16}\Z")  # no space, and no star


class DexError(ValueError):
    """It is no such file, or it was damaged on its way; the message says what is wrong with it."""


class Counts(Struct, frozen=True, kw_only=True):
    """How many, and for how much, since the machine was set up and since its counts were last
    reset; in the units of the file."""

    count: int = 0
    value: int = 0
    count_since_reset: int = 0
    value_since_reset: int = 0


class DexSlot(Struct, frozen=True, kw_only=True):
    """One selection. `counts` None: the machine counts none by selection."""

    slot: str
    price: int | None = None
    counts: Counts | None = None


class DexEvent(Struct, frozen=True, kw_only=True):
    """What the machine noted: `code` is EVA-DTS's, such as EGS (its door was opened)."""

    code: str
    count: int | None = None


class DexFile(Struct, frozen=True, kw_only=True):
    """What a file says. `warnings` are what was wrong with it and does not matter for counts."""

    serial: str = ""
    model: str = ""
    decimals: int | None = None
    currency: str = ""
    total: Counts | None = None
    cash: Counts | None = None
    cashless: Counts | None = None
    slots: Sequence[DexSlot] = ()
    events: Sequence[DexEvent] = ()
    warnings: Sequence[str] = ()


def _crc_of_byte(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


_CRCS: Final = tuple(_crc_of_byte(byte) for byte in range(256))


def crc(data: bytes) -> int:
    """CRC-16/ARC: polynomial 0x8005 from the low end, beginning with 0."""
    value = 0
    for byte in data:
        value = value >> 8 ^ _CRCS[(value ^ byte) & 0xFF]
    return value


def read(raw: bytes) -> DexFile:
    """Raises DexError."""
    if len(raw) > MOST_BYTES:
        raise DexError(f"it is longer than {MOST_BYTES} bytes")
    text = raw.decode("latin-1")
    begin = text.find("ST*")
    if begin < 0 or (begin > 0 and text[begin - 1] not in "\r\n"):
        raise DexError("it has no line ST, with which the counts begin")
    lines = re.split(r"\r\n|\r|\n", text[begin:])
    if len(lines) > _MOST_LINES:
        raise DexError(f"it has more than {_MOST_LINES} lines")
    warnings = list(_framed(text[begin:], lines))
    found = _Reader()
    for line in lines:
        fields = line.split("*")
        if len(fields) > _MOST_FIELDS:
            raise DexError(f"a line {fields[0][:8]} has more than {_MOST_FIELDS} fields")
        found.take(fields)
        if fields[0] == "SE":
            break
    return found.file((*warnings, *found.warnings))


def _framed(text: str, lines: Sequence[str]) -> Iterator[str]:
    """What is odd about the frame. Raises DexError for a checksum that does not hold."""
    place = re.search(r"G85\*([0-9A-Fa-f]{1,4})(?=[*\r\n]|$)", text)
    if place is None:
        yield "it has no checksum (G85)"
    else:
        if crc(text[: place.start()].encode("latin-1")) != int(place[1], 16):
            raise DexError("its checksum (G85) is wrong: it was damaged on its way")
    for number, line in enumerate(lines, 1):
        if line.startswith("SE*"):
            said = line.split("*")[1]
            if said != str(number) and said.lstrip("0") != str(number):
                yield f"SE says {said[:12]} lines, there are {number}"
            return
    yield "it has no end (SE)"


class _Reader:
    """Gathers lines. Those that are not known here are passed over: there are hundreds."""

    def __init__(self) -> None:
        self._found = DexFile()
        self._slots: list[DexSlot] = []
        self._events: list[DexEvent] = []
        self._said: dict[str, object] = {}
        self.warnings: list[str] = []

    def take(self, fields: Sequence[str]) -> None:
        name = fields[0]
        match name:
            case "ID1":
                self._said |= {"serial": _text(fields, 1), "model": _text(fields, 2)}
            case "ID4":
                decimals = self._number(fields, 1)
                self._said |= {
                    "decimals": decimals if decimals is None or decimals <= 4 else None,
                    "currency": _text(fields, 3)[:3] or _text(fields, 2)[:3],
                }
            case "VA1":
                self._said["total"] = self._valued(fields)
            case "CA2":
                self._said["cash"] = self._valued(fields)
            case "DA2":
                self._said["cashless"] = self._valued(fields)
            case "PA1":
                self._selection(fields)
            case "PA2":
                self._counted(fields)
            case "EA1" | "EA2":
                self._event(fields)
            case _:
                pass

    def file(self, warnings: Sequence[str]) -> DexFile:
        return DexFile(
            **self._said, slots=tuple(self._slots), events=tuple(self._events),  # type: ignore[arg-type]
            warnings=tuple(warnings)[:_MOST_WARNINGS],
        )  # fmt: skip

    def _selection(self, fields: Sequence[str]) -> None:
        slot = fields[1] if len(fields) > 1 else ""
        if not _SLOT.match(slot):
            raise DexError("a line PA1 names no selection")
        if any(one.slot == slot for one in self._slots):
            raise DexError(f"the selection {slot} is there twice")
        if len(self._slots) >= MOST_SLOTS:
            raise DexError(f"it has more than {MOST_SLOTS} selections")
        self._slots.append(DexSlot(slot=slot, price=self._number(fields, 2)))

    def _counted(self, fields: Sequence[str]) -> None:
        """PA2 is of the PA1 before it, and has counts before values."""
        if not self._slots or self._slots[-1].counts is not None:
            self._warn("a line PA2 follows no PA1")
            return
        n = [self._number(fields, place) or 0 for place in (1, 2, 3, 4)]
        last = self._slots[-1]
        counts = Counts(count=n[0], value=n[1], count_since_reset=n[2], value_since_reset=n[3])
        self._slots[-1] = DexSlot(slot=last.slot, price=last.price, counts=counts)

    def _valued(self, fields: Sequence[str]) -> Counts:
        """These have values before counts."""
        n = [self._number(fields, place) or 0 for place in (1, 2, 3, 4)]
        return Counts(value=n[0], count=n[1], value_since_reset=n[2], count_since_reset=n[3])

    def _event(self, fields: Sequence[str]) -> None:
        if len(self._events) < _MOST_EVENTS and len(fields) > 1 and _SLOT.match(fields[1]):
            count = self._number(fields, 2) if fields[0] == "EA2" else None
            self._events.append(DexEvent(code=fields[1], count=count))

    def _number(self, fields: Sequence[str], place: int) -> int | None:
        said = fields[place] if len(fields) > place else ""
        if _NUMBER.match(said):
            return int(said)
        if said.strip():
            self._warn(f"{fields[0]} has no number at {place}: {_printed(said)}")
        return None

    def _warn(self, text: str) -> None:
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(text)


def _text(fields: Sequence[str], place: int) -> str:
    return _printed(fields[place]) if len(fields) > place else ""


def _printed(said: str) -> str:
    return re.sub(r"[^ -~]", "", said)[:40].strip()


def write(file: DexFile) -> bytes:
    """The file as a machine would give it, with its frame and its checksum."""
    lines = ["ST*001*0001", f"ID1*{file.serial}*{file.model}"]
    if file.decimals is not None or file.currency:
        decimals = "" if file.decimals is None else file.decimals
        lines.append(f"ID4*{decimals}**{file.currency}")
    for name, counts in (("VA1", file.total), ("CA2", file.cash), ("DA2", file.cashless)):
        if counts is not None:
            lines.append(
                f"{name}*{counts.value}*{counts.count}"
                f"*{counts.value_since_reset}*{counts.count_since_reset}"
            )
    for slot in file.slots:
        lines.append(f"PA1*{slot.slot}*{'' if slot.price is None else slot.price}")
        if (of := slot.counts) is not None:
            lines.append(f"PA2*{of.count}*{of.value}*{of.count_since_reset}*{of.value_since_reset}")
    for event in file.events:
        lines.append(
            f"EA1*{event.code}" if event.count is None else f"EA2*{event.code}*{event.count}"
        )
    covered = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
    end = f"G85*{crc(covered):04X}\r\nSE*{len(lines) + 2}*0001\r\nDXE*1*1\r\n"
    return b"DXS*COINSLOT*VA*V1/6*1\r\n" + covered + end.encode("latin-1")
