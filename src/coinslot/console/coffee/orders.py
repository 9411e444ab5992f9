"""What became of each cup."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from babel.numbers import get_decimal_symbol
from litestar import Response
from litestar.response import Stream

from coinslot.coffee import management
from coinslot.coffee.management import Asked
from coinslot.coffee.statuses import Status
from coinslot.console import exports
from coinslot.console.coffee.parts import PAGE, CoffeePages, csv_file
from coinslot.console.current_merchant import merchant_of
from coinslot.console.exports import Row, Sheet
from coinslot.merchants.merchants import zone_of_merchant
from coinslot.oversight.money_lists import Column
from coinslot.pages.access import signed_in
from coinslot.pages.errors import RefusedError
from coinslot.pages.rendering import AnyRequest
from coinslot.people.audit_log import Act, record

_ORDER_COLUMNS: Final = (
    Column("placed_at", "time"), Column("number"), Column("machine"), Column("device"),
    Column("machine_order"), Column("drink"), Column("size"), Column("amount", "money", True),
    Column("status", "word"), Column("basis", "word"),
)  # fmt: skip


class CoffeeOrderPages(CoffeePages):
    """The list of orders, and the same as a file."""

    async def orders(self, request: AnyRequest) -> Response[str]:
        merchant = merchant_of(signed_in(request))
        given, asked = await self._asked(request, merchant)
        found = await management.orders(self._context, merchant, asked)
        return await self.page(
            request, "orders", "coffee.html", found=found, given=given, statuses=tuple(Status),
            waiting=await management.to_decide(self._context, merchant),
            has_machines=bool(await management.machines(self._context, merchant, limit=1)),
            following=str(found[-1].id) if len(found) == PAGE else "",
        )  # fmt: skip

    async def export(self, request: AnyRequest) -> Stream:
        """The whole of what the list shows the first page of. It is on record who took it."""
        who = signed_in(request)
        merchant, c = merchant_of(who), self._frame.texts(request)
        given, asked = await self._asked(request, merchant)
        async with self._context.db.as_merchant(merchant) as conn:
            act = Act(action="coffee.exported", merchant=merchant, after=given)
            await record(conn, who.actor, act, self._context.now())
        sheet = Sheet(
            columns=_ORDER_COLUMNS, heading=lambda name: c.get(f"col_coffee_{name}") or c[
                f"col_{name}"
            ],
            word=lambda column, value: c[f"coffee_status_{value}"] if column == "status"
            else c[f"basis_{value}"],
            zone=self._context.zone_of(await zone_of_merchant(self._context.db, merchant)),
            comma=get_decimal_symbol(self._frame.words(request).locale) == ",",
        )  # fmt: skip
        rows = _rows(management.chunks(self._context, merchant, asked))
        return csv_file("coffee-orders.csv", exports.as_csv(sheet, rows))

    async def _asked(self, request: AnyRequest, merchant: UUID) -> tuple[dict[str, str], Asked]:
        """What is filtered, as it was given and as it is meant."""
        query = request.query_params
        given = {name: query.get(name, "").strip()[:100] for name in ("q", "status", "from", "to")}
        zone = self._context.zone_of(await zone_of_merchant(self._context.db, merchant))
        before = query.get("before", "")

        def day(name: str, more: int) -> datetime | None:
            if not given[name]:
                return None
            begun = datetime.combine(date.fromisoformat(given[name]), datetime.min.time(), zone)
            return (begun + timedelta(days=more)).astimezone(UTC)

        try:
            asked = Asked(
                text=given["q"], status=Status(given["status"]) if given["status"] else None,
                since=day("from", 0), until=day("to", 1), limit=PAGE,
                before=UUID(before) if before else None,
            )  # fmt: skip
        except (ValueError, OverflowError):
            raise RefusedError(400, "bad_request", "No page of ours asks for that.") from None
        return {name: value for name, value in given.items() if value}, asked


async def _rows(
    chunks: AsyncIterator[Sequence[management.OrderLine]],
) -> AsyncIterator[Sequence[Row]]:
    async for found in chunks:
        yield [
            {
                "placed_at": one.placed_at, "number": one.number, "machine": one.machine,
                "device": one.device, "machine_order": one.machine_order, "drink": one.drink,
                "size": one.size, "amount": one.money.minor, "currency": one.money.currency,
                "status": one.status.value, "basis": one.basis,
            }
            for one in found
        ]  # fmt: skip
