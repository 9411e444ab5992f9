"""The statements of this room, by name: payments."""

TAKE_WEBHOOK = "SELECT take_webhook($1, $2, $3)"

TAKE_WEBHOOKS = "SELECT take_webhooks($1::jsonb[], $2::bytea[], $3::timestamptz[])"

WORK_INBOX = """
SELECT work_inbox(i.id, a, i.facts, $2, $3) FROM inbox i
JOIN gateway_accounts a ON a.id = i.account_id WHERE i.id = $1 AND i.worked_at IS NULL
"""

# If it was sent again while the gateway was asked, it is asked about once more; if a person closed
# it, it stays closed.
HINT_FOLLOWED = """
UPDATE inbox SET tries = tries + 1, failure = $2, leased_until = NULL,
    worked_at = CASE WHEN $2::text IS NULL THEN $3::timestamptz END,
    due_at = CASE WHEN $2::text IS NOT NULL
        THEN $3::timestamptz + inbox_pause(tries) END
WHERE id = $1 AND told = $4 AND worked_at IS NULL
"""

IS_KNOWN = "SELECT is_known($1, $2)"

# A parked refund of a payment that is not ours, on the gateway's evidence.
INBOX_FOREIGN = """
UPDATE inbox SET worked_at = $2, due_at = NULL, leased_until = NULL, failure = NULL
WHERE id = $1 AND worked_at IS NULL AND failure = 'refund_of_unknown'
"""

WORK_FACT = "SELECT work_found_of($1, $2, $3, $4, $5, $6)"

NOTE_SUM = "SELECT note_sum(a, $2, $3, $4, $5) FROM gateway_accounts a WHERE a.id = $1"

ATTEMPT_WITH_PAYMENT = """
SELECT a.*, p.amount_minor, p.currency, p.description, p.reference AS payment_reference,
    p.return_url, p.metadata, p.capture_method
FROM attempts a JOIN payments p ON p.id = a.payment_id WHERE a.id = $1
"""

# As ATTEMPT_WITH_PAYMENT shows it. It is recorded as sent, and leased to who began it.
BEGIN_ATTEMPT = """
WITH made AS (
    INSERT INTO attempts (id, merchant_id, payment_id, account_id, state, number, key, method,
        started_at, due_at, key_sent_at, sends, leased_until, lease)
    SELECT $1, $2, $3, $4, 'started', 1 + count(*), $5, $6, $7, $8, $7, 1,
        clock_timestamp() + $9::interval, $10
    FROM attempts WHERE payment_id = $3 RETURNING *
)
SELECT made.*, p.amount_minor, p.currency, p.description, p.reference AS payment_reference,
    p.return_url, p.metadata, p.capture_method
FROM made JOIN payments p ON p.id = made.payment_id
"""

ATTEMPT_AT_REST = "UPDATE attempts SET due_at = NULL, leased_until = NULL WHERE id = $1"

# Sending is recorded first, and only while the attempt is open.
SEND_ATTEMPT = """
UPDATE attempts SET key_sent_at = coalesce(key_sent_at, $2), sends = sends + 1
WHERE id = $1 AND state IN ('started', 'pending', 'unknown') RETURNING sends
"""

LOOKED_AT = """
UPDATE attempts SET tries = $2, due_at = $3, leased_until = NULL WHERE id = $1 AND state = 'pending'
"""

LOCK_SENDS = "SELECT sends FROM attempts WHERE id = $1 FOR NO KEY UPDATE"

WISH_ATTEMPT = """
UPDATE attempts SET wish = $2, wish_minor = $3::bigint, wish_key = $4, wish_sent_at = NULL,
    asked_minor = CASE WHEN $3 IS NULL THEN asked_minor ELSE asked_minor || $3::bigint END,
    tries = 0, due_at = $5, leased_until = NULL, lease = lease + 1
WHERE id = $1 RETURNING id
"""

WAYS_OFFERED = """
SELECT w.account_id, w.way, o.channel FROM ways_to_pay w
JOIN gateway_accounts a ON a.id = w.account_id JOIN outlets o ON o.id = w.outlet_id
WHERE w.outlet_id = $1 AND w.place IS NOT NULL AND a.disabled_at IS NULL
ORDER BY w.place, w.account_id, w.way
"""

WAYS_TO_PAY = """
SELECT account_id, way FROM ways_to_pay WHERE outlet_id = $1 AND place IS NOT NULL
ORDER BY place, account_id, way
"""

LOCK_OUTLET_ROW = "SELECT FROM outlets WHERE id = $1 FOR NO KEY UPDATE"

ADD_WAY = """
INSERT INTO ways_to_pay (merchant_id, outlet_id, account_id, way, place) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (outlet_id, account_id, way) DO UPDATE SET place = excluded.place
"""

SEND_WISH = "UPDATE attempts SET wish_sent_at = $2 WHERE id = $1"

IS_NEWEST_ATTEMPT = """
SELECT NOT EXISTS (SELECT FROM attempts b WHERE b.payment_id = a.payment_id AND b.number > a.number)
FROM attempts a WHERE a.id = $1
"""

OPEN_ATTEMPT = """
SELECT a.* FROM attempts a WHERE a.payment_id = $1 AND a.state IN ('started', 'pending', 'unknown')
ORDER BY a.number DESC LIMIT 1
"""

LOCK_PAYMENT_STATE = "SELECT state FROM payments WHERE id = $1 FOR NO KEY UPDATE"

# What we gave back of it, or are about to, whoever asked.
GIVEN_OF_PAYMENT = """
SELECT coalesce(sum(r.amount_minor), 0)::bigint FROM refunds r
JOIN captures c ON c.id = r.capture_id
WHERE c.payment_id = $1 AND c.reason IS NULL AND r.origin = 'ours' AND r.state <> 'failed'
"""

LEFT_TO_REFUND = "SELECT fulfilled FROM captures WHERE payment_id = $1 AND reason IS NULL"

ASK_REFUND = "SELECT ask_refund($1, $2, $3, $4)"

# What becomes of a refund is booked on its capture, whose row comes first.
LOCK_REFUND = """
WITH c AS MATERIALIZED (
    SELECT id, gateway_payment_id FROM captures
    WHERE id = (SELECT capture_id FROM refunds WHERE id = $1) FOR NO KEY UPDATE
)
SELECT r.*, c.gateway_payment_id, (SELECT coalesce(sum(o.amount_minor), 0)::bigint FROM refunds o
    WHERE o.capture_id = r.capture_id AND o.id <> r.id AND made_there(o)) AS others
FROM c JOIN refunds r ON r.capture_id = c.id
WHERE r.id = $1 FOR NO KEY UPDATE OF r
"""

IS_DISPUTED = "SELECT EXISTS (SELECT FROM disputes WHERE capture_id = $1 AND stage = 'open')"

HOLD_REFUND = """
UPDATE refunds SET due_at = $2, failure = $3, leased_until = NULL WHERE id = $1
"""

REFUND_WAITS = """
UPDATE refunds SET due_at = $2, tries = tries + 1, leased_until = NULL WHERE id = $1
"""

SEND_REFUND = "UPDATE refunds SET key_sent_at = $2, tries = tries + 1 WHERE id = $1"

# Another one of its capture is under way: what the gateway says went back may be of either.
ANOTHER_IS_SENT = """
SELECT EXISTS (SELECT FROM refunds o WHERE o.capture_id = $2 AND o.id <> $1
    AND o.origin = 'ours' AND o.state = 'pending' AND o.key_sent_at IS NOT NULL)
"""

# Those that waited for this one.
WAKE_REFUNDS = """
UPDATE refunds SET due_at = $3 WHERE capture_id = $2 AND id <> $1 AND state = 'pending'
    AND key_sent_at IS NULL AND due_at > $3
"""

LOCK_CAPTURE = "SELECT * FROM captures WHERE id = $1 FOR NO KEY UPDATE"

RETURN_CAPTURE = "SELECT return_capture($1, $2, $3)"

CLOSE_FOREIGN = "SELECT close_foreign($1, $2, $3)"

PUT_OFF_CAPTURE = """
UPDATE captures SET due_at = $2, tries = tries + 1, leased_until = NULL WHERE id = $1
"""

# Payments of which the gateway says that more went back than we have on record.
REFUNDED_MORE = """
SELECT c.gateway_payment_id FROM captures c
JOIN unnest($2::text[], $3::bigint[]) AS told (payment, back) ON told.payment = c.gateway_payment_id
WHERE c.account_id = $1 AND c.foreign_amount = 0 AND told.back > (
    SELECT coalesce(sum(r.amount_minor), 0) FROM refunds r WHERE r.capture_id = c.id
    AND r.gateway_refund_id IS NOT NULL AND r.reason <> 'disputed'
    AND r.state IN ('pending', 'succeeded'))
"""

QR_OPENED = """
UPDATE qr_codes SET stage = CASE WHEN retired_at IS NULL THEN 'open' ELSE 'closing' END,
    qr_code_id = $2, image_url = $3, short_url = $3,
    asked_at = CASE WHEN payment_id IS NULL THEN created_at END,
    due_at = CASE WHEN retired_at IS NOT NULL THEN $5::timestamptz
        WHEN payment_id IS NOT NULL THEN $4::timestamptz END,
    leased_until = NULL, tries = 0 WHERE id = $1 AND stage = 'wanted'
RETURNING payment_id IS NULL AND retired_at IS NULL AS printed
"""

QR_CLOSED = """
UPDATE qr_codes SET stage = 'closed', due_at = $2, leased_until = NULL WHERE id = $1
"""

# An open printed code is never due by itself: the poll of its account includes it.
QR_ASKED = """
UPDATE qr_codes SET asked_at = $2, tries = 0, leased_until = NULL,
    due_at = CASE WHEN stage <> 'open' OR payment_id IS NOT NULL OR retired_at IS NOT NULL
        THEN $3::timestamptz END
WHERE id = $1
"""

QR_PUT_OFF = """
UPDATE qr_codes SET tries = tries + 1, leased_until = NULL,
    due_at = CASE WHEN stage <> 'open' OR payment_id IS NOT NULL OR retired_at IS NOT NULL
        THEN $2::timestamptz END
WHERE id = $1
"""

# A code of this account is open from now on.
POLL_ACCOUNT = """
INSERT INTO qr_polls (id, merchant_id, asked_at, due_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET due_at = least(qr_polls.due_at, $4),
    asked_at = CASE WHEN qr_polls.due_at IS NULL THEN $3 ELSE qr_polls.asked_at END
"""

PRINTED_CODES = """
SELECT * FROM qr_codes WHERE account_id = $1 AND payment_id IS NULL AND stage = 'open'
    AND retired_at IS NULL ORDER BY asked_at LIMIT $2
"""

POLLED = """
UPDATE qr_polls SET asked_at = $2, due_at = $3, tries = 0, leased_until = NULL WHERE id = $1
"""

POLL_PUT_OFF = """
UPDATE qr_polls SET due_at = $2, tries = tries + 1, leased_until = NULL WHERE id = $1
"""

LOCK_PAYMENT = "SELECT * FROM payments WHERE id = $1 FOR NO KEY UPDATE"

PUT_OFF_PAYMENT = "UPDATE payments SET due_at = $2, leased_until = NULL WHERE id = $1"

KEEP_CASES = "SELECT * FROM keep_cases($1)"

CAPTURES_NAMED = """
SELECT id, gateway_payment_id AS name, fee_minor FROM captures
WHERE account_id = $1 AND gateway_payment_id = ANY ($2)
"""

# The code's amount is the price of the can, until somebody prints another.
PRINTED_AT_ANOTHER_PRICE = """
SELECT q.outlet_id, q.slot, q.amount_minor AS code_takes, s.price_minor AS slot_costs,
    q.currency::text, q.qr_code_id
FROM qr_codes q JOIN slots s ON s.outlet_id = q.outlet_id AND s.slot = q.slot
WHERE q.payment_id IS NULL AND q.retired_at IS NULL AND q.amount_minor <> s.price_minor
ORDER BY q.outlet_id, q.slot
"""
