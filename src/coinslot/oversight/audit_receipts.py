"""The auditor's checks of fiscal receipts: each comes to its money, has an end before it, and none
is missing.

Each statement finds the rows that break the sentence that is its name."""

from collections.abc import Mapping

# One that could not be made has no lines, and says why.
_SUMS = """
SELECT r.id, r.kind, r.amount_minor, s.total AS lines, coalesce(p.amount_minor, f.amount_minor)
    AS money
FROM receipts r LEFT JOIN attempts a ON a.id = r.attempt_id
LEFT JOIN payments p ON p.id = a.payment_id LEFT JOIN refunds f ON f.id = r.refund_id,
LATERAL (SELECT coalesce(sum((l->>'quantity')::bigint * (l->>'price')::bigint), 0)::bigint AS total
    FROM jsonb_array_elements(r.body->'lines') l) s
WHERE r.amount_minor IS DISTINCT FROM coalesce(p.amount_minor, f.amount_minor)
    OR r.currency <> coalesce(p.currency, f.currency)
    OR (s.total <> r.amount_minor
        AND NOT (r.body->'lines' = '[]' AND r.state NOT IN ('due', 'sent', 'overdue')))
"""

_ENDS = """
SELECT r.id, r.state, r.due_at, r.late_at, r.ended_at FROM receipts r
WHERE CASE WHEN r.state IN ('registered', 'void') THEN r.ended_at IS NULL
    WHEN r.state = 'refused' THEN r.ended_at IS NOT NULL
    ELSE r.due_at IS NULL OR (r.state <> 'overdue' AND r.late_at < $1) END
"""

# Of a payment that had one; or of the refund that it followed, where that was refused for it.
_MISSING = """
WITH RECURSIVE before AS (
    SELECT f.id AS refund_id, f.id, f.replaces FROM refunds f
    WHERE f.origin = 'ours' AND f.state = 'succeeded' AND f.gateway_refund_id IS NOT NULL
    UNION ALL SELECT b.refund_id, f.id, f.replaces FROM refunds f JOIN before b ON f.id = b.replaces
)
SELECT f.id, f.capture_id, f.amount_minor FROM refunds f JOIN captures c ON c.id = f.capture_id
WHERE EXISTS (SELECT FROM before b WHERE b.refund_id = f.id)
    AND EXISTS (SELECT FROM attempts a JOIN receipts r ON r.attempt_id = a.id
        WHERE a.payment_id = c.payment_id AND r.created_at <= f.created_at
            AND c.gateway_payment_id IN (a.gateway_payment_id, a.reference))
    AND NOT EXISTS (SELECT FROM before b JOIN receipts r ON r.refund_id = b.id
        WHERE b.refund_id = f.id)
"""

RECEIPTS: Mapping[str, str] = {
    "every_receipt_comes_to_its_money": _SUMS,
    "every_receipt_has_an_end": _ENDS,
    "every_refund_of_a_receipt_has_its_own": _MISSING,
}
