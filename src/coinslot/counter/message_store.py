"""The statements about messages to a counter's customers, by name."""

KEEP_CONTACT = """
INSERT INTO counter_contacts (order_id, merchant_id, phone, email, phone_digest, email_digest,
    network, language)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

# Beside the phone and the address of the same order, where there are any.
KEEP_PUSH = """
INSERT INTO counter_contacts (order_id, merchant_id, push, network, language)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT (order_id) DO UPDATE SET push = $3
"""

CONSENT = """
INSERT INTO counter_consents (merchant_id, order_id, form, address, text_version, language,
    network, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

TELL = "SELECT counter_tell($1, $2, $3, $4)"

# What a message of an order is written from, as it is now.
TOLD = """
SELECT o.id, o.number, o.token, o.state, o.amount_minor, o.currency::text, o.paid_at,
    k.phone, k.email, k.push, k.language, c.code_version, c.code_from, c.outlet_id,
    u.name AS outlet_name, coalesce(u.zone, m.zone) AS zone, m.name AS merchant_name,
    s.phone_prefixes, s.outlet_messages, s.phone_messages,
    (SELECT array_agg(DISTINCT f.state) FROM fulfillments f WHERE f.order_id = o.id
        AND f.settlement IS NULL) AS open,
    EXISTS (SELECT FROM fulfillments f WHERE f.order_id = o.id
        AND f.settlement = 'fulfilled') AS some_handed_over
FROM orders o JOIN counter_orders c ON c.order_id = o.id
JOIN counter_stores s ON s.outlet_id = o.outlet_id JOIN outlets u ON u.id = o.outlet_id
JOIN merchants m ON m.id = o.merchant_id LEFT JOIN counter_contacts k ON k.order_id = o.id
WHERE o.id = $1
"""

# The same of a search: the newest order of that phone or address says where to write.
HISTORY_TOLD = """
SELECT l.id, '' AS number, s.slug AS token, l.expires_at, u.currency::text, k.phone, k.email,
    NULL::text AS push, k.language, 0 AS code_version, u.name AS outlet_name, s.phone_prefixes,
    s.outlet_messages, s.phone_messages, NULL::text[] AS open, false AS some_handed_over
FROM counter_lookups l JOIN outlets u ON u.id = l.outlet_id
JOIN counter_stores s ON s.outlet_id = l.outlet_id
JOIN LATERAL (SELECT * FROM counter_contacts c
    WHERE l.digest = CASE l.form WHEN 'sms' THEN c.phone_digest ELSE c.email_digest END
    ORDER BY c.order_id DESC LIMIT 1) k ON true
WHERE l.id = $1
"""

# The same of a call to the counter itself: its own phone, in its merchant's language.
ALARM_TOLD = """
SELECT o.id, o.number, o.token, o.currency::text, s.alarm_phone AS phone, NULL::text AS email,
    NULL::text AS push, coalesce(m.languages[1], 'en') AS language, 0 AS code_version,
    u.name AS outlet_name, true AS some_handed_over,
    (SELECT array_agg(DISTINCT f.state) FROM fulfillments f WHERE f.order_id = o.id
        AND f.settlement IS NULL) AS open
FROM orders o JOIN counter_stores s ON s.outlet_id = o.outlet_id
JOIN outlets u ON u.id = o.outlet_id JOIN merchants m ON m.id = o.merchant_id WHERE o.id = $1
"""

RECEIPT_LINES = """
SELECT l.name, l.quantity, l.price_minor, l.quantity * l.price_minor
    - coalesce((SELECT sum(paid)::bigint FROM unnest(l.unit_minor) paid),
        l.quantity * l.price_minor) AS off_minor
FROM order_lines l WHERE l.order_id = $1 ORDER BY l.id
"""

RECEIPT_EXTRAS = "SELECT kind, amount_minor FROM order_extras WHERE order_id = $1 ORDER BY kind"

# One sender after the other counts what a merchant has sent: the lock ends with the transaction.
LINE_UP = "SELECT pg_advisory_xact_lock(hashtextextended('counter messages ' || $1, 0))"

# What was begun lately: of this phone, network, outlet and merchant, and what it cost or may cost.
# `$7` is what a message of unknown price counts as.
SPENT = """
SELECT count(*) FILTER (WHERE phone_digest = $2 AND begun_at > $5) AS phone,
    count(*) FILTER (WHERE network = $3 AND network <> '' AND begun_at > $5) AS network,
    count(*) FILTER (WHERE outlet_id = $4 AND begun_at > $6) AS outlet,
    coalesce(sum(coalesce(price, $7)) FILTER (WHERE begun_at > $5), 0) AS money
FROM counter_messages
WHERE begun_at > least($5::timestamptz, $6) AND form IN ('sms', 'call') AND id <> $1
"""

OPTED_OUT = """
SELECT EXISTS (SELECT FROM message_opt_outs WHERE phone_digest = ANY ($1)
    AND ended_at IS NULL)
"""

OPT_OUT = """
INSERT INTO message_opt_outs (phone_digest, since, told_by) VALUES ($1, $2, $3)
ON CONFLICT (phone_digest) DO UPDATE SET since = $2, told_by = $3, ended_at = NULL
    WHERE message_opt_outs.ended_at IS NOT NULL
"""

OPT_IN = """
UPDATE message_opt_outs SET ended_at = $2 WHERE phone_digest = $1 AND ended_at IS NULL
"""

WITHHOLD = """
UPDATE counter_messages SET stage = 'withheld', why = $3, ended_at = $4, due_at = NULL,
    leased_until = NULL
WHERE id = $1 AND lease = $2 AND stage = 'due'
"""

# Committed before the service is called.
BEGIN = """
UPDATE counter_messages SET stage = 'sending', begun_at = $3, tries = tries + 1, looks = 0,
    due_at = $4, all_of_it = $5
WHERE id = $1 AND lease = $2 AND stage = 'due' RETURNING *
"""

# Provably not sent: later again.
NOT_SENT = """
UPDATE counter_messages SET stage = 'due', begun_at = NULL, why = $2, error_code = $3, due_at = $4,
    leased_until = NULL
WHERE id = $1 AND stage IN ('sending', 'unconfirmed') AND reference IS NULL
"""

FAILED = """
UPDATE counter_messages SET stage = 'failed', why = $2, error_code = $3, ended_at = $4,
    due_at = NULL, leased_until = NULL
WHERE id = $1 AND stage IN ('due', 'sending', 'unconfirmed') AND reference IS NULL
"""

UNCONFIRMED = """
UPDATE counter_messages SET stage = 'unconfirmed', why = $2, looks = looks + 1, due_at = $3,
    ended_at = $4, leased_until = NULL
WHERE id = $1 AND stage IN ('sending', 'unconfirmed') AND reference IS NULL
"""

KNOWN_REFERENCES = "SELECT reference FROM counter_messages WHERE reference = ANY ($1)"

ANOTHER_IN_DOUBT = """
SELECT EXISTS (SELECT FROM counter_messages WHERE phone_digest = $2 AND form = 'call' AND id <> $1
    AND stage IN ('sending', 'unconfirmed') AND ended_at IS NULL)
"""

ONE = "SELECT * FROM counter_messages WHERE id = $1"

HOLD = "SELECT * FROM counter_messages WHERE id = $1 FOR NO KEY UPDATE"

# What the service said of it: its own id, how far it came, its price.
REPORTED = """
UPDATE counter_messages SET reference = $2, stage = $3, error_code = coalesce($4, error_code),
    why = CASE WHEN $3 = 'failed' THEN coalesce($5, why, 'not delivered') ELSE NULL END,
    price = coalesce($6, price), price_currency = coalesce($7, price_currency),
    ended_at = coalesce(ended_at, $8), due_at = $9, looks = $10, proved = proved OR $11,
    leased_until = NULL
WHERE id = $1
"""

OWNER = "SELECT merchant_id FROM counter_messages WHERE id = $1"

# For the order's page: the newest of each form.
OF_ORDER = """
SELECT DISTINCT ON (m.form) m.form, m.stage, m.why, k.phone, k.email
FROM counter_messages m LEFT JOIN counter_contacts k ON k.order_id = m.order_id
WHERE m.order_id = $1 AND m.why IS DISTINCT FROM 'over' AND m.purpose <> 'alarm'
ORDER BY m.form, m.created_at DESC, m.id DESC
"""

# The newest code that was sent counts, asked for or not.
RESENDS = """
SELECT (SELECT count(*) FROM counter_messages m WHERE m.order_id = o.order_id
        AND m.dedup LIKE '%.code.again.%') AS times,
    (SELECT max(m.created_at) FROM counter_messages m WHERE m.order_id = o.order_id
        AND m.form = 'sms') AS last,
    k.phone, EXISTS (SELECT FROM fulfillments f WHERE f.order_id = o.order_id
        AND f.settlement IS NULL) AS open
FROM counter_orders o LEFT JOIN counter_contacts k USING (order_id) WHERE o.order_id = $1
"""

RESENT = """
SELECT count(*) FROM counter_messages WHERE order_id = $1 AND dedup LIKE '%.code.again.%'
"""

HOLD_CODE = "SELECT FROM counter_orders WHERE order_id = $1 FOR NO KEY UPDATE"

PROVED_READY = """
SELECT EXISTS (SELECT FROM counter_messages WHERE order_id = $1 AND purpose = 'ready' AND proved
    AND created_at >= $2)
"""
