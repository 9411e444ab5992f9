"""Charts of money: what was sold, what failed, how long it took, what was earned and how orders
ended."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from babel.dates import format_date

from coinslot.console.charts import Bar, Chart
from coinslot.console.frame import Frame
from coinslot.kit.money import Money
from coinslot.oversight.analytics import Figures
from coinslot.oversight.day_sums import WAIT_STEPS_S
from coinslot.oversight.money import UnitSums
from coinslot.oversight.profit import Profit
from coinslot.pages.rendering import AnyRequest

_MOST: Final = 0.95  # of the units


def sales_of(frame: Frame, request: AnyRequest, days: Sequence[UnitSums]) -> Chart:
    """Days of one currency, the oldest first; what went back instead of goods stands on top."""
    c, formatter = frame.texts(request), frame.formatter(request)

    def said(minor: int) -> str:
        return formatter.money(Money(minor, days[0].currency))

    return Chart(
        name=c["chart_sales"], kinds=("sales", "back"), scale=said,
        bars=_bars(
            frame, request, days, lambda day: (day.sold_minor, day.failed_minor),
            lambda day: said(day.sold_minor),
        ),
    )  # fmt: skip


def charts_of(frame: Frame, request: AnyRequest, days: Sequence[UnitSums]) -> Sequence[Chart]:
    """Days of one currency, the oldest first."""
    c = frame.texts(request)

    def seconds(number: int) -> str:
        return c["wait_seconds"].format(number=number)

    def wait(day: UnitSums) -> int:
        found = day.within_s(_MOST)
        longer = sum(day.waits) and found is None
        return 2 * WAIT_STEPS_S[-1] if longer else found or 0

    return (
        sales_of(frame, request, days),
        Chart(
            name=c["chart_failures"], kinds=("back",), scale=str,
            bars=_bars(
                frame, request, days, lambda day: (day.failed,), lambda day: str(day.failed)
            ),
        ),
        Chart(
            name=c["chart_waits"], kinds=("wait",), scale=seconds,
            bars=_bars(
                frame, request, days, lambda day: (wait(day),), lambda day: seconds(wait(day))
            ),
        ),
    )  # fmt: skip


def _bars(
    frame: Frame,
    request: AnyRequest,
    days: Sequence[UnitSums],
    parts: Callable[[UnitSums], tuple[int, ...]],
    told: Callable[[UnitSums], str],
) -> Sequence[Bar]:
    locale, bars = frame.words(request).locale, []
    for day in days:
        label = str(format_date(date.fromisoformat(day.key), "d MMM", locale=locale))
        bars.append(Bar(label=label, parts=parts(day), told=f"{label}: {told(day)}"))
    return bars


def profits_of(frame: Frame, request: AnyRequest, days: Sequence[Profit], currency: str) -> Chart:
    """What was earned on each day, and what that took on top of it. A loss has no bar of its own:
    the table has it."""
    c, formatter, locale = (
        frame.texts(request),
        frame.formatter(request),
        frame.words(request).locale,
    )

    def said(minor: int) -> str:
        return formatter.money(Money(minor, currency))

    bars = []
    for day in days:
        if day.currency != currency or day.day is None:
            continue
        label = str(format_date(day.day, "d MMM", locale=locale))
        kept = max(day.profit, 0)
        told = c["profit_told"].format(
            day=label, profit=said(day.profit), took=said(day.took), earned=said(day.earned)
        )
        bars.append(Bar(label=label, parts=(kept, max(day.earned - kept, 0)), told=told))
    return Chart(name=c["chart_profit"], kinds=("sales", "wait"), bars=bars, scale=said)


def ends_of(frame: Frame, request: AnyRequest, days: Sequence[Figures], currency: str) -> Chart:
    """How the orders of each day ended."""
    c, locale, bars = frame.texts(request), frame.words(request).locale, []
    for one in days:
        if one.currency != currency or one.day is None:
            continue
        label = str(format_date(one.day, "d MMM", locale=locale))
        told = c["analytics_told"].format(
            day=label, over=one.handed_over, back=one.given_back, unpaid=one.unpaid
        )
        bars.append(
            Bar(label=label, parts=(one.handed_over, one.given_back, one.unpaid), told=told)
        )
    return Chart(name=c["chart_ends"], kinds=("sales", "back", "wait"), bars=bars, scale=str)
