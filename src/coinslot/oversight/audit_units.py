"""The auditor's checks of units and machines: what settled a unit, GO, seq, journals.

It judges the stored evidence by itself: the rules of `vending/evidence.py`, written a second
time."""

from collections.abc import Mapping

# Every report that came after GO from the journal that accepted the unit, and what it proves.
_TESTIMONY = """
word AS (
    SELECT d.unit_id, d.outlet_id, d.journal_id, d.message->>'outcome' AS outcome,
        coalesce(d.message->>'slot', '') AS slot, d.message->'evidence' AS seen, d.at
    FROM device_events d WHERE d.message->>'type' = 'RESULT'
    UNION ALL
    SELECT e.subject_id, f.outlet_id, e.data->>'journal_id', e.data->>'state', '',
        e.data->'evidence', e.at
    FROM events e JOIN fulfillments f ON f.id = e.subject_id
    WHERE e.machine = 'fulfillment' AND e.event = 'ANSWERED'
), testimony AS (
    SELECT f.id AS unit_id, w.at, CASE
        WHEN w.slot NOT IN ('', v.slot) THEN NULL
        WHEN w.outcome = 'TOMBSTONED' THEN 'tombstone'
        WHEN w.outcome = 'VENDED' AND w.seen->>'drop' = 'no' AND w.seen->>'sensor_tested' = 'true'
            THEN NULL
        WHEN w.outcome = 'VENDED' THEN 'vended'
        WHEN w.outcome NOT IN ('FAILED', 'INTERRUPTED') THEN NULL
        WHEN w.seen->>'drop' = 'yes' THEN 'drop_evidence'
        WHEN w.seen->>'drop' = 'no' AND w.seen->>'sensor_tested' = 'true' THEN 'no_drop'
        WHEN w.outcome = 'FAILED' AND w.seen->>'drop' = 'no' AND w.seen->>'home' = 'true'
            AND w.seen->>'counter_before' = w.seen->>'counter_after' THEN 'no_drop'
        WHEN w.outcome = 'FAILED' AND w.seen->>'vmc' = 'failure' AND v.mdb THEN 'vmc_failure'
        END AS proves
    FROM fulfillments f JOIN vend_units v ON v.id = f.id
    JOIN word w ON w.unit_id = f.id AND w.outlet_id = f.outlet_id
        AND w.journal_id = v.accept->>'journal_id' AND w.at >= f.sent_at
)
"""

_BASIS = f"""
WITH {_TESTIMONY}
SELECT f.id, f.settlement, f.basis, f.sent_at FROM fulfillments f
JOIN outlets o ON o.id = f.outlet_id LEFT JOIN vend_units v ON v.id = f.id
WHERE f.settlement IS NOT NULL AND NOT coalesce(CASE
    -- Evidence of another kind is judged by its own room.
    WHEN f.kind <> 'vending' AND f.basis NOT IN ('never_sent', 'rejected', 'policy')
        THEN f.sent_at IS NOT NULL
    WHEN f.basis IN ('never_sent', 'rejected')
        THEN f.settlement = 'refund_due' AND f.sent_at IS NULL AND v.go_message IS NULL
    WHEN f.basis IN ('vended', 'drop_evidence')
        THEN f.settlement = 'fulfilled' AND EXISTS
            (SELECT FROM testimony t WHERE t.unit_id = f.id AND t.proves = f.basis)
    WHEN f.basis IN ('no_drop', 'tombstone', 'vmc_failure')
        THEN f.settlement = 'refund_due' AND EXISTS
            (SELECT FROM testimony t WHERE t.unit_id = f.id AND t.proves = f.basis)
    WHEN f.basis = 'declared' THEN o.dialect = 'simple' AND v.accept IS NULL
        AND f.sent_at IS NOT NULL
    WHEN f.basis = 'policy' THEN f.settlement = 'refund_due' AND f.sent_at IS NOT NULL
        AND f.settled_at >= f.hard_deadline AND EXISTS
            (SELECT FROM exposures x WHERE x.fulfillment_id = f.id
             AND x.amount_minor = f.amount_minor)
    END, false)
"""

_STATE = """
SELECT id, state, settlement, basis, settled_at FROM fulfillments
WHERE settlement IS DISTINCT FROM settles_as(kind, state)
   OR (settlement IS NULL) <> (basis IS NULL) OR (settlement IS NULL) <> (settled_at IS NULL)
"""

_SENT = """
SELECT id, kind, state, sent_at FROM fulfillments
WHERE (settlement IS NULL AND (sent_at IS NOT NULL) <> is_sent(kind, state))
   OR (settlement = 'fulfilled' AND sent_at IS NULL)
"""

# Proof settles a unit at once; against money that went back it is a discrepancy.
_NOTED = f"""
WITH {_TESTIMONY}
SELECT f.id, f.state, f.settlement, f.basis, t.proves, t.at
FROM testimony t JOIN fulfillments f ON f.id = t.unit_id
WHERE t.proves IS NOT NULL AND CASE
    WHEN f.settlement IS NULL THEN true
    WHEN f.settlement = 'refund_due' AND t.proves IN ('vended', 'drop_evidence')
        THEN NOT EXISTS (SELECT FROM discrepancies d WHERE d.fulfillment_id = f.id
                         AND d.kind = 'dropped_after_refund')
    ELSE false END
UNION ALL
SELECT f.id, f.state, f.settlement, f.basis, 'a correction', k.at
FROM corrections k JOIN fulfillments f ON f.id = k.fulfillment_id
WHERE f.settlement IS DISTINCT FROM 'fulfilled'
"""

# A report against an earlier drop moves no money: it is a discrepancy, and only the person who
# closes that one may give the money back. Corrections without a name are from before migration 15;
# a notice reports them.
_UNDONE = f"""
WITH {_TESTIMONY}, denied AS (
    SELECT t.unit_id FROM testimony t WHERE t.proves IN ('tombstone', 'no_drop', 'vmc_failure')
    UNION SELECT e.subject_id FROM events e
    WHERE e.machine = 'fulfillment' AND e.event = 'NOT_VENDED' AND e.was = 'vended'
)
SELECT f.id, f.basis, 'told against, and no discrepancy' AS why FROM fulfillments f
WHERE f.settlement = 'fulfilled' AND f.id IN (SELECT unit_id FROM denied)
    AND NOT EXISTS (SELECT FROM discrepancies d WHERE d.fulfillment_id = f.id
        AND d.kind = 'no_drop_after_fulfilled')
    AND NOT EXISTS (SELECT FROM corrections k WHERE k.fulfillment_id = f.id AND k.made_by IS NULL)
UNION ALL
SELECT k.fulfillment_id, NULL, 'given back by nobody who ended its case' FROM corrections k
WHERE k.made_by IS NOT NULL AND NOT EXISTS (SELECT FROM discrepancies d
    WHERE d.fulfillment_id = k.fulfillment_id AND d.kind = 'no_drop_after_fulfilled'
        AND d.closed_by = k.made_by)
UNION ALL
SELECT f.id, f.basis, 'given back without a correction' FROM fulfillments f
WHERE f.settlement = 'fulfilled'
    AND EXISTS (SELECT FROM refunds r WHERE r.fulfillment_id = f.id AND r.origin = 'ours')
    AND NOT EXISTS (SELECT FROM corrections k WHERE k.fulfillment_id = f.id)
"""

# GO repeats what its ACCEPT said, and the lease that we count with is longer than the machine's.
_GO = """
SELECT f.id, f.state, v.seq, v.boot_id, v.journal_id, f.sent_at, v.go_message, v.accept
FROM fulfillments f JOIN vend_units v ON v.id = f.id
WHERE (v.go_message IS NOT NULL AND (v.accept IS NULL OR f.sent_at IS NULL
        OR (v.accept->>'unit_id', v.go_message->>'unit_id')
            IS DISTINCT FROM (f.id::text, f.id::text)
        OR (v.accept->>'seq', v.go_message->>'seq') IS DISTINCT FROM (v.seq::text, v.seq::text)
        OR (v.accept->>'boot_id', v.go_message->>'boot_id')
            IS DISTINCT FROM (v.boot_id, v.boot_id)
        OR v.accept->>'journal_id' IS DISTINCT FROM v.journal_id
        OR (v.go_message->>'not_after')::bigint <= (v.accept->>'mono_ms')::bigint
        OR coalesce(v.lease_end < f.sent_at + interval '1 millisecond'
            * ((v.go_message->>'not_after')::bigint - (v.accept->>'mono_ms')::bigint), true)))
   OR (v.go_message IS NULL AND v.accept IS NOT NULL)
"""

_SEQ = """
SELECT v.outlet_id, v.seq, count(*) AS units, max(d.next_seq) AS next_seq
FROM vend_units v LEFT JOIN devices d ON d.outlet_id = v.outlet_id WHERE v.seq IS NOT NULL
GROUP BY v.outlet_id, v.seq HAVING count(*) > 1 OR v.seq >= coalesce(max(d.next_seq), 0)
"""

_ONE_OPEN = """
SELECT outlet_id, count(*) AS open_units, array_agg(id ORDER BY id) AS unit_ids FROM fulfillments
WHERE kind = 'vending' AND state IN ('offered', 'going', 'started', 'in_doubt')
GROUP BY outlet_id HAVING count(*) > 1
"""

# What the index over open units rests on.
_BESIDE = """
SELECT f.id, f.state, f.outlet_id, v.outlet_id AS beside, v.slot, v.open
FROM fulfillments f LEFT JOIN vend_units v ON v.id = f.id JOIN order_lines l ON l.id = f.line_id
WHERE f.kind = 'vending' AND (v.id IS NULL OR (v.merchant_id, v.outlet_id, v.slot)
        IS DISTINCT FROM (f.merchant_id, f.outlet_id, l.slot)
    OR v.open <> (f.state IN ('offered', 'going', 'started', 'in_doubt')))
"""

# Every acknowledged line is stored, from the journal's first event on, or was refused and counted:
# the machine has deleted it.
_GAPS = """
SELECT j.outlet_id, j.journal_id, j.through - j.skipped AS due, kept.events
FROM device_journals j, LATERAL (
    SELECT count(*) AS events FROM device_events d WHERE d.outlet_id = j.outlet_id
    AND d.journal_id = j.journal_id AND d.event_seq <= j.through) AS kept
WHERE kept.events NOT BETWEEN j.through - j.skipped - j.refused AND j.through
UNION ALL
SELECT d.outlet_id, d.journal_id, NULL, count(*) FROM device_events d
WHERE NOT EXISTS (SELECT FROM device_journals j
    WHERE j.outlet_id = d.outlet_id AND j.journal_id = d.journal_id)
GROUP BY d.outlet_id, d.journal_id
"""

UNITS: Mapping[str, str] = {
    "settled_units_rest_on_their_basis": _BASIS,
    "a_settlement_is_the_end_of_its_unit": _STATE,
    "a_unit_is_sent_where_its_state_says_so": _SENT,
    "evidence_settles_or_is_noted": _NOTED,
    "a_machine_never_undoes_its_own_evidence": _UNDONE,
    "go_answers_its_accept": _GO,
    "every_seq_was_given_out_once": _SEQ,
    "one_open_unit_per_machine": _ONE_OPEN,
    "a_unit_and_its_machine_part_agree": _BESIDE,
    "journals_have_no_gaps": _GAPS,
}
