"""The statements of this room, by name: telemetry."""

TAKE_READINGS = "SELECT locked FROM take_readings($1, $2, $3, $4)"

CHECK_COUNTERS = "SELECT outlet FROM check_counters($1, $2)"

# Where comparing begins, and what was counted since by the machine's last word. None of another
# journal, or of a counter that went back: there comparing begins anew.
COUNTER = """
SELECT c.since, c.differs_since, m.told_at, m.sales - c.sales AS machine_vends,
    n.fell AS our_vends, n.may_have AS unsure
FROM counter_checks c JOIN machine_counters m ON m.outlet_id = c.outlet_id
JOIN devices d ON d.outlet_id = c.outlet_id AND d.journal_id = c.journal_id
CROSS JOIN LATERAL left_since(c.outlet_id, c.vend, c.since) n
WHERE c.outlet_id = $1 AND m.sales >= c.sales AND NOT d.mdb
"""

TAKE_LOG_LINES = "SELECT take_log_lines($1, $2, $3, $4, $5, $6)"

HEALTH = """
SELECT o.id AS machine, o.name, o.place, o.kind, o.currency::text, o.device_config, h.at,
    h.temperature_c, h.temperature_at, h.warm_since, h.grace_until, h.door_open, h.reset_reason,
    h.free_heap, h.journal_used, h.rssi, coalesce(h.firmware, d.firmware) AS firmware,
    coalesce(h.config_version, d.config_version) AS config_version, h.uptime_s, h.counters,
    (SELECT count(*) FROM unnest(h.restarts) r
        WHERE r > $2::timestamptz - interval '1 hour') AS restarts,
    d.last_seen_at, r.limit_c, r.warm_for, r.grace, r.silent_for, food_stop(o.id, $2) AS food_stop
FROM outlets o LEFT JOIN machine_health h ON h.outlet_id = o.id
LEFT JOIN devices d ON d.outlet_id = o.id LEFT JOIN LATERAL food_rule(o.device_config) r ON true
WHERE o.id = $1
"""

STOPS = """
SELECT why, since, until, count, data FROM outlet_stops
WHERE outlet_id = $1 AND (until IS NULL OR until > $2) ORDER BY why
"""

SAMPLES = """
SELECT at, low, high, sum_c, readings_c, heard_s, free_heap, rssi, journal_used, door_open
FROM machine_samples WHERE outlet_id = $1 AND span = $2 AND at >= $3 AND at < $4 ORDER BY at
"""

# `$3` is escaped by who asks. The newest first; `$4` ends the page before.
LOGS = """
SELECT id, at, mono_ms, level, text FROM machine_logs
WHERE outlet_id = $1 AND ($2::text[] IS NULL OR level = ANY ($2))
AND ($3::text IS NULL OR text ILIKE '%' || $3 || '%') AND ($4::bigint IS NULL OR id < $4)
ORDER BY id DESC LIMIT $5
"""

LEFT_OUT = """
SELECT coalesce(sum(left_out), 0)::bigint FROM machine_log_days WHERE outlet_id = $1 AND day >= $2
"""

LOCK_HEALTH = "SELECT true FROM machine_health WHERE outlet_id = $1 FOR NO KEY UPDATE"

# Whoever opened it gives it the grace of a visit.
VISITED = """
UPDATE machine_health h SET warm_since = NULL, grace_until = $2::timestamptz + r.grace
FROM outlets o LEFT JOIN LATERAL food_rule(o.device_config) r ON true
WHERE h.outlet_id = $1 AND o.id = $1
"""

UNLOCK = """
UPDATE outlet_stops SET until = $2 WHERE outlet_id = $1 AND why = 'food_lock'
AND (until IS NULL OR until > $2) RETURNING data
"""

KEEP_AUDIT = """
INSERT INTO machine_audits (id, outlet_id, merchant_id, read_at, digest, found)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (outlet_id, digest) DO NOTHING RETURNING *
"""

AUDIT_OF_DIGEST = "SELECT * FROM machine_audits WHERE outlet_id = $1 AND digest = $2"

AUDITS = "SELECT * FROM machine_audits WHERE outlet_id = $1 ORDER BY id DESC LIMIT $2"

AUDIT_BEFORE = """
SELECT * FROM machine_audits WHERE outlet_id = $1 AND id < $2 ORDER BY id DESC LIMIT 1
"""

# What left each slot in that time, and how much of it is not known to have stayed.
SOLD_BY_SLOT = """
SELECT v.slot, count(*) FILTER (WHERE f.settlement = 'fulfilled') AS vends,
    coalesce(sum(f.amount_minor) FILTER (WHERE f.settlement = 'fulfilled'), 0)::bigint AS minor,
    count(*) FILTER (WHERE f.settlement = 'refund_due' AND f.basis = 'policy') AS unsure
FROM fulfillments f JOIN vend_units v ON v.id = f.id
WHERE f.outlet_id = $1 AND ($2::timestamptz IS NULL OR f.settled_at > $2) AND f.settled_at <= $3
GROUP BY v.slot ORDER BY v.slot
"""

PRICES = "SELECT slot, price_minor FROM slots WHERE outlet_id = $1 ORDER BY slot"

SOLD_BY_HOUR = """
SELECT h.at, (SELECT count(*) FROM fulfillments f WHERE f.outlet_id = $1
    AND f.settlement = 'fulfilled' AND f.settled_at >= h.at
    AND f.settled_at < h.at + interval '1 hour')::integer AS sold
FROM generate_series(date_trunc('hour', $2::timestamptz), $3::timestamptz, '1 hour') h (at)
ORDER BY h.at
"""

SOLD_BY_DAY = """
SELECT date_trunc($3, d.at) AS at, sum(coalesce((SELECT sum(u.sold) FROM unit_days u
    WHERE u.outlet_id = $1 AND u.day = d.at::date), 0))::integer AS sold
FROM generate_series($2::date::timestamptz, $4::timestamptz, '1 day') d (at)
GROUP BY 1 ORDER BY 1
"""
