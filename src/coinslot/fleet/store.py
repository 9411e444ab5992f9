"""The statements of this room, by name: fleet."""

# The outlet's row is the lock under which a machine is changed: two who change it wait in turn.
LOCK_MACHINE = """
SELECT id, account_id, currency::text, config_version, decommissioned_at, name, place, zone,
    contact, device_config, channel, dialect,
    (SELECT d.has_sensor FROM devices d WHERE d.outlet_id = outlets.id) AS has_sensor,
    (SELECT d.mdb FROM devices d WHERE d.outlet_id = outlets.id) AS mdb
FROM outlets WHERE id = $1 AND merchant_id = $2 FOR NO KEY UPDATE
"""

MACHINE_ROW = LOCK_MACHINE.replace(" FOR NO KEY UPDATE", "")

# What can be changed of the slots of many machines at once; $2: these alone. Of each the newest
# version, though the machine may not have it yet.
SLOT_TABLE = """
SELECT o.id AS machine, o.currency::text, o.config_version AS version, w.slot, w.sku,
    coalesce(p.name, w.sku) AS product, w.minor, w.par, s.capacity, o.windows
FROM outlets o LEFT JOIN config_versions v ON v.outlet_id = o.id
    AND v.version = o.config_version AND o.applied_version <> o.config_version
CROSS JOIN LATERAL (SELECT e->>'slot' AS slot, e->>'sku' AS sku,
        (e->'price'->>'amount')::bigint AS minor, coalesce((e->>'par')::integer, 0) AS par
        FROM jsonb_array_elements(v.config->'slots') e
    UNION ALL SELECT t.slot, q.sku, t.price_minor, t.par
        FROM slots t JOIN products q ON q.id = t.product_id
        WHERE t.outlet_id = o.id AND v.outlet_id IS NULL) w
LEFT JOIN slots s ON s.outlet_id = o.id AND s.slot = w.slot
LEFT JOIN products p ON p.merchant_id = o.merchant_id AND p.sku = w.sku
WHERE o.merchant_id = $1 AND ($2::text[] IS NULL OR o.id = ANY ($2))
    AND o.kind = 'vending' AND o.decommissioned_at IS NULL
ORDER BY o.id, w.slot
"""

SET_CAPACITY = "UPDATE slots SET capacity = $3 WHERE outlet_id = $1 AND slot = $2 RETURNING slot"

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

# Its slots are those that it should have: of the newest version, while that waits to be applied.
CONFIG = """
SELECT o.id AS code, o.config_version AS version, o.applied_version, o.name, o.place, o.contact,
    o.zone, o.currency::text, o.device_config AS device, o.decommissioned_at,
    (SELECT d.config_version FROM devices d WHERE d.outlet_id = o.id) AS device_version,
    coalesce((SELECT v.config->'slots' FROM config_versions v WHERE v.outlet_id = o.id
            AND v.version = o.config_version AND o.applied_version <> o.config_version),
        (SELECT jsonb_agg(jsonb_build_object('slot', s.slot, 'sku', p.sku, 'par', s.par,
            'price', jsonb_build_object('amount', s.price_minor, 'currency', o.currency))
            ORDER BY s.slot)
        FROM slots s JOIN products p ON p.id = s.product_id WHERE s.outlet_id = o.id),
        '[]') AS slots
FROM outlets o WHERE o.id = $1 AND o.merchant_id = $2
"""

RENAME = """
UPDATE outlets SET name = $2, place = $3, contact = $4, zone = $5, device_config = $6 WHERE id = $1
"""

NEXT_VERSION = "UPDATE outlets SET config_version = $2 WHERE id = $1"

# The machine compares the numbers of prices and planogram with those of what it is told to sell.
RECORD_VERSION = """
INSERT INTO config_versions (outlet_id, version, merchant_id, config, codes, made_by, made_at,
    price_version, planogram_version)
SELECT $1, $2, $3, $4, $5, $6, $7, coalesce($8, price_version), coalesce($9, planogram_version)
FROM outlets WHERE id = $1
"""

STANDING = "SELECT * FROM config_standing($1)"

APPLY_CONFIG = "SELECT apply_config($1, $2)"

WANT_CONFIG = "SELECT want_config($1, $2)"

LOCK_PUSH = """
SELECT * FROM config_pushes WHERE id = $1 AND ended_at IS NULL FOR NO KEY UPDATE
"""

# With which builds are signed that the merchant's machines may take.
FIRMWARE_KEY = """
SELECT encode(public_key, 'hex') FROM firmware_keys
WHERE merchant_id = $1 AND retired_at IS NULL ORDER BY added_at DESC, id DESC LIMIT 1
"""

# By the haversine on a sphere; where a machine stands, its configuration says.
NEAREST = """
SELECT o.id AS code, o.name, o.place, g.lat, g.lng, round(2 * 6371009 * asin(sqrt(least(1,
    power(sin(radians(g.lat - $2) / 2), 2)
    + cos(radians($2)) * cos(radians(g.lat)) * power(sin(radians(g.lng - $3) / 2), 2)))))::bigint
    AS metres
FROM outlets o CROSS JOIN LATERAL (
    SELECT CASE WHEN jsonb_typeof(o.device_config #> '{gps,lat}') = 'number'
            THEN (o.device_config #>> '{gps,lat}')::float8 END AS lat,
        CASE WHEN jsonb_typeof(o.device_config #> '{gps,lng}') = 'number'
            THEN (o.device_config #>> '{gps,lng}')::float8 END AS lng) g
WHERE o.merchant_id = $1 AND o.decommissioned_at IS NULL AND g.lat IS NOT NULL
    AND g.lng IS NOT NULL
ORDER BY metres, o.id LIMIT $4
"""

PUSH = "SELECT * FROM config_pushes WHERE id = $1 AND ended_at IS NULL"

# What the newest version changes in what is sold.
SLOT_DIFFERENCES = """
SELECT w.slot, was.name AS product, s.price_minor, o.currency::text,
    coalesce(p.name, w.sku) AS wanted_product, w.minor AS wanted_minor
FROM outlets o JOIN config_versions v ON v.outlet_id = o.id AND v.version = o.config_version
CROSS JOIN LATERAL (SELECT e->>'slot' AS slot, e->>'sku' AS sku,
        (e->'price'->>'amount')::bigint AS minor FROM jsonb_array_elements(v.config->'slots') e) w
LEFT JOIN slots s ON s.outlet_id = o.id AND s.slot = w.slot
LEFT JOIN products was ON was.id = s.product_id
LEFT JOIN products p ON p.merchant_id = o.merchant_id AND p.sku = w.sku
WHERE o.id = $1 AND (s.price_minor IS DISTINCT FROM w.minor OR was.sku IS DISTINCT FROM w.sku)
ORDER BY w.slot
"""

PUT_OFF_PUSH = "UPDATE config_pushes SET due_at = $2 WHERE id = $1"

HOLD_PUSH = "UPDATE config_pushes SET due_at = $2, held_since = $3 WHERE id = $1"

SENT_PUSH = "UPDATE config_pushes SET due_at = $2, sent_at = $3, tries = $4 WHERE id = $1"

END_PUSH = "UPDATE config_pushes SET due_at = NULL, ended_at = $2 WHERE id = $1"

HAS_CONFIG = "UPDATE devices SET config_version = $2 WHERE outlet_id = $1"

# Above any number that the machine may know from a database that is not there any more.
RAISE_VERSIONS = """
UPDATE outlets SET config_version = $2, price_version = $3, planogram_version = $4 WHERE id = $1
"""

NAMES_OF_PRODUCTS = "SELECT sku, name FROM products WHERE merchant_id = $1 AND sku = ANY ($2)"

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
SELECT o.config_version, o.applied_version, d.config_version AS device_version, o.windows,
    d.firmware, d.journal_id, d.boot_id, d.has_sensor, d.mdb, o.channel, o.dialect
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
    WHERE $6::jsonb IS NULL OR machine_templates.template = $6 RETURNING name
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

STOP_FOR_REPAIR = """
INSERT INTO outlet_stops (outlet_id, why, merchant_id, since, data)
SELECT id, 'maintenance', merchant_id, $2, jsonb_build_object('by', $3::text, 'note', $4::text)
FROM outlets WHERE id = $1 AND decommissioned_at IS NULL
ON CONFLICT (outlet_id, why) DO UPDATE SET since = excluded.since, until = NULL,
    data = excluded.data WHERE outlet_stops.until <= $2 RETURNING true
"""

END_REPAIR = """
UPDATE outlet_stops SET until = $2 WHERE outlet_id = $1 AND why = 'maintenance' AND until IS NULL
RETURNING true
"""
