"""The statements about fiscal receipts, by name."""

OF_ATTEMPT = """
SELECT * FROM receipts WHERE attempt_id = $1 AND kind = 'payment' AND replaces IS NULL
"""

# The one that counts of the money itself.
NEWEST_OF_ATTEMPT = """
SELECT * FROM receipts r WHERE attempt_id = $1 AND kind = 'payment'
    AND NOT EXISTS (SELECT FROM receipts n WHERE n.replaces = r.id)
"""

CLOSING_OF_ATTEMPT = """
SELECT * FROM receipts WHERE attempt_id = $1 AND kind = 'closing' AND replaces IS NULL
"""

OF_REFUND = "SELECT * FROM receipts WHERE refund_id = $1 AND replaces IS NULL"

WRITE = """
INSERT INTO receipts (id, merchant_id, account_id, kind, attempt_id, refund_id, state,
    amount_minor, currency, body, contact, created_at, due_at)
VALUES ($1, $2, $3, $4, $5, $6, 'due', $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING
"""

CONTACT_OF_PAYMENT = """
SELECT coalesce(o.receipt_contact, p.receipt_contact)
FROM payments p LEFT JOIN orders o ON o.id = p.order_id WHERE p.id = $1
"""

# Where the receipt of its payment went, as long as that is known.
CONTACT_OF_REFUND = """
SELECT coalesce(
    (SELECT p.contact FROM receipts p JOIN attempts a ON a.id = p.attempt_id
        WHERE a.account_id = c.account_id AND p.contact IS NOT NULL
            AND (a.reference = c.gateway_payment_id OR a.gateway_payment_id = c.gateway_payment_id)
        ORDER BY p.created_at DESC LIMIT 1),
    (SELECT coalesce(o.receipt_contact, p.receipt_contact)
        FROM payments p LEFT JOIN orders o ON o.id = p.order_id WHERE p.id = c.payment_id))
FROM refunds r JOIN captures c ON c.id = r.capture_id WHERE r.id = $1
"""

PIECES = """
SELECT l.name, coalesce(l.unit_minor[piece], l.price_minor) AS minor, d.vat
FROM payments p JOIN order_lines l ON l.order_id = p.order_id
JOIN products d ON d.id = l.product_id, generate_series(1, l.quantity) AS piece
WHERE p.id = $1 ORDER BY l.id, piece
"""

EXTRAS = """
SELECT x.kind, x.amount_minor FROM payments p JOIN order_extras x ON x.order_id = p.order_id
WHERE p.id = $1 ORDER BY x.kind
"""

# With the receipt of the payment that was captured, where one was made.
PAID_BY_CAPTURE = """
SELECT c.captured, c.captured AS amount_minor, coalesce(c.payment_id, a.payment_id) AS payment_id,
    coalesce(p.description, '') AS description,
    (SELECT r.body FROM receipts r WHERE r.attempt_id = a.id AND r.kind = 'payment'
        AND NOT EXISTS (SELECT FROM receipts n WHERE n.replaces = r.id)) AS body
FROM captures c
LEFT JOIN LATERAL (SELECT * FROM attempts a WHERE a.account_id = c.account_id
    AND (a.reference = c.gateway_payment_id OR a.gateway_payment_id = c.gateway_payment_id)
    ORDER BY a.number DESC LIMIT 1) a ON true
LEFT JOIN payments p ON p.id = coalesce(c.payment_id, a.payment_id)
WHERE c.id = $1
"""

# The one thing that a refund is for, if it is for one.
GIVEN_BACK = """
SELECT l.name, f.amount_minor AS minor, f.settlement = 'fulfilled' AS handed_over FROM refunds r
LEFT JOIN order_refund_parts w ON w.id = r.part_id
JOIN fulfillments f ON f.id = coalesce(r.fulfillment_id, w.fulfillment_id)
JOIN order_lines l ON l.id = f.line_id WHERE r.id = $1
UNION ALL
SELECT x.kind, x.amount_minor, x.settlement = 'fulfilled' FROM refunds r
JOIN order_refund_parts w ON w.id = r.part_id
JOIN order_extras x ON x.id = w.extra_id WHERE r.id = $1
LIMIT 1
"""

# Of this refund, or of one that it follows.
RECEIPT_WAS_REFUSED = """
WITH RECURSIVE before AS (
    SELECT id, replaces FROM refunds WHERE id = $1
    UNION ALL SELECT f.id, f.replaces FROM refunds f JOIN before b ON f.id = b.replaces
)
SELECT EXISTS (SELECT FROM receipts r JOIN before b ON b.id = r.refund_id
    WHERE r.state = 'refused' OR EXISTS (SELECT FROM receipts n WHERE n.replaces = r.id))
"""

WITH_MONEY = """
SELECT r.*, a.state AS attempt_state, f.state AS refund_state, f.gateway_refund_id,
    f.covered_by IS NOT NULL OR EXISTS (SELECT FROM events e WHERE e.subject_id = f.id
        AND e.machine = 'refund' AND e.event = 'COVERED') AS covered,
    coalesce(a.gateway_payment_id, a.reference, c.gateway_payment_id) AS gateway_payment_id,
    (SELECT k.captured FROM captures k WHERE k.account_id = r.account_id
        AND k.payment_id = a.payment_id
        AND k.gateway_payment_id IN (a.reference, a.gateway_payment_id)) AS captured,
    (SELECT n.state FROM receipts n WHERE n.attempt_id = r.attempt_id AND n.kind = 'payment'
        AND NOT EXISTS (SELECT FROM receipts o WHERE o.replaces = n.id)) AS first_state
FROM receipts r LEFT JOIN attempts a ON a.id = r.attempt_id
LEFT JOIN refunds f ON f.id = r.refund_id LEFT JOIN captures c ON c.id = f.capture_id
WHERE r.id = $1
"""

# The order that was paid by an attempt and has ended with goods.
ORDER_HANDED_OVER = """
SELECT c.order_id FROM attempts a JOIN captures c ON c.account_id = a.account_id
    AND c.gateway_payment_id IN (a.reference, a.gateway_payment_id)
JOIN orders o ON o.id = c.order_id AND o.state = 'completed'
WHERE a.id = $1 AND c.reason IS NULL
"""

HANDED_OVER = """
SELECT l.name, f.amount_minor AS minor FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
WHERE f.order_id = $1 AND f.settlement = 'fulfilled'
UNION ALL SELECT x.kind, x.amount_minor FROM order_extras x
WHERE x.order_id = $1 AND x.settlement = 'fulfilled'
"""

CLOSED = "UPDATE receipts SET closes_at = NULL WHERE id = $1"

# Nothing was done there: it may be sent again.
NOT_SENT = "UPDATE receipts SET sent_at = NULL WHERE id = $1 AND state IN ('due', 'overdue')"

AT_REST = "UPDATE receipts SET due_at = NULL, leased_until = NULL WHERE id = $1"

LOOKED_AT = """
UPDATE receipts SET tries = tries + 1, due_at = $2, late_at = coalesce(late_at, $3),
    gateway_receipt_id = coalesce($4, gateway_receipt_id), leased_until = NULL
WHERE id = $1 AND state IN ('due', 'sent', 'overdue')
"""

SEND = "UPDATE receipts SET sent_at = coalesce(sent_at, $2) WHERE id = $1"

LOCK = "SELECT state FROM receipts WHERE id = $1 FOR NO KEY UPDATE"

# The same sum, of the same payment, or of the refund by which the money went back in the end.
REPLACE = """
INSERT INTO receipts (id, merchant_id, account_id, kind, attempt_id, refund_id, replaces, state,
    amount_minor, currency, body, contact, made_by, created_at, due_at)
SELECT $1, merchant_id, account_id, kind, attempt_id, $3, id, 'due', amount_minor, currency, $4,
    coalesce($5, contact), $6, $7, $7
FROM receipts WHERE id = $2
"""

# Of less than was held, or of all of it again: it goes with the capture.
REPLACE_FOR_CAPTURE = """
INSERT INTO receipts (id, merchant_id, account_id, kind, attempt_id, replaces, state,
    amount_minor, currency, body, contact, created_at, due_at)
SELECT $1, merchant_id, account_id, kind, attempt_id, id, 'due', $3, currency, $4, contact, $5, $6
FROM receipts WHERE id = $2 RETURNING *
"""

REFUND_IN_THE_END = """
WITH RECURSIVE after AS (
    SELECT id, state, gateway_refund_id FROM refunds WHERE id = $1
    UNION ALL SELECT f.id, f.state, f.gateway_refund_id FROM refunds f JOIN after a
        ON f.replaces = a.id
)
SELECT id FROM after WHERE state = 'succeeded' AND gateway_refund_id IS NOT NULL LIMIT 1
"""

_SHOWN = """
SELECT r.*, g.gateway, g.slug, o.id AS order_id, o.number, f.gateway_refund_id,
    coalesce(a.gateway_payment_id, a.reference, c.gateway_payment_id) AS gateway_payment_id,
    (SELECT n.id FROM receipts n WHERE n.replaces = r.id) AS replaced_by,
    CASE r.kind WHEN 'refund' THEN c.id IS NOT NULL ELSE a.state = 'succeeded' END AS moved
FROM receipts r JOIN gateway_accounts g ON g.id = r.account_id
LEFT JOIN attempts a ON a.id = r.attempt_id
LEFT JOIN refunds f ON f.id = r.refund_id LEFT JOIN captures c ON c.id = f.capture_id
LEFT JOIN payments p ON p.id = coalesce(a.payment_id, c.payment_id)
LEFT JOIN orders o ON o.id = p.order_id
"""

ONE = f"{_SHOWN} WHERE r.id = $1"

OF_ORDER = f"{_SHOWN} WHERE o.id = $1 ORDER BY r.created_at, r.kind, r.id"

# What was never needed is not in the way of what was.
LISTED = f"""
{_SHOWN}
WHERE (CASE WHEN cardinality($1::text[]) = 0 THEN r.state <> 'void'
        ELSE r.state = ANY ($1::text[]) END)
    AND ($2::text IS NULL OR r.kind = $2)
    AND ($3::text IS NULL OR o.number = $3 OR f.gateway_refund_id = $3
        OR $3 IN (a.gateway_payment_id, a.reference, c.gateway_payment_id))
    AND ($4::uuid IS NULL OR (r.created_at, r.id) < (SELECT b.created_at, b.id FROM receipts b
        WHERE b.id = $4))
ORDER BY r.created_at DESC, r.id DESC LIMIT $5
"""

COUNTED = "SELECT state, count(*)::integer AS count FROM receipts GROUP BY state"
