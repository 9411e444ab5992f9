"""The statements of this room, by name: stock."""

TAKE_COUNT = "SELECT take_stock_count($1, $2, $3)"

# The zone by whose days its sales are counted.
MACHINE = """
SELECT o.id AS code, o.name, o.place, coalesce(o.zone, m.zone) AS zone, o.decommissioned_at
FROM outlets o JOIN merchants m ON m.id = o.merchant_id WHERE o.id = $1 AND o.merchant_id = $2
"""

MACHINES = """
SELECT o.id AS code, o.name, o.place, coalesce(o.zone, m.zone) AS zone
FROM outlets o JOIN merchants m ON m.id = o.merchant_id
WHERE o.merchant_id = $1 AND o.kind = 'vending' AND o.channel <> 'practice'
    AND o.decommissioned_at IS NULL AND ($2::text[] IS NULL OR o.id = ANY ($2))
ORDER BY coalesce(array_position($2, o.id), 0), o.id LIMIT $3
"""

LOCK_SLOTS = """
SELECT slot FROM slots WHERE outlet_id = $1 AND slot = ANY ($2) ORDER BY slot FOR NO KEY UPDATE
"""

VISIT_SLOT = "SELECT visit_slot($1, $2, $3)"

ADD_VISIT = """
INSERT INTO refill_visits (id, merchant_id, outlet_id, made_by, note, lines, at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

LAST_VISITS = """
SELECT id, made_by, note, lines, at FROM refill_visits WHERE outlet_id = $1
ORDER BY at DESC, id DESC LIMIT $2
"""

SLOTS = """
SELECT s.outlet_id, s.slot, p.sku, p.name AS product, s.stock, s.par, s.capacity, s.counted_at,
    s.counted_journal IS NOT NULL AS by_machine, s.out_of_sale_at,
    d.sales, d.days, w.weekday_sold, w.weekday_days,
    (SELECT count(*) FROM fulfillments f JOIN order_lines l ON l.id = f.line_id
        WHERE f.outlet_id = s.outlet_id AND l.slot = s.slot AND f.settlement IS NULL) AS promised,
    coalesce((SELECT jsonb_agg(jsonb_build_object('pieces', t.pieces, 'expires_on', t.expires_on)
            ORDER BY t.id DESC)
        FROM (SELECT * FROM stock_lots l WHERE l.outlet_id = s.outlet_id AND l.slot = s.slot
            ORDER BY l.id DESC LIMIT 20) t), '[]') AS lots
FROM slots s JOIN products p ON p.id = s.product_id
LEFT JOIN slot_demand d ON d.outlet_id = s.outlet_id AND d.slot = s.slot
    AND d.product_id = s.product_id
LEFT JOIN outlet_demand w ON w.outlet_id = s.outlet_id
WHERE s.outlet_id = ANY ($1) ORDER BY s.outlet_id, s.slot
"""

# What vends do not explain, the newest first: goods that were taken out, or fell unseen.
DIFFERENCES = """
SELECT slot, cause, expected, counted, at FROM stock_differences
WHERE outlet_id = $1 AND cause <> 'refill' ORDER BY id DESC LIMIT $2
"""

ROUTES = """
SELECT name, machines FROM routes WHERE merchant_id = $1 AND dropped_at IS NULL ORDER BY name
"""

ROUTE = """
SELECT name, machines FROM routes WHERE merchant_id = $1 AND name = $2 AND dropped_at IS NULL
"""

PUT_ROUTE = """
INSERT INTO routes (merchant_id, name, machines, made_by, changed_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (merchant_id, name) DO UPDATE SET machines = $3, made_by = $4, changed_at = $5,
    dropped_at = NULL
"""

DROP_ROUTE = """
UPDATE routes SET dropped_at = $3 WHERE merchant_id = $1 AND name = $2 AND dropped_at IS NULL
RETURNING name
"""

# Machines whose last day that is over is not learned yet, an hour after its end; $2 is the zone of
# those that have none.
DAYS_TO_LEARN = """
SELECT o.id AS code, o.merchant_id, coalesce(o.zone, m.zone, $2) AS zone
FROM outlets o JOIN merchants m ON m.id = o.merchant_id
LEFT JOIN outlet_demand d ON d.outlet_id = o.id
WHERE o.kind = 'vending' AND o.decommissioned_at IS NULL
    AND (d.through_day IS NULL OR d.through_day
        < (($1::timestamptz - interval '1 hour') AT TIME ZONE coalesce(o.zone, m.zone, $2))::date
            - 1)
ORDER BY d.through_day NULLS FIRST, o.id LIMIT $3
"""

LOCK_LEARNED = """
SELECT weekday_sold, weekday_days, through_day FROM outlet_demand WHERE outlet_id = $1
FOR NO KEY UPDATE
"""

# A machine of which nothing is known begins with its next day: its history is not read.
BEGIN_LEARNING = """
INSERT INTO outlet_demand (outlet_id, merchant_id, weekday_sold, weekday_days, through_day)
VALUES ($1, $2, array_fill(0::float8, ARRAY[7]), array_fill(0::float8, ARRAY[7]), $3)
ON CONFLICT (outlet_id) DO NOTHING
"""

# A slot with another product than before begins anew.
BEGIN_SLOTS = """
INSERT INTO slot_demand AS d (outlet_id, slot, merchant_id, product_id, sales, days, held, through)
SELECT s.outlet_id, s.slot, s.merchant_id, s.product_id, $2, $3, s.stock,
    coalesce((SELECT max(v.number) FROM slot_vends v WHERE v.outlet_id = s.outlet_id
        AND v.slot = s.slot), 0)
FROM slots s WHERE s.outlet_id = $1
ON CONFLICT (outlet_id, slot) DO UPDATE SET product_id = excluded.product_id,
    sales = excluded.sales, days = excluded.days, held = excluded.held,
    through = excluded.through, likely = NULL WHERE d.product_id <> excluded.product_id
"""

# What fell since, by the days of the machine's zone ($2), until the end of the last one ($3).
VENDS_BY_DAY = """
SELECT d.slot, (v.at AT TIME ZONE $2)::date AS day, count(*)::integer AS sold, max(v.at) AS last,
    max(v.number) AS through
FROM slot_demand d JOIN slot_vends v ON v.outlet_id = d.outlet_id AND v.slot = d.slot
    AND v.number > d.through
WHERE d.outlet_id = $1 AND v.at < $3 AND v.word = 'fell' GROUP BY 1, 2
"""

LEARNED_SLOTS = """
SELECT d.slot, d.sales, d.days, d.held, d.through, s.stock, s.out_of_sale_at IS NOT NULL AS out
FROM slot_demand d JOIN slots s ON s.outlet_id = d.outlet_id AND s.slot = d.slot
WHERE d.outlet_id = $1 ORDER BY d.slot
"""

LEARN_SLOT = """
UPDATE slot_demand SET sales = $3, days = $4, held = $5, through = $6, likely = $7
WHERE outlet_id = $1 AND slot = $2
"""

LEARN_WEEK = """
UPDATE outlet_demand SET weekday_sold = $2, weekday_days = $3, through_day = $4
WHERE outlet_id = $1
"""
