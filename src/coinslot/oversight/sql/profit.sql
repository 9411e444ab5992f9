-- What orders earned, and what they cost: each figure from the row that has it. What is not known
-- is counted, and is never taken for nothing.

-- What of a unit's included tax is left once so much of its price was given back. It depends on
-- what is left alone: however a refund is split, its taxes sum to the same.
CREATE OR REPLACE FUNCTION tax_left(p_tax bigint, p_amount bigint, p_taken bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_amount = 0 THEN 0
        ELSE (2 * p_tax * (p_amount - p_taken) + p_amount) / (2 * p_amount) END
$$;

-- Each order that ended in a span of time. `paid`: for what was handed over, with the taxes in it
-- and on top of it. `goodwill` was given back after the hand-over; `outside` by the gateway, and
-- owed to nobody. The fees are of every payment of the order, those too that went back. Of what has
-- no cost entered the pieces are counted, of what has no fee the payments.
CREATE OR REPLACE FUNCTION profit_between(p_from timestamptz, p_until timestamptz)
RETURNS TABLE (order_id uuid, number text, outlet_id text, currency text, ended_at timestamptz,
    pieces bigint, paid bigint, tips bigint, delivery bigint, taxes bigint, goodwill bigint,
    outside bigint, cost bigint, fee bigint, messages bigint, no_cost bigint, no_fee bigint,
    no_price bigint)
LANGUAGE sql STABLE AS $$
    WITH ended AS MATERIALIZED (
        SELECT o.id, o.number, o.outlet_id, o.currency::text AS currency, o.ended_at FROM orders o
        WHERE o.ended_at >= p_from AND o.ended_at < p_until AND o.state IN ('completed', 'failed')
            AND o.source <> 'test_vend'
    )
    SELECT e.id, e.number, e.outlet_id, e.currency, e.ended_at, u.pieces,
        u.paid + x.added_tax, x.tips, x.delivery,
        u.taxes + x.added_tax - x.added_tax_taken, u.taken + x.taken, c.outside, u.cost, c.fee,
        m.minor, u.no_cost, c.no_fee, m.unknown
    FROM ended e CROSS JOIN LATERAL (
        SELECT count(*) AS pieces, coalesce(sum(f.amount_minor), 0)::bigint AS paid,
            coalesce(sum(tax_left(f.tax_minor, f.amount_minor, t.taken)), 0)::bigint AS taxes,
            coalesce(sum(t.taken), 0)::bigint AS taken,
            coalesce(sum(l.cost_minor), 0)::bigint AS cost,
            count(*) FILTER (WHERE l.cost_minor = 0) AS no_cost
        FROM fulfillments f JOIN order_lines l ON l.id = f.line_id CROSS JOIN LATERAL (
            SELECT coalesce(sum(w.amount_minor), 0)::bigint AS taken FROM order_refund_parts w
            WHERE w.fulfillment_id = f.id AND w.outcome = 'taken') t
        WHERE f.order_id = e.id AND f.settlement = 'fulfilled'
            AND NOT EXISTS (SELECT FROM corrections k WHERE k.fulfillment_id = f.id)
    ) u CROSS JOIN LATERAL (
        SELECT coalesce(sum(y.amount_minor) FILTER (WHERE y.kind = 'tip'), 0)::bigint AS tips,
            coalesce(sum(y.amount_minor) FILTER (WHERE y.kind = 'delivery_fee'), 0)::bigint
                AS delivery,
            coalesce(sum(y.amount_minor) FILTER (WHERE y.kind = 'added_tax'), 0)::bigint
                AS added_tax,
            coalesce(sum(t.taken) FILTER (WHERE y.kind = 'added_tax'), 0)::bigint
                AS added_tax_taken,
            coalesce(sum(t.taken), 0)::bigint AS taken
        FROM order_extras y CROSS JOIN LATERAL (
            SELECT coalesce(sum(w.amount_minor), 0)::bigint AS taken FROM order_refund_parts w
            WHERE w.extra_id = y.id AND w.outcome = 'taken') t
        WHERE y.order_id = e.id AND y.settlement = 'fulfilled'
    ) x CROSS JOIN LATERAL (
        SELECT coalesce(sum(k.outside - k.outside_used), 0)::bigint AS outside,
            coalesce(sum(k.fee_minor), 0)::bigint AS fee,
            count(*) FILTER (WHERE k.fee_minor IS NULL) AS no_fee
        FROM captures k WHERE k.order_id = e.id
    ) c CROSS JOIN LATERAL message_costs(e.id, e.currency) m
$$;
