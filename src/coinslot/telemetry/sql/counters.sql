-- A machine's own counter of sales against our ledger, while the machine is at rest.

-- What machines told of their counters, in the order of their codes; the same number again is
-- written once a minute.
CREATE OR REPLACE FUNCTION keep_counters(p_outlets text[], p_at timestamptz[], p_said jsonb[])
RETURNS void LANGUAGE sql AS $$
    INSERT INTO machine_counters AS m (outlet_id, merchant_id, sales, told_at)
    SELECT o.id, o.merchant_id, (b.said->'counters'->>'sales')::bigint, b.at
    FROM unnest(p_outlets, p_at, p_said) AS b (outlet_id, at, said)
    JOIN outlets o ON o.id = b.outlet_id AND o.decommissioned_at IS NULL
    WHERE b.said->'counters' ? 'sales' ORDER BY o.id
    ON CONFLICT (outlet_id) DO UPDATE SET sales = excluded.sales, told_at = excluded.told_at
    WHERE excluded.told_at > m.told_at
        AND (excluded.sales <> m.sales OR excluded.told_at > m.told_at + interval '1 minute')
$$;

-- Machines that told their counter after everything was settled for that long, with what they said.
-- Not those whose controller sells for coins as well (`mdb`), and none whose counter never moved:
-- there may be none behind it.
CREATE OR REPLACE FUNCTION counters_at_rest(p_now timestamptz, p_quiet interval)
RETURNS TABLE (outlet text, merchant uuid, journal text, sales bigint, vend bigint)
LANGUAGE sql STABLE AS $$
    SELECT o.id, o.merchant_id, d.journal_id, h.sales, coalesce(v.number, 0)
    FROM machine_counters h
    JOIN outlets o ON o.id = h.outlet_id AND o.dialect = 'leased' AND o.decommissioned_at IS NULL
    JOIN devices d ON d.outlet_id = o.id AND d.journal_id IS NOT NULL AND NOT d.mdb
    LEFT JOIN LATERAL (SELECT s.number, s.at FROM slot_vends s WHERE s.outlet_id = o.id
        ORDER BY s.number DESC LIMIT 1) v ON true
    WHERE h.sales > 0 AND h.told_at > p_now - interval '1 day'
        AND (v.at IS NULL OR v.at <= h.told_at - p_quiet)
        AND NOT EXISTS (SELECT FROM fulfillments f WHERE f.outlet_id = o.id
            AND f.sent_at IS NOT NULL AND f.settled_at > h.told_at - p_quiet)
        AND NOT EXISTS (SELECT FROM fulfillments f WHERE f.outlet_id = o.id
            AND f.sent_at IS NOT NULL AND f.settlement IS NULL)
        AND NOT EXISTS (SELECT FROM vend_units u WHERE u.outlet_id = o.id AND u.open)
$$;

-- How many left a machine by our ledger after that vend, and of how many nobody knows: those that
-- ended in doubt, and those that went back by policy since that time without a word of the machine.
CREATE OR REPLACE FUNCTION left_since(p_outlet text, p_vend bigint, p_since timestamptz)
RETURNS TABLE (fell bigint, may_have bigint) LANGUAGE sql STABLE AS $$
    SELECT count(*) FILTER (WHERE s.word = 'fell'), count(*) FILTER (WHERE s.word = 'may_have')
        + (SELECT count(*) FROM fulfillments u WHERE u.outlet_id = p_outlet
            AND u.basis = 'policy' AND u.settled_at > p_since
            AND NOT EXISTS (SELECT FROM slot_vends g WHERE g.unit_id = u.id))
    FROM slot_vends s WHERE s.outlet_id = p_outlet AND s.number > p_vend
$$;

-- Compares them; returns the machines of which a difference is new. Nothing else is changed by it:
-- no unit, no money. Another journal, or a counter that went back, is a new beginning. Where both
-- agree, comparing goes on from there; where not, from the same beginning, so that a late word of
-- the machine ends it.
CREATE OR REPLACE FUNCTION check_counters(p_now timestamptz, p_quiet interval)
RETURNS TABLE (outlet text) LANGUAGE sql AS $$
    WITH at_rest AS MATERIALIZED (SELECT * FROM counters_at_rest(p_now, p_quiet)),
    found AS MATERIALIZED (
        SELECT r.*, r.sales - c.sales AS grew, n.fell, n.may_have, c.differs_since AS since_before,
            c.machine_vends - c.our_vends AS by_before, c.unsure AS unsure_before,
            c.outlet_id IS NULL OR c.journal_id <> r.journal OR r.sales < c.sales AS anew,
            r.sales - c.sales BETWEEN n.fell AND n.fell + n.may_have AS agrees
        FROM at_rest r LEFT JOIN counter_checks c ON c.outlet_id = r.outlet
        CROSS JOIN LATERAL left_since(r.outlet, c.vend, c.since) n
        WHERE c.outlet_id IS NULL
            OR (c.journal_id, c.sales, c.vend) IS DISTINCT FROM (r.journal, r.sales, r.vend)
    ), kept AS (
        INSERT INTO counter_checks AS c (outlet_id, merchant_id, journal_id, sales, vend, since)
        SELECT f.outlet, f.merchant, f.journal, f.sales, f.vend, p_now FROM found f
        WHERE f.anew OR f.agrees ORDER BY f.outlet
        ON CONFLICT (outlet_id) DO UPDATE SET journal_id = excluded.journal_id,
            sales = excluded.sales, vend = excluded.vend, since = p_now, machine_vends = 0,
            our_vends = 0, unsure = 0, differs_since = NULL
    ), differing AS (
        UPDATE counter_checks c SET machine_vends = f.grew, our_vends = f.fell,
            unsure = f.may_have, differs_since = CASE
                WHEN (f.grew - f.fell, f.may_have) = (f.by_before, f.unsure_before)
                THEN coalesce(f.since_before, p_now) ELSE p_now END
        FROM found f WHERE c.outlet_id = f.outlet AND NOT f.anew AND NOT f.agrees
        RETURNING c.outlet_id, c.differs_since
    )
    SELECT outlet_id FROM differing WHERE differs_since = p_now ORDER BY 1
$$;
