"""The health of one machine: why it sells nothing, charts, its log, its own counts against ours. A
person who looked ends a food lock here, and begins and ends maintenance."""

from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from zoneinfo import ZoneInfo

from litestar import Response
from litestar.params import FromPath
from litestar.response import Redirect
from markupsafe import Markup

from coinslot.channels.reports import LogLevel
from coinslot.console import charts, forms
from coinslot.console.charts import Bar, Chart
from coinslot.console.current_merchant import editor_of, merchant_of
from coinslot.console.forms import Done, once
from coinslot.console.frame import Frame
from coinslot.console.lines import Plot, Point, plotted
from coinslot.fleet import maintenance
from coinslot.fleet.config import OutOfServiceError
from coinslot.fleet.machines import MachineStatus, status
from coinslot.kit.numbers import whole
from coinslot.outlets.machines import UnknownOutletError
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.sessions import SignedIn
from coinslot.telemetry import audits, counters, dex, food, health, logs
from coinslot.telemetry.audits import Reader
from coinslot.telemetry.dex import DexError
from coinslot.telemetry.food import NotLockedError, Visit
from coinslot.telemetry.health import Charted, MachineHealth, Sample, Span
from coinslot.telemetry.logs import LogSearch

_LINES: Final = 100
_LEVELS: Final = tuple(LogLevel)


class MachineHealthPages(SharedHandler):
    """Each page asks one verb of `telemetry`, or of `fleet`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context

    async def show(self, request: AnyRequest, machine: FromPath[str]) -> Response[str]:
        return await self._show(request, machine)

    async def unlock(self, request: AnyRequest, machine: FromPath[str]) -> Response[str] | Redirect:
        """A person looked at what is in it, and says what they saw."""
        form = await forms.read(request)
        note = form.one("note", 500)
        if not note:
            return await self._show(request, machine, "mh_problem_note")

        async def work(who: SignedIn) -> Done:
            editor = editor_of(who)
            visit = Visit(merchant=editor.merchant, actor=editor.actor, note=note)
            await food.unlock(self._context, machine, visit)
            return self._done(request, machine, "food_unlocked")

        try:
            return await once(self._context, request, form, work)
        except NotLockedError:
            return await self._show(request, machine, "mh_problem_not_locked")
        except UnknownOutletError:
            raise _not_there() from None

    async def maintain(
        self, request: AnyRequest, machine: FromPath[str]
    ) -> Response[str] | Redirect:
        form = await forms.read(request)
        begin = form.one("to") == "begin"

        async def work(who: SignedIn) -> Done:
            if begin:
                await maintenance.begin(
                    self._context, editor_of(who), machine, form.one("note", 500)
                )
            else:
                await maintenance.end(self._context, editor_of(who), machine)
            return self._done(request, machine, "maintenance" if begin else "maintained")

        try:
            return await once(self._context, request, form, work)
        except OutOfServiceError:
            return await self._show(request, machine, "problem_out_of_service")
        except UnknownOutletError:
            raise _not_there() from None

    async def counts(self, request: AnyRequest, machine: FromPath[str]) -> Response[str]:
        return await self._counts(request, machine)

    async def bring_counts(
        self, request: AnyRequest, machine: FromPath[str]
    ) -> Response[str] | Redirect:
        """A file of its own counts (EVA-DTS): kept, and compared with the ledger by slot."""
        form = await forms.read(request, most_chars=dex.MOST_BYTES)
        raw = form.files.get("file") or b""

        async def work(who: SignedIn) -> Done:
            editor = editor_of(who)
            reader = Reader(merchant=editor.merchant, actor=editor.actor)
            await audits.take(self._context, machine, raw, reader)
            return Done(to=self._frame.to(request, "machines", machine, "counts"))

        try:
            return await once(self._context, request, form, work)
        except DexError as error:
            c = self._frame.texts(request)
            return await self._counts(request, machine, f"{c['mh_problem_file']} {error}")
        except UnknownOutletError:
            raise _not_there() from None

    def _done(self, request: AnyRequest, machine: str, done: str) -> Done:
        return Done(to=self._frame.to(request, "machines", machine, "health", done=done))

    async def _known(self, request: AnyRequest, machine: str) -> MachineStatus:
        try:
            return await status(self._context, merchant_of(signed_in(request)), machine)
        except UnknownOutletError:
            raise _not_there() from None

    async def _show(self, request: AnyRequest, machine: str, problem: str = "") -> Response[str]:
        found, merchant = await self._known(request, machine), merchant_of(signed_in(request))
        query = request.query_params
        span, wanted = _span(query.get("span")), _search(query)
        now = await health.read(self._context, merchant, machine)
        chart = await health.charted(self._context, merchant, machine, span)
        sold = await health.sold(self._context, merchant, machine, span)
        drawn = Drawing(self._frame.texts(request), self._context.zone_of(None), chart)
        c = self._frame.texts(request)
        return await self._frame.page(
            request, "machine_health.html", found=found, now=now, span=span, spans=tuple(Span),
            counter=await counters.read(self._context, merchant, machine),
            pictures=drawn.all(now, sold), wanted=wanted, levels=_LEVELS,
            lines=await logs.search(self._context, merchant, machine, wanted),
            problem=c[problem] if problem else "", most=_LINES,
            maintained=any(stop.why == "maintenance" for stop in now.stops),
            locked=any(stop.why == "food_lock" for stop in now.stops),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip

    async def _counts(self, request: AnyRequest, machine: str, problem: str = "") -> Response[str]:
        found, merchant = await self._known(request, machine), merchant_of(signed_in(request))
        return await self._frame.page(
            request, "machine_counts.html", found=found, problem=problem,
            compared=await audits.newest(self._context, merchant, machine),
            status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK,
        )  # fmt: skip


class Drawing:
    """The charts of a machine, in one language."""

    def __init__(self, c: Any, zone: ZoneInfo, chart: Charted) -> None:
        self._c, self._zone, self._chart = c, zone, chart

    def all(
        self, now: MachineHealth, sold: Sequence[tuple[datetime, int]]
    ) -> Sequence[tuple[str, str, Markup]]:
        """Name, the newest in words, picture; those without a picture are left out."""
        limit = None if now.food is None else now.food.limit_c
        heard = [one.heard for one in self._chart.samples]
        share = sum(heard) / len(heard) if heard else 0.0
        found = (
            ("mh_temperature", "" if now.temperature_c is None else f"{now.temperature_c:.1f} °C",
             self._line("mh_temperature", _temperature, "{:.0f} °C", limit=limit)),
            ("mh_sales", str(sum(count for _, count in sold)), self._sales(sold)),
            ("mh_uptime", f"{share:.0%}", self._line(
                "mh_uptime", lambda one: _same(one.heard), "{:.0%}", least=0.0, most=1.0
            )),
            ("mh_wifi", "" if now.rssi is None else f"{now.rssi} dBm", self._line(
                "mh_wifi", lambda one: _same(one.rssi), "{:.0f} dBm"
            )),
            ("mh_memory", "" if now.free_heap is None else f"{now.free_heap // 1024} KiB",
             self._line("mh_memory", lambda one: _same(_kib(one.free_heap)), "{:.0f} KiB",
                        least=0.0)),
        )  # fmt: skip
        return [one for one in found if one[2]]

    def _line(
        self, name: str, of: Callable[[Sample], tuple[float, float, float] | None], scale: str,
        **bounds: float | None,
    ) -> Markup:  # fmt: skip
        points = []
        for one in self._chart.samples:
            if (value := of(one)) is not None:
                points.append(Point(one.at, *value))
        return plotted(
            Plot(
                name=self._c[name], since=self._chart.since, until=self._chart.until,
                each_s=self._chart.each_s, points=points, scale=scale.format,
                moment=self._moment, **bounds,
            )
        )  # fmt: skip

    def _sales(self, sold: Sequence[tuple[datetime, int]]) -> Markup:
        bars = [
            Bar(label=self._moment(at), parts=(count,), told=f"{self._moment(at)}: {count}")
            for at, count in sold
        ]
        name = self._c["mh_sales"]
        return charts.drawn(Chart(name=name, kinds=("sales",), bars=bars, scale=str, small=True))

    def _moment(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return f"{local:%H:%M}" if self._chart.span is Span.DAY else f"{local:%d.%m}"


def _temperature(one: Sample) -> tuple[float, float, float] | None:
    if one.low is None or one.high is None or one.mean is None:
        return None
    return one.low, one.high, one.mean


def _same(value: float | None) -> tuple[float, float, float] | None:
    return None if value is None else (value, value, value)


def _kib(value: int | None) -> float | None:
    return None if value is None else value / 1024


def _span(said: str | None) -> Span:
    return Span(said) if said in tuple(Span) else Span.DAY


def _search(query: Any) -> LogSearch:
    level, before = query.get("level"), query.get("before") or ""
    return LogSearch(
        level=LogLevel(level) if level in _LEVELS else LogLevel.DEBUG,
        text=(query.get("text") or "").strip()[: logs.LONGEST_SEARCH], limit=_LINES,
        before=whole(before),
    )  # fmt: skip


def _not_there() -> RefusedError:
    return RefusedError(404, "not_found", "There is no such machine.")
