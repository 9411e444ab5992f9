"""Charts as SVG, made here: bars with a scale. Colours are classes of the style. A table with the
same figures stands beside each, so a chart is one picture with a name."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from markupsafe import Markup
from msgspec import Struct

_WIDE, _HIGH, _LEFT, _TOP, _FOOT = 720, 200, 104, 16, 34
_BAR: Final = 56  # no bar is wider
_LABELS: Final = 8  # below the bars at most
_STEPS: Final = (1, 2, 5)


class Bar(Struct, frozen=True, kw_only=True):
    """`parts` are stacked, the first at the bottom. `told` is what it says when it is pointed
    at."""

    label: str
    parts: tuple[int, ...]
    told: str


class Chart(Struct, frozen=True, kw_only=True):
    """`kinds` are the classes of the parts of each bar; `scale` says a height in words."""

    name: str
    kinds: tuple[str, ...]
    bars: Sequence[Bar]
    scale: Callable[[int], str]
    small: bool = False


def drawn(chart: Chart) -> Markup:
    """Time runs from left to right in every language, as in the tables of banks. Empty where there
    is nothing to draw."""
    most = max((sum(bar.parts) for bar in chart.bars), default=0)
    if most <= 0:
        return Markup("")
    top = _rounded_up(most)
    high = _HIGH if not chart.small else _HIGH // 2
    base = high - _FOOT
    step = (_WIDE - _LEFT) / len(chart.bars)
    inside = [*_lines(chart, top, base)]
    every = -(-len(chart.bars) // _LABELS)
    for place, bar in enumerate(chart.bars):
        left = _LEFT + place * step
        inside.append(_bar(chart.kinds, bar, (left, step), (top, base)))
        if place % every == 0:
            middle = left + step / 2
            inside.append(
                f'<text class="axis" x="{middle:.1f}" y="{high - 8}" text-anchor="middle">'
                f"{escape(bar.label)}</text>"
            )
    return Markup(
        f'<svg class="chart" viewBox="0 0 {_WIDE} {high}" role="img" direction="ltr"'
        f' aria-label="{escape(chart.name)}">{"".join(inside)}</svg>'
    )


def _bar(kinds: Sequence[str], bar: Bar, across: tuple[float, float], up: tuple[int, int]) -> str:
    (left, step), (top, base) = across, up
    gap = max(min(step * 0.2, 6), step - _BAR)
    drawn_parts, bottom = [f"<title>{escape(bar.told)}</title>"], float(base)
    for kind, part in zip(kinds, bar.parts, strict=True):
        high = part / top * (base - _TOP)
        if part > 0:
            high = max(high, 1.5)  # a little is not nothing
            bottom -= high
            drawn_parts.append(
                f'<rect class="{kind}" x="{left + gap / 2:.1f}" y="{bottom:.1f}"'
                f' width="{step - gap:.1f}" height="{high:.1f}" rx="1.5"/>'
            )
    return f"<g>{''.join(drawn_parts)}</g>"


def _lines(chart: Chart, top: int, base: int) -> Sequence[str]:
    lines = []
    for share in (0, 1, 2):
        y = base - share / 2 * (base - _TOP)
        lines.append(
            f'<line class="grid-line" x1="{_LEFT}" x2="{_WIDE}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        if share != 1 or top % 2 == 0:
            lines.append(
                f'<text class="axis" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
                f"{escape(chart.scale(top * share // 2))}</text>"
            )
    return lines


def _rounded_up(most: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50 and so on."""
    tens = 1
    while True:
        for one in _STEPS:
            if most <= one * tens:
                return one * tens
        tens *= 10
