"""The statements of this room, by name: orders."""

OUTLET_OWNER = "SELECT merchant_id FROM outlets WHERE id = $1"

PUT_OFF_ORDER = "UPDATE orders SET due_at = $2, leased_until = NULL WHERE id = $1"

STILL_PLACED = "SELECT expires_at, ends_by FROM orders WHERE id = $1 AND state = 'placed'"

# The one attempt that an order's customer may pay now.
_LIVE = """
    a.way IS NOT NULL AND a.retired_at IS NULL AND a.state IN ('started', 'pending', 'unknown')
"""

OPEN_ATTEMPT_OF_ORDER = f"""
SELECT a.id FROM attempts a JOIN payments p ON p.id = a.payment_id
LEFT JOIN qr_codes q ON q.attempt_id = a.id
WHERE p.order_id = $1 AND {_LIVE} AND (q.id IS NULL OR q.stage = 'open')
ORDER BY a.number DESC LIMIT 1
"""

PLACE_ORDER = """
INSERT INTO orders (id, merchant_id, outlet_id, state, token, number, source, client_key,
    amount_minor, currency, placed_at, expires_at, due_at, browser, network, receipt_contact,
    ends_by, price_version, planogram_version)
SELECT $1, $2, o.id, 'placed', $4, $5, $13, $6, $7, $8, $9, $10, $10, $11, $12, $14, $15,
    o.price_version, o.planogram_version
FROM outlets o WHERE o.id = $3
"""

PLACE_LINE = """
INSERT INTO order_lines (id, merchant_id, order_id, product_id, slot, sku, name, quantity,
    price_minor, cost_minor, unit_minor, tax_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

PLACE_EXTRA = """
INSERT INTO order_extras (id, merchant_id, order_id, kind, amount_minor) VALUES ($1, $2, $3, $4, $5)
"""

OTHERS_WERE_FIRST = "SELECT others_were_first($1)"

DELIVERY_FAILED = "SELECT delivery_failed($1, $2)"

# Placing an order. The slot's row is the lock under which what is left is counted.
LOCK_SLOT = """
SELECT s.*, p.sku, p.name, p.cost_minor, o.currency, o.channel, o.dialect, d.has_sensor, d.mdb
FROM slots s JOIN products p ON p.id = s.product_id JOIN outlets o ON o.id = s.outlet_id
LEFT JOIN devices d ON d.outlet_id = o.id
WHERE s.outlet_id = $1 AND s.slot = $2 FOR NO KEY UPDATE OF s
"""

# The outlet's row is the lock under which unpaid orders and attempts to pay are counted.
# With what its merchant lets wait for a payment.
LOCK_OUTLET = """
SELECT (SELECT m.limits FROM merchants m WHERE m.id = o.merchant_id) AS limits
FROM outlets o WHERE o.id = $1 FOR NO KEY UPDATE OF o
"""

# What is promised of a slot: units that are not settled. Unpaid orders reserve nothing.
PROMISED = """
SELECT count(*) FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
WHERE f.outlet_id = $1 AND l.slot = $2 AND f.settlement IS NULL
"""

# Those that count for so long as their merchant wants, else for $5 seconds.
UNPAID_ORDERS = """
SELECT m.limits, count(o.id) FILTER (WHERE o.browser = $2) AS of_browser,
    count(o.id) FILTER (WHERE o.network = $3) AS of_network
FROM outlets u JOIN merchants m ON m.id = u.merchant_id
LEFT JOIN orders o ON o.outlet_id = u.id AND o.state = 'placed' AND o.paid_at IS NULL
    AND o.placed_at > $4::timestamptz
    - coalesce((m.limits->>'unpaid_s')::float8, $5) * interval '1 second'
WHERE u.id = $1 GROUP BY m.id
"""

HAS_PAID = """
SELECT EXISTS (SELECT FROM orders WHERE browser = $1 AND paid_at IS NOT NULL AND amount_minor > 0)
"""

# An attempt counts in its minute even when it was paid at once; against its network only while
# unpaid.
ATTEMPTS_OF_PAGES = """
SELECT a.make_at AS at, a.network, o.state IN ('placed', 'expired') AS unpaid
FROM attempts a JOIN payments p ON p.id = a.payment_id JOIN orders o ON o.id = p.order_id
WHERE a.outlet_id = $1 AND a.make_at > $2
"""

ORDER_TO_PAY = """
SELECT o.*, l.slot, l.name FROM orders o JOIN order_lines l ON l.order_id = o.id
WHERE o.token = $1 AND o.state = 'placed' AND o.expires_at > $2
ORDER BY l.id LIMIT 1 FOR NO KEY UPDATE OF o
"""

# With this key, or in this way and still open: then another tap shows that one.
BEGUN_BEFORE = f"""
SELECT EXISTS (SELECT FROM attempts a JOIN payments p ON p.id = a.payment_id
    WHERE p.order_id = $1 AND (a.page_key = $2
        OR (a.way = $3 AND a.account_id = $4 AND {_LIVE})))
"""

# The window to pay begins with the attempt, but for an outlet that does not wait so long.
LAST_TO_PAY = """
UPDATE orders SET expires_at = least($2, ends_by), due_at = least($2, ends_by) WHERE id = $1
"""

OWN_ORDERS = """
SELECT token FROM orders WHERE outlet_id = $1 AND browser = $2 AND placed_at > $3
ORDER BY placed_at DESC LIMIT 5
"""

_BRAND_OF = """
LEFT JOIN brands b ON b.merchant_id = m.id
LEFT JOIN pictures l ON l.merchant_id = b.merchant_id AND l.digest = b.logo
"""

# Whose page it is.
_BRAND = """
    coalesce(nullif(b.shown_name, ''), m.name) AS brand_name, b.colour, b.ground, b.nothing_out,
    m.languages, l.digest AS logo_digest, l.width AS logo_width, l.height AS logo_height,
    l.widths AS logo_widths
"""

OUTLET = f"""
SELECT o.*, m.name AS merchant_name, m.paused_at, coalesce(o.zone, m.zone) AS zone_shown,
    d.last_seen_at, {_BRAND},
    coalesce(nullif(o.contact, ''), nullif(b.support, ''), m.contact) AS contact_shown,
    d.has_sensor, d.mdb, outlet_closed(o.id, $2) AS stopped,
    EXISTS (SELECT FROM ways_to_pay w WHERE w.outlet_id = o.id AND w.place IS NOT NULL) AS has_ways
FROM outlets o JOIN merchants m ON m.id = o.merchant_id {_BRAND_OF}
LEFT JOIN devices d ON d.outlet_id = o.id WHERE o.id = $1
"""

SLOTS = """
SELECT s.slot, s.price_minor, s.stock, s.out_of_sale_at, p.name, p.names, p.description,
    p.descriptions, p.category, k.digest AS picture_digest, k.width AS picture_width,
    k.height AS picture_height, k.widths AS picture_widths,
    (SELECT count(*) FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
        WHERE f.outlet_id = s.outlet_id AND l.slot = s.slot AND f.settlement IS NULL) AS promised,
    (SELECT count(DISTINCT r.id) FROM attempts a JOIN payments y ON y.id = a.payment_id
        JOIN orders r ON r.id = y.order_id JOIN order_lines l ON l.order_id = r.id
        WHERE a.outlet_id = s.outlet_id AND l.slot = s.slot AND a.make_at > $2
        AND r.state = 'placed') AS being_paid
FROM slots s JOIN products p ON p.id = s.product_id
LEFT JOIN pictures k ON k.merchant_id = p.merchant_id AND k.digest = p.picture
WHERE s.outlet_id = $1 ORDER BY s.slot
"""

OTHERS = """
SELECT o.id, o.name, o.place FROM outlets o JOIN devices d ON d.outlet_id = o.id
WHERE o.id <> $1 AND o.kind = (SELECT kind FROM outlets WHERE id = $1)
AND o.decommissioned_at IS NULL AND d.last_seen_at > $2
AND EXISTS (SELECT FROM slots s WHERE s.outlet_id = o.id AND s.stock > 0
            AND s.out_of_sale_at IS NULL)
ORDER BY o.place = $3 DESC, o.id LIMIT 1
"""

# `version` grows with whatever the page shows: states of the order, its payment and code, units,
# refunds, what persons refund, and what the kind shows beside these.
_VERSION = """
    o.version + coalesce(p.version, 0)
        + coalesce((SELECT sum(version) FROM fulfillments f WHERE f.order_id = o.id), 0)
        + coalesce((SELECT sum(r.version) FROM refunds r JOIN captures k ON k.id = r.capture_id
                    WHERE k.order_id = o.id), 0)
        + (SELECT count(*) + count(w.ended_at) FROM order_refunds m
           JOIN order_refund_parts w ON w.order_refund_id = m.id WHERE m.order_id = o.id)
        + coalesce((SELECT shown_beside(k.kind, o.id) FROM outlets k WHERE k.id = o.outlet_id), 0)
"""

ORDER_VERSIONS = f"""
SELECT o.token, {_VERSION} AS version
FROM orders o LEFT JOIN payments p ON p.order_id = o.id WHERE o.token = ANY($1::text[])
"""

ORDER_PAGE = f"""
SELECT o.*, u.name AS outlet_name, m.name AS merchant_name, {_BRAND},
    coalesce(nullif(u.contact, ''), nullif(b.support, ''), m.contact) AS contact_shown,
    coalesce(u.zone, m.zone) AS zone, u.kind,
    a.id AS attempt_id, a.way, a.state AS attempt_state, a.action, a.make_at, a.retired_at,
    g.gateway, g.id AS gateway_account, q.image_url, q.qr_code_id, q.stage AS qr_stage,
    c.gateway_payment_id, c.receipt_url,
    (SELECT sum(w.amount_minor)::bigint FROM order_refunds m JOIN order_refund_parts w
        ON w.order_refund_id = m.id WHERE m.order_id = o.id AND w.outcome IS NULL) AS waiting_minor,
    {_VERSION} AS seen_version
FROM orders o JOIN outlets u ON u.id = o.outlet_id JOIN merchants m ON m.id = o.merchant_id
{_BRAND_OF}
LEFT JOIN payments p ON p.order_id = o.id
LEFT JOIN LATERAL (SELECT t.* FROM attempts t WHERE t.payment_id = p.id AND t.way IS NOT NULL
    ORDER BY t.number DESC LIMIT 1) a ON true
LEFT JOIN gateway_accounts g ON g.id = a.account_id
LEFT JOIN qr_codes q ON q.attempt_id = a.id
LEFT JOIN captures c ON c.order_id = o.id AND c.reason IS NULL
WHERE o.token = $1
"""

# Keys had no outlet in them before: a page that was open then finds its order too.
BY_PAGE_KEY = """
SELECT token FROM orders WHERE outlet_id = $1 AND client_key IN ($2, $3)
"""

ORDER_OWNER = "SELECT merchant_id FROM orders WHERE token = $1"

# Any number of pages of one order may ask at once, in any number of processes: one of them gets the
# row, and the pause begins before the question is sent.
PAGE_ASKS_GATEWAY = """
UPDATE attempts a SET page_asked_at = $2 FROM payments p JOIN orders o ON o.id = p.order_id
WHERE a.payment_id = p.id AND o.token = $1 AND o.state = 'placed' AND a.way IS NOT NULL
    AND a.number = (SELECT max(number) FROM attempts b WHERE b.payment_id = p.id)
    AND (a.page_asked_at IS NULL OR a.page_asked_at <= $2::timestamptz - $3::interval)
RETURNING a.id
"""

# The customer of an order asks what became of its units: as rarely as of its gateway.
PAGE_ASKS_UNITS = """
UPDATE fulfillments f SET page_asked_at = $2 FROM orders o
WHERE f.order_id = o.id AND o.token = $1 AND f.settlement IS NULL
    AND (f.page_asked_at IS NULL OR f.page_asked_at <= $2::timestamptz - $3::interval)
RETURNING f.*
"""

# Settling a unit books money on its capture, whose row comes first in the order of locks. A unit
# that costs nothing has none.
LOCK_UNIT = """
WITH c AS MATERIALIZED (SELECT id FROM captures WHERE id = $2 FOR NO KEY UPDATE)
SELECT f.*, windows_at(o) AS windows FROM fulfillments f LEFT JOIN c ON c.id = f.capture_id
JOIN outlets o ON o.id = f.outlet_id
WHERE f.id = $1 AND f.state = $3 AND f.settlement IS NULL FOR NO KEY UPDATE OF f
"""

PUT_OFF_UNIT = """
UPDATE fulfillments SET leased_until = NULL,
    due_at = least($3, CASE WHEN sent_at IS NULL THEN dispatch_by ELSE hard_deadline END)
WHERE id = $1 AND state = $2 AND settlement IS NULL
"""

NOTHING_DUE = """
UPDATE fulfillments SET due_at = NULL, leased_until = NULL
WHERE id = $1 AND settlement IS NOT NULL
"""

# `own`: set at the outlet itself, and not by its merchant for all of its kind.
OUTLET_WINDOWS = """
SELECT kind, windows AS own, windows_at(o) AS windows FROM outlets o WHERE id = $1
"""

KINDS_OF_MERCHANT = "SELECT DISTINCT kind FROM outlets WHERE decommissioned_at IS NULL"

SELLING_RULES = "SELECT windows, limits, settings_version FROM merchants WHERE id = $1"

SET_SELLING_RULES = """
UPDATE merchants SET windows = $2, limits = $3, settings_version = settings_version + 1
WHERE id = $1
"""

LOCK_OUTLET_WINDOWS = """
SELECT merchant_id, windows FROM outlets WHERE id = $1 FOR NO KEY UPDATE
"""

SET_OUTLET_WINDOWS = "UPDATE outlets SET windows = (windows || $2) - $3::text[] WHERE id = $1"

OUTLETS_WITH_WINDOWS = """
SELECT id, windows FROM outlets WHERE windows <> '{}' AND decommissioned_at IS NULL ORDER BY id
"""

KINDS_IN_SERVICE = """
SELECT kind, array_agg(id ORDER BY id) AS outlets FROM outlets
WHERE decommissioned_at IS NULL GROUP BY kind ORDER BY kind
"""

ORDER_LINES = "SELECT * FROM order_lines WHERE order_id = $1 ORDER BY id"

ORDER_UNITS = """
SELECT f.*, l.name FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
WHERE f.order_id = $1 ORDER BY f.id
"""

ORDER_EXTRAS = "SELECT kind, amount_minor FROM order_extras WHERE order_id = $1 ORDER BY id"

ORDER_REFUNDS = """
SELECT r.*, c.reason IS NOT NULL AS surplus FROM refunds r JOIN captures c ON c.id = r.capture_id
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

# Refunds of an order by a person.
HAS_ORDER = "SELECT merchant_id FROM orders WHERE id = $1"

ACCOUNT_OF_ORDER = "SELECT account_id FROM captures WHERE order_id = $1 AND reason IS NULL"

CAPTURE_OF_ORDER = "SELECT id FROM captures WHERE order_id = $1 AND reason IS NULL"

REFUND_BY_KEY = "SELECT * FROM order_refunds WHERE key = $1"

# All units of an order are locked before the first of them is moved: its end locks the order.
LOCK_UNITS_LEFT = """
SELECT f.id, f.line_id, f.sent_at, f.settlement, f.amount_minor, f.tax_minor,
    left_of(f) AS left_minor
FROM fulfillments f WHERE f.order_id = $1 ORDER BY f.id FOR NO KEY UPDATE
"""

# What this giver asked for before; what went back without them is not theirs.
GIVEN_BY = """
SELECT o.currency::text, coalesce((SELECT sum(w.amount_minor) FROM order_refunds r
    JOIN order_refund_parts w ON w.order_refund_id = r.id WHERE r.order_id = o.id
        AND r.made_by = $2 AND w.outcome IS DISTINCT FROM 'went_back'), 0)::bigint AS given
FROM orders o WHERE o.id = $1
"""

MAKE_ORDER_REFUND = """
INSERT INTO order_refunds (id, merchant_id, order_id, key, asked, made_by, reason, made_at)
SELECT $1, o.merchant_id, o.id, $3, $4, $5, $6, $7 FROM orders o WHERE o.id = $2 RETURNING id
"""

MAKE_REFUND_PART = """
INSERT INTO order_refund_parts (id, merchant_id, order_refund_id, capture_id, fulfillment_id,
    extra_id, amount_minor, outcome, ended_at)
SELECT $1, r.merchant_id, r.id, $3, $4, $5, $6, $7, $8 FROM order_refunds r WHERE r.id = $2
RETURNING id
"""

# Written under the lock of the capture alone.
EXTRAS_LEFT = """
SELECT e.id, e.kind, e.amount_minor, e.settlement, e.basis, left_of_extra(e) AS left_minor
FROM order_extras e WHERE e.order_id = $1 ORDER BY e.id
"""

WITHDRAW_EXTRA = "SELECT settle_extra($1, 'refund_due', 'withdrawn', $2, $3)"

WITHDRAW_UNIT = """
SELECT transition_fulfillment($1, 'WITHDRAWN', '{"basis": "never_sent"}', $2)
"""

SAY_WHY_WITHDRAWN = "UPDATE refunds SET asked_reason = $2 WHERE fulfillment_id = $1"

TAKE_REFUND_PART = "SELECT take_refund_part($1, $2)"

CLOSE_REFUNDED_OUTSIDE = "SELECT close_refunded_outside($1, $2, $3)"

REFUNDS_OF_ORDER = """
SELECT r.*, o.currency FROM order_refunds r JOIN orders o ON o.id = r.order_id
WHERE r.order_id = $1 ORDER BY r.made_at, r.id
"""

# Where the money of each part is: of a unit that was withdrawn or not handed over, in its refund.
PARTS_OF_ORDER = """
SELECT w.*, l.name, e.kind, CASE WHEN w.outcome IS NULL THEN 'waiting' ELSE coalesce((
    SELECT f.state FROM refunds f WHERE f.origin = 'ours' AND f.state <> 'failed'
        AND (f.part_id = w.id
            OR (w.outcome <> 'taken' AND f.fulfillment_id = w.fulfillment_id))
    ORDER BY f.created_at DESC LIMIT 1), 'covered') END AS money
FROM order_refund_parts w JOIN order_refunds r ON r.id = w.order_refund_id
LEFT JOIN fulfillments u ON u.id = w.fulfillment_id LEFT JOIN order_lines l ON l.id = u.line_id
LEFT JOIN order_extras e ON e.id = w.extra_id
WHERE r.order_id = $1 ORDER BY w.id
"""

FIND_ORDER = """
SELECT id, merchant_id, number, outlet_id, state, placed_at FROM orders
WHERE id = try_uuid(lower($1)) OR token = $1 OR number = upper($1) ORDER BY placed_at DESC LIMIT 10
"""

ORDER_RECORD = """
SELECT o.*, c.gateway_payment_id, c.receipt_url FROM orders o
LEFT JOIN captures c ON c.order_id = o.id AND c.reason IS NULL WHERE o.id = $1
"""

UNIT_RECORDS = """
SELECT f.*, l.name, left_of(f) AS left_minor, (SELECT coalesce(sum(w.amount_minor), 0)::bigint
    FROM order_refund_parts w WHERE w.fulfillment_id = f.id AND w.outcome IS NULL) AS waiting_minor
FROM fulfillments f JOIN order_lines l ON l.id = f.line_id WHERE f.order_id = $1 ORDER BY f.id
"""

# Lists of a merchant's orders, with what was in them.
_ORDER_LINE = """
SELECT o.id, o.number, o.outlet_id, o.state, o.amount_minor, o.currency::text, o.placed_at,
    o.paid_at, (SELECT string_agg(l.name, ', ' ORDER BY l.id) FROM order_lines l
        WHERE l.order_id = o.id) AS items
FROM orders o
"""

NEWEST_ORDERS = f"""
{_ORDER_LINE} WHERE $1::uuid IS NULL OR o.id < $1 ORDER BY o.id DESC LIMIT $2
"""

MATCHING_ORDERS = f"""
{_ORDER_LINE} WHERE o.id IN (
    SELECT id FROM orders WHERE id = try_uuid(lower($1))
    UNION SELECT id FROM orders WHERE token = $1
    UNION SELECT id FROM orders WHERE number = upper($1)
    UNION SELECT order_id FROM captures WHERE gateway_payment_id = $1
    UNION SELECT order_id FROM captures WHERE payer_reference = $1
    UNION SELECT c.order_id FROM refunds r JOIN captures c ON c.id = r.capture_id
        WHERE r.gateway_refund_id = $1
    UNION SELECT order_id FROM fulfillments WHERE id = try_uuid(lower($1)))
ORDER BY o.id DESC LIMIT 20
"""

PAID_AROUND = f"""
{_ORDER_LINE} WHERE o.outlet_id IN (SELECT id FROM outlets) AND o.amount_minor = $1
    AND o.currency = $2 AND EXISTS (SELECT FROM unnest($3::timestamptz[]) AS minute
        WHERE o.paid_at BETWEEN minute - interval '1 minute' AND minute + interval '2 minutes')
ORDER BY o.paid_at DESC LIMIT 50
"""
