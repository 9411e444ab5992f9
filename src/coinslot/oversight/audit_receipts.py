"""The auditor's checks of fiscal receipts: each comes to its money, has an end before it, and none
is missing.

Each statement finds the rows that break the sentence that is its name."""

from collections.abc import Mapping

# One that could not be made has no lines, and says why. Of money that was held a part may be
# captured: the receipt that counts comes to that part, one that it replaced is void. The second
# receipt comes to what was handed over.
_SUMS = """
SELECT r.id, r.kind, r.amount_minor, s.total AS lines, m.money
FROM receipts r LEFT JOIN attempts a ON a.id = r.attempt_id
LEFT JOIN payments p ON p.id = a.payment_id LEFT JOIN refunds f ON f.id = r.refund_id
LEFT JOIN captures k ON k.account_id = a.account_id AND k.payment_id = p.id
    AND k.gateway_payment_id IN (a.reference, a.gateway_payment_id),
LATERAL (SELECT coalesce(sum((l->>'quantity')::bigint * (l->>'price')::bigint), 0)::bigint AS total
    FROM jsonb_array_elements(r.body->'lines') l) s,
LATERAL (SELECT CASE
    WHEN r.kind = 'refund' THEN f.amount_minor
    WHEN r.kind = 'closing' THEN
        (SELECT sum(amount_minor) FROM fulfillments u WHERE u.order_id = p.order_id
            AND u.settlement = 'fulfilled')
        + coalesce((SELECT sum(amount_minor) FROM order_extras x WHERE x.order_id = p.order_id
            AND x.settlement = 'fulfilled'), 0)
    WHEN p.capture_method <> 'manual' THEN p.amount_minor
    WHEN k.id IS NULL OR r.state IN ('void', 'refused') THEN least(r.amount_minor, p.amount_minor)
    ELSE k.captured END::bigint AS money) m
WHERE r.amount_minor IS DISTINCT FROM m.money
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

# Of an order that was paid for in advance and handed over.
_NOT_CLOSED = """
SELECT r.id, c.order_id FROM receipts r JOIN attempts a ON a.id = r.attempt_id
JOIN captures c ON c.account_id = a.account_id AND c.reason IS NULL
    AND c.gateway_payment_id IN (a.reference, a.gateway_payment_id)
JOIN orders o ON o.id = c.order_id AND o.state = 'completed'
WHERE r.kind = 'payment' AND r.replaces IS NULL AND r.closes_at IS NULL
    AND r.body->'lines' @> '[{"mode": "full_prepayment"}]'
    AND NOT EXISTS (SELECT FROM receipts n WHERE n.attempt_id = a.id AND n.kind = 'closing')
    AND EXISTS (SELECT FROM fulfillments f WHERE f.order_id = o.id AND f.settlement = 'fulfilled'
        AND f.amount_minor > 0)
"""

RECEIPTS: Mapping[str, str] = {
    "every_receipt_comes_to_its_money": _SUMS,
    "every_receipt_has_an_end": _ENDS,
    "every_refund_of_a_receipt_has_its_own": _MISSING,
    "what_was_paid_in_advance_has_a_second_receipt": _NOT_CLOSED,
}
