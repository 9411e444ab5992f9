"""The statements of this room, by name: oversight."""

QUEUES_OUT_OF_DATE = "SELECT merchant_id FROM queues_out_of_date($1) AS merchant_id"

CLOSE_CASE = "SELECT close_case($1, $2, $3, $4, $5)"

REFUND_CASE = "SELECT refund_case($1, $2, $3, $4)"

CASES = "SELECT * FROM cases WHERE $1 OR closed_at IS NULL ORDER BY opened_at, id"

CASES_OF_MERCHANT = """
SELECT k.*, count(*) OVER () AS total FROM cases k
WHERE closed_at IS NULL AND ($1::bigint IS NULL OR id = $1) ORDER BY opened_at, id LIMIT $2
"""

OPEN_CASES = "SELECT kind, count(*) FROM cases WHERE closed_at IS NULL GROUP BY kind"

ACCOUNTS_TRIED = "SELECT DISTINCT account_id FROM attempts WHERE payment_id = $1"

REFUNDS_ENDED = """
SELECT gateway_refund_id, state FROM refunds
WHERE account_id = $1 AND gateway_refund_id = ANY ($2) AND state IN ('succeeded', 'failed')
"""

NOTE_SETTLED = "SELECT note_settled_lines(a, $2, $3) FROM gateway_accounts a WHERE a.id = $1"

CAPTURES_TO_COMPARE = """
SELECT id, gateway_payment_id AS name FROM captures c WHERE account_id = $1
AND ((captured_at >= $2 AND captured_at < $3) OR gateway_payment_id = ANY ($4)
    OR EXISTS (SELECT FROM cases k WHERE k.subject = c.id::text AND k.source = 'books'
        AND k.closed_at IS NULL)
    OR (settled_at IS NULL AND foreign_amount = 0 AND captured_at < $5
        AND captured_at >= $5 - interval '2 days'))
"""

KEEP_BREAKS = """
SELECT k.* FROM gateway_accounts a, keep_breaks(a, $2, $3, $4, $5) k WHERE a.id = $1
"""

TAKE_DAY = "SELECT take_day(a, $2, $3) FROM gateway_accounts a WHERE a.id = $1"

# Zones are read in Python alone: the database's list may be of another year.
ACCOUNTS_AND_ZONES = """
SELECT a.id, a.created_at, m.zone FROM gateway_accounts a JOIN merchants m ON m.id = a.merchant_id
"""

# From the day after the last one without a hole, and none before there was this account.
DAYS_DUE = """
SELECT a.id AS account_id, d::date AS day
FROM unnest($1::uuid[], $2::date[], $3::date[]) AS a (id, first, last),
    generate_series(greatest(a.last - $4::integer + 1, least(a.last,
        (SELECT min(day) FROM reconciliations r WHERE r.account_id = a.id)),
        a.first), a.last, interval '1 day') AS d
WHERE NOT EXISTS (SELECT FROM reconciliations r WHERE r.account_id = a.id AND r.day = d::date
    AND (r.done_at IS NOT NULL OR r.leased_until > clock_timestamp()))
ORDER BY d, a.id
"""

COMPARED_THROUGH = """
SELECT through FROM reconciliations WHERE account_id = $1 AND day = $2::date - 1
AND done_at IS NOT NULL
"""

DAY_COMPARED = """
UPDATE reconciliations SET found = $3, breaks = $4, failure = $5,
    done_at = CASE WHEN $5::text IS NULL THEN $6::timestamptz END, through = $7
WHERE account_id = $1 AND day = $2 AND tries = $8 RETURNING true
"""

HOLD_DAY = """
UPDATE reconciliations SET leased_until = clock_timestamp() + $4::interval
WHERE account_id = $1 AND day = $2 AND tries = $3 AND done_at IS NULL RETURNING true
"""

LET_DAY_GO = """
UPDATE reconciliations SET leased_until = NULL
WHERE account_id = $1 AND day = $2 AND tries = $3 AND done_at IS NULL
"""

# What is owed now: goods or money of paid units, and money on its way back.
UNSETTLED_UNITS = """
SELECT currency::text, count(*), sum(amount_minor)::bigint AS minor, min(queued_at) AS oldest
FROM fulfillments WHERE settlement IS NULL GROUP BY currency ORDER BY currency
"""

GOING_BACK = """
SELECT currency::text, count(*), sum(amount_minor)::bigint AS minor, min(created_at) AS oldest
FROM refunds WHERE state = 'pending' AND due_at IS NOT NULL GROUP BY currency ORDER BY currency
"""

# Ids begin with the moment at which they were made: the day is found by the primary key.
SOLD = """
SELECT currency::text, count(*), sum(amount_minor)::bigint AS minor,
    count(*) FILTER (WHERE state = 'failed') AS failed
FROM orders WHERE id >= $1 AND paid_at >= $2 GROUP BY currency ORDER BY currency
"""

GAVE_BACK = """
SELECT currency::text, count(*), sum(amount_minor)::bigint AS minor
FROM refunds WHERE id >= $1 AND state <> 'failed' GROUP BY currency ORDER BY currency
"""

PAID_TO_SETTLED = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM settled_at - queued_at)),
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM settled_at - queued_at))
FROM fulfillments WHERE id >= $1 AND settled_at IS NOT NULL
"""

MACHINES_NOW = """
SELECT count(*) AS total, count(*) FILTER (WHERE d.last_seen_at >= $1) AS online,
    (SELECT count(*) FROM slots s JOIN outlets x ON x.id = s.outlet_id
        WHERE x.decommissioned_at IS NULL AND s.stock = 0) AS sold_out,
    (SELECT count(*) FROM slots s JOIN outlets x ON x.id = s.outlet_id
        WHERE x.decommissioned_at IS NULL AND s.out_of_sale_at IS NOT NULL) AS out_of_sale
FROM outlets o LEFT JOIN devices d ON d.outlet_id = o.id
WHERE o.decommissioned_at IS NULL AND o.kind <> 'counter'
"""

PROOF_OF_ORDER = """
WITH captured AS (SELECT id FROM captures WHERE order_id = $1),
    units AS (SELECT id FROM fulfillments WHERE order_id = $1),
    paying AS (SELECT id FROM payments WHERE order_id = $1),
    subjects AS (
        SELECT $1::uuid AS id UNION SELECT id FROM captured UNION SELECT id FROM units
        UNION SELECT id FROM paying
        UNION SELECT id FROM attempts WHERE payment_id IN (SELECT id FROM paying)
        UNION SELECT id FROM refunds WHERE capture_id IN (SELECT id FROM captured)
        UNION SELECT id FROM order_refunds WHERE order_id = $1)
SELECT at, machine AS of, event, was, state, data, 0 AS place, seq FROM events
WHERE subject_id IN (SELECT id FROM subjects)
UNION ALL
SELECT at, 'machine', message->>'type', NULL, NULL, message, 1, event_seq FROM device_events
WHERE unit_id IN (SELECT id FROM units)
ORDER BY at, place, seq LIMIT 500
"""

DAYS_NOT_SUMMED = """
SELECT w.* FROM jsonb_to_recordset($1) AS w (day date, begun timestamptz, ended timestamptz)
WHERE NOT EXISTS (SELECT FROM summed_days s
    WHERE (s.day, s.begun, s.ended) = (w.day, w.begun, w.ended)) ORDER BY w.day
"""

SUM_DAY = "SELECT sum_day($1, $2, $3, $4)"

# By day and account, over the machines that are asked for.
MONEY_BY_DAY = """
SELECT m.day, m.account_id, a.gateway, a.slug, m.currency, sum(m.captured)::bigint AS captured,
    sum(m.given_back)::bigint AS given_back, sum(m.fees)::bigint AS fees,
    sum(m.goods)::bigint AS goods, sum(m.owed)::bigint AS owed,
    sum(m.not_ours)::bigint AS not_ours, sum(m.outside)::bigint AS outside
FROM money_of_days($1) m JOIN gateway_accounts a ON a.id = m.account_id
WHERE ($2::uuid IS NULL OR m.account_id = $2) AND ($3::text IS NULL OR m.outlet_id = $3)
GROUP BY m.day, m.account_id, a.gateway, a.slug, m.currency
ORDER BY m.day DESC, a.gateway, a.slug, m.currency
"""

# Each named by what the nightly comparison found, on the day when what it is about began.
BREAKS_BY_DAY = """
SELECT w.day, a.id AS account_id, k.id, k.kind, k.amount_minor, k.currency::text AS currency,
    k.data->>'order' AS order_id
FROM cases k JOIN gateway_accounts a ON a.gateway = k.data->>'gateway'
        AND a.slug = k.data->>'account'
    JOIN jsonb_to_recordset($1) AS w (day date, begun timestamptz, ended timestamptz)
        ON k.since >= w.begun AND k.since < w.ended
WHERE k.closed_at IS NULL AND k.source = 'books' AND ($2::uuid IS NULL OR a.id = $2)
    AND ($3::text IS NULL OR EXISTS (SELECT FROM orders o WHERE o.id::text = k.data->>'order'
        AND o.outlet_id = $3))
ORDER BY k.since, k.id LIMIT 200
"""

# Days of accounts that are not compared: the gateway did not answer, or it is not their turn yet.
NOT_COMPARED = """
SELECT r.day, r.account_id, r.failure FROM reconciliations r
WHERE r.done_at IS NULL AND r.day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR r.account_id = $3)
"""

PAID_OUT_BY_DAY = """
SELECT w.day, c.account_id, c.currency::text AS currency,
    sum(c.captured - coalesce(c.fee_minor, 0))::bigint AS paid_out
FROM jsonb_to_recordset($1) AS w (day date, begun timestamptz, ended timestamptz)
    CROSS JOIN gateway_accounts a JOIN captures c ON c.account_id = a.id
        AND c.settled_at >= w.begun AND c.settled_at < w.ended AND c.settled_at IS NOT NULL
WHERE ($2::uuid IS NULL OR a.id = $2) AND ($3::text IS NULL OR EXISTS (SELECT FROM orders o
    WHERE o.id = c.order_id AND o.outlet_id = $3))
GROUP BY 1, 2, 3
"""

UNITS_BY_DAY = """
SELECT u.day, u.outlet_id, u.sku, u.currency, u.sold, u.sold_minor, u.failed, u.failed_minor,
    u.waits
FROM units_of_days($1) u WHERE ($2::text IS NULL OR u.outlet_id = $2)
    AND ($3::text IS NULL OR u.sku = $3)
"""

FILTER_CHOICES = """
SELECT (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', gateway || ' ' || slug)
            ORDER BY gateway, slug), '[]') FROM gateway_accounts) AS accounts,
    (SELECT coalesce(jsonb_agg(id ORDER BY id), '[]') FROM outlets) AS outlets,
    (SELECT coalesce(jsonb_agg(jsonb_build_object('sku', sku, 'name', name) ORDER BY name), '[]')
        FROM products) AS products
"""

ACCOUNTS_OF_MERCHANT = """
SELECT id, gateway || ' ' || slug AS name,
    coalesce((SELECT min(currency::text) FROM outlets), 'XXX') AS currency
FROM gateway_accounts ORDER BY gateway, slug
"""

# Up to the last day that is compared of every account.
COMPARED_EVERYWHERE = """
SELECT CASE WHEN bool_and(d.day IS NOT NULL) THEN min(d.day) END
FROM gateway_accounts a LEFT JOIN LATERAL (SELECT max(day) AS day FROM reconciliations r
    WHERE r.account_id = a.id AND r.done_at IS NOT NULL) d ON true
WHERE $1::uuid IS NULL OR a.id = $1
"""
