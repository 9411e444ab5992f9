"""How well it sells: how many orders end well, what one is worth, which payments fail, which codes
are typed wrongly, which messages arrive. Figures of a rate stand beside it: of nothing there is
none."""

import asyncio
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct
from prometheus_client import Gauge

from coinslot.context import Context
from coinslot.db.pool import AWAY
from coinslot.oversight import store
from coinslot.oversight.day_sums import as_rows
from coinslot.oversight.money import MoneyFilter

log = structlog.get_logger(__name__)

_EVERY_S: Final = 60.0
_LATELY: Final = timedelta(hours=24)
_A_MOMENT: Final = timedelta(seconds=1)  # what is placed now counts
_COUNTS: Final = (
    "placed", "paid", "handed_over", "given_back", "unpaid", "payments_ok", "payments_failed",
    "codes_ok", "codes_wrong", "sms_ok", "sms_failed", "calls_ok", "calls_failed",
)  # fmt: skip

# Orders by when they were placed; everything else is that of the orders. A message that is on its
# way counts neither way. $1, $2: the span. $3: outlet, $4: product; each may be NULL.
_OF_SPAN = """
WITH o AS MATERIALIZED (
    SELECT o.id, o.state, o.amount_minor, o.currency::text AS currency, o.placed_at
    FROM orders o WHERE o.placed_at >= $1 AND o.placed_at < $2 AND o.source <> 'test_vend'
        AND ($3::text IS NULL OR o.outlet_id = $3)
        AND ($4::text IS NULL OR EXISTS (SELECT FROM order_lines l WHERE l.order_id = o.id
            AND l.sku = $4))
), one AS (
    SELECT o.*, t.ok AS payments_ok, t.failed AS payments_failed,
        EXISTS (SELECT FROM fulfillments f WHERE f.order_id = o.id AND f.basis = 'code')::int
            AS codes_ok,
        coalesce((SELECT c.wrong FROM counter_orders c WHERE c.order_id = o.id), 0) AS codes_wrong,
        m.sms_ok, m.sms_failed, m.calls_ok, m.calls_failed
    FROM o CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE a.state = 'succeeded') AS ok,
            count(*) FILTER (WHERE a.state = 'failed') AS failed
        FROM payments p JOIN attempts a ON a.payment_id = p.id WHERE p.order_id = o.id
            AND a.state IN ('succeeded', 'failed')
    ) t CROSS JOIN LATERAL message_outcomes(o.id) m
)
"""
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
{_OF_SPAN} SELECT w.day, one.currency, {_SUMS}
FROM one JOIN jsonb_to_recordset($5) AS w (day date, begun timestamptz, ended timestamptz)
    ON one.placed_at >= w.begun AND one.placed_at < w.ended
GROUP BY 1, 2 ORDER BY 1, 2
"""
_BY_ITEM = f"""
{_OF_SPAN} SELECT l.sku, max(l.name) AS name, one.currency, count(DISTINCT one.id) AS orders,
    count(*) FILTER (WHERE f.settlement = 'fulfilled') AS handed_over,
    count(*) FILTER (WHERE f.settlement = 'refund_due') AS given_back
FROM one JOIN order_lines l ON l.order_id = one.id JOIN fulfillments f ON f.line_id = l.id
WHERE $4::text IS NULL OR l.sku = $4
GROUP BY l.sku, one.currency ORDER BY 4 DESC, 1
"""
_BY_CURRENCY = f"{_OF_SPAN} SELECT currency, {_SUMS} FROM one GROUP BY currency"

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
    placed: int = 0
    paid: int = 0
    handed_over: int = 0
    given_back: int = 0
    unpaid: int = 0
    worth: int = 0
    payments_ok: int = 0
    payments_failed: int = 0
    codes_ok: int = 0
    codes_wrong: int = 0
    sms_ok: int = 0
    sms_failed: int = 0
    calls_ok: int = 0
    calls_failed: int = 0

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
    values = (wanted.begun, wanted.ended, wanted.outlet, wanted.sku)
    async with context.db.as_merchant(merchant) as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        days = await conn.fetch(_BY_DAY, *values, as_rows(wanted.days))
        items = await conn.fetch(_BY_ITEM, *values)
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
    while True:
        try:
            await measure(context)
        except (asyncpg.PostgresError, *AWAY) as error:
            log.warning("figures_not_measured", error=repr(error))
        await asyncio.sleep(_EVERY_S)


async def measure(context: Context) -> None:
    """Of all merchants together, within 24 hours: no metric names a merchant."""
    now = context.now()
    async with context.db.system_transaction() as conn:
        await conn.execute(store.PLAN_FOR_VALUES)
        rows = await conn.fetch(_BY_CURRENCY, now - _LATELY, now + _A_MOMENT, None, None)
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
