"""The auditor's checks of what merchants receive: every change once, and every webhook due until it
is delivered or ended."""

from collections.abc import Mapping

from coinslot.events.public import CHANGES, OWN_WORDS, SETTLED, TOLD

_STATES = ", ".join(
    f"('{machine}', '{state}')"
    for machine, states in CHANGES.items()
    for state in states
    if machine != "fulfillment"
)
_ENDS = " ".join(f"WHEN '{settles}' THEN '{word}'" for settles, word in SETTLED.items())
_OWN = ", ".join(f"'{word}'" for word in OWN_WORDS)
_ENTRIES = ", ".join(
    f"('{machine}', '{event}', '{state}')" for (machine, event), state in TOLD.items()
)

# What the announcer has read, it has announced; the payment of an order at a machine belongs to the
# order.
_ANNOUNCED = f"""
WITH stands AS (SELECT seq, since FROM feed_cursors WHERE name = 'announce'), owed AS (
    SELECT e.seq, e.merchant_id, e.machine || '.' || e.state AS type FROM events e
    WHERE (e.machine, e.state) IN ({_STATES}) AND e.state IS DISTINCT FROM e.was
    AND (e.machine <> 'payment'
         OR EXISTS (SELECT FROM payments p WHERE p.id = e.subject_id AND p.source = 'api'))
    UNION ALL
    SELECT e.seq, e.merchant_id, 'fulfillment.' || CASE WHEN e.state IN ({_OWN}) THEN e.state
        ELSE CASE settles_as(f.kind, e.state) {_ENDS} END END
    FROM events e JOIN fulfillments f ON f.id = e.subject_id
    WHERE e.machine = 'fulfillment' AND e.state IS DISTINCT FROM e.was
        AND settles_as(f.kind, e.state) IS NOT NULL
    UNION ALL
    SELECT e.seq, e.merchant_id, e.machine || '.' || t.state FROM events e
    JOIN (VALUES {_ENTRIES}) AS t (machine, event, state)
        ON t.machine = e.machine AND t.event = e.event
)
SELECT coalesce(o.seq, p.seq) AS seq, o.type AS owed, p.type AS told
FROM (SELECT o.* FROM owed o, stands s WHERE o.seq > s.since AND o.seq <= s.seq) o
FULL JOIN public_events p ON p.seq = o.seq
WHERE (o.seq IS NULL OR p.seq IS NULL OR o.type <> p.type OR o.merchant_id <> p.merchant_id)
"""

_OWED = """
SELECT d.id, d.endpoint_id, 'its endpoint was removed' AS why FROM deliveries d
JOIN webhook_endpoints e ON e.id = d.endpoint_id
WHERE d.outcome IS NULL AND e.deleted_at IS NOT NULL
UNION ALL
SELECT d.id, d.endpoint_id, 'its event or its endpoint is another merchant''s' FROM deliveries d
JOIN webhook_endpoints e ON e.id = d.endpoint_id JOIN public_events p ON p.seq = d.seq
WHERE d.merchant_id <> e.merchant_id OR d.merchant_id <> p.merchant_id OR d.line <> p.line
UNION ALL
SELECT d.id, d.endpoint_id, 'neither due nor ended' FROM deliveries d
WHERE (d.outcome IS NULL) <> (d.due_at IS NOT NULL)
UNION ALL
SELECT e.merchant_id, e.id, 'it has no secret, or one that it should not have'
FROM webhook_endpoints e WHERE (e.secret IS NULL) <> (e.deleted_at IS NOT NULL)
"""

# A 2xx delivers, whatever was tried before; the count is of the rows.
_TRIED = """
SELECT d.id, d.outcome, d.tried, count(t.number) AS tries FROM deliveries d
LEFT JOIN delivery_tries t ON t.delivery_id = d.id
GROUP BY d.id HAVING d.tried <> count(t.number) OR d.tries > d.tried
    OR d.outcome = 'delivered'
       AND NOT coalesce(bool_or(t.status BETWEEN 200 AND 299 AND t.number = d.tried), false)
"""

# Without a receiver it may wait.
UNTOLD = """
SELECT count(*) AS entries, min(e.at) AS since FROM events e, feed_cursors c
WHERE c.name = 'announce' AND e.seq > c.seq AND e.at < $1
    AND EXISTS (SELECT FROM webhook_endpoints w WHERE w.deleted_at IS NULL)
HAVING count(*) > 0
"""
DISABLED = """
SELECT id, url, disabled_reason, failing_since FROM webhook_endpoints
WHERE status = 'disabled' AND deleted_at IS NULL ORDER BY id
"""

TELLING: Mapping[str, str] = {
    "every_change_is_announced_once": _ANNOUNCED,
    "every_delivery_is_owed_or_ended": _OWED,
    "every_delivery_rests_on_its_tries": _TRIED,
}
