"""One picture in what three kinds of printers take: ESC/POS, Star CloudPRNT, and Epson Server
Direct Print."""

import base64
import io
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from PIL import Image

_BAND_ROWS: Final = 256  # printers with little memory take a picture in parts
_START, _FEED, _CUT = b"\x1b@", b"\x1bd\x04", b"\x1dV\x42\x00"
_EPOS: Final = "http://www.epson-pos.com/schemas/2011/03/epos-print"
_TIMEOUT_MS: Final = 60_000
ASK_PRINTER, ASK_PAPER = b"\x10\x04\x01", b"\x10\x04\x04"
_MOST_RESULT: Final = 100_000


def escpos(picture: Image.Image, job: str) -> bytes:
    """Raster images (GS v 0), a cut, and the wish to hear the first four signs of the job's name
    once all of it is on paper (GS ( H)."""
    name = job[:4].encode("ascii")
    return b"".join((_START, *_bands(picture), _FEED, _CUT, b"\x1d(H\x06\x00\x30\x30", name))


def confirmed(heard: bytes, job: str) -> bool:
    """Whether that is the answer to it."""
    return b"\x37\x22" + job[:4].encode("ascii") + b"\x00" in heard


def stops(printer: bytes, paper: bytes) -> str:
    """Why it prints nothing now, by its answers to DLE EOT 1 and 4; empty where it prints."""
    if paper and paper[0] & 0x60:
        return "no paper"
    return "offline, or its cover is open" if printer and printer[0] & 0x08 else ""


def _bands(picture: Image.Image) -> list[bytes]:
    across, bands = (picture.width + 7) // 8, []
    for top in range(0, picture.height, _BAND_ROWS):
        rows = min(_BAND_ROWS, picture.height - top)
        head = b"\x1dv0\x00" + across.to_bytes(2, "little") + rows.to_bytes(2, "little")
        bands.append(head + _bits(picture.crop((0, top, picture.width, top + rows))))
    return bands


def _bits(picture: Image.Image) -> bytes:
    """Rows of bits; a one is black."""
    return bytes(byte ^ 0xFF for byte in picture.tobytes())


def star(picture: Image.Image) -> bytes:
    """A PNG."""
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def epson(picture: Image.Image, job: str) -> str:
    """One job of Server Direct Print."""
    bits = base64.b64encode(_bits(picture)).decode()
    return (
        '<?xml version="1.0" encoding="utf-8"?><PrintRequestInfo Version="2.00"><ePOSPrint>'
        f"<Parameter><devid>local_printer</devid><timeout>{_TIMEOUT_MS}</timeout>"
        f"<printjobid>{escape(job)}</printjobid></Parameter>"
        f'<PrintData><epos-print xmlns="{_EPOS}"><image width="{picture.width}"'
        f' height="{picture.height}" color="color_1" mode="mono">{bits}</image>'
        '<feed line="3"/><cut type="feed"/></epos-print></PrintData></ePOSPrint>'
        "</PrintRequestInfo>"
    )


def epson_results(text: str) -> list[tuple[str, bool, str]]:
    """Of each job: its name, whether it was printed, and why not. Nothing of what cannot be
    read."""
    if len(text) > _MOST_RESULT or "<!" in text:
        return []
    try:
        told = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return []
    found = []
    for one in told.iter("ePOSPrint"):
        answer = next(one.iter(f"{{{_EPOS}}}response"), None)
        if answer is not None:
            name, is_well = one.findtext("Parameter/printjobid", ""), answer.get("success")
            found.append((name, is_well == "true", answer.get("code", "")))
    return found
