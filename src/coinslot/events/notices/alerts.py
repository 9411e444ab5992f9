"""What is the matter with a merchant's machines, slots, cases and payouts: found by comparing the
rows with the alerts that are open. Whatever nobody looked at for a while is found by the next
look."""

from datetime import datetime, timedelta
from typing import Final

from coinslot.context import Context
from coinslot.db.pool import Connection

SILENT, CASE, SLOT, PAYOUT = "machine_silent", "case_waiting", "slot_out_of_sale", "payout_differs"
WARM: Final = "machine_too_warm"  # it sells nothing because of its temperature
AILING: Final = "machine_ailing"  # its own count, its journal, its restarts, its signal
LOW: Final = "stock_low"  # slots of a machine that hold a quarter of their par level, or less
SOON: Final = "sold_out_soon"  # by what they sell, slots of a machine will be sold out in days
DRIFT: Final = "price_differs"  # the machine refuses our price: it shows another one
PROFIT: Final = "daily_profit"  # nothing is the matter: it is told once a day to who asked for it
ORDER: Final = "order_waiting"  # told by the room whose order it is
EVENTS: Final = (SILENT, WARM, AILING, CASE, SLOT, LOW, SOON, DRIFT, PAYOUT, PROFIT, ORDER)
# They come and go by themselves: such an alert ends when the machine was well for a while.
_UNSTEADY: Final = (SILENT, AILING)
_MACHINE: Final = "'machine', o.id, 'name', o.name, 'place', o.place"
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
SELECT o.merchant_id, '{WARM}', o.id, jsonb_build_object({_MACHINE}, 'what', s.why, 'since',
    s.since)
FROM outlet_stops s JOIN outlets o ON o.id = s.outlet_id
WHERE o.decommissioned_at IS NULL AND s.why = 'food_lock' AND s.until IS NULL
UNION ALL
SELECT o.merchant_id, '{WARM}', o.id || ' thermometer', jsonb_build_object({_MACHINE}, 'what',
    'no_temperature', 'since', h.temperature_at)
FROM outlets o JOIN devices d ON d.outlet_id = o.id LEFT JOIN machine_health h ON h.outlet_id = o.id
WHERE o.decommissioned_at IS NULL AND o.device_config ? 'food_lock' AND d.last_seen_at >= $2
AND (h.temperature_at IS NULL OR h.temperature_at < $2)
UNION ALL
SELECT o.merchant_id, '{AILING}', o.id || ' ' || a.what, jsonb_build_object({_MACHINE}, 'what',
    a.what, 'since', h.at)
FROM machine_health h JOIN outlets o ON o.id = h.outlet_id
LEFT JOIN counter_checks c ON c.outlet_id = o.id CROSS JOIN LATERAL (VALUES
    ('counted', c.differs_since IS NOT NULL),
    ('journal', h.journal_used >= $3), ('signal', h.rssi <= -$5::integer),
    ('restarts', (SELECT count(*) FROM unnest(h.restarts) r WHERE r > $2 - interval '1 hour') >= $4)
) AS a (what, wrong)
WHERE o.decommissioned_at IS NULL AND h.at >= $2 AND a.wrong
UNION ALL
SELECT o.merchant_id, '{SLOT}', o.id || ' ' || s.slot, jsonb_build_object('machine', o.id,
    'name', o.name, 'slot', s.slot, 'product', p.name, 'since', s.out_of_sale_at)
FROM slots s JOIN outlets o ON o.id = s.outlet_id JOIN products p ON p.id = s.product_id
WHERE o.decommissioned_at IS NULL AND s.out_of_sale_at IS NOT NULL AND s.withheld_at IS NULL
UNION ALL
SELECT o.merchant_id, '{LOW}', o.id, jsonb_build_object({_MACHINE}, 'slots', l.slots)
FROM outlets o CROSS JOIN LATERAL (SELECT string_agg(s.slot, ', ' ORDER BY s.slot) AS slots
    FROM slots s WHERE s.outlet_id = o.id AND s.par > 0 AND s.out_of_sale_at IS NULL
        AND s.stock * 4 <= s.par) l
WHERE o.decommissioned_at IS NULL AND o.channel <> 'practice' AND l.slots IS NOT NULL
UNION ALL
SELECT o.merchant_id, '{SOON}', o.id, jsonb_build_object({_MACHINE}, 'slots', l.slots)
FROM outlets o CROSS JOIN LATERAL (SELECT string_agg(s.slot, ', ' ORDER BY s.slot) AS slots
    FROM slots s JOIN slot_demand d ON d.outlet_id = s.outlet_id AND d.slot = s.slot
        AND d.product_id = s.product_id
    WHERE s.outlet_id = o.id AND s.out_of_sale_at IS NULL AND d.likely > 0
        AND s.stock <= d.likely) l
WHERE o.decommissioned_at IS NULL AND o.channel <> 'practice' AND l.slots IS NOT NULL
UNION ALL
SELECT o.merchant_id, '{DRIFT}', o.id, jsonb_build_object({_MACHINE}, 'since', f.since)
FROM outlets o JOIN (SELECT outlet_id, min(settled_at) AS since FROM fulfillments
    WHERE failure_code = 'PRICE_VERSION' AND settled_at > $2 - interval '1 day'
    GROUP BY outlet_id) f ON f.outlet_id = o.id
WHERE o.decommissioned_at IS NULL
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
        ended_at = CASE WHEN a.kind <> ALL (ARRAY{list(_UNSTEADY)}) THEN $1::timestamptz END
    WHERE a.ended_at IS NULL AND (a.back_since IS NULL) <> EXISTS (SELECT FROM wrong w
        WHERE (w.merchant_id, w.kind, w.subject) = (a.merchant_id, a.kind, a.subject)) RETURNING 1
), steady AS (
    UPDATE alerts a SET ended_at = $1 WHERE a.ended_at IS NULL AND a.back_since <= $6
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
        _LOOK, now, now - _span(context, "machine_silent_s"), context.windows.journal_full_percent,
        context.windows.restarts_an_hour, context.windows.weak_signal_dbm,
        now - _span(context, "machine_back_s"),
    )  # fmt: skip
    return changed


def _span(context: Context, window: str) -> timedelta:
    return context.windows.span(window)


def since_of(data: dict[str, object]) -> datetime | None:
    """When it began, as the row says."""
    found = data.get("since")
    return datetime.fromisoformat(str(found)) if found else None
