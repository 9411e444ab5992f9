"""Every statement of the heart that is not a move, by name."""

TAKE_WEBHOOK = "SELECT take_webhook($1, $2, $3)"
TAKE_WEBHOOKS = "SELECT take_webhooks($1::jsonb[], $2::bytea[], $3::timestamptz[])"

WORK_INBOX = """
SELECT work_inbox(i.id, a, i.facts, $2, $3) FROM inbox i
JOIN gateway_accounts a ON a.id = i.account_id WHERE i.id = $1 AND i.worked_at IS NULL
"""

# Told again while it was asked about, it is asked about once more; ended by a person, it stays so.
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

WORK_FACT = "SELECT work_found(a, $2, $3, $4, $5) FROM gateway_accounts a WHERE a.id = $1"

NOTE_SUM = "SELECT note_sum(a, $2, $3, $4, $5) FROM gateway_accounts a WHERE a.id = $1"

# Payments of a merchant's own server.

ATTEMPT_WITH_PAYMENT = """
SELECT a.*, p.amount_minor, p.currency, p.description, p.reference AS payment_reference,
    p.return_url, p.metadata, p.capture_method
FROM attempts a JOIN payments p ON p.id = a.payment_id WHERE a.id = $1
"""

ATTEMPT_AT_REST = "UPDATE attempts SET due_at = NULL, leased_until = NULL WHERE id = $1"

# Whoever is about to send says so first, and only while the attempt is open.
SEND_ATTEMPT = """
UPDATE attempts SET key_sent_at = coalesce(key_sent_at, $2), sends = sends + 1
WHERE id = $1 AND state IN ('started', 'pending', 'unknown') RETURNING sends
"""

LOCK_SENDS = "SELECT sends FROM attempts WHERE id = $1 FOR NO KEY UPDATE"

WISH_ATTEMPT = """
UPDATE attempts SET wish = $2, wish_minor = $3::bigint, wish_key = $4, wish_sent_at = NULL,
    asked_minor = CASE WHEN $3 IS NULL THEN asked_minor ELSE asked_minor || $3::bigint END,
    tries = 0, due_at = $5, leased_until = NULL, lease = lease + 1
WHERE id = $1 RETURNING id
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

PRUNE_KEYS = "SELECT prune_keys($1, $2)"
PRUNE_DELIVERIES = "SELECT prune_deliveries($1, $2)"

LOCK_PAYMENT_STATE = "SELECT state FROM payments WHERE id = $1 FOR NO KEY UPDATE"

LEFT_TO_REFUND = "SELECT fulfilled FROM captures WHERE payment_id = $1 AND reason IS NULL"
ASK_REFUND = "SELECT ask_refund($1, $2, $3, $4)"

# Machines.

NEXT_UNIT = "SELECT * FROM next_unit($1, $2, $3)"
OFFER_UNIT = "SELECT offer_unit($1, $2, $3, $4)"

# A seq that no device can have come to is not believed: it would use the numbers up.
RAISE_SEQ = """
UPDATE devices SET
    next_seq = next_seq
        + CASE WHEN $2 - next_seq BETWEEN 0 AND 1000000 THEN $2 - next_seq + 1 ELSE 0 END,
    journal_id = $3, boot_id = $4,
    has_sensor = $5, firmware = $6, last_seen_at = $7 WHERE outlet_id = $1
"""

# What settles a unit books money on its capture, whose row comes first.
LOCK_UNIT = """
WITH c AS MATERIALIZED (
    SELECT id FROM captures WHERE id = (SELECT capture_id FROM fulfillments
        WHERE id = $1 AND outlet_id = $2) FOR NO KEY UPDATE
)
SELECT f.*, l.sku, o.channel, o.dialect, o.price_version, o.planogram_version,
    o.decommissioned_at, d.secret
FROM c JOIN fulfillments f ON f.capture_id = c.id
JOIN order_lines l ON l.id = f.line_id JOIN outlets o ON o.id = f.outlet_id
LEFT JOIN devices d ON d.outlet_id = f.outlet_id
WHERE f.id = $1 AND f.outlet_id = $2 FOR NO KEY UPDATE OF f
"""

UNIT_OF_ORDER = """
SELECT id FROM fulfillments WHERE outlet_id = $1 AND order_id = $2 AND go_at IS NOT NULL
ORDER BY settlement IS NOT NULL, queued_at LIMIT 1
"""

OPEN_UNITS_TO_ASK = """
SELECT id FROM fulfillments
WHERE outlet_id = $1 AND state IN ('going', 'started', 'in_doubt') AND journal_id IS NOT NULL
"""

KEEP_EVENT = "SELECT * FROM keep_event($1, $2, $3, $4, $5)"

MEET_JOURNAL = "SELECT meet_journal($1, $2, $3, $4, $5)"

# Each strange journal once for a unit, and so many in all: whoever has the machine's secret can
# invent them without end.
NOTE_STRANGE_JOURNAL = """
SELECT tell($1, 'fulfillment', $2, 'STRANGE_JOURNAL', jsonb_build_object('journal_id', $3::text),
    $4)
FROM (SELECT count(*) AS noted, count(*) FILTER (WHERE data->>'journal_id' = $3) AS this
    FROM events WHERE subject_id = $2 AND event = 'STRANGE_JOURNAL') s WHERE noted < 8 AND this = 0
"""

# No row when this nonce was answered so before.
KEEP_ANSWER = """
SELECT tell($1, 'fulfillment', $2, 'ANSWERED', $3, $4), true
WHERE NOT EXISTS (SELECT FROM events WHERE subject_id = $2 AND event = 'ANSWERED'
    AND data->>'nonce' = $3->>'nonce' AND data->>'state' = $3->>'state')
"""

OUTLET_OWNER = "SELECT merchant_id FROM outlets WHERE id = $1"

BEATS = """
WITH b AS (
    SELECT * FROM unnest($1::text[], $2::timestamptz[]) AS b (outlet_id, at)
), locked AS MATERIALIZED (
    SELECT d.outlet_id FROM devices d WHERE d.outlet_id = ANY ($1::text[])
    ORDER BY d.outlet_id FOR NO KEY UPDATE  -- two processes may have heard the same machines
)
UPDATE devices d SET last_seen_at = greatest(d.last_seen_at, b.at)
FROM b JOIN locked l ON l.outlet_id = b.outlet_id WHERE d.outlet_id = b.outlet_id
"""

# Outlets with something queued among those just heard of.
WAITING = """
SELECT DISTINCT f.merchant_id, f.outlet_id FROM fulfillments f
WHERE f.outlet_id = ANY($1) AND f.state = 'queued'
"""

PUT_OFF_UNIT = "UPDATE fulfillments SET due_at = $2, leased_until = NULL WHERE id = $1"

PUT_OFF_QUEUED = """
UPDATE fulfillments SET due_at = least($2, dispatch_by), leased_until = NULL
WHERE id = $1 AND state = 'queued'
"""

# How a machine is connected somewhere; no row when it was not heard since then.
ONLINE_BY = """
SELECT o.channel FROM outlets o JOIN devices d ON d.outlet_id = o.id
WHERE o.id = $1 AND d.last_seen_at >= $2
"""

TELL = "SELECT tell($1, $2, $3, $4, $5, $6)"

NOTE_UNIT_DISCREPANCY = """
SELECT note_discrepancy($2, c, f.id, NULL, f.amount_minor, $3)
FROM fulfillments f JOIN captures c ON c.id = f.capture_id WHERE f.id = $1
"""

# Money.

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

SEND_REFUND = "UPDATE refunds SET key_sent_at = $2, tries = tries + 1 WHERE id = $1"

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

# QR codes and orders.

LOCK_QR = "SELECT * FROM qr_codes WHERE id = $1 FOR NO KEY UPDATE"
QR_OPENED = """
UPDATE qr_codes SET stage = CASE WHEN retired_at IS NULL THEN 'open' ELSE 'closing' END,
    qr_code_id = $2, image_url = $3, short_url = $3,
    asked_at = CASE WHEN payment_id IS NULL THEN created_at END,
    due_at = CASE WHEN payment_id IS NOT NULL OR retired_at IS NOT NULL THEN $4::timestamptz END,
    leased_until = NULL, tries = 0 WHERE id = $1 AND stage = 'wanted'
RETURNING payment_id IS NULL AND retired_at IS NULL AS printed
"""
QR_CLOSED = """
UPDATE qr_codes SET stage = 'closed', due_at = $2, leased_until = NULL WHERE id = $1
"""
# A printed code that is open is never due by itself: its account's poll comes round to it.
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

PUT_OFF_ORDER = "UPDATE orders SET due_at = $2, leased_until = NULL WHERE id = $1"

QR_OF_ORDER = """
SELECT q.* FROM qr_codes q JOIN payments p ON p.id = q.payment_id WHERE p.order_id = $1
"""

# Placing an order. The slot's row is the lock under which what is left is counted.
LOCK_SLOT = """
SELECT s.*, p.sku, p.name, p.cost_minor, o.account_id, o.currency FROM slots s
JOIN products p ON p.id = s.product_id JOIN outlets o ON o.id = s.outlet_id
WHERE s.outlet_id = $1 AND s.slot = $2 FOR NO KEY UPDATE OF s
"""

# The outlet's row is the lock under which unpaid orders and codes are counted.
LOCK_OUTLET = "SELECT account_id FROM outlets WHERE id = $1 FOR NO KEY UPDATE"

# What is promised of a slot: units on their way. Unpaid orders hold nothing against who pays.
PROMISED = """
SELECT count(*) FROM fulfillments f
WHERE f.outlet_id = $1 AND f.slot = $2 AND f.settlement IS NULL
"""

UNPAID_ORDERS = """
SELECT count(*) FILTER (WHERE browser = $2) AS of_browser,
    count(*) FILTER (WHERE network = $3) AS of_network
FROM orders WHERE outlet_id = $1 AND state = 'placed' AND placed_at > $4
"""

HAS_PAID = "SELECT EXISTS (SELECT FROM orders WHERE browser = $1 AND paid_at IS NOT NULL)"

# A code counts in its minute even when it was paid at once; against its network only while unpaid.
CODES_OF_PAGES = """
SELECT q.make_at AS at, q.network, o.state IN ('placed', 'expired') AS unpaid
FROM qr_codes q JOIN payments p ON p.id = q.payment_id JOIN orders o ON o.id = p.order_id
WHERE q.outlet_id = $1 AND q.payment_id IS NOT NULL AND q.make_at > $2
"""

ORDER_TO_PAY = """
SELECT o.*, l.slot FROM orders o JOIN order_lines l ON l.order_id = o.id
WHERE o.token = $1 AND o.state = 'placed' AND o.expires_at > $2
    AND NOT EXISTS (SELECT FROM payments p WHERE p.order_id = o.id)
ORDER BY l.id LIMIT 1 FOR NO KEY UPDATE OF o
"""

# The window to pay begins with the code.
LAST_TO_PAY = "UPDATE orders SET expires_at = $2, due_at = $2 WHERE id = $1"

OWN_ORDERS = """
SELECT token FROM orders WHERE outlet_id = $1 AND browser = $2 AND placed_at > $3
ORDER BY placed_at DESC LIMIT 5
"""

# Pages.

OUTLET = """
SELECT o.*, m.name AS merchant_name, coalesce(o.zone, m.zone) AS zone_shown, d.last_seen_at,
    d.has_sensor
FROM outlets o JOIN merchants m ON m.id = o.merchant_id
LEFT JOIN devices d ON d.outlet_id = o.id WHERE o.id = $1
"""

SLOTS = """
SELECT s.slot, s.price_minor, s.stock, s.out_of_sale_at, p.name,
    (SELECT count(*) FROM fulfillments f WHERE f.outlet_id = s.outlet_id AND f.slot = s.slot
        AND f.settlement IS NULL) AS promised,
    (SELECT count(*) FROM qr_codes q JOIN payments y ON y.id = q.payment_id
        JOIN orders r ON r.id = y.order_id
        WHERE q.outlet_id = s.outlet_id AND q.slot = s.slot AND q.make_at > $2
        AND r.state = 'placed') AS being_paid
FROM slots s JOIN products p ON p.id = s.product_id WHERE s.outlet_id = $1 ORDER BY s.slot
"""

OTHERS = """
SELECT o.id, o.name, o.place FROM outlets o JOIN devices d ON d.outlet_id = o.id
WHERE o.id <> $1 AND o.decommissioned_at IS NULL AND d.last_seen_at > $2
AND EXISTS (SELECT FROM slots s WHERE s.outlet_id = o.id AND s.stock > 0
            AND s.out_of_sale_at IS NULL)
ORDER BY o.place = $3 DESC, o.id LIMIT 1
"""

# `version` grows with whatever the page shows: states of the order, its payment and code, units,
# refunds.
_VERSION = """
    o.version + coalesce(p.version, 0)
        + coalesce((SELECT sum(version) FROM fulfillments f WHERE f.order_id = o.id), 0)
        + coalesce((SELECT sum(r.version) FROM refunds r JOIN captures k ON k.id = r.capture_id
                    WHERE k.order_id = o.id), 0)
"""

ORDER_VERSIONS = f"""
SELECT o.token, {_VERSION} AS version
FROM orders o LEFT JOIN payments p ON p.order_id = o.id WHERE o.token = ANY($1::text[])
"""

ORDER_PAGE = f"""
SELECT o.*, u.name AS outlet_name, m.name AS merchant_name, u.contact,
    coalesce(u.zone, m.zone) AS zone,
    q.image_url, q.qr_code_id, q.stage AS qr_stage, q.make_at,
    c.gateway_payment_id,
    {_VERSION} AS seen_version
FROM orders o JOIN outlets u ON u.id = o.outlet_id JOIN merchants m ON m.id = o.merchant_id
LEFT JOIN payments p ON p.order_id = o.id
LEFT JOIN qr_codes q ON q.payment_id = p.id
LEFT JOIN captures c ON c.order_id = o.id AND c.reason IS NULL
WHERE o.token = $1
"""

ORDER_OWNER = "SELECT merchant_id FROM orders WHERE token = $1"

# Any number of pages of one order may ask at once, in any number of processes: one of them gets the
# row, and the pause begins before the question goes out.
PAGE_ASKS_GATEWAY = """
UPDATE qr_codes q SET page_asked_at = $2 FROM payments p JOIN orders o ON o.id = p.order_id
WHERE q.payment_id = p.id AND o.token = $1 AND o.state = 'placed'
    AND (q.page_asked_at IS NULL OR q.page_asked_at <= $2::timestamptz - $3::interval)
RETURNING q.*
"""

PAGE_ASKS_MACHINE = """
UPDATE fulfillments f SET page_asked_at = $2 FROM orders o
WHERE f.order_id = o.id AND o.token = $1 AND f.settlement IS NULL
    AND (f.lease_end IS NULL OR f.lease_end <= $2)
    AND (f.page_asked_at IS NULL OR f.page_asked_at <= $2::timestamptz - $3::interval)
RETURNING f.*
"""

ORDER_LINES = "SELECT * FROM order_lines WHERE order_id = $1 ORDER BY id"

ORDER_UNITS = """
SELECT f.*, l.name FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
WHERE f.order_id = $1 ORDER BY f.id
"""

ORDER_REFUNDS = """
SELECT r.* FROM refunds r JOIN captures c ON c.id = r.capture_id
WHERE c.order_id = $1 ORDER BY r.created_at, r.id
"""

FIND_BY_REFERENCE = """
SELECT o.token FROM captures c JOIN orders o ON o.id = c.order_id
WHERE o.outlet_id = $1 AND (c.payer_reference = $2 OR c.gateway_payment_id = $2)
ORDER BY c.captured_at DESC LIMIT 1
"""

FIND_ORDERS = """
SELECT token FROM orders WHERE outlet_id = $1 AND amount_minor = $2
AND EXISTS (SELECT FROM unnest($3::timestamptz[]) AS minute
    WHERE paid_at BETWEEN minute - interval '1 minute' AND minute + interval '2 minutes')
ORDER BY paid_at LIMIT 5
"""
