"""The statements of this room, by name: fleet."""

# The outlet's row is the lock under which a machine is changed: two who change it wait in turn.
LOCK_MACHINE = """
SELECT id, account_id, currency::text, config_version, decommissioned_at, name, place, zone,
    contact, device_config
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
SELECT id, sku, price_minor, currency::text FROM products WHERE sku = ANY ($1)
"""

CONFIG = """
SELECT o.id AS code, o.config_version AS version, o.name, o.place, o.contact, o.zone,
    o.currency::text, o.device_config AS device, o.decommissioned_at,
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
