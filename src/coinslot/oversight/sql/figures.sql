-- Figures of orders, and their sums by day, outlet and item. See migrations 0234 and 0196.

-- What was sold of each product in each order that ended in a span of time. Fees, messages and tips
-- belong to orders, so an item has none of them.
CREATE OR REPLACE FUNCTION item_profit_between(p_from timestamptz, p_until timestamptz)
RETURNS TABLE (order_id uuid, outlet_id text, sku text, name text, currency text, pieces bigint,
    paid bigint, goodwill bigint, taxes bigint, cost bigint, no_cost bigint)
LANGUAGE sql STABLE AS $$
    WITH ended AS MATERIALIZED (
        SELECT o.id, o.outlet_id FROM orders o
        WHERE o.ended_at >= p_from AND o.ended_at < p_until AND o.state IN ('completed', 'failed')
            AND o.source <> 'test_vend'
    )
    SELECT e.id, e.outlet_id, l.sku, max(l.name), f.currency::text, count(*),
        sum(f.amount_minor)::bigint, sum(t.taken)::bigint,
        sum(tax_left(f.tax_minor, f.amount_minor, t.taken))::bigint, sum(l.cost_minor)::bigint,
        count(*) FILTER (WHERE l.cost_minor = 0)
    FROM ended e JOIN fulfillments f ON f.order_id = e.id AND f.settlement = 'fulfilled'
        JOIN order_lines l ON l.id = f.line_id CROSS JOIN LATERAL (
            SELECT coalesce(sum(w.amount_minor), 0)::bigint AS taken FROM order_refund_parts w
            WHERE w.fulfillment_id = f.id AND w.outcome = 'taken') t
    WHERE NOT EXISTS (SELECT FROM corrections k WHERE k.fulfillment_id = f.id)
    GROUP BY e.id, e.outlet_id, l.sku, f.currency
$$;

-- Each order that was placed in a span of time, and what belongs to it. A message that is on its
-- way counts neither way.
CREATE OR REPLACE FUNCTION sales_between(p_from timestamptz, p_until timestamptz)
RETURNS TABLE (id uuid, outlet_id text, state text, amount_minor bigint, currency text,
    placed_at timestamptz, payments_ok bigint, payments_failed bigint, codes_ok bigint,
    codes_wrong bigint, sms_ok bigint, sms_failed bigint, calls_ok bigint, calls_failed bigint)
LANGUAGE sql STABLE AS $$
    SELECT o.id, o.outlet_id, o.state, o.amount_minor, o.currency::text, o.placed_at, t.ok,
        t.failed, (EXISTS (SELECT FROM fulfillments f WHERE f.order_id = o.id
            AND f.basis = 'code'))::int::bigint,
        coalesce((SELECT c.wrong FROM counter_orders c WHERE c.order_id = o.id), 0)::bigint,
        m.sms_ok, m.sms_failed, m.calls_ok, m.calls_failed
    FROM orders o CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE a.state = 'succeeded') AS ok,
            count(*) FILTER (WHERE a.state = 'failed') AS failed
        FROM payments p JOIN attempts a ON a.payment_id = p.id WHERE p.order_id = o.id
            AND a.state IN ('succeeded', 'failed')
    ) t CROSS JOIN LATERAL message_outcomes(o.id) m
    WHERE o.placed_at >= p_from AND o.placed_at < p_until AND o.source <> 'test_vend'
$$;

-- What became of the pieces of each product in each of these orders.
CREATE OR REPLACE FUNCTION item_sales_between(p_from timestamptz, p_until timestamptz)
RETURNS TABLE (order_id uuid, outlet_id text, sku text, name text, currency text,
    handed_over bigint, given_back bigint)
LANGUAGE sql STABLE AS $$
    WITH placed AS MATERIALIZED (
        SELECT o.id, o.outlet_id, o.currency FROM orders o
        WHERE o.placed_at >= p_from AND o.placed_at < p_until AND o.source <> 'test_vend'
    )
    SELECT o.id, o.outlet_id, l.sku, max(l.name), o.currency::text,
        count(*) FILTER (WHERE f.settlement = 'fulfilled'),
        count(*) FILTER (WHERE f.settlement = 'refund_due')
    FROM placed o JOIN order_lines l ON l.order_id = o.id JOIN fulfillments f ON f.line_id = l.id
    GROUP BY o.id, o.outlet_id, l.sku, o.currency
$$;

CREATE OR REPLACE FUNCTION accounts_of(p_order uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(DISTINCT c.account_id ORDER BY c.account_id), '{}')
    FROM captures c WHERE c.order_id = p_order
$$;

CREATE OR REPLACE FUNCTION skus_of(p_order uuid) RETURNS TABLE (sku text) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT l.sku FROM order_lines l WHERE l.order_id = p_order
$$;

-- The sums of orders of a span of time: of all, or, by product, of those that have it.
CREATE OR REPLACE FUNCTION order_figures(p_from timestamptz, p_until timestamptz,
    p_by_product boolean)
RETURNS TABLE (report text, outlet_id text, accounts uuid[], sku text, currency text, sums jsonb)
LANGUAGE sql STABLE AS $$
    SELECT 'profit', p.outlet_id, accounts_of(p.order_id), l.sku, p.currency,
        jsonb_build_object('orders', count(*), 'pieces', sum(p.pieces), 'paid', sum(p.paid),
            'tips', sum(p.tips), 'delivery', sum(p.delivery), 'taxes', sum(p.taxes),
            'goodwill', sum(p.goodwill), 'outside', sum(p.outside), 'cost', sum(p.cost),
            'fee', sum(p.fee), 'messages', sum(p.messages), 'no_cost', sum(p.no_cost),
            'no_fee', sum(p.no_fee), 'no_price', sum(p.no_price))
    FROM profit_between(p_from, p_until) p CROSS JOIN LATERAL (
        SELECT x.sku FROM skus_of(p.order_id) x WHERE p_by_product
        UNION ALL SELECT '' WHERE NOT p_by_product) l
    GROUP BY 2, 3, 4, 5
    UNION ALL
    SELECT 'sales', s.outlet_id, '{}', l.sku, s.currency,
        jsonb_build_object('placed', count(*),
            'paid', count(*) FILTER (WHERE s.state IN ('paid', 'completed', 'failed')),
            'handed_over', count(*) FILTER (WHERE s.state = 'completed'),
            'given_back', count(*) FILTER (WHERE s.state = 'failed'),
            'unpaid', count(*) FILTER (WHERE s.state = 'expired'),
            'worth', coalesce(sum(s.amount_minor) FILTER (WHERE s.state = 'completed'), 0),
            'payments_ok', sum(s.payments_ok), 'payments_failed', sum(s.payments_failed),
            'codes_ok', sum(s.codes_ok), 'codes_wrong', sum(s.codes_wrong),
            'sms_ok', sum(s.sms_ok), 'sms_failed', sum(s.sms_failed),
            'calls_ok', sum(s.calls_ok), 'calls_failed', sum(s.calls_failed))
    FROM sales_between(p_from, p_until) s CROSS JOIN LATERAL (
        SELECT x.sku FROM skus_of(s.id) x WHERE p_by_product
        UNION ALL SELECT '' WHERE NOT p_by_product) l
    GROUP BY 2, 4, 5
$$;

-- The sums of a span of time, by the reports that `figure_days` keeps.
CREATE OR REPLACE FUNCTION figures_between(p_from timestamptz, p_until timestamptz)
RETURNS TABLE (report text, outlet_id text, accounts uuid[], sku text, name text, currency text,
    sums jsonb)
LANGUAGE sql STABLE AS $$
    SELECT report, outlet_id, accounts, sku, '', currency, sums
    FROM order_figures(p_from, p_until, false)
    UNION ALL
    SELECT 'profit_items', i.outlet_id, accounts_of(i.order_id), i.sku, max(i.name), i.currency,
        jsonb_build_object('pieces', sum(i.pieces), 'paid', sum(i.paid),
            'goodwill', sum(i.goodwill), 'taxes', sum(i.taxes), 'cost', sum(i.cost),
            'no_cost', sum(i.no_cost))
    FROM item_profit_between(p_from, p_until) i GROUP BY 2, 3, 4, 6
    UNION ALL
    SELECT 'sale_items', i.outlet_id, '{}', i.sku, max(i.name), i.currency,
        jsonb_build_object('orders', count(*), 'handed_over', sum(i.handed_over),
            'given_back', sum(i.given_back))
    FROM item_sales_between(p_from, p_until) i GROUP BY 2, 4, 6
$$;

-- The same of the orders that have a product, by product.
CREATE OR REPLACE FUNCTION product_figures_between(p_from timestamptz, p_until timestamptz)
RETURNS TABLE (report text, outlet_id text, accounts uuid[], sku text, currency text, sums jsonb)
LANGUAGE sql STABLE AS $$
    SELECT * FROM order_figures(p_from, p_until, true)
$$;

-- Keeps the sums of one day of one merchant; false: an order of it is not over, or only since
-- `p_over`, and what is changing it may not know yet that it is. The changes are taken out before
-- the rows are read: whoever noted one that is taken out has committed what it is of.
CREATE OR REPLACE FUNCTION figure_day(p_day date, p_begun timestamptz, p_ended timestamptz,
    p_over timestamptz, p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('figure_day'), hashtext(the_merchant()::text));
    DELETE FROM figure_changes WHERE at >= p_begun AND at < p_ended;
    DELETE FROM figure_days WHERE day = p_day;
    DELETE FROM product_figure_days WHERE day = p_day;
    DELETE FROM figured_days WHERE day = p_day;
    IF EXISTS (SELECT FROM orders WHERE placed_at >= p_begun AND placed_at < p_ended
            AND (ended_at IS NULL OR ended_at > p_over) AND source <> 'test_vend') THEN
        RETURN false;
    END IF;
    INSERT INTO figured_days (merchant_id, day, begun, ended, figured_at)
    VALUES (the_merchant(), p_day, p_begun, p_ended, p_now);
    INSERT INTO figure_days (merchant_id, day, report, outlet_id, accounts, sku, name, currency,
        sums)
    SELECT the_merchant(), p_day, f.report, f.outlet_id, f.accounts, f.sku, f.name, f.currency,
        f.sums FROM figures_between(p_begun, p_ended) f;
    INSERT INTO product_figure_days (merchant_id, day, report, outlet_id, accounts, sku, currency,
        sums)
    SELECT the_merchant(), p_day, f.report, f.outlet_id, f.accounts, f.sku, f.currency, f.sums
    FROM product_figures_between(p_begun, p_ended) f;
    RETURN true;
END $$;

-- Of these days those whose sums are kept and hold.
CREATE OR REPLACE FUNCTION days_figured(p_days jsonb)
RETURNS TABLE (day date, begun timestamptz, ended timestamptz, kept boolean)
LANGUAGE sql STABLE AS $$
    SELECT w.day, w.begun, w.ended, EXISTS (SELECT FROM figured_days s
            WHERE (s.day, s.begun, s.ended) = (w.day, w.begun, w.ended))
        AND NOT EXISTS (SELECT FROM figure_changes c WHERE c.at >= w.begun AND c.at < w.ended)
    FROM jsonb_to_recordset(p_days) AS w (day date, begun timestamptz, ended timestamptz)
$$;

-- Sums of days as {day, begun, ended}: the kept ones where they hold, else from the rows. Of one
-- statement, so that both are of the same moment.
CREATE OR REPLACE FUNCTION figures_of_days(p_report text, p_days jsonb)
RETURNS TABLE (day date, outlet_id text, accounts uuid[], sku text, name text, currency text,
    sums jsonb)
LANGUAGE sql STABLE AS $$
    WITH wanted AS MATERIALIZED (SELECT * FROM days_figured(p_days))
    SELECT f.day, f.outlet_id, f.accounts, f.sku, f.name, f.currency::text, f.sums
    FROM figure_days f WHERE f.report = p_report
        AND f.day = ANY (ARRAY(SELECT w.day FROM wanted w WHERE w.kept))
    UNION ALL
    SELECT w.day, f.outlet_id, f.accounts, f.sku, f.name, f.currency, f.sums
    FROM wanted w CROSS JOIN LATERAL figures_between(w.begun, w.ended) f
    WHERE NOT w.kept AND f.report = p_report
$$;

-- The same of one product.
CREATE OR REPLACE FUNCTION figures_of_product(p_report text, p_sku text, p_days jsonb)
RETURNS TABLE (day date, outlet_id text, accounts uuid[], currency text, sums jsonb)
LANGUAGE sql STABLE AS $$
    WITH wanted AS MATERIALIZED (SELECT * FROM days_figured(p_days))
    SELECT f.day, f.outlet_id, f.accounts, f.currency::text, f.sums
    FROM product_figure_days f WHERE f.report = p_report AND f.sku = p_sku
        AND f.day = ANY (ARRAY(SELECT w.day FROM wanted w WHERE w.kept))
    UNION ALL
    SELECT w.day, f.outlet_id, f.accounts, f.currency, f.sums
    FROM wanted w CROSS JOIN LATERAL product_figures_between(w.begun, w.ended) f
    WHERE NOT w.kept AND f.report = p_report AND f.sku = p_sku
$$;
