"""The statements of this room, by name: oversight."""

QUEUES_OUT_OF_DATE = "SELECT merchant_id FROM queues_out_of_date($1) AS merchant_id"

CLOSE_CASE = "SELECT close_case($1, $2, $3, $4, $5)"

REFUND_CASE = "SELECT refund_case($1, $2, $3, $4)"

CASES = "SELECT * FROM cases WHERE $1 OR closed_at IS NULL ORDER BY opened_at, id"

CASES_OF_MERCHANT = """
SELECT k.*, count(*) OVER () AS total FROM cases k
WHERE closed_at IS NULL AND ($1::bigint IS NULL OR id = $1) ORDER BY opened_at, id LIMIT $2
"""

UNIT = "SELECT * FROM fulfillments WHERE id = $1"

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

# A test vend sells nothing: it is no unit of a customer's. Only units of nothing are looked up.
_OF_CUSTOMERS = """(f.amount_minor > 0
    OR NOT EXISTS (SELECT FROM orders o WHERE o.id = f.order_id AND o.source = 'test_vend'))"""

# What is owed now: goods or money of paid units, and money on its way back.
UNSETTLED_UNITS = f"""
SELECT currency::text, count(*), sum(amount_minor)::bigint AS minor, min(queued_at) AS oldest
FROM fulfillments f WHERE settlement IS NULL AND {_OF_CUSTOMERS}
GROUP BY currency ORDER BY currency
"""

GOING_BACK = """
SELECT currency::text, count(*), sum(amount_minor)::bigint AS minor, min(created_at) AS oldest
FROM refunds WHERE state = 'pending' AND due_at IS NOT NULL GROUP BY currency ORDER BY currency
"""

# Ids begin with the moment at which they were made: the day is found by the primary key.
SOLD = """
SELECT currency::text, count(*), sum(amount_minor)::bigint AS minor,
    count(*) FILTER (WHERE state = 'failed') AS failed
FROM orders WHERE id >= $1 AND paid_at >= $2 AND source <> 'test_vend'
GROUP BY currency ORDER BY currency
"""

GAVE_BACK = """
SELECT currency::text, count(*), sum(amount_minor)::bigint AS minor
FROM refunds WHERE id >= $1 AND state <> 'failed' GROUP BY currency ORDER BY currency
"""

PAID_TO_SETTLED = f"""
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM settled_at - queued_at)),
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM settled_at - queued_at))
FROM fulfillments f WHERE id >= $1 AND settled_at IS NOT NULL AND {_OF_CUSTOMERS}
"""

# Machines that report by themselves: a coffee machine is asked for when somebody orders.
MACHINES_NOW = """
SELECT count(*) AS total, count(*) FILTER (WHERE d.last_seen_at >= $1) AS online,
    (SELECT count(*) FROM slots s JOIN outlets x ON x.id = s.outlet_id
        WHERE x.decommissioned_at IS NULL AND s.stock = 0) AS sold_out,
    (SELECT count(*) FROM slots s JOIN outlets x ON x.id = s.outlet_id
        WHERE x.decommissioned_at IS NULL AND s.out_of_sale_at IS NOT NULL) AS out_of_sale
FROM outlets o LEFT JOIN devices d ON d.outlet_id = o.id
WHERE o.decommissioned_at IS NULL AND o.kind NOT IN ('counter', 'coffee')
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

DAYS_SUMMED = """
SELECT w.day FROM jsonb_to_recordset($1) AS w (day date, begun timestamptz, ended timestamptz)
WHERE EXISTS (SELECT FROM summed_days s
    WHERE (s.day, s.begun, s.ended) = (w.day, w.begun, w.ended))
"""

SUM_DAY = "SELECT sum_day($1, $2, $3, $4)"

# A statement whose filters are optional is planned for what is asked: after its fifth run it would
# get one plan for all, which reads every order to show fifty.
PLAN_FOR_VALUES = "SET LOCAL plan_cache_mode = force_custom_plan"

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
    AND ($3::text IS NULL OR EXISTS (SELECT FROM orders o
        WHERE o.id = (k.data->>'order')::uuid AND o.outlet_id = $3))
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
WHERE $2::uuid IS NULL OR a.id = $2 GROUP BY 1, 2, 3
"""

# Of one machine ($3): its orders first, each with its payments. Asked of every payment that was
# paid out in a month, whose it is, a page would take seconds.
PAID_OUT_OF_MACHINE = """
WITH paid AS MATERIALIZED (
    SELECT c.* FROM orders o CROSS JOIN LATERAL (
        SELECT k.account_id, k.currency::text AS currency, k.settled_at,
            k.captured - coalesce(k.fee_minor, 0) AS minor
        FROM captures k WHERE k.order_id = o.id AND k.settled_at IS NOT NULL OFFSET 0) c
    WHERE o.outlet_id = $3
)
SELECT w.day, p.account_id, p.currency, sum(p.minor)::bigint AS paid_out
FROM jsonb_to_recordset($1) AS w (day date, begun timestamptz, ended timestamptz)
    JOIN paid p ON p.settled_at >= w.begun AND p.settled_at < w.ended
WHERE $2::uuid IS NULL OR p.account_id = $2 GROUP BY 1, 2, 3
"""

_WAITS = ", ".join(f"sum(u.waits[{step}])::bigint" for step in range(1, 16))

# Each row is of a day, a machine or a product: the other two are null.
UNITS_BY_EACH = f"""
SELECT u.day, u.outlet_id, u.sku, u.currency, sum(u.sold)::bigint AS sold,
    sum(u.sold_minor)::bigint AS sold_minor, sum(u.failed)::bigint AS failed,
    sum(u.failed_minor)::bigint AS failed_minor, ARRAY[{_WAITS}] AS waits
FROM units_of_days($1) u WHERE ($2::text IS NULL OR u.outlet_id = $2)
    AND ($3::text IS NULL OR u.sku = $3)
GROUP BY GROUPING SETS ((u.day, u.currency), (u.outlet_id, u.currency), (u.sku, u.currency))
"""

SALES_BY_DAY = """
SELECT u.day, u.currency, sum(u.sold)::bigint AS sold, sum(u.sold_minor)::bigint AS sold_minor,
    sum(u.failed)::bigint AS failed, sum(u.failed_minor)::bigint AS failed_minor
FROM units_of_days($1) u GROUP BY u.day, u.currency
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

ASK_AUDIT = """
INSERT INTO audit_runs (asked_by, asked_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id
"""

AUDIT_RUNS = "SELECT * FROM audit_runs ORDER BY id DESC LIMIT $1"

TAKE_AUDIT = """
UPDATE audit_runs SET started_at = coalesce(started_at, $2), tries = tries + 1,
    leased_until = clock_timestamp() + $1::interval
WHERE id = (SELECT id FROM audit_runs WHERE ended_at IS NULL
    AND (leased_until IS NULL OR leased_until <= clock_timestamp()) FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, tries
"""

HOLD_AUDIT = """
UPDATE audit_runs SET leased_until = clock_timestamp() + $3::interval
WHERE id = $1 AND tries = $2 AND ended_at IS NULL
"""

END_AUDIT = """
UPDATE audit_runs SET ended_at = $3, ok = $4, report = $5, failure = $6, leased_until = NULL
WHERE id = $1 AND tries = $2 AND ended_at IS NULL
"""


def _owing(table: str, kind: str, since: str) -> str:
    return f"""
    SELECT '{table}' AS "table", {kind} AS kind, count(*) AS rows,
        count(*) FILTER (WHERE due_at <= $1) AS due,
        count(*) FILTER (WHERE leased_until > clock_timestamp()) AS in_work,
        min({since}) AS oldest, min(due_at) AS next_at
    FROM {table} WHERE due_at IS NOT NULL GROUP BY 2"""


OWED_ROWS = (
    "\n    UNION ALL".join(
        (
            _owing("orders", "state", "placed_at"),
            _owing("payments", "state", "created_at"),
            _owing("attempts", "state", "started_at"),
            _owing("captures", "'unmatched'", "captured_at"),
            _owing("fulfillments", "state", "queued_at"),
            _owing("refunds", "state", "created_at"),
            _owing("receipts", "state", "created_at"),
            _owing("inbox", "verdict", "received_at"),
            _owing("qr_codes", "stage", "created_at"),
            _owing("qr_polls", "'poll'", "due_at"),
            _owing("config_pushes", "'push'", "wanted_at"),
            _owing("deliveries", "'webhook'", "created_at"),
            _owing("notices", "channel", "created_at"),
            _owing("rollouts", "state", "created_at"),
            _owing("machine_updates", "state", "created_at"),
            _owing("counter_messages", "stage", "created_at"),
            _owing("counter_alarms", "'alarm'", "since"),
            _owing("counter_prints", "kind", "created_at"),
        )
    )
    + "\nORDER BY 1, 2"
)

# All of it in one value, so that it is of one moment.
EVIDENCE_OF_ORDER = """
WITH o AS (SELECT * FROM orders WHERE id = $1),
    cap AS (SELECT c.*, a.gateway, a.slug FROM captures c
        JOIN gateway_accounts a ON a.id = c.account_id WHERE c.order_id = $1),
    unit AS (SELECT f.*, l.name FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
        WHERE f.order_id = $1),
    pay AS (SELECT * FROM payments WHERE order_id = $1),
    try AS (SELECT * FROM attempts WHERE payment_id IN (SELECT id FROM pay)),
    back AS (SELECT * FROM refunds WHERE capture_id IN (SELECT id FROM cap)),
    subject AS (SELECT id FROM o UNION SELECT id FROM cap UNION SELECT id FROM unit
        UNION SELECT id FROM pay UNION SELECT id FROM try UNION SELECT id FROM back
        UNION SELECT id FROM order_refunds WHERE order_id = $1)
SELECT jsonb_build_object(
    'merchant', (SELECT jsonb_build_object('name', m.name, 'slug', m.slug) FROM merchants m
        WHERE m.id = o.merchant_id),
    'order', jsonb_build_object('id', o.id, 'number', o.number, 'state', o.state,
        'outlet', o.outlet_id, 'amount', o.amount_minor, 'currency', o.currency,
        'placed_at', o.placed_at, 'paid_at', o.paid_at, 'ended_at', o.ended_at),
    'lines', (SELECT coalesce(jsonb_agg(jsonb_build_object('slot', l.slot, 'sku', l.sku,
        'name', l.name, 'quantity', l.quantity, 'price', l.price_minor) ORDER BY l.id), '[]')
        FROM order_lines l WHERE l.order_id = o.id),
    'units', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'name', u.name,
        'kind', u.kind, 'amount', u.amount_minor, 'state', u.state, 'settlement', u.settlement,
        'basis', u.basis, 'queued_at', u.queued_at, 'settled_at', u.settled_at) ORDER BY u.id),
        '[]') FROM unit u),
    'extras', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', x.kind,
        'amount', x.amount_minor, 'settlement', x.settlement, 'basis', x.basis) ORDER BY x.id),
        '[]') FROM order_extras x WHERE x.order_id = o.id),
    'payments', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'state', p.state,
        'amount', p.amount_minor) ORDER BY p.id), '[]') FROM pay p),
    'attempts', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'state', t.state,
        'payment', t.payment_id, 'gateway_payment_id', t.gateway_payment_id) ORDER BY t.id), '[]')
        FROM try t),
    'captures', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'gateway', c.gateway,
        'account', c.slug, 'gateway_payment_id', c.gateway_payment_id, 'captured', c.captured,
        'fulfilled', c.fulfilled, 'refund_due', c.refund_due, 'goodwill', c.goodwill,
        'surplus', c.surplus,
        'foreign_amount', c.foreign_amount, 'open', c.open, 'fee', c.fee_minor,
        'reason', c.reason, 'captured_at', c.captured_at) ORDER BY c.id), '[]') FROM cap c),
    'refunds', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'state', r.state,
        'origin', r.origin, 'amount', r.amount_minor, 'reason', r.reason,
        'gateway_refund_id', r.gateway_refund_id, 'created_at', r.created_at,
        'ended_at', r.ended_at) ORDER BY r.id), '[]') FROM back r),
    'ledger', (SELECT coalesce(jsonb_agg(jsonb_build_object('txn', l.txn, 'capture', l.capture_id,
        'account', l.account, 'amount', l.amount, 'why', l.why, 'at', l.at) ORDER BY l.id), '[]')
        FROM ledger l WHERE l.capture_id IN (SELECT id FROM cap)),
    'record', (SELECT coalesce(jsonb_agg(jsonb_build_object('seq', e.seq::text, 'of', e.machine,
        'subject', e.subject_id, 'event', e.event, 'was', e.was, 'state', e.state, 'at', e.at,
        'data', e.data) ORDER BY e.seq), '[]') FROM events e
        WHERE e.subject_id IN (SELECT id FROM subject)),
    'journal', (SELECT coalesce(jsonb_agg(jsonb_build_object('seq', d.event_seq::text,
        'journal', d.journal_id, 'unit', d.unit_id, 'at', d.at, 'message', d.message)
        ORDER BY d.at, d.event_seq), '[]') FROM device_events d
        WHERE d.unit_id IN (SELECT id FROM unit))
) FROM o
"""
