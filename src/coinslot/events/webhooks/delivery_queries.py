"""The two statements around sending a webhook: claim what is due, and record the outcome. Of a line
(all about one payment, or one order) only the first may go. What waits behind a failed one is put
off once, for longer than that one can take; when it ends, the next is due at once. So no claim
reads what cannot go yet, and no try rewrites the whole line."""

# Each endpoint and each merchant has a limit, less what is under way; an endpoint that fails has
# one place until a delivery succeeds. The first of a line is found by the one index that has this
# order: with `=` the server may choose another, and read everything that ended.
CLAIM = """
WITH busy AS MATERIALIZED (
    SELECT * FROM unnest($5::uuid[], $6::uuid[], $7::integer[]) AS b (endpoint, merchant, places)
), room AS MATERIALIZED (
    SELECT e.id, e.merchant_id, f.places - coalesce(b.places, 0) AS places
    FROM webhook_endpoints e LEFT JOIN busy b ON b.endpoint = e.id
    CROSS JOIN LATERAL (SELECT CASE WHEN e.failing_since IS NULL THEN $3 ELSE 1 END) AS f (places)
    WHERE e.status = 'enabled' AND e.deleted_at IS NULL
    AND (e.not_before IS NULL OR e.not_before <= $1) AND coalesce(b.places, 0) < f.places
    AND EXISTS (SELECT FROM deliveries d WHERE d.endpoint_id = e.id AND d.outcome IS NULL
        AND d.due_at <= $1)
), ready AS MATERIALIZED (
    SELECT d.*, row_number() OVER (PARTITION BY r.merchant_id ORDER BY d.due_at, d.seq) AS place,
        (SELECT coalesce(sum(b.places), 0) FROM busy b WHERE b.merchant = r.merchant_id) AS taken
    FROM room r CROSS JOIN LATERAL (
        SELECT d.id, d.due_at, d.seq FROM deliveries d
        WHERE d.endpoint_id = r.id AND d.outcome IS NULL AND d.due_at <= $1
        AND (d.leased_until IS NULL OR d.leased_until <= statement_timestamp())
        AND d.seq = (SELECT o.seq FROM deliveries o WHERE o.outcome IS NULL
            AND (o.endpoint_id, o.line) >= (d.endpoint_id, d.line)
            ORDER BY o.endpoint_id, o.line, o.seq LIMIT 1)
        ORDER BY d.due_at, d.seq LIMIT r.places
    ) d
), wanted AS MATERIALIZED (
    SELECT id FROM ready WHERE place + taken <= $8 ORDER BY due_at LIMIT $2
), chosen AS MATERIALIZED (
    SELECT d.id FROM deliveries d WHERE d.id IN (SELECT id FROM wanted)
    AND d.outcome IS NULL AND d.due_at <= $1
    AND (d.leased_until IS NULL OR d.leased_until <= statement_timestamp())
    FOR NO KEY UPDATE SKIP LOCKED
), leased AS (
    UPDATE deliveries d SET leased_until = clock_timestamp() + $4::interval
    FROM chosen c WHERE d.id = c.id RETURNING d.*
)
SELECT l.*, e.url, e.secret, e.old_secret, e.old_secret_until, e.failing_since,
    p.id AS event, p.type, p.data, p.at
FROM leased l JOIN webhook_endpoints e ON e.id = l.endpoint_id
JOIN public_events p ON p.seq = l.seq ORDER BY l.due_at, l.seq
"""
LET_GO = "UPDATE deliveries SET leased_until = NULL WHERE id = $1 AND leased_until = $2"
# Only the process that still holds the lease writes the outcome. $10 is when what waits behind a
# failed one would be due if nothing made it due before.
SETTLE = """
WITH done AS (
    UPDATE deliveries SET tried = tried + 1, tries = tries + 1, leased_until = NULL,
        outcome = $3, ended_at = CASE WHEN $3::text IS NULL THEN NULL ELSE $5::timestamptz END,
        due_at = $4
    WHERE id = $1 AND leased_until = $2 AND outcome IS NULL RETURNING *
), kept AS (
    INSERT INTO delivery_tries
        (delivery_id, number, merchant_id, status, failure, response, took_ms, at)
    SELECT id, tried, merchant_id, $6, $7, $8, $9, $5 FROM done
), behind AS (
    UPDATE deliveries o SET due_at = $10 FROM done d WHERE o.endpoint_id = d.endpoint_id
    AND o.line = d.line AND o.seq > d.seq AND o.outcome IS NULL AND o.due_at < $4
), next AS (
    UPDATE deliveries o SET due_at = $5 FROM done d WHERE d.outcome IS NOT NULL
    AND o.endpoint_id = d.endpoint_id AND o.line = d.line AND o.outcome IS NULL AND o.due_at > $5
    AND o.seq = (SELECT n.seq FROM deliveries n WHERE n.outcome IS NULL
        AND (n.endpoint_id, n.line, n.seq) > (d.endpoint_id, d.line, d.seq)
        ORDER BY n.endpoint_id, n.line, n.seq LIMIT 1)
)
SELECT true FROM done
"""
