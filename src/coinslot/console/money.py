"""Money: does the bank equal the books? A table of days, lists of what money did, reports, and all
of them as files. What is filtered stands in the address."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from babel.dates import format_date
from babel.numbers import format_percent, get_decimal_symbol
from litestar import Response
from litestar.params import FromPath
from litestar.response import Stream
from msgspec import Struct

from coinslot.console import exports, forms
from coinslot.console.charts import drawn
from coinslot.console.current_merchant import merchant_of
from coinslot.console.exports import Row, Sheet, TooManyRowsError
from coinslot.console.frame import Frame
from coinslot.console.money_charts import charts_of, ends_of, profits_of
from coinslot.kit.numbers import whole
from coinslot.merchants.merchants import zone_of_merchant
from coinslot.oversight import analytics, money, money_lists, profit
from coinslot.oversight.money import Asked, MoneyFilter, MoneyRow, MoneyTable, UnitSums
from coinslot.oversight.money_lists import LISTINGS, Column, Wanted
from coinslot.oversight.profit import Profit
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.pages.shared_handler import SharedHandler
from coinslot.people.audit_log import Act, record

PARTS: Final = ("days", "reports", "profit", "analytics", *LISTINGS)
_FILTERS: Final = ("from", "to", "gateway", "machine", "product")
_PAGE: Final = 50
_DAYS: Final = 60  # rows of the table on one page
_TOP: Final = 30  # machines or products in a report
_ANYTHING: Final = 100
_FORMS: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_DAY_COLUMNS: Final = (
    Column("day", "day"), Column("account"), Column("captured", "money", True),
    Column("given_back", "money", True), Column("fees", "money", True),
    Column("kept", "money", True), Column("paid_out", "money", True),
    Column("goods", "money", True), Column("owed", "money", True),
    Column("not_ours", "money", True), Column("outside", "money", True), Column("differences"),
)  # fmt: skip


# Of a product: payments, fees and payouts are of whole orders, so these are its units.
_PRODUCT_COLUMNS: Final = (
    Column("day", "day"), Column("sold", "count", True), Column("goods", "money", True),
    Column("failed", "count", True), Column("given_back", "money", True),
)  # fmt: skip
_RARE: Final = ("not_ours", "outside")
# What is not known is not in the sums, so the profit is the most that it can be: `unknown` counts.
_PROFIT_COLUMNS: Final = (
    Column("day", "day"), Column("orders", "count", True), Column("pieces", "count", True),
    Column("paid", "money", True), Column("tips", "money", True), Column("delivery", "money", True),
    Column("taxes", "money", True), Column("back", "money", True), Column("cost", "money", True),
    Column("fee", "money", True), Column("messages", "money", True),
    Column("profit", "money", True), Column("unknown", "count", True),
)  # fmt: skip
_NOT_ALWAYS: Final = ("tips", "delivery", "taxes", "back", "messages")


class Shown(Struct, frozen=True, kw_only=True):
    """What every page of Money is given: the filter as it was asked for, and as it is applied."""

    part: str
    of: MoneyFilter
    query: Mapping[str, str]
    choices: money.Choices
    zone: str

    @property
    def machines(self) -> Sequence[tuple[str, str]]:
        return [(code, code) for code in self.choices.outlets]


class MoneyPages(SharedHandler):
    """Each page asks one verb of `oversight`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._context = frame.auth.context
        self._sheets = asyncio.Semaphore(2)  # workbooks that are made at one time

    async def days(self, request: AnyRequest) -> Response[str]:
        async with self._frame.heavy.turn(_merchant(request)):
            shown = await self._shown(request, "days")
            if shown.of.sku is not None:
                return await self._of_product(request, shown)
            table = await money.money_table(self._context, _merchant(request), shown.of)
        start = _number(request.query_params.get("row", ""))
        return await self._frame.page(
            request, "money.html", shown=shown, table=table, columns=_columns(table),
            day_text=self._day_text(request),
            rows=table.rows[start : start + _DAYS],
            following=str(start + _DAYS) if len(table.rows) > start + _DAYS else "",
        )  # fmt: skip

    async def _of_product(self, request: AnyRequest, shown: Shown) -> Response[str]:
        """What one product sold on each day."""
        found = await money.report(self._context, _merchant(request), shown.of)
        return await self._frame.page(
            request, "money_product.html", shown=shown, found=found,
            columns=[column.name for column in _PRODUCT_COLUMNS[1:]],
            rows=[_product_row(day) for day in reversed(found.days) if day.sold or day.failed],
            totals=[_product_row(one) for one in found.totals],
            day_text=self._day_text(request),
            product=dict(shown.choices.products).get(shown.of.sku or "", shown.of.sku or ""),
        )  # fmt: skip

    async def reports(self, request: AnyRequest) -> Response[str]:
        async with self._frame.heavy.turn(_merchant(request)):
            shown = await self._shown(request, "reports")
            found = await money.report(self._context, _merchant(request), shown.of)
        charts = self._charts(request, found)
        return await self._frame.page(
            request, "reports.html", shown=shown, found=found, charts=charts, top=_TOP,
            day_text=self._day_text(request), wait=self._wait(request),
            names=dict(shown.choices.products),
        )  # fmt: skip

    async def profit(self, request: AnyRequest) -> Response[str]:
        """Did we earn? By day and by item, with what it took."""
        async with self._frame.heavy.turn(_merchant(request)):
            shown = await self._shown(request, "profit")
            found = await profit.profit(self._context, _merchant(request), shown.of)
        return await self._frame.page(
            request, "profit.html", shown=shown, found=found, top=_TOP,
            columns=_profit_columns(found.days), rows=[_profit_row(day) for day in found.days],
            totals=[_profit_row(one) for one in found.totals],
            day_text=self._day_text(request),
            charts={
                one.currency: drawn(profits_of(self._frame, request, found.days, one.currency))
                for one in found.totals
            },
        )  # fmt: skip

    async def analytics(self, request: AnyRequest) -> Response[str]:
        """How well does it sell? By day and by item."""
        async with self._frame.heavy.turn(_merchant(request)):
            shown = await self._shown(request, "analytics")
            found = await analytics.analytics(self._context, _merchant(request), shown.of)
        locale = self._frame.words(request).locale
        return await self._frame.page(
            request, "analytics.html", shown=shown, found=found, top=_TOP,
            day_text=self._day_text(request),
            percent=lambda value: str(format_percent(value, "#,##0.#%", locale=locale)),
            codes=any(one.codes is not None for one in found.totals),
            messages=any(one.sms is not None or one.calls is not None for one in found.totals),
            charts={
                one.currency: drawn(ends_of(self._frame, request, found.days, one.currency))
                for one in found.totals
            },
        )  # fmt: skip

    async def rows(self, request: AnyRequest, listing: FromPath[str]) -> Response[str]:
        after = request.query_params.get("after", "")[:_ANYTHING]
        try:
            async with self._frame.heavy.turn(_merchant(request)):
                shown = await self._shown(request, _listing(listing))
                wanted, of = Wanted(listing, shown.of), _merchant(request)
                rows = await money_lists.page(self._context, of, wanted, after, _PAGE)
        except ValueError:
            raise RefusedError(400, "bad_request", "There is no such page.") from None
        return await self._frame.page(
            request, "money_list.html", shown=shown, rows=rows, columns=wanted.listing.columns,
            following=str(rows[-1]["id"]) if len(rows) == _PAGE else "",
            word=self._word(request), by_rate=exports.by_rate,
        )  # fmt: skip

    async def export(self, request: AnyRequest, listing: FromPath[str]) -> Stream:
        """The whole of what the screen shows the first page of. It is on record who took it."""
        form = request.query_params.get("as", "csv")
        if form not in _FORMS:
            raise RefusedError(400, "bad_request", "It is made as csv or xlsx.")
        known = listing if listing in ("days", "profit") else _listing(listing)
        async with self._frame.heavy.turn(_merchant(request)):
            shown = await self._shown(request, known)
            sheet, chunks = await self._sheet(request, shown)
        chunks = self._in_turns(_merchant(request), chunks)
        who, merchant = signed_in(request), _merchant(request)
        act = Act(
            action="money.exported", merchant=merchant, subject=listing,
            after={
                "as": form, "from": shown.of.first.isoformat(), "to": shown.of.last.isoformat(),
                **{name: shown.query[name] for name in _FILTERS[2:] if name in shown.query},
            },
        )  # fmt: skip
        async with self._context.db.as_merchant(merchant) as conn:
            await record(conn, who.actor, act, self._context.now())
        name = f"{listing}-{shown.of.first}-{shown.of.last}.{form}"
        return Stream(
            await self._made(form, sheet, chunks), media_type=_FORMS[form],
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
            },
        )  # fmt: skip

    async def _in_turns(
        self, merchant: UUID, chunks: AsyncIterator[Sequence[Row]]
    ) -> AsyncIterator[Sequence[Row]]:
        """However long the file, each of its chunks waits for its turn. What has begun is not
        refused any more: it would end in the middle."""
        while True:
            async with self._frame.heavy.turn(merchant, patient=True):
                rows = await anext(chunks, None)
            if rows is None:
                return
            yield rows

    async def _made(
        self, form: str, sheet: Sheet, chunks: AsyncIterator[Sequence[Row]]
    ) -> AsyncIterator[bytes]:
        if form == "csv":
            return exports.as_csv(sheet, chunks)
        try:
            async with self._sheets:
                return await exports.as_xlsx(sheet, chunks)
        except TooManyRowsError:
            raise RefusedError(
                422, "too_many_rows", "A sheet holds a million rows: take fewer days, or CSV."
            ) from None

    async def _sheet(
        self, request: AnyRequest, shown: Shown
    ) -> tuple[Sheet, AsyncIterator[Sequence[Row]]]:
        context, merchant = self._context, _merchant(request)
        c = self._frame.texts(request)
        words = self._frame.words(request)
        columns: tuple[Column, ...] = _DAY_COLUMNS
        booked = list[Row]()
        chunks: AsyncIterator[Sequence[Row]]
        if shown.part == "days" and shown.of.sku is not None:
            found = await money.report(context, merchant, shown.of)
            _refuse_part(found.left_out)
            columns, chunks = _PRODUCT_COLUMNS, _rows_of([_product_row(day) for day in found.days])
        elif shown.part == "days":
            table = await money.money_table(context, merchant, shown.of)
            _refuse_part(table.left_out)
            chunks = _rows_of([_day_row(row, c) for row in table.rows])
        elif shown.part == "profit":
            earned = await profit.profit(context, merchant, shown.of)
            columns = _PROFIT_COLUMNS
            chunks = _rows_of([_profit_row(day) for day in earned.days])
        else:
            wanted = Wanted(shown.part, shown.of)
            columns = wanted.listing.columns
            booked = [dict(row) for row in await money_lists.booked(context, merchant, wanted)]
            chunks = money_lists.chunks(context, merchant, wanted)
        sheet = Sheet(
            columns=columns, booked=booked, word=self._word(request),
            zone=context.zone_of(await zone_of_merchant(context.db, merchant)),
            comma=get_decimal_symbol(words.locale) == ",", heading=lambda name: c[f"col_{name}"],
        )  # fmt: skip
        return sheet, chunks

    async def _zone(self, merchant: UUID) -> str:
        found = await zone_of_merchant(self._context.db, merchant)
        return self._context.zone_of(found).key

    async def _shown(self, request: AnyRequest, part: str) -> Shown:
        given = {name: request.query_params.get(name, "").strip()[:_ANYTHING] for name in _FILTERS}
        merchant = _merchant(request)
        asked = Asked(
            first=_date(given["from"]), last=_date(given["to"]),
            account=forms.uuid_of(given["gateway"]),
            outlet=given["machine"] or None, sku=given["product"] or None,
        )  # fmt: skip
        return Shown(
            part=part, of=await money.filter_of(self._context, merchant, asked),
            query={name: value for name, value in given.items() if value},
            choices=await money.choices(self._context, merchant),
            zone=await self._zone(merchant),
        )  # fmt: skip

    def _day_text(self, request: AnyRequest) -> Callable[[date | str], str]:
        locale = self._frame.words(request).locale

        def day_text(day: date | str) -> str:
            known = date.fromisoformat(day) if isinstance(day, str) else day
            return str(format_date(known, "medium", locale=locale))

        return day_text

    def _word(self, request: AnyRequest) -> Callable[[str, str], str]:
        c = self._frame.texts(request)

        def word(column: str, value: str) -> str:
            kind = {"refund": "money", "reason": "basis"}.get(column, column)
            return c.get(f"{kind}_{value}") or str(value).replace("_", " ")

        return word

    def _wait(self, request: AnyRequest) -> Callable[[UnitSums, float], str]:
        c = self._frame.texts(request)

        def wait(sums: UnitSums, share: float) -> str:
            if not sum(sums.waits):
                return ""
            step = sums.within_s(share)
            if step is None:
                return c["wait_longer"]
            key, number = ("wait_seconds", step) if step < 120 else ("wait_minutes", step // 60)
            return c[key].format(number=number)

        return wait

    def _charts(self, request: AnyRequest, found: money.Report) -> Mapping[str, Sequence[Any]]:
        """Of each currency: sales, units without goods, and how long it took until settled."""
        return {
            currency: [
                drawn(chart)
                for chart in charts_of(
                    self._frame, request, [day for day in found.days if day.currency == currency]
                )
            ]
            for currency in sorted({day.currency for day in found.days})
        }


def _profit_columns(days: Sequence[Profit]) -> Sequence[str]:
    """The sums to show: some of them are nothing for most merchants."""
    rows = [_profit_row(day) for day in days]
    return [
        column.name for column in _PROFIT_COLUMNS[1:-1]
        if column.name not in _NOT_ALWAYS or any(row[column.name] for row in rows)
    ]  # fmt: skip


def _profit_row(one: Profit) -> Row:
    return {
        "day": one.day, "currency": one.currency, "orders": one.orders, "pieces": one.pieces,
        "paid": one.paid, "tips": one.tips, "delivery": one.delivery, "taxes": one.taxes,
        "back": one.given_back, "cost": one.cost, "fee": one.fee, "messages": one.messages,
        "profit": one.profit, "unknown": one.no_cost + one.no_fee + one.no_price,
        "is_known": one.is_known,
    }  # fmt: skip


def _columns(table: MoneyTable) -> Sequence[str]:
    """The sums to show: two of them are nothing on most days."""
    rare = [name for name in _RARE if any(getattr(row, name) for row in table.rows)]
    return [
        column.name for column in _DAY_COLUMNS if column.summed and column.name not in _RARE
    ] + rare


async def _rows_of(rows: Sequence[Row]) -> AsyncIterator[Sequence[Row]]:
    yield rows


def _refuse_part(left_out: int) -> None:
    """A file is whole or none. Raises RefusedError."""
    if left_out:
        raise RefusedError(
            503, "busy", "These days are being summed: ask again in a few minutes."
        ).with_header("Retry-After", "120")


def _product_row(sums: UnitSums) -> Row:
    return {
        "day": date.fromisoformat(sums.key) if sums.key else None, "currency": sums.currency,
        "sold": sums.sold, "goods": sums.sold_minor, "failed": sums.failed,
        "given_back": sums.failed_minor,
    }  # fmt: skip


def _day_row(row: MoneyRow, c: Mapping[str, str]) -> Row:
    kinds = [one.kind for one in row.differences]
    return {
        "day": row.day, "account": row.gateway, "currency": row.currency,
        "captured": row.captured, "given_back": row.given_back, "fees": row.fees,
        "kept": row.kept, "paid_out": row.paid_out, "goods": row.goods, "owed": row.owed,
        "not_ours": row.not_ours, "outside": row.outside,
        "differences": "; ".join(c.get(f"diff_{kind}", kind) for kind in kinds),
    }  # fmt: skip


def _merchant(request: AnyRequest) -> UUID:
    return merchant_of(signed_in(request))


def _listing(name: str) -> str:
    if name not in LISTINGS:
        raise RefusedError(404, "not_found", "There is no such list.")
    return name


def _date(text: str) -> date | None:
    """None for what is no day: the filter then takes the usual days, and shows which."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def _number(text: str) -> int:
    return whole(text, 999_999) or 0
