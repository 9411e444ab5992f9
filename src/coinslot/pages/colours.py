"""A merchant's colours, made readable: the hue stays, and the lightness moves until the contrast is
that of WCAG 2.2 AA, on light and on dark pages."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from msgspec import Struct

Rgb = tuple[float, float, float]

TEXT: Final = 4.5  # the least contrast of text with what it stands on
OURS: Final = "#0b6b4f"  # of buttons and links, where a merchant chose none
# What links and buttons stand on; tests compare these with the style.
LIGHT: Final = ("#f6f3ec", "#fffdf8", "#fdf1d3", "#e2f3e9", "#e8eafa")
DARK: Final = ("#11150f", "#1b211a", "#2c2413", "#13291f", "#1c2140")
# Ink, soft ink, lines, buttons and words on them, where both schemes are shown at once.
_REST: Final = {
    "light": ("#1b211b", "#565e54", "#d9d2c3", "#0b6b4f", "#ffffff"),
    "dark": ("#eef2ea", "#aab3a5", "#384036", "#5fdca9", "#04231a"),
}
_BAND_AT_NIGHT: Final = 0.42  # a band that is lighter dazzles on a dark page
_WHITE, _BLACK = "#ffffff", "#000000"
_STEPS: Final = 200


class Shade(Struct, frozen=True, kw_only=True):
    """The colours of one scheme, light or dark."""

    go: str | None = None  # buttons, links
    on_go: str | None = None  # words on buttons
    band: str | None = None  # behind the name
    on_band: str | None = None

    def css(self) -> str:
        """As declarations of the style's variables."""
        go = f"--go:{self.go};--on-go:{self.on_go};" if self.go else ""
        return go + (f"--band:{self.band};--on-band:{self.on_band};" if self.band else "")


class Palette(Struct, frozen=True):
    """What a brand's pages are painted with."""

    light: Shade
    dark: Shade

    def css(self) -> str:
        """For the style of a page. It is made of digits only, whatever was typed."""
        dark = f"@media (prefers-color-scheme:dark){{:root{{{self.dark.css()}}}}}"
        return f":root{{{self.light.css()}}}{dark}"


def scheme_css(shade: Shade, scheme: str) -> str:
    """One scheme whole, page and card included: for a page that shows both at once."""
    paper, card = (LIGHT if scheme == "light" else DARK)[:2]
    ink, soft, line, go, on_go = _REST[scheme]
    own = "" if shade.go else f"--go:{go};--on-go:{on_go};"
    rest = f"--paper:{paper};--card:{card};--ink:{ink};--soft:{soft};--line:{line};"
    return rest + own + shade.css()


@lru_cache(1024)
def palette(colour: str | None, ground: str | None) -> Palette:
    """The colours of a brand; what it has not chosen stays ours."""
    return Palette(_shade(colour, ground, LIGHT), _shade(colour, ground, DARK))


def _shade(colour: str | None, ground: str | None, under: Sequence[str]) -> Shade:
    go = None if colour is None else readable(colour, under)
    band = ground
    if ground is not None and under is DARK:
        band = no_lighter(ground, _BAND_AT_NIGHT)
    return Shade(
        go=go, on_go=None if go is None else words_on(go),
        band=band, on_band=None if band is None else words_on(band),
    )  # fmt: skip


def readable(colour: str, under: Sequence[str]) -> str:
    """The nearest colour of this hue that can be read on all of these; itself where it can be."""
    if _reads(colour, under):
        return colour
    lightness, a, b = _oklab(colour)
    for step in range(1, _STEPS + 1):
        for moved in (lightness - step / _STEPS, lightness + step / _STEPS):
            if 0 <= moved <= 1 and _reads(found := _hex(moved, a, b), under):
                return found
    return max((_WHITE, _BLACK), key=lambda one: min(contrast(one, two) for two in under))


def words_on(ground: str) -> str:
    """White or black, whichever reads better on it: one of them always reads."""
    return max((_WHITE, _BLACK), key=lambda one: contrast(one, ground))


def no_lighter(colour: str, most: float) -> str:
    """The colour, or a darker one of its hue."""
    lightness, a, b = _oklab(colour)
    return colour if lightness <= most else _hex(most, a, b)


def contrast(one: str, other: str) -> float:
    """From 1, which is none, to 21, as WCAG computes it."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _reads(colour: str, under: Sequence[str]) -> bool:
    return all(contrast(colour, one) >= TEXT for one in under)


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> Rgb:
    places = (int(colour[start:end], 16) / 255 for start, end in pairwise((1, 3, 5, 7)))
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in places)
    return red, green, blue


def _oklab(colour: str) -> Rgb:
    """Lightness from 0 to 1, and two axes of colour: of Björn Ottosson, public domain."""
    r, g, b = _linear(colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _hex(lightness: float, a: float, b: float) -> str:
    """The nearest colour a screen can show: it loses chroma, not hue."""
    for part in range(20, -1, -1):
        shown = _rgb(lightness, a * part / 20, b * part / 20)
        if all(-0.002 <= value <= 1.002 for value in shown):
            break
    places = (12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in shown)
    return "#" + "".join(f"{round(255 * min(max(value, 0), 1)):02x}" for value in places)


def _rgb(lightness: float, a: float, b: float) -> Rgb:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
