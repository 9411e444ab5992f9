-- Three records compared: the gateway's, the ledger, and what was handed over or refunded.

-- Where they disagree. `p_theirs` holds what the gateway says of each payment, as
-- {gateway_payment_id, captured, refunded, currency, at}; captured 0: it has no such money. What
-- changed on our side after `p_asked` is not judged by it.
CREATE OR REPLACE FUNCTION breaks_in(p_account uuid, p_ids uuid[], p_theirs jsonb,
    p_asked timestamptz, p_unsettled_since timestamptz) RETURNS TABLE (kind text, subject text,
    since timestamptz, amount_minor bigint, currency text, data jsonb)
LANGUAGE sql STABLE AS $$
    WITH theirs AS (
        SELECT * FROM jsonb_to_recordset(p_theirs) AS t (gateway_payment_id text, captured bigint,
            refunded bigint, currency text, at timestamptz)
    ), ours AS (
        SELECT c.*, r.made, r.waiting, r.gone, r.fresh
        FROM captures c, LATERAL (SELECT
            coalesce(sum(f.amount_minor) FILTER (WHERE made_there(f)), 0)::bigint AS made,
            coalesce(sum(f.amount_minor) FILTER (WHERE f.state = 'pending'), 0)::bigint AS waiting,
            coalesce(sum(f.amount_minor) FILTER (WHERE f.state = 'succeeded'
                AND NOT EXISTS (SELECT FROM events e WHERE e.subject_id = f.id
                    AND e.event = 'COVERED' AND e.state IS NOT NULL)), 0)::bigint AS gone,
            coalesce(bool_or(f.created_at >= p_asked OR f.ended_at >= p_asked), false) AS fresh
            FROM refunds f WHERE f.capture_id = c.id) r
        WHERE c.account_id = p_account AND c.id = ANY (p_ids)
    ), both_sides AS (
        SELECT o.*, t.captured AS their_captured, t.refunded AS their_refunded,
            t.currency AS their_currency, jsonb_build_object('gateway_payment_id',
                o.gateway_payment_id) AS named
        FROM ours o JOIN theirs t USING (gateway_payment_id)
    )
    SELECT 'not_on_record', t.gateway_payment_id, t.at, t.captured, t.currency, '{}'::jsonb
    FROM theirs t WHERE t.captured > 0 AND NOT EXISTS (SELECT FROM captures c
        WHERE c.account_id = p_account AND c.gateway_payment_id = t.gateway_payment_id)
    UNION ALL
    SELECT 'not_at_gateway', b.id::text, b.captured_at, b.captured, b.currency::text, b.named
    FROM both_sides b WHERE b.their_captured = 0
    UNION ALL
    SELECT 'amount_differs', b.id::text, b.captured_at, b.captured, b.currency::text,
        b.named || jsonb_build_object('theirs', b.their_captured)
    FROM both_sides b WHERE b.their_captured > 0
        AND (b.their_captured, b.their_currency) IS DISTINCT FROM (b.captured, b.currency::text)
    UNION ALL
    -- Some gateways count a refund that is still on its way, and some do not.
    SELECT 'refunds_differ', b.id::text, b.captured_at, b.made, b.currency::text,
        b.named || jsonb_build_object('theirs', b.their_refunded)
    FROM both_sides b WHERE b.foreign_amount = 0 AND NOT b.fresh
        AND b.their_refunded NOT BETWEEN b.made AND b.made + b.waiting
    UNION ALL
    SELECT 'ledger_differs', o.id::text, o.captured_at, l.held, o.currency::text,
        jsonb_build_object('expected', o.captured - o.gone - coalesce(o.fee_minor, 0))
    FROM ours o, LATERAL (SELECT coalesce(sum(amount), 0)::bigint AS held FROM ledger
        WHERE capture_id = o.id AND account = 'gateway') l
    WHERE l.held <> o.captured - o.gone - coalesce(o.fee_minor, 0)
    UNION ALL
    SELECT 'goods_differ', o.id::text, o.captured_at, g.sold, o.currency::text,
        jsonb_build_object('handed_over', g.handed_over)
    FROM ours o, LATERAL (SELECT
        (SELECT coalesce(-sum(amount), 0)::bigint FROM ledger
            WHERE capture_id = o.id AND account = 'sales') AS sold,
        (SELECT coalesce(sum(left_of(u)), 0)::bigint FROM fulfillments u
            WHERE u.capture_id = o.id AND u.settlement = 'fulfilled')
        + (SELECT coalesce(sum(left_of_extra(e)), 0)::bigint FROM order_extras e
            WHERE e.order_id = o.order_id AND o.reason IS NULL AND e.settlement = 'fulfilled')
            AS handed_over) g
    WHERE g.sold <> CASE WHEN EXISTS (SELECT FROM payments p WHERE p.id = o.payment_id
        AND p.source = 'api') THEN o.fulfilled ELSE g.handed_over END
    UNION ALL
    SELECT 'neither_goods_nor_money_back', o.id::text, o.captured_at, o.open, o.currency::text,
        jsonb_build_object('gateway_payment_id', o.gateway_payment_id)
    FROM ours o WHERE o.open > 0 AND o.hard_deadline < p_asked AND NOT EXISTS (SELECT
        FROM fulfillments u WHERE u.capture_id = o.id AND u.settlement IS NULL
            AND u.hard_deadline >= p_asked)
    UNION ALL
    SELECT 'not_paid_out', o.id::text, o.captured_at, o.captured, o.currency::text,
        jsonb_build_object('gateway_payment_id', o.gateway_payment_id)
    FROM ours o WHERE o.settled_at IS NULL AND o.captured_at < p_unsettled_since
        AND o.captured > o.gone AND o.foreign_amount = 0
$$;

-- Opens a case for each new break, and closes those of the same captures that have healed.
CREATE OR REPLACE FUNCTION keep_breaks(p_account gateway_accounts, p_ids uuid[], p_theirs jsonb,
    p_asked timestamptz, p_unsettled_since timestamptz, OUT opened bigint, OUT closed bigint)
LANGUAGE sql AS $$
    WITH found AS MATERIALIZED (
        SELECT * FROM breaks_in(p_account.id, p_ids, p_theirs, p_asked, p_unsettled_since)
    ), gone AS (
        UPDATE cases k SET closed_at = p_asked, how = 'healed'
        WHERE k.closed_at IS NULL AND k.source = 'books' AND (k.subject = ANY (p_ids::text[])
            OR k.subject IN (SELECT t->>'gateway_payment_id'
                FROM jsonb_array_elements(p_theirs) t))
            AND NOT EXISTS (SELECT FROM found f WHERE f.kind = k.kind AND f.subject = k.subject)
        RETURNING k.id
    ), made AS (
        INSERT INTO cases (merchant_id, source, kind, subject, since, owner, amount_minor,
            currency, data, opened_at)
        SELECT p_account.merchant_id, 'books', f.kind, f.subject, f.since,
            CASE f.kind WHEN 'not_paid_out' THEN 'merchant' ELSE 'operator' END, f.amount_minor,
            f.currency, f.data || CASE f.kind WHEN 'not_on_record' THEN of_account(p_account.id)
                || jsonb_build_object('gateway_payment_id', f.subject)
                ELSE of_capture(f.subject::uuid) END, p_asked
        FROM found f WHERE NOT EXISTS (SELECT FROM cases k WHERE k.kind = f.kind
            AND k.subject = f.subject AND (k.closed_at IS NULL
                OR (k.closed_by IS NOT NULL AND k.since = f.since)))
        ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM gone)
$$;

-- Claims a day of an account for one process, which holds it until it is claimed again: `tries`
-- tells. NULL when it is done, or another process has it.
DROP FUNCTION IF EXISTS take_day(gateway_accounts, date, interval);
CREATE OR REPLACE FUNCTION take_day(p_account gateway_accounts, p_day date, p_lease interval)
RETURNS integer LANGUAGE sql AS $$
    WITH taken AS (
        INSERT INTO reconciliations (account_id, day, merchant_id, leased_until, tries)
        VALUES (p_account.id, p_day, p_account.merchant_id, clock_timestamp() + p_lease, 1)
        ON CONFLICT (account_id, day) DO UPDATE SET tries = reconciliations.tries + 1,
            leased_until = clock_timestamp() + p_lease
        WHERE reconciliations.done_at IS NULL AND (reconciliations.leased_until IS NULL
            OR reconciliations.leased_until <= clock_timestamp())
        RETURNING tries
    )
    SELECT tries FROM taken
$$;
