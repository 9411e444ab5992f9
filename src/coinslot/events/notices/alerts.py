"""What is the matter with a merchant's machines, slots, cases and payouts: found by comparing the
rows with the alerts that are open. Whatever nobody looked at for a while is found by the next
look."""

from datetime import datetime, timedelta
from typing import Final

from coinslot.context import Context
from coinslot.db.pool import Connection

SILENT, CASE, SLOT, PAYOUT = "machine_silent", "case_waiting", "slot_out_of_sale", "payout_differs"
PROFIT: Final = "daily_profit"  # nothing is the matter: it is told once a day to who asked for it
ORDER: Final = "order_waiting"  # told by the room whose order it is
EVENTS: Final = (SILENT, CASE, SLOT, PAYOUT, PROFIT, ORDER)
# Cases of the nightly comparison in which the gateway's books differ from ours.
_PAYOUT_KINDS: Final = ", ".join(
    f"'{kind}'"
    for kind in (
        "not_paid_out", "amount_differs", "refunds_differ", "not_on_record", "not_at_gateway",
    )
)  # fmt: skip

# What is the matter now. A machine that was never heard is not silent yet: nobody has connected it.
# What a person took out of sale is no news to people. Payouts are compared by the books.
_WRONG = f"""
SELECT o.merchant_id, '{SILENT}' AS kind, o.id AS subject, jsonb_build_object('machine', o.id,
    'name', o.name, 'place', o.place, 'since', d.last_seen_at) AS data
FROM outlets o JOIN devices d ON d.outlet_id = o.id
WHERE o.decommissioned_at IS NULL AND d.last_seen_at < $2
UNION ALL
SELECT o.merchant_id, '{SLOT}', o.id || ' ' || s.slot, jsonb_build_object('machine', o.id,
    'name', o.name, 'slot', s.slot, 'product', p.name, 'since', s.out_of_sale_at)
FROM slots s JOIN outlets o ON o.id = s.outlet_id JOIN products p ON p.id = s.product_id
WHERE o.decommissioned_at IS NULL AND s.out_of_sale_at IS NOT NULL AND s.withheld_at IS NULL
UNION ALL
SELECT k.merchant_id, CASE WHEN k.kind IN ({_PAYOUT_KINDS}) THEN '{PAYOUT}' ELSE '{CASE}' END,
    k.id::text, jsonb_build_object('case', k.id, 'kind', k.kind, 'minor', k.amount_minor,
    'currency', k.currency, 'since', k.opened_at)
FROM cases k WHERE k.closed_at IS NULL
"""
_LOOK = f"""
WITH wrong AS MATERIALIZED ({_WRONG}), opened AS (
    INSERT INTO alerts (id, merchant_id, kind, subject, data, opened_at)
    SELECT uuid7($1), w.merchant_id, w.kind, w.subject, w.data, $1 FROM wrong w
    ON CONFLICT (merchant_id, kind, subject) WHERE ended_at IS NULL DO NOTHING RETURNING 1
), back AS (
    UPDATE alerts a SET back_since = CASE WHEN a.back_since IS NULL THEN $1::timestamptz END,
        ended_at = CASE WHEN a.kind <> '{SILENT}' THEN $1::timestamptz END
    WHERE a.ended_at IS NULL AND (a.back_since IS NULL) <> EXISTS (SELECT FROM wrong w
        WHERE (w.merchant_id, w.kind, w.subject) = (a.merchant_id, a.kind, a.subject)) RETURNING 1
), steady AS (
    UPDATE alerts a SET ended_at = $1 WHERE a.ended_at IS NULL AND a.back_since <= $3
    AND NOT EXISTS (SELECT FROM wrong w
        WHERE (w.merchant_id, w.kind, w.subject) = (a.merchant_id, a.kind, a.subject)) RETURNING 1
)
SELECT (SELECT count(*) FROM opened) + (SELECT count(*) FROM back) + (SELECT count(*) FROM steady)
"""
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('look for alerts'))"


async def look(context: Context) -> int:
    """Bring the alerts up to date; how many changed. One process at a time looks."""
    async with context.db.system_transaction() as conn:
        return await _look(conn, context) if await conn.fetchval(_ALONE) else 0


async def _look(conn: Connection, context: Context) -> int:
    now = context.now()
    changed: int = await conn.fetchval(
        _LOOK, now, now - _span(context, "machine_silent_s"), now - _span(context, "machine_back_s")
    )
    return changed


def _span(context: Context, window: str) -> timedelta:
    return context.windows.span(window)


def since_of(data: dict[str, object]) -> datetime | None:
    """When it began, as the row says."""
    found = data.get("since")
    return datetime.fromisoformat(str(found)) if found else None
