-- Sums of days: from the rows, and kept once a day is over. See migration 0060.

-- In which step of seconds a wait falls: 1 for at most one second, and so on; the last has no end.
-- oversight/day_sums.py has the same steps.
CREATE OR REPLACE FUNCTION wait_step(p_wait interval) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    -- A wait that is exactly as long as a step belongs to it.
    SELECT 1 + width_bucket(ceil(extract(epoch FROM p_wait))::integer - 1,
        ARRAY[1, 2, 3, 5, 8, 12, 20, 30, 60, 120, 300, 600, 1800, 3600])
$$;

-- The ledger of a span of time, for each account, machine and currency. The lines of the span come
-- first, and each capture is looked up by its key: asked for one machine, a plan that begins with
-- the captures would read all that there ever were.
CREATE OR REPLACE FUNCTION money_between(p_from timestamptz, p_until timestamptz)
RETURNS TABLE (merchant_id uuid, account_id uuid, outlet_id text, currency text, captured bigint,
    given_back bigint, fees bigint, goods bigint, owed bigint, not_ours bigint, outside bigint,
    lines bigint)
LANGUAGE sql STABLE AS $$
    WITH moved AS MATERIALIZED (
        SELECT l.merchant_id, l.capture_id, l.currency::text AS currency,
            sum(l.amount) FILTER (WHERE l.account = 'gateway' AND l.why = 'captured') AS captured,
            -sum(l.amount) FILTER (WHERE l.account = 'gateway'
                AND l.why NOT IN ('captured', 'fee', 'fee_corrected')) AS given_back,
            sum(l.amount) FILTER (WHERE l.account = 'fees') AS fees,
            -sum(l.amount) FILTER (WHERE l.account = 'sales') AS goods,
            -sum(l.amount) FILTER (WHERE l.account IN ('obligations', 'refunds_payable')) AS owed,
            -sum(l.amount) FILTER (WHERE l.account = 'foreign') AS not_ours,
            sum(l.amount) FILTER (WHERE l.account = 'refunds_outside') AS outside,
            count(*) AS lines
        FROM ledger l WHERE l.at >= p_from AND l.at < p_until GROUP BY 1, 2, 3
    ), placed AS MATERIALIZED (
        SELECT m.*, c.account_id, c.outlet_id FROM moved m CROSS JOIN LATERAL (
            SELECT k.account_id, coalesce(o.outlet_id, q.outlet_id, '') AS outlet_id
            FROM captures k LEFT JOIN orders o ON o.id = k.order_id
                LEFT JOIN qr_codes q ON q.id = k.qr_id
            WHERE k.id = m.capture_id OFFSET 0) c
    )
    SELECT merchant_id, account_id, outlet_id, currency, coalesce(sum(captured), 0)::bigint,
        coalesce(sum(given_back), 0)::bigint, coalesce(sum(fees), 0)::bigint,
        coalesce(sum(goods), 0)::bigint, coalesce(sum(owed), 0)::bigint,
        coalesce(sum(not_ours), 0)::bigint, coalesce(sum(outside), 0)::bigint,
        sum(lines)::bigint
    FROM placed GROUP BY 1, 2, 3, 4
$$;

-- The units that were settled in a span of time, for each machine, product and currency. A test
-- vend sells nothing, so it is none of them; only units of nothing are looked up. Each line is
-- found by its key, as above.
CREATE OR REPLACE FUNCTION units_between(p_from timestamptz, p_until timestamptz)
RETURNS TABLE (merchant_id uuid, outlet_id text, sku text, currency text, sold bigint,
    sold_minor bigint, failed bigint, failed_minor bigint, waits bigint[])
LANGUAGE sql STABLE AS $$
    WITH unit AS MATERIALIZED (
        SELECT f.merchant_id, f.outlet_id, l.sku, f.currency::text AS currency, f.settlement,
            f.amount_minor, wait_step(f.settled_at - f.queued_at) AS step
        FROM fulfillments f CROSS JOIN LATERAL (
            SELECT n.sku FROM order_lines n WHERE n.id = f.line_id OFFSET 0) l
        WHERE f.settled_at >= p_from AND f.settled_at < p_until AND (f.amount_minor > 0
            OR NOT EXISTS (SELECT FROM orders o WHERE o.id = f.order_id
                AND o.source = 'test_vend'))
    )
    SELECT merchant_id, outlet_id, sku, currency,
        count(*) FILTER (WHERE settlement = 'fulfilled'),
        coalesce(sum(amount_minor) FILTER (WHERE settlement = 'fulfilled'), 0)::bigint,
        count(*) FILTER (WHERE settlement = 'refund_due'),
        coalesce(sum(amount_minor) FILTER (WHERE settlement = 'refund_due'), 0)::bigint,
        ARRAY[count(*) FILTER (WHERE step = 1), count(*) FILTER (WHERE step = 2),
            count(*) FILTER (WHERE step = 3), count(*) FILTER (WHERE step = 4),
            count(*) FILTER (WHERE step = 5), count(*) FILTER (WHERE step = 6),
            count(*) FILTER (WHERE step = 7), count(*) FILTER (WHERE step = 8),
            count(*) FILTER (WHERE step = 9), count(*) FILTER (WHERE step = 10),
            count(*) FILTER (WHERE step = 11), count(*) FILTER (WHERE step = 12),
            count(*) FILTER (WHERE step = 13), count(*) FILTER (WHERE step = 14),
            count(*) FILTER (WHERE step = 15)]
    FROM unit GROUP BY 1, 2, 3, 4
$$;

-- Keeps the sums of one day of one merchant. False: they are kept already, from the same rows.
CREATE OR REPLACE FUNCTION sum_day(p_day date, p_begun timestamptz, p_ended timestamptz,
    p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('sum_day'), hashtext(the_merchant()::text));
    IF EXISTS (SELECT FROM summed_days WHERE (day, begun, ended) = (p_day, p_begun, p_ended)) THEN
        RETURN false;
    END IF;
    DELETE FROM money_days WHERE day = p_day;
    DELETE FROM unit_days WHERE day = p_day;
    DELETE FROM summed_days WHERE day = p_day;
    INSERT INTO summed_days (merchant_id, day, begun, ended, summed_at)
    VALUES (the_merchant(), p_day, p_begun, p_ended, p_now);
    INSERT INTO money_days (merchant_id, day, account_id, outlet_id, currency, captured, given_back,
        fees, goods, owed, not_ours, outside, lines)
    SELECT m.merchant_id, p_day, m.account_id, m.outlet_id, m.currency, m.captured, m.given_back,
        m.fees, m.goods, m.owed, m.not_ours, m.outside, m.lines FROM money_between(p_begun, p_ended)
        m;
    INSERT INTO unit_days (merchant_id, day, outlet_id, sku, currency, sold, sold_minor, failed,
        failed_minor, waits)
    SELECT u.merchant_id, p_day, u.outlet_id, u.sku, u.currency, u.sold, u.sold_minor, u.failed,
        u.failed_minor, u.waits FROM units_between(p_begun, p_ended) u;
    RETURN true;
END $$;

-- Days as {day, begun, ended}: from the kept sums where they are of the same rows, else from the
-- rows themselves.
CREATE OR REPLACE FUNCTION money_of_days(p_days jsonb)
RETURNS TABLE (day date, account_id uuid, outlet_id text, currency text, captured bigint,
    given_back bigint, fees bigint, goods bigint, owed bigint, not_ours bigint, outside bigint)
LANGUAGE sql STABLE AS $$
    WITH wanted AS MATERIALIZED (
        SELECT w.*, EXISTS (SELECT FROM summed_days s
            WHERE (s.day, s.begun, s.ended) = (w.day, w.begun, w.ended)) AS kept
        FROM jsonb_to_recordset(p_days) AS w (day date, begun timestamptz, ended timestamptz)
    )
    SELECT m.day, m.account_id, m.outlet_id, m.currency::text, m.captured, m.given_back, m.fees,
        m.goods, m.owed, m.not_ours, m.outside
    FROM money_days m WHERE m.day = ANY (ARRAY(SELECT w.day FROM wanted w WHERE w.kept))
    UNION ALL
    SELECT w.day, m.account_id, m.outlet_id, m.currency, m.captured, m.given_back, m.fees, m.goods,
        m.owed, m.not_ours, m.outside
    FROM wanted w CROSS JOIN LATERAL money_between(w.begun, w.ended) m WHERE NOT w.kept
$$;

CREATE OR REPLACE FUNCTION units_of_days(p_days jsonb)
RETURNS TABLE (day date, outlet_id text, sku text, currency text, sold bigint, sold_minor bigint,
    failed bigint, failed_minor bigint, waits bigint[])
LANGUAGE sql STABLE AS $$
    WITH wanted AS MATERIALIZED (
        SELECT w.*, EXISTS (SELECT FROM summed_days s
            WHERE (s.day, s.begun, s.ended) = (w.day, w.begun, w.ended)) AS kept
        FROM jsonb_to_recordset(p_days) AS w (day date, begun timestamptz, ended timestamptz)
    )
    SELECT u.day, u.outlet_id, u.sku, u.currency::text, u.sold, u.sold_minor, u.failed,
        u.failed_minor, u.waits
    FROM unit_days u WHERE u.day = ANY (ARRAY(SELECT w.day FROM wanted w WHERE w.kept))
    UNION ALL
    SELECT w.day, u.outlet_id, u.sku, u.currency, u.sold, u.sold_minor, u.failed, u.failed_minor,
        u.waits
    FROM wanted w CROSS JOIN LATERAL units_between(w.begun, w.ended) u WHERE NOT w.kept
$$;
