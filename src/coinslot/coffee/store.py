"""The statements of this room, by name: coffee machines, their orders and cups."""

ACCOUNT = "SELECT * FROM coffee_accounts WHERE id = $1"

ACCOUNT_NAMED = "SELECT * FROM coffee_accounts WHERE slug = $1"

# Another merchant's row with this name cannot be updated: the statement fails.
SAVE_ACCOUNT = """
INSERT INTO coffee_accounts (id, merchant_id, vendor, slug, settings, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (slug) DO UPDATE SET settings = excluded.settings, vendor = excluded.vendor,
    version = coffee_accounts.version + 1 RETURNING id
"""

ACCOUNTS = """
SELECT id, vendor, slug, settings,
    (SELECT count(*) FROM coffee_machines m WHERE m.account_id = a.id) AS machines
FROM coffee_accounts a ORDER BY created_at, id
"""

SAVE_MACHINE = """
INSERT INTO coffee_machines (outlet_id, merchant_id, account_id, device) VALUES ($1, $2, $3, $4)
ON CONFLICT (outlet_id) DO UPDATE SET account_id = excluded.account_id, device = excluded.device
"""

# Who is asked about a device, and whether it sells at all.
MACHINE_BY_DEVICE = """
SELECT c.outlet_id, c.merchant_id, c.account_id, c.device, o.decommissioned_at, m.paused_at,
    windows_at(o) AS windows
FROM coffee_machines c JOIN outlets o ON o.id = c.outlet_id JOIN merchants m ON m.id = c.merchant_id
WHERE c.device = $1
"""

HEARD = """
UPDATE coffee_machines SET heard_at = $2
WHERE outlet_id = $1 AND (heard_at IS NULL OR heard_at < $2)
"""

# What became of a code on a screen.
ORDER_OF_CODE = """
SELECT o.token, o.browser FROM coffee_orders c JOIN orders o ON o.id = c.order_id
WHERE c.device = $1 AND c.machine_order = $2
"""

# What the command says: of a unit. `moved`: its machine is another device by now.
WHAT_TO_MAKE = """
SELECT m.account_id, c.device, m.device <> c.device AS moved, c.machine_order, c.drink, c.size,
    windows_at(o) AS windows
FROM fulfillments f JOIN coffee_orders c ON c.order_id = f.order_id
JOIN coffee_machines m ON m.outlet_id = f.outlet_id JOIN outlets o ON o.id = f.outlet_id
WHERE f.id = $1
"""

PLACE = """
INSERT INTO coffee_orders (order_id, merchant_id, outlet_id, device, machine_order, drink, size)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

RULES = "SELECT * FROM coffee_rules WHERE merchant_id = $1"

SAVE_RULES = """
INSERT INTO coffee_rules (merchant_id, denied, unclear, contact_limit, browser_limit, device_limit,
    day_limit) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (merchant_id) DO UPDATE SET denied = $2, unclear = $3, contact_limit = $4,
    browser_limit = $5, device_limit = $6, day_limit = $7
"""

# Of two customers who say at once that nothing came, the second sees the first.
LOCK_DENIALS = "SELECT pg_advisory_xact_lock(hashtextextended('coffee denials ' || $1, 0))"

# How often a customer's word alone gave money back, since then.
DENIALS = """
SELECT count(*) AS of_day,
    count(*) FILTER (WHERE f.outlet_id = $2) AS of_device,
    count(*) FILTER (WHERE o.browser = $3) AS of_browser,
    count(*) FILTER (WHERE lower(o.receipt_contact) = lower($4)) AS of_contact
FROM coffee_units c JOIN fulfillments f USING (id) JOIN orders o ON o.id = f.order_id
WHERE c.denied_at > $1 AND c.rule = 'refund'
"""

WHO_ORDERED = "SELECT browser, receipt_contact FROM orders WHERE id = $1"

CUP = "SELECT * FROM coffee_units WHERE id = $1"

CUPS = "SELECT id, answer, denied_at, rule FROM coffee_units WHERE id = ANY ($1)"

# A vendor reports what came of a machine's order.
UNIT_OF_ORDER = """
SELECT f.* FROM coffee_orders c JOIN fulfillments f ON f.order_id = c.order_id
WHERE c.device = $1 AND c.machine_order = $2 ORDER BY f.id LIMIT 1
"""

# For the people who run them.
_HAS_TEXT = """
ILIKE '%' || replace(replace(replace($1, '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%'
"""

_MACHINE_LINE = """
c.outlet_id AS code, o.name, o.place, c.device, a.slug AS account, c.heard_at,
o.decommissioned_at IS NOT NULL AS out_of_service, o.contact, windows_at(o) AS windows
"""

MACHINES = f"""
SELECT {_MACHINE_LINE} FROM coffee_machines c JOIN outlets o ON o.id = c.outlet_id
JOIN coffee_accounts a ON a.id = c.account_id
WHERE ($1 = '' OR concat_ws(' ', c.outlet_id, c.device, o.name, o.place) {_HAS_TEXT})
    AND c.outlet_id > $2
ORDER BY c.outlet_id LIMIT $3
"""

MACHINE_PAGE = f"""
SELECT {_MACHINE_LINE}, c.account_id, ARRAY(SELECT w.account_id FROM ways_to_pay w
        WHERE w.outlet_id = o.id AND w.place IS NOT NULL ORDER BY w.place) AS ways,
    (SELECT count(*) FROM fulfillments f WHERE f.outlet_id = o.id AND f.settlement IS NULL)
        AS waiting
FROM coffee_machines c JOIN outlets o ON o.id = c.outlet_id
JOIN coffee_accounts a ON a.id = c.account_id WHERE c.outlet_id = $1
"""

LOCK_MACHINE = """
SELECT c.account_id, c.device, o.name, o.place, o.contact
FROM coffee_machines c JOIN outlets o ON o.id = c.outlet_id WHERE c.outlet_id = $1
FOR NO KEY UPDATE OF o
"""

CHANGE_MACHINE = "UPDATE outlets SET name = $2, place = $3, contact = $4 WHERE id = $1"

OUTLETS_OF_OTHER_KINDS = "SELECT id FROM outlets WHERE kind <> $1"

PRODUCTS_NAMED = "SELECT sku, name FROM products WHERE sku = ANY ($1)"

DRINKS = f"""
SELECT d.drink, p.name, d.small_minor, d.medium_minor, d.big_minor, d.asked_at,
    p.retired_at IS NOT NULL AS retired
FROM coffee_drinks d JOIN products p ON p.merchant_id = d.merchant_id AND p.sku = d.drink
WHERE ($1 = '' OR concat_ws(' ', d.drink, p.name) {_HAS_TEXT}) AND d.drink > $2
ORDER BY d.drink LIMIT $3
"""

# A size that was not asked for keeps what it cost. Each sale says the same, and that is not written
# again.
KEEP_DRINK = """
INSERT INTO coffee_drinks (merchant_id, drink, small_minor, medium_minor, big_minor, asked_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (merchant_id, drink) DO UPDATE SET
    small_minor = coalesce(excluded.small_minor, coffee_drinks.small_minor),
    medium_minor = coalesce(excluded.medium_minor, coffee_drinks.medium_minor),
    big_minor = coalesce(excluded.big_minor, coffee_drinks.big_minor), asked_at = excluded.asked_at
WHERE coffee_drinks.asked_at < excluded.asked_at - interval '1 hour'
    OR (coffee_drinks.small_minor, coffee_drinks.medium_minor, coffee_drinks.big_minor)
    IS DISTINCT FROM (coalesce(excluded.small_minor, coffee_drinks.small_minor),
        coalesce(excluded.medium_minor, coffee_drinks.medium_minor),
        coalesce(excluded.big_minor, coffee_drinks.big_minor))
"""

# By machine; under no name, those of a machine that is not there yet.
WINDOWS_OF_MACHINES = """
SELECT c.outlet_id, windows_at(o) AS windows
FROM coffee_machines c JOIN outlets o ON o.id = c.outlet_id
UNION ALL SELECT NULL, coalesce(m.windows->'coffee', '{}') FROM merchants m
WHERE m.id = the_merchant()
"""

MACHINE = "SELECT * FROM coffee_machines WHERE outlet_id = $1"

_LINE = """
SELECT o.id, o.number, o.outlet_id AS machine, c.device, c.machine_order, l.name AS drink,
    l.slot AS size, o.amount_minor, o.currency::text, o.placed_at, f.basis,
    coalesce(u.told, '') AS told, u.denied_at,
    f.sent_at IS NOT NULL AND f.settlement IS NULL AS open,
    CASE o.state WHEN 'completed' THEN 'successful' WHEN 'failed' THEN 'failed'
        WHEN 'expired' THEN CASE WHEN EXISTS (SELECT FROM captures k WHERE k.order_id = o.id)
            THEN 'failed' ELSE 'not_paid' END
        WHEN 'paid' THEN CASE WHEN f.sent_at IS NULL THEN 'paid' ELSE 'make_pending' END
        ELSE coalesce((SELECT CASE WHEN t.state = 'failed' THEN 'not_paid' ELSE 'pending' END
            FROM payments p JOIN attempts t ON t.payment_id = p.id WHERE p.order_id = o.id
            ORDER BY t.number DESC LIMIT 1), 'created') END AS status
FROM coffee_orders c JOIN orders o ON o.id = c.order_id
JOIN order_lines l ON l.order_id = o.id
LEFT JOIN fulfillments f ON f.order_id = o.id LEFT JOIN coffee_units u ON u.id = f.id
"""

ORDERS = f"""
SELECT * FROM ({_LINE} WHERE $3::uuid IS NULL OR o.id < $3) x
WHERE ($1 = '' OR x.number = upper($1) OR x.machine = $1 OR x.device = $1 OR x.machine_order = $1
        OR x.drink ILIKE
            '%' || replace(replace(replace($1, '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%')
    AND ($2::text IS NULL OR x.status = $2)
    AND ($5::timestamptz IS NULL OR x.placed_at >= $5)
    AND ($6::timestamptz IS NULL OR x.placed_at < $6)
ORDER BY x.id DESC LIMIT $4
"""

TO_DECIDE = f"""
{_LINE} WHERE f.settlement IS NULL AND f.person_since IS NOT NULL ORDER BY o.id LIMIT 50
"""
