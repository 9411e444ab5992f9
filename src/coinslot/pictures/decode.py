"""A picture as somebody uploads it, made into small ones: turned upright, without anything that its
camera wrote into it, and never larger in memory than these limits."""

import io
import struct
from typing import Final

from msgspec import Struct
from PIL import Image, ImageOps

MOST_UPLOADED_BYTES: Final = 10 * 1024 * 1024
WIDTHS: Final = (160, 320, 640)
# No SVG: it is a program, and would run on our pages. No GIF, TIFF, PDF and so on: nobody's phone
# makes them, and each decoder is one more to trust.
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_MOST_PIXELS: Final = 24_000_000  # 100 to 400 MB in memory, for a second: WebP needs the most
_MOST_JPEG_PIXELS: Final = 120_000_000  # it is decoded at an eighth to a half of its size
# Of a JPEG: what begins a part, the part with its pixels, and those that say how it is coded.
_MARKER, _SCAN, _SEQUENTIAL, _COLOURS_AT = 0xFF, 0xDA, (0xC0, 0xC1), 7
_SIDE: Final = 20_000
_TALLEST: Final = 2  # times its width: a page has no room for more


class UnreadablePictureError(Exception):
    """The upload is no picture that is taken; `text` names why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Small(Struct, frozen=True, kw_only=True):
    """The same picture in several widths, as WebP; `width` and `height` are those of the
    largest."""

    width: int
    height: int
    files: dict[int, bytes]


def made_small(body: bytes) -> Small:
    """It takes up to a second of a processor: run it in a thread. Raises UnreadablePictureError."""
    if len(body) > MOST_UPLOADED_BYTES:
        raise UnreadablePictureError("picture_too_large")
    try:
        with Image.open(io.BytesIO(body), formats=_FORMATS) as opened:
            by_lines = opened.format == "JPEG" and _comes_by_lines(body)
            return _small(opened, _MOST_JPEG_PIXELS if by_lines else _MOST_PIXELS)
    except Image.DecompressionBombError:
        raise UnreadablePictureError("picture_too_many_pixels") from None
    except (
        OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, OverflowError,
        struct.error,
    ):  # fmt: skip
        raise UnreadablePictureError("picture_unreadable") from None


def _comes_by_lines(body: bytes) -> bool:
    """Whether a JPEG is decoded line by line. A progressive one, or one that has its colours one
    after the other, is held whole at its full size until its end, however small it is shown."""
    at, colours = 2, 0
    while at + 4 <= len(body):
        if body[at] != _MARKER:
            return False
        if body[at + 1] == _MARKER:  # a byte that fills up
            at += 1
            continue
        kind, length = body[at + 1], int.from_bytes(body[at + 2 : at + 4])
        if kind in _SEQUENTIAL and length > _COLOURS_AT:
            colours = body[at + 2 + _COLOURS_AT]
        elif kind == _SCAN:
            return colours > 0 and body[at + 4 : at + 5] == bytes([colours])
        at += 2 + length
    return False


def _small(opened: Image.Image, most: int) -> Small:
    width, height = opened.size  # from the header: nothing is decoded yet
    if width * height > most or max(width, height) > _SIDE:
        raise UnreadablePictureError("picture_too_many_pixels")
    opened.draft("RGB", (2 * WIDTHS[-1], 2 * WIDTHS[-1]))
    if opened.size[0] * opened.size[1] > _MOST_PIXELS:
        raise UnreadablePictureError("picture_too_many_pixels")
    has_alpha = opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info
    ImageOps.exif_transpose(opened, in_place=True)
    mode = "RGBA" if has_alpha else "RGB"
    upright = opened if opened.mode == mode else opened.convert(mode)
    largest = _fitted(upright, WIDTHS[-1])
    files = {largest.width: _webp(largest)}
    for one in WIDTHS[:-1]:
        if one < largest.width:
            files[one] = _webp(_fitted(largest, one))
    return Small(width=largest.width, height=largest.height, files=files)


def _fitted(picture: Image.Image, width: int) -> Image.Image:
    """Not wider than this, and never larger than it is."""
    share = min(1.0, width / picture.width, _TALLEST * width / picture.height)
    size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)


def _webp(picture: Image.Image) -> bytes:
    """Pixels alone: profile, EXIF and comments stay behind."""
    out = io.BytesIO()
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    bare.save(out, "WEBP", quality=76, method=4)
    return out.getvalue()
