"""The statements of this room, by name: vending."""

NEXT_UNIT = "SELECT * FROM next_unit($1, $2, $3, true)"

OFFER_UNIT = "SELECT * FROM offer_unit($1, $2, $3, $4)"

# A seq that no device can have reached is not believed: it would use up the numbers.
RAISE_SEQ = """
UPDATE devices SET
    next_seq = next_seq
        + CASE WHEN $2 - next_seq BETWEEN 0 AND 1000000 THEN $2 - next_seq + 1 ELSE 0 END,
    journal_id = $3, boot_id = $4,
    has_sensor = $5, mdb = $11, firmware = $6, last_seen_at = $7,
    -- One that nobody can have made counts as none.
    config_version = CASE WHEN $8::bigint < 1000000000
            OR $8 <= (SELECT o.config_version FROM outlets o WHERE o.id = $1) THEN $8
        WHEN $8 IS NOT NULL THEN 0 END,
    hardware = coalesce($9, hardware), build_sequence = $10,
    journal_formats = $12 WHERE outlet_id = $1
RETURNING (SELECT config_version FROM outlets WHERE id = $1)
"""

# Settling a unit books money on its capture, whose row comes first. Both rows of the unit are
# locked: one that is not would be read as it was before the wait for the other.
LOCK_UNIT = """
WITH c AS MATERIALIZED (
    SELECT id FROM captures WHERE id = (SELECT capture_id FROM fulfillments
        WHERE id = $1 AND outlet_id = $2) FOR NO KEY UPDATE
)
SELECT f.*, v.slot, v.seq, v.offers, v.offered_at, v.accept, v.journal_id, v.boot_id, v.go_message,
    v.lease_end, v.started_at, v.nonce, v.asked_at, v.queries, v.mdb, l.sku, o.channel, o.dialect,
    coalesce(r.price_version, o.price_version) AS price_version,
    coalesce(r.planogram_version, o.planogram_version) AS planogram_version,
    o.decommissioned_at, windows_at(o) AS windows, d.secret, d.key_id,
    o.device_config ? 'food_lock'
        OR EXISTS (SELECT FROM outlet_stops s WHERE s.outlet_id = o.id) AS may_stop
FROM fulfillments f LEFT JOIN c ON c.id = f.capture_id JOIN vend_units v ON v.id = f.id
LEFT JOIN orders r ON r.id = f.order_id
JOIN order_lines l ON l.id = f.line_id JOIN outlets o ON o.id = f.outlet_id
LEFT JOIN devices d ON d.outlet_id = f.outlet_id
WHERE f.id = $1 AND f.outlet_id = $2 FOR NO KEY UPDATE OF f, v
"""

HEARD_TOGETHER = "SELECT heard_together($1, $2)"

# What a GO is signed over.
TO_SIGN = """
SELECT f.state, f.kind, v.seq, v.slot, v.mdb, windows_at(o) AS windows, d.secret, d.key_id
FROM fulfillments f JOIN vend_units v ON v.id = f.id JOIN outlets o ON o.id = f.outlet_id
JOIN devices d ON d.outlet_id = f.outlet_id WHERE f.id = $1 AND f.outlet_id = $2
"""

UNIT_OF_ORDER = """
SELECT id FROM fulfillments WHERE outlet_id = $1 AND order_id = $2 AND sent_at IS NOT NULL
ORDER BY settlement IS NOT NULL, queued_at LIMIT 1
"""

OPEN_UNITS_TO_ASK = """
SELECT id FROM vend_units WHERE outlet_id = $1 AND open AND journal_id IS NOT NULL
"""

KEEP_EVENT = "SELECT * FROM keep_event($1, $2, $3, $4, $5)"

# What a machine says about a unit after its settlement moves no money, and still says what fell.
NOTE_VEND = "SELECT note_vend($1, $2, $3)"

MEET_JOURNAL = "SELECT meet_journal($1, $2, $3, $4, $5)"

# Each unknown journal once per unit, up to a limit: a stolen secret could send them without end.
NOTE_STRANGE_JOURNAL = """
SELECT tell($1, 'fulfillment', $2, 'STRANGE_JOURNAL', jsonb_build_object('journal_id', $3::text),
    $4)
FROM (SELECT count(*) AS noted, count(*) FILTER (WHERE data->>'journal_id' = $3) AS this
    FROM events WHERE subject_id = $2 AND event = 'STRANGE_JOURNAL') s WHERE noted < 8 AND this = 0
"""

# No row when this nonce was answered so before.
KEEP_ANSWER = """
SELECT tell($1, 'fulfillment', $2, 'ANSWERED', $3, $4), true
WHERE NOT EXISTS (SELECT FROM events WHERE subject_id = $2 AND event = 'ANSWERED'
    AND data->>'nonce' = $3->>'nonce' AND data->>'state' = $3->>'state')
"""

RECORD_HEARTBEATS = """
WITH b AS (
    SELECT * FROM unnest($1::text[], $2::timestamptz[]) AS b (outlet_id, at)
), locked AS MATERIALIZED (
    SELECT d.outlet_id FROM devices d WHERE d.outlet_id = ANY ($1::text[])
    ORDER BY d.outlet_id FOR NO KEY UPDATE  -- two processes may have heard the same machines
)
UPDATE devices d SET last_seen_at = greatest(d.last_seen_at, b.at)
FROM b JOIN locked l ON l.outlet_id = b.outlet_id WHERE d.outlet_id = b.outlet_id
"""

# Outlets with a queued unit among those that were just online.
WAITING = """
SELECT DISTINCT f.merchant_id, f.outlet_id FROM fulfillments f
WHERE f.outlet_id = ANY($1) AND f.state = 'queued'
"""

# When each unit's order was first sent to its machine, of those that were.
OFFERED_AT = "SELECT max(offered_at) FROM vend_units WHERE id = ANY($1)"

# A page that asks while the lease runs is too early, and may ask again at once.
ASKED_TOO_EARLY = """
UPDATE fulfillments SET page_asked_at = NULL
WHERE id = $1 AND EXISTS (SELECT FROM vend_units WHERE id = $1 AND lease_end > $2) RETURNING true
"""

# The channel of a machine that is connected somewhere; no row when it was not online since then.
ONLINE_BY = """
SELECT o.channel FROM outlets o JOIN devices d ON d.outlet_id = o.id
WHERE o.id = $1 AND d.last_seen_at >= $2
"""

# Why an outlet sells nothing now, and whether what was paid goes back at once.
STOP = "SELECT * FROM outlet_stop($1, $2)"

# An offer was not answered; from `$4` of them in a row on the machine sells nothing until `$5`.
UNANSWERED = """
INSERT INTO outlet_stops AS s (outlet_id, why, merchant_id, since, until, count)
VALUES ($1, 'no_answer', $2, $3::timestamptz,
    CASE WHEN $4::integer <= 1 THEN $5::timestamptz ELSE $3 END, 1)
ON CONFLICT (outlet_id, why) DO UPDATE SET count = s.count + 1,
    since = CASE WHEN s.count + 1 = $4 THEN $3 ELSE s.since END,
    until = CASE WHEN s.count + 1 >= $4 THEN $5 ELSE s.until END
"""

ANSWERED = """
UPDATE outlet_stops SET count = 0, until = $2
WHERE outlet_id = $1 AND why = 'no_answer' AND count > 0
"""

# The machine says itself that it is too warm: until a visit where its configuration asks for a food
# lock, else for a while.
TOO_WARM = """
INSERT INTO outlet_stops AS s (outlet_id, why, merchant_id, since, until, returns_money, data)
SELECT o.id, 'food_lock', o.merchant_id, $2::timestamptz,
    CASE WHEN NOT o.device_config ? 'food_lock' THEN $3::timestamptz END, true,
    '{"by": "machine"}' FROM outlets o WHERE o.id = $1
ON CONFLICT (outlet_id, why) DO UPDATE SET until = excluded.until,
    since = CASE WHEN s.until <= $2 THEN $2 ELSE s.since END, data = excluded.data
    WHERE s.until IS NOT NULL
"""
