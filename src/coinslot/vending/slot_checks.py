"""What the auditor asks about the stock of slots: the fourth book, beside the gateway's, what fell,
and ours. It is computed again from the counts and the units, without the functions that keep it."""

from collections.abc import Mapping
from types import MappingProxyType

_STOCK = """
SELECT s.outlet_id, s.slot, s.counted, s.stock, l.left_since
FROM slots s, LATERAL (SELECT count(*) AS left_since FROM slot_vends v
    WHERE v.outlet_id = s.outlet_id AND v.slot = s.slot AND v.word <> 'did_not'
        AND v.number > s.counted_vend
        AND (s.counted_journal IS NULL
            OR (v.journal_id = s.counted_journal AND v.event_seq > s.counted_event)
            OR ((v.journal_id IS DISTINCT FROM s.counted_journal OR v.event_seq IS NULL)
                AND v.sent_at > s.counted_at))) l
WHERE s.counted IS NOT NULL AND s.stock <> greatest(s.counted - l.left_since, 0)
"""

# Both ways: what was sold has left a slot of its machine, and what left without being sold has the
# machine's word for it.
_VENDS = """
SELECT f.id, f.settlement, f.basis, s.word FROM fulfillments f JOIN vend_units v ON v.id = f.id
LEFT JOIN slot_vends s ON s.unit_id = f.id
WHERE f.settlement = 'fulfilled' AND (s.word IS DISTINCT FROM 'fell'
    OR (s.merchant_id, s.outlet_id) IS DISTINCT FROM (f.merchant_id, f.outlet_id))
UNION ALL
SELECT f.id, f.settlement, f.basis, s.word FROM slot_vends s JOIN fulfillments f ON f.id = s.unit_id
WHERE f.settlement IS DISTINCT FROM 'fulfilled' AND (f.sent_at IS NULL
    OR s.word = 'may_have' AND f.basis IS DISTINCT FROM 'policy'
    OR s.word = 'fell' AND NOT EXISTS (SELECT FROM events e WHERE e.subject_id = f.id
        AND e.event = 'VENDED'))
"""

SLOT_CHECKS: Mapping[str, str] = MappingProxyType(
    {
        "a_slot_holds_its_count_less_what_left_since": _STOCK,
        "every_unit_that_fell_left_a_slot": _VENDS,
    }
)
