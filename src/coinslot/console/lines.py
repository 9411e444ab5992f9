"""Charts of figures over time as SVG, made here: a band from the lowest to the highest, and a line.
Where nothing was heard the line breaks. Colours are classes of the style."""

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from typing import Final

from markupsafe import Markup
from msgspec import Struct

_WIDE, _HIGH, _LEFT, _TOP, _FOOT = 720, 170, 84, 12, 28
_STEPS: Final = (1, 2, 5)
_TICKS: Final = 5


class Point(Struct, frozen=True):
    """A piece of time, and what was measured in it."""

    at: datetime
    low: float
    high: float
    mean: float


class Plot(Struct, frozen=True, kw_only=True):
    """`each_s` is how long a piece is. `scale` says a height in words, `moment` a time. `limit` is
    drawn across, `least` and `most` are always inside."""

    name: str
    since: datetime
    until: datetime
    each_s: int
    points: Sequence[Point]
    scale: Callable[[float], str]
    moment: Callable[[datetime], str]
    limit: float | None = None
    least: float | None = None
    most: float | None = None


def plotted(plot: Plot) -> Markup:
    """Time runs from left to right in every language. Empty where there is nothing to draw."""
    if not plot.points:
        return Markup("")
    bottom, top = _bounds(plot)
    base = _HIGH - _FOOT

    def x(at: datetime) -> float:
        share = (at - plot.since).total_seconds() / (plot.until - plot.since).total_seconds()
        return _LEFT + share * (_WIDE - _LEFT)

    def y(value: float) -> float:
        return base - (value - bottom) / (top - bottom) * (base - _TOP)

    inside = [*_across(plot, bottom, top, y), *_along(plot, x)]
    for run in _runs(plot):
        over = " ".join(f"{x(p.at):.1f},{y(p.high):.1f}" for p in run)
        back = " ".join(f"{x(p.at):.1f},{y(p.low):.1f}" for p in reversed(run))
        inside.append(f'<polygon class="band" points="{over} {back}"/>')
        line = " ".join(f"{x(p.at):.1f},{y(p.mean):.1f}" for p in run)
        inside.append(f'<polyline class="mean" points="{line}"/>')
        if len(run) == 1:
            only = run[0]
            inside.append(
                f'<circle class="dot" cx="{x(only.at):.1f}" cy="{y(only.mean):.1f}" r="2"/>'
            )
    if plot.limit is not None:
        at = y(plot.limit)
        inside.append(
            f'<line class="limit" x1="{_LEFT}" x2="{_WIDE}" y1="{at:.1f}" y2="{at:.1f}"/>'
        )
    return Markup(
        f'<svg class="chart" viewBox="0 0 {_WIDE} {_HIGH}" role="img" direction="ltr"'
        f' aria-label="{escape(plot.name)}">{"".join(inside)}</svg>'
    )


def _bounds(plot: Plot) -> tuple[float, float]:
    """The lowest and the highest that is drawn, on round figures."""
    beside = [one for one in (plot.limit, plot.least, plot.most) if one is not None]
    least = min([point.low for point in plot.points] + beside)
    most = max([point.high for point in plot.points] + beside)
    step = _step((most - least or 1) / 4)
    bottom = step * (least // step)
    top = step * -(-most // step)
    return bottom, top if top > bottom else bottom + step


def _step(about: float) -> float:
    tens = 1.0
    while about > 5 * tens:
        tens *= 10
    while about < tens / 2 and tens > 0.01:
        tens /= 10
    return next((one * tens for one in _STEPS if about <= one * tens), 10 * tens)


def _runs(plot: Plot) -> Sequence[Sequence[Point]]:
    """Points without a gap between them."""
    runs: list[list[Point]] = []
    for point in plot.points:
        apart = (point.at - runs[-1][-1].at).total_seconds() if runs else 0
        if runs and apart <= 1.5 * plot.each_s:
            runs[-1].append(point)
        else:
            runs.append([point])
    return runs


def _across(plot: Plot, bottom: float, top: float, y: Callable[[float], float]) -> Sequence[str]:
    lines = []
    for value in (bottom, (bottom + top) / 2, top):
        at = y(value)
        lines.append(
            f'<line class="grid-line" x1="{_LEFT}" x2="{_WIDE}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text class="axis" x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">'
            f"{escape(plot.scale(value))}</text>"
        )
    return lines


def _along(plot: Plot, x: Callable[[datetime], float]) -> Sequence[str]:
    texts = []
    for number in range(_TICKS):
        at = plot.since + (plot.until - plot.since) * (number + 0.5) / _TICKS
        texts.append(
            f'<text class="axis" x="{x(at):.1f}" y="{_HIGH - 6}" text-anchor="middle">'
            f"{escape(plot.moment(at))}</text>"
        )
    return texts
