"""How well it sells: how many orders end well, what one is worth, which payments fail, which codes
are typed wrongly, which messages arrive. Figures of a rate stand beside it: of nothing there is
none."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

from msgspec import Struct
from prometheus_client import Gauge

from coinslot.context import Context
from coinslot.context.rounds import keep_doing
from coinslot.oversight import store
from coinslot.oversight.day_sums import as_rows
from coinslot.oversight.figures import sums_of
from coinslot.oversight.money import MoneyFilter

_EVERY_S: Final = 60.0
_LATELY: Final = timedelta(hours=24)
_A_MOMENT: Final = timedelta(seconds=1)  # what is placed now counts
_COUNTS: Final = (
    "placed", "paid", "handed_over", "given_back", "unpaid", "payments_ok", "payments_failed",
    "codes_ok", "codes_wrong", "sms_ok", "sms_failed", "calls_ok", "calls_failed",
)  # fmt: skip
_ITEM_COUNTS: Final = ("orders", "handed_over", "given_back")
_SUMS: Final = """
    count(*) AS placed, count(*) FILTER (WHERE state IN ('paid', 'completed', 'failed')) AS paid,
    count(*) FILTER (WHERE state = 'completed') AS handed_over,
    count(*) FILTER (WHERE state = 'failed') AS given_back,
    count(*) FILTER (WHERE state = 'expired') AS unpaid,
    coalesce(sum(amount_minor) FILTER (WHERE state = 'completed'), 0)::bigint AS worth,
    coalesce(sum(payments_ok), 0)::bigint AS payments_ok,
    coalesce(sum(payments_failed), 0)::bigint AS payments_failed,
    coalesce(sum(codes_ok), 0)::bigint AS codes_ok,
    coalesce(sum(codes_wrong), 0)::bigint AS codes_wrong,
    coalesce(sum(sms_ok), 0)::bigint AS sms_ok, coalesce(sum(sms_failed), 0)::bigint AS sms_failed,
    coalesce(sum(calls_ok), 0)::bigint AS calls_ok,
    coalesce(sum(calls_failed), 0)::bigint AS calls_failed
"""
_BY_DAY = f"""
SELECT k.day, k.currency, {sums_of((*_COUNTS, "worth"))} FROM figures_of_days('sales', $1) k
WHERE $2::text IS NULL OR k.outlet_id = $2 GROUP BY 1, 2 ORDER BY 1, 2
"""
_BY_ITEM = f"""
SELECT k.sku, max(k.name) AS name, k.currency, {sums_of(_ITEM_COUNTS)}
FROM figures_of_days('sale_items', $1) k
WHERE $2::text IS NULL OR k.outlet_id = $2 GROUP BY 1, 3 ORDER BY 4 DESC, 1
"""
# Of the orders that have a product, as a whole, and of the product itself. $3: its SKU.
_BY_DAY_OF_PRODUCT = f"""
SELECT k.day, k.currency, {sums_of((*_COUNTS, "worth"))}
FROM figures_of_product('sales', $3, $1) k
WHERE $2::text IS NULL OR k.outlet_id = $2 GROUP BY 1, 2 ORDER BY 1, 2
"""
_OF_ONE_PRODUCT = f"""
SELECT k.sku, max(k.name) AS name, k.currency, {sums_of(_ITEM_COUNTS)}
FROM figures_of_days('sale_items', $1) k
WHERE ($2::text IS NULL OR k.outlet_id = $2) AND k.sku = $3 GROUP BY 1, 3 ORDER BY 4 DESC, 1
"""
_BY_CURRENCY = f"SELECT currency, {_SUMS} FROM sales_between($1, $2) GROUP BY currency"

_ORDERS = Gauge("coinslot_orders_lately", "Orders placed within 24 hours, by end", ("end",))
_PAYMENTS = Gauge("coinslot_payment_attempts_lately", "Attempts to pay them", ("outcome",))
_CODES = Gauge("coinslot_codes_lately", "Codes typed for them", ("outcome",))
_MESSAGES = Gauge("coinslot_messages_lately", "Messages about them", ("form", "outcome"))
_WORTH = Gauge(
    "coinslot_order_value_lately", "Average of those handed over, in minor units", ("currency",)
)


class Figures(Struct, frozen=True, kw_only=True):
    """Counts of orders that were placed, and of what belongs to them. `worth`: minor units of those
    that were handed over."""

    currency: str
    day: date | None = None
    placed: int
    paid: int
    handed_over: int
    given_back: int
    unpaid: int
    worth: int
    payments_ok: int
    payments_failed: int
    codes_ok: int
    codes_wrong: int
    sms_ok: int
    sms_failed: int
    calls_ok: int
    calls_failed: int

    @property
    def success(self) -> float | None:
        """Of the paid orders that ended, how many were handed over."""
        return share(self.handed_over, self.given_back)

    @property
    def average(self) -> int | None:
        """What an order is worth, rounded half up to the minor unit."""
        if not self.handed_over:
            return None
        return (2 * self.worth + self.handed_over) // (2 * self.handed_over)

    @property
    def payments(self) -> float | None:
        """Of the attempts to pay that ended, how many failed."""
        return share(self.payments_failed, self.payments_ok)

    @property
    def codes(self) -> float | None:
        return share(self.codes_ok, self.codes_wrong)

    @property
    def sms(self) -> float | None:
        return share(self.sms_ok, self.sms_failed)

    @property
    def calls(self) -> float | None:
        return share(self.calls_ok, self.calls_failed)


class ItemFigures(Struct, frozen=True, kw_only=True):
    """Of one product: orders that had it, and what became of its pieces."""

    sku: str
    name: str
    currency: str
    orders: int
    handed_over: int
    given_back: int

    @property
    def success(self) -> float | None:
        return share(self.handed_over, self.given_back)


class Analytics(Struct, frozen=True, kw_only=True):
    """Days that had an order, the oldest first; items, the most wanted first."""

    days: tuple[Figures, ...]
    items: tuple[ItemFigures, ...]
    totals: tuple[Figures, ...]


def share(good: int, others: int) -> float | None:
    """None of nothing: a day without an order is no day without success."""
    return good / (good + others) if good + others else None


async def analytics(context: Context, merchant: UUID, wanted: MoneyFilter) -> Analytics:
    """Of the orders that were placed on these days."""
    rows = as_rows(wanted.days)
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        if wanted.sku is None:
            days = await conn.fetch(_BY_DAY, rows, wanted.outlet)
            items = await conn.fetch(_BY_ITEM, rows, wanted.outlet)
        else:
            of = (rows, wanted.outlet, wanted.sku)
            days = await conn.fetch(_BY_DAY_OF_PRODUCT, *of)
            items = await conn.fetch(_OF_ONE_PRODUCT, *of)
    found = tuple(Figures(**dict(row)) for row in days)
    return Analytics(
        days=found, items=tuple(ItemFigures(**dict(row)) for row in items),
        totals=tuple(
            _total([one for one in found if one.currency == currency])
            for currency in sorted({one.currency for one in found})
        ),
    )  # fmt: skip


async def watch(context: Context) -> None:
    """Keep the metrics up to date until cancelled."""
    await keep_doing(
        lambda: measure(context), _EVERY_S, context.failures, failed="figures_not_measured"
    )


async def measure(context: Context) -> None:
    """Of all merchants together, within 24 hours: no metric names a merchant."""
    now = context.now()
    async with context.db.system_transaction() as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        rows = await conn.fetch(_BY_CURRENCY, now - _LATELY, now + _A_MOMENT)
    found = [Figures(**dict(row)) for row in rows]
    _WORTH.clear()
    for one in found:
        if one.average is not None:
            _WORTH.labels(one.currency).set(one.average)
    sums = {name: sum(getattr(one, name) for one in found) for name in _COUNTS}
    for end in ("placed", "paid", "handed_over", "given_back", "unpaid"):
        _ORDERS.labels(end).set(sums[end])
    for outcome in ("ok", "failed"):
        _PAYMENTS.labels(outcome).set(sums[f"payments_{outcome}"])
        _MESSAGES.labels("sms", outcome).set(sums[f"sms_{outcome}"])
        _MESSAGES.labels("call", outcome).set(sums[f"calls_{outcome}"])
    for outcome in ("ok", "wrong"):
        _CODES.labels(outcome).set(sums[f"codes_{outcome}"])


def _total(of: list[Figures]) -> Figures:
    sums = {name: sum(getattr(one, name) for one in of) for name in (*_COUNTS, "worth")}
    return Figures(currency=of[0].currency, **sums)
