"""The statements of this room, by name: fleet."""

# The outlet's row is the lock under which a machine is changed: two who change it wait in turn.
LOCK_MACHINE = """
SELECT id, account_id, currency::text, config_version, decommissioned_at, name, place, zone,
    contact, device_config, channel, dialect
FROM outlets WHERE id = $1 AND merchant_id = $2 FOR NO KEY UPDATE
"""

# A printed code is wanted under the same lock, so that its amount is the price of that moment. The
# codes are read by a statement of their own: one that waited for the lock sees what was before it.
LOCK_SLOTS = "SELECT slot FROM slots WHERE outlet_id = $1 ORDER BY slot FOR NO KEY UPDATE"

PRINTED = """
SELECT slot, amount_minor, currency::text FROM qr_codes
WHERE outlet_id = $1 AND payment_id IS NULL AND retired_at IS NULL
"""

PRODUCTS_BY_SKU = """
SELECT id, sku, name, price_minor, currency::text, retired_at FROM products
WHERE sku = ANY ($1)
"""

CONFIG = """
SELECT o.id AS code, o.config_version AS version, o.name, o.place, o.contact, o.zone,
    o.currency::text, o.device_config AS device, o.decommissioned_at,
    (SELECT d.config_version FROM devices d WHERE d.outlet_id = o.id) AS device_version,
    coalesce((SELECT jsonb_agg(jsonb_build_object('slot', s.slot, 'sku', p.sku, 'par', s.par,
            'price', jsonb_build_object('amount', s.price_minor, 'currency', o.currency))
            ORDER BY s.slot)
        FROM slots s JOIN products p ON p.id = s.product_id WHERE s.outlet_id = o.id),
        '[]') AS slots
FROM outlets o WHERE o.id = $1 AND o.merchant_id = $2
"""

RENAME = """
UPDATE outlets SET name = $2, place = $3, contact = $4, zone = $5, device_config = $6 WHERE id = $1
"""

PUT_SLOT = """
INSERT INTO slots (merchant_id, outlet_id, slot, product_id, price_minor, par, stock)
VALUES ($1, $2, $3, $4, $5, $6, 0)
ON CONFLICT (outlet_id, slot) DO UPDATE SET product_id = $4, price_minor = $5, par = $6
"""

# The machine compares these versions with those of what it shows to its customers.
NEXT_VERSION = """
UPDATE outlets SET config_version = config_version + 1,
    price_version = price_version + $2::boolean::integer,
    planogram_version = planogram_version + $3::boolean::integer
WHERE id = $1
"""

RECORD_VERSION = """
INSERT INTO config_versions (outlet_id, version, merchant_id, config, codes, made_by, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

VERSIONS = """
SELECT version, config, codes, made_by, made_at FROM config_versions
WHERE outlet_id = $1 AND ($2::integer IS NULL OR version < $2) ORDER BY version DESC LIMIT $3
"""

# A page of machines by their code; what is in their slots is counted beside each.
_MACHINES = """
SELECT o.id AS code, o.name, o.place, o.kind, o.channel, o.dialect, o.currency::text,
    d.last_seen_at AS last_heard_at,
    CASE WHEN o.decommissioned_at IS NOT NULL THEN 'out_of_service'
        WHEN d.last_seen_at IS NULL THEN 'never_heard'
        WHEN d.last_seen_at < $4 THEN 'offline' ELSE 'online' END AS state,
    s.slots, s.sold_out, s.out_of_sale, s.stock, s.par,
    (SELECT count(*) FROM fulfillments f WHERE f.outlet_id = o.id AND f.settlement IS NULL)
        AS open_units
FROM outlets o LEFT JOIN devices d ON d.outlet_id = o.id
CROSS JOIN LATERAL (SELECT count(*) AS slots, count(*) FILTER (WHERE stock = 0) AS sold_out,
        count(out_of_sale_at) AS out_of_sale, coalesce(sum(stock), 0) AS stock,
        coalesce(sum(par), 0) AS par
    FROM slots WHERE outlet_id = o.id) s
WHERE o.merchant_id = $1 AND o.kind <> 'counter' AND ($2::text IS NULL OR o.id > $2)
    AND ($5::text IS NULL OR o.id = $5)
    AND ($6 OR o.decommissioned_at IS NULL) {also}
ORDER BY o.id LIMIT $3
"""
MACHINES = _MACHINES.format(also="")

# Not heard lately, or with a slot that sells nothing.
FAILING_MACHINES = _MACHINES.format(
    also="AND (d.last_seen_at IS NULL OR d.last_seen_at < $4 OR s.sold_out + s.out_of_sale > 0)"
)

DEVICE = """
SELECT o.config_version, o.windows, d.firmware, d.journal_id, d.boot_id, d.has_sensor
FROM outlets o LEFT JOIN devices d ON d.outlet_id = o.id WHERE o.id = $1
"""

SLOTS = """
SELECT s.slot, p.sku, p.name, s.price_minor, s.stock, s.par, s.failures_in_row, s.out_of_sale_at,
    s.withheld_at IS NOT NULL AS withheld, s.withheld_whole, q.amount_minor AS code_minor,
    q.stage AS code_stage, q.qr_code_id,
    (SELECT count(*) FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
        WHERE f.outlet_id = s.outlet_id AND l.slot = s.slot AND f.settlement IS NULL) AS promised
FROM slots s JOIN products p ON p.id = s.product_id
LEFT JOIN qr_codes q ON q.outlet_id = s.outlet_id AND q.slot = s.slot AND q.payment_id IS NULL
    AND q.retired_at IS NULL
WHERE s.outlet_id = $1 ORDER BY s.slot
"""

# Units that were not handed over, and those of which nobody knows yet.
FAULTS = """
SELECT f.id AS unit, f.order_id AS "order", l.slot, l.name AS product, f.state, f.basis,
    f.failure_code, f.amount_minor, f.currency::text, f.queued_at, f.settled_at
FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
WHERE f.outlet_id = $1 AND (f.settlement = 'refund_due' OR f.state = 'in_doubt')
    AND ($2::uuid IS NULL OR f.id < $2)
ORDER BY f.id DESC LIMIT $3
"""

KEY_IN_USE = "SELECT key_id FROM devices WHERE outlet_id = $1"

LOCK_DEVICE = "SELECT outlet_id FROM devices WHERE outlet_id = $1 FOR NO KEY UPDATE"

UNSETTLED = """
SELECT count(*) AS units, max(hard_deadline) AS until FROM fulfillments
WHERE outlet_id = $1 AND settlement IS NULL
"""

TEMPLATE = "SELECT template FROM machine_templates WHERE merchant_id = $1 AND name = $2"

TEMPLATES = "SELECT name, template FROM machine_templates WHERE merchant_id = $1 ORDER BY name"

PUT_TEMPLATE = """
INSERT INTO machine_templates (merchant_id, name, template, made_by, changed_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (merchant_id, name) DO UPDATE SET template = $3, made_by = $4, changed_at = $5
"""

SPEAKS = "SELECT channel, dialect FROM outlets WHERE id = $1"

# A code is one in the installation: those of other merchants count, and are not told apart.
CODES_TAKEN = "SELECT id FROM outlets WHERE id = ANY ($1)"

ACCOUNTS = """
SELECT id, gateway, slug, disabled_at IS NOT NULL AS disabled FROM gateway_accounts
WHERE merchant_id = $1 ORDER BY created_at, id
"""

SET_DEVICE = "UPDATE outlets SET device_config = $2 WHERE id = $1"

WITHHOLD = """
UPDATE slots SET withheld_alone = true, withheld_at = coalesce(withheld_at, $3),
    out_of_sale_at = coalesce(out_of_sale_at, $3)
WHERE outlet_id = $1 AND slot = $2 RETURNING slot
"""

PUT_ON_SALE = """
UPDATE slots SET withheld_alone = false, withheld_whole = false, withheld_at = NULL,
    out_of_sale_at = NULL, failures_in_row = 0
WHERE outlet_id = $1 AND slot = $2 RETURNING slot
"""

ADD_PRACTICE = "INSERT INTO practice_machines (outlet_id, merchant_id) VALUES ($1, $2)"

PRACTICE_WINDOWS = "UPDATE outlets SET windows = windows || $2::jsonb WHERE id = $1"

PRACTICE = "SELECT broken, memory FROM practice_machines WHERE outlet_id = $1"

BREAK = "UPDATE practice_machines SET broken = $2 WHERE outlet_id = $1 RETURNING outlet_id"

# By the database's clock: the processes' own may differ.
CLAIM_PRACTICE = """
UPDATE practice_machines SET player = $1, played_until = now() + $2::interval
WHERE player IS NULL OR played_until < now()
    OR (player = $1 AND played_until < now() + $2::interval / 2)
"""

PLAYED = """
SELECT p.outlet_id, p.broken, p.memory, d.secret, d.key_id
FROM practice_machines p JOIN outlets o ON o.id = p.outlet_id
JOIN devices d ON d.outlet_id = p.outlet_id
WHERE p.player = $1 AND p.played_until > now() AND o.decommissioned_at IS NULL ORDER BY 1
"""

KEEP_PRACTICE = """
UPDATE practice_machines SET memory = $3 WHERE outlet_id = $1 AND player = $2
    AND played_until > now() RETURNING broken
"""

RELEASE_PRACTICE = """
UPDATE practice_machines SET player = NULL, played_until = NULL WHERE player = $1
"""

# `machine`: with a way to pay, or its setting up did not come to its end.
SETUP = """
SELECT t.slug, t.name, t.contact, t.zone, t.currency::text, s.merchant_id IS NOT NULL AS begun,
    s.put_away_at IS NOT NULL AS put_away, s.draft, s.books_seen_at IS NOT NULL AS books_seen,
    (SELECT a.id FROM gateway_accounts a WHERE a.merchant_id = t.id AND a.gateway = 'mock'
        AND a.slug = 'practice-' || t.slug) AS practice_account,
    EXISTS (SELECT FROM gateway_accounts a WHERE a.merchant_id = t.id AND NOT a.test_only)
        AS live_account,
    (SELECT o.id FROM outlets o WHERE o.merchant_id = t.id AND o.channel = 'practice'
        AND o.decommissioned_at IS NULL AND EXISTS (SELECT FROM ways_to_pay w
            WHERE w.outlet_id = o.id AND w.way = 'link' AND w.place IS NOT NULL)
        ORDER BY o.created_at DESC LIMIT 1) AS machine,
    EXISTS (SELECT FROM orders r JOIN outlets o ON o.id = r.outlet_id WHERE o.merchant_id = t.id
        AND o.channel = 'practice' AND r.state = 'completed') AS sold,
    EXISTS (SELECT FROM outlets o WHERE o.merchant_id = t.id AND o.channel <> 'practice'
        AND o.decommissioned_at IS NULL) AS real_machine,
    EXISTS (SELECT FROM outlets o JOIN devices d ON d.outlet_id = o.id
        WHERE o.merchant_id = t.id AND o.channel <> 'practice' AND d.last_seen_at IS NOT NULL)
        AS real_heard,
    EXISTS (SELECT FROM outlets o WHERE o.merchant_id = t.id AND o.kind <> 'vending'
        AND o.decommissioned_at IS NULL) AND NOT EXISTS (SELECT FROM outlets o
        WHERE o.merchant_id = t.id AND o.kind = 'vending') AS without_machines
FROM merchants t LEFT JOIN setups s ON s.merchant_id = t.id WHERE t.id = $1
"""

LAST_ORDER = """
SELECT o.id, o.token, o.number, o.state, o.paid_at,
    EXISTS (SELECT FROM fulfillments f WHERE f.order_id = o.id AND f.settlement IS NULL)
        AS unsettled
FROM orders o WHERE o.outlet_id = $1 AND o.source <> 'test_vend' ORDER BY o.id DESC LIMIT 1
"""

BEGIN_SETUP = """
INSERT INTO setups (merchant_id, begun_at) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""

KEEP_DRAFT = "UPDATE setups SET draft = $2 WHERE merchant_id = $1"

BOOKS_SEEN = """
UPDATE setups SET books_seen_at = coalesce(books_seen_at, $2) WHERE merchant_id = $1
"""

PUT_AWAY = "UPDATE setups SET put_away_at = coalesce(put_away_at, $2) WHERE merchant_id = $1"

WITHHOLD_ALL = """
UPDATE slots SET withheld_whole = true, withheld_at = coalesce(withheld_at, $2),
    out_of_sale_at = coalesce(out_of_sale_at, $2) WHERE outlet_id = $1
"""

# What somebody took out by itself stays out, and so does what failed twice by itself.
PUT_ALL_ON_SALE = """
UPDATE slots SET withheld_whole = false,
    withheld_at = CASE WHEN withheld_alone THEN withheld_at END,
    out_of_sale_at = CASE WHEN withheld_alone OR failures_in_row >= 2 THEN out_of_sale_at END
WHERE outlet_id = $1 AND withheld_whole
"""

SLOT_TO_TEST = """
SELECT s.product_id, p.sku, p.name, p.cost_minor, d.last_seen_at
FROM slots s JOIN products p ON p.id = s.product_id
LEFT JOIN devices d ON d.outlet_id = s.outlet_id
WHERE s.outlet_id = $1 AND s.slot = $2 FOR NO KEY UPDATE OF s
"""

SALES = """
SELECT o.id AS "order", o.number, o.state, o.source, o.placed_at, o.amount_minor,
    o.currency::text, coalesce((SELECT string_agg(l.name, ', ' ORDER BY l.id) FROM order_lines l
        WHERE l.order_id = o.id), '') AS product
FROM orders o WHERE o.outlet_id = $1 ORDER BY o.id DESC LIMIT $2
"""
