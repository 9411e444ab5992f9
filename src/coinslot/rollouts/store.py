"""The statements of this room, by name."""

from typing import Final

# Keys and builds.

ADD_KEY = """
INSERT INTO firmware_keys (id, merchant_id, name, public_key, added_at)
VALUES ($1, $2, $3, $4, $5) ON CONFLICT (merchant_id, public_key) DO NOTHING RETURNING id
"""
RETIRE_KEY = """
UPDATE firmware_keys SET retired_at = $3 WHERE id = $1 AND merchant_id = $2 AND retired_at IS NULL
RETURNING name
"""
KEYS = """
SELECT id, name, public_key, added_at, retired_at FROM firmware_keys WHERE merchant_id = $1
ORDER BY added_at, id
"""
ADD_BUILD = """
INSERT INTO firmware_builds (id, merchant_id, key_id, build_version, sequence, hardware, kind, size,
    sha256, min_from, formats, expires_at, manifest, signature, uploaded_by, uploaded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (merchant_id, hardware, kind, sequence) DO NOTHING RETURNING id
"""
SAME_BUILD = """
SELECT id FROM firmware_builds WHERE merchant_id = $1 AND hardware = $2 AND kind = $3
    AND sequence = $4 AND manifest = $5
"""
BUILDS = """
SELECT b.id, b.build_version AS version, b.sequence, b.hardware, b.kind, b.size, b.sha256,
    b.min_from, b.formats AS journal_formats, b.expires_at AS expires, b.uploaded_by,
    b.uploaded_at, k.name AS key
FROM firmware_builds b JOIN firmware_keys k ON k.id = b.key_id
WHERE b.merchant_id = $1 AND ($2::uuid IS NULL OR b.id = $2)
ORDER BY b.uploaded_at DESC, b.id DESC LIMIT $3
"""

# Roll-outs.

ADD_ROLLOUT = """
INSERT INTO rollouts (id, merchant_id, build_id, hardware, kind, rules, machines, created_by,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
# The highest sequence that any machine of this hardware got, or is getting.
HIGHEST = """
SELECT max(b.sequence) FROM firmware_builds b JOIN rollouts r ON r.build_id = b.id
WHERE b.merchant_id = $1 AND b.hardware = $2 AND b.kind = $3 AND EXISTS (
    SELECT FROM machine_updates u WHERE u.rollout_id = r.id AND u.go_at IS NOT NULL)
"""
# Formats that the code reads which machines of this hardware run now, as they say or as their build
# says: what is kept beside the new code has to read what that code writes. A machine of which
# neither is known is asked itself.
KEPT_BUILDS = """
SELECT d.outlet_id, coalesce(b.build_version, nullif(d.firmware, ''), d.outlet_id) AS build_version,
    coalesce(d.journal_formats, b.formats) AS formats FROM devices d
LEFT JOIN firmware_builds b ON b.merchant_id = d.merchant_id AND b.hardware = d.hardware
    AND b.sequence = d.build_sequence AND b.kind = $3
WHERE d.merchant_id = $1 AND d.hardware = $2 AND ($4::text[] IS NULL OR d.outlet_id = ANY ($4))
    AND coalesce(d.journal_formats, b.formats) IS NOT NULL
"""
LOCK_ROLLOUT = """
SELECT r.*, b.build_version, b.sequence, b.expires_at, b.formats, b.min_from
FROM rollouts r JOIN firmware_builds b ON b.id = r.build_id
WHERE r.id = $1 AND r.merchant_id = $2 FOR NO KEY UPDATE OF r
"""
ROLLOUT_OF = "SELECT merchant_id FROM rollouts WHERE id = $1"
ROLLOUTS = """
SELECT r.*, b.build_version, b.sequence, b.expires_at,
    coalesce((SELECT jsonb_object_agg(c.state, c.count) FROM (SELECT u.state, count(*) AS count
        FROM machine_updates u WHERE u.rollout_id = r.id GROUP BY u.state) c), '{}') AS counts
FROM rollouts r JOIN firmware_builds b ON b.id = r.build_id
WHERE r.merchant_id = $1 AND ($2::uuid IS NULL OR r.id = $2)
ORDER BY r.created_at DESC, r.id DESC LIMIT $3
"""
STAGES = """
SELECT stage, state, count(*) AS machines FROM machine_updates WHERE rollout_id = $1
GROUP BY stage, state ORDER BY stage, state
"""
MACHINES = """
SELECT u.id, u.outlet_id AS machine, o.name, o.place, u.stage, u.state, u.attempt, u.code, u.go_at,
    u.confirmed_at, u.ended_at, d.firmware, d.last_seen_at AS last_heard_at,
    EXISTS (SELECT FROM outlet_stops s WHERE s.outlet_id = u.outlet_id AND s.why = 'update'
        AND s.until IS NULL) AS off_sale,
    (SELECT s.until FROM outlet_stops s WHERE s.outlet_id = u.outlet_id AND s.why = 'before_update'
        AND s.until > $4 AND u.state = 'verified') AS off_sale_until
FROM machine_updates u JOIN outlets o ON o.id = u.outlet_id
LEFT JOIN devices d ON d.outlet_id = u.outlet_id
WHERE u.rollout_id = $1 AND ($2::text IS NULL OR u.state = $2)
ORDER BY u.stage, u.place LIMIT $3
"""
# Machines that a build is for and that are not in the roll-out yet. One that has not said its
# hardware is asked: it refuses what is not for it.
NEW_MACHINES = """
SELECT o.id FROM outlets o JOIN devices d ON d.outlet_id = o.id
WHERE o.merchant_id = $1 AND o.kind = 'vending' AND o.dialect = 'leased' AND o.channel <> 'practice'
    AND o.decommissioned_at IS NULL AND coalesce(d.hardware, $3) = $3
    AND ($4::text[] IS NULL OR o.id = ANY ($4))
    AND NOT EXISTS (SELECT FROM machine_updates u WHERE u.rollout_id = $2 AND u.outlet_id = o.id)
ORDER BY o.id
"""
ADD_MACHINES = """
INSERT INTO machine_updates (id, merchant_id, rollout_id, outlet_id, place, stage, created_at)
SELECT u.id, $1, $2, u.outlet, u.place, u.stage, $3
FROM unnest($4::uuid[], $5::text[], $6::text[], $7::integer[]) AS u (id, outlet, place, stage)
ON CONFLICT (rollout_id, outlet_id) DO NOTHING
"""

# One machine.

LOCK_DEVICE = """
SELECT d.outlet_id, d.boot_id, d.firmware, d.hardware, d.build_sequence, d.last_seen_at, o.channel
FROM devices d JOIN outlets o ON o.id = d.outlet_id
WHERE d.outlet_id = $1 FOR NO KEY UPDATE OF d
"""
OPEN_UPDATES = """
SELECT id FROM machine_updates WHERE outlet_id = $1
    AND state NOT IN ('confirmed', 'failed', 'rolled_back', 'skipped') ORDER BY id
"""
# A word of the machine in this state, which it had no consequence for.
SAID_BEFORE = """
SELECT EXISTS (SELECT FROM events WHERE subject_id = $1 AND machine = 'machine_update'
    AND event = $2 AND was = $3 AND state = $3)
"""
UPDATE_OF = "SELECT id FROM machine_updates WHERE rollout_id = $1 AND outlet_id = $2"
LOCK_UPDATE = """
SELECT u.*, r.rules, b.build_version, b.sequence, r.state AS rollout_state, b.expires_at
FROM machine_updates u JOIN rollouts r ON r.id = u.rollout_id
JOIN firmware_builds b ON b.id = r.build_id
WHERE u.id = $1 AND u.merchant_id = $2 FOR NO KEY UPDATE OF u
"""
BEGIN_COUNTS = """
UPDATE machine_updates SET boots = 0, boot_seen = $2, samples = 0, unheard = 0 WHERE id = $1
"""
# The boots of a build are counted from when it is confirmed, those of the old one until GO.
NOTE_BOOT = """
UPDATE machine_updates u SET boots = u.boots + (u.boot_seen IS NOT NULL)::integer, boot_seen = $2
FROM rollouts r WHERE r.id = u.rollout_id AND r.state IN ('running', 'soaking')
    AND u.outlet_id = $1 AND u.boot_seen IS DISTINCT FROM $2 AND u.state IN ('waiting', 'confirmed')
"""
NOTE_CODE = "UPDATE machine_updates SET code = $2 WHERE id = $1"
PUT_OFF = "UPDATE machine_updates SET due_at = $2, leased_until = NULL WHERE id = $1"
PUT_OFF_ROLLOUT = "UPDATE rollouts SET due_at = $2, leased_until = NULL WHERE id = $1"
# What has to be nothing before a machine may install: money that waits for goods, a unit that is
# open, and a customer who is about to pay.
BUSY = """
SELECT (SELECT count(*) FROM fulfillments f WHERE f.outlet_id = $1 AND f.settlement IS NULL)
        AS paid,
    (SELECT count(*) FROM vend_units v WHERE v.outlet_id = $1 AND v.open) AS open,
    (SELECT count(*) FROM attempts a JOIN payments p ON p.id = a.payment_id
        JOIN orders r ON r.id = p.order_id
        WHERE a.outlet_id = $1 AND a.make_at > $2 AND r.state = 'placed') AS paying,
    coalesce(o.zone, m.zone) AS zone, o.decommissioned_at
FROM outlets o JOIN merchants m ON m.id = o.merchant_id WHERE o.id = $1
"""
OFF_SALE = """
INSERT INTO outlet_stops AS s (outlet_id, why, merchant_id, since)
SELECT id, 'update', merchant_id, $2 FROM outlets WHERE id = $1
ON CONFLICT (outlet_id, why) DO UPDATE SET until = NULL,
    since = CASE WHEN s.until IS NULL THEN s.since ELSE $2 END
"""
ON_SALE = """
UPDATE outlet_stops SET until = $2 WHERE outlet_id = $1 AND why = 'update' AND until IS NULL
AND NOT EXISTS (SELECT FROM machine_updates u WHERE u.outlet_id = $1 AND u.go_at IS NOT NULL
    AND u.state IN ('installing', 'trial', 'silent'))
"""
# Nothing new is sold until `$3`, and what is paid is handed over; not again before `$4` lies behind
# the end of the last time.
OFF_SALE_BEFORE = """
INSERT INTO outlet_stops AS s (outlet_id, why, merchant_id, since, until)
SELECT id, 'before_update', merchant_id, $2::timestamptz, $3::timestamptz FROM outlets WHERE id = $1
ON CONFLICT (outlet_id, why) DO UPDATE SET since = excluded.since, until = excluded.until
    WHERE s.until <= $4
"""
END_OFF_SALE_BEFORE = """
UPDATE outlet_stops SET until = $2 WHERE outlet_id = $1 AND why = 'before_update' AND until > $2
"""
# The same, when no roll-out waits for this machine any more.
END_IF_NONE_WAITS = (
    END_OFF_SALE_BEFORE
    + """
AND NOT EXISTS (SELECT FROM machine_updates u WHERE u.outlet_id = $1 AND u.state = 'verified')
"""
)

# The wave.

COUNTS = """
SELECT count(*) FILTER (WHERE u.state = 'confirmed') AS confirmed,
    count(*) FILTER (WHERE u.state IN ('failed', 'rolled_back', 'silent')) AS failures,
    count(*) FILTER (WHERE u.state IN ('offered', 'downloading')) AS downloads,
    count(*) FILTER (WHERE u.state IN ('offered', 'downloading', 'verified', 'installing', 'trial'))
        AS under_way,
    count(*) FILTER (WHERE u.state = 'waiting' AND u.stage <= $2
        AND (d.last_seen_at > $3 OR $4)) AS awaited,
    min(u.stage) FILTER (WHERE u.stage > $2) AS next_stage
FROM machine_updates u LEFT JOIN devices d ON d.outlet_id = u.outlet_id WHERE u.rollout_id = $1
"""
# In their order, those that can be reached; locked, so that two processes never offer to one twice.
TO_OFFER = """
SELECT u.id, u.outlet_id, u.attempt, coalesce(o.zone, m.zone) AS zone
FROM machine_updates u JOIN outlets o ON o.id = u.outlet_id JOIN merchants m ON m.id = o.merchant_id
JOIN devices d ON d.outlet_id = u.outlet_id
WHERE u.rollout_id = $1 AND u.state = 'waiting' AND u.stage <= $2 AND d.last_seen_at >= $3
    AND o.decommissioned_at IS NULL AND NOT EXISTS (SELECT FROM machine_updates x
        WHERE x.outlet_id = u.outlet_id
        AND x.state IN ('offered', 'downloading', 'verified', 'installing', 'trial'))
ORDER BY u.stage, u.place FOR NO KEY UPDATE OF u SKIP LOCKED
"""
# Machines that have the build already, by whatever way, or are out of service.
TO_SKIP = """
SELECT u.id, u.state, CASE WHEN o.decommissioned_at IS NOT NULL THEN 'OUT_OF_SERVICE'
        WHEN d.build_sequence > $3 THEN 'SEQUENCE' WHEN d.build_sequence < $5 THEN 'MIN_FROM'
        ELSE 'HAS_IT' END AS code
FROM machine_updates u JOIN outlets o ON o.id = u.outlet_id
LEFT JOIN devices d ON d.outlet_id = u.outlet_id
WHERE u.rollout_id = $1 AND u.state = 'waiting' AND u.stage <= $2
    AND (d.build_sequence >= $3 OR d.build_sequence < $5
        OR (d.build_sequence IS NULL AND d.firmware = $4)
        OR o.decommissioned_at IS NOT NULL)
ORDER BY u.id
"""
WITHDRAWN = """
SELECT id, state FROM machine_updates WHERE rollout_id = $1
    AND state IN ('waiting', 'offered', 'downloading', 'verified') ORDER BY id FOR NO KEY UPDATE
"""
SAMPLE = """
UPDATE machine_updates u SET samples = u.samples + 1,
    unheard = u.unheard + (coalesce(d.last_seen_at, '-infinity') < $2)::integer
FROM devices d WHERE d.outlet_id = u.outlet_id AND u.rollout_id = $1
    AND u.state IN ('waiting', 'confirmed')
"""
SAMPLED = "UPDATE rollouts SET sampled_at = $2 WHERE id = $1"
FORGIVEN = "UPDATE rollouts SET forgiven = least(forgiven, $2) WHERE id = $1"
BEGIN_SAMPLES = """
UPDATE machine_updates SET samples = 0, unheard = 0, boots = 0 WHERE rollout_id = $1
    AND state IN ('waiting', 'confirmed')
"""

# What happened to a unit `f` on its way: when it was first offered, whether its machine put it off
# (`BUSY`, an open door, no answer), and whether nobody knew of it for a while. One that was never
# offered says nothing about the machine's code; being unheard is counted by itself. One that was
# offered counts however it ended: code that refuses until the time is over sells nothing.
_ON_ITS_WAY: Final = """
    CROSS JOIN LATERAL (SELECT min(e.at) FILTER (WHERE e.event = 'OFFER') AS offered_at,
            bool_or(e.was = 'offered' AND e.event IN ('BUSY', 'SILENCE')) AS put_off,
            bool_or(e.state = 'in_doubt') AS doubted
        FROM events e WHERE e.subject_id = f.id AND e.machine = 'fulfillment') w
    WHERE f.settlement IS NOT NULL AND w.offered_at IS NOT NULL
"""
_COUNTED: Final = """count(*) AS vends,
    count(*) FILTER (WHERE settlement = 'refund_due') AS failed,
    count(*) FILTER (WHERE doubted) AS doubted, count(*) FILTER (WHERE put_off) AS put_off,
    count(*) FILTER (WHERE settled_at - offered_at > $4) AS late"""

# Of each machine: what its units came to since it has the build, and what those of the others came
# to in the same time; `$2`: since the soak began; `$4`: a unit that takes longer is late.
SOAKED: Final = f"""
WITH machine AS (
    SELECT u.outlet_id, u.state = 'confirmed' AS new, u.boots, u.samples, u.unheard,
        CASE WHEN u.state = 'confirmed' THEN greatest(u.confirmed_at, $2) ELSE $2 END AS since,
        CASE WHEN u.state = 'confirmed' THEN $3 ELSE coalesce(u.go_at, $3) END AS until
    FROM machine_updates u WHERE u.rollout_id = $1 AND u.state IN ('waiting', 'confirmed')
), unit AS (
    SELECT m.new, f.settlement, f.settled_at, w.* FROM machine m JOIN fulfillments f
        ON f.outlet_id = m.outlet_id AND f.settled_at >= m.since AND f.settled_at < m.until
    {_ON_ITS_WAY}
), units AS (SELECT new, {_COUNTED} FROM unit GROUP BY new)
SELECT n.new, count(m.*) AS machines, coalesce(max(u.vends), 0) AS vends,
    coalesce(max(u.failed), 0) AS failed, coalesce(max(u.doubted), 0) AS doubted,
    coalesce(max(u.put_off), 0) AS put_off, coalesce(max(u.late), 0) AS late,
    coalesce(sum(m.boots), 0) AS restarts,
    coalesce(sum(extract(epoch FROM greatest(m.until - m.since, interval '0')) / 3600.0), 0)::float
        AS hours,
    count(m.*) FILTER (WHERE m.unheard * 10 >= m.samples AND m.unheard > 0) AS offline
FROM (VALUES (true), (false)) AS n (new) LEFT JOIN machine m ON m.new = n.new
LEFT JOIN units u ON u.new = n.new GROUP BY n.new
"""
# The same of the time before, when too few are left that do not have the build.
BEFORE: Final = f"""
WITH unit AS (
    SELECT f.settlement, f.settled_at, w.* FROM machine_updates u JOIN fulfillments f
        ON f.outlet_id = u.outlet_id AND f.settled_at >= $2
        AND f.settled_at < coalesce(u.go_at, $3) AND u.rollout_id = $1
    {_ON_ITS_WAY}
)
SELECT {_COUNTED} FROM unit
"""

# Downloads.

DOWNLOAD = """
SELECT u.merchant_id, u.state, u.attempt, u.attempt_until, r.state AS rollout_state, b.manifest,
    b.signature, b.sha256, b.size, b.expires_at
FROM machine_updates u JOIN rollouts r ON r.id = u.rollout_id
JOIN firmware_builds b ON b.id = r.build_id WHERE u.id = $1
"""
